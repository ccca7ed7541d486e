//! Statements and envelopes.

use chancery_schema::base64;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::{Envelope, pre_authentication_encoding};
use chancery_schema::key::{PublicKey, Role, Signer};
use chancery_schema::limits::{ENVELOPE_BYTES_MAX, SIGNATURE_BYTES_MAX, SIGNATURES_MAX};
use chancery_schema::statement::Statement;
use serde_json::{Value, json};

use super::golden::{Verdict, bad, bytes_of, check, good, list_of, number_of, reason};
use super::nation::Nation;

const STATEMENT: &str = concat!(
    r#"{"_type":"https://in-toto.io/Statement/v1","#,
    r#""subject":[{"name":"a","digest":{"#,
    r#""sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}],"#,
    r#""predicateType":"urn:chancery:predicate:charter:v1","predicate":{"n":1}}"#,
);

#[test]
fn statements_are_read_in_one_way() {
    let about = "Payloads (schema/src/statement.rs): in-toto Statement v1 in strict JSON. `payload` is the signed \
                 text, or `payloadBase64` its bytes. `expect` is what is read; `refused` is part of the reason.";
    let with = |from: &str, to: &str| {
        assert!(STATEMENT.contains(from), "{from}");
        json!({ "payload": STATEMENT.replacen(from, to, 1) })
    };
    let subject = format!(r#"{{"name":"a","digest":{{"sha256":"{}"}}}}"#, Digest::of(b""));
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let bytes = |bytes: &[u8]| json!({ "payloadBase64": base64::encode(bytes) });
    let mut invalid = STATEMENT.as_bytes().to_vec();
    invalid[60] = 0xff;
    let cases = vec![
        good("a statement", json!({ "payload": STATEMENT })),
        good("a kind that nobody knows yet", with("predicate:charter", "predicate:peace-treaty")),
        good("unknown members are ignored", with(r#","predicate":"#, r#","later":[null],"predicate":"#)),
        good("2^53 - 1", with(r#""n":1"#, r#""n":9007199254740991"#)),
        good("nested to depth 32", with(r#""n":1"#, &format!(r#""n":{}"#, deep(30)))),
        good("white space and other order", json!({ "payload": format!(" {STATEMENT}\r\n\t") })),
        bad("another type", with("Statement/v1", "Statement/v0.1"), "_type is missing or malformed"),
        bad("no type", with("_type", "type"), "_type is missing or malformed"),
        bad(
            "another predicate type",
            with("urn:chancery:predicate:charter:v1", "https://slsa.dev/provenance/v1"),
            "predicateType",
        ),
        good("a version that nobody knows yet", with("charter:v1", "charter:v2")),
        good("the last version that there can be", with("charter:v1", "charter:v4294967295")),
        bad("a version past it", with("charter:v1", "charter:v4294967296"), "predicateType is missing or malformed"),
        bad("version 0", with("charter:v1", "charter:v0"), "predicateType is missing or malformed"),
        bad(
            "a version with a leading zero",
            with("charter:v1", "charter:v01"),
            "predicateType is missing or malformed",
        ),
        bad("a version with a sign", with("charter:v1", "charter:v+1"), "predicateType is missing or malformed"),
        bad("a version with a point", with("charter:v1", "charter:v1.0"), "predicateType is missing or malformed"),
        bad("no number of a version", with("charter:v1", "charter:v"), "predicateType is missing or malformed"),
        bad("no version", with("charter:v1", "charter"), "predicateType is missing or malformed"),
        bad("a kind in upper case", with("predicate:charter", "predicate:Charter"), "predicateType"),
        bad(
            "a kind of 33 letters",
            with("predicate:charter", &format!("predicate:{}", "k".repeat(33))),
            "predicateType",
        ),
        bad("no kind", with("predicate:charter", "predicate:"), "predicateType is missing or malformed"),
        bad("no subject", with("subject", "subjects"), "subject is missing or malformed"),
        bad("an empty list of subjects", with(&subject, ""), "subject is missing or malformed"),
        bad("a digest in upper case", with("e3b0", "E3B0"), "subject is missing or malformed"),
        bad("a digest cut short", with("b855", "b8"), "subject is missing or malformed"),
        bad("a subject with another digest only", with("sha256", "sha512"), "subject is missing or malformed"),
        bad("a subject without name", with(r#""name":"a","#, ""), "subject is missing or malformed"),
        bad(
            "a subject that is a list",
            with(&subject, &subject.replace(r#"{"name":"#, "[").replace(r#","digest":"#, ",").replace("}}", "}]")),
            "subject is missing or malformed",
        ),
        bad("no predicate", with(r#","predicate":"#, r#","predicates":"#), "predicate is missing or malformed"),
        bad("a predicate that is a list", with(r#"{"n":1}"#, "[1]"), "predicate is missing or malformed"),
        bad("a key that stands twice", with(r#""n":1"#, r#""n":1,"n":2"#), r#"the key "n" stands twice"#),
        bad(
            "a key that stands twice, once escaped",
            with(r#""n":1"#, r#""n":1,"\u006e":2"#),
            r#"the key "n" stands twice"#,
        ),
        bad(
            "two predicates",
            with(r#","predicate":"#, r#","predicate":{},"predicate":"#),
            r#"the key "predicate" stands twice"#,
        ),
        bad("2^53", with(r#""n":1"#, r#""n":9007199254740992"#), "past 2^53 - 1"),
        bad("a fraction", with(r#""n":1"#, r#""n":1.0"#), "not a plain integer"),
        bad("an exponent", with(r#""n":1"#, r#""n":1e2"#), "not a plain integer"),
        bad("minus zero", with(r#""n":1"#, r#""n":-0"#), "not a plain integer"),
        bad("nested deeper than 32", with(r#""n":1"#, &format!(r#""n":{}"#, deep(31))), "nested deeper than 32"),
        bad("nested to 100,000", with(r#""n":1"#, &format!(r#""n":{}"#, deep(100_000))), "nested deeper than 32"),
        bad("a lone surrogate", with(r#""n":1"#, r#""n":"\ud800""#), "not strict JSON"),
        bad("bytes after it", json!({ "payload": format!("{STATEMENT} x") }), "trailing characters"),
        bad(
            "a second statement after it",
            json!({ "payload": format!("{STATEMENT}{STATEMENT}") }),
            "trailing characters",
        ),
        bad("cut short", json!({ "payload": &STATEMENT[..STATEMENT.len() - 1] }), "EOF"),
        bad("nothing", json!({ "payload": "" }), "EOF"),
        bad("a byte order mark", json!({ "payload": format!("\u{feff}{STATEMENT}") }), "not strict JSON"),
        bad("bytes that are not UTF-8", bytes(&invalid), "not strict JSON"),
    ];
    check("statement", about, &cases, |case| {
        let statement = Statement::parse(&bytes_of(case, "payload")).map_err(|error| reason(&error))?;
        let subjects: Vec<Value> = statement.subject.iter().map(|it| json!([it.name, it.digest.sha256])).collect();
        Ok(json!({
            "kind": statement.kind,
            "version": statement.version,
            "subjects": subjects,
            "predicate": statement.predicate,
        }))
    });
}

/// The parts of an envelope signed by three roots.
struct Parts {
    payload: String,
    signatures: Vec<(String, String)>,
}

impl Parts {
    fn of(envelope: &Envelope) -> Self {
        let value: Value = serde_json::from_slice(&envelope.to_bytes()).unwrap();
        let text = |value: &Value, member: &str| value[member].as_str().unwrap().to_owned();
        let signatures = value["signatures"].as_array().unwrap().iter();
        Self {
            payload: text(&value, "payload"),
            signatures: signatures.map(|it| (text(it, "keyid"), text(it, "sig"))).collect(),
        }
    }

    fn text(&self) -> String {
        let signature = |(keyid, sig): &(String, String)| format!(r#"{{"keyid":"{keyid}","sig":"{sig}"}}"#);
        let signatures: Vec<String> = self.signatures.iter().map(signature).collect();
        let (payload, signatures) = (&self.payload, signatures.join(","));
        format!(r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[{signatures}]}}"#)
    }

    fn with(&self, change: impl Fn(&mut Self)) -> Value {
        let mut parts = Self { payload: self.payload.clone(), signatures: self.signatures.clone() };
        change(&mut parts);
        json!({ "envelope": parts.text() })
    }
}

fn url_safe(text: &str) -> String {
    text.replace('+', "-").replace('/', "_")
}

#[test]
fn envelopes_have_one_fixed_form() {
    let about = "DSSE envelopes and their fixed form (schema/src/envelope.rs). `envelope` is what arrives, followed by \
                 `spacesAfter` spaces. `expect`: `fixed` is the one form that is kept, `isFixed` whether it arrived in \
                 it, `digest` the SHA-256 that the log's entry names, `recordDigest` the SHA-256 of the payload, \
                 `signedMessage` the pre-authentication encoding in base64, `verified` whether each of `keys` \
                 (SubjectPublicKeyInfo in base64) has signed. `refused` is part of the reason.";
    let nation = Nation::new("FR");
    let keys: Vec<_> = (0..3).map(|number| nation.key(Role::Root, number)).collect();
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    // 242 bytes and then some that need '+' and '/' in base64.
    let payload = STATEMENT.replace(r#""n":1"#, r#""n":"?>?>~ÿ~~?","m":"x""#);
    let envelope = Envelope::sign(payload.clone().into_bytes(), &signers).unwrap();
    let parts = Parts::of(&envelope);
    let fixed = parts.text();
    assert_eq!(fixed.as_bytes(), envelope.to_bytes());
    assert!(parts.payload.contains(['+', '/']) || parts.signatures[0].1.contains(['+', '/']));
    let spki = |number: u8| {
        base64::encode(&PublicKey::from_bytes(&nation.key(Role::Root, number).public_key()).unwrap().to_spki())
    };
    let with_keys = |envelope: String| json!({ "envelope": envelope, "keys": [spki(0), spki(1), spki(2), spki(3)] });
    let mut flipped = base64::decode(&parts.signatures[0].1).unwrap();
    flipped[0] ^= 1;
    let flipped = base64::encode(&flipped);
    let replaced = |from: &str, to: &str| {
        assert!(fixed.contains(from), "{from}");
        json!({ "envelope": fixed.replacen(from, to, 1) })
    };
    let many = |count: usize| {
        parts.with(|parts| parts.signatures = (0..count).map(|n| (format!("{n:064x}"), "AAAA".to_owned())).collect())
    };
    let long = |bytes: usize| parts.with(|parts| parts.signatures[0].1 = base64::encode(&vec![1; bytes]));
    let spaces = |count: usize| json!({ "envelope": fixed, "spacesAfter": count });
    let cases = vec![
        good("in its fixed form", with_keys(fixed.clone())),
        good("with white space", with_keys(fixed.replace(',', " ,\n\t").replace(':', " :"))),
        good(
            "members in another order",
            with_keys({
                let at = fixed.find(r#","signatures""#).unwrap();
                format!("{{{},{}}}", &fixed[at + 1..fixed.len() - 1], &fixed[1..at])
            }),
        ),
        good("unknown members are dropped", replaced(r#""payload":"#, r#""note":{"a":[1]},"payload":"#)),
        good("signatures in another order", parts.with(|parts| parts.signatures.reverse())),
        good(
            "base64 for URLs",
            parts.with(|parts| {
                parts.payload = url_safe(&parts.payload);
                parts.signatures.iter_mut().for_each(|(_, sig)| *sig = url_safe(sig));
            }),
        ),
        good(
            "escaped characters in base64",
            parts.with(|parts| parts.payload = parts.payload.replace('+', "\\u002b").replace('/', "\\/")),
        ),
        good("one signature that does not hold", with_keys(fixed.replacen(&parts.signatures[0].1, &flipped, 1))),
        good("one signature", parts.with(|parts| parts.signatures.truncate(1))),
        good("as many signatures as are allowed", many(SIGNATURES_MAX)),
        good("a signature as long as is allowed", long(SIGNATURE_BYTES_MAX)),
        good("a payload that is no statement", parts.with(|parts| parts.payload = "eA==".to_owned())),
        bad(
            "payload without padding",
            parts.with(|parts| parts.payload = "eA".to_owned()),
            "payload is missing or malformed",
        ),
        bad(
            "payload with stray bits",
            parts.with(|parts| parts.payload = "eB==".to_owned()),
            "payload is missing or malformed",
        ),
        bad(
            "payload with a line end",
            parts.with(|parts| parts.payload = "eA==\\n".to_owned()),
            "payload is missing or malformed",
        ),
        bad(
            "payload with a space",
            parts.with(|parts| parts.payload = "e A==".to_owned()),
            "payload is missing or malformed",
        ),
        bad(
            "payload in a mixed alphabet",
            parts.with(|parts| parts.payload = "+_+_".to_owned()),
            "payload is missing or malformed",
        ),
        bad(
            "payload that is a number",
            replaced(&format!(r#""{}""#, parts.payload), "1"),
            "payload is missing or malformed",
        ),
        bad("no payload", replaced(r#""payload":"#, r#""body":"#), "payload is missing or malformed"),
        bad("another payload type", replaced("vnd.in-toto+json", "json"), "payload type is not"),
        bad(
            "payload type with a parameter",
            replaced("in-toto+json", "in-toto+json; charset=utf-8"),
            "payload type is not",
        ),
        bad("payload type in upper case", replaced("application/", "Application/"), "payload type is not"),
        bad("no payload type", replaced("payloadType", "payloadtype"), "payloadType is missing or malformed"),
        bad(
            "payload twice",
            replaced(r#""payload":"#, r#""payload":"eA==","payload":"#),
            r#"the key "payload" stands twice"#,
        ),
        bad(
            "payload type twice",
            replaced(r#""payload":"#, r#""payloadType":"x","payload":"#),
            r#"the key "payloadType" stands twice"#,
        ),
        bad(
            "sig twice in a signature",
            replaced(r#","sig":"#, r#","sig":"AAAA","sig":"#),
            r#"the key "sig" stands twice"#,
        ),
        bad(
            "signatures twice",
            replaced(r#","signatures":"#, r#","signatures":[],"signatures":"#),
            r#"the key "signatures" stands twice"#,
        ),
        bad("bytes after it", json!({ "envelope": format!("{fixed}x") }), "trailing characters"),
        bad("a second envelope after it", json!({ "envelope": format!("{fixed}\n{fixed}") }), "trailing characters"),
        bad("cut short", json!({ "envelope": &fixed[..fixed.len() - 2] }), "EOF"),
        bad("a list", json!({ "envelope": format!("[{fixed}]") }), "payloadType is missing or malformed"),
        bad("no signatures", replaced(r#""signatures":"#, r#""sigs":"#), "signatures is missing or malformed"),
        bad(
            "an empty list of signatures",
            parts.with(|parts| parts.signatures.clear()),
            "signatures is missing or malformed",
        ),
        bad("a signature too many", many(SIGNATURES_MAX + 1), "signatures is missing or malformed"),
        bad("a signature too long", long(SIGNATURE_BYTES_MAX + 1), "sig is missing or malformed"),
        bad("an empty signature", parts.with(|parts| parts.signatures[0].1.clear()), "sig is missing or malformed"),
        bad(
            "a signature in bad base64",
            parts.with(|parts| parts.signatures[0].1.push('!')),
            "sig is missing or malformed",
        ),
        bad("one key twice", parts.with(|parts| parts.signatures.push(parts.signatures[0].clone())), "signs twice"),
        bad(
            "a key id in upper case",
            parts.with(|parts| parts.signatures[0].0.make_ascii_uppercase()),
            "keyid is missing or malformed",
        ),
        bad(
            "a key id cut short",
            parts.with(|parts| parts.signatures[0].0.truncate(62)),
            "keyid is missing or malformed",
        ),
        bad("no key id", replaced(r#""keyid":"#, r#""kid":"#), "keyid is missing or malformed"),
        bad("a number past 2^53", replaced(r#""payload":"#, r#""n":9007199254740993,"payload":"#), "past 2^53 - 1"),
        bad(
            "deep nesting",
            replaced(r#""payload":"#, &format!(r#""n":{}{},"payload":"#, "[".repeat(40), "]".repeat(40))),
            "nested deeper than 32",
        ),
        good("as large as an envelope may be", spaces(ENVELOPE_BYTES_MAX - fixed.len())),
        bad("a byte too large", spaces(ENVELOPE_BYTES_MAX - fixed.len() + 1), "larger than 1048576 bytes"),
    ];
    check("envelope", about, &cases, read_envelope);
}

fn read_envelope(case: &Value) -> Verdict {
    let mut bytes = bytes_of(case, "envelope");
    let spaces = case.get("spacesAfter").map_or(0, |_| number_of(case, "spacesAfter"));
    bytes.resize(bytes.len() + usize::try_from(spaces).unwrap(), b' ');
    let envelope = Envelope::parse(&bytes).map_err(|error| reason(&error))?;
    let fixed = envelope.to_bytes();
    assert_eq!(Envelope::from_fixed(&fixed), Ok(envelope.clone()), "the fixed form is fixed");
    let payload_type = chancery_schema::envelope::PAYLOAD_TYPE;
    let mut expect = json!({
        "isFixed": Envelope::from_fixed(&bytes).is_ok(),
        "fixed": String::from_utf8(fixed).unwrap(),
        "digest": envelope.digest(),
        "recordDigest": envelope.record_digest(),
        "signedMessage": base64::encode(&pre_authentication_encoding(payload_type, envelope.payload())),
    });
    if case.get("keys").is_some() {
        let keys =
            list_of(case, "keys").into_iter().map(|key| PublicKey::from_spki(&base64::decode(key).unwrap()).unwrap());
        expect["verified"] = keys.map(|key| envelope.verified_by(&key)).collect();
    }
    Ok(expect)
}
