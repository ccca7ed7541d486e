//! How records stand in a log that also revokes keys.

use std::collections::BTreeMap;

use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::record::Kind;
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
    questions: Vec<(usize, usize)>,
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
        self.questions.extend(entries.iter().map(|entry| (self.envelopes.len(), *entry)));
    }

    /// The first case has the log, and the others name that case.
    fn cases(self) -> Vec<Case> {
        let texts = self.envelopes.iter().map(|envelope| String::from_utf8(envelope.to_bytes()).unwrap());
        let texts: Vec<String> = texts.collect();
        let name = |(size, index): &(usize, usize)| format!("{}: entry {index} at size {size}", self.name);
        let first = name(&self.questions[0]);
        let case = |question: &(usize, usize)| {
            let mut input = json!({ "size": question.0, "index": question.1 });
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

fn run(log: &Value, case: &Value) -> Verdict {
    let origin = Nation::new("FR").origin;
    let (size, index) = (number_of(case, "size"), number_of(case, "index"));
    let mut judge = Judge::default();
    let mut asked = None;
    for (position, envelope) in (0..size).zip(log.as_array().unwrap()) {
        let envelope = Envelope::parse(envelope.as_str().unwrap().as_bytes()).unwrap();
        let admitted = judge.admit(&origin, &envelope).map_err(|refusal| refusal.to_string())?;
        if position == index {
            let submission = admitted.submission();
            asked = Some((submission.record.kind(), submission.digest, admitted.signers().clone()));
        }
    }
    let (kind, digest, signers) = asked.expect("the entry is there");
    let roster = judge.state.roster.as_ref().expect("a charter");
    Ok(match roster.standing(kind, index, &digest, &signers) {
        Standing::Stands => json!({ "standing": "stands" }),
        Standing::Contested { key } => json!({ "standing": "contested", "key": key }),
        Standing::Void { key, from } => json!({ "standing": "void", "key": key, "from": from }),
    })
}

#[test]
fn a_record_stands_as_far_as_its_keys_are_trusted() {
    let about = "How the record of entry `index` stands (schema/src/roster.rs) in a log of FR, once that has `size` \
                 entries: the envelopes of `log`, or of that of the case called `of`. `expect`: the standing, and the key whose revocation is to \
                 blame, with the position from which it is not trusted.";
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

    let logs: BTreeMap<String, Value> =
        cases.iter().filter_map(|case| Some((case.name().to_owned(), case.input().get("log")?.clone()))).collect();
    check("standing", about, &cases, |case| match case.get("of") {
        Some(_) => run(&logs[text_of(case, "of")], case),
        None => run(&case["log"], case),
    });
}
