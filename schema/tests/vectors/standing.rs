//! How records stand in a log that also revokes keys.

use std::collections::BTreeMap;

use chancery_schema::admission::Submission;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::record::{Kind, Record, Redaction};
use chancery_schema::roster::Standing;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::golden::{Case, Verdict, check, good, number_of, text_of};
use super::nation::{Judge, Nation};

/// A log in the making, and what is asked of it.
struct Log {
    nation: Nation,
    name: &'static str,
    envelopes: Vec<Envelope>,
    questions: Vec<Question>,
}

/// How an entry stands at a size, by a mirror that holds all bodies but those of the entries `erased`.
#[derive(Clone, PartialEq)]
struct Question {
    size: usize,
    index: usize,
    erased: Vec<usize>,
}

impl Log {
    /// It begins with a charter that appoints two registrars, and a publisher by the first of them.
    fn founded(name: &'static str) -> Self {
        let mut nation = Nation::new("FR");
        let mut draft = nation.charter_draft();
        draft["registrars"] = json!([0, 1].map(|number| nation.key_record(Role::Registrar, number)));
        let roots = [0, 1].map(|number| nation.key(Role::Root, number));
        let charter = nation.sign(Kind::Charter, draft, &[&roots[0], &roots[1]]);
        let mut log = Self { nation, name, envelopes: vec![charter], questions: Vec::new() };
        log.delegate(0, 0);
        log
    }

    fn sign(&mut self, kind: Kind, draft: Value, signers: &[SigningKey]) {
        let signers: Vec<&SigningKey> = signers.iter().collect();
        self.envelopes.push(self.nation.sign(kind, draft, &signers));
    }

    fn delegate(&mut self, publisher: u8, registrar: u8) {
        let mut draft = self.nation.delegation_draft(Role::Publisher, &[Kind::ModelCard], &["*"]);
        draft["key"] = json!(self.nation.key_record(Role::Publisher, publisher));
        self.sign(Kind::Delegation, draft, &[self.nation.key(Role::Registrar, registrar)]);
    }

    fn card(&mut self, model: &str, publishers: &[u8]) {
        let draft = self.nation.card_draft(model, "1.0");
        let publishers: Vec<SigningKey> =
            publishers.iter().map(|number| self.nation.key(Role::Publisher, *number)).collect();
        self.sign(Kind::ModelCard, draft, &publishers);
    }

    /// By a registrar, or by the roots.
    fn revoke(&mut self, (role, number): (Role, u8), mut draft: Value, registrar: Option<u8>) {
        draft["key"] = json!(self.nation.key_record(role, number).keyid);
        let signers = match registrar {
            Some(number) => vec![self.nation.key(Role::Registrar, number)],
            None => [1, 2].map(|number| self.nation.key(Role::Root, number)).into(),
        };
        self.sign(Kind::Revocation, draft, &signers);
    }

    fn digest(&self, index: usize) -> Digest {
        self.envelopes[index].record_digest()
    }

    /// Asks how the entries stand as long as the log has no more entries than now.
    fn ask(&mut self, entries: &[usize]) {
        self.ask_without(entries, &[]);
    }

    /// The same of a mirror that never saw the bodies of the entries `erased`, for they are redacted.
    fn ask_without(&mut self, entries: &[usize], erased: &[usize]) {
        let size = self.envelopes.len();
        self.questions.extend(entries.iter().map(|index| Question { size, index: *index, erased: erased.to_vec() }));
    }

    /// Of each entry, by one mirror that holds all bodies and one that lacks those `erased`.
    fn ask_both(&mut self, entries: &[usize], erased: &[usize]) {
        self.ask(entries);
        self.ask_without(entries, erased);
    }

    /// Lets a publisher end what it signs.
    fn delegate_ends(&mut self, publisher: u8) {
        let kinds = [Kind::ModelCard, Kind::Weights, Kind::Withdrawal, Kind::Redaction];
        let mut draft = self.nation.delegation_draft(Role::Publisher, &kinds, &["*"]);
        draft["key"] = json!(self.nation.key_record(Role::Publisher, publisher));
        self.sign(Kind::Delegation, draft, &[self.nation.key(Role::Registrar, 0)]);
    }

    fn withdraw(&mut self, (kind, model, index): (Kind, &str, usize), by: (Role, u8)) {
        let draft = json!({
            "kind": kind, "withdraws": self.digest(index), "scope": format!("lab:{model}"), "reason": "other",
        });
        self.sign(Kind::Withdrawal, draft, &[self.nation.key(by.0, by.1)]);
    }

    fn redact(&mut self, (kind, model, index): (Kind, &str, usize), by: (Role, u8)) {
        let mut draft = json!({
            "kind": kind, "redacts": self.digest(index), "scope": format!("lab:{model}"), "index": index,
            "signers": self.envelopes[index].key_ids().collect::<Vec<_>>(), "reason": "other",
        });
        if kind == Kind::ModelCard {
            draft["version"] = json!("1.0");
        }
        self.sign(Kind::Redaction, draft, &[self.nation.key(by.0, by.1)]);
    }

    /// The first case has the log, and the others name that case.
    fn cases(self) -> Vec<Case> {
        let texts = self.envelopes.iter().map(|envelope| String::from_utf8(envelope.to_bytes()).unwrap());
        let texts: Vec<String> = texts.collect();
        let name = |Question { size, index, erased }: &Question| {
            let without = if erased.is_empty() { String::new() } else { format!(" without {erased:?}") };
            format!("{}: entry {index} at size {size}{without}", self.name)
        };
        let first = name(&self.questions[0]);
        let case = |question: &Question| {
            let mut input = json!({ "size": question.size, "index": question.index });
            if !question.erased.is_empty() {
                input["erased"] = json!(question.erased);
            }
            if name(question) == first {
                input["log"] = json!(texts);
            } else {
                input["of"] = json!(first);
            }
            good(name(question), input)
        };
        self.questions.iter().map(case).collect()
    }
}

fn since(position: u64) -> Value {
    json!({ "reason": "compromised-since", "since": position })
}

/// Logs in which records end, and the keys that ended them do too.
fn end_cases() -> Vec<Case> {
    let (first, second) = ((Role::Registrar, 0), (Role::Registrar, 1));
    let publisher = (Role::Publisher, 1);
    let mut cases = Vec::new();
    // In each, publisher 1 may end what it signs (entry 2), and the card is entry 3.
    let founded = |name: &'static str| {
        let mut log = Log::founded(name);
        log.delegate_ends(1);
        log.card("model", &[1]);
        log
    };
    let card = (Kind::ModelCard, "model", 3);

    let mut log = founded("a card is withdrawn by a thief");
    log.ask(&[3]);
    log.withdraw(card, publisher);
    log.ask(&[3, 4]);
    log.revoke(publisher, since(4), Some(0));
    log.ask(&[3, 4]);
    log.withdraw(card, first);
    log.ask(&[3, 6]);
    cases.extend(log.cases());

    let mut log = founded("a card is withdrawn, nobody knows by whom");
    log.withdraw(card, publisher);
    log.revoke(publisher, json!({ "reason": "compromised-unknown" }), Some(0));
    log.ask(&[3, 4]);
    log.revoke(publisher, json!({ "reason": "compromised-unknown", "affirms": [log.digest(3)] }), None);
    log.ask(&[3, 4]);
    cases.extend(log.cases());

    let mut log = founded("a card is redacted by a thief");
    log.redact(card, publisher);
    log.ask_both(&[3, 4], &[3]);
    log.revoke(publisher, since(4), Some(0));
    log.ask_both(&[3, 4], &[3]);
    cases.extend(log.cases());

    let mut log = founded("a card is withdrawn and redacted");
    log.withdraw(card, publisher);
    log.ask(&[3]);
    log.redact(card, first);
    log.ask_both(&[3, 4, 5], &[3]);
    log.revoke(first, since(5), None);
    log.ask_both(&[3, 5], &[3]);
    cases.extend(log.cases());

    let mut log = founded("a void card is redacted");
    log.revoke(publisher, since(3), Some(1));
    log.redact(card, second);
    log.ask_both(&[3, 5], &[3]);
    log.revoke(second, since(4), None);
    log.ask_both(&[3, 5], &[3]);
    cases.extend(log.cases());

    let mut log = Log::founded("a card whose weights are redacted");
    log.delegate_ends(1);
    log.sign(Kind::Weights, super::records::weights(), &[log.nation.key(Role::Publisher, 1)]);
    let mut draft = log.nation.card_draft("model", "1.0");
    draft["weights"] = json!([log.digest(3)]);
    log.sign(Kind::ModelCard, draft.clone(), &[log.nation.key(Role::Publisher, 1)]);
    log.redact((Kind::Weights, "model", 3), first);
    log.ask_both(&[3, 4, 5], &[3]);
    // The card goes on, also in one more version of it and when it ends itself.
    draft["supersedes"] = json!(log.digest(4));
    draft["weights"] = json!([]);
    log.sign(Kind::ModelCard, draft, &[log.nation.key(Role::Publisher, 1)]);
    log.withdraw((Kind::ModelCard, "model", 6), publisher);
    log.ask_both(&[3, 4, 6], &[3]);
    log.redact((Kind::ModelCard, "model", 4), first);
    log.ask_both(&[3, 4, 6, 7], &[3, 4]);
    cases.extend(log.cases());
    cases
}

fn run(log: &Value, case: &Value) -> Verdict {
    let origin = Nation::new("FR").origin;
    let (size, index) = (number_of(case, "size"), number_of(case, "index"));
    let erased = case.get("erased").map_or(&[][..], |erased| erased.as_array().unwrap());
    let mut judge = Judge::default();
    let mut asked = None;
    let envelopes = log.as_array().unwrap().iter().zip(0..size);
    let envelopes: Vec<Envelope> =
        envelopes.map(|(text, _)| Envelope::parse(text.as_str().unwrap().as_bytes()).unwrap()).collect();
    for (position, envelope) in (0..size).zip(&envelopes) {
        if erased.contains(&json!(position)) {
            let redaction = redaction_of(position, &envelopes);
            judge.state.remember(&redaction);
            if position == index {
                asked = Some((redaction.kind, redaction.redacts, redaction.signers.into_iter().collect()));
            }
            continue;
        }
        let admitted = judge.admit(&origin, envelope).map_err(|refusal| refusal.to_string())?;
        if position == index {
            let submission = admitted.submission();
            asked = Some((submission.record.kind(), submission.digest, admitted.signers().clone()));
        }
    }
    let (kind, digest, signers) = asked.expect("the entry is there");
    let roster = judge.state.roster.as_ref().expect("a charter");
    let mut verdict = match roster.standing(kind, index, &digest, &signers) {
        Standing::Stands => json!({ "standing": "stands" }),
        Standing::Contested { key } => json!({ "standing": "contested", "key": key }),
        Standing::Void { key, from } => json!({ "standing": "void", "key": key, "from": from }),
    };
    if let Some(end) = judge.state.end(&digest) {
        verdict["end"] = json!({ "kind": end.kind, "index": end.index });
    }
    Ok(verdict)
}

/// The first redaction of the entry at `index`.
fn redaction_of(index: u64, envelopes: &[Envelope]) -> Redaction {
    let redaction = |envelope: &Envelope| match Submission::open(envelope.clone()).unwrap().record {
        Record::Redaction(redaction) if redaction.index == index => Some(*redaction),
        _ => None,
    };
    envelopes.iter().find_map(redaction).expect("what is erased was redacted")
}

#[test]
fn a_record_stands_as_far_as_its_keys_are_trusted() {
    let about = "How the record of entry `index` stands (schema/src/roster.rs) in a log of FR, once that has `size` \
                 entries: the envelopes of `log`, or of that of the case called `of`. `expect`: the standing, and the key whose revocation is to \
                 blame, with the position from which it is not trusted; and kind and entry of what ended the record. \
                 Who asks holds all bodies but those of the entries `erased`, which a redaction of the log stands for.";
    let publisher = (Role::Publisher, 0);
    let mut cases = Vec::new();

    let mut log = Log::founded("a key is compromised since an entry");
    log.card("early", &[0]);
    log.card("late", &[0]);
    log.ask(&[2, 3]);
    log.revoke(publisher, since(3), Some(1));
    log.ask(&[0, 1, 2, 3, 4]);
    log.revoke(publisher, since(2), Some(1));
    log.ask(&[2, 3]);
    cases.extend(log.cases());

    let mut log = Log::founded("a key is retired");
    log.card("early", &[0]);
    log.revoke(publisher, json!({ "reason": "retired" }), Some(0));
    log.ask(&[2]);
    cases.extend(log.cases());

    let mut log = Log::founded("a key is compromised, nobody knows since when");
    log.card("own", &[0]);
    log.card("stolen", &[0]);
    log.revoke(publisher, json!({ "reason": "compromised-unknown" }), Some(0));
    log.ask(&[2, 3]);
    log.revoke(publisher, json!({ "reason": "compromised-unknown", "affirms": [log.digest(2)] }), None);
    log.ask(&[2, 3]);
    log.revoke(publisher, since(2), None);
    log.ask(&[2, 3]);
    cases.extend(log.cases());

    let mut log = Log::founded("a thief of a registrar's key revokes");
    log.card("own", &[0]);
    log.revoke(publisher, since(2), Some(1));
    log.ask(&[2]);
    log.revoke((Role::Registrar, 1), since(3), None);
    log.ask(&[2, 3]);
    log.card("another", &[0]);
    log.ask(&[5]);
    cases.extend(log.cases());

    let mut log = Log::founded("a thief of a registrar's key delegates");
    log.delegate(1, 1);
    log.card("stolen", &[1]);
    log.card("of-both", &[0, 1]);
    log.ask(&[2, 3, 4]);
    log.revoke((Role::Registrar, 1), since(2), None);
    log.ask(&[2, 3, 4]);
    log.delegate(1, 0);
    log.card("own", &[1]);
    log.ask(&[3, 7]);
    cases.extend(log.cases());

    let mut log = Log::founded("a thief of a registrar's key delegates whom another let speak");
    log.delegate(0, 1);
    log.card("own", &[0]);
    log.revoke((Role::Registrar, 1), since(2), None);
    log.ask(&[2, 3]);
    log.card("another", &[0]);
    log.ask(&[5]);
    cases.extend(log.cases());

    let mut log = Log::founded("a registrar's key is compromised, nobody knows since when");
    log.card("own", &[0]);
    log.revoke((Role::Registrar, 0), json!({ "reason": "compromised-unknown" }), None);
    log.ask(&[1, 2]);
    log.revoke((Role::Registrar, 0), json!({ "reason": "compromised-unknown", "affirms": [log.digest(1)] }), None);
    log.ask(&[1, 2]);
    cases.extend(log.cases());

    cases.extend(end_cases());

    let logs: BTreeMap<String, Value> =
        cases.iter().filter_map(|case| Some((case.name().to_owned(), case.input().get("log")?.clone()))).collect();
    check("standing", about, &cases, |case| match case.get("of") {
        Some(_) => run(&logs[text_of(case, "of")], case),
        None => run(&case["log"], case),
    });
}
