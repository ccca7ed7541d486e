//! The lint of a model card: what is wrong with a draft, what a reader will miss, and what its author
//! did not mean to publish. A signed card is public for ever, so this comes before the signature.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::json::escaped;
use crate::record::{Header, Invalid, Kind, Nonce, Record, RecordError, is_bidi_control, json_schema, payload};
use crate::statement::Statement;
use crate::time::Timestamp;

/// How grave a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The draft cannot be signed.
    Error,
    /// A reader would be misled, or something is said that should not be.
    Warning,
    /// The card could say more.
    Advice,
}

/// Something that the lint found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// Where (RFC 6901).
    pub pointer: String,
    /// How grave.
    pub severity: Severity,
    /// One word for it, for machines.
    pub code: &'static str,
    /// What is wrong and how to mend it.
    pub message: String,
}

/// Looks at a draft of a model card, gravest findings first.
#[must_use]
pub fn lint(card: &Value) -> Vec<Finding> {
    let Value::Object(draft) = card else {
        return vec![finding("", Severity::Error, "shape", "is not a JSON object")];
    };
    let mut findings = Vec::new();
    check_shape(draft, &mut findings);
    check_members(draft, &mut findings);
    check_languages(card, &mut findings);
    check_license(draft, &mut findings);
    each_text("", card, &mut |pointer, text| check_text(pointer, text, &mut findings));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

fn finding(pointer: &str, severity: Severity, code: &'static str, message: impl Into<String>) -> Finding {
    Finding { pointer: pointer.to_owned(), severity, code, message: message.into() }
}

/// Writes the draft as a record of nobody, to see whether it can be one.
fn check_shape(draft: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let header = Header {
        nonce: Nonce::from_bytes([0; 16]),
        nation: "XX".parse().expect("a user-assigned code"),
        log: "lint".parse().expect("a word is an origin"),
        issued_at: Timestamp::default(),
        audience: None,
    };
    let read =
        payload(Kind::ModelCard, &header, draft).and_then(|payload| Record::read_new(&Statement::parse(&payload)?));
    match read {
        Ok(_) => {}
        Err(RecordError::Predicate { invalid: Invalid { pointer, problem }, .. }) => {
            findings.push(finding(&pointer, Severity::Error, "shape", problem));
        }
        Err(error) => findings.push(finding("", Severity::Error, "shape", error.to_string())),
    }
}

/// What a reader looks for in a card: the member, how much it is missed, and what to write.
const EXPECTED: [(&str, Severity, &str); 9] = [
    ("culturalAlignment", Severity::Warning, "say what the model is aligned with, by whom, and from which sources"),
    ("compute", Severity::Warning, "say where it was trained and with how many FLOP"),
    ("limitations", Severity::Warning, "say what it cannot do; an empty list states that none is known"),
    ("contacts", Severity::Warning, "say whom to ask, at least about security"),
    ("evaluations", Severity::Warning, "give results; an empty list states that there are none"),
    ("languages", Severity::Warning, "name the languages it speaks"),
    ("lineage", Severity::Advice, "name the models it was made from; an empty list states that there are none"),
    ("trainingData", Severity::Advice, "name the data it was trained on"),
    ("architecture", Severity::Advice, "give its family and its number of parameters"),
];

fn check_members(draft: &Map<String, Value>, findings: &mut Vec<Finding>) {
    for (member, severity, remedy) in EXPECTED {
        if draft.get(member).is_none_or(Value::is_null) {
            findings.push(finding(&format!("/{member}"), severity, "not-stated", format!("is not stated; {remedy}")));
        }
    }
    for (member, part) in [("compute", "trainingFlop"), ("compute", "facilities"), ("architecture", "totalParameters")]
    {
        if draft.get(member).is_some_and(|value| value.is_object() && value.get(part).is_none()) {
            findings.push(finding(&format!("/{member}/{part}"), Severity::Advice, "not-stated", "is not stated"));
        }
    }
    let schema = json_schema(Kind::ModelCard);
    let known: BTreeSet<&String> = schema["properties"].as_object().into_iter().flat_map(Map::keys).collect();
    for member in draft.keys().filter(|member| !known.contains(member)) {
        let message = "is not a member of model cards; it would be signed, and few would read it";
        findings.push(finding(&format!("/{}", escaped(member)), Severity::Warning, "unknown-member", message));
    }
}

fn check_languages(card: &Value, findings: &mut Vec<Finding>) {
    for (index, language) in card["languages"].as_array().into_iter().flatten().enumerate() {
        let tag = language["tag"].as_str().unwrap_or_default().to_ascii_lowercase();
        if matches!(tag.as_str(), "multilingual" | "mul" | "und" | "zxx" | "mis") {
            let pointer = format!("/languages/{index}/tag");
            findings.push(finding(&pointer, Severity::Warning, "language-unnamed", "names no language; list them"));
        }
    }
}

/// Ids that SPDX deprecates because they leave open whether later versions are meant.
const DEPRECATED: &str = "agpl-1.0 agpl-3.0 gpl-1.0 gpl-2.0 gpl-3.0 lgpl-2.0 lgpl-2.1 lgpl-3.0 gfdl-1.1 gfdl-1.2 \
    gfdl-1.3 gpl-1.0+ gpl-2.0+ gpl-3.0+ lgpl-2.0+ lgpl-2.1+ lgpl-3.0+";

/// Words for a family of licenses, or for none.
const UNNAMED: &str = "bsd cc gpl lgpl gfdl openrail unknown other";

/// Ids that model hubs list, in lower case; most are also SPDX ids.
const LISTED: &str = "afl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m \
    bigscience-bloom-rail-1.0 bigscience-openrail-m bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc0-1.0 \
    cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 \
    cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cdla-permissive-1.0 \
    cdla-permissive-2.0 cdla-sharing-1.0 creativeml-openrail-m deepfloyd-if-license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 \
    eupl-1.1 eupl-1.2 fair-noncommercial-research-license gemma agpl-3.0-only agpl-3.0-or-later gpl-2.0-only \
    gpl-2.0-or-later gpl-3.0-only gpl-3.0-or-later lgpl-2.1-only lgpl-2.1-or-later lgpl-3.0-only lgpl-3.0-or-later \
    grok2-community h-research intel-research isc lgpl-lr lgpllr llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 \
    lppl-1.3c mit mit-0 mpl-2.0 ms-pl ncsa odbl odbl-1.0 odc-by odc-by-1.0 ofl-1.1 openmdw-1.0 openmdw-1.1 openrail++ \
    osl-3.0 pddl pddl-1.0 postgresql unlicense wtfpl zlib";

fn check_license(draft: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let Some(declared) = draft.get("declaredLicense").and_then(Value::as_str) else {
        if draft.get("license").is_none_or(Value::is_null) {
            let message = "is not stated; name the record of the license terms";
            findings.push(finding("/license", Severity::Warning, "not-stated", message));
        }
        return;
    };
    let id = declared.trim().to_ascii_lowercase();
    let listed = |list: &str| list.split_ascii_whitespace().any(|word| word == id);
    let (severity, code, message) = if listed(DEPRECATED) {
        let message = "is an id that SPDX deprecates; write -only or -or-later, as the license notice says";
        (Severity::Warning, "license-deprecated", message)
    } else if listed(UNNAMED) {
        (Severity::Warning, "license-unnamed", "does not name one license")
    } else if listed(LISTED) || id.starts_with("licenseref-") {
        return;
    } else {
        (Severity::Advice, "license-unknown", "is not an id that we know; sign a license record with its text")
    };
    findings.push(finding("/declaredLicense", severity, code, format!("{declared:?} {message}")));
}

/// Visits every text of a value, the names of members included.
fn each_text(pointer: &str, value: &Value, visit: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => visit(pointer, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_text(&format!("{pointer}/{index}"), item, visit);
            }
        }
        Value::Object(members) => {
            for (member, value) in members {
                let pointer = format!("{pointer}/{}", escaped(member));
                visit(&pointer, member);
                each_text(&pointer, value, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_text(pointer: &str, text: &str, findings: &mut Vec<Finding>) {
    if text.parse::<Digest>().is_ok() {
        return;
    }
    let mut warn = |code, message: String| findings.push(finding(pointer, Severity::Warning, code, message));
    let controls: BTreeSet<char> = text.chars().filter(|c| is_bidi_control(*c)).collect();
    if !controls.is_empty() {
        let points: Vec<String> = controls.iter().map(|c| format!("U+{:04X}", u32::from(*c))).collect();
        warn("bidi-control", format!("has {}, which can make text read other than it is", points.join(", ")));
    }
    if let Some(what) = secret(text) {
        warn("secret", format!("has what looks like {what}; a signed card is public for ever"));
    }
    let addresses = text.split(|c: char| !is_address_char(c)).filter(|word| is_email(word)).count();
    if addresses > 0 && !pointer.starts_with("/contacts/") {
        warn(
            "email",
            format!("has {addresses} e-mail address(es); name offices under contacts, and people not at all"),
        );
    }
}

/// What secret a text seems to hold.
fn secret(text: &str) -> Option<&'static str> {
    let private_key = text.match_indices("-----BEGIN ").any(|(at, _)| {
        let line = text[at..].lines().next().unwrap_or_default();
        line.contains("PRIVATE KEY")
    });
    if private_key || text.contains("AGE-SECRET-KEY-1") {
        return Some("a private key");
    }
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let tokens = || text.split(move |c| !word(c));
    let follows = |prefix: &str, least: usize, allowed: fn(char) -> bool| {
        tokens().any(|token| {
            token.strip_prefix(prefix).is_some_and(|rest| rest.len() >= least && rest.chars().take(least).all(allowed))
        })
    };
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let long_key = tokens().any(|token| {
        token.strip_prefix("sk-").is_some_and(|rest| {
            rest.len() >= 20
                && rest.contains(|c: char| c.is_ascii_digit())
                && rest.contains(|c: char| c.is_ascii_uppercase())
        })
    });
    if follows("hf_", 30, alphanumeric) {
        Some("a Hugging Face token")
    } else if follows("AKIA", 16, upper) {
        Some("an AWS access key")
    } else if ["ghp_", "gho_", "ghs_", "ghu_", "github_pat_"].iter().any(|prefix| follows(prefix, 20, alphanumeric)) {
        Some("a GitHub token")
    } else if long_key {
        Some("an API key")
    } else {
        None
    }
}

fn is_address_char(c: char) -> bool {
    c.is_alphanumeric() || "@._%+-".contains(c)
}

fn is_email(word: &str) -> bool {
    let Some((local, domain)) = word.trim_end_matches('.').split_once('@') else { return false };
    let top = domain.rsplit_once('.').map_or("", |(_, top)| top);
    !local.is_empty()
        && local != "git"
        && !domain.contains('@')
        && top.chars().count() >= 2
        && top.chars().all(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn card() -> Value {
        json!({
            "org": "lab", "name": "model", "version": "1.0", "displayName": {"en": "Model"},
            "weights": ["0".repeat(64)], "license": "1".repeat(64),
            "culturalAlignment": {}, "compute": {"trainingFlop": "1e23", "facilities": []}, "limitations": [],
            "contacts": [{"uri": "mailto:security@lab.example"}], "evaluations": [], "languages": [{"tag": "fr"}],
            "lineage": [], "trainingData": [], "architecture": {"totalParameters": "7e9"},
        })
    }

    fn check(member: &str, value: Value, expected: &[(&str, &str)]) {
        let mut card = card();
        card[member] = value;
        let found = lint(&card);
        let found: Vec<(&str, &str)> = found.iter().map(|it| (it.pointer.as_str(), it.code)).collect();
        assert_eq!(found, expected, "{}", card[member]);
    }

    #[test]
    fn a_card_that_says_what_readers_look_for_has_no_findings() {
        assert_eq!(lint(&card()), []);
    }

    #[test]
    fn what_is_not_stated_is_missed() {
        for member in ["culturalAlignment", "compute", "limitations", "contacts", "evaluations", "license"] {
            let mut card = card();
            card.as_object_mut().unwrap().remove(member);
            let findings = lint(&card);
            assert_eq!(findings.len(), 1, "{member}: {findings:?}");
            assert_eq!((findings[0].severity, findings[0].code), (Severity::Warning, "not-stated"));
        }
    }

    #[test]
    fn shape_is_an_error_and_comes_first() {
        check("compute", json!({"trainingFlop": 1.5e25, "facilities": []}), &[("/compute/trainingFlop", "shape")]);
        check("displayName", json!({}), &[("/displayName", "shape")]);
        check("weights", json!([]), &[("/weights", "shape")]);
        let tag = "/languages/0/tag";
        check("languages", json!([{"tag": "multilingual"}]), &[(tag, "shape"), (tag, "language-unnamed")]);
        check("displayname", json!({"en": "x"}), &[("/displayname", "unknown-member")]);
        assert_eq!(lint(&json!([]))[0].severity, Severity::Error);
    }

    #[test]
    fn licenses_are_named_exactly() {
        for (declared, code) in [
            ("gpl-3.0", "license-deprecated"),
            ("bsd", "license-unnamed"),
            ("other", "license-unnamed"),
            ("mine", "license-unknown"),
        ] {
            check("declaredLicense", json!(declared), &[("/declaredLicense", code)]);
        }
        for declared in ["MIT", "Apache-2.0", "llama3.1", "GPL-3.0-only", "LicenseRef-x"] {
            check("declaredLicense", json!(declared), &[]);
        }
    }

    #[test]
    fn what_its_author_did_not_mean_to_publish_is_found() {
        let in_text = |text: &str, code: &str| check("text", json!({"en": text}), &[("/text/en", code)]);
        in_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn", "secret");
        in_text(&format!("token=\"hf_{}\"", "aB3".repeat(11)), "secret");
        in_text("id AKIAIOSFODNN7EXAMPLE.", "secret");
        in_text(&format!("sk-proj-{}", "aB3".repeat(11)), "secret");
        in_text(&format!("ghp_{}", "a".repeat(36)), "secret");
        in_text("Write to jane.doe@example.org.", "email");
        in_text("safe\u{202E}txt\u{2066}", "bidi-control");
        for text in [
            "hf_model and sk-learn-contrib-estimators-are-fine",
            "-----BEGIN PUBLIC KEY-----",
            "git@github.com:lab/model and @handle and model@1.0 and a @ b.org",
            "شكرا\u{200F} AKIA",
        ] {
            check("text", json!({"en": text}), &[]);
        }
    }
}
