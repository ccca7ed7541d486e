//! Every parser under bytes that somebody changed: it never panics, and what it takes it writes again
//! as it was. The seeds are the golden vectors, so a new vector is a new seed.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::path::Path;

use chancery_schema::base64;
use chancery_schema::bundle::{Bundle, Trust, Verdict, verify};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::frame::Decoder;
use chancery_schema::log::checkpoint::Checkpoint;
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::{Note, VerifierKey};
use chancery_schema::log::policy::Policy;
use chancery_schema::log::proof::Proof;
use chancery_schema::log::tile::{self, Tile};
use chancery_schema::log::witness::{Request, format_answer, parse_answer};
use chancery_schema::record::Record;
use chancery_schema::statement::Statement;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;

/// The good inputs of a vector file that are not too large to be changed a few hundred times.
fn seeds(file: &str, member: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(format!("{file}.json"));
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = vectors["cases"].as_array().unwrap().iter().filter(|case| case.get("expect").is_some());
    let seeds = cases.filter_map(|case| match &case[member] {
        Value::String(text) if matches!(member, "frames" | "bundle") => base64::decode(text).ok(),
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Null => None,
        other => Some(other.to_string().into_bytes()),
    });
    let seeds: Vec<Vec<u8>> = seeds.filter(|seed| seed.len() < 40_000).collect();
    assert!(!seeds.is_empty(), "{file} has good cases with {member}");
    seeds
}

/// One change: bytes set, cut, doubled, moved in from elsewhere, or a number made extreme.
#[derive(Clone, Debug)]
struct Change {
    how: u8,
    at: usize,
    length: usize,
    byte: u8,
    word: &'static str,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let words = prop::sample::select(vec![
        "\n",
        "\n\n",
        "\r\n",
        "\0",
        " ",
        "+",
        "=",
        "0",
        "00",
        "-1",
        "18446744073709551615",
        "9223372036854775808",
        "\u{feff}",
        "\u{2014} ",
        "{",
        "[",
        "\"",
        "\\u0000",
        "null",
        ".p/",
        "x",
        "/",
    ]);
    let change = (0_u8..6, any::<usize>(), 0_usize..64, any::<u8>(), words);
    let change = change.prop_map(|(how, at, length, byte, word)| Change { how, at, length, byte, word });
    prop::collection::vec(change, 1..4)
}

fn changed(seed: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for Change { how, at, length, byte, word } in changes {
        let at = at % (bytes.len() + 1);
        let end = (at + length).min(bytes.len());
        match how {
            0 if at < bytes.len() => bytes[at] = *byte,
            1 => drop(bytes.splice(at..end, [])),
            2 => bytes.truncate(at),
            3 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            4 => drop(bytes.splice(at..end, word.bytes())),
            _ => bytes.insert(at, *byte),
        }
    }
    bytes
}

/// Runs `parse`, which answers what it would write when it takes the bytes.
fn fuzz(file: &str, member: &str, cases: u32, parse: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    let seeds = seeds(file, member);
    let strategy = (prop::sample::select(seeds), changes());
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let run = runner.run(&strategy, |(seed, changes)| {
        let bytes = changed(&seed, &changes);
        if let Some(written) = parse(&bytes) {
            prop_assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&bytes));
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{file}: {error}"));
}

/// The same for text formats.
fn fuzz_text(file: &str, member: &str, parse: impl Fn(&str) -> Option<String>) {
    fuzz(file, member, 2048, |bytes| parse(str::from_utf8(bytes).ok()?).map(String::into_bytes));
}

#[test]
fn lines_are_read_in_one_way() {
    fuzz("entry", "entry", 2048, |bytes| Some(Entry::parse(bytes).ok()?.to_bytes()));
    fuzz("note", "note", 2048, |bytes| Some(Note::parse(bytes).ok()?.to_string().into_bytes()));
    fuzz("proof", "proof", 2048, |bytes| Some(Proof::parse(bytes).ok()?.to_string().into_bytes()));
    fuzz("witness-request", "body", 2048, |bytes| Some(Request::parse(bytes).ok()?.to_string().into_bytes()));
    fuzz_text("witness-answer", "body", |text| Some(format_answer(&parse_answer(text).ok()?)));
    fuzz_text("checkpoint", "checkpoint", |text| Some(Checkpoint::parse(text).ok()?.to_text()));
    fuzz_text("verifier-key", "key", |text| Some(text.parse::<VerifierKey>().ok()?.to_string()));
    fuzz_text("tile-path", "path", |text| match (Tile::parse_path(text), tile::Bundle::parse_path(text)) {
        (Ok(tile), Err(_)) => Some(tile.path()),
        (Err(_), Ok(bundle)) => Some(bundle.path()),
        (Err(_), Err(_)) => None,
        (Ok(_), Ok(_)) => panic!("{text:?} is two paths"),
    });
}

#[test]
fn a_policy_never_panics() {
    fuzz("policy", "policy", 1024, |bytes| {
        let _ = Policy::parse(bytes);
        None
    });
}

#[test]
fn an_envelope_has_one_fixed_form() {
    fuzz("envelope", "envelope", 2048, |bytes| {
        let envelope = Envelope::parse(bytes).ok()?;
        let fixed = envelope.to_bytes();
        assert_eq!(Envelope::from_fixed(&fixed), Ok(envelope));
        Envelope::from_fixed(bytes).is_ok().then_some(fixed)
    });
}

#[test]
fn a_record_never_panics() {
    fuzz("record", "statement", 2048, |bytes| {
        if let Ok(statement) = Statement::parse(bytes) {
            let _ = Record::read(&statement);
        }
        None
    });
}

#[test]
fn frames_and_bundles_never_panic() {
    fuzz("frame", "frames", 2048, |bytes| {
        let (mut decoder, mut written) = (Decoder::default(), Vec::new());
        decoder.push(bytes);
        while let Some(frame) = decoder.next_frame().ok()? {
            written.extend(frame.to_bytes());
        }
        decoder.is_empty().then_some(written)
    });
    fuzz("bundle", "bundle", 1024, |bytes| {
        let bundle = Bundle::read(bytes).ok()?;
        assert_eq!(Bundle::read(&bundle.write()), Ok(bundle));
        None
    });
}

/// Payloads changed, digests made right again: what is then verified is still what was signed.
#[test]
fn a_bundle_that_was_changed_proves_nothing_new() {
    for bundle in seeds("bundle", "bundle") {
        let original = Bundle::read(&bundle).unwrap();
        let signed: BTreeSet<Digest> = original.records.iter().map(|record| record.envelope.digest()).collect();
        let trust = Trust::Fingerprint(original.records[0].envelope.record_digest());
        assert_eq!(verify(&original, &trust).verdict, Verdict::Verified);
        let mut payloads = payloads(&bundle);
        payloads.pop();
        let strategy = (0..payloads.len(), changes());
        let config = ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() };
        let run = TestRunner::new(config).run(&strategy, |(at, changes)| {
            let mut payloads = payloads.clone();
            payloads[at].1 = changed(&payloads[at].1, &changes);
            payloads.push((8, (payloads.len() as u64).to_be_bytes().to_vec()));
            let Ok(read) = Bundle::read(&framed(&payloads)) else { return Ok(()) };
            if verify(&read, &trust).verdict == Verdict::Verified {
                prop_assert!(read.records.iter().all(|record| signed.contains(&record.envelope.digest())));
            }
            Ok(())
        });
        run.unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Type and payload of each frame.
fn payloads(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (mut payloads, mut rest) = (Vec::new(), bytes);
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
        payloads.push((after[0], after[33..33 + length].to_vec()));
        rest = &after[33 + length..];
    }
    payloads
}

fn framed(payloads: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let frame = |(kind, payload): &(u8, Vec<u8>)| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[..], &[*kind], Digest::of(payload).as_bytes(), payload].concat()
    };
    payloads.iter().flat_map(frame).collect()
}
