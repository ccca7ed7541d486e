//! Records: names and other checked text, statements of each kind, and whether they are admitted.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use chancery_schema::admission::{Admitted, Code, Policy, Refusal, State, Submission, decide};
use chancery_schema::base64;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::{KeyRecord, Role, Signer};
use chancery_schema::limits::{
    CHUNK_BYTES, CLOCK_SKEW_SECONDS, ENVELOPE_BYTES_MAX, JSON_INTEGER_MAX, LINE_BYTES_MAX, LIST_ITEMS_MAX,
    ORIGIN_BYTES_MAX, PATH_BYTES_MAX,
};
use chancery_schema::log::entry::Entry;
use chancery_schema::name::{Language, ModelId, Name, Nation as NationCode, Origin};
use chancery_schema::record::{
    Date, Decimal, Format, Header, Kind, Record, RecordError, WeightsFile, check_assigned, check_line,
    check_media_type, check_uri, chunk_hash, chunk_root, is_spdx_expression, manifest_text, oms_root, path_problem,
    payload,
};
use chancery_schema::statement::Statement;
use chancery_schema::time::Timestamp;
use ed25519_dalek::SigningKey;
use serde_json::{Map, Value, json};

use super::ends;
use super::evidence::Fork;
use super::golden::{Case, Verdict, bad, check, good, list_of, number_of, reason, text_of};
use super::nation::{Judge, Nation, blob, day};

#[test]
fn checked_text_has_one_form() {
    let about = "Text that must have a certain form, by `form` (schema/src/name.rs, time.rs, digest.rs, record). \
                 `expect` is null, but of a time its POSIX seconds. `refused` is part of the reason.";
    let mut cases = Vec::new();
    let mut of = |form: &str, taken: &[&str], words: &str, refused: &[&str]| {
        let name = |text: &str| {
            let short: String = text.chars().take(60).collect();
            let more = if short == text { String::new() } else { format!("… ({} bytes)", text.len()) };
            format!("{form}: {short}{more}")
        };
        cases.extend(taken.iter().map(|text| good(name(text), json!({ "form": form, "text": text }))));
        cases.extend(refused.iter().map(|text| bad(name(text), json!({ "form": form, "text": text }), words)));
    };
    let letters = |count: usize| "a".repeat(count);
    let long_tag = format!("fr{}", "-a".repeat(32));
    let [deep, deeper] = [31, 32].map(|parts| format!("{}a", "a/".repeat(parts)));
    let digest = Digest::of(b"").to_string();
    of(
        "nation",
        &["FR", "EU", "UN", "XA", "XK", "QQ", "ZZ", "AA"],
        "is not a nation code",
        &["", "F", "FRA", "fr", "Fr", "F1", " FR", "FR\n", "ＦＲ", "ФР"],
    );
    of(
        "nation-in-use",
        &["FR", "KE", "ZW", "AD", "EU", "UN", "XA", "XZ"],
        "is not a code of ISO 3166-1, EU, UN, or XA to XZ",
        &["XK", "QQ", "ZZ", "AA", "UK", "SU", "YU"],
    );
    of(
        "name",
        &["a", "0", "7b", "llm-2.0_x", "a..b", "a-", &letters(64)],
        "is not a name: 1 to 64 of",
        &["", "-a", ".a", "_a", "A", "aB", "a b", "a/b", "a:b", "a@1", "a\n", "é", "а", &letters(65)],
    );
    let long = format!("a/{}", letters(ORIGIN_BYTES_MAX - 2));
    of(
        "origin",
        &["fr.example.org/chancery", "localhost", "a/b/c", "1.2.3.4", "a/-", "a/...", "a..", &long],
        "is not an origin: a URL without scheme",
        &[
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "https://a",
            "a:443",
            "a+b",
            "a b",
            "A.org",
            "-a",
            ".a",
            "é.org",
            "a\n",
            "a?b",
            "a#b",
            ".",
            "..",
            "a/.",
            "a/..",
            "a/../b",
            "a%20b",
            "a@b",
            &format!("{long}b"),
        ],
    );
    of(
        "language",
        &["fr", "quz", "pt-BR", "zh-Hant", "sr-Latn-RS", "de-1996", "es-419", "sl-rozaj-biske", "en-x-a"],
        "is not a language tag",
        &["", "f", "fr-", "-fr", "fr--BR", "fr_FR", "français", "abcdefghi", "fr-123456789", "f1", "fr ", &long_tag],
    );
    of(
        "language",
        &[],
        "is not a language tag",
        &["FR", "Fr", "pt-br", "pt-Br", "zh-hant", "zh-HANT", "sr-latn-RS", "sl-Rozaj"],
    );
    of(
        "model",
        &["urn:chancery:FR:lab:m", "urn:chancery:UN:a:7b-2.0"],
        "is not a",
        &[
            "",
            "urn:chancery:FR:lab",
            "urn:chancery:FR:lab:m:1",
            "urn:chancery:fr:lab:m",
            "urn:chancery:FR:lab:m@1",
            "urn:chancery:FR:lab:",
            "urn:chancery:FR::m",
            "URN:chancery:FR:lab:m",
            "chancery:FR:lab:m",
            "urn:chancery:X1:lab:m",
            "urn:chancery:FR:Lab:m",
            " urn:chancery:FR:lab:m",
        ],
    );
    of(
        "time",
        &["2026-11-24T12:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29T00:00:00Z"],
        "not a time: expected the form 2026-11-24T12:00:00Z",
        &[
            "",
            "2026-11-24",
            "2026-11-24T12:00:00",
            "2026-11-24T12:00Z",
            "2026-11-24T12:00:00.0Z",
            "2026-11-24T12:00:00,0Z",
            "2026-11-24T12:00:00+00:00",
            "2026-11-24T12:00:00-00:00",
            "2026-11-24T13:00:00+01:00",
            "2026-11-24t12:00:00z",
            "2026-11-24 12:00:00Z",
            "1969-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T12:60:00Z",
            "2016-12-31T23:59:60Z",
            "2026-11-24T12:00:00Z ",
            " 2026-11-24T12:00:00Z",
            "+2026-11-24T12:00:00Z",
            "２０２６-11-24T12:00:00Z",
            "1795521600",
        ],
    );
    of(
        "digest",
        &[&digest],
        "expected 64 lowercase hexadecimal digits",
        &[
            "",
            &digest[..62],
            &digest[..63],
            &format!("{digest}0"),
            &digest.to_uppercase(),
            &format!("0x{}", &digest[..62]),
            &digest.replace('e', "g"),
            &format!(" {}", &digest[..63]),
        ],
    );
    of(
        "decimal",
        &["0", "-0", "0.0", "-0.5", "7", "2.1e25", "7.3E+10", "1e-300", "10.50", "1e999", &"1".repeat(64)],
        "not a decimal number in a string",
        &[
            "",
            "-",
            "+1",
            "01",
            "-01",
            ".5",
            "1.",
            "1e",
            "1e+",
            "1e1000",
            "e5",
            "1.2.3",
            "1,5",
            "1_000",
            "0x10",
            "NaN",
            "Infinity",
            "1 ",
            "١",
            &"1".repeat(65),
        ],
    );
    of(
        "date",
        &["2026", "2026-11", "2026-11-24", "2024-02-29", "0000"],
        "not a year, month or day",
        &[
            "",
            "26",
            "2026-",
            "2026-1",
            "2026-13",
            "2026-00",
            "2026-02-29",
            "2026-11-31",
            "2026-11-24T00:00:00Z",
            "24-11-2026",
            "2026/11/24",
            "+202-01-01",
            "-202-01-01",
            "２０２６",
        ],
    );
    of("line", &["a", "журнал", " a ", "\u{3000}", &letters(LINE_BYTES_MAX)], "/line: is empty", &["", " ", "   "]);
    of("line", &[], "/line: has control characters", &["\n", "a\nb", "a\tb", "a\u{7f}", "a\u{85}b", "\0"]);
    of("line", &[], "/line: is longer than 1024 bytes", &[&letters(LINE_BYTES_MAX + 1)]);
    of(
        "uri",
        &["https://example.org/model", "http://a", "mailto:office@example.org", "tel:+33140000000", "urn:isbn:1"],
        "/uri: is not a URI",
        &["somewhere", "example.org/model", ":a", "https:", "1a:b", "a b:c", "https://a b", "https://a<b"],
    );
    of(
        "uri",
        &["ipfs://x", "https://é.example/"],
        "/uri: is not a URI",
        &["https://a\"b", "https://a|b", "https://a\\b"],
    );
    of(
        "uri",
        &[],
        "is not an address of anything",
        &["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "vbscript:x"],
    );
    of("uri", &[], "/uri: has control characters", &["https://a\n", "java\nscript:alert(1)"]);
    of("uri", &[], "/uri: is empty", &[""]);
    of(
        "media-type",
        &["text/markdown", "text/plain; charset=utf-8", "application/vnd.in-toto+json", "application/octet-stream"],
        "/mediaType: is not a media type",
        &["text", "text/", "/plain", "text/plain/x", "text plain", "té/x", "text/pl ain", "+a/b"],
    );
    of("media-type", &[], "/mediaType: has control characters", &["text/plain\n"]);
    of("media-type", &[], "/mediaType: is empty", &[""]);
    of(
        "spdx",
        &[
            "MIT",
            "GPL-2.0+",
            "Apache-2.0 OR MIT",
            "(MIT AND LicenseRef-a.1) OR BSD-3-Clause",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "DocumentRef-a:LicenseRef-b",
            "((MIT))",
        ],
        "is not an SPDX license expression",
        &[
            "",
            "MIT OR",
            "OR MIT",
            "MIT MIT",
            "(MIT",
            "MIT)",
            "()",
            "MIT or MIT",
            "a_b",
            "LicenseRef-",
            "(MIT) WITH x",
            ":LicenseRef-b",
            "DocumentRef-a:MIT",
            "MIT\nOR MIT",
            "openrail++",
            "MIT, Apache-2.0",
        ],
    );
    of(
        "path",
        &["a", "a/b.safetensors", ".hidden", "été", "a b", "a:b", "...", &letters(PATH_BYTES_MAX)],
        "is not relative to the folder, or has an empty part",
        &["", "/a", "a/", "a//b", ".", "./a", "..", "../a", "a/../b", "a/."],
    );
    of("path", &[], "has a backslash or a control character", &["a\\b", "a\nb", "a\0", "a\u{7f}", "\\..\\a"]);
    of("path", &["e\u{301}te", &deep], "has more than 32 parts", &[&deeper]);
    of("path", &[], "is longer than 1024 bytes", &[&letters(PATH_BYTES_MAX + 1)]);
    check("text", about, &cases, |case| read_text(text_of(case, "form"), text_of(case, "text")));
}

fn read_text(form: &str, text: &str) -> Verdict {
    fn of<T: FromStr<Err = E> + ToString, E: std::error::Error>(text: &str) -> Verdict {
        let read: T = text.parse().map_err(|error: E| reason(&error))?;
        assert_eq!(read.to_string(), text, "it has one form");
        Ok(Value::Null)
    }
    match form {
        "nation" => of::<NationCode, _>(text),
        "nation-in-use" => {
            let nation = text.parse().unwrap();
            check_assigned("", [&nation]).map(|()| Value::Null).map_err(|error| reason(&error))
        }
        "name" => of::<Name, _>(text),
        "origin" => of::<Origin, _>(text),
        "language" => of::<Language, _>(text),
        "model" => of::<ModelId, _>(text),
        "digest" => of::<Digest, _>(text),
        "decimal" => of::<Decimal, _>(text),
        "date" => of::<Date, _>(text),
        "time" => {
            of::<Timestamp, _>(text)?;
            Ok(json!(text.parse::<Timestamp>().unwrap().unix_seconds()))
        }
        "line" => check_line("/line", text).map(|()| Value::Null).map_err(|error| reason(&error)),
        "uri" => check_uri("/uri", text).map(|()| Value::Null).map_err(|error| reason(&error)),
        "media-type" => check_media_type("/mediaType", text).map(|()| Value::Null).map_err(|error| reason(&error)),
        "path" => path_problem(text).map_or(Ok(Value::Null), |problem| Err(problem.to_owned())),
        "spdx" if is_spdx_expression(text) => Ok(Value::Null),
        "spdx" => Err("is not an SPDX license expression".to_owned()),
        other => panic!("no form is called {other}"),
    }
}

pub fn digest(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}

/// A statement of each kind, with most of what it can say.
fn statements() -> BTreeMap<&'static str, Value> {
    let mut nation = Nation::new("FR");
    let drafts = [
        ("a charter", Kind::Charter, nation.charter_draft()),
        (
            "a delegation",
            Kind::Delegation,
            nation.delegation_draft(
                Role::Publisher,
                &[Kind::ModelCard, Kind::Weights, Kind::License],
                &["lab", "institute:model"],
            ),
        ),
        (
            "a revocation",
            Kind::Revocation,
            json!({ "key": digest("a key"), "reason": "compromised-since", "since": 7 }),
        ),
        ("an endpoint", Kind::Endpoint, endpoint(&nation)),
        ("an accreditation", Kind::Accreditation, accreditation()),
        ("evidence", Kind::Evidence, json!(Fork::after(3, [5, 12]).evidence(5, 12))),
        ("a model card", Kind::ModelCard, card()),
        ("weights", Kind::Weights, weights()),
        ("a license", Kind::License, license()),
        ("a withdrawal", Kind::Withdrawal, ends::withdrawal()),
        ("a redaction", Kind::Redaction, ends::redaction()),
        ("a receipt of erasure", Kind::ErasureReceipt, ends::receipt()),
        ("a succession of a log", Kind::LogSuccession, ends::succession(1)),
    ];
    let statement = |(name, kind, draft): (&'static str, Kind, Value)| {
        let payload = payload(kind, &nation.header(), draft.as_object().unwrap()).unwrap();
        (name, serde_json::from_slice(&payload).unwrap())
    };
    drafts.map(statement).into()
}

fn endpoint(nation: &Nation) -> Value {
    json!({
        "key": nation.key_record(Role::Transport, 0),
        "addresses": ["/dns4/node.fr.example.org/tcp/4001", "/ip6/2001:db8::1/tcp/4001"],
        "url": "https://fr.example.org",
    })
}

fn accreditation() -> Value {
    json!({
        "partner": "KE",
        "fingerprint": digest("charter of KE"),
        "partnerLog": "ke.example.org/chancery",
        "scopes": ["mirror", "cosign", "exchange"],
        "quota": { "entriesPerDay": 1000, "bytesPerDay": 1_000_000_000 },
        "validUntil": "2028-01-01T00:00:00Z",
    })
}

fn card() -> Value {
    json!({
        "org": "lab",
        "name": "model",
        "version": "1.0",
        "displayName": { "fr": "Modèle", "ar": "نموذج" },
        "releaseDate": "2026-11",
        "supersedes": digest("old card"),
        "license": digest("license"),
        "weights": [digest("weights"), digest("quantized")],
        "sourceDocument": blob("# Modèle\n".as_bytes(), "text/markdown"),
        "lineage": [{ "model": "urn:chancery:KE:lab:base@1", "relation": "finetune", "card": digest("base") }],
        "architecture": { "family": "transformer-decoder", "totalParameters": "7.3e10", "contextLength": 131_072 },
        "modalities": { "input": ["text", "image"], "output": ["text"] },
        "tasks": ["text-generation"],
        "languages": [{ "tag": "fr", "support": "primary" }, { "tag": "wo" }],
        "trainingData": [{ "name": "Web", "jurisdictions": ["FR", "EU"], "personalData": true }],
        "evaluations": [{ "metric": "accuracy", "value": "20.0 ± 1.2", "independence": "self" }],
        "compute": { "trainingFlop": "2.1e25", "facilities": [{ "name": "Jean Zay", "country": "FR" }] },
        "culturalAlignment": { "statement": { "fr": "La loi." }, "annotators": { "nations": ["SN"], "count": 40 } },
        "sectors": [{ "sector": "health", "suitability": "conditional", "conditions": "a physician decides" }],
        "limitations": [],
        "risks": [{ "name": "invention of facts" }],
        "contacts": [{ "uri": "https://lab.example/contact" }],
        "text": { "fr": "# Modèle\n" },
        "extension": { "kept": true },
    })
}

pub fn weights() -> Value {
    let leaf = |byte: u8| *chunk_hash(&[byte]).as_bytes();
    let file = |path: &str, size_bytes: u64, leaves: &[[u8; 32]]| WeightsFile {
        path: path.to_owned(),
        size_bytes,
        sha256: Digest::of(path.as_bytes()),
        chunk_root: chunk_root(leaves),
        format: Some(Format::Safetensors.into()),
    };
    let (three, one) = ([leaf(0), leaf(1), leaf(2)], [leaf(3)]);
    // In the order of bytes `a-b` comes before `a/b`; in that of the OMS root it comes after.
    let files = [file("a-b", 2 * CHUNK_BYTES + 1, &three), file("a/b", 0, &[]), file("c", 5, &one)];
    let hashes: Vec<u8> = three.iter().chain(&one).flatten().copied().collect();
    json!({
        "org": "lab",
        "name": "model",
        "version": "1.0",
        "files": files,
        "totalBytes": 2 * CHUNK_BYTES + 6,
        "chunkBytes": CHUNK_BYTES,
        "chunkHashes": blob(&hashes, "application/octet-stream"),
        "manifest": Digest::of(manifest_text(&files).as_bytes()),
        "omsRoot": oms_root(&files),
        "locations": [{ "uri": "https://lab.example/model", "mediaType": "application/octet-stream" }],
        "ignored": [".git"],
    })
}

const TERMS: &str = "You may use it. For military use in any way: no.";

fn license() -> Value {
    json!({
        "org": "lab",
        "name": "terms",
        "title": { "en": "Terms" },
        "spdx": "LicenseRef-lab-terms",
        "texts": [
            { "language": "en", "blob": blob(TERMS.as_bytes(), "text/plain") },
            { "language": "fr", "blob": blob(b"Conditions", "text/plain") },
        ],
        "prevailingLanguage": "en",
        "policyType": "offer",
        "assigner": "Lab",
        "governingLaw": "France",
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2027-01-01T00:00:00Z",
        "nationGroups": { "EU": ["FR", "DE"], "Maghreb": ["DZ", "MA", "TN"] },
        "closed": false,
        "clauses": [
            {
                "id": "run",
                "kind": "permission",
                "actions": ["run", "finetune"],
                "duties": ["attribute"],
                "seats": { "noneOf": ["EU"] },
                "places": { "anyOf": ["Maghreb", "FR"] },
                "thresholds": [{ "operand": "monthlyActiveUsers", "op": "lteq", "value": "7e8" }],
                "reading": "publisher-asserted",
            },
            {
                "id": "military",
                "kind": "prohibition",
                "actions": ["run"],
                "purposes": ["military"],
                "textRef": { "sha256": digest(TERMS), "byteStart": 16, "byteEnd": 30, "quote": "For military u" },
                "reading": "extracted",
            },
        ],
    })
}

/// Sets and removes what a case says (RFC 6901).
pub fn changed(statement: &Value, case: &Value) -> Value {
    let mut statement = statement.clone();
    let split = |pointer: &str| {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        (parent.to_owned(), member.replace("~1", "/").replace("~0", "~"))
    };
    for (pointer, value) in case.get("set").and_then(Value::as_object).into_iter().flatten() {
        let (parent, member) = split(pointer);
        match statement.pointer_mut(&parent).unwrap() {
            Value::Array(items) => items[member.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[member] = value.clone(),
        }
    }
    if let Some(pointer) = case.get("remove") {
        let (parent, member) = split(pointer.as_str().unwrap());
        statement.pointer_mut(&parent).unwrap().as_object_mut().unwrap().remove(&member).unwrap();
    }
    statement
}

#[test]
fn a_statement_of_each_kind_is_read() {
    let about = "Statements of the thirteen kinds (schema/src/record). The payload is the JSON of `statement`, or of the \
                 statement of the good case called `of` after each pointer (RFC 6901) of `set` was given its value \
                 there and the member at `remove` was taken away. Where `new` is true, what only a new record must \
                 meet is asked too. `expect`: the kind, the records it refers to, its blobs, and the scope for which \
                 its publisher needs authority. `refused` is part of the reason; where it has a pointer, that lies \
                 within the predicate.";
    let statements = statements();
    let mut cases: Vec<Case> =
        statements.iter().map(|(name, statement)| good(*name, json!({ "statement": statement }))).collect();
    cases.extend(header_cases());
    cases.extend(charter_cases());
    cases.extend(delegation_cases());
    cases.extend(revocation_cases());
    cases.extend(endpoint_cases());
    cases.extend(accreditation_cases());
    cases.extend(evidence_cases());
    cases.extend(card_cases());
    cases.extend(weights_cases());
    cases.extend(license_cases());
    cases.extend(ends::statement_cases());
    check("record", about, &cases, |case| {
        let statement = match case.get("of") {
            Some(name) => &changed(&statements[name.as_str().unwrap()], case),
            None => &case["statement"],
        };
        let statement = Statement::parse(statement.to_string().as_bytes()).map_err(|error| reason(&error))?;
        let (header, record) = Record::read(&statement).map_err(|error| reason(&error))?;
        assert_eq!(header.nation.as_str(), statement.predicate["nation"]);
        if case.get("new").is_some() {
            record.validate_new(&header).map_err(|invalid| reason(&RecordError::of(record.kind(), invalid)))?;
        }
        Ok(json!({
            "kind": record.kind(),
            "references": record.references(),
            "blobs": record.blobs(),
            "scope": record.scope(),
        }))
    });
}

/// Cases that change one statement.
pub struct Table {
    pub of: &'static str,
    pub cases: Vec<Case>,
}

impl Table {
    pub fn of(of: &'static str) -> Self {
        Self { of, cases: Vec::new() }
    }

    pub fn set(&self, pointer: &str, value: impl Into<Value>) -> Value {
        let set = Map::from_iter([(format!("/predicate{pointer}"), value.into())]);
        json!({ "of": self.of, "set": set })
    }

    /// A value that may stand there.
    pub fn taken(&mut self, name: &str, pointer: &str, value: impl Into<Value>) {
        let case = self.set(pointer, value);
        self.cases.push(good(format!("{}: {name}", self.of), case));
    }

    /// A value that may not stand there, and the words for it after the pointer.
    pub fn refused(&mut self, name: &str, pointer: &str, value: impl Into<Value>, words: &str) {
        self.refused_at(name, pointer, value, pointer, words);
    }

    /// A value that may stand there, but not in a new record; refused at a place, which may be another.
    pub fn dated(&mut self, name: &str, pointer: &str, value: impl Into<Value>, place: &str, words: &str) {
        let mut case = self.set(pointer, value);
        self.cases.push(good(format!("{}: {name}", self.of), case.clone()));
        case["new"] = json!(true);
        let words = format!("is not well formed: {place}: {words}");
        self.cases.push(bad(format!("{}: {name}, anew", self.of), case, words));
    }

    /// A value that may not stand there, and is refused at another place.
    pub fn refused_at(&mut self, name: &str, pointer: &str, value: impl Into<Value>, place: &str, words: &str) {
        let case = self.set(pointer, value);
        self.cases.push(bad(format!("{}: {name}", self.of), case, format!("is not well formed: {place}: {words}")));
    }

    /// A member that may not be missing.
    pub fn needs(&mut self, place: &str, member: &str) {
        let case = json!({ "of": self.of, "remove": format!("/predicate{place}/{member}") });
        let words = format!("is not well formed: {place}: missing field `{member}`");
        self.cases.push(bad(format!("{}: without {place}/{member}", self.of), case, words));
    }

    /// A change of the statement around the predicate.
    pub fn around(&mut self, name: &str, set: &Value, words: &str) {
        self.cases.push(bad(format!("{}: {name}", self.of), json!({ "of": self.of, "set": set }), words));
    }
}

/// What every predicate begins with, and the statement around it.
fn header_cases() -> Vec<Case> {
    let mut table = Table::of("an accreditation");
    for member in ["nonce", "nation", "log", "issuedAt"] {
        table.needs("", member);
    }
    let nonce = "expected 16 random bytes in base64";
    table.refused("a nonce of 15 bytes", "/nonce", base64::encode(&[0; 15]), nonce);
    table.refused("a nonce of 17 bytes", "/nonce", base64::encode(&[0; 17]), nonce);
    table.refused("a nonce in base64 for URLs", "/nonce", "_____________________w==", nonce);
    table.refused("a nonce without padding", "/nonce", "AAAAAAAAAAAAAAAAAAAAAA", nonce);
    table.refused("a nonce with stray bits", "/nonce", "AAAAAAAAAAAAAAAAAAAAAB==", nonce);
    table.refused("a nonce that is a number", "/nonce", 7, "invalid type");
    table.refused("a nation in lower case", "/nation", "fr", "\"fr\" is not a nation code");
    table.dated("a nation that is not assigned", "/nation", "XK", "/nation", "XK is not a code of ISO 3166-1");
    table.refused("a nation of three letters", "/nation", "FRA", "\"FRA\" is not a nation code");
    table.refused("a log in upper case", "/log", "FR.example.org", "\"FR.example.org\" is not an origin");
    table.refused("a time with an offset", "/issuedAt", "2026-11-24T13:00:00+01:00", "not a time");
    table.refused("a time that is a number", "/issuedAt", 1_795_521_600, "invalid type");
    table.taken("for two nations", "/audience", json!(["KE", "BR"]));
    table.taken("for nobody in particular", "/audience", Value::Null);
    table.taken("as large an audience as there may be", "/audience", json!(vec!["KE"; LIST_ITEMS_MAX]));
    table.refused("too large an audience", "/audience", json!(vec!["KE"; LIST_ITEMS_MAX + 1]), "too many nations");
    table.dated(
        "an audience that is not assigned",
        "/audience",
        json!(["KE", "XK"]),
        "/audience",
        "XK is not a code of ISO 3166-1",
    );
    table.refused_at(
        "an audience that is no nation",
        "/audience",
        json!(["KE", "Kenya"]),
        "/audience/1",
        "\"Kenya\" is not a nation code",
    );
    table.refused("an audience that is text", "/audience", "KE", "invalid type");
    let subjects = "the subjects of the statement are not those of its predicate";
    table.around("another subject", &json!({ "/subject/0/digest/sha256": digest("another") }), subjects);
    table.around("a subject under another name", &json!({ "/subject/0/name": "another" }), subjects);
    let twice = json!({ "name": "ke.example.org/chancery", "digest": { "sha256": digest("charter of KE") } });
    table.around("its subject twice", &json!({ "/subject": [twice, twice] }), subjects);
    table.around(
        "another kind",
        &json!({ "/predicateType": "urn:chancery:predicate:delegation:v1" }),
        "the delegation is not well formed: : missing field `holder`",
    );
    table.around(
        "a kind that nobody knows yet",
        &json!({ "/predicateType": "urn:chancery:predicate:peace-treaty:v1" }),
        "records of kind `peace-treaty:v1` are unknown",
    );
    table.around(
        "a version that nobody knows yet",
        &json!({ "/predicateType": "urn:chancery:predicate:accreditation:v2" }),
        "records of kind `accreditation:v2` are unknown",
    );
    table.around(
        "a kind in camel case",
        &json!({ "/predicateType": "urn:chancery:predicate:modelCard:v1" }),
        "predicateType is missing or malformed",
    );
    table.around(
        "another type",
        &json!({ "/_type": "https://in-toto.io/Statement/v0.1" }),
        "_type is missing or malformed",
    );
    table.cases
}

fn charter_cases() -> Vec<Case> {
    let mut table = Table::of("a charter");
    let (nation, other) = (Nation::new("FR"), Nation::new("KE"));
    for member in [
        "version",
        "displayName",
        "threshold",
        "roots",
        "registrars",
        "logKey",
        "witness",
        "mirror",
        "algorithms",
        "expires",
    ] {
        table.needs("", member);
    }
    table.needs("/witness", "name");
    let set = json!({ "/predicate/version": 2, "/predicate/previous": digest("charter") });
    table.cases.push(good("a charter: the second version", json!({ "of": "a charter", "set": set })));
    for (name, version) in [("the last version", 100), ("a version too many", 101)] {
        let set = json!({ "/predicate/version": version, "/predicate/previous": digest("charter") });
        let case = json!({ "of": "a charter", "set": set });
        table.cases.push(match version {
            101 => bad(format!("a charter: {name}"), case, "/version: is more than 100; a log has no more"),
            _ => good(format!("a charter: {name}"), case),
        });
    }
    table.taken("one root suffices", "/threshold", 1);
    table.taken("all roots must sign", "/threshold", 3);
    let version = "must be 1 without a previous charter, or more with one";
    table.refused("version 0", "/version", 0, version);
    table.refused("version 2 without the first", "/version", 2, version);
    table.refused_at("version 1 with one before it", "/previous", digest("charter"), "/version", version);
    table.refused("a negative version", "/version", -1, "invalid value");
    let threshold = "must be at least 1 and at most the number of roots";
    table.refused("a threshold of 0", "/threshold", 0, threshold);
    table.refused("a threshold above the roots", "/threshold", 4, threshold);
    table.refused_at("no roots", "/roots", json!([]), "/threshold", threshold);
    let seventeen: Vec<_> = (0..17).map(|number| nation.key_record(Role::Root, number)).collect();
    table.refused("17 roots", "/roots", json!(seventeen), "has 17 items; at most 16 are allowed");
    table.taken("16 roots", "/roots", json!(seventeen[..16]));
    table.refused("no registrar", "/registrars", json!([]), "is empty; appoint at least one registrar");
    table.refused("no algorithm", "/algorithms", json!([]), "is empty; require at least one algorithm");
    table.dated(
        "an algorithm that nobody knows yet",
        "/algorithms",
        json!(["ed25519", "ml-dsa-65"]),
        "/algorithms/1",
        "`ml-dsa-65` is not a word that this version knows",
    );
    table.refused_at(
        "an algorithm that is no word",
        "/algorithms",
        json!(["Ed25519"]),
        "/algorithms/0",
        "is not a word",
    );
    table.refused_at(
        "an algorithm twice",
        "/algorithms",
        json!(["ed25519", "ed25519"]),
        "/algorithms/1",
        "stands twice",
    );
    table.dated(
        "a root of an algorithm that nobody knows yet",
        "/roots/2/alg",
        "ml-dsa-65",
        "/root/alg",
        "`ml-dsa-65` is not a word that this version knows",
    );
    table.refused_at(
        "a log key of an algorithm that nobody knows yet",
        "/logKey/alg",
        "ml-dsa-65",
        "",
        "the log key: the key is of an algorithm that this version does not know",
    );
    table.refused(
        "a witness that is a list",
        "/witness",
        json!(["fr.example.org/chancery/witness", nation.key_record(Role::Witness, 0)]),
        "has another form than its type is written in",
    );
    table.refused(
        "a root that is a list",
        "/roots/0",
        json!([nation.key_record(Role::Root, 0).keyid, "ed25519", "", ""]),
        "has another form than its type is written in",
    );
    table.refused("it expires when it is issued", "/expires", day().to_string(), "must be later than issuedAt");
    table.taken("it expires a second after it is issued", "/expires", day().plus_seconds(1).to_string());
    let names = "the log, its witness and its mirror need three names";
    table.refused_at("a witness with the log's name", "/witness/name", nation.origin.as_str(), "/mirror/name", names);
    for place in ["/witness/name", "/mirror/name"] {
        let words = "must lie below the log's name";
        table.refused(&format!("another nation's name at {place}"), place, "ke.example.org/chancery/witness", words);
    }
    table.refused("a mirror with the log's name", "/mirror/name", nation.origin.as_str(), names);
    table.refused("a mirror with the witness's name", "/mirror/name", format!("{}/witness", nation.origin), names);
    let root = |nation: &Nation, number: u8| json!(nation.key_record(Role::Root, number));
    let of_root = |role: &str, number: u8| format!("the {role} key {}", nation.key_record(Role::Root, number).keyid);
    table.refused_at(
        "a root twice",
        "/roots/1",
        root(&nation, 0),
        "",
        &format!("{} has two places; every key has one", of_root("root", 0)),
    );
    table.refused_at(
        "a root that is also the registrar",
        "/registrars/0",
        root(&nation, 0),
        "",
        &format!("{} has two places", of_root("registrar", 0)),
    );
    table.refused_at(
        "a root that asked to be registrar",
        "/roots/0",
        json!(nation.key_record(Role::Registrar, 1)),
        "",
        &format!("the root key {}: the signature does not hold", nation.key_record(Role::Registrar, 1).keyid),
    );
    table.refused_at(
        "another nation's root",
        "/roots/2",
        root(&other, 0),
        "",
        &format!("the root key {}: the signature does not hold", other.key_record(Role::Root, 0).keyid),
    );
    table.refused_at(
        "a log key with the root's proof",
        "/logKey/proofOfPossession",
        root(&nation, 0)["proofOfPossession"].clone(),
        "",
        &format!("the log key {}: the signature does not hold", nation.key_record(Role::Log, 0).keyid),
    );
    table.refused_at(
        "a root of small order",
        "/roots/0/publicKey",
        base64::encode(
            &[&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, 0x01][..], &[0; 31]].concat(),
        ),
        "",
        &format!("{}: the public key is of small order", of_root("root", 0)),
    );
    table.refused("no display name", "/displayName", json!({}), "has no language; give at least one");
    table.refused_at(
        "a display name of two lines",
        "/displayName",
        json!({ "fr": "a\nb" }),
        "/displayName/fr",
        "has control characters",
    );
    table.refused_at(
        "a display name in no language",
        "/displayName",
        json!({ "français": "a" }),
        "/displayName/français",
        "\"français\" is not a language tag",
    );
    table.cases
}

fn delegation_cases() -> Vec<Case> {
    let mut table = Table::of("a delegation");
    let nation = Nation::new("FR");
    for member in ["holder", "role", "key", "kinds", "validFrom", "validUntil"] {
        table.needs("", member);
    }
    let node = json!({
        "/predicate/role": "node",
        "/predicate/key": nation.key_record(Role::Node, 0),
        "/predicate/kinds": ["endpoint"],
        "/predicate/models": [],
        "/subject/0/digest/sha256": nation.key_record(Role::Node, 0).keyid,
    });
    table.cases.push(good("a delegation: to a node", json!({ "of": "a delegation", "set": node })));
    table.taken("for every model", "/models", json!(["*"]));
    table.taken("for no kind", "/kinds", json!([]));
    for role in [Role::Root, Role::Registrar, Role::Log, Role::Witness, Role::Mirror, Role::Transport] {
        let word = role.as_str();
        table.refused(&format!("to a {word}"), "/role", word, &format!("a {word} key is not delegated"));
    }
    table.refused("to a role that nobody knows", "/role", "king", "unknown variant `king`");
    table.refused_at(
        "to a role the key did not ask for",
        "/key",
        json!(nation.key_record(Role::Exchange, 0)),
        "/key",
        "the signature does not hold",
    );
    table.refused("for charters", "/kinds", json!(["model-card", "charter"]), "a publisher key cannot sign a charter");
    table.refused("for endpoints", "/kinds", json!(["endpoint"]), "a publisher key cannot sign a endpoint");
    table.dated(
        "for a kind that nobody knows yet",
        "/kinds",
        json!(["weights", "peace-treaty"]),
        "/kinds/1",
        "`peace-treaty` is not a word that this version knows",
    );
    table.refused_at("for a kind that is no word", "/kinds", json!(["Model-Card"]), "/kinds/0", "is not a word");
    table.refused_at("for one kind twice", "/kinds", json!(["weights", "weights"]), "/kinds/1", "stands twice");
    table.refused_at(
        "for a kind that is an object",
        "/kinds",
        json!([{ "weights": null }]),
        "/kinds/0",
        "invalid type",
    );
    table.refused(
        "to a role that is an object",
        "/role",
        json!({ "publisher": null }),
        "has another form than its type is written in",
    );
    table.refused(
        "for more kinds than a list has",
        "/kinds",
        json!((0..=LIST_ITEMS_MAX).map(|number| format!("kind-{number}")).collect::<Vec<_>>()),
        "has 513 items; at most 512 are allowed",
    );
    let models = "a publisher's key needs models, such as \"*\"; another key has none";
    table.refused("for no model", "/models", json!([]), models);
    table.refused_at(
        "to an evaluator with models",
        "/role",
        "evaluator",
        "/kinds",
        "a evaluator key cannot sign a model-card",
    );
    for prefix in ["", "Lab", "lab:", ":model", "lab:model:1", "lab:*", "*:model", "lab/model", "lab:model@1"] {
        table.refused_at(
            &format!("for the model {prefix:?}"),
            "/models",
            json!(["lab", prefix]),
            "/models/1",
            "is not *, <org> or <org>:<name>",
        );
    }
    table.refused(
        "for too many models",
        "/models",
        json!(vec!["lab"; LIST_ITEMS_MAX + 1]),
        "has 513 items; at most 512 are allowed",
    );
    table.refused("that ends when it begins", "/validUntil", "2026-01-01T00:00:00Z", "must be later than validFrom");
    table.refused("to nobody", "/holder", " ", "is empty");
    table.refused("to a name of two lines", "/holder", "a\nb", "has control characters");
    table.cases
}

fn revocation_cases() -> Vec<Case> {
    let mut table = Table::of("a revocation");
    table.needs("", "key");
    table.needs("", "reason");
    let since = "is for the reason compromised-since, which needs it";
    for reason in ["retired", "lost", "compromised-unknown"] {
        table.refused_at(&format!("{reason}, since a position"), "/reason", reason, "/since", since);
        let mut case = table.set("/reason", reason);
        case["remove"] = json!("/predicate/since");
        table.cases.push(good(format!("a revocation: {reason}"), case));
    }
    table.cases.push(bad(
        "a revocation: compromised since nobody says when",
        json!({ "of": "a revocation", "remove": "/predicate/since" }),
        format!("is not well formed: /since: {since}"),
    ));
    table.refused("for a reason of a later version", "/reason", "superseded", "unknown variant `superseded`");
    table.taken("since the first entry", "/since", 0);
    table.taken("since a far entry", "/since", JSON_INTEGER_MAX);
    table.refused("since before the log", "/since", -1, "invalid value: integer `-1`");
    let affirms = |digests: Value| {
        let set = json!({ "/predicate/reason": "compromised-unknown", "/predicate/affirms": digests });
        json!({ "of": "a revocation", "set": set, "remove": "/predicate/since" })
    };
    table.cases.push(good("a revocation: that affirms a record", affirms(json!([digest("a record")]))));
    table.cases.push(bad(
        "a revocation: that affirms a record twice",
        affirms(json!([digest("a record"), digest("a record")])),
        "is not well formed: /affirms/1: stands twice",
    ));
    table.cases.push(good("a revocation: that affirms none", affirms(json!([]))));
    table.refused(
        "that affirms, though it knows since when",
        "/affirms",
        json!([digest("a record")]),
        "is for the reason compromised-unknown",
    );
    table.cases
}

fn evidence_cases() -> Vec<Case> {
    let mut table = Table::of("evidence");
    for member in ["accused", "earlier", "later"] {
        table.needs("", member);
    }
    table.needs("/prefix", "root");
    table.needs("/prefix", "proof");
    let other = Fork::after(12, [5, 12]).checkpoint(1, 12).to_string();
    let words = "does not lead to the later checkpoint";
    table.refused_at("of a note of another tree", "/later", other, "/prefix/proof", words);
    table.cases.push(bad(
        "evidence: that may be merely old",
        json!({ "of": "evidence", "remove": "/predicate/prefix" }),
        "is not well formed: /prefix: is missing",
    ));
    let subject = json!({ "/subject/0/digest/sha256": digest("another note") });
    table.around("of another note", &subject, "the subjects of the statement are not those of its predicate");
    table.cases
}

fn endpoint_cases() -> Vec<Case> {
    let mut table = Table::of("an endpoint");
    let nation = Nation::new("FR");
    table.needs("", "key");
    table.needs("", "addresses");
    table.taken("that only calls out", "/addresses", json!([]));
    table.taken("without portal", "/url", Value::Null);
    table.taken("16 addresses", "/addresses", json!(vec!["/ip4/192.0.2.1/tcp/4001"; 16]));
    table.refused("17 addresses", "/addresses", json!(vec!["/ip4/192.0.2.1/tcp/4001"; 17]), "has 17 items; at most 16");
    table.refused("an address that is none", "/addresses/1", "node.fr.example.org:4001", "is not a multiaddress");
    table.refused("an empty address", "/addresses/0", "", "is empty");
    table.refused("an address of two lines", "/addresses/0", "/ip4/192.0.2.1\n/tcp/4001", "has control characters");
    table.refused(
        "a portal that is run by a browser",
        "/url",
        "javascript:alert(1)",
        "is not an http or https address",
    );
    table.refused("a portal over another protocol", "/url", "ftp://fr.example.org", "is not an http or https address");
    table.refused(
        "a key that asked for another role",
        "/key",
        json!(nation.key_record(Role::Node, 0)),
        "the signature does not hold",
    );
    table.refused(
        "another nation's key",
        "/key",
        json!(Nation::new("KE").key_record(Role::Transport, 0)),
        "the signature does not hold",
    );
    table.cases
}

fn accreditation_cases() -> Vec<Case> {
    let mut table = Table::of("an accreditation");
    for member in ["partner", "fingerprint", "partnerLog", "scopes"] {
        table.needs("", member);
    }
    table.needs("/quota", "bytesPerDay");
    table.taken("that ends one", "/scopes", json!([]));
    table.taken("without quota", "/quota", Value::Null);
    table.taken("without end", "/validUntil", Value::Null);
    table.refused("of itself", "/partner", "FR", "is the nation's own code");
    table.refused("of its own log", "/partnerLog", "fr.example.org/chancery", "is the nation's own log");
    table.dated("of a nation that is not assigned", "/partner", "ZZ", "/partner", "ZZ is not a code of ISO 3166-1");
    table.refused("of a nation that is none", "/partner", "Kenya", "\"Kenya\" is not a nation code");
    table.refused(
        "of a fingerprint in upper case",
        "/fingerprint",
        digest("charter of KE").to_uppercase(),
        "not a SHA-256 digest",
    );
    table.dated(
        "for what nobody knows yet",
        "/scopes",
        json!(["mirror", "love"]),
        "/scopes/1",
        "`love` is not a word that this version knows",
    );
    table.refused_at("for what is no word", "/scopes", json!(["mirror", "Love!"]), "/scopes/1", "is not a word");
    table.refused_at(
        "for one thing twice",
        "/scopes",
        json!(["mirror", "cosign", "mirror"]),
        "/scopes/2",
        "stands twice",
    );
    table.refused(
        "with a quota that is a list",
        "/quota",
        json!([1000, 1000]),
        "has another form than its type is written in",
    );
    table.refused("until it is issued", "/validUntil", day().to_string(), "must be later than issuedAt");
    table.refused("with a negative quota", "/quota/entriesPerDay", -1, "invalid value");
    table.refused("with a quota that is text", "/quota/bytesPerDay", "1", "invalid type");
    table.cases
}

fn card_cases() -> Vec<Case> {
    let mut table = Table::of("a model card");
    for member in ["org", "name", "version", "displayName"] {
        table.needs("", member);
    }
    table.needs("/lineage/0", "model");
    table.needs("/sourceDocument", "mediaType");
    let name = "is not a name";
    table.refused("an organisation in upper case", "/org", "Lab", &format!("\"Lab\" {name}"));
    table.refused("a version with a space", "/version", "1 0", &format!("\"1 0\" {name}"));
    table.refused("no display name", "/displayName", json!({}), "has no language");
    table.refused("weights twice", "/weights/1", digest("weights"), "stands twice");
    table.refused("weights in upper case", "/weights/0", digest("weights").to_uppercase(), "not a SHA-256 digest");
    table.taken("made from a model elsewhere", "/lineage", json!([{ "model": "somebody/their-model" }]));
    table.taken("made from nothing", "/lineage", json!([]));
    table.taken("where nothing is stated of personal data", "/trainingData/0/personalData", Value::Null);
    table.refused("made from itself", "/lineage/0/model", "urn:chancery:FR:lab:model@1.0", "is this very version");
    table.taken("made from its earlier version", "/lineage/0/model", "urn:chancery:FR:lab:model@0.9");
    table.refused("made from a model that is none", "/lineage/0/model", "urn:chancery:fr:lab:model", "is not a model");
    table.dated(
        "made in a way that nobody knows yet",
        "/lineage/0/relation",
        "stolen",
        "/lineage/0/relation",
        "`stolen` is not a word that this version knows",
    );
    table.refused("made in a way that is no word", "/lineage/0/relation", "Stolen!", "is not a word");
    table.refused("a version called latest", "/version", "latest", "is `latest`, which always means the newest");
    table.refused("a number in words", "/architecture/totalParameters", "7 billion", "not a decimal number");
    table.refused("a number that is no text", "/architecture/totalParameters", 7, "invalid type");
    table.refused("training that took less than nothing", "/compute/trainingFlop", "-1", "is negative");
    table.refused(
        "a facility in no nation",
        "/compute/facilities/0/country",
        "France",
        "\"France\" is not a nation code",
    );
    table.refused_at(
        "a display name in another case",
        "/displayName",
        json!({ "FR": "a" }),
        "/displayName/FR",
        "\"FR\" is not a language tag",
    );
    table.refused(
        "a source that is a list",
        "/sourceDocument",
        json!([digest("x"), 1, "text/markdown"]),
        "has another form than its type is written in",
    );
    table.refused(
        "a jurisdiction in words",
        "/trainingData/0/jurisdictions/1",
        "France",
        "\"France\" is not a nation code",
    );
    table.refused("a truth in words", "/trainingData/0/personalData", "no", "invalid type");
    table.refused("a result that is a number", "/evaluations/0/value", 5, "invalid type");
    table.refused("a result of nothing", "/evaluations/0/metric", " ", "is empty");
    table.refused("a month that is none", "/releaseDate", "2026-13", "not a year, month or day");
    table.refused(
        "a condition that is not said",
        "/sectors/0/conditions",
        Value::Null,
        "is missing; say on which conditions",
    );
    table.refused(
        "a contact that is run by a browser",
        "/contacts/0/uri",
        "javascript:alert(1)",
        "javascript: is not an address of anything",
    );
    table.refused("a contact without scheme", "/contacts/0/uri", "jane@lab.example", "is not a URI");
    table.refused("an empty source", "/sourceDocument/sizeBytes", 0, "is not between 1 and 16777216 bytes");
    table.refused(
        "a source larger than a blob",
        "/sourceDocument/sizeBytes",
        (16 << 20) + 1,
        "is not between 1 and 16777216 bytes",
    );
    table.taken("a source as large as a blob", "/sourceDocument/sizeBytes", 16 << 20);
    table.refused("a source of no type", "/sourceDocument/mediaType", "markdown", "is not a media type");
    table.taken("512 tags", "/tags", json!(vec!["x"; LIST_ITEMS_MAX]));
    table.refused("513 tags", "/tags", json!(vec!["x"; LIST_ITEMS_MAX + 1]), "has 513 items; at most 512 are allowed");
    table.taken("a limitation of 1,024 bytes", "/limitations", json!(["x".repeat(LINE_BYTES_MAX)]));
    table.refused_at(
        "a limitation of 1,025 bytes",
        "/limitations",
        json!(["x".repeat(LINE_BYTES_MAX + 1)]),
        "/limitations/0",
        "is longer than 1024 bytes",
    );
    let set = json!({ "/predicate/weights": [], "/predicate/sourceDocument": null });
    table.around(
        "about nothing",
        &set,
        "is not well formed: /weights: is empty; name the weights record or the source document",
    );
    let exchanged = json!({ "/predicate/weights/0": digest("quantized"), "/predicate/weights/1": digest("weights") });
    let subjects = "the subjects of the statement are not those of its predicate";
    table.around("its weights in another order than its subjects", &exchanged, subjects);
    table.around("another version than its subjects'", &json!({ "/predicate/version": "1.1" }), subjects);
    table.cases
}

fn weights_cases() -> Vec<Case> {
    let mut table = Table::of("weights");
    for member in ["org", "name", "version", "files", "totalBytes", "chunkBytes", "chunkHashes", "manifest", "omsRoot"]
    {
        table.needs("", member);
    }
    table.needs("/files/0", "chunkRoot");
    let sum = format!("is not the sum of the sizes, {}", 2 * CHUNK_BYTES + 6);
    table.refused("a total that is another", "/totalBytes", 1, &sum);
    table.refused("chunks of another size", "/chunkBytes", 1 << 20, "is not 8388608");
    table.refused("a manifest that is another", "/manifest", digest("x"), "is not the digest of these files");
    table.refused("an OMS root that is another", "/omsRoot", digest("x"), "is not the digest of these files");
    table.refused(
        "an OMS root in the order of bytes",
        "/omsRoot",
        {
            let digests: Vec<Digest> = ["a-b", "a/b", "c"].map(|path| Digest::of(path.as_bytes())).into();
            Digest::of(&digests.iter().flat_map(|it| *it.as_bytes()).collect::<Vec<u8>>()).to_string()
        },
        "is not the digest of these files",
    );
    table.refused("a chunk hash too few", "/chunkHashes/sizeBytes", 96, "is not 128: 32 for each of 4 chunks");
    table.refused_at(
        "a file that is another",
        "/files/0/sha256",
        digest("x"),
        "/manifest",
        "is not the digest of these files",
    );
    let outside = "is not relative to the folder, or has an empty part";
    table.refused("a path out of the folder", "/files/0/path", "../a", outside);
    table.refused("a path from the root", "/files/0/path", "/etc/passwd", outside);
    table.refused("an empty path", "/files/0/path", "", outside);
    table.refused("a path of Windows", "/files/0/path", "a\\b", "has a backslash or a control character");
    let (composed, decomposed) = ("\u{e9}", "e\u{301}");
    table.cases.push(good("weights: a path that is not NFC", with_paths(&[decomposed], false)));
    table.cases.push(bad(
        "weights: a path that is not NFC, anew",
        with_paths(&[decomposed], true),
        "is not well formed: /files/0/path: is not in Unicode form NFC",
    ));
    table.cases.push(good("weights: a path that is NFC, anew", with_paths(&[composed], true)));
    table.cases.push(good(
        "weights: two paths that differ in the case of other scripts",
        with_paths(&["\u{c9}", composed], false),
    ));
    table.cases.push(bad(
        "weights: two paths that differ in the case of other scripts, anew",
        with_paths(&["\u{c9}", composed], true),
        "is not well formed: /files: ",
    ));
    table.refused("a path of 33 parts", "/files/0/path", format!("{}a", "a/".repeat(32)), "has more than 32 parts");
    table.refused_at("a path in another case", "/files/0/path", "C", "/files", "\"c\" clashes with another path");
    table.refused_at("a path that is a folder", "/files/0/path", "a", "/files", "\"a/b\" clashes with another path");
    let order = "does not come after the path before it";
    table.refused_at("paths out of order", "/files/0/path", "d", "/files/1/path", order);
    table.refused("a path twice", "/files/1/path", "a-b", order);
    table.refused_at("the last path twice", "/files/1/path", "c", "/files/2/path", order);
    table.refused("a negative size", "/files/0/sizeBytes", -1, "invalid value");
    table.refused_at(
        "sizes past 2^53",
        "/files/0/sizeBytes",
        JSON_INTEGER_MAX,
        "/files/2/sizeBytes",
        "makes more than 2^53 - 1 bytes in all",
    );
    table.refused_at("no files", "/files", json!([]), "/totalBytes", "is not the sum of the sizes, 0, or that is zero");
    table.dated(
        "a format that nobody knows yet",
        "/files/0/format",
        "tar",
        "/files/0/format",
        "`tar` is not a word that this version knows",
    );
    table.refused("a format that is no word", "/files/0/format", "tar.gz", "is not a word");
    table.taken("a file of no known format", "/files/0/format", Value::Null);
    table.refused("a place that is none", "/locations/0/uri", "somewhere", "is not a URI");
    table.refused("left out from outside the folder", "/ignored/0", "../x", outside);
    table.cases
}

/// Weights of files of one byte at these paths, which add up.
fn with_paths(paths: &[&str], new: bool) -> Value {
    let leaf = [*chunk_hash(b"x").as_bytes()];
    let file = |path: &&str| WeightsFile {
        path: (*path).to_owned(),
        size_bytes: 1,
        sha256: Digest::of(b"x"),
        chunk_root: chunk_root(&leaf),
        format: None,
    };
    let files: Vec<WeightsFile> = paths.iter().map(file).collect();
    let manifest = Digest::of(manifest_text(&files).as_bytes());
    let mut case = json!({ "of": "weights", "set": {
        "/predicate/files": files,
        "/predicate/totalBytes": files.len(),
        "/predicate/chunkHashes": blob(&leaf[0].repeat(files.len()), "application/octet-stream"),
        "/predicate/manifest": manifest,
        "/predicate/omsRoot": oms_root(&files),
        "/subject/0/digest/sha256": manifest,
    } });
    if new {
        case["new"] = json!(true);
    }
    case
}

fn license_cases() -> Vec<Case> {
    let mut table = Table::of("a license");
    for member in ["org", "name", "title", "texts", "policyType"] {
        table.needs("", member);
    }
    table.needs("/clauses/0", "reading");
    table.taken("whose texts are equally authentic", "/prevailingLanguage", Value::Null);
    table.taken("without clauses", "/clauses", json!([]));
    table.taken("that permits nothing else", "/closed", true);
    table.refused("with no text", "/texts", json!([]), "is empty; give at least one text");
    table.refused("two texts in one language", "/texts/1/language", "en", "stands twice");
    table.refused(
        "a language that prevails and has no text",
        "/prevailingLanguage",
        "de",
        "has no text in that language",
    );
    table.dated("an SPDX expression that is none", "/spdx", "MIT or so", "/spdx", "is not an SPDX license expression");
    table.refused("an SPDX expression of two lines", "/spdx", "MIT\nOR MIT", "has control characters");
    table.refused_at("an agreement with nobody", "/policyType", "agreement", "/assignee", "an agreement names both");
    table.dated(
        "a type that nobody knows yet",
        "/policyType",
        "set",
        "/policyType",
        "`set` is not a word that this version knows",
    );
    table.refused("a type that is no word", "/policyType", "Set!", "is not a word");
    table.refused("that ends when it begins", "/validUntil", "2026-01-01T00:00:00Z", "is not later than its beginning");
    table.dated(
        "a group with what is not assigned",
        "/nationGroups/EU",
        json!(["FR", "XK"]),
        "/nationGroups",
        "XK is not a code of ISO 3166-1",
    );
    table.refused_at(
        "a group with what is no nation",
        "/nationGroups/EU",
        json!(["France"]),
        "/nationGroups/EU/0",
        "\"France\" is not a nation code",
    );
    table.refused("two clauses of one name", "/clauses/1/id", "run", "stands twice");
    table.refused("a permission of nothing", "/clauses/0/actions", json!([]), "is empty; say to which actions");
    table.refused("a prohibition of nothing", "/clauses/1/actions", json!([]), "is empty; say to which actions");
    table.dated(
        "an action that nobody knows yet",
        "/clauses/1/actions",
        json!(["steal"]),
        "/clauses/1/actions/0",
        "`steal` is not a word that this version knows",
    );
    table.refused_at(
        "an action that is no word",
        "/clauses/1/actions",
        json!(["Steal!"]),
        "/clauses/1/actions/0",
        "is not a word",
    );
    table.dated(
        "a kind of clause that nobody knows yet",
        "/clauses/0/kind",
        "wish",
        "/clauses/0/kind",
        "`wish` is not a word that this version knows",
    );
    table.dated(
        "a duty that nobody knows yet",
        "/clauses/0/duties",
        json!(["sing"]),
        "/clauses/0/duties/0",
        "`sing` is not a word that this version knows",
    );
    table.dated(
        "a reading that nobody knows yet",
        "/clauses/0/reading",
        "prophecy",
        "/clauses/0/reading",
        "`prophecy` is not a word that this version knows",
    );
    table.refused_at(
        "a duty to do nothing",
        "/clauses/1/kind",
        "duty",
        "/clauses/1/duties",
        "is empty; a duty says what must be done",
    );
    table.refused("a seat that is none", "/clauses/0/seats", json!({}), "has neither anyOf nor noneOf");
    table.taken("a seat nowhere", "/clauses/0/seats", json!({ "anyOf": [] }));
    table.refused_at(
        "a seat in a group that is not defined",
        "/clauses/0/seats/noneOf",
        json!(["Benelux"]),
        "/clauses/0/seats/noneOf/0",
        "is neither a nation code nor a group",
    );
    table.refused("a threshold in words", "/clauses/0/thresholds/0/value", "many", "not a decimal number");
    table.refused("a threshold that compares in no way", "/clauses/0/thresholds/0/op", "<=", "is not a word");
    table.refused(
        "a passage of another text",
        "/clauses/1/textRef/sha256",
        digest("another"),
        "is not one of the texts",
    );
    let end = "is not after byteStart and within the text";
    table.refused_at(
        "a passage that ends before it begins",
        "/clauses/1/textRef/byteStart",
        30,
        "/clauses/1/textRef/byteEnd",
        end,
    );
    table.refused("a passage past the text", "/clauses/1/textRef/byteEnd", TERMS.len() + 1, end);
    table.refused(
        "a passage longer than its bytes",
        "/clauses/1/textRef/quote",
        "For military us",
        "is not the bytes from byteStart to byteEnd",
    );
    table.cases
}

/// What stands in the log of FR before a case, by the case's name.
pub struct History {
    pub nation: Nation,
    entered: BTreeMap<String, Envelope>,
    cases: Vec<Case>,
}

/// The blobs of fixtures: what a node of FR holds.
fn held() -> Value {
    let (terms, card) = (blob(b"Sample terms open.\n", "text/plain"), blob(b"# model 1.0\n", "text/markdown"));
    let held = [terms, card].map(|it| (it["sha256"].as_str().unwrap().to_owned(), it["sizeBytes"].clone()));
    Value::Object(held.into_iter().collect())
}

pub fn own(now: Timestamp) -> Value {
    json!({ "nation": "FR", "origin": "fr.example.org/chancery", "now": now, "blobs": held() })
}

impl History {
    fn case(&self, after: &[&str], envelope: &Envelope, own: Option<Value>) -> Value {
        for name in after {
            assert!(self.entered.contains_key(*name), "{name} was admitted");
        }
        let text = String::from_utf8(envelope.to_bytes()).unwrap();
        let mut case = json!({ "after": after, "origin": self.nation.origin, "envelope": text });
        if let Some(own) = own {
            case["own"] = own;
        }
        case
    }

    /// The record digest of the log's first charter.
    pub fn fingerprint(&self) -> Digest {
        self.entered[ends::CHARTER].record_digest()
    }

    /// Must be admitted by a mirror; may stand in the log of later cases.
    pub fn admit(&mut self, name: &str, after: &[&str], envelope: Envelope) {
        self.cases.push(good(name, self.case(after, &envelope, None)));
        self.entered.insert(name.to_owned(), envelope);
    }

    pub fn refuse(&mut self, name: &str, after: &[&str], envelope: &Envelope, words: &str) {
        self.cases.push(bad(name, self.case(after, envelope, None), words));
    }

    fn admit_own(&mut self, name: &str, after: &[&str], envelope: &Envelope, own: Value) {
        self.cases.push(good(name, self.case(after, envelope, Some(own))));
    }

    pub fn refuse_own(&mut self, name: &str, after: &[&str], envelope: &Envelope, own: Value, words: &str) {
        self.cases.push(bad(name, self.case(after, envelope, Some(own)), words));
    }

    /// Signs a draft that says it was issued at another time.
    fn sign_at(&mut self, time: &str, kind: Kind, draft: &Value, signer: &SigningKey) -> Envelope {
        let header = Header { issued_at: time.parse().unwrap(), ..self.nation.header() };
        let payload = payload(kind, &header, draft.as_object().unwrap()).unwrap();
        Envelope::sign(payload, &[signer]).unwrap()
    }
}

/// The state of the log in which these envelopes stand, as a mirror of it sees them.
fn state_after(origin: &Origin, envelopes: &[&Envelope]) -> State {
    let mut judge = Judge::default();
    for envelope in envelopes {
        judge.admit(origin, envelope).unwrap();
    }
    judge.state
}

fn judge(entered: &BTreeMap<String, Envelope>, case: &Value) -> Result<Admitted, Refusal> {
    let mut bytes = text_of(case, "envelope").as_bytes().to_vec();
    let spaces = case.get("spacesAfter").map_or(0, |_| number_of(case, "spacesAfter"));
    bytes.resize(bytes.len() + usize::try_from(spaces).unwrap(), b' ');
    let submission = Submission::read(&bytes)?;
    let origin: Origin = text_of(case, "origin").parse().unwrap();
    let before: Vec<&Envelope> = list_of(case, "after").into_iter().map(|name| &entered[name]).collect();
    let mut state = state_after(&origin, &before);
    state.position += case.get("void").map_or(0, |_| number_of(case, "void"));
    let policy = match case.get("own") {
        None => Policy::Mirror { origin },
        Some(own) => Policy::Own {
            nation: text_of(own, "nation").parse().unwrap(),
            origin: text_of(own, "origin").parse().unwrap(),
            now: text_of(own, "now").parse().unwrap(),
            blobs: own["blobs"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(sha256, size)| (sha256.parse().unwrap(), size.as_u64().unwrap()))
                .collect(),
        },
    };
    decide(submission, &state, &policy)
}

/// An envelope in which the first signature has one bit flipped.
fn forged(envelope: &Envelope) -> Envelope {
    let mut value: Value = serde_json::from_slice(&envelope.to_bytes()).unwrap();
    let mut sig = base64::decode(value["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    sig[0] ^= 1;
    value["signatures"][0]["sig"] = json!(base64::encode(&sig));
    Envelope::parse(value.to_string().as_bytes()).unwrap()
}

#[test]
fn a_record_counts_or_not_for_everyone_alike() {
    let about = "Whether a record is admitted (schema/src/admission.rs) to the log `origin`, in which the envelopes \
                 of the cases named in `after` stand, in that order, and `void` entries that do not count. \
                 `envelope` arrives, followed by `spacesAfter` spaces. Without `own` a mirror of the log asks; with \
                 it, the node of that nation, by its clock and with the blobs it holds (SHA-256 and size). `expect`: \
                 the record digest, its kind and the key ids that count. `refused`: the code, a colon, and part of the \
                 reason.";
    let mut log = History { nation: Nation::new("FR"), entered: BTreeMap::new(), cases: Vec::new() };
    founding_cases(&mut log);
    key_cases(&mut log);
    reference_cases(&mut log);
    revoked_cases(&mut log);
    own_cases(&mut log);
    new_cases(&mut log);
    malformed_cases(&mut log);
    rotation_cases(&mut log);
    ends::admission_cases(&mut log);
    let History { entered, cases, .. } = log;
    let run = |case: &Value| judge(&entered, case);
    check("admission", about, &cases, |case| match run(case) {
        Ok(admitted) => {
            let submission = admitted.submission();
            let kind = submission.record.kind();
            Ok(json!({ "digest": submission.digest, "kind": kind, "signers": admitted.signers() }))
        }
        Err(refusal) => Err(format!("{}: {}", refusal.code.as_str(), refusal.reason)),
    });
    // Every code is reached.
    let words: BTreeSet<&str> =
        cases.iter().filter_map(|case| case.refused().map(|words| words.split(':').next().unwrap())).collect();
    let unreached: Vec<Code> = Code::ALL.into_iter().filter(|code| !words.contains(code.as_str())).collect();
    assert_eq!(unreached, []);
}

fn founding_cases(log: &mut History) {
    let nation = &mut log.nation;
    let key = |nation: &Nation, role: Role, number: u8| nation.key(role, number);
    let draft = nation.charter_draft();
    let roots: Vec<SigningKey> = (0..4).map(|number| key(nation, Role::Root, number)).collect();
    let charter = nation.charter();
    let publisher = nation.publisher();
    let anew = nation.charter();
    let by_one = nation.sign(Kind::Charter, draft.clone(), &[&roots[0]]);
    let by_stranger = nation.sign(Kind::Charter, draft.clone(), &[&roots[0], &roots[3]]);
    let by_registrar = nation.sign(Kind::Charter, draft.clone(), &[&roots[0], &key(nation, Role::Registrar, 0)]);
    let by_three = nation.sign(Kind::Charter, draft.clone(), &[&roots[0], &roots[1], &roots[2]]);
    let mut second = draft;
    second["version"] = json!(2);
    second["previous"] = json!(charter.record_digest());
    let second = nation.sign(Kind::Charter, second, &[&roots[0], &roots[1]]);
    let elsewhere = Nation::new("KE").charter();
    log.admit("the charter", &[], charter.clone());
    log.admit("a charter by three of three roots", &[], by_three);
    log.refuse("a charter by one of two roots", &[], &by_one, "threshold-not-met: 1 of 2 roots of version 1 signed");
    log.refuse("a charter by a root and a key that is none", &[], &by_stranger, "key-unknown: the key ");
    log.refuse("a charter by a root and the registrar", &[], &by_registrar, "key-unknown: the key ");
    log.refuse(
        "a charter with a signature that does not hold",
        &[],
        &forged(&charter),
        "signature-invalid: the signature of the key ",
    );
    log.refuse("a second charter first", &[], &second, "charter-missing: a log begins with version 1");
    log.refuse("a delegation first", &[], &publisher, "charter-missing: a log begins with its nation's charter");
    log.refuse("the charter again", &["the charter"], &charter, "already-entered: it stands in this log already");
    log.refuse(
        "another first charter",
        &["the charter"],
        &anew,
        &format!(
            "charter-not-next: version 1 of the charter is in force, with the digest {}; the one to follow has the \
             version after it",
            charter.record_digest()
        ),
    );
    log.admit("a second charter by the same roots", &["the charter"], second);
    log.refuse(
        "another nation's charter",
        &[],
        &elsewhere,
        "wrong-log: it is for the log ke.example.org/chancery of KE",
    );
    let mut late = log.case(&[], &charter, None);
    late["void"] = json!(1);
    log.cases.push(bad(
        "a charter after an entry that does not count",
        late,
        "charter-missing: a log begins with its nation's charter; this one stands at 1",
    ));
    log.admit("the publisher", &["the charter"], publisher.clone());
    log.refuse(
        "the publisher again",
        &["the charter", "the publisher"],
        &publisher,
        "already-entered: it stands in this log already",
    );
    // A charter that asks for an algorithm of a later version lets nobody speak to this one.
    let payload = String::from_utf8(charter.payload().to_vec()).unwrap();
    let payload = payload.replacen(r#""algorithms":["ed25519"]"#, r#""algorithms":["ed25519","ml-dsa-65"]"#, 1);
    let signers = [&roots[0] as &dyn Signer, &roots[1]];
    let envelope = Envelope::sign(payload.into_bytes(), &signers).unwrap();
    log.admit("a charter that asks for ML-DSA too", &[], envelope);
    log.refuse(
        "the publisher under a charter that asks for ML-DSA too",
        &["a charter that asks for ML-DSA too"],
        &publisher,
        "algorithm-missing: the charter requires a signature with ml-dsa-65 too",
    );
}

/// The first charter has the roots 0, 1 and 2, the second 1, 2 and 3; two must sign of each. The second
/// has another registrar and other keys to cosign with.
fn rotation_cases(log: &mut History) {
    let first = log.entered["the charter"].clone();
    let draft = {
        let nation = &log.nation;
        let mut draft = nation.next_charter_draft(2, &first, &[1, 2, 3]);
        draft["registrars"] = json!([nation.key_record(Role::Registrar, 1)]);
        draft["witness"]["key"] = json!(nation.key_record(Role::Witness, 1));
        draft["mirror"]["key"] = json!(nation.key_record(Role::Mirror, 1));
        draft["expires"] = json!("2035-01-01T00:00:00Z");
        draft
    };
    let with = |member: &str, value: Value| {
        let mut draft = draft.clone();
        *draft.pointer_mut(member).unwrap() = value;
        draft
    };
    let founded = ["the charter", "the publisher"];
    let second = log.nation.sign_charter(draft.clone(), &[0, 1, 3]);
    log.admit("the second charter", &founded, second.clone());
    let by = |log: &mut History, draft: &Value, roots: &[u8]| log.nation.sign_charter(draft.clone(), roots);
    for (name, roots) in [
        ("two roots of both", &[1, 2][..]),
        ("a root of both, one of the old and one of the new", &[0, 2, 3]),
        ("every root of both", &[0, 1, 2, 3]),
    ] {
        let envelope = by(log, &draft, roots);
        log.admit(&format!("a second charter by {name}"), &founded, envelope);
    }
    let old = "threshold-not-met: 1 of 2 roots of version 1 signed";
    let new = "threshold-not-met: 1 of 2 roots of version 2 signed";
    let both = "threshold-not-met: 1 of 2 roots of version 1 signed, and 1 of 2 roots of version 2 signed";
    for (name, roots, words) in [
        ("one short of the old threshold", &[1, 3][..], old),
        ("one short of the new threshold", &[0, 1], new),
        ("one short of either", &[1], both),
        ("one of the old and one of the new", &[0, 3], both),
        ("a stranger beside enough roots", &[1, 2, 9], "key-unknown: the key "),
    ] {
        let envelope = by(log, &draft, roots);
        log.refuse(&format!("a second charter by {name}"), &founded, &envelope, words);
    }
    // A key that signs twice is one key, and so is a root that a charter names twice.
    let mut twice: Value = serde_json::from_slice(&by(log, &draft, &[1]).to_bytes()).unwrap();
    let signature = twice["signatures"][0].clone();
    twice["signatures"].as_array_mut().unwrap().push(signature);
    let mut case = log.case(&founded, &second, None);
    case["envelope"] = json!(twice.to_string());
    log.cases.push(bad("a second charter by one root twice", case, "malformed: the key "));
    let payload = String::from_utf8(second.payload().to_vec()).unwrap();
    let [one, other] = [1, 2].map(|number| json!(log.nation.key_record(Role::Root, number)).to_string());
    let payload = payload.replacen(&other, &one, 1);
    let keys = [0, 1].map(|number| log.nation.key(Role::Root, number));
    let envelope = Envelope::sign(payload.into_bytes(), &[&keys[0] as &dyn Signer, &keys[1]]).unwrap();
    log.refuse(
        "a second charter that names one root twice",
        &founded,
        &envelope,
        "malformed: the charter is not well formed: : the root key ",
    );
    log.refuse(
        "a second charter with a signature that does not hold",
        &founded,
        &forged(&second),
        "signature-invalid: the signature of the key ",
    );
    let registrar = log.nation.key(Role::Registrar, 0);
    let [one, two] = [1, 2].map(|number| log.nation.key(Role::Root, number));
    let envelope = log.nation.sign(Kind::Charter, draft.clone(), &[&one, &two, &registrar]);
    log.refuse("a second charter by enough roots and the registrar", &founded, &envelope, "key-unknown: the key ");

    let not_next = "charter-not-next: version 1 of the charter is in force";
    for (name, draft, words) in [
        ("names another as the one before", with("/previous", json!(digest("another"))), not_next),
        ("names its envelope as the one before", with("/previous", json!(first.digest())), not_next),
        ("skips a version", with("/version", json!(3)), not_next),
        (
            "names another log key",
            with("/logKey", json!(log.nation.key_record(Role::Log, 1))),
            "wrong-log: the charter has another key for its log than the one in force",
        ),
        (
            "gives the witness another name",
            with("/witness/name", json!("fr.example.org/chancery/other")),
            "wrong-log: the charter has another name for its witness than the one in force",
        ),
        (
            "gives the mirror another name",
            with("/mirror/name", json!("fr.example.org/chancery/other")),
            "wrong-log: the charter has another name for its mirror than the one in force",
        ),
    ] {
        let envelope = by(log, &draft, &[1, 2]);
        log.refuse(&format!("a second charter that {name}"), &founded, &envelope, words);
    }
    later_charter_cases(log, &second, &draft);
}

/// What follows the second charter.
fn later_charter_cases(log: &mut History, second: &Envelope, draft: &Value) {
    let rotated = ["the charter", "the publisher", "the second charter"];
    let first = log.entered["the charter"].clone();
    log.refuse("the first charter after the second", &rotated, &first, "already-entered: it stands in this log");
    let rival = log.nation.sign_charter(draft.clone(), &[1, 2]);
    log.refuse(
        "another second charter after the second",
        &rotated,
        &rival,
        "charter-not-next: version 2 of the charter is in force",
    );
    let third = log.nation.next_charter_draft(3, second, &[2, 3, 4]);
    let by_gone = log.nation.sign_charter(third.clone(), &[0, 2, 3]);
    log.refuse("a third charter with a root of the first", &rotated, &by_gone, "key-unknown: the key ");
    let envelope = log.nation.sign_charter(third.clone(), &[2, 3]);
    log.admit("the third charter", &rotated, envelope);

    // Registrars come and go with the charter; whom they let speak may go on.
    let card = log.nation.card("model", "1.0");
    log.admit("a card under the second charter", &rotated, card);
    let registrars = [0, 1].map(|number| log.nation.key(Role::Registrar, number));
    let exchange = log.nation.delegation_draft(Role::Exchange, &[Kind::Accreditation], &[]);
    let [by_old, by_new] = registrars.each_ref().map(|key| log.nation.sign(Kind::Delegation, exchange.clone(), &[key]));
    log.refuse("a delegation by a registrar who is gone", &rotated, &by_old, "key-unknown: the key ");
    log.admit("a delegation by the new registrar", &rotated, by_new);

    // Expiry is judged by the charter in force alone, and never keeps the next one out.
    let late = "2031-01-01T00:00:00Z";
    let payload = {
        let header = Header { issued_at: late.parse().unwrap(), ..log.nation.header() };
        payload(Kind::Charter, &header, draft.as_object().unwrap()).unwrap()
    };
    let roots = [1, 2].map(|number| log.nation.key(Role::Root, number));
    let overslept = Envelope::sign(payload, &[&roots[0] as &dyn Signer, &roots[1]]).unwrap();
    let founded = ["the charter", "the publisher"];
    log.admit_own("own: a second charter after the first expired", &founded, &overslept, own(late.parse().unwrap()));
    log.admit("a second charter after the first expired", &founded, overslept);
    let renewed = ["the charter", "the publisher", "a second charter after the first expired"];
    let endpoint_draft = endpoint(&log.nation);
    let envelope = log.sign_at(late, Kind::Endpoint, &endpoint_draft, &registrars[1]);
    log.admit("an endpoint after the first charter expired", &renewed, envelope);
    let mut brief = draft.clone();
    brief["expires"] = json!("2027-01-01T00:00:00Z");
    let brief = log.nation.sign_charter(brief, &[1, 2]);
    log.refuse_own(
        "own: a second charter that has expired",
        &founded,
        &brief,
        own("2027-01-01T00:00:01Z".parse().unwrap()),
        "charter-expired: the charter ends at 2027-01-01T00:00:00Z, which is past",
    );
    log.admit("a second charter that expires before the first", &founded, brief);
    let envelope = log.sign_at("2027-01-01T00:00:01Z", Kind::Endpoint, &endpoint_draft, &registrars[1]);
    log.refuse(
        "an endpoint after the second charter expired, and before the first does",
        &["the charter", "the publisher", "a second charter that expires before the first"],
        &envelope,
        "charter-expired: the charter expired at 2027-01-01T00:00:00Z",
    );
    // What a charter requires of every signature, it requires of those on the next one.
    let asking = log.entered["a charter that asks for ML-DSA too"].clone();
    let next = log.nation.next_charter_draft(2, &asking, &[0, 1, 2]);
    let next = log.nation.sign_charter(next, &[0, 1]);
    log.refuse(
        "a second charter without the algorithm that the first asks for",
        &["a charter that asks for ML-DSA too"],
        &next,
        "algorithm-missing: the charter requires a signature with ml-dsa-65 too",
    );
}

fn key_cases(log: &mut History) {
    let founded = ["the charter", "the publisher"];
    let card = log.nation.card("model", "1.0");
    let draft = log.nation.card_draft("model", "1.0");
    let [publisher, registrar, root, log_key, exchange] =
        [Role::Publisher, Role::Registrar, Role::Root, Role::Log, Role::Exchange].map(|role| log.nation.key(role, 0));
    let second = log.nation.key(Role::Publisher, 1);
    let by = |log: &mut History, keys: &[&SigningKey]| log.nation.sign(Kind::ModelCard, draft.clone(), keys);
    log.admit("a card", &founded, card.clone());
    log.refuse("a card before its publisher", &["the charter"], &card, "key-unknown: the key ");
    log.refuse(
        "a card with a signature that does not hold",
        &founded,
        &forged(&card),
        "signature-invalid: the signature of the key ",
    );
    let envelope = by(log, &[&second]);
    log.refuse("a card by a key that is not delegated", &founded, &envelope, "is not delegated by FR");
    let envelope = by(log, &[&publisher, &second]);
    log.refuse("a card by the publisher and a key that is not delegated", &founded, &envelope, "key-unknown: the key ");
    for (name, key) in [("registrar", &registrar), ("root", &root), ("log", &log_key)] {
        let envelope = by(log, &[key]);
        log.refuse(
            &format!("a card by the {name} key"),
            &founded,
            &envelope,
            &format!("key-not-authorised: a {name} key cannot sign a model-card"),
        );
    }
    let envelope = by(log, &[&publisher, &root]);
    log.refuse(
        "a card by the publisher and a root",
        &founded,
        &envelope,
        "key-not-authorised: a root key cannot sign a model-card",
    );
    let models = log.nation.delegation_draft(Role::Publisher, &[Kind::ModelCard], &["*"]);
    let envelope = log.nation.sign(Kind::Delegation, models, &[&publisher]);
    log.refuse(
        "a delegation by the publisher",
        &founded,
        &envelope,
        "key-not-authorised: the publisher key of publisher of FR may not sign a delegation",
    );
    let accreditation = log.nation.sign(Kind::Accreditation, accreditation(), &[&exchange]);
    log.refuse("an accreditation by a key that is not delegated", &founded, &accreditation, "key-unknown: the key ");
    let delegation = log.nation.delegation(Role::Exchange, &[Kind::Accreditation], &[]);
    log.admit("the exchange", &["the charter"], delegation);
    log.admit("an accreditation", &["the charter", "the exchange"], accreditation);
    let endpoint_draft = endpoint(&log.nation);
    let envelope = log.nation.sign(Kind::Endpoint, endpoint_draft, &[&registrar]);
    log.admit("an endpoint by the registrar", &["the charter"], envelope);
    for (name, kinds, models, refused) in [
        ("a publisher of this model only", vec![Kind::ModelCard], "lab:model", None),
        ("a publisher of this organisation", vec![Kind::ModelCard], "lab", None),
        (
            "a publisher of weights only",
            vec![Kind::Weights],
            "*",
            Some("key-not-authorised: the publisher key of publisher of FR may not sign a model-card"),
        ),
        (
            "a publisher of another model",
            vec![Kind::ModelCard],
            "lab:other",
            Some("key-not-authorised: the key of publisher of FR may not speak of lab:model"),
        ),
        (
            "a publisher of a model whose name begins alike",
            vec![Kind::ModelCard],
            "lab:mod",
            Some("key-not-authorised: the key of publisher of FR may not speak of lab:model"),
        ),
        (
            "a publisher of an organisation whose name begins alike",
            vec![Kind::ModelCard],
            "la",
            Some("key-not-authorised: the key of publisher of FR may not speak of lab:model"),
        ),
    ] {
        let envelope = log.nation.delegation(Role::Publisher, &kinds, &[models]);
        log.admit(name, &["the charter"], envelope);
        let narrowed = ["the charter", "the publisher", name];
        match refused {
            None => log.admit(&format!("a card after {name}"), &narrowed, card.clone()),
            Some(words) => log.refuse(&format!("a card after {name}"), &narrowed, &card, words),
        }
    }
    // The publisher's key is valid from 2026-01-01 until 2028-01-01.
    for time in ["2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"] {
        let envelope = log.sign_at(time, Kind::ModelCard, &draft, &publisher);
        log.admit(&format!("a card of {time}"), &founded, envelope);
    }
    for time in ["2025-12-31T23:59:59Z", "2028-01-01T00:00:01Z"] {
        let envelope = log.sign_at(time, Kind::ModelCard, &draft, &publisher);
        log.refuse(
            &format!("a card of {time}"),
            &founded,
            &envelope,
            "key-expired: the key of publisher of FR is valid from 2026-01-01T00:00:00Z until 2028-01-01T00:00:00Z",
        );
    }
    // The charter expires at 2030-01-01.
    let registrar_draft = endpoint(&log.nation);
    let envelope = log.sign_at("2030-01-01T00:00:00Z", Kind::Endpoint, &registrar_draft, &registrar);
    log.admit("an endpoint at the last second of the charter", &["the charter"], envelope);
    let envelope = log.sign_at("2030-01-01T00:00:01Z", Kind::Endpoint, &registrar_draft, &registrar);
    log.refuse(
        "an endpoint after the charter expired",
        &["the charter"],
        &envelope,
        "charter-expired: the charter expired at 2030-01-01T00:00:00Z",
    );
    // The same keys under another nation or log.
    let mut impostor = Nation::new("KE");
    let envelope = impostor.sign(Kind::ModelCard, draft.clone(), &[&publisher]);
    log.refuse(
        "a card for another nation's log",
        &founded,
        &envelope,
        "wrong-log: it is for the log ke.example.org/chancery of KE, not for fr.example.org/chancery of FR",
    );
    impostor.origin = log.nation.origin.clone();
    let envelope = impostor.sign(Kind::ModelCard, draft.clone(), &[&publisher]);
    log.refuse(
        "a card of another nation",
        &founded,
        &envelope,
        "wrong-log: it is for the log fr.example.org/chancery of KE, not for fr.example.org/chancery of FR",
    );
}

fn reference_cases(log: &mut History) {
    let founded = ["the charter", "the publisher"];
    let publisher = log.nation.key(Role::Publisher, 0);
    let license = log.nation.license("open");
    let weights = log.nation.sign(Kind::Weights, weights(), &[&publisher]);
    let mut draft = log.nation.card_draft("model", "1.0");
    draft["license"] = json!(license.record_digest());
    draft["weights"] = json!([weights.record_digest()]);
    let card = log.nation.sign(Kind::ModelCard, draft.clone(), &[&publisher]);
    log.admit("license terms", &founded, license.clone());
    log.admit("the weights", &founded, weights.clone());
    log.admit(
        "a card with weights and license",
        &["the charter", "the publisher", "license terms", "the weights"],
        card.clone(),
    );
    let words = |kind: Kind, envelope: &Envelope| {
        format!("reference-unknown: no {kind} {} is in this log; publish it first", envelope.record_digest())
    };
    log.refuse(
        "a card before its weights",
        &["the charter", "the publisher", "license terms"],
        &card,
        &words(Kind::Weights, &weights),
    );
    log.refuse(
        "a card before its license",
        &["the charter", "the publisher", "the weights"],
        &card,
        &words(Kind::License, &license),
    );
    draft["license"] = json!(weights.record_digest());
    let mistaken = log.nation.sign(Kind::ModelCard, draft, &[&publisher]);
    log.refuse(
        "a card whose license is weights",
        &["the charter", "the publisher", "the weights"],
        &mistaken,
        &words(Kind::License, &weights),
    );
    let mut draft = log.nation.card_draft("other", "1.0");
    draft["weights"] = json!([weights.record_digest()]);
    let foreign = log.nation.sign(Kind::ModelCard, draft, &[&publisher]);
    log.refuse(
        "a card with another model's weights",
        &["the charter", "the publisher", "the weights"],
        &foreign,
        &format!("reference-foreign: the weights {} are not of lab:other", weights.record_digest()),
    );
    let with_card = ["the charter", "the publisher", "a card"];
    let first = log.entered["a card"].clone();
    let again = log.nation.card("model", "1.0");
    log.refuse(
        "a second card of the version",
        &with_card,
        &again,
        &format!("version-taken: this version has the card {}", first.record_digest()),
    );
    log.refuse("the same card again", &with_card, &first, "already-entered: it stands in this log already");
    let next = log.nation.card("model", "1.1");
    log.admit("a card of the next version", &with_card, next);
    let superseding = |log: &mut History, digest: Digest| {
        let mut draft = log.nation.card_draft("model", "1.0");
        draft["supersedes"] = json!(digest);
        log.nation.sign(Kind::ModelCard, draft, &[&publisher])
    };
    let new = superseding(log, first.record_digest());
    log.admit("a card that supersedes the first", &with_card, new.clone());
    let unknown =
        format!("supersedes-unknown: {} is not the card that now stands for this version", first.record_digest());
    log.refuse("a card that supersedes one that is not there", &founded, &new, &unknown);
    let with_new = ["the charter", "the publisher", "a card", "a card that supersedes the first"];
    let late = superseding(log, first.record_digest());
    log.refuse("a card that supersedes one already superseded", &with_new, &late, &unknown);
    let newest = superseding(log, new.record_digest());
    log.admit("a card that supersedes the second", &with_new, newest);
}

/// Who may revoke what, and what a revoked key may do.
fn revoked_cases(log: &mut History) {
    let key = |nation: &Nation, role: Role, number: u8| nation.key(role, number);
    let [registrar, other] = [0, 1].map(|number| key(&log.nation, Role::Registrar, number));
    let roots: Vec<SigningKey> = (0..3).map(|number| key(&log.nation, Role::Root, number)).collect();
    let publisher = key(&log.nation, Role::Publisher, 0);
    let keyid = |nation: &Nation, role: Role, number: u8| nation.key_record(role, number).keyid;
    let [publisher_id, registrar_id, root_id, log_id] =
        [Role::Publisher, Role::Registrar, Role::Root, Role::Log].map(|role| keyid(&log.nation, role, 0));
    // A charter with two registrars.
    let mut draft = log.nation.charter_draft();
    draft["registrars"] = json!([0, 1].map(|number| log.nation.key_record(Role::Registrar, number)));
    let charter = log.nation.sign(Kind::Charter, draft, &[&roots[0], &roots[1]]);
    log.admit("a charter with two registrars", &[], charter);
    let founded = ["a charter with two registrars", "the publisher"];
    let revoke = |log: &mut History, key: &Digest, reason: &str, since: Option<u64>, signers: &[&SigningKey]| {
        let mut draft = json!({ "key": key, "reason": reason });
        if let Some(since) = since {
            draft["since"] = json!(since);
        }
        log.nation.sign(Kind::Revocation, draft, signers)
    };
    let card = log.entered["a card"].clone();
    for reason in ["retired", "lost", "compromised-unknown"] {
        let envelope = revoke(log, &publisher_id, reason, None, &[&registrar]);
        log.admit(&format!("the publisher's key, {reason}"), &founded, envelope);
        let after = [founded[0], founded[1], &format!("the publisher's key, {reason}")];
        log.refuse(&format!("a card after its key was {reason}"), &after, &card, "key-revoked: the key ");
    }
    let since = revoke(log, &publisher_id, "compromised-since", Some(2), &[&other]);
    log.admit("the publisher's key, compromised since entry 2, by another registrar", &founded, since);
    let ahead = revoke(log, &publisher_id, "compromised-since", Some(3), &[&registrar]);
    log.refuse("a key compromised since an entry to come", &founded, &ahead, "position-ahead: it revokes from entry 3");
    let revoked = [founded[0], founded[1], "the publisher's key, retired"];
    let again = log.nation.publisher();
    log.refuse("a revoked key, delegated again", &revoked, &again, "key-revoked: the key ");
    let twice = revoke(log, &publisher_id, "compromised-unknown", None, &[&registrar]);
    log.admit("a retired key, compromised too", &revoked, twice);
    let by_publisher = revoke(log, &publisher_id, "retired", None, &[&publisher]);
    log.refuse("a revocation by the key itself", &founded, &by_publisher, "key-not-authorised: the publisher key");
    let by_root = revoke(log, &publisher_id, "retired", None, &[&roots[0]]);
    log.refuse("a revocation by one of two roots", &founded, &by_root, "threshold-not-met: 1 of 2 roots signed");
    let by_roots = revoke(log, &publisher_id, "retired", None, &[&roots[0], &roots[2]]);
    log.admit("a revocation by two roots", &founded, by_roots);
    let together = revoke(log, &publisher_id, "retired", None, &[&roots[0], &registrar]);
    let words = "key-not-authorised: roots and registrars do not revoke together";
    log.refuse("a revocation by a root and a registrar", &founded, &together, words);
    let unknown = revoke(log, &Digest::of(b"nobody's"), "lost", None, &[&registrar]);
    log.refuse("a registrar revokes a key of nobody", &founded, &unknown, "key-unknown: the key ");
    let words = "key-not-authorised: no registrar delegated the key ";
    let rival = revoke(log, &registrar_id, "compromised-since", Some(0), &[&other]);
    log.refuse("a registrar revokes a registrar", &founded, &rival, words);
    let by_roots = revoke(log, &registrar_id, "compromised-since", Some(1), &[&roots[0], &roots[1]]);
    log.admit("the roots revoke a registrar since entry 1", &founded, by_roots);
    let without = [founded[0], founded[1], "the roots revoke a registrar since entry 1"];
    log.refuse("a card after its publisher's registrar was revoked", &without, &card, "its registrar's key ");
    let anew = log.nation.delegation_draft(Role::Publisher, &[Kind::ModelCard], &["*"]);
    let stolen = log.nation.sign(Kind::Delegation, anew.clone(), &[&registrar]);
    log.refuse("a delegation by a revoked registrar", &without, &stolen, "key-revoked: the key ");
    let anew = log.nation.sign(Kind::Delegation, anew, &[&other]);
    log.admit("the publisher, delegated again by the other registrar", &without, anew);
    let again = [without[0], without[1], without[2], "the publisher, delegated again by the other registrar"];
    log.admit("a card after its publisher was delegated again", &again, card.clone());
    void_cases(log, &founded, &registrar, &card);
    for (name, id) in [("root", &root_id), ("log", &log_id)] {
        let envelope = revoke(log, id, "lost", None, &[&roots[0], &roots[1]]);
        let words = format!("key-not-authorised: the {name} key ");
        log.refuse(&format!("the roots revoke a {name} key"), &founded, &envelope, &words);
    }
    let before = log.entered["a charter with two registrars"].record_digest();
    for (name, number, after, words) in [
        ("robbed", 0, &without[..], "key-revoked: the registrar key "),
        ("as it was", 0, &founded[..], ""),
        ("that is the publisher's", 9, &founded[..], "key-not-authorised: the registrar key "),
    ] {
        let mut draft = log.nation.charter_draft();
        draft["version"] = json!(2);
        draft["previous"] = json!(before);
        if number == 9 {
            let record = KeyRecord::issue(&publisher, &log.nation.code, &log.nation.origin, Role::Registrar).unwrap();
            draft["registrars"] = json!([record]);
        }
        let envelope = log.nation.sign(Kind::Charter, draft, &[&roots[0], &roots[1]]);
        match words {
            "" => log.admit(&format!("a next charter with a registrar {name}"), after, envelope),
            words => log.refuse(&format!("a next charter with a registrar {name}"), after, &envelope, words),
        }
    }
    let mut affirms = json!({ "key": publisher_id, "reason": "compromised-unknown", "affirms": [digest("a record")] });
    let envelope = log.nation.sign(Kind::Revocation, affirms.clone(), &[&registrar]);
    let words = "key-not-authorised: only the roots affirm";
    log.refuse("a registrar affirms what a key signed", &founded, &envelope, words);
    affirms["key"] = json!(publisher_id);
    let envelope = log.nation.sign(Kind::Revocation, affirms, &[&roots[1], &roots[2]]);
    log.admit("the roots affirm what a key signed", &founded, envelope);
    let mut draft = log.nation.delegation_draft(Role::Publisher, &[Kind::ModelCard], &["*"]);
    draft["role"] = json!("publisher");
    draft["key"] = json!(as_publisher(&log.nation, &registrar));
    let envelope = log.nation.sign(Kind::Delegation, draft, &[&other]);
    let words = "is the registrar key of the charter; delegate another one";
    log.refuse("a registrar's key as a publisher's too", &founded, &envelope, words);
}

/// What a revoked key signed too late is not there for others.
fn void_cases(log: &mut History, founded: &[&str; 2], registrar: &SigningKey, card: &Envelope) {
    let (publisher, another) = (log.nation.key(Role::Publisher, 0), log.nation.key(Role::Publisher, 1));
    let mut draft = log.nation.delegation_draft(Role::Publisher, &[Kind::ModelCard, Kind::Weights], &["*"]);
    draft["key"] = json!(log.nation.key_record(Role::Publisher, 1));
    let delegation = log.nation.sign(Kind::Delegation, draft, &[registrar]);
    let [charter, first] = *founded;
    log.admit("another publisher", founded, delegation);
    let both = [charter, first, "another publisher"];
    let stolen = log.nation.sign(Kind::Weights, weights(), &[&publisher]);
    log.admit("weights by a thief", &both, stolen.clone());
    let mut later = log.nation.card_draft("model", "1.0");
    later["supersedes"] = json!(card.record_digest());
    let later = log.nation.sign(Kind::ModelCard, later, &[&publisher]);
    log.admit("a card before the theft", &both, card.clone());
    let stood = [charter, first, "another publisher", "a card before the theft"];
    log.admit("a card by a thief", &stood, later.clone());
    let keyid = log.nation.key_record(Role::Publisher, 0).keyid;
    let draft = json!({ "key": keyid, "reason": "compromised-since", "since": 3 });
    let revocation = log.nation.sign(Kind::Revocation, draft.clone(), &[registrar]);
    let with_weights = [charter, first, "another publisher", "weights by a thief"];
    log.admit("the thief's key, revoked after the weights", &with_weights, revocation);
    let mut draft = log.nation.card_draft("model", "1.0");
    draft["weights"] = json!([stolen.record_digest()]);
    let naming = log.nation.sign(Kind::ModelCard, draft, &[&another]);
    let void = [&with_weights[..], &["the thief's key, revoked after the weights"]].concat();
    log.refuse("a card that names a thief's weights", &void, &naming, "reference-void: the weights ");
    let draft = json!({ "key": keyid, "reason": "compromised-since", "since": 4 });
    let revocation = log.nation.sign(Kind::Revocation, draft, &[registrar]);
    let with_card = [&stood[..], &["a card by a thief"]].concat();
    log.admit("the thief's key, revoked after the card", &with_card, revocation);
    let after = [&with_card[..], &["the thief's key, revoked after the card"]].concat();
    for (name, superseded, refused) in [
        ("a card that supersedes the one before the theft", card, None),
        ("a card that supersedes the thief's", &later, Some("supersedes-unknown: ")),
    ] {
        let mut draft = log.nation.card_draft("model", "1.0");
        draft["supersedes"] = json!(superseded.record_digest());
        let envelope = log.nation.sign(Kind::ModelCard, draft, &[&another]);
        match refused {
            None => log.admit(name, &after, envelope),
            Some(words) => log.refuse(name, &after, &envelope, words),
        }
    }
}

/// The record with which the holder of any key asks to be a publisher.
fn as_publisher(nation: &Nation, key: &SigningKey) -> KeyRecord {
    KeyRecord::issue(key, &nation.code, &nation.origin, Role::Publisher).unwrap()
}

fn own_cases(log: &mut History) {
    let founded = ["the charter", "the publisher"];
    let card = log.entered["a card"].clone();
    let publisher = log.nation.key(Role::Publisher, 0);
    log.admit_own("own: the charter", &[], &log.entered["the charter"].clone(), own(day()));
    log.admit_own("own: a card", &founded, &card, own(day()));
    log.admit_own(
        "own: a card as early as clocks may differ",
        &founded,
        &card,
        own(day().plus_seconds(-CLOCK_SKEW_SECONDS)),
    );
    log.refuse_own(
        "own: a card a second too early",
        &founded,
        &card,
        own(day().plus_seconds(-CLOCK_SKEW_SECONDS - 1)),
        "issued-in-future: the record says it was issued at 2026-11-24T12:00:00Z",
    );
    let last: Timestamp = "2028-01-01T00:00:00Z".parse().unwrap();
    log.admit_own("own: a card at the last second of its key", &founded, &card, own(last));
    log.refuse_own(
        "own: a card signed into the past after its key expired",
        &founded,
        &card,
        own(last.plus_seconds(1)),
        "key-expired: the key ",
    );
    let future =
        log.sign_at("2027-12-31T00:00:00Z", Kind::ModelCard, &log.nation.card_draft("model", "1.0"), &publisher);
    log.admit("a card of tomorrow, seen by a mirror", &founded, future);
    let with_blobs = |blobs: Value| {
        let mut own = own(day());
        own["blobs"] = blobs;
        own
    };
    log.refuse_own(
        "own: a card whose document is not held",
        &founded,
        &card,
        with_blobs(json!({})),
        "blob-missing: upload the blob ",
    );
    let document = Digest::of(b"# model 1.0\n").to_string();
    log.refuse_own(
        "own: a card whose document has another size",
        &founded,
        &card,
        with_blobs(json!({ document: 13 })),
        "of 12 bytes first",
    );
    let mut elsewhere = own(day());
    elsewhere["nation"] = json!("KE");
    log.refuse_own(
        "own: a node of another nation",
        &founded,
        &card,
        elsewhere,
        "wrong-log: it is for the log fr.example.org/chancery of FR, not for fr.example.org/chancery of KE",
    );
    let mut elsewhere = own(day());
    elsewhere["origin"] = json!("fr.example.org/other");
    log.refuse_own(
        "own: a node of another log",
        &[],
        &log.entered["the charter"].clone(),
        elsewhere,
        "wrong-log: it is for the log fr.example.org/chancery of FR, not for fr.example.org/other of FR",
    );
}

/// What a nation's own node asks of a new record, and a mirror of none.
fn new_cases(log: &mut History) {
    let exchange = log.nation.key(Role::Exchange, 0);
    let payload = log.entered["an accreditation"].payload().to_vec();
    let payload = String::from_utf8(payload).unwrap().replacen(r#""partner":"KE""#, r#""partner":"SU""#, 1);
    let envelope = Envelope::sign(payload.into_bytes(), &[&exchange as &dyn Signer]).unwrap();
    let before = ["the charter", "the exchange"];
    log.admit("an accreditation of a nation that is no more", &before, envelope.clone());
    log.refuse_own(
        "own: an accreditation of a nation that is no more",
        &before,
        &envelope,
        own(day()),
        "malformed: the accreditation is not well formed: /partner: SU is not a code of ISO 3166-1",
    );
}

fn malformed_cases(log: &mut History) {
    let founded = ["the charter", "the publisher"];
    let card = log.entered["a card"].clone();
    let publisher = log.nation.key(Role::Publisher, 0);
    let with = |from: &str, to: &str| {
        let payload = String::from_utf8(card.payload().to_vec()).unwrap();
        assert!(payload.contains(from), "{from}");
        Envelope::sign(payload.replacen(from, to, 1).into_bytes(), &[&publisher as &dyn Signer]).unwrap()
    };
    log.refuse(
        "a kind that nobody knows yet",
        &founded,
        &with("predicate:model-card", "predicate:peace-treaty"),
        "kind-unknown: records of kind `peace-treaty:v1` are unknown",
    );
    log.refuse(
        "a payload that is no statement",
        &founded,
        &Envelope::sign(b"{}".to_vec(), &[&publisher as &dyn Signer]).unwrap(),
        "malformed: the statement's _type is missing",
    );
    log.refuse(
        "a payload with a key that stands twice",
        &founded,
        &with(r#""org":"lab""#, r#""org":"lab","org":"lab""#),
        "malformed: the statement is not strict JSON: the key \"org\" stands twice",
    );
    log.refuse(
        "a predicate that is not well formed",
        &founded,
        &with(r#""org":"lab""#, r#""org":"Lab""#),
        "malformed: the model-card is not well formed: /org",
    );
    log.refuse(
        "a subject that is another",
        &founded,
        &with("README.md", "LISEZMOI.md"),
        "malformed: the subjects of the statement are not those of its predicate",
    );
    let case = log.case(&founded, &card, None);
    let text = text_of(&case, "envelope");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut case = case.clone();
        change(&mut case);
        case
    };
    log.cases.push(good(
        "an envelope that is not in its fixed form",
        changed(&|case| case["envelope"] = json!(format!(" {text}\n"))),
    ));
    log.cases.push(bad(
        "an envelope without signature",
        changed(&|case| {
            let (head, _) = text.split_once(r#""signatures""#).unwrap();
            case["envelope"] = json!(format!(r#"{head}"signatures":[]}}"#));
        }),
        "malformed: the envelope's signatures is missing or malformed",
    ));
    log.cases.push(bad(
        "an envelope cut short",
        changed(&|case| case["envelope"] = json!(text[..text.len() - 1])),
        "malformed: the envelope is not strict JSON",
    ));
    log.cases.push(bad(
        "an envelope that is too large",
        changed(&|case| case["spacesAfter"] = json!(ENVELOPE_BYTES_MAX)),
        "too-large: the envelope is larger than 1048576 bytes",
    ));
}

#[test]
fn a_body_is_its_entrys() {
    let about = "The body beside an entry (schema/src/admission.rs): `body` must be an envelope in its fixed form, \
                 have the digest that `entry` names, and be of the kind that it says. `expect`: the record digest. \
                 `refused`: the code, a colon, and part of the reason.";
    let mut nation = Nation::new("FR");
    let (charter, publisher) = (nation.charter(), nation.publisher());
    let text = String::from_utf8(publisher.to_bytes()).unwrap();
    let entry = |kind: &str, digest: Digest| String::from_utf8(Entry::new(kind, digest).unwrap().to_bytes()).unwrap();
    let of = |kind: &str, body: &str| json!({ "entry": entry(kind, publisher.digest()), "body": body });
    let mut second = publisher.clone();
    second.add_signature(&nation.key(Role::Registrar, 1)).unwrap();
    let second = String::from_utf8(second.to_bytes()).unwrap();
    let another = "malformed: the body is not the one that the entry names";
    let cases = vec![
        good("its own", of("delegation", &text)),
        bad("another record's", json!({ "entry": entry("delegation", charter.digest()), "body": text }), another),
        bad("the same record with a signature more", of("delegation", &second), another),
        bad(
            "of another kind",
            of("charter", &text),
            "malformed: the entry says charter and the record is a delegation",
        ),
        bad(
            "not in its fixed form",
            of("delegation", &format!("{text}\n")),
            "malformed: the envelope is not in its fixed form",
        ),
        bad("nothing", of("delegation", ""), "malformed: the envelope is not strict JSON"),
        bad(
            "of the digest of the payload",
            json!({ "entry": entry("delegation", publisher.record_digest()), "body": text }),
            another,
        ),
    ];
    check("body", about, &cases, |case| {
        let entry = Entry::parse(text_of(case, "entry").as_bytes()).unwrap();
        match Submission::of_entry(&entry, text_of(case, "body").as_bytes()) {
            Ok(submission) => Ok(json!({ "digest": submission.digest })),
            Err(refusal) => Err(format!("{}: {}", refusal.code.as_str(), refusal.reason)),
        }
    });
}
