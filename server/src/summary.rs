//! Summaries of records and models, for readers without scripts: what this node says, and how to check it.

use std::fmt::Write as _;

use actix_web::http::StatusCode;
use chancery_registry::{ModelSummary, NationSummary, RecordSummary, Verdict};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::limits::ENVELOPE_BYTES_MAX;

use crate::language::Language;
use crate::page::{Page, escape, name};
use crate::reply::Failure;
use crate::state::State;

/// No tick without a check.
const CAUTION: &str = "<p><strong>This page, without JavaScript, verifies nothing.</strong> It shows what this node \
    says. Fetch the bundle and check it with <code>chancery verify</code>, \
    which needs no network and trusts no node.</p>\n";

/// A statement with its lines indented, in bytes: deep lists would grow it thirtyfold.
const LAID_OUT_BYTES_MAX: usize = ENVELOPE_BYTES_MAX;

/// Versions of a model that are listed.
const VERSIONS_MAX: usize = 100;

/// The page of a record.
pub async fn record(state: &State, language: Language, digest: &str) -> Result<Page, Failure> {
    let Ok(digest) = digest.parse::<Digest>() else { return Ok(none("record")) };
    let Some(record) = state.registry.record(&digest).await? else { return Ok(none("record")) };
    let nations = state.registry.nations().await?;
    let signed = match state.registry.envelope(&record.origin, record.index).await? {
        Some(envelope) => Envelope::from_fixed(&envelope).ok().map(|envelope| laid_out(envelope.payload())),
        None => None,
    };
    Ok(of_record(&record, signed.as_deref(), &nations, language))
}

/// The page of a model by its names: one version, or the newest.
pub async fn model(
    state: &State,
    language: Language,
    [nation, org, name]: [&str; 3],
    version: Option<&str>,
) -> Result<Page, Failure> {
    let versions = state.registry.versions(&format!("urn:chancery:{nation}:{org}:{name}")).await?;
    let found = versions.iter().find(|model| version.is_none_or(|version| model.version == version));
    let Some(model) = found else { return Ok(none("model")) };
    let nations = state.registry.nations().await?;
    Ok(of_model(model, &versions, &nations, language))
}

fn none(what: &str) -> Page {
    let title = format!("No such {what}");
    let content = format!(
        "<h1>{title}</h1>\n<p>This node holds no {what} of this name. Another nation's node may. \
         <a href=\"/\">Who this node is</a></p>\n"
    );
    Page { status: StatusCode::NOT_FOUND, title, content }
}

fn of_record(record: &RecordSummary, signed: Option<&str>, nations: &[NationSummary], language: Language) -> Page {
    let title = format!("{} {}#{}", record.kind, record.origin, record.index);
    let mut content = format!("<h1>Record of kind <bdi>{}</bdi></h1>\n{CAUTION}<dl>\n", escape(&record.kind));
    place(&mut content, record, nations, language);
    content.push_str("</dl>\n");
    files(&mut content, record);
    if let Some(signed) = signed {
        let _ = write!(content, "<h2>What was signed</h2>\n<pre dir=\"ltr\">{}</pre>\n", escape(signed));
    }
    Page { status: StatusCode::OK, title, content }
}

/// A signed statement as people read it; as it was signed where that would take more than
/// [`LAID_OUT_BYTES_MAX`].
fn laid_out(payload: &[u8]) -> String {
    let mut text = vec![0; LAID_OUT_BYTES_MAX];
    let mut room = text.as_mut_slice();
    let statement = serde_json::from_slice::<serde_json::Value>(payload);
    match statement.and_then(|statement| serde_json::to_writer_pretty(&mut room, &statement)) {
        Ok(()) => {
            let left = room.len();
            text.truncate(LAID_OUT_BYTES_MAX - left);
        }
        Err(_) => text = payload.to_vec(),
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn of_model(model: &ModelSummary, versions: &[ModelSummary], nations: &[NationSummary], language: Language) -> Page {
    let called = called(&model.display_name, language);
    let title = format!("{} {}", called.map_or(model.name.as_str(), |(_, text)| text), model.version);
    let shown = called.map_or_else(|| bdi("en", &model.name), |(tag, text)| bdi(tag, text));
    let mut content = format!("<h1>{shown} {}</h1>\n{CAUTION}<dl>\n", escape(&model.version));
    row(&mut content, "Name", &code(&model.urn));
    row(&mut content, "Version", &code(&model.version));
    for (tag, text) in &model.display_name {
        row(&mut content, "Called", &format!("{} ({})", bdi(tag, text), escape(tag)));
    }
    row(&mut content, "Publisher", &code(&model.org));
    row(&mut content, "Languages", &escape(&model.languages.join(", ")));
    row(&mut content, "License", &license(model, language));
    for weights in &model.weights {
        row(&mut content, "Weights", &link_to_record(weights, language));
    }
    place(&mut content, &model.card, nations, language);
    content.push_str("</dl>\n");
    files(&mut content, &model.card);
    others(&mut content, model, versions, language);
    Page { status: StatusCode::OK, title, content }
}

/// Where a record stands and how it is judged.
fn place(content: &mut String, record: &RecordSummary, nations: &[NationSummary], language: Language) {
    let nation = nations.iter().find(|nation| nation.origin == record.origin).map(name);
    let called = nation.map(|name| format!(", which calls itself <bdi>{}</bdi>", escape(&name))).unwrap_or_default();
    row(content, "Nation", &format!("{}{called}", code(record.nation.as_str())));
    row(content, "Log", &format!("{}, position {}", code(record.origin.as_str()), record.index));
    row(content, "Verdict of this node", &verdict(&record.verdict, language));
    if let Some(digest) = &record.digest {
        row(content, "Record", &code(&digest.to_string()));
    }
    row(content, "Envelope", &code(&record.envelope.to_string()));
    if let Some(at) = &record.issued_at {
        row(content, "Signed, as its signer says", &escape(&at.to_string()));
    }
    for signer in &record.signers {
        row(content, "Signed with key", &code(&signer.to_string()));
    }
}

fn verdict(verdict: &Verdict, language: Language) -> String {
    match verdict {
        Verdict::Valid => "valid".to_owned(),
        Verdict::Superseded { by } => format!("superseded by {}", link_to_record(by, language)),
        Verdict::Void(refusal) => format!("void: {} ({})", escape(&refusal.reason), code(refusal.code.as_str())),
        Verdict::Unknown => "unknown: this node's version does not know its kind".to_owned(),
        Verdict::Missing => "missing: its body is not held here".to_owned(),
    }
}

fn license(model: &ModelSummary, language: Language) -> String {
    let called = escape(model.license.as_deref().unwrap_or("not said"));
    let record = model.license_record.as_ref().map(|digest| format!(", {}", link_to_record(digest, language)));
    format!("{called}{}", record.unwrap_or_default())
}

/// Where the record's files are.
fn files(content: &mut String, record: &RecordSummary) {
    let Some(digest) = &record.digest else { return };
    let _ = write!(
        content,
        "<ul>\n<li><a href=\"/bundle/{digest}\">Bundle: the record with all its proof</a></li>\n\
         <li><a href=\"/record/{digest}/envelope\">Envelope: what was signed, and the signatures</a></li>\n</ul>\n"
    );
}

fn others(content: &mut String, model: &ModelSummary, versions: &[ModelSummary], language: Language) {
    let others: Vec<_> = versions.iter().filter(|other| other.card != model.card).take(VERSIONS_MAX).collect();
    if others.is_empty() {
        return;
    }
    content.push_str("<h2>Other versions</h2>\n<ul>\n");
    for other in others {
        let card = other.card.digest.as_ref().map(|digest| link_to_record(digest, language)).unwrap_or_default();
        let (version, log) = (code(&other.version), code(other.card.origin.as_str()));
        let _ = writeln!(content, "<li>{version} in the log {log}, card {card}</li>");
    }
    content.push_str("</ul>\n");
}

/// What something is called in the language of the page; else in English; else first.
fn called(names: &[(String, String)], language: Language) -> Option<(&str, &str)> {
    let find = |wanted: &str| names.iter().find(|(tag, _)| tag.split('-').next() == Some(wanted));
    let found = find(language.tag()).or_else(|| find("en")).or_else(|| names.first());
    found.map(|(tag, text)| (tag.as_str(), text.as_str()))
}

fn link_to_record(digest: &Digest, language: Language) -> String {
    format!("<a href=\"/{}/record/{digest}\">{}</a>", language.tag(), code(&digest.to_string()))
}

fn row(content: &mut String, term: &str, markup: &str) {
    let _ = writeln!(content, "<dt>{term}</dt><dd>{markup}</dd>");
}

fn bdi(language: &str, text: &str) -> String {
    format!("<bdi lang=\"{}\" dir=\"auto\">{}</bdi>", escape(language), escape(text))
}

fn code(text: &str) -> String {
    format!("<bdi dir=\"ltr\"><code>{}</code></bdi>", escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_laid_out_unless_that_makes_it_large() {
        assert_eq!(laid_out(br#"{"a":[1]}"#), "{\n  \"a\": [\n    1\n  ]\n}");
        let deep = format!("{}{}{}", "[".repeat(28), vec!["0"; 200_000].join(","), "]".repeat(28));
        assert_eq!(laid_out(deep.as_bytes()), deep);
        assert!(deep.len() < LAID_OUT_BYTES_MAX);
    }
}
