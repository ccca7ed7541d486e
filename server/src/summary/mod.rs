//! Summaries of records and models, for readers without scripts: what this node says, and how to check it,
//! in the language of the page. Whatever is not of [`words`] is apart from the line around it.

mod words;

use std::fmt::Write as _;

use actix_web::http::StatusCode;
use chancery_registry::{Ending, ModelSummary, NationSummary, RecordSummary, Verdict};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::limits::ENVELOPE_BYTES_MAX;
use chancery_schema::record::Kind;

use self::words::Words;
use crate::language::{Language, nearest};
use crate::page::{Page, escape, foreign, name};
use crate::reply::Failure;
use crate::state::State;

/// A statement with its lines indented, in bytes: deep lists would grow it thirtyfold.
const LAID_OUT_BYTES_MAX: usize = ENVELOPE_BYTES_MAX;

/// Versions of a model that are listed.
const VERSIONS_MAX: usize = 100;

/// Between things on one line: it means the same in every language.
const BETWEEN: &str = " · ";

/// The page of a record.
pub async fn record(state: &State, language: Language, digest: &str) -> Result<Page, Failure> {
    let not_held = || none(Words::of(language).record_not_held, language);
    let Ok(digest) = digest.parse::<Digest>() else { return Ok(not_held()) };
    let Some(record) = state.registry.record(&digest).await? else { return Ok(not_held()) };
    let nations = state.registry.nations().await?;
    let signed = match state.registry.envelope(&record.origin, record.index).await? {
        Some(envelope) => Envelope::from_fixed(&envelope).ok().map(|envelope| laid_out(envelope.payload())),
        None => None,
    };
    let ends = state.registry.ends(&record.origin, &digest).await?;
    Ok(of_record(&record, signed.as_deref(), &ends, &nations, language))
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
    let Some(model) = found else { return Ok(none(Words::of(language).model_not_held, language)) };
    let nations = state.registry.nations().await?;
    let ends = match &model.card.digest {
        Some(digest) => state.registry.ends(&model.card.origin, digest).await?,
        None => Vec::new(),
    };
    Ok(of_model(model, &versions, &ends, &nations, language))
}

fn none(title: &str, language: Language) -> Page {
    let Words { elsewhere, first_page, .. } = Words::of(language);
    let tag = language.tag();
    let content = format!("<h1>{title}</h1>\n<p>{elsewhere} <a href=\"/{tag}\">{first_page}</a></p>\n");
    Page { status: StatusCode::NOT_FOUND, language, title: title.to_owned(), content }
}

fn of_record(
    record: &RecordSummary,
    signed: Option<&str>,
    ends: &[Ending],
    nations: &[NationSummary],
    language: Language,
) -> Page {
    let words = Words::of(language);
    let kind = Kind::from_word(&record.kind).map(|kind| words.of_kind(kind));
    let title = format!("{} {}#{}", kind.unwrap_or(&record.kind), record.origin, record.index);
    let mut content = format!("<h1>{}</h1>\n{}<dl>\n", words.record, caution(words));
    row(&mut content, words.kind, &kind.map_or_else(|| code(&record.kind), str::to_owned));
    place(&mut content, record, nations, language);
    ended(&mut content, ends, language);
    content.push_str("</dl>\n");
    files(&mut content, record, words);
    if let Some(signed) = signed {
        let (heading, signed) = (words.signed, escape(signed));
        let _ = write!(content, "<h2>{heading}</h2>\n<pre lang=\"\" dir=\"ltr\">{signed}</pre>\n");
    }
    Page { status: StatusCode::OK, language, title, content }
}

/// No tick without a check.
fn caution(words: &Words) -> String {
    let Words { verifies_nothing, how_to_verify, .. } = words;
    format!("<p><strong>{verifies_nothing}</strong> {how_to_verify} {}</p>\n", code("chancery verify"))
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

fn of_model(
    model: &ModelSummary,
    versions: &[ModelSummary],
    ends: &[Ending],
    nations: &[NationSummary],
    language: Language,
) -> Page {
    let words = Words::of(language);
    let called = nearest(&model.display_name, Some(language.tag()));
    let title = format!("{} {}", called.map_or(model.name.as_str(), |(_, text)| text), model.version);
    let shown = called.map_or_else(|| code(&model.name), |(tag, text)| foreign(tag, "auto", text));
    let mut content = format!("<h1>{shown} {}</h1>\n{}<dl>\n", code(&model.version), caution(words));
    row(&mut content, words.name, &code(&model.urn));
    row(&mut content, words.version, &code(&model.version));
    for (tag, text) in &model.display_name {
        row(&mut content, words.called, &[foreign(tag, "auto", text), code(tag)].join(BETWEEN));
    }
    row(&mut content, words.publisher, &code(&model.org));
    if !model.languages.is_empty() {
        row(&mut content, words.languages, &code(&model.languages.join(", ")));
    }
    row(&mut content, words.license, &license(model, language));
    for weights in &model.weights {
        row(&mut content, words.weights, &link_to_record(weights, language));
    }
    place(&mut content, &model.card, nations, language);
    ended(&mut content, ends, language);
    content.push_str("</dl>\n");
    files(&mut content, &model.card, words);
    others(&mut content, model, versions, language);
    Page { status: StatusCode::OK, language, title, content }
}

/// Where a record stands and how it is judged.
fn place(content: &mut String, record: &RecordSummary, nations: &[NationSummary], language: Language) {
    let words = Words::of(language);
    row(content, words.nation, &code(record.nation.as_str()));
    if let Some(nation) = nations.iter().find(|nation| nation.origin == record.origin) {
        let (tag, name) = name(nation, language);
        row(content, words.calls_itself, &foreign(tag, "auto", name));
    }
    row(content, words.entry, &[record.index.to_string(), code(record.origin.as_str())].join(BETWEEN));
    row(content, words.node_says, &verdict(&record.verdict, language));
    if let Some(digest) = &record.digest {
        row(content, words.record_digest, &code(&digest.to_string()));
    }
    row(content, words.envelope_digest, &code(&record.envelope.to_string()));
    if let Some(at) = &record.issued_at {
        row(content, words.issued, &code(&at.to_string()));
    }
    for signer in &record.signers {
        row(content, words.signing_key, &code(&signer.to_string()));
    }
}

/// What ended a record, why, and what its nation says about it. A withdrawal that is void ends nothing.
fn ended(content: &mut String, ends: &[Ending], language: Language) {
    let words = Words::of(language);
    for end in ends {
        let is_void = matches!(end.record.verdict, Verdict::Void(_));
        let term = match end.kind {
            Kind::Redaction => words.redaction,
            _ if is_void => continue,
            _ => words.withdrawal,
        };
        let entry = end.record.digest.map_or_else(|| end.record.index.to_string(), |it| link_to_record(&it, language));
        let said = end.statement.iter().map(|(tag, text)| foreign(tag, "auto", text));
        row(content, term, &[entry, code(&end.reason)].into_iter().chain(said).collect::<Vec<_>>().join(BETWEEN));
    }
}

fn verdict(verdict: &Verdict, language: Language) -> String {
    let words = Words::of(language);
    match verdict {
        Verdict::Valid => words.valid.to_owned(),
        Verdict::Superseded { by } => [words.superseded, &link_to_record(by, language)].join(BETWEEN),
        Verdict::Withdrawn => words.withdrawn.to_owned(),
        Verdict::Redacted => words.redacted.to_owned(),
        Verdict::Contested(reason) => [words.contested, &foreign("en", "ltr", reason)].join(BETWEEN),
        Verdict::Void(refusal) => {
            let reason = foreign("en", "ltr", &refusal.reason);
            [words.void, &reason, &code(refusal.code.as_str())].join(BETWEEN)
        }
        Verdict::Unknown => words.unknown.to_owned(),
        Verdict::Missing => words.missing.to_owned(),
    }
}

fn license(model: &ModelSummary, language: Language) -> String {
    let called = model.license.as_ref().map(|license| foreign("", "auto", license));
    let called = called.unwrap_or_else(|| Words::of(language).not_stated.to_owned());
    let record = model.license_record.as_ref().map(|digest| link_to_record(digest, language));
    [called].into_iter().chain(record).collect::<Vec<_>>().join(BETWEEN)
}

/// Where the record's files are.
fn files(content: &mut String, record: &RecordSummary, words: &Words) {
    let Some(digest) = &record.digest else { return };
    let Words { bundle, envelope, .. } = words;
    let _ = write!(
        content,
        "<ul>\n<li><a href=\"/bundle/{digest}\">{bundle}</a></li>\n\
         <li><a href=\"/record/{digest}/envelope\">{envelope}</a></li>\n</ul>\n"
    );
}

fn others(content: &mut String, model: &ModelSummary, versions: &[ModelSummary], language: Language) {
    let others: Vec<_> = versions.iter().filter(|other| other.card != model.card).take(VERSIONS_MAX).collect();
    if others.is_empty() {
        return;
    }
    let _ = write!(content, "<h2>{}</h2>\n<ul>\n", Words::of(language).other_versions);
    for other in others {
        let card = other.card.digest.as_ref().map(|digest| link_to_record(digest, language));
        let named = [code(&other.version), code(other.card.origin.as_str())];
        let _ = writeln!(content, "<li>{}</li>", named.into_iter().chain(card).collect::<Vec<_>>().join(BETWEEN));
    }
    content.push_str("</ul>\n");
}

fn link_to_record(digest: &Digest, language: Language) -> String {
    format!("<a href=\"/{}/record/{digest}\">{}</a>", language.tag(), code(&digest.to_string()))
}

fn row(content: &mut String, term: &str, markup: &str) {
    let _ = writeln!(content, "<dt>{term}</dt><dd>{markup}</dd>");
}

/// Digests, codes and other words of machines: from left to right in any language.
fn code(text: &str) -> String {
    format!("<bdi dir=\"ltr\"><code>{}</code></bdi>", escape(text))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chancery_schema::admission::{Code, Refusal};

    use super::*;

    const DIGEST: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn digest() -> Digest {
        DIGEST.parse().unwrap()
    }

    fn record_of(kind: &str, verdict: Verdict) -> RecordSummary {
        RecordSummary {
            digest: Some(digest()),
            kind: kind.to_owned(),
            origin: "fr.example.org/chancery".parse().unwrap(),
            nation: "FR".parse().unwrap(),
            index: 7,
            envelope: digest(),
            verdict,
            issued_at: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            signers: vec![digest()],
        }
    }

    fn model_of(version: &str, license: Option<&str>) -> ModelSummary {
        ModelSummary {
            ended: false,
            urn: "urn:chancery:FR:lab:m".to_owned(),
            version: version.to_owned(),
            nation: "FR".parse().unwrap(),
            org: "lab".to_owned(),
            name: "m".to_owned(),
            display_name: [("en", "Model <M>"), ("ar", "نموذج")].map(|(tag, text)| (tag.into(), text.into())).into(),
            languages: vec!["fr".to_owned(), "sw".to_owned()],
            license: license.map(str::to_owned),
            license_record: Some(digest()),
            weights: vec![digest()],
            card: record_of("model-card", Verdict::Superseded { by: digest() }),
        }
    }

    fn nation() -> NationSummary {
        NationSummary {
            nation: "FR".parse().unwrap(),
            origin: "fr.example.org/chancery".parse().unwrap(),
            fingerprint: digest(),
            display_name: [("en", "Nation FR"), ("fr", "Pays FR")].map(|(tag, text)| (tag.into(), text.into())).into(),
            own: true,
            accredited: false,
            size: 8,
            log_vkey: String::new(),
            witness_vkey: String::new(),
            mirror_vkey: String::new(),
            charter: digest(),
            charter_version: 1,
        }
    }

    /// A redaction, a withdrawal, and one that is void.
    fn ends() -> Vec<Ending> {
        let refusal = Refusal { code: Code::KeyRevoked, reason: "revoked".to_owned() };
        let end = |kind: Kind, verdict, text: &str| Ending {
            kind,
            record: record_of(kind.as_str(), verdict),
            reason: "personal-data".to_owned(),
            statement: vec![("en".to_owned(), text.to_owned())],
        };
        vec![
            end(Kind::Withdrawal, Verdict::Void(refusal), "by a <thief>"),
            end(Kind::Withdrawal, Verdict::Valid, "not <safe>"),
            end(Kind::Redaction, Verdict::Valid, "by order"),
        ]
    }

    /// Every page that can be, with every kind and every verdict.
    fn pages(language: Language) -> Vec<Page> {
        let kinds = Kind::ALL.into_iter().map(Kind::as_str).chain(["x-<later>"]);
        let refusal = Refusal { code: Code::KeyUnknown, reason: "the key of \"نموذج\" is not known".to_owned() };
        let verdicts = [Verdict::Valid, Verdict::Superseded { by: digest() }, Verdict::Void(refusal)];
        let contested = Verdict::Contested("the key of \"نموذج\" was compromised".to_owned());
        let ended = [Verdict::Withdrawn, Verdict::Redacted];
        let verdicts = verdicts.into_iter().chain([contested, Verdict::Unknown, Verdict::Missing]).chain(ended);
        let records = kinds.map(|kind| record_of(kind, Verdict::Valid));
        let records = records.chain(verdicts.map(|verdict| record_of("charter", verdict)));
        let mut pages: Vec<Page> = records
            .map(|record| of_record(&record, Some("{\"a\": \"Record\"}"), &ends(), &[nation()], language))
            .collect();
        let versions = [model_of("1.0", None), model_of("2.0", Some("Apache-2.0"))];
        pages.extend(versions.iter().map(|model| of_model(model, &[], &[], &[nation()], language)));
        let mut other = versions[0].clone();
        other.card.index = 9;
        pages.push(of_model(&versions[1], &[other], &ends(), &[], language));
        pages.extend(
            [Words::of(language).record_not_held, Words::of(language).model_not_held].map(|it| none(it, language)),
        );
        pages
    }

    /// What stands in no element of its own for what is foreign, without marks and numbers.
    fn said(content: &str) -> Vec<String> {
        let mut own = content.to_owned();
        for (begin, end) in [("<bdi ", "</bdi>"), ("<pre ", "</pre>")] {
            while let Some((before, rest)) = own.split_once(begin) {
                own = format!("{before}{BETWEEN}{}", rest.split_once(end).unwrap().1);
            }
        }
        let text = own.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
        let parts = text.flat_map(|text| text.split(BETWEEN)).map(str::trim);
        parts.filter(|part| part.contains(|c: char| !c.is_ascii_digit())).map(str::to_owned).collect()
    }

    #[test]
    fn a_page_has_only_words_of_its_language_and_uses_them_all() {
        for language in Language::ALL {
            let words = serde_json::to_value(Words::of(language)).unwrap();
            let words: BTreeSet<&str> =
                words.as_object().unwrap().values().map(|word| word.as_str().unwrap()).collect();
            let said: Vec<String> = pages(language).iter().flat_map(|page| said(&page.content)).collect();
            assert_eq!(said.iter().map(String::as_str).collect::<BTreeSet<_>>(), words, "{language:?}");
        }
    }

    #[test]
    fn what_is_foreign_says_its_language_and_direction() {
        for language in Language::ALL {
            let pages = pages(language);
            assert!(pages.iter().all(|page| page.language == language));
            let text: String = pages.iter().map(|page| page.content.as_str()).collect();
            for part in [
                &format!("<dd><bdi dir=\"ltr\"><code>{DIGEST}</code></bdi></dd>"),
                &format!("<a href=\"/{}/record/{DIGEST}\"><bdi dir=\"ltr\"><code>{DIGEST}", language.tag()),
                "<bdi lang=\"en\" dir=\"ltr\">the key of &quot;نموذج&quot; is not known</bdi> · \
                 <bdi dir=\"ltr\"><code>key-unknown</code></bdi>",
                "<bdi dir=\"ltr\"><code>x-&lt;later&gt;</code></bdi>",
                "<dd>7 · <bdi dir=\"ltr\"><code>fr.example.org/chancery</code></bdi></dd>",
                "<bdi lang=\"en\" dir=\"auto\">Model &lt;M&gt;</bdi>",
                "<bdi lang=\"\" dir=\"auto\">Apache-2.0</bdi>",
                "<code>personal-data</code></bdi> · <bdi lang=\"en\" dir=\"auto\">not &lt;safe&gt;</bdi></dd>",
                "<pre lang=\"\" dir=\"ltr\">",
            ] {
                assert!(text.contains(part), "{part} is not in {text}");
            }
            assert!(!text.contains("thief"), "what is void ends nothing");
            let own = if language == Language::French { ("fr", "Pays FR") } else { ("en", "Nation FR") };
            assert!(text.contains(&foreign(own.0, "auto", own.1)), "{text}");
        }
    }

    #[test]
    fn a_statement_is_laid_out_unless_that_makes_it_large() {
        assert_eq!(laid_out(br#"{"a":[1]}"#), "{\n  \"a\": [\n    1\n  ]\n}");
        let deep = format!("{}{}{}", "[".repeat(28), vec!["0"; 200_000].join(","), "]".repeat(28));
        assert_eq!(laid_out(deep.as_bytes()), deep);
        assert!(deep.len() < LAID_OUT_BYTES_MAX);
    }
}
