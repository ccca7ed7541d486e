//! T11: a threshold is met by so many distinct roots, however often one of them signs, signs as another,
//! or stands in the charter.
//!
//! All multisets of up to five keys sign: first charters of every number of roots and every threshold,
//! and charters that follow them, whose roots are some of the old ones and some new.

use chancery_schema::admission::{Policy, State, Submission, decide};
use chancery_schema::base64;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::{PAYLOAD_TYPE, pre_authentication_encoding};
use chancery_schema::key::{Role, Signer};
use chancery_schema::record::{Kind, payload};
use chancery_tests::nation::{Judge, Nation};
use serde_json::{Value, json};

use super::row::{Share, Tally, spread};

/// The most roots that are tried, and the most signatures.
const MOST: u8 = 5;

/// A charter to be signed, and how many of which roots must.
struct Ask {
    payload: Vec<u8>,
    before: State,
    /// Roots and threshold, of itself and of the charter before.
    needs: Vec<(Vec<u8>, usize)>,
    /// The keys that are tried: their ids, and their signatures on the payload.
    keys: Vec<(Digest, [u8; 64])>,
}

pub fn run(share: Share) -> (Tally, String) {
    let most = share.of(3, MOST);
    let mut asks = firsts();
    asks.extend(followers(most));
    let mut tally = spread(&asks, |_, ask| ask.signed_by_all_multisets(share.of(3, MOST)));
    tally.add(roots_named_twice());
    let tried = format!(
        "multisets of signers of {} charters, and of roots, to be admitted when enough distinct roots signed once",
        asks.len()
    );
    (tally, tried)
}

/// First charters of every number of roots and every threshold.
fn firsts() -> Vec<Ask> {
    let each = |count: u8| (1..=count).map(move |threshold| (count, threshold));
    let ask = |(count, threshold): (u8, u8)| {
        let roots: Vec<u8> = (0..count).collect();
        let payload = charter(&roots, threshold);
        Ask::new(payload, State::default(), vec![(roots, threshold.into())], count)
    };
    (1..=MOST).flat_map(each).map(ask).collect()
}

/// Charters that follow one of the first keys, and have the last: of up to `most` roots each.
fn followers(most: u8) -> Vec<Ask> {
    let each = |count: u8| (1..=count).map(move |threshold| (count, threshold));
    let all: Vec<(u8, u8)> = (1..=most).flat_map(each).collect();
    let mut asks = Vec::new();
    for (count, threshold) in &all {
        let mut nation = Nation::new("FR");
        let old: Vec<u8> = (0..*count).collect();
        let mut draft = nation.charter_draft();
        draft["roots"] = roots(&nation, &old);
        draft["threshold"] = json!(threshold);
        let first = nation.sign_charter(draft, &old);
        let mut judge = Judge::default();
        judge.admit(&nation.origin, &first).unwrap();
        for (count, next) in &all {
            let new: Vec<u8> = (MOST - count..MOST).collect();
            let mut draft = nation.next_charter_draft(2, &first, &new);
            draft["threshold"] = json!(next);
            let needs = vec![(old.clone(), usize::from(*threshold)), (new, usize::from(*next))];
            let payload = payload(Kind::Charter, &nation.header(), draft.as_object().unwrap()).unwrap();
            asks.push(Ask::new(payload, judge.state.clone(), needs, MOST));
        }
    }
    asks
}

impl Ask {
    fn new(payload: Vec<u8>, before: State, needs: Vec<(Vec<u8>, usize)>, keys: u8) -> Self {
        let nation = Nation::new("FR");
        let message = pre_authentication_encoding(PAYLOAD_TYPE, &payload);
        let signed = |number: u8| {
            let signature = Signer::sign(&nation.key(Role::Root, number), &message).unwrap();
            (nation.key_record(Role::Root, number).keyid, signature)
        };
        let keys = (0..keys).map(signed).collect();
        Self { payload, before, needs, keys }
    }

    fn signed_by_all_multisets(&self, most: u8) -> Tally {
        let mut tally = Tally::default();
        let keys = u8::try_from(self.keys.len()).unwrap();
        for signers in multisets(keys, most) {
            let distinct = distinct(&signers);
            let once = distinct.len() == signers.len();
            let known = distinct.iter().all(|key| self.needs.iter().any(|(roots, _)| roots.contains(key)));
            let enough = self
                .needs
                .iter()
                .all(|(roots, threshold)| distinct.iter().filter(|key| roots.contains(key)).count() >= *threshold);
            let as_themselves: Vec<(u8, u8)> = signers.iter().map(|key| (*key, *key)).collect();
            tally.expect(self.admits(&as_themselves) == (once && known && enough), || {
                format!("{:?} signed by {signers:?}", self.needs)
            });
            if !once {
                tally.expect(!self.admits(&as_others(&signers, keys)), || {
                    format!("{:?} signed by {signers:?}, who sign as others the second time", self.needs)
                });
            }
        }
        tally
    }

    /// Whether it is admitted with these signatures: each the key that signs, and the one it says it is.
    fn admits(&self, signatures: &[(u8, u8)]) -> bool {
        let signatures: Vec<Value> = signatures
            .iter()
            .map(|(key, name)| {
                let (_, signature) = self.keys[usize::from(*key)];
                let (keyid, _) = self.keys[usize::from(*name)];
                json!({ "keyid": keyid, "sig": base64::encode(&signature) })
            })
            .collect();
        let envelope = json!({
            "payloadType": PAYLOAD_TYPE,
            "payload": base64::encode(&self.payload),
            "signatures": signatures,
        });
        let policy = Policy::Mirror { origin: Nation::new("FR").origin };
        let submission = Submission::read(envelope.to_string().as_bytes());
        submission.and_then(|submission| decide(submission, &self.before, &policy)).is_ok()
    }
}

/// Every multiset of roots that a charter may name: one that names a key twice is none.
fn roots_named_twice() -> Tally {
    let mut tally = Tally::default();
    for named in multisets(MOST, MOST) {
        let distinct = distinct(&named);
        let once = distinct.len() == named.len();
        let all = u8::try_from(named.len()).unwrap();
        let ask = Ask::new(charter(&named, all), State::default(), Vec::new(), MOST);
        let signatures: Vec<(u8, u8)> = distinct.iter().map(|key| (*key, *key)).collect();
        tally.expect(ask.admits(&signatures) == once, || format!("the roots {named:?}, of whom each signed"));
    }
    tally
}

/// A first charter with these roots, whether or not it may have them.
fn charter(named: &[u8], threshold: u8) -> Vec<u8> {
    let mut nation = Nation::new("FR");
    let draft = nation.charter_draft();
    let payload = payload(Kind::Charter, &nation.header(), draft.as_object().unwrap()).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    let (before, after) = (&draft["roots"], roots(&nation, named));
    assert!(payload.contains(&before.to_string()));
    let payload = payload.replacen(&before.to_string(), &after.to_string(), 1);
    payload.replacen("\"threshold\":2", &format!("\"threshold\":{threshold}"), 1).into_bytes()
}

fn roots(nation: &Nation, named: &[u8]) -> Value {
    named.iter().map(|number| json!(nation.key_record(Role::Root, *number))).collect()
}

/// The same keys, where each that comes again says that it is one that has not signed, if there is one.
fn as_others(signers: &[u8], keys: u8) -> Vec<(u8, u8)> {
    let mut names: Vec<u8> = Vec::new();
    for key in signers {
        let free = (0..keys).find(|other| !signers.contains(other) && !names.contains(other));
        names.push(if names.contains(key) { free.unwrap_or(*key) } else { *key });
    }
    signers.iter().copied().zip(names).collect()
}

fn distinct(multiset: &[u8]) -> Vec<u8> {
    let mut distinct = multiset.to_vec();
    distinct.dedup();
    distinct
}

/// All multisets of 1 to `most` of `keys` keys, each in ascending order.
fn multisets(keys: u8, most: u8) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = (0..keys).map(|key| vec![key]).collect();
    let mut begin = 0;
    for _ in 1..most {
        let end = all.len();
        for index in begin..end {
            let last = all[index].last().copied().unwrap_or_default();
            let longer = (last..keys).map(|key| [&all[index][..], &[key]].concat()).collect::<Vec<_>>();
            all.extend(longer);
        }
        begin = end;
    }
    all
}
