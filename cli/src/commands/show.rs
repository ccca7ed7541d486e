//! `chancery show`: what is in a file, in words. Nothing is verified.

use std::path::{Path, PathBuf};

use chancery_schema::admission::Submission;
use chancery_schema::bundle::Bundle;
use chancery_schema::envelope::Envelope;
use chancery_schema::limits::BUNDLE_BYTES_MAX;
use chancery_schema::log::checkpoint::Checkpoint;
use chancery_schema::log::note::{Note, Signature};
use chancery_schema::log::proof::Proof;
use chancery_schema::record::{NoteKeys, Record};
use chancery_schema::statement::Statement;
use serde_json::{Map, Value, json};

use super::charter::proposal::Proposal;
use crate::Context;
use crate::draft::Draft;
use crate::files::read_bounded;
use crate::keystore::PublicHalf;
use crate::output::{Exit, Outcome, fail};
use crate::visible::{visible, visible_lines};

/// Shows what is in a file: an envelope, a bundle, a draft, a proposal, a public key, a checkpoint or a proof
///
/// Nothing is verified: `chancery verify` does that.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file
    file: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When the file is none of these.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let bytes = read_bounded(&args.file, BUNDLE_BYTES_MAX)?;
    let Some((human, value)) = look(&args.file, &bytes) else {
        let kinds = "an envelope, a bundle, a draft, a proposal, a public key, a checkpoint or a proof";
        return fail(Exit::Usage, format!("{} is not {kinds}", args.file.display()));
    };
    context.console.result(format!("{human}\n(nothing was verified)"), &value)
}

fn look(path: &Path, bytes: &[u8]) -> Option<(String, Value)> {
    if let Ok(envelope) = Envelope::parse(bytes) {
        return Some(show_envelope(&envelope));
    }
    if let Ok(bundle) = Bundle::read(bytes) {
        return Some(show_bundle(&bundle));
    }
    if let Ok(key) = serde_json::from_slice::<PublicHalf>(bytes) {
        let (role, nation, origin, keyid) = (key.role.as_str(), &key.nation, &key.origin, key.key.keyid);
        let human = format!("a public {role} key of {nation} for the log {origin}\nkey id {keyid}");
        return Some((human, json!({ "type": "public-key", "key": key })));
    }
    if let Ok(proof) = Proof::parse(bytes) {
        let human =
            format!("a proof of entry {} under the checkpoint\n{}", proof.index(), visible_lines(proof.note().text()));
        return Some((human, json!({ "type": "proof", "index": proof.index(), "note": proof.note().to_string() })));
    }
    if let Ok(note) = Note::parse(bytes) {
        return Some(show_note(&note));
    }
    if let Ok(proposal) = Proposal::from_bytes(bytes, path) {
        let value = json!({ "type": "proposal", "charter": proposal.digest() });
        return Some((format!("a proposal of a charter, not signed\n{}", proposal.describe()), value));
    }
    let draft = Draft::read(path).ok()?;
    let body = serde_json::to_string_pretty(&draft.body).ok()?;
    let human = format!("a draft of a {}, not signed\n{}", draft.kind, visible_lines(&body));
    Some((human, json!({ "type": "draft", "kind": draft.kind, "body": draft.body })))
}

fn show_envelope(envelope: &Envelope) -> (String, Value) {
    let digest = envelope.record_digest();
    let keys: Vec<String> = envelope.key_ids().map(|keyid| keyid.to_string()).collect();
    let statement = Statement::parse(envelope.payload()).ok();
    let kind = statement.as_ref().map_or("unreadable", |statement| statement.kind.as_str());
    let known = match Submission::open(envelope.clone()).map(|submission| submission.record) {
        Ok(Record::Evidence(evidence)) => evidence
            .verify()
            .map(|proven| format!("\nit says: {}", super::evidence::words(&evidence, &proven)))
            .unwrap_or_default(),
        Ok(record) => told(&record).map(|said| format!("\nit says: {said}")).unwrap_or_default(),
        Err(refusal) => format!("\nnot well formed: {}", visible(&refusal.to_string())),
    };
    let predicate = statement.as_ref().map(|statement| statement.predicate.clone()).unwrap_or_default();
    let body = serde_json::to_string_pretty(&predicate).unwrap_or_default();
    let human = format!(
        "a {} record\nrecord digest {digest}\nclaims to be signed by {}{known}\n{}",
        visible(kind),
        keys.join(" "),
        visible_lines(&body)
    );
    let value = json!({ "type": "envelope", "record": digest, "kind": kind, "signers": keys, "predicate": predicate });
    (human, value)
}

/// What a record says of another one, in a sentence.
fn told(record: &Record) -> Option<String> {
    match record {
        Record::Withdrawal(it) => {
            Some(format!("the {} {} of {} is withdrawn: {}", it.kind, it.withdraws, it.scope, it.reason))
        }
        Record::Redaction(it) => Some(format!(
            "the body of the {} {} of {}, which is entry {}, is to be erased: {}",
            it.kind, it.redacts, it.scope, it.index, it.reason
        )),
        Record::ErasureReceipt(it) => Some(format!(
            "the body of {}, which is entry {} of the log {}, was erased here, as the redaction {} asks",
            it.record, it.index, it.redacted_log, it.redaction
        )),
        _ => None,
    }
}

fn show_bundle(bundle: &Bundle) -> (String, Value) {
    let header = &bundle.header;
    let mut lines = vec![format!(
        "a bundle of {} for the record {}, with {} records and {} blobs",
        header.nation,
        header.record,
        bundle.records.len(),
        bundle.blobs.len()
    )];
    let mut records = Vec::new();
    for record in &bundle.records {
        let kind = Statement::parse(record.envelope.payload()).map_or_else(|_| "unreadable".to_owned(), |it| it.kind);
        let digest = record.envelope.record_digest();
        lines.push(format!("  {digest}  {}", visible(&kind)));
        let said = Submission::open(record.envelope.clone()).ok().and_then(|it| told(&it.record));
        lines.extend(said.map(|said| format!("    {said}")));
        records.push(json!({ "record": digest, "kind": kind }));
    }
    let mut keys = Map::new();
    for (role, key) in charter_keys(bundle) {
        lines.push(format!("{role:<13}{key}"));
        keys.insert(role.to_owned(), json!(key));
    }
    let blobs: Vec<String> = bundle.blobs.keys().map(ToString::to_string).collect();
    let value = json!({ "type": "bundle", "header": header, "records": records, "keys": keys, "blobs": blobs });
    (lines.join("\n"), value)
}

/// The keys that the last charter in a bundle names, as a policy file takes them.
fn charter_keys(bundle: &Bundle) -> Vec<(&'static str, String)> {
    let opened = bundle.records.iter().filter_map(|record| Submission::open(record.envelope.clone()).ok());
    let mut keys = opened.filter_map(|submission| match &submission.record {
        Record::Charter(charter) => charter.note_keys(&submission.header.nation, &submission.header.log).ok(),
        _ => None,
    });
    let named =
        |NoteKeys { log, witness, mirror }| [("log key", log), ("witness key", witness), ("mirror key", mirror)];
    keys.next_back().into_iter().flat_map(named).map(|(role, key)| (role, key.to_string())).collect()
}

fn show_note(note: &Note) -> (String, Value) {
    let names: Vec<&str> = note.signatures().iter().map(Signature::name).collect();
    let by = |what: &str, names: &[&str]| {
        let names = if names.is_empty() { "nobody".to_owned() } else { visible(&names.join(", ")) };
        format!("claims to be {what} by {names}")
    };
    let (what, claims) = match Checkpoint::parse(note.text()) {
        Ok(checkpoint) => {
            let (log, others): (Vec<&str>, Vec<&str>) =
                names.iter().partition(|name| **name == checkpoint.origin.as_str());
            ("a checkpoint", format!("{}\n{}", by("signed", &log), by("cosigned", &others)))
        }
        Err(_) => ("a signed note", by("signed", &names)),
    };
    let human = format!("{what}\n{}\n{claims}", visible_lines(note.text()));
    (human, json!({ "type": "note", "text": note.text(), "signatures": names }))
}
