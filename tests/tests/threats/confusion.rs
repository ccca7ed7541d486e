//! T02: a record of every kind, signed by a key of every role, with every list of kinds that a
//! delegation can give; and the same bytes shown as something else. Only the diagonal is admitted.
//!
//! A publisher may have 32 lists of kinds. With each of them every record is signed alone; in pairs sign those that
//! differ for some record: none, one kind, an end with what it ends, and all that the role may have.

use chancery_schema::admission::{Policy, State, Submission, decide};
use chancery_schema::base64;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::{Envelope, PAYLOAD_TYPE, pre_authentication_encoding};
use chancery_schema::key::{KeyRecord, PublicKey, Role, Signer};
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::cosignature;
use chancery_schema::log::note::{self, KeyType, Note, Signature, VerifierKey};
use chancery_schema::log::tree::{EMPTY_ROOT, leaf_hash};
use chancery_schema::name::Origin;
use chancery_schema::record::{Kind, payload};
use chancery_schema::statement::{Statement, Subject, VERSION};
use chancery_tests::nation::{Judge, Nation};
use ed25519_dalek::SigningKey;
use serde_json::{Map, Value, json};

use super::golden::{accreditation_draft, endpoint_draft, weights_draft};
use super::row::{Tally, spread};

/// The table of kinds in schema/README.md, written down a second time: who signs what.
const DIAGONAL: [(Kind, &[Role]); 13] = [
    (Kind::Charter, &[Role::Root]),
    (Kind::Delegation, &[Role::Registrar]),
    (Kind::Revocation, &[Role::Registrar, Role::Root]),
    (Kind::Endpoint, &[Role::Registrar, Role::Node]),
    (Kind::Accreditation, &[Role::Exchange]),
    (Kind::Evidence, &[Role::Registrar, Role::Node]),
    (Kind::ModelCard, &[Role::Publisher]),
    (Kind::Weights, &[Role::Publisher]),
    (Kind::License, &[Role::Publisher]),
    (Kind::Withdrawal, &[Role::Registrar, Role::Publisher]),
    (Kind::Redaction, &[Role::Registrar, Role::Publisher]),
    (Kind::ErasureReceipt, &[Role::Registrar, Role::Node]),
    (Kind::LogSuccession, &[Role::Root]),
];

const ROLES: [Role; 10] = [
    Role::Root,
    Role::Registrar,
    Role::Log,
    Role::Witness,
    Role::Mirror,
    Role::Publisher,
    Role::Exchange,
    Role::Evaluator,
    Role::Node,
    Role::Transport,
];

/// The roles whose keys a registrar appoints; the charter appoints the others.
const DELEGATED: [Role; 4] = [Role::Publisher, Role::Exchange, Role::Evaluator, Role::Node];

/// Payload types that are near ours, or that others use.
const OTHER_TYPES: [&str; 8] = [
    "",
    "application/json",
    "application/octet-stream",
    "application/vnd.in-toto",
    "application/vnd.in-toto+JSON",
    "application/vnd.in-toto+json ",
    "application/vnd.in-toto+json; charset=utf-8",
    "application/vnd.chancery+json",
];

/// A key, its role, and the kinds that it may sign.
struct Hand {
    name: String,
    key: SigningKey,
    signs: Vec<Kind>,
}

/// What is signed: a record of a kind, which may end one of another.
#[derive(Clone, Copy)]
struct Item {
    kind: Kind,
    ends: Option<Kind>,
}

/// The kinds that end others, and those that end.
const ENDS: [Kind; 2] = [Kind::Withdrawal, Kind::Redaction];
const ENDED: [Kind; 3] = [Kind::ModelCard, Kind::Weights, Kind::License];

/// A nation whose log knows every hand.
struct Court {
    nation: Nation,
    state: State,
    /// The same, as if it had one entry.
    second: State,
    /// Of each of [`ENDED`] a record that stands in the log.
    standing: Vec<(Kind, Digest)>,
    hands: Vec<Hand>,
}

pub fn run() -> (Tally, String) {
    for (kind, roles) in DIAGONAL {
        assert_eq!(kind.signers(), roles, "the signers of a {kind}");
    }
    let mut court = Court::convene();
    let mut tally = court.one_key();
    tally.add(court.two_keys());
    tally.add(court.founders());
    tally.add(court.delegations());
    tally.add(court.payload_types());
    tally.add(court.predicates());
    tally.add(contexts());
    let hands = court.hands.len();
    (
        tally,
        format!(
            "cases of {} kinds, {hands} keys of {} roles, to be admitted on the diagonal only",
            Kind::ALL.len(),
            ROLES.len()
        ),
    )
}

/// Every kind, and every end of what may end.
fn items() -> Vec<Item> {
    let ends = |kind: Kind| ENDED.map(|ended| Item { kind, ends: Some(ended) });
    let others = Kind::ALL.into_iter().filter(|kind| !ENDS.contains(kind));
    others.map(|kind| Item { kind, ends: None }).chain(ENDS.into_iter().flat_map(ends)).collect()
}

impl Hand {
    /// A delegation of an end is worth nothing without the kind of what ends; a registrar ends all.
    fn may(&self, Item { kind, ends }: Item) -> bool {
        let registrar = self.name.starts_with("registrar ");
        self.signs.contains(&kind) && ends.is_none_or(|ended| registrar || self.signs.contains(&ended))
    }

    /// Whether it signs together with others, too: see above.
    fn in_pairs(&self) -> bool {
        let ends = self.signs.iter().filter(|kind| ENDS.contains(kind)).count();
        match self.signs.len() {
            2 => ends == 1,
            3 | 4 => !self.name.starts_with("publisher "),
            _ => true,
        }
    }
}

fn is_root(hand: &Hand) -> bool {
    hand.name.starts_with("root ")
}

impl Court {
    fn convene() -> Self {
        let mut court = Self {
            nation: Nation::new("FR"),
            state: State::default(),
            second: State::default(),
            standing: Vec::new(),
            hands: Vec::new(),
        };
        let mut judge = Judge::default();
        let charter = court.nation.charter();
        judge.admit(&court.nation.origin, &charter).unwrap();
        court.charter_hands();
        for envelope in court.delegated_hands() {
            judge.admit(&court.nation.origin, &envelope).unwrap();
        }
        for kind in ENDED {
            let publisher = court.hands.iter().rev().find(|hand| hand.signs.contains(&kind)).unwrap().key.clone();
            let draft = match kind {
                Kind::ModelCard => court.nation.card_draft("standing", "1.0"),
                Kind::Weights => weights_draft("standing").0,
                _ => license_draft("standing"),
            };
            let envelope = court.nation.sign(kind, draft, &[&publisher]);
            court.standing.push((kind, envelope.record_digest()));
            judge.admit(&court.nation.origin, &envelope).unwrap();
        }
        court.hands.push(court.hand(Role::Transport, 0, Vec::new()));
        let stranger = Nation::new("KE");
        let foreign = |role: Role| (format!("foreign {}", role.as_str()), stranger.key(role, 0));
        court.hands.extend(ROLES.map(foreign).map(|(name, key)| Hand { name, key, signs: Vec::new() }));
        court.second = State { position: 1, ..judge.state.clone() };
        court.state = judge.state;
        court
    }

    fn charter_hands(&mut self) {
        let online = [Role::Registrar, Role::Log, Role::Witness, Role::Mirror].map(|role| (role, 0));
        let roots = [0, 1, 2].map(|number| (Role::Root, number));
        for (role, number) in roots.into_iter().chain(online) {
            // Roots sign together: a charter, and only once (see `founders`), revocations and the succession of a
            // log (see `two_keys`).
            let signs = if role == Role::Root { Vec::new() } else { signed_by(role) };
            self.hands.push(self.hand(role, number, signs));
        }
    }

    /// A key for every role that is delegated and every list of kinds, and one that is not delegated.
    fn delegated_hands(&mut self) -> Vec<Envelope> {
        let mut envelopes = Vec::new();
        for role in DELEGATED {
            for (number, kinds) in (0..).zip(subsets(&signed_by(role))) {
                let draft = self.delegation_draft(role, number, &kinds);
                envelopes.push(self.nation.sign(Kind::Delegation, draft, &[&self.nation.key(Role::Registrar, 0)]));
                self.hands.push(self.hand(role, number, kinds));
            }
            self.hands.push(self.hand(role, 99, Vec::new()));
        }
        envelopes
    }

    fn hand(&self, role: Role, number: u8, signs: Vec<Kind>) -> Hand {
        let kinds: Vec<&str> = signs.iter().map(|kind| kind.as_str()).collect();
        Hand { name: format!("{} {number} {kinds:?}", role.as_str()), key: self.nation.key(role, number), signs }
    }

    fn delegation_draft(&self, role: Role, number: u8, kinds: &[Kind]) -> Value {
        let models: &[&str] = if role == Role::Publisher { &["*"] } else { &[] };
        let mut draft = self.nation.delegation_draft(role, kinds, models);
        draft["key"] = json!(self.nation.key_record(role, number));
        draft
    }

    fn draft(&self, Item { kind, ends }: Item) -> Value {
        match kind {
            Kind::Charter => self.nation.charter_draft(),
            Kind::Delegation => self.delegation_draft(Role::Publisher, 100, &[Kind::ModelCard]),
            Kind::Revocation => json!({ "key": self.nation.key_record(Role::Publisher, 1).keyid, "reason": "lost" }),
            Kind::Endpoint => endpoint_draft(&self.nation),
            Kind::Accreditation => accreditation_draft(&Nation::new("BR")),
            Kind::Evidence => Nation::new("BR").evidence_draft(),
            Kind::ModelCard => self.nation.card_draft("model", "1.0"),
            Kind::Weights => weights_draft("model").0,
            Kind::License => license_draft("terms"),
            Kind::Withdrawal | Kind::Redaction => self.end_draft(kind, ends.unwrap_or(Kind::ModelCard)),
            Kind::ErasureReceipt => json!({
                "redactedLog": "ke.example.org/chancery",
                "index": 7,
                "record": Digest::of(b"what is gone"),
                "redaction": Digest::of(b"why"),
            }),
            Kind::LogSuccession => self.succession_draft(),
        }
    }

    /// The log of FR takes the place of an earlier one, of one entry.
    fn succession_draft(&self) -> Value {
        let (origin, key): (Origin, _) =
            ("fr.example.org/earlier".parse().unwrap(), Nation::new("FR").key(Role::Log, 9));
        let base = Checkpoint { origin: origin.clone(), size: 1, root: leaf_hash(b"an entry") };
        json!({
            "predecessor": note::verifier_key(origin.as_str(), KeyType::Ed25519, &key).unwrap().to_string(),
            "fingerprint": Digest::of(b"the first charter"),
            "charter": Digest::of(b"the last charter"),
            "base": checkpoint::sign(base, &key).unwrap().to_string(),
            "successor": self.state.roster.as_ref().unwrap().fingerprint,
            "reason": "planned",
        })
    }

    /// The end of the record of that kind which stands in the log.
    fn end_draft(&self, kind: Kind, ended: Kind) -> Value {
        let (_, digest) = self.standing.iter().find(|(standing, _)| *standing == ended).unwrap();
        let mut draft = json!({ "kind": ended, "scope": "lab:standing", "reason": "law" });
        if kind == Kind::Withdrawal {
            draft["withdraws"] = json!(digest);
            return draft;
        }
        let entered = &self.state.records[digest];
        draft["redacts"] = json!(digest);
        draft["index"] = json!(entered.index);
        draft["signers"] = json!(entered.signers);
        if ended == Kind::ModelCard {
            draft["version"] = json!("1.0");
        }
        draft
    }

    /// What every record of a kind has signed, to show it around.
    fn payload(&mut self, kind: Kind) -> Vec<u8> {
        self.payload_of(Item { kind, ends: None })
    }

    fn payload_of(&mut self, item: Item) -> Vec<u8> {
        let Value::Object(draft) = self.draft(item) else { panic!("a draft is an object") };
        payload(item.kind, &self.nation.header(), &draft).unwrap()
    }

    /// Who signs a kind rightfully.
    fn rightful(&self, kind: Kind) -> Vec<&SigningKey> {
        match kind {
            Kind::Charter | Kind::LogSuccession => self.hands[..2].iter().map(|hand| &hand.key).collect(),
            _ => self.hands.iter().find(|hand| hand.signs.contains(&kind)).map(|hand| vec![&hand.key]).unwrap(),
        }
    }

    /// In its own place: a charter founds the log, and a succession is the second entry.
    fn admits(&self, kind: Kind, envelope: &[u8]) -> bool {
        match kind {
            Kind::Charter => self.admits_into(&State::default(), envelope),
            Kind::LogSuccession => self.admits_into(&self.second, envelope),
            _ => self.admits_into(&self.state, envelope),
        }
    }

    fn admits_into(&self, state: &State, envelope: &[u8]) -> bool {
        let policy = Policy::Mirror { origin: self.nation.origin.clone() };
        Submission::read(envelope).and_then(|submission| decide(submission, state, &policy)).is_ok()
    }

    fn one_key(&mut self) -> Tally {
        let mut tally = Tally::default();
        for item in items() {
            let Item { kind, ends } = item;
            let payload = self.payload_of(item);
            for hand in &self.hands {
                let envelope = sign(&payload, &[&hand.key]);
                tally.expect(self.admits(kind, &envelope) == hand.may(item), || {
                    format!("a {kind} of {ends:?} signed by {}", hand.name)
                });
                // Into a log that has its charter no other first one is admitted, whoever signs.
                if kind == Kind::Charter {
                    tally.expect(!self.admits_into(&self.state, &envelope), || {
                        format!("another first charter: {}", hand.name)
                    });
                }
            }
        }
        tally
    }

    /// A second signature must be as good as the first: none is decoration.
    fn two_keys(&mut self) -> Tally {
        let mut tally = Tally::default();
        for item in items().into_iter().filter(|item| item.kind != Kind::Charter) {
            let Item { kind, ends } = item;
            let payload = self.payload_of(item);
            let hands: Vec<&Hand> = self.hands.iter().filter(|hand| hand.in_pairs()).collect();
            tally.add(spread(&hands, |_, first| {
                let mut tally = Tally::default();
                for second in hands.iter().filter(|second| second.name > first.name) {
                    let together = [Kind::Revocation, Kind::LogSuccession].contains(&kind);
                    let roots = together && is_root(first) && is_root(second);
                    let right = roots || first.may(item) && second.may(item);
                    let envelope = sign(&payload, &[&first.key, &second.key]);
                    let what = || format!("a {kind} of {ends:?} signed by {} and {}", first.name, second.name);
                    tally.expect(self.admits(kind, &envelope) == right, what);
                    // Later than in the second entry no log says what it succeeds.
                    if kind == Kind::LogSuccession && roots {
                        tally.expect(!self.admits_into(&self.state, &envelope), || format!("later, {}", what()));
                    }
                }
                tally
            }));
        }
        tally
    }

    /// The first charter, signed by every pair of keys: two of its roots found the log.
    fn founders(&mut self) -> Tally {
        let mut tally = Tally::default();
        let payload = self.payload(Kind::Charter);
        for first in &self.hands {
            let others = self.hands.iter().filter(|second| second.name > first.name);
            for second in others.filter(|second| is_root(first) || first.in_pairs() && second.in_pairs()) {
                let right = is_root(first) && is_root(second);
                let envelope = sign(&payload, &[&first.key, &second.key]);
                tally.expect(self.admits(Kind::Charter, &envelope) == right, || {
                    format!("a charter signed by {} and {}", first.name, second.name)
                });
            }
        }
        tally
    }

    /// A registrar can give a role only what the role may sign, and only roles that are delegated.
    fn delegations(&mut self) -> Tally {
        let mut tally = Tally::default();
        let registrar = self.nation.key(Role::Registrar, 0);
        for role in ROLES {
            for kind in Kind::ALL {
                let draft = self.delegation_draft(role, 101, &[kind]);
                let subject = Subject::new(draft["holder"].as_str().unwrap(), self.nation.key_record(role, 101).keyid);
                let payload = self.state(Kind::Delegation.as_str(), &draft, vec![subject]);
                let right = DELEGATED.contains(&role) && signed_by(role).contains(&kind);
                tally.expect(self.admits(Kind::Delegation, &sign(&payload, &[&registrar])) == right, || {
                    format!("a delegation of {kind} to a {} key", role.as_str())
                });
            }
        }
        tally
    }

    /// A statement that says whatever somebody wants, without asking whether it is well formed.
    fn state(&mut self, kind: &str, draft: &Value, subject: Vec<Subject>) -> Vec<u8> {
        let mut predicate = json!(self.nation.header());
        for (member, value) in draft.as_object().unwrap() {
            predicate[member] = value.clone();
        }
        Statement { subject, kind: kind.to_owned(), version: VERSION, predicate }.to_payload()
    }

    /// Signed as one type and shown as another, either way round, and signed without any.
    fn payload_types(&mut self) -> Tally {
        let mut tally = Tally::default();
        for kind in Kind::ALL {
            let payload = self.payload(kind);
            let signers = self.rightful(kind);
            let shown = |signed: &dyn Fn() -> Vec<u8>, shown_as: &str| dsse(&payload, shown_as, &signed(), &signers);
            let as_type = |name: &str| pre_authentication_encoding(name, &payload);
            tally.expect(self.admits(kind, &shown(&|| as_type(PAYLOAD_TYPE), PAYLOAD_TYPE)), || {
                format!("a genuine {kind}")
            });
            for other in OTHER_TYPES {
                for (signed, shown_as) in [(other, PAYLOAD_TYPE), (PAYLOAD_TYPE, other), (other, other)] {
                    let envelope = shown(&|| as_type(signed), shown_as);
                    tally.expect(!self.admits(kind, &envelope), || {
                        format!("a {kind} signed as {signed:?} and shown as {shown_as:?}")
                    });
                }
            }
            tally.expect(!self.admits(kind, &shown(&|| payload.clone(), PAYLOAD_TYPE)), || format!("a bare {kind}"));
        }
        tally
    }

    /// The predicate of one kind under the type of another, signed by whoever may sign the other.
    fn predicates(&mut self) -> Tally {
        let mut tally = Tally::default();
        for said in Kind::ALL {
            let draft = self.draft(Item { kind: said, ends: None });
            let subject = Statement::parse(&self.payload(said)).unwrap().subject;
            for shown in Kind::ALL {
                let payload = self.state(shown.as_str(), &draft, subject.clone());
                let admitted = self.admits(shown, &sign(&payload, &self.rightful(shown)));
                tally.expect(admitted == (said == shown), || format!("a {said} shown as a {shown}"));
                // A kind's own predicate about the bytes of another kind.
                let own = self.draft(Item { kind: shown, ends: None });
                let payload = self.state(shown.as_str(), &own, subject.clone());
                let same = Statement::parse(&self.payload(shown)).unwrap().subject == subject;
                let admitted = self.admits(shown, &sign(&payload, &self.rightful(shown)));
                tally.expect(admitted == same, || format!("a {shown} about the subjects of a {said}"));
            }
            for unknown in ["exchange-step", "evaluation", "advisory", "withdrawals", "charters", "model"] {
                let payload = self.state(unknown, &draft, subject.clone());
                let admitted = self.admits(said, &sign(&payload, &self.rightful(said)));
                tally.expect(!admitted, || format!("a {said} shown as the unknown kind {unknown}"));
            }
        }
        tally
    }
}

/// One key that signs a record, a checkpoint, a cosignature and a proof of possession: each signature
/// holds in its own place and in no other.
fn contexts() -> Tally {
    let nation = Nation::new("FR");
    let key = nation.key(Role::Publisher, 0);
    let public = PublicKey::from_bytes(&key.public_key()).unwrap();
    let (origin, payload) = (&nation.origin, b"{}".to_vec());
    let checkpoint = Checkpoint { origin: origin.clone(), size: 0, root: EMPTY_ROOT };
    let signed = checkpoint::sign(checkpoint.clone(), &key).unwrap();
    let verifier = |key_type| VerifierKey::new(origin.as_str(), key_type, public).unwrap();
    let record = KeyRecord::issue(&key, &nation.code, origin, Role::Publisher).unwrap();
    let signatures = [
        key.sign(&pre_authentication_encoding(PAYLOAD_TYPE, &payload)).unwrap().to_vec(),
        note::sign(&checkpoint.to_text(), origin.as_str(), &key).unwrap().bytes().to_vec(),
        cosignature::sign(&signed, origin.as_str(), 7, &key).unwrap().signature().to_vec(),
        base64::decode(&record.proof_of_possession).unwrap(),
    ];
    let holds = |place: usize, signature: &[u8]| match place {
        0 => Envelope::parse(&envelope_json(&payload, PAYLOAD_TYPE, &[(&key, signature.to_vec())]))
            .unwrap()
            .verified_by(&public),
        1 => {
            let line = Signature::new(&verifier(KeyType::Ed25519), signature.to_vec());
            let note = Note::new(&checkpoint.to_text(), vec![line]).unwrap().to_string();
            checkpoint::open(note.as_bytes(), &verifier(KeyType::Ed25519)).is_ok()
        }
        2 => {
            let cosigner = verifier(KeyType::Cosignature);
            let line = Signature::new(&cosigner, [&7_u64.to_be_bytes()[..], signature].concat());
            cosignature::verify(&checkpoint, &line, &cosigner).is_ok()
        }
        _ => {
            let record = KeyRecord { proof_of_possession: base64::encode(signature), ..record.clone() };
            record.open(&nation.code, origin, Role::Publisher).is_ok()
        }
    };
    let mut tally = Tally::default();
    for (made, signature) in signatures.iter().enumerate() {
        for place in 0..signatures.len() {
            let right = holds(place, signature) == (made == place);
            tally.expect(right, || format!("a signature made for place {made}, shown in place {place}"));
        }
    }
    for role in ROLES.into_iter().filter(|role| *role != Role::Publisher) {
        tally.expect(record.open(&nation.code, origin, role).is_err(), || format!("possession for {}", role.as_str()));
    }
    tally
}

fn signed_by(role: Role) -> Vec<Kind> {
    DIAGONAL.into_iter().filter(|(_, roles)| roles.contains(&role)).map(|(kind, _)| kind).collect()
}

fn subsets(kinds: &[Kind]) -> Vec<Vec<Kind>> {
    let chosen =
        |bits: usize| kinds.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, kind)| *kind).collect();
    (0..1 << kinds.len()).map(chosen).collect()
}

fn license_draft(name: &str) -> Value {
    let mut nation = Nation::new("FR");
    let statement = Statement::parse(nation.license(name).payload()).unwrap();
    let Value::Object(predicate) = statement.predicate else { panic!("a predicate is an object") };
    let header = ["nonce", "nation", "log", "issuedAt"];
    let body: Map<String, Value> =
        predicate.into_iter().filter(|(member, _)| !header.contains(&member.as_str())).collect();
    Value::Object(body)
}

fn sign(payload: &[u8], signers: &[&SigningKey]) -> Vec<u8> {
    let signers: Vec<&dyn Signer> = signers.iter().map(|key| *key as &dyn Signer).collect();
    Envelope::sign(payload.to_vec(), &signers).unwrap().to_bytes()
}

/// An envelope of any payload type, whose signers signed `message`.
fn dsse(payload: &[u8], shown_as: &str, message: &[u8], signers: &[&SigningKey]) -> Vec<u8> {
    let signatures: Vec<_> = signers.iter().map(|key| (*key, Signer::sign(*key, message).unwrap().to_vec())).collect();
    envelope_json(payload, shown_as, &signatures)
}

fn envelope_json(payload: &[u8], payload_type: &str, signatures: &[(&SigningKey, Vec<u8>)]) -> Vec<u8> {
    let key_id = |key: &SigningKey| PublicKey::from_bytes(&key.public_key()).unwrap().key_id();
    let signatures = signatures.iter().map(|(key, sig)| json!({ "keyid": key_id(key), "sig": base64::encode(sig) }));
    let signatures: Vec<Value> = signatures.collect();
    let envelope = json!({ "payloadType": payload_type, "payload": base64::encode(payload), "signatures": signatures });
    envelope.to_string().into_bytes()
}
