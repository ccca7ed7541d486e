//! A mirror that joins after a redaction judges as one that was there: of random histories, one mirror reads all
//! bodies, and another lacks those that were redacted and remembers what their redactions say.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;

use chancery_schema::admission::{Code, Policy, State, Submission, decide, version};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::record::{Kind, Record, Redaction, WeightsFile, manifest_text, oms_root};
use chancery_schema::roster::Standing;
use ed25519_dalek::SigningKey;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use self::nation::{Nation, blob};

#[path = "../../tests/src/nation.rs"]
#[allow(dead_code, clippy::unused_self, reason = "the other tests use the rest, where these are public")]
mod nation;

/// What somebody does: four numbers, read by [`Log::enter`].
type Deed = (u8, u8, u8, u8);

/// A log in the making: every envelope is entered, whether it counts or not.
struct Log {
    nation: Nation,
    envelopes: Vec<Envelope>,
}

impl Log {
    fn found() -> Self {
        let mut nation = Nation::new("FR");
        let mut draft = nation.charter_draft();
        draft["registrars"] = json!([0, 1].map(|number| nation.key_record(Role::Registrar, number)));
        let charter = nation.sign_charter(draft, &[0, 1]);
        let mut log = Self { nation, envelopes: vec![charter] };
        log.delegate(0, 0, 0);
        log.delegate(1, 1, 0);
        log
    }

    fn sign(&mut self, kind: Kind, draft: Value, signers: &[(Role, u8)]) {
        let keys: Vec<SigningKey> = signers.iter().map(|(role, number)| self.nation.key(*role, *number)).collect();
        self.envelopes.push(self.nation.sign(kind, draft, &keys.iter().collect::<Vec<_>>()));
    }

    fn delegate(&mut self, publisher: u8, registrar: u8, terms: u8) {
        let kinds: &[Kind] = match terms % 4 {
            0 | 1 => &[Kind::ModelCard, Kind::Weights, Kind::License, Kind::Withdrawal, Kind::Redaction],
            2 => &[Kind::ModelCard, Kind::Weights, Kind::License],
            _ => &[Kind::Withdrawal, Kind::Redaction, Kind::ModelCard],
        };
        let models: &[&str] = if terms < 200 { &["*"] } else { &["lab:one"] };
        let mut draft = self.nation.delegation_draft(Role::Publisher, kinds, models);
        draft["key"] = json!(self.nation.key_record(Role::Publisher, publisher));
        self.sign(Kind::Delegation, draft, &[(Role::Registrar, registrar)]);
    }

    fn weights(&mut self, publisher: u8, model: &str) {
        let hash = *Digest::of(b"chunk").as_bytes();
        let file = WeightsFile {
            path: "weights".to_owned(),
            size_bytes: 5,
            sha256: Digest::of(b"file"),
            chunk_root: Digest::of(&[&[0][..], &hash].concat()),
            format: None,
        };
        let draft = json!({
            "org": "lab", "name": model, "version": "1", "totalBytes": 5,
            "chunkBytes": chancery_schema::limits::CHUNK_BYTES,
            "chunkHashes": blob(&hash, "application/octet-stream"),
            "manifest": Digest::of(manifest_text(std::slice::from_ref(&file)).as_bytes()),
            "omsRoot": oms_root(std::slice::from_ref(&file)),
            "files": [file],
        });
        self.sign(Kind::Weights, draft, &[(Role::Publisher, publisher)]);
    }

    /// The entries of a kind that may end, or of any.
    fn entries(&self, kind: Option<Kind>) -> Vec<(usize, Submission)> {
        let opened = self.envelopes.iter().map(|envelope| Submission::open(envelope.clone()).unwrap()).enumerate();
        let of = |it: &Kind| kind.map_or(it.may_end(), |kind| kind == *it);
        opened.filter(|(_, submission)| of(&submission.record.kind())).collect()
    }

    fn pick(&self, kind: Option<Kind>, number: u8) -> Option<(usize, Submission)> {
        let mut entries = self.entries(kind);
        if entries.is_empty() {
            return None;
        }
        Some(entries.swap_remove(usize::from(number) % entries.len()))
    }

    /// Does what four numbers say, of a log that stands as `state` says.
    fn enter(&mut self, (what, who, which, how): Deed, state: &State) {
        let publisher = who % 3;
        let model = if which % 2 == 0 { "one" } else { "two" };
        let ender = if who % 2 == 0 { (Role::Registrar, who / 2 % 2) } else { (Role::Publisher, publisher) };
        match what % 14 {
            0 => self.delegate(publisher, which % 2, how),
            1 | 2 => self.weights(publisher, model),
            3 => {
                let license = self.nation.license(model);
                self.envelopes.push(license);
            }
            4..=6 => self.card(publisher, model, how, state),
            7 | 8 => {
                let Some((_, target)) = self.pick(None, which) else { return };
                let draft = json!({
                    "kind": target.record.kind(), "withdraws": target.digest, "scope": target.record.scope(),
                    "reason": "other",
                });
                self.sign(Kind::Withdrawal, draft, &[ender]);
            }
            9..=11 => {
                let Some((index, target)) = self.pick(None, which) else { return };
                let mut draft = json!({
                    "kind": target.record.kind(), "redacts": target.digest, "scope": target.record.scope(),
                    "index": index, "signers": target.envelope.key_ids().collect::<Vec<_>>(), "reason": "other",
                });
                if let Record::ModelCard(card) = &target.record {
                    draft["version"] = json!(card.version);
                }
                if how == 0 {
                    draft["index"] = json!(index + 1);
                }
                self.sign(Kind::Redaction, draft, &[ender]);
            }
            12 => self.revoke(who, which, how),
            _ => {
                let Some((index, _)) = self.pick(None, which) else { return };
                let mut again = self.envelopes[index].clone();
                if how % 2 == 0 {
                    // The same record, with a signature more; sometimes it has that one already.
                    drop(again.add_signature(&self.nation.key(Role::Publisher, publisher)));
                }
                self.envelopes.push(again);
            }
        }
    }

    fn card(&mut self, publisher: u8, model: &str, how: u8, state: &State) {
        let number = if how.is_multiple_of(3) { "2" } else { "1" };
        let mut draft = self.nation.card_draft(model, number);
        if !how.is_multiple_of(4) {
            let weights = self.pick(Some(Kind::Weights), how / 4).map(|(_, it)| it.digest);
            draft["weights"] = json!(weights.into_iter().collect::<Vec<_>>());
        }
        if !how.is_multiple_of(5) {
            draft["license"] = json!(self.pick(Some(Kind::License), how / 5).map(|(_, it)| it.digest));
        }
        draft["supersedes"] = json!(state.current_card(&format!("lab:{model}@{number}")));
        self.sign(Kind::ModelCard, draft, &[(Role::Publisher, publisher)]);
    }

    fn revoke(&mut self, who: u8, which: u8, how: u8) {
        let whom = if who.is_multiple_of(3) { (Role::Registrar, which % 2) } else { (Role::Publisher, which % 3) };
        let since = usize::from(how) % self.envelopes.len();
        let mut draft = match how % 3 {
            0 => json!({ "reason": "compromised-unknown" }),
            _ => json!({ "reason": "compromised-since", "since": since }),
        };
        draft["key"] = json!(self.nation.key_record(whom.0, whom.1).keyid);
        match who % 2 {
            0 => self.sign(Kind::Revocation, draft, &[(Role::Root, 0), (Role::Root, 1)]),
            _ => self.sign(Kind::Revocation, draft, &[(Role::Registrar, which % 2)]),
        }
    }
}

/// A mirror, and what it said of each entry; nothing of a body that it does not hold.
#[derive(Default)]
struct Mirror {
    state: State,
    verdicts: Vec<Option<Result<(), Code>>>,
}

impl Mirror {
    fn read(&mut self, envelope: &Envelope, policy: &Policy) {
        let submission = Submission::open(envelope.clone()).unwrap();
        match decide(submission, &self.state, policy) {
            Ok(admitted) => {
                self.state.apply(&admitted);
                self.verdicts.push(Some(Ok(())));
            }
            Err(refusal) => {
                self.state.position += 1;
                self.verdicts.push(Some(Err(refusal.code)));
            }
        }
    }

    fn lack(&mut self, redaction: Option<&Redaction>) {
        match redaction {
            Some(redaction) => self.state.remember(redaction),
            None => self.state.position += 1,
        }
        self.verdicts.push(None);
    }

    fn standings(&self) -> BTreeMap<Digest, (Kind, u64, Standing, Option<u64>)> {
        let roster = self.state.roster.as_ref().unwrap();
        let standing = |(digest, it): (&Digest, &chancery_schema::admission::Entered)| {
            let standing = roster.standing(it.kind, it.index, digest, &it.signers);
            (*digest, (it.kind, it.index, standing, self.state.end(digest).map(|end| end.index)))
        };
        self.state.records.iter().map(standing).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn who_never_saw_what_was_redacted_has_the_same_verdict_on_all_else(
        deeds in vec(any::<Deed>(), 10..60),
        held in any::<u64>(),
    ) {
        let mut log = Log::found();
        let policy = Policy::Mirror { origin: log.nation.origin.clone() };
        let mut early = Mirror::default();
        for envelope in &log.envelopes {
            early.read(envelope, &policy);
        }
        for deed in deeds {
            let size = log.envelopes.len();
            log.enter(deed, &early.state);
            for envelope in &log.envelopes[size..] {
                early.read(envelope, &policy);
            }
        }
        let opened: Vec<Submission> =
            log.envelopes.iter().map(|envelope| Submission::open(envelope.clone()).unwrap()).collect();
        // What was redacted and is not held any more, by its digest.
        let redactions = opened.iter().zip(&early.verdicts).filter_map(|(it, verdict)| match &it.record {
            Record::Redaction(redaction) if *verdict == Some(Ok(())) => Some((redaction.redacts, &**redaction)),
            _ => None,
        });
        let gone: BTreeMap<Digest, &Redaction> =
            redactions.enumerate().filter(|(number, _)| held >> (number % 64) & 1 == 0).map(|(_, it)| it).collect();

        let mut late = Mirror::default();
        for (index, submission) in opened.iter().enumerate() {
            match gone.get(&submission.digest) {
                Some(redaction) => late.lack(Some(*redaction).filter(|it| it.index == index as u64)),
                None => late.read(&submission.envelope, &policy),
            }
        }
        for (index, (early, late)) in early.verdicts.iter().zip(&late.verdicts).enumerate() {
            prop_assert!(late.is_none() || early == late, "entry {index}: {early:?}, and later {late:?}");
        }
        prop_assert_eq!(early.standings(), late.standings());
        let versions = opened.iter().filter_map(|it| version(&it.record));
        for version in versions {
            prop_assert_eq!(early.state.current_card(&version), late.state.current_card(&version));
        }
        prop_assert_eq!(early.state.cards, late.state.cards);
    }
}
