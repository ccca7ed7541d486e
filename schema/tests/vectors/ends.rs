//! Withdrawals, redactions, receipts of erasure and successions of logs: their statements, and when they count.

use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::{Role, Signer as _};
use chancery_schema::limits::{JSON_INTEGER_MAX, SIGNATURES_MAX};
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::note::{self, KeyType};
use chancery_schema::log::tree::{EMPTY_ROOT, leaf_hash};
use chancery_schema::name::Origin;
use chancery_schema::record::Kind;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::golden::{Case, bad, good};
use super::nation::{Nation, day};
use super::records::{History, Table, digest, own, weights};

/// The withdrawal that says most.
pub fn withdrawal() -> Value {
    json!({
        "kind": "model-card",
        "withdraws": digest("card"),
        "scope": "lab:model",
        "reason": "safety",
        "statement": { "en": "It gives dangerous advice.", "ar": "يقدّم نصائح خطرة." },
    })
}

/// The redaction that says most.
pub fn redaction() -> Value {
    json!({
        "kind": "model-card",
        "redacts": digest("card"),
        "scope": "lab:model",
        "index": 7,
        "version": "1.0",
        "signers": sorted([digest("one key"), digest("another key")]),
        "reason": "personal-data",
        "statement": { "en": "A court has asked for it." },
    })
}

pub fn receipt() -> Value {
    json!({
        "redactedLog": "ke.example.org/chancery",
        "index": 7,
        "record": digest("card"),
        "redaction": digest("redaction"),
    })
}

/// What the log `fr.example.org/chancery` takes the place of: another one, whose key signed so many entries.
pub fn succession(size: u64) -> Value {
    let origin: Origin = "fr.example.org/earlier".parse().unwrap();
    let key = Nation::new("FR").key(Role::Log, 9);
    let root = if size == 0 { EMPTY_ROOT } else { leaf_hash(b"an entry") };
    let base = checkpoint::sign(Checkpoint { origin: origin.clone(), size, root }, &key).unwrap();
    json!({
        "predecessor": note::verifier_key(origin.as_str(), KeyType::Ed25519, &key).unwrap().to_string(),
        "fingerprint": digest("the earlier log's first charter"),
        "charter": digest("the earlier log's last charter"),
        "base": base.to_string(),
        "successor": digest("the new log's first charter"),
        "reason": "key-lost",
        "statement": { "fr": "La clé du journal est perdue." },
    })
}

fn sorted<const N: usize>(mut digests: [String; N]) -> Vec<String> {
    digests.sort();
    digests.into()
}

/// What both kinds of end have in common.
fn ending_cases(table: &mut Table, what: &str) {
    for member in ["kind", what, "scope", "reason"] {
        table.needs("", member);
    }
    for kind in Kind::ALL.into_iter().filter(|kind| !kind.may_end()) {
        let words = format!("is {kind}, and such records are neither withdrawn nor redacted");
        table.refused(&format!("of a {kind}"), "/kind", kind.as_str(), &words);
    }
    table.refused("of a kind that nobody knows yet", "/kind", "evaluation", "unknown variant");
    table.refused("of no digest", &format!("/{what}"), "card", "not a SHA-256 digest");
    for (name, scope) in [
        ("of nothing", ""),
        ("of a whole organisation", "lab"),
        ("of a model without name", "lab:"),
        ("of a model of nobody", ":model"),
        ("of a version", "lab:model:1.0"),
        ("of a model in upper case", "lab:Model"),
        ("of everything", "*"),
    ] {
        table.refused(name, "/scope", scope, "is not <org>:<name>");
    }
    table.dated("for a reason that nobody knows yet", "/reason", "fashion", "/reason", "`fashion` is not a word that");
    table.refused("for a reason that is no word", "/reason", "No reason", "is not a word of");
    table.taken("without a statement", "/statement", Value::Null);
    table.refused("with a statement in no language", "/statement", json!({}), "has no language");
    table.refused_at("with an empty statement", "/statement", json!({ "en": " " }), "/statement/en", "is empty");
    let lines = json!({ "en": "one\ntwo" });
    table.refused_at("with a statement of two lines", "/statement", lines, "/statement/en", "has control characters");
    let subject = json!({ "/subject/0/digest/sha256": digest("another record") });
    table.around("of another subject", &subject, "the subjects of the statement are not those of its predicate");
}

pub fn statement_cases() -> Vec<Case> {
    let mut table = Table::of("a withdrawal");
    ending_cases(&mut table, "withdraws");
    for reason in ["retired", "replaced", "error", "rights", "law", "other"] {
        anew(&mut table, reason);
    }
    let mut cases = table.cases;

    let mut table = Table::of("a redaction");
    ending_cases(&mut table, "redacts");
    table.needs("", "index");
    table.needs("", "signers");
    for reason in ["secret", "safety", "rights", "law", "other"] {
        anew(&mut table, reason);
    }
    let version = "is for a model card, which needs it";
    for kind in ["weights", "license"] {
        table.refused_at(&format!("of {kind} with a version"), "/kind", kind, "/version", version);
        let mut case = table.set("/kind", kind);
        case["remove"] = json!("/predicate/version");
        table.cases.push(good(format!("a redaction: of {kind}"), case));
    }
    table.refused("of a card without version", "/version", Value::Null, version);
    table.refused("of the newest version", "/version", "latest", "is `latest`, which always means the newest");
    table.taken("of a far entry", "/index", JSON_INTEGER_MAX);
    table.refused("of an entry before the log", "/index", -1, "invalid value");
    let signers = "are 1 to 16 ids of keys, in ascending order";
    let [one, other] = [digest("one key"), digest("another key")];
    table.refused("of a record that nobody signed", "/signers", json!([]), signers);
    let mut backwards = sorted([one.clone(), other]);
    backwards.reverse();
    table.refused("with the signers in another order", "/signers", json!(backwards), signers);
    table.refused_at("with a signer twice", "/signers", json!([one, one]), "/signers/1", "stands twice");
    let mut many: Vec<String> = (0..=SIGNATURES_MAX).map(|number| digest(&number.to_string())).collect();
    many.sort();
    table.refused("with 17 signers", "/signers", json!(many), signers);
    table.taken("with 16 signers", "/signers", json!(many[..SIGNATURES_MAX]));
    cases.extend(table.cases);

    let mut table = Table::of("a receipt of erasure");
    for member in ["redactedLog", "index", "record", "redaction"] {
        table.needs("", member);
    }
    table.refused("of no log", "/redactedLog", "KE", "\"KE\" is not an origin");
    table.refused("of an entry before the log", "/index", -1, "invalid value");
    table.refused("of its own redaction", "/redaction", digest("card"), "is the record that is gone");
    let subject = json!({ "/subject/1/name": "record" });
    table.around("of another subject", &subject, "the subjects of the statement are not those of its predicate");
    cases.extend(table.cases);

    let mut table = Table::of("a succession of a log");
    for member in ["predecessor", "fingerprint", "charter", "base", "successor", "reason"] {
        table.needs("", member);
    }
    for reason in ["planned", "key-compromised", "two-histories"] {
        anew(&mut table, reason);
    }
    table.dated("for a reason that nobody knows yet", "/reason", "boredom", "/reason", "`boredom` is not a word that");
    table.refused("of no log", "/predecessor", "fr.example.org/earlier", "");
    let stranger = Nation::new("KE").key(Role::Log, 0);
    let key = note::verifier_key("fr.example.org/earlier", KeyType::Ed25519, &stranger).unwrap().to_string();
    table.refused_at("from a checkpoint that another key signed", "/predecessor", key, "/base", "");
    table.refused("from no checkpoint", "/base", "one\ntwo\n", "");
    table.refused("from before its first entry", "/base", succession(0)["base"].clone(), "has no entries");
    let own = json!({ "/predicate/log": "fr.example.org/earlier" });
    let words = "is not well formed: /predecessor: has the name of the new log";
    table.cases.push(bad("a succession of a log: by itself", json!({ "of": table.of, "set": own }), words));
    let subject = json!({ "/subject/1/digest/sha256": digest("another note") });
    table.around("from another note", &subject, "the subjects of the statement are not those of its predicate");
    cases.extend(table.cases);
    cases
}

/// A reason that a new record may have.
fn anew(table: &mut Table, reason: &str) {
    let mut case = table.set("/reason", reason);
    case["new"] = json!(true);
    table.cases.push(good(format!("{}: {reason}", table.of), case));
}

/// Keys that sign ends, in a log that has weights of `lab:model` and a card that names them.
struct Court {
    publisher: SigningKey,
    registrar: SigningKey,
    weights: Envelope,
    card: Envelope,
}

pub const CHARTER: &str = "the charter";
const PUBLISHER: &str = "ends: a publisher who may end cards";
const WEIGHTS: &str = "ends: weights";
const CARD: &str = "ends: a card with these weights";
/// Everything up to the card, which is entry 3.
const FOUNDED: [&str; 4] = [CHARTER, PUBLISHER, WEIGHTS, CARD];

fn with<'a>(before: &[&'a str], then: &[&'a str]) -> Vec<&'a str> {
    [before, then].concat()
}

fn keyid(key: &SigningKey) -> Digest {
    chancery_schema::key::PublicKey::from_bytes(&key.public_key()).unwrap().key_id()
}

impl Court {
    fn withdraws(kind: Kind, of: &Envelope) -> Value {
        json!({ "kind": kind, "withdraws": of.record_digest(), "scope": "lab:model", "reason": "error" })
    }

    fn redacts(&self, kind: Kind, of: &Envelope, index: u64) -> Value {
        let mut draft = json!({
            "kind": kind, "redacts": of.record_digest(), "scope": "lab:model", "index": index,
            "signers": [keyid(&self.publisher)], "reason": "law",
        });
        if kind == Kind::ModelCard {
            draft["version"] = json!("1.0");
        }
        draft
    }
}

pub fn admission_cases(log: &mut History) {
    let (publisher, registrar) = (log.nation.key(Role::Publisher, 0), log.nation.key(Role::Registrar, 0));
    let kinds = [Kind::ModelCard, Kind::Weights, Kind::Withdrawal, Kind::Redaction];
    let delegation = log.nation.delegation(Role::Publisher, &kinds, &["lab:model"]);
    log.admit(PUBLISHER, &[CHARTER], delegation);
    let weights = log.nation.sign(Kind::Weights, weights(), &[&publisher]);
    log.admit(WEIGHTS, &FOUNDED[..2], weights.clone());
    let mut draft = log.nation.card_draft("model", "1.0");
    draft["weights"] = json!([weights.record_digest()]);
    let card = log.nation.sign(Kind::ModelCard, draft, &[&publisher]);
    log.admit(CARD, &FOUNDED[..3], card.clone());
    let court = Court { publisher, registrar, weights, card };
    withdrawal_cases(log, &court);
    redaction_cases(log, &court);
    ended_cases(log, &court);
    void_end_cases(log, &court);
    receipt_and_succession_cases(log, &court);
}

fn withdrawal_cases(log: &mut History, court: &Court) {
    let Court { publisher, registrar, weights, card } = court;
    let sign =
        |log: &mut History, draft: &Value, key: &SigningKey| log.nation.sign(Kind::Withdrawal, draft.clone(), &[key]);
    let draft = Court::withdraws(Kind::ModelCard, card);
    let by_publisher = sign(log, &draft, publisher);
    log.admit("ends: a card withdrawn by its publisher", &FOUNDED, by_publisher);
    let by_registrar = sign(log, &draft, registrar);
    log.admit("ends: a card withdrawn by the registrar", &FOUNDED, by_registrar);
    let both = log.nation.sign(Kind::Withdrawal, draft.clone(), &[publisher, registrar]);
    log.admit("ends: a card withdrawn by both", &FOUNDED, both);
    let of_weights = sign(log, &Court::withdraws(Kind::Weights, weights), registrar);
    log.admit("ends: weights withdrawn", &FOUNDED, of_weights);

    let again = sign(log, &draft, registrar);
    let ended = with(&FOUNDED, &["ends: a card withdrawn by its publisher"]);
    log.refuse("ends: a card withdrawn twice", &ended, &again, "reference-ended: ");
    log.refuse("ends: a withdrawal before its card", &FOUNDED[..3], &again, "reference-unknown: no model-card ");
    let weights_as_card = sign(log, &Court::withdraws(Kind::ModelCard, weights), registrar);
    let words = "reference-unknown: no model-card ";
    log.refuse("ends: weights withdrawn as a card", &FOUNDED, &weights_as_card, words);
    let mut elsewhere = draft.clone();
    elsewhere["scope"] = json!("lab:other");
    let elsewhere = sign(log, &elsewhere, registrar);
    log.refuse("ends: a card withdrawn as another model's", &FOUNDED, &elsewhere, "reference-foreign: ");

    // Another publisher, who lacks one thing each time.
    let other = log.nation.key(Role::Publisher, 1);
    let mine = sign(log, &draft, &other);
    let unknown = "key-unknown: ";
    log.refuse("ends: a card withdrawn by a stranger", &FOUNDED, &mine, unknown);
    for (name, kinds, models) in [
        ("who may end nothing", &[Kind::ModelCard][..], &["*"][..]),
        ("who may end no cards", &[Kind::Weights, Kind::Withdrawal], &["*"]),
        ("who may only redact", &[Kind::ModelCard, Kind::Redaction], &["*"]),
        ("of another model", &[Kind::ModelCard, Kind::Withdrawal], &["lab:other"]),
    ] {
        let delegation = another(log, kinds, models);
        let title = format!("ends: another publisher {name}");
        log.admit(&title, &FOUNDED, delegation);
        let before = with(&FOUNDED, &[&title]);
        log.refuse(&format!("ends: a card withdrawn by one {name}"), &before, &mine, "key-not-authorised: the ");
        let both = log.nation.sign(Kind::Withdrawal, draft.clone(), &[registrar, &other]);
        let name = format!("ends: a card withdrawn by the registrar and one {name}");
        log.refuse(&name, &before, &both, "key-not-authorised: the ");
    }
    let delegation = another(log, &[Kind::ModelCard, Kind::Withdrawal], &["lab"]);
    log.admit("ends: another publisher who may", &FOUNDED, delegation);
    log.admit("ends: a card withdrawn by another who may", &with(&FOUNDED, &["ends: another publisher who may"]), mine);
    for role in [Role::Root, Role::Log, Role::Witness] {
        let envelope = sign(log, &draft, &log.nation.key(role, 0));
        let words = format!("key-not-authorised: a {} key cannot sign a withdrawal", role.as_str());
        log.refuse(&format!("ends: a card withdrawn by a {}", role.as_str()), &FOUNDED, &envelope, &words);
    }
    let mut of_later = draft.clone();
    of_later["reason"] = json!("fashion");
    let of_later = sign(log, &of_later, registrar);
    log.admit("ends: a withdrawal for a reason that nobody knows yet", &FOUNDED, of_later.clone());
    let words = "malformed: the withdrawal is not well formed: /reason: ";
    let name = "own: a withdrawal for a reason that nobody knows yet";
    log.refuse_own(name, &FOUNDED, &of_later, own(day()), words);
}

fn another(log: &mut History, kinds: &[Kind], models: &[&str]) -> Envelope {
    let mut draft = log.nation.delegation_draft(Role::Publisher, kinds, models);
    draft["key"] = json!(log.nation.key_record(Role::Publisher, 1));
    log.nation.sign(Kind::Delegation, draft, &[&log.nation.key(Role::Registrar, 0)])
}

fn redaction_cases(log: &mut History, court: &Court) {
    let Court { publisher, registrar, weights, card } = court;
    let draft = court.redacts(Kind::ModelCard, card, 3);
    let envelope = log.nation.sign(Kind::Redaction, draft.clone(), &[publisher]);
    log.admit("ends: a card redacted by its publisher", &FOUNDED, envelope);
    let envelope = log.nation.sign(Kind::Redaction, draft.clone(), &[registrar]);
    log.admit("ends: a card redacted by the registrar", &FOUNDED, envelope.clone());
    let redacted = with(&FOUNDED, &["ends: a card redacted by its publisher"]);
    log.refuse("ends: a card redacted twice", &redacted, &envelope, "reference-ended: ");
    let withdrawn = with(&FOUNDED, &["ends: a card withdrawn by its publisher"]);
    log.admit("ends: a withdrawn card redacted", &withdrawn, envelope);
    let withdrawal = log.nation.sign(Kind::Withdrawal, Court::withdraws(Kind::ModelCard, card), &[registrar]);
    log.refuse("ends: a redacted card withdrawn", &redacted, &withdrawal, "reference-ended: ");
    let of_weights = court.redacts(Kind::Weights, weights, 2);
    let envelope = log.nation.sign(Kind::Redaction, of_weights, &[registrar]);
    log.admit("ends: weights redacted", &FOUNDED, envelope);

    let (one, other) = (keyid(publisher), keyid(registrar));
    let both = if one < other { json!([one, other]) } else { json!([other, one]) };
    for (name, member, value) in [
        ("at another place", "index", json!(2)),
        ("at a place still to come", "index", json!(9)),
        ("of another version", "version", json!("1.1")),
        ("of another signer", "signers", json!([other])),
        ("of a signer more", "signers", both),
        ("of another model", "scope", json!("lab:other")),
    ] {
        let mut draft = draft.clone();
        draft[member] = value;
        let envelope = log.nation.sign(Kind::Redaction, draft, &[registrar]);
        log.refuse(&format!("ends: a card redacted as one {name}"), &FOUNDED, &envelope, "reference-foreign: ");
    }
    let lacks = with(&FOUNDED, &["ends: another publisher who may"]);
    let envelope = log.nation.sign(Kind::Redaction, draft, &[&log.nation.key(Role::Publisher, 1)]);
    let words = "key-not-authorised: the publisher key of ";
    log.refuse("ends: a card redacted by one who may only withdraw", &lacks, &envelope, words);
}

/// What may not rest on a record that has ended.
fn ended_cases(log: &mut History, court: &Court) {
    let Court { publisher, weights, card, .. } = court;
    let card_of = |log: &mut History, version: &str, supersedes: Option<&Envelope>, named: &[&Envelope]| {
        let mut draft = log.nation.card_draft("model", version);
        draft["weights"] = json!(named.iter().map(|it| it.record_digest()).collect::<Vec<_>>());
        draft["supersedes"] = json!(supersedes.map(Envelope::record_digest));
        log.nation.sign(Kind::ModelCard, draft, &[publisher])
    };
    for (how, end, of_weights) in [
        ("withdrawn", "ends: a card withdrawn by its publisher", "ends: weights withdrawn"),
        ("redacted", "ends: a card redacted by its publisher", "ends: weights redacted"),
    ] {
        let ended = with(&FOUNDED, &[end]);
        let next = card_of(log, "1.0", Some(card), &[]);
        let name = format!("ends: a card that supersedes a {how} one");
        log.refuse(&name, &ended, &next, "version-ended: this version has ended by a ");
        let anew = card_of(log, "1.0", None, &[]);
        log.refuse(&format!("ends: a first card of a {how} version"), &ended, &anew, "version-ended: ");
        let later = card_of(log, "1.1", None, &[weights]);
        log.admit(&format!("ends: a card of the version after a {how} one"), &ended, later.clone());
        let without = with(&FOUNDED, &[of_weights]);
        let name = format!("ends: a card that names {how} weights");
        log.refuse(&name, &without, &later, "reference-ended: the weights ");
        let superseding = card_of(log, "1.0", Some(card), &[]);
        let name = format!("ends: a card that supersedes one whose weights were {how}");
        log.admit(&name, &without, superseding);
    }
    // The end of a card that was superseded before is not the end of its version.
    let second = card_of(log, "1.0", Some(card), &[]);
    log.admit("ends: a second card of the version", &FOUNDED, second.clone());
    let two = with(&FOUNDED, &["ends: a second card of the version"]);
    let first_ended = with(&two, &["ends: a card withdrawn by its publisher"]);
    let third = card_of(log, "1.0", Some(&second), &[]);
    log.admit("ends: a third card, after the first was withdrawn", &first_ended, third);
    let draft = Court::withdraws(Kind::ModelCard, &second);
    let envelope = log.nation.sign(Kind::Withdrawal, draft, &[publisher]);
    log.admit("ends: the second card withdrawn", &two, envelope);
    let ended = with(&two, &["ends: the second card withdrawn"]);
    let back = card_of(log, "1.0", Some(card), &[]);
    log.refuse("ends: a card that goes back to the first", &ended, &back, "version-ended: ");
}

/// What becomes of an end whose key was revoked, and of the end of what was void already.
fn void_end_cases(log: &mut History, court: &Court) {
    let Court { publisher, registrar, card, .. } = court;
    let revoke = |log: &mut History, since: u64| {
        let keyid = log.nation.key_record(Role::Publisher, 0).keyid;
        let draft = json!({ "key": keyid, "reason": "compromised-since", "since": since });
        log.nation.sign(Kind::Revocation, draft, &[registrar])
    };
    let withdrawal = log.nation.sign(Kind::Withdrawal, Court::withdraws(Kind::ModelCard, card), &[registrar]);
    let redaction = log.nation.sign(Kind::Redaction, court.redacts(Kind::ModelCard, card, 3), &[registrar]);
    // Entry 4 is the end, and the key is not trusted from there on: the card, entry 3, is.
    let at_the_end = revoke(log, 4);
    let withdrawn = with(&FOUNDED, &["ends: a card withdrawn by its publisher"]);
    log.admit("ends: the key that withdrew revoked", &withdrawn, at_the_end.clone());
    let undone = with(&withdrawn, &["ends: the key that withdrew revoked"]);
    log.admit("ends: a card withdrawn anew, since the first time is void", &undone, withdrawal.clone());
    let redacted = with(&FOUNDED, &["ends: a card redacted by its publisher"]);
    log.admit("ends: the key that redacted revoked", &redacted, at_the_end);
    let gone = with(&redacted, &["ends: the key that redacted revoked"]);
    log.refuse("ends: a card redacted anew, though the first time is void", &gone, &redaction, "reference-ended: ");
    log.refuse("ends: a card withdrawn, though its redaction is void", &gone, &withdrawal, "reference-ended: ");
    let delegation = another(log, &[Kind::ModelCard], &["lab"]);
    log.admit("ends: another publisher after the theft", &undone, delegation.clone());
    log.admit("ends: another publisher after the erasure", &gone, delegation);
    let mut draft = log.nation.card_draft("model", "1.0");
    draft["supersedes"] = json!(card.record_digest());
    let next = log.nation.sign(Kind::ModelCard, draft, &[&log.nation.key(Role::Publisher, 1)]);
    let undone = with(&undone, &["ends: another publisher after the theft"]);
    log.admit("ends: a card that supersedes one whose withdrawal is void", &undone, next.clone());
    let gone = with(&gone, &["ends: another publisher after the erasure"]);
    let words = "version-ended: this version has ended by a redaction";
    log.refuse("ends: a card that supersedes one whose redaction is void", &gone, &next, words);
    // From entry 3 on the card itself is void; its body may be erased all the same.
    let before = revoke(log, 3);
    log.admit("ends: the key that signed the card revoked", &FOUNDED, before);
    let void = with(&FOUNDED, &["ends: the key that signed the card revoked"]);
    log.admit("ends: a void card redacted", &void, redaction);
    log.admit("ends: a void card withdrawn", &void, withdrawal);
    let by_thief = log.nation.sign(Kind::Withdrawal, Court::withdraws(Kind::ModelCard, card), &[publisher]);
    log.refuse("ends: a card withdrawn by a revoked key", &void, &by_thief, "key-revoked: the key ");
}

fn receipt_and_succession_cases(log: &mut History, court: &Court) {
    let Court { publisher, registrar, .. } = court;
    let envelope = log.nation.sign(Kind::ErasureReceipt, receipt(), &[registrar]);
    log.admit("ends: a receipt of erasure by the registrar", &[CHARTER], envelope);
    let envelope = log.nation.sign(Kind::ErasureReceipt, receipt(), &[publisher]);
    let words = "key-not-authorised: the publisher key of ";
    log.refuse("ends: a receipt of erasure by a publisher", &FOUNDED, &envelope, words);
    let node = log.nation.key(Role::Node, 0);
    let delegation = log.nation.delegation(Role::Node, &[Kind::ErasureReceipt], &[]);
    log.admit("ends: a node that may say what it erased", &[CHARTER], delegation);
    let envelope = log.nation.sign(Kind::ErasureReceipt, receipt(), &[&node]);
    let before = [CHARTER, "ends: a node that may say what it erased"];
    log.admit("ends: a receipt of erasure by a node", &before, envelope.clone());
    let delegation = log.nation.delegation(Role::Node, &[Kind::Endpoint], &[]);
    log.admit("ends: a node that may not", &[CHARTER], delegation);
    let words = "key-not-authorised: the node key of ";
    log.refuse("ends: a receipt by a node that may not", &[CHARTER, "ends: a node that may not"], &envelope, words);

    let roots = [0, 1, 2].map(|number| log.nation.key(Role::Root, number));
    let mut for_this = succession(1);
    for_this["successor"] = json!(log.fingerprint());
    let by =
        |log: &mut History, signers: &[&SigningKey]| log.nation.sign(Kind::LogSuccession, for_this.clone(), signers);
    let two = by(log, &[&roots[0], &roots[1]]);
    log.admit("ends: a succession by two roots", &[CHARTER], two.clone());
    let three = by(log, &[&roots[0], &roots[1], &roots[2]]);
    log.admit("ends: a succession by all roots", &[CHARTER], three);
    let elsewhere = log.nation.sign(Kind::LogSuccession, succession(1), &[&roots[0], &roots[1]]);
    let words = "succession-misplaced: ";
    log.refuse("ends: a succession that was signed for another log", &[CHARTER], &elsewhere, words);
    let one = by(log, &[&roots[0]]);
    log.refuse("ends: a succession by one root", &[CHARTER], &one, "threshold-not-met: 1 of 2 roots signed");
    let mixed = by(log, &[&roots[0], registrar]);
    let words = "key-not-authorised: a registrar key cannot sign a log-succession";
    log.refuse("ends: a succession by a root and a registrar", &[CHARTER], &mixed, words);
    log.refuse("ends: a succession in the third entry", &FOUNDED[..2], &two, "succession-misplaced: ");
    log.refuse("ends: a succession before the charter", &[], &two, "charter-missing: ");
    let again = ["ends: a succession by two roots"];
    let other = by(log, &[&roots[1], &roots[2]]);
    log.refuse("ends: a second succession", &with(&[CHARTER], &again), &other, "succession-misplaced: ");
    log.refuse("ends: the same succession twice", &with(&[CHARTER], &again), &two, "already-entered: ");
    let few = with(&[CHARTER, PUBLISHER], &[]);
    log.refuse("ends: a late succession by one root", &few, &one, "threshold-not-met: 1 of 2 roots signed");
}
