//! Real model cards, written by others in many scripts: imported, signed, published in one nation,
//! and read back through another. They are not part of the project; `CHANCERY_CORPUS` names a folder
//! of Markdown files (`NATION/ORG--MODEL.md` at any depth).

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_tests::command::{chancery, succeed};
use chancery_tests::federation::Federation;
use chancery_tests::node::NATIONS;
use chancery_tests::publisher::Publisher;
use serde_json::{Value, json};

#[test]
#[ignore = "needs real cards: make corpus CORPUS=DIR"]
fn real_cards_reach_a_partner_as_they_were_written() {
    let corpus = std::env::var_os("CHANCERY_CORPUS").expect("CHANCERY_CORPUS names a folder of cards");
    let cards = cards(Path::new(&corpus));
    assert!(cards.len() >= 20, "{} holds {} cards", corpus.display(), cards.len());
    let home = tempfile::tempdir().unwrap();
    let federation = Federation::start(home.path(), &NATIONS[..2]).unwrap();
    let (france, kenya) = (federation.node("FR"), federation.node("KE"));
    let publisher = Publisher::enrol(france, "corpus").unwrap();
    let mut names = BTreeSet::new();
    let mut envelopes = Vec::new();
    for card in &cards {
        let name = free_name(card, &mut names);
        envelopes.push(publisher.describe(card, &name).unwrap());
    }
    let mut publish = chancery(home.path());
    publish.arg("publish").args(&envelopes).args(["--node", &france.url, "--wait=witnessed=1", "--timeout", "300"]);
    succeed(&mut publish).unwrap();
    let digests: Vec<String> = envelopes.iter().map(|path| digest(path)).collect();
    federation.wait_for(&digests).unwrap();
    let mut scripts = BTreeSet::new();
    for (card, digest) in cards.iter().zip(&digests) {
        let written = std::fs::read(card).unwrap();
        let query = "query ($digest: Digest!) { record(digest: $digest) { payload } }";
        let answer = kenya.ask(query, &json!({ "digest": digest })).unwrap();
        let payload: Value = serde_json::from_str(answer["record"]["payload"].as_str().unwrap()).unwrap();
        let source = payload["predicate"]["sourceDocument"]["sha256"].as_str().unwrap().to_owned();
        assert_eq!(source, Digest::of(&written).to_string(), "{}", card.display());
        assert_eq!(kenya.get(&format!("/blob/{source}")).unwrap(), written, "{}", card.display());
        scripts.extend(String::from_utf8_lossy(&written).chars().filter_map(script));
    }
    println!("{} cards in {} scripts read back through a partner: {scripts:?}", cards.len(), scripts.len());
    assert!(scripts.len() >= 8, "the cards are in {scripts:?} only");
}

fn cards(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(cards(&path));
        } else if path.extension().is_some_and(|ending| ending == "md") && path.to_string_lossy().contains("--") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn free_name(card: &Path, taken: &mut BTreeSet<String>) -> String {
    let stem = card.file_stem().unwrap().to_string_lossy().to_lowercase();
    let plain: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let mut name: String = plain.trim_matches('-').chars().take(60).collect();
    while !taken.insert(name.clone()) {
        name.push('x');
    }
    name
}

fn digest(path: &Path) -> String {
    Envelope::parse(&std::fs::read(path).unwrap()).unwrap().record_digest().to_string()
}

/// The script of a letter, by Unicode block: enough to count scripts.
fn script(letter: char) -> Option<&'static str> {
    match u32::from(letter) {
        0x41..=0x5a | 0x61..=0x7a => Some("Latin"),
        0x370..=0x3ff => Some("Greek"),
        0x400..=0x4ff => Some("Cyrillic"),
        0x590..=0x5ff => Some("Hebrew"),
        0x600..=0x6ff => Some("Arabic"),
        0x900..=0x97f => Some("Devanagari"),
        0x980..=0x9ff => Some("Bengali"),
        0xa80..=0xaff => Some("Gujarati"),
        0xb00..=0xb7f => Some("Oriya"),
        0xb80..=0xbff => Some("Tamil"),
        0xc00..=0xc7f => Some("Telugu"),
        0xd80..=0xdff => Some("Sinhala"),
        0xe00..=0xe7f => Some("Thai"),
        0x10a0..=0x10ff => Some("Georgian"),
        0x1200..=0x137f => Some("Ethiopic"),
        0x3040..=0x30ff => Some("Kana"),
        0x4e00..=0x9fff => Some("Han"),
        0xac00..=0xd7af => Some("Hangul"),
        _ => None,
    }
}
