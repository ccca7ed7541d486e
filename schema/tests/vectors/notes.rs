//! Signed notes: verifier keys, notes, cosignatures, what a witness answers, policies.

use std::slice::from_ref;

use chancery_schema::base64;
use chancery_schema::digest::Digest;
use chancery_schema::key::{PublicKey, Role, Signer};
use chancery_schema::limits::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, ORIGIN_BYTES_MAX};
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::cosignature::{self, Cosignature};
use chancery_schema::log::note::{self, KeyType, Note, NoteError, Signature, VerifierKey};
use chancery_schema::log::policy::{ITEMS_MAX, POLICY_BYTES_MAX, Policy, Quorum};
use chancery_schema::log::tree::{EMPTY_ROOT, consistency_proof};
use chancery_schema::log::witness::{self, Decision, REQUEST_BYTES_MAX, Request};
use chancery_schema::name::Nation as NationCode;
use chancery_schema::time::Timestamp;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::golden::{Case, Verdict, bad, bytes_of, check, from_hex, good, hex, lines, list_of, reason, text_of};
use super::history::{History, witness_key, witness_name};
use super::nation::{Nation, day};

/// The example of C2SP signed-note.
const C2SP_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const C2SP_NOTE: &str = "This is an example message.\n\n— example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// The example of Go's implementation.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// `name+key id+base64` whose key id is right, whatever the name and the key are.
fn spelled(name: &str, key: &[u8]) -> String {
    let id = Digest::of_parts(&[name.as_bytes(), b"\n", key]);
    format!("{name}+{}+{}", hex(&id.as_bytes()[..4]), base64::encode(key))
}

#[test]
fn a_verifier_key_is_written_in_one_way() {
    let about = "Verifier keys (C2SP signed-note; schema/src/log/note.rs): name, key id, and base64 of type and public \
                 key. Chancery reads types 1 (Ed25519) and 4 (timestamped Ed25519 cosignatures), and public keys that \
                 meet its profile (ed25519.json). `expect`: its parts, the key in hexadecimal. `refused` is part of \
                 the reason.";
    let key = |text: &str| json!({ "key": text });
    let public = Nation::new("FR").key(Role::Log, 0).public_key();
    let of = |name: &str, head: u8, public: &[u8]| key(&spelled(name, &[&[head], public].concat()));
    let named = |name: &str| of(name, 1, &public);
    let typed = |head: u8| of("fr.example.org/chancery", head, &public);
    let with = |from: &str, to: &str| {
        assert!(C2SP_KEY.contains(from), "{from}");
        key(&C2SP_KEY.replacen(from, to, 1))
    };
    let (wrong, name) = ("not a verifier key of type 1 or 4", "a key name has 1 to 255 bytes, no space and no '+'");
    let point = |text: &str| of("fr.example.org/chancery", 1, &from_hex(text));
    let cases = vec![
        good("the example of C2SP", key(C2SP_KEY)),
        good("the example of Go", key(GO_KEY)),
        good("a log's key", key(&History::found("FR").log_key().to_string())),
        good("a witness's key", key(&witness_key(&Nation::new("KE")).to_string())),
        good("a name in another script", named("журнал.example/сад")),
        good("a name of 255 bytes", named(&"n".repeat(ORIGIN_BYTES_MAX))),
        bad("nothing", key(""), wrong),
        bad("a name alone", key("example.com/foo"), wrong),
        bad("two parts", key("example.com/foo+530d903a"), wrong),
        bad("no key", with("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ""), wrong),
        bad("another key id", with("530d903a", "530d903b"), wrong),
        bad("a key id in upper case", with("530d903a", "530D903A"), wrong),
        bad("a key id of seven digits", with("530d903a", "530d903"), wrong),
        bad("a key id of nine digits", with("530d903a", "0530d903a"), wrong),
        bad("a key id with a sign", with("+530d903a", "++30d903a"), wrong),
        bad("the key id of another name", with("example.com/foo", "example.com/bar"), wrong),
        bad(
            "the key id of the same key for cosigning",
            {
                let log = VerifierKey::new("a", KeyType::Ed25519, PublicKey::from_bytes(&public).unwrap()).unwrap();
                let witness = VerifierKey::new("a", KeyType::Cosignature, *log.public()).unwrap();
                let [one, other] = [&log, &witness].map(|key| hex(&key.key_id()));
                key(&log.to_string().replacen(&one, &other, 1))
            },
            wrong,
        ),
        bad("a line end after it", key(&format!("{C2SP_KEY}\n")), wrong),
        bad("a space before it", key(&format!(" {C2SP_KEY}")), name),
        bad("a fourth part", key(&format!("{C2SP_KEY}+AAAA")), wrong),
        bad(
            "a key without padding",
            key(spelled("a", &[&[1][..], &public, &[0]].concat()).trim_end_matches('=')),
            wrong,
        ),
        bad(
            "a key in base64 for URLs",
            {
                let text = (0..).map(|number| Nation::new("FR").key(Role::Node, number).public_key());
                let text = text.map(|public| spelled("a", &[&[1][..], &public].concat()));
                let text = text.map(|text| text[11..].to_owned()).find(|key| key.contains('/')).unwrap();
                let bytes = base64::decode(&text).unwrap();
                key(&spelled("a", &bytes).replace('/', "_"))
            },
            wrong,
        ),
        bad("a key of 31 bytes", of("a", 1, &public[..31]), wrong),
        bad("a key of 33 bytes", of("a", 1, &[&public[..], &[0]].concat()), wrong),
        bad("a type and no key", of("a", 1, &[]), wrong),
        bad("type 0", typed(0), wrong),
        bad("type 2 (ECDSA)", typed(2), wrong),
        bad("type 5 (RFC 6962)", typed(5), wrong),
        bad("type 6 (ML-DSA-44)", typed(6), wrong),
        bad("type 255", typed(255), wrong),
        bad("no name", named(""), name),
        bad("a name with a space", named("fr example"), name),
        bad("a name with a space of another kind", named("fr\u{a0}example"), name),
        bad("a name with an ideographic space", named("fr\u{3000}example"), name),
        bad("a name with a control character", named("fr\u{7f}example"), name),
        bad("a name of 256 bytes", named(&"n".repeat(ORIGIN_BYTES_MAX + 1)), name),
        bad("a key of small order", point("0100000000000000000000000000000000000000000000000000000000000000"), wrong),
        bad(
            "a key that is not canonical",
            point("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            wrong,
        ),
        bad("a key of mixed order", point("9599999999999999999999999999999999999999999999999999999999999999"), wrong),
    ];
    check("verifier-key", about, &cases, |case| {
        let text = text_of(case, "key");
        let key: VerifierKey = text.parse().map_err(|error: NoteError| reason(&error))?;
        assert_eq!(key.to_string(), text, "a key has one form");
        let public = hex(key.public().as_bytes());
        Ok(json!({ "name": key.name(), "type": key.key_type().byte(), "keyId": hex(&key.key_id()), "public": public }))
    });
}

/// Text and signatures as a note; nothing is checked.
fn noted<S: ToString>(text: &str, lines: &[S]) -> String {
    lines.iter().fold(format!("{text}\n"), |note, line| note + &line.to_string() + "\n")
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn line_of(note: &str) -> String {
    note.lines().last().unwrap().to_owned()
}

#[test]
fn a_note_is_text_and_signatures() {
    let about = "Signed notes (C2SP signed-note; schema/src/log/note.rs): `note` (or `noteBase64`), with so many \
                 letters A in the place of `<fill>` as `fill` says, verified with the verifier keys `keys`. `expect`: \
                 the text, the names on all lines, and the names of the keys that have signed. `refused` is part of \
                 the reason; a note that nobody known has signed is refused too.";
    let nation = Nation::new("FR");
    let key = |role: Role| nation.key(role, 0);
    let named = |name: &str, role: Role| note::verifier_key(name, KeyType::Ed25519, &key(role)).unwrap();
    let signed = |text: &str, name: &str, role: Role| note::sign(text, name, &key(role)).unwrap();
    let (log, other) = (named("log", Role::Log), named("node", Role::Node));
    let of = |note: String, keys: &[&VerifierKey]| json!({ "note": note, "keys": texts(keys) });
    let text = "one\n\ntwo\n";
    let by_log = signed(text, "log", Role::Log);
    let by_other = signed(text, "node", Role::Node);
    let both = noted(text, &[&by_log, &by_other]);
    let alone = noted(text, &[&by_log]);
    let known = |note: String| of(note, &[&log]);
    let with = |from: &str, to: &str| {
        assert!(alone.contains(from), "{from}");
        known(alone.replacen(from, to, 1))
    };
    let by = |bytes: &[u8]| Signature::new(&log, bytes.to_vec());
    let shape = "a note is lines of text, a blank line, and lines of signatures";
    let (line, not_text) = ("a signature line is an em dash", "the note is not plain UTF-8 text");
    let (unsigned, forged) = ("no known key has signed", "the signature of log does not hold");
    let many = |count: usize| {
        let others = vec!["— node AAAAAAE=".to_owned(); count - 1];
        known(noted(text, &[&others[..], &[by_log.to_string()]].concat()))
    };
    let filled = |bytes: usize| {
        let unfilled = noted("<fill>\n", &[by(&[0; 64])]);
        let fill = bytes - (unfilled.len() - "<fill>".len());
        let note = noted("<fill>\n", &[signed(&format!("{}\n", "A".repeat(fill)), "log", Role::Log)]);
        let mut case = known(note);
        case["fill"] = json!(fill);
        case
    };
    let cosigner = note::verifier_key("log", KeyType::Cosignature, &key(Role::Log)).unwrap();
    let at = |time: u64| {
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        let signature = key(Role::Log).sign(message.as_bytes()).unwrap();
        Signature::new(&cosigner, [&time.to_be_bytes()[..], &signature].concat())
    };
    let seen = |line: Signature| of(noted(text, &[line]), &[&cosigner]);
    let cases = vec![
        good("the example of C2SP", json!({ "note": C2SP_NOTE, "keys": [C2SP_KEY] })),
        good("the example of Go", json!({ "note": GO_NOTE, "keys": [GO_KEY] })),
        good("signed by the one known key", known(alone.clone())),
        good("signed by both known keys", of(both.clone(), &[&log, &other])),
        good("signed by a known and an unknown key", known(both.clone())),
        good("the same line twice", known(noted(text, &[&by_log, &by_log]))),
        good("the same key twice among the known", of(alone.clone(), &[&log, &log])),
        good(
            "a line of the known name by an unknown key",
            known(noted(text, &[&signed(text, "log", Role::Node), &by_log])),
        ),
        good("an unknown signature type", known(noted(text, &[&Signature::parse("— log AAAAAAE=").unwrap(), &by_log]))),
        good("a text that looks like a signature", {
            let text = format!("{by_other}\n");
            known(noted(&text, &[signed(&text, "log", Role::Log)]))
        }),
        good("a text in other scripts", {
            let text = "журнал\nسجل\n";
            known(noted(text, &[signed(text, "log", Role::Log)]))
        }),
        good("DEL, which C2SP allows", known(noted("a\u{7f}\n", &[signed("a\u{7f}\n", "log", Role::Log)]))),
        good("as many lines as are read", many(NOTE_SIGNATURES_MAX)),
        good("as large as is read", filled(NOTE_BYTES_MAX)),
        good("a cosignature", seen(at(1))),
        good("a cosignature at the end of time", seen(at(u64::MAX))),
        bad("a line too many", many(NOTE_SIGNATURES_MAX + 1), "more than 512 signatures"),
        bad("a byte too large", filled(NOTE_BYTES_MAX + 1), "larger than 131072 bytes"),
        bad("no key is known", of(alone.clone(), &[]), unsigned),
        bad("another key is known", of(alone.clone(), &[&other]), unsigned),
        bad("the key is known under another name", of(alone.clone(), &[&named("log2", Role::Log)]), unsigned),
        bad("another key is known under the name", of(alone.clone(), &[&named("log", Role::Node)]), unsigned),
        bad("the key is known for cosigning", of(alone.clone(), &[&cosigner]), unsigned),
        bad("the text was changed", with("two", "six"), forged),
        bad("a blank line was added to the text", with("two\n", "two\n\n"), forged),
        bad(
            "a signature does not hold beside one that does",
            of(noted(text, &[by(&[0; 64]), by_log.clone()]), &[&log]),
            forged,
        ),
        bad(
            "a signature of another known key does not hold",
            of(noted(text, &[by_other.clone(), by(&[0; 64])]), &[&log, &other]),
            forged,
        ),
        bad("a signature a byte short", known(noted(text, &[by(&by_log.bytes()[..63])])), forged),
        bad("a signature a byte long", known(noted(text, &[by(&[by_log.bytes(), &[0]].concat())])), forged),
        bad("a signature of one byte", known(noted(text, &[by(&[0])])), forged),
        bad(
            "a cosignature whose time was changed",
            seen(Signature::new(&cosigner, {
                let mut bytes = at(1).bytes().to_vec();
                bytes[7] = 2;
                bytes
            })),
            forged,
        ),
        bad("a cosignature at time 0", seen(at(0)), forged),
        bad("a cosignature without its time", seen(Signature::new(&cosigner, at(1).bytes()[8..].to_vec())), forged),
        bad("a cosignature that ends in its time", seen(Signature::new(&cosigner, vec![0, 0, 0, 0, 0, 0, 1])), forged),
        bad("nothing", known(String::new()), shape),
        bad("a text alone", known("one\ntwo\n".to_owned()), shape),
        bad("a text and a blank line", known(format!("{text}\n")), shape),
        bad("signatures alone", known(format!("{by_log}\n")), shape),
        bad("a blank line and signatures", known(format!("\n{by_log}\n")), shape),
        bad("no blank line", known(format!("one\n{by_log}\n")), shape),
        bad("no last line end", known(alone.trim_end().to_owned()), shape),
        bad("a blank line after it", known(format!("{alone}\n")), shape),
        bad("a blank line between signatures", known(both.replacen("\n— node", "\n\n— node", 1)), unsigned),
        bad("a hyphen in place of the em dash", with("— log", "- log"), line),
        bad("no space after the em dash", with("— log", "—log"), line),
        bad("two spaces after the name", with("— log ", "— log  "), line),
        bad("a space after the signature", known(noted(text, &[format!("{by_log} ")])), line),
        bad("no name", with("— log ", "—  "), line),
        bad("a name with a plus", with("— log ", "— l+g "), line),
        bad("a line that is no signature", known(noted(text, &[by_log.to_string(), "and more".to_owned()])), line),
        bad("a signature without padding", known(alone.replace("=\n", "\n")), line),
        bad("a signature that is not base64", known(noted(text, &["— log !!!!!!!!"])), line),
        bad("a key id and no signature", known(noted(text, &["— log AAAAAA=="])), line),
        bad("less than a key id", known(noted(text, &["— log AAAA"])), line),
        bad("line ends of Windows", known(alone.replace('\n', "\r\n")), not_text),
        bad("a tab", with("one", "o\te"), not_text),
        bad("a NUL", with("one", "o\0e"), not_text),
        bad("an escape", with("one", "o\u{1b}e"), not_text),
        bad(
            "bytes that are not UTF-8",
            json!({
                "noteBase64": base64::encode(&[b"\xff", alone.as_bytes()].concat()),
                "keys": [log.to_string()],
            }),
            not_text,
        ),
    ];
    check("note", about, &cases, |case| {
        let bytes = bytes_of(case, "note");
        let note = Note::parse(&bytes).map_err(|error| reason(&error))?;
        assert_eq!(note.to_string().as_bytes(), bytes, "a note has one form");
        let keys: Vec<VerifierKey> = list_of(case, "keys").into_iter().map(|key| key.parse().unwrap()).collect();
        let signers = note.verify(&keys).map_err(|error| reason(&error))?;
        let text = if note.text().len() < 1000 { json!(note.text()) } else { json!({ "bytes": note.text().len() }) };
        Ok(json!({
            "text": text,
            "lines": note.signatures().iter().map(Signature::name).collect::<Vec<_>>(),
            "signers": signers.iter().map(|key| key.name()).collect::<Vec<_>>(),
        }))
    });
}

/// `KE name+id+key`.
fn read_witness(text: &str) -> Option<(NationCode, VerifierKey)> {
    let (nation, key) = text.split_once(' ')?;
    Some((nation.parse().ok()?, key.parse().ok()?))
}

#[test]
fn a_cosignature_says_who_saw_what_and_when() {
    let about = "Cosignatures of checkpoints (C2SP tlog-cosignature, type 4; schema/src/log/cosignature.rs): the note \
                 is opened with the verifier key `log`, its cosignatures with `witnesses` (nation and key). `expect`: \
                 name and time (POSIX seconds, as text) of each, and `proofTimes` of entry 0: the first, second and so \
                 on of the nations' earliest times, in order. `refused` is part of the reason: one cosignature that \
                 claims to be a known witness's and is not condemns the note.";
    let history = History::found("FR");
    let nations = ["KE", "BR", "IN"].map(Nation::new);
    let [kenya, brazil, _] = &nations;
    let log = history.log_key().to_string();
    let of = |note: String, keys: &[VerifierKey]| {
        // The fixtures' names begin with the nation's code.
        let witnesses = keys.iter().map(|key| format!("{} {key}", key.name()[..2].to_uppercase()));
        json!({ "note": note, "log": log, "witnesses": witnesses.collect::<Vec<_>>() })
    };
    let keys: Vec<VerifierKey> = nations.iter().map(witness_key).collect();
    let signed = history.checkpoint(2);
    let at = |nation: &Nation, time: u64| {
        cosignature::sign(&signed, &witness_name(nation), time, &nation.key(Role::Witness, 0)).unwrap().to_line()
    };
    let day = day().unix_seconds().cast_unsigned();
    let with = |lines: &[Signature]| lines.iter().fold(signed.to_string(), |note, line| format!("{note}{line}\n"));
    let changed = |line: &Signature, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = line.bytes().to_vec();
        change(&mut bytes);
        Signature::new(&witness_key(kenya), bytes)
    };
    let line = at(kenya, day);
    let mirror = format!("{}/mirror", kenya.origin);
    let by_mirror = cosignature::sign(&signed, &mirror, day + 1, &kenya.key(Role::Mirror, 0)).unwrap();
    let with_mirror = [&keys[..], from_ref(by_mirror.key())].concat();
    let smaller = history.checkpoint(1);
    let of_smaller =
        cosignature::sign(&smaller, &witness_name(kenya), day, &kenya.key(Role::Witness, 0)).unwrap().to_line();
    let plain = Signature::new(
        &witness_key(kenya),
        kenya.key(Role::Witness, 0).sign(signed.checkpoint().to_text().as_bytes()).unwrap().to_vec(),
    );
    let by_another_key = Signature::new(&witness_key(kenya), {
        let message = format!("cosignature/v1\ntime {day}\n{}", signed.checkpoint().to_text());
        [&day.to_be_bytes()[..], &kenya.key(Role::Mirror, 0).sign(message.as_bytes()).unwrap()].concat()
    });
    let forged = "the signature of ke.example.org/chancery/witness does not hold";
    let cases = vec![
        good("nobody has cosigned", of(with(&[]), &keys)),
        good("one has cosigned", of(with(from_ref(&line)), &keys)),
        good("all have cosigned", of(history.cosigned(2, &nations.iter().collect::<Vec<_>>()).to_string(), &keys)),
        good("one whom nobody knows has cosigned", of(with(from_ref(&line)), &keys[1..])),
        good("one has cosigned twice", of(with(&[at(kenya, day + 60), at(brazil, day + 30), line.clone()]), &keys)),
        good(
            "one nation has cosigned with two keys",
            of(with(&[at(brazil, day + 2), by_mirror.to_line(), line.clone()]), &with_mirror),
        ),
        good("at the first second", of(with(&[at(kenya, 1)]), &keys)),
        good("at the end of time", of(with(&[at(kenya, u64::MAX)]), &keys)),
        good(
            "a line of ML-DSA is passed over",
            of(
                with(&[
                    Signature::parse(&format!("— {} AAAAAAAAAAAAAAAB", witness_name(kenya))).unwrap(),
                    line.clone(),
                ]),
                &keys,
            ),
        ),
        bad("the time was changed", of(with(&[changed(&line, &|bytes| bytes[7] ^= 1)]), &keys), forged),
        bad("the time is 0", of(with(&[changed(&line, &|bytes| bytes[..8].fill(0))]), &keys), forged),
        bad("the time is missing", of(with(&[changed(&line, &|bytes| drop(bytes.drain(..8)))]), &keys), forged),
        bad("the signature is a byte short", of(with(&[changed(&line, &|bytes| bytes.truncate(71))]), &keys), forged),
        bad("the signature is a byte long", of(with(&[changed(&line, &|bytes| bytes.push(0))]), &keys), forged),
        bad("the signature is of zeros", of(with(&[changed(&line, &|bytes| bytes[8..].fill(0))]), &keys), forged),
        bad("the cosignature is of another checkpoint", of(with(&[of_smaller]), &keys), forged),
        bad("the checkpoint was signed without a time", of(with(&[plain]), &keys), forged),
        bad("another key has cosigned in its name", of(with(&[by_another_key]), &keys), forged),
        bad(
            "one that does not hold, after one that does",
            of(with(&[at(brazil, day), line.clone(), changed(&line, &|bytes| bytes[8] ^= 1)]), &keys),
            forged,
        ),
        bad(
            "the log's key is given for a witness's",
            of(with(from_ref(&line)), &[history.log_key()]),
            "the signature of fr.example.org/chancery does not hold",
        ),
        bad(
            "the log has not signed",
            of(noted(&signed.checkpoint().to_text(), &[line]), &keys),
            "no known key has signed",
        ),
    ];
    check("cosignature", about, &cases, |case| {
        let log = text_of(case, "log").parse().unwrap();
        let signed = checkpoint::open(text_of(case, "note").as_bytes(), &log).map_err(|error| reason(&error))?;
        let witnesses: Vec<(NationCode, VerifierKey)> =
            list_of(case, "witnesses").into_iter().map(|text| read_witness(text).unwrap()).collect();
        let keys = witnesses.iter().map(|(_, key)| key);
        let cosignatures = cosignature::verify_all(&signed, keys).map_err(|error| reason(&error))?;
        let nation_of = |seen: &Cosignature| witnesses.iter().find(|(_, key)| key == seen.key()).unwrap().0.clone();
        let by_nation: Vec<(NationCode, Cosignature)> =
            cosignatures.iter().map(|seen| (nation_of(seen), seen.clone())).collect();
        let seen = |it: &Cosignature| json!([it.name(), it.timestamp().to_string()]);
        let times = (1..).map_while(|k| cosignature::proof_time(&by_nation, 0, k)).map(|time| time.to_string());
        assert_eq!(cosignature::proof_time(&by_nation, signed.checkpoint().size, 1), None, "not covered");
        Ok(json!({
            "cosignatures": cosignatures.iter().map(seen).collect::<Vec<_>>(),
            "proofTimes": times.collect::<Vec<_>>(),
        }))
    });
}

#[test]
fn a_witness_cosigns_what_only_grows() {
    let about = "What a witness answers (C2SP tlog-witness, add-checkpoint; schema/src/log/witness.rs) to `body` (with \
                 so many letters A in the place of `<fill>` as `fill` says), when it has last seen `stored` (size as \
                 text, and root; null: nothing) and knows the log by the verifier key `log` (null: not at all). \
                 `expect`: the checkpoint that it remembers and cosigns. `refused` is the status and part of the \
                 reason. Where two reasons meet, the order of the specification decides.";
    let mut history = History::found("FR");
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"] {
        let card = history.nation.card("model", version);
        history.push(card);
    }
    let log = json!(history.log_key().to_string());
    let kenya = History::found("KE");
    let stored = |size: u64| match size {
        0 => Value::Null,
        _ => json!({ "size": size.to_string(), "root": history.checkpoint(size).checkpoint().root }),
    };
    let proof = |old: u64, new: u64| -> Vec<String> {
        consistency_proof(&history.tree, old, new).unwrap().iter().map(Digest::to_base64).collect()
    };
    let text = |old: &str, hashes: &[String], note: &str| format!("{old}\n{}\n{note}", lines(hashes));
    let body = |old: u64, new: u64| text(&format!("old {old}"), &proof(old, new), &history.checkpoint(new).to_string());
    let asked = |stored: Value, body: String| json!({ "stored": stored, "body": body, "log": log });
    let with_log = |stored: Value, body: String, log: Value| json!({ "stored": stored, "body": body, "log": log });
    let of = |old: u64, new: u64| asked(stored(old), body(old, new));
    let sign =
        |checkpoint: Checkpoint| checkpoint::sign(checkpoint, &history.nation.key(Role::Log, 0)).unwrap().to_string();
    let forked =
        |size: u64| sign(Checkpoint { origin: history.nation.origin.clone(), size, root: Digest::of(b"fork") });
    let impostor = |size: u64| {
        let text = history.checkpoint(size).checkpoint().to_text();
        noted(&text, &[note::sign(&text, history.nation.origin.as_str(), &history.nation.key(Role::Node, 0)).unwrap()])
    };
    let by_hand = |text: &str| {
        noted(text, &[note::sign(text, history.nation.origin.as_str(), &history.nation.key(Role::Log, 0)).unwrap()])
    };
    let (five, eight) = (proof(5, 8), history.checkpoint(8).to_string());
    let flipped = history.checkpoint(8).checkpoint().to_text().replacen("\n8\n", "\n9\n", 1);
    let flipped = noted(&flipped, &[line_of(&eight)]);
    let unread = "400: not old and a size, at most 63 hashes, a blank line and a signed note";
    let (unknown, forbidden) = ("404: the log is not known", "403: the checkpoint is not signed by the key of its log");
    let (backwards, unproven) =
        ("400: the request is malformed, or goes backwards", "422: the checkpoint is not proven consistent");
    let mut cases: Vec<Case> = Vec::new();
    for (old, new) in [(0, 1), (0, 8), (1, 8), (5, 8), (4, 8), (7, 8), (8, 8)] {
        cases.push(good(format!("from {old} to {new}"), of(old, new)));
    }
    cases.extend([
        good(
            "an empty log, never seen",
            asked(
                Value::Null,
                text(
                    "old 0",
                    &[],
                    &sign(Checkpoint { origin: history.nation.origin.clone(), size: 0, root: EMPTY_ROOT }),
                ),
            ),
        ),
        good(
            "with cosignatures of others",
            asked(stored(5), text("old 5", &five, &history.cosigned(8, &[&kenya.nation]).to_string())),
        ),
        bad("a log that is not known", with_log(stored(5), body(5, 8), Value::Null), unknown),
        bad(
            "a log whose key has another name",
            with_log(stored(5), body(5, 8), json!(kenya.log_key().to_string())),
            unknown,
        ),
        bad(
            "a log that is not known, and signed by nobody known",
            with_log(stored(5), text("old 5", &five, &impostor(8)), Value::Null),
            unknown,
        ),
        bad("signed by another key", asked(stored(5), text("old 5", &five, &impostor(8))), forbidden),
        bad("a signature that does not hold", asked(stored(5), text("old 5", &five, &flipped)), forbidden),
        bad(
            "a key that is for cosigning",
            with_log(
                stored(5),
                body(5, 8),
                json!(
                    VerifierKey::new(history.nation.origin.as_str(), KeyType::Cosignature, *history.log_key().public())
                        .unwrap()
                        .to_string()
                ),
            ),
            forbidden,
        ),
        bad("signed by another key, and backwards", asked(stored(5), text("old 9", &[], &impostor(8))), forbidden),
        bad(
            "old past the checkpoint",
            asked(stored(8), text("old 8", &[], &history.checkpoint(5).to_string())),
            backwards,
        ),
        bad("old past the checkpoint, and not what was seen", asked(stored(5), text("old 9", &[], &eight)), backwards),
        bad(
            "a line of extension, signed",
            asked(
                stored(5),
                text("old 5", &five, &by_hand(&format!("{}more\n", history.checkpoint(8).checkpoint().to_text()))),
            ),
            backwards,
        ),
        bad("less than what was seen", asked(stored(7), body(5, 8)), "409: the witness has last seen 7 entries"),
        bad("more than what was seen", asked(stored(5), body(7, 8)), "409: the witness has last seen 5 entries"),
        bad(
            "something, when nothing was seen",
            asked(Value::Null, body(5, 8)),
            "409: the witness has last seen 0 entries",
        ),
        bad(
            "nothing, when something was seen",
            asked(stored(5), body(0, 8)),
            "409: the witness has last seen 5 entries",
        ),
        bad(
            "not what was seen, and not proven",
            asked(stored(7), text("old 5", &[], &eight)),
            "409: the witness has last seen 7 entries",
        ),
        bad("no proof", asked(stored(5), text("old 5", &[], &eight)), unproven),
        bad("a hash too few", asked(stored(5), text("old 5", &five[1..], &eight)), unproven),
        bad("a hash too many", asked(stored(5), text("old 5", &[&five[..], &five[..1]].concat(), &eight)), unproven),
        bad("the proof from another size", asked(stored(5), text("old 5", &proof(6, 8), &eight)), unproven),
        bad(
            "another history was seen",
            asked(json!({ "size": "5", "root": Digest::of(b"another") }), body(5, 8)),
            unproven,
        ),
        bad("a fork", asked(stored(5), text("old 5", &five, &forked(8))), unproven),
        bad(
            "a fork of the same size",
            asked(stored(8), text("old 8", &[], &forked(8))),
            "409: the witness has seen another root of 8 entries",
        ),
        bad(
            "a fork of the same size, with a proof",
            asked(stored(8), text("old 8", &proof(7, 8), &forked(8))),
            unproven,
        ),
        bad("a proof from nothing", asked(Value::Null, text("old 0", &proof(7, 8), &eight)), unproven),
        bad("a proof between equal sizes", asked(stored(8), text("old 8", &proof(7, 8), &eight)), unproven),
        bad(
            "an empty log whose root is not empty",
            asked(Value::Null, text("old 0", &[], &forked(0))),
            "409: the witness has seen another root of 0 entries",
        ),
        bad("63 hashes", asked(stored(5), text("old 5", &vec![five[0].clone(); 63], &eight)), unproven),
        bad("64 hashes", asked(stored(5), text("old 5", &vec![five[0].clone(); 64], &eight)), unread),
        bad("no body", asked(stored(5), String::new()), unread),
        bad("the checkpoint alone", asked(stored(5), eight.clone()), unread),
        bad("no size", asked(stored(5), text("old", &five, &eight)), unread),
        bad("an empty size", asked(stored(5), text("old ", &five, &eight)), unread),
        bad("a size with a leading zero", asked(stored(5), text("old 05", &five, &eight)), unread),
        bad("a size with a sign", asked(stored(5), text("old +5", &five, &eight)), unread),
        bad("a size of 2^63", asked(stored(5), text("old 9223372036854775808", &five, &eight)), unread),
        bad("old in upper case", asked(stored(5), text("Old 5", &five, &eight)), unread),
        bad(
            "a hash without padding",
            asked(stored(5), text("old 5", &[five[0].trim_end_matches('=').to_owned()], &eight)),
            unread,
        ),
        bad("a hash in hexadecimal", asked(stored(5), text("old 5", &[EMPTY_ROOT.to_string()], &eight)), unread),
        bad("no blank line", asked(stored(5), body(5, 8).replacen("\n\nfr.", "\nfr.", 1)), unread),
        bad("line ends of Windows", asked(stored(5), body(5, 8).replace('\n', "\r\n")), unread),
        bad("no note", asked(stored(5), text("old 5", &five, "")), unread),
        bad("bytes after it", asked(stored(5), body(5, 8) + "x"), unread),
        bad(
            "larger than any request",
            {
                let mut case = asked(stored(5), body(5, 8) + "<fill>");
                case["fill"] = json!(REQUEST_BYTES_MAX);
                case
            },
            unread,
        ),
    ]);
    check("witness-request", about, &cases, answer);
}

fn answer(case: &Value) -> Verdict {
    let body = bytes_of(case, "body");
    let request = Request::parse(&body).map_err(|error| format!("400: {error}"))?;
    assert_eq!(request.to_string().as_bytes(), body, "a request has one form");
    let stored = case["stored"].as_object().map(|seen| {
        let text = |member: &str| seen[member].as_str().unwrap();
        (text("size").parse().unwrap(), text("root").parse().unwrap())
    });
    let log: Option<VerifierKey> = case["log"].as_str().map(|key| key.parse().unwrap());
    match witness::decide(stored, &request, log.as_ref()) {
        Decision::Cosign(signed) => {
            let Checkpoint { size, root, .. } = signed.checkpoint();
            Ok(json!({ "size": size.to_string(), "root": root }))
        }
        Decision::Refuse(refusal) => Err(format!("{}: {refusal}", refusal.status())),
    }
}

#[test]
fn a_witness_answers_in_lines() {
    let about = "The body of a witness's 200 (C2SP tlog-witness; schema/src/log/witness.rs), not yet verified. \
                 `expect`: name and key id of each line. `refused` is part of the reason.";
    let history = History::found("FR");
    let nations = ["KE", "BR"].map(Nation::new);
    let cosigned = history.cosigned(2, &nations.iter().collect::<Vec<_>>()).to_string();
    let lines: Vec<&str> = cosigned.lines().filter(|line| line.contains("/witness ")).collect();
    let (first, both) = (format!("{}\n", lines[0]), format!("{}\n{}\n", lines[0], lines[1]));
    let body = |body: &str| json!({ "body": body });
    let wrong = "not 1 to 512 lines of cosignatures";
    let cases = vec![
        good("one line", body(&first)),
        good("two lines", body(&both)),
        good("512 lines", body(&"— w AAAAAAE=\n".repeat(NOTE_SIGNATURES_MAX))),
        bad("nothing", body(""), wrong),
        bad("a line end", body("\n"), wrong),
        bad("no last line end", body(first.trim_end()), wrong),
        bad("a blank line after it", body(&format!("{first}\n")), wrong),
        bad("a blank line before it", body(&format!("\n{first}")), wrong),
        bad("513 lines", body(&"— w AAAAAAE=\n".repeat(NOTE_SIGNATURES_MAX + 1)), wrong),
        bad("a whole note", body(&cosigned), wrong),
        bad("line ends of Windows", body(&first.replace('\n', "\r\n")), wrong),
        bad("a size", body("8\n"), wrong),
        bad("larger than any note", json!({ "body": "— w <fill>\n", "fill": NOTE_BYTES_MAX }), wrong),
    ];
    check("witness-answer", about, &cases, |case| {
        let body = String::from_utf8(bytes_of(case, "body")).unwrap();
        let lines = witness::parse_answer(&body).map_err(|error| reason(&error))?;
        assert_eq!(witness::format_answer(&lines), body, "an answer has one form");
        Ok(lines.iter().map(|line| json!([line.name(), hex(&line.key_id())])).collect())
    });
}

#[test]
fn a_policy_says_when_enough_have_seen() {
    let about = "Policies (C2SP tlog-policy; schema/src/log/policy.rs): `policy` (or `policyBase64`), with so many \
                 letters A in the place of `<fill>` as `fill` says, asked about the checkpoint `note` of the log with \
                 the key `log`. `expect`: how many logs and witnesses it names, and `missing`: the \
                 witnesses, as the policy calls them, whose cosignatures would count; null when the quorum is met. \
                 `refused` is part of the reason. `since`: when the quorum was met, in POSIX seconds.";
    let history = History::found("FR");
    let codes = ["KE", "BR", "IN", "ZA"];
    let nations = codes.map(Nation::new);
    let key = |code: &str| witness_key(&Nation::new(code)).to_string();
    let log = history.log_key().to_string();
    let witnesses = lines(codes.map(|code| format!("witness {code} {}", key(code))));
    let by = |codes: &[&str]| {
        let nations: Vec<&Nation> = nations.iter().filter(|nation| codes.contains(&nation.code.as_str())).collect();
        history.cosigned(2, &nations).to_string()
    };
    let of = |policy: String, seen: &[&str]| json!({ "policy": policy, "note": by(seen), "log": log });
    let asks = |groups: &str, seen: &[&str]| of(format!("log {log}\n{witnesses}{groups}\n"), seen);
    let wrong = |groups: &str| asks(groups, &[]);
    let raw = |policy: String| of(policy, &[]);
    let two = "group two 2 KE BR IN\nquorum two";
    let nested = "group africa any KE ZA\ngroup all all africa BR IN\nquorum all";
    let fork = {
        let other = Checkpoint { root: EMPTY_ROOT, ..history.checkpoint(2).checkpoint().clone() };
        let signed = checkpoint::sign(other, &history.nation.key(Role::Log, 0)).unwrap();
        let line =
            cosignature::sign(&signed, &witness_name(&nations[0]), 1, &nations[0].key(Role::Witness, 0)).unwrap();
        format!("{}{}\n", history.checkpoint(2), line.to_line())
    };
    let renamed = VerifierKey::new("elsewhere", KeyType::Cosignature, *witness_key(&nations[0]).public()).unwrap();
    let (item, late) = ("not one of: log <vkey>", "is not defined on an earlier line");
    let (text, wrong_key) = ("not lines of UTF-8 without control characters", "not a verifier key of the right type");
    let (threshold, quorum) = ("the threshold is not all, any, or a number", "a policy has exactly one quorum");
    let many_logs = |count: usize| {
        let keys = (0..count).map(|number| SigningKey::from_bytes(Digest::of(&number.to_be_bytes()).as_bytes()));
        let key = |key: SigningKey| note::verifier_key("a", KeyType::Ed25519, &key).unwrap();
        let logs = lines(keys.map(|it| format!("log {}", key(it))));
        raw(format!("{logs}quorum none\n"))
    };
    let filled = |policy: &str, fill: usize| {
        let mut case = raw(policy.to_owned());
        case["fill"] = json!(fill);
        case
    };
    let cases = vec![
        good("no quorum is asked", asks("quorum none", &[])),
        good("no witness and no log is named", raw("quorum none\n".to_owned())),
        good("one witness, who has not cosigned", asks("quorum KE", &[])),
        good("one witness, who has cosigned", asks("quorum KE", &["KE"])),
        good("one witness, and another has cosigned", asks("quorum KE", &["BR"])),
        good("two of three, none has cosigned", asks(two, &[])),
        good("two of three, one has cosigned", asks(two, &["KE"])),
        good("two of three, two have cosigned", asks(two, &["KE", "IN"])),
        good("two of three, three have cosigned", asks(two, &["KE", "BR", "IN"])),
        good("two of three, one of them and one outside have cosigned", asks(two, &["KE", "ZA"])),
        good("a group of groups, one continent is missing", asks(nested, &["BR", "IN"])),
        good("a group of groups, one nation is missing", asks(nested, &["ZA", "BR"])),
        good("a group of groups, all have cosigned", asks(nested, &["KE", "BR", "IN"])),
        good("any of four", asks("group g any KE BR IN ZA\nquorum g", &["ZA"])),
        good("all of four", asks("group g all KE BR IN ZA\nquorum g", &["KE", "BR", "IN"])),
        good("a group of one", asks("group g 1 KE\nquorum g", &["KE"])),
        good("a witness twice on the note counts once", {
            let note = by(&["KE"]);
            let again = cosignature::sign(
                &history.checkpoint(2),
                &witness_name(&nations[0]),
                9,
                &nations[0].key(Role::Witness, 0),
            )
            .unwrap();
            let mut case = asks(two, &[]);
            case["note"] = json!(format!("{note}{}\n", again.to_line()));
            case
        }),
        good(
            "comments, blank lines, spaces and tabs",
            raw(format!(
                "# policy\n\n \t# of ours\n\tlog  {log}\t https://fr.example \n \n{witnesses}group\tg 1 KE\nquorum g\n"
            )),
        ),
        good(
            "addresses",
            raw(format!(
                "log {log} https://fr.example.org/log\nwitness KE {} https://ke.example.org\nquorum KE\n",
                key("KE")
            )),
        ),
        good(
            "names in other scripts",
            raw(format!("witness Кения {}\ngroup अफ़्रीका any Кения\nquorum अफ़्रीका\n", key("KE"))),
        ),
        good("lines after the quorum", asks("quorum KE\ngroup g any KE", &["KE"])),
        good("as many logs as are read", many_logs(ITEMS_MAX)),
        good("as large as is read", filled("# <fill>\nquorum none\n", POLICY_BYTES_MAX - "# \nquorum none\n".len())),
        bad(
            "a log too many",
            many_logs(ITEMS_MAX + 1),
            "line 513 of the policy: more than 512 logs, witnesses or groups",
        ),
        bad(
            "a byte too large",
            filled("# <fill>\nquorum none\n", POLICY_BYTES_MAX - "# \nquorum none\n".len() + 1),
            text,
        ),
        bad("nothing", raw(String::new()), text),
        bad("no last line end", raw("quorum none".to_owned()), text),
        bad("line ends of Windows", raw("quorum none\r\n".to_owned()), text),
        bad("a NUL", raw("quorum none\n# \0\n".to_owned()), "line 2 of the policy: not lines of UTF-8"),
        bad("DEL, which C2SP forbids here", raw("# \u{7f}\nquorum none\n".to_owned()), text),
        bad(
            "bytes that are not UTF-8, which C2SP allows",
            json!({ "policyBase64": base64::encode(b"# \xff\nquorum none\n"), "note": by(&[]), "log": log }),
            text,
        ),
        bad("no quorum", asks("", &[]), quorum),
        bad("a line end alone", raw("\n".to_owned()), quorum),
        bad("two quorums", wrong("quorum KE\nquorum BR"), quorum),
        bad("the same quorum twice", wrong("quorum none\nquorum none"), quorum),
        bad("an unknown word", wrong("mirror KE\nquorum none"), item),
        bad("a word in upper case", wrong("QUORUM none"), item),
        bad("a log without key", wrong("log\nquorum none"), item),
        bad("a log with a word too many", raw(format!("log {log} https://a b\nquorum none\n")), item),
        bad("a witness without key", wrong("witness X\nquorum none"), item),
        bad(
            "a witness with a word too many",
            wrong(&format!("witness X {} https://a b\nquorum none", key("DE"))),
            item,
        ),
        bad("a group without members", wrong("group g any\nquorum none"), item),
        bad("a group without threshold", wrong("group g\nquorum none"), item),
        bad("a quorum without name", wrong("quorum"), item),
        bad("a quorum of two names", wrong("quorum KE BR"), item),
        bad("a comment after a quorum", wrong("quorum KE # the first"), item),
        bad("a space of another kind", wrong("quorum\u{a0}KE"), item),
        bad("a log's key that is for cosigning", wrong(&format!("log {}\nquorum none", key("DE"))), wrong_key),
        bad(
            "a witness's key that is for signing",
            wrong(&format!("witness X {}\nquorum none", History::found("DE").log_key())),
            wrong_key,
        ),
        bad("a key that is none", wrong("witness X key\nquorum none"), wrong_key),
        bad(
            "a key whose id is another's",
            wrong(&format!("witness X {}\nquorum none", key("DE").replace("de.", "at."))),
            wrong_key,
        ),
        bad(
            "a log twice",
            wrong(&format!("log {log} https://other.example\nquorum none")),
            "the key stands in the policy already",
        ),
        bad(
            "a witness twice under two names",
            wrong(&format!("witness X {}\nquorum none", key("KE"))),
            "the key stands in the policy already",
        ),
        bad(
            "a witness's public key under another key name",
            wrong(&format!("witness X {renamed}\nquorum none")),
            "the key stands in the policy already",
        ),
        bad("a name twice", wrong(&format!("witness KE {}\nquorum none", key("DE"))), "the name KE is taken"),
        bad("a group with a witness's name", wrong("group KE any BR\nquorum none"), "the name KE is taken"),
        bad(
            "a witness called none",
            wrong(&format!("witness none {}\nquorum none", key("DE"))),
            "the name none is taken",
        ),
        bad("a group called none", wrong("group none any KE\nquorum none"), "the name none is taken"),
        bad("none as a member", wrong("group g any none\nquorum g"), late),
        bad("a quorum that nobody is", wrong("quorum DE"), "the name DE is not defined on an earlier line"),
        bad("a quorum that is defined later", wrong("quorum g\ngroup g any KE"), late),
        bad("a member that is defined later", wrong("group g any h\ngroup h any KE\nquorum g"), late),
        bad("a group that is its own member", wrong("group g any g\nquorum g"), late),
        bad("a member in another case", wrong("group g any ke\nquorum g"), late),
        bad("a member twice in a group", wrong("group g 2 KE KE BR\nquorum g"), "KE is a member of a group already"),
        bad(
            "a member of two groups",
            wrong("group g any KE\ngroup h any KE BR\nquorum h"),
            "KE is a member of a group already",
        ),
        bad(
            "a group in two groups",
            wrong("group g any KE\ngroup h any g\ngroup i any g BR\nquorum i"),
            "g is a member of a group already",
        ),
        bad("a threshold of zero", wrong("group g 0 KE BR\nquorum g"), threshold),
        bad("a threshold above the members", wrong("group g 3 KE BR\nquorum g"), threshold),
        bad("a threshold with a leading zero", wrong("group g 02 KE BR\nquorum g"), threshold),
        bad("a negative threshold", wrong("group g -1 KE BR\nquorum g"), threshold),
        bad("a threshold past 2^64", wrong("group g 18446744073709551617 KE BR\nquorum g"), threshold),
        bad("a threshold in words", wrong("group g two KE BR\nquorum g"), threshold),
        bad("a threshold in upper case", wrong("group g ALL KE BR\nquorum g"), threshold),
        bad(
            "a cosignature of another checkpoint",
            {
                let mut case = asks("quorum BR", &[]);
                case["note"] = json!(fork);
                case
            },
            "the signature of ke.example.org/chancery/witness does not hold",
        ),
    ];
    check("policy", about, &cases, |case| {
        let policy = Policy::parse(&bytes_of(case, "policy")).map_err(|error| reason(&error))?;
        let log = text_of(case, "log").parse().unwrap();
        let signed = checkpoint::open(text_of(case, "note").as_bytes(), &log).map_err(|error| reason(&error))?;
        let missing = match policy.judge(&signed).map_err(|error| reason(&error))? {
            Quorum::Satisfied => Value::Null,
            Quorum::Missing(names) => json!(names),
        };
        let keys = policy.witnesses().iter().map(|witness| &witness.key);
        let seen = cosignature::verify_all(&signed, keys).map_err(|error| reason(&error))?;
        let since = policy.since(&seen).map(Timestamp::unix_seconds);
        let (logs, witnesses) = (policy.logs().len(), policy.witnesses().len());
        Ok(json!({ "logs": logs, "witnesses": witnesses, "missing": missing, "since": since }))
    });
}
