//! T03: every verifier has one verdict on every key and signature, however odd, and nobody forges
//! under a key of small order. `schema/tests/ed25519_profile.rs` holds Rust to
//! the vectors; here the others are held to Rust, on the vectors and on what is made of their parts.

use std::collections::BTreeSet;

use chancery_schema::key::{self, PublicKey};
use serde_json::Value;

use super::json::Dice;
use super::judges::{self, Judge, hex};
use super::row::{Share, Tally};

/// A signature to be judged, and the verdict where it is known.
#[derive(Default)]
struct Case {
    name: String,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
    verdict: Option<bool>,
}

pub fn run(share: Share) -> (Tally, String) {
    let vectors = vectors();
    let low = small_order(&vectors);
    let mut tally = Tally::default();
    for key in &low {
        let refused = PublicKey::from_bytes((*key).try_into().unwrap()).is_err();
        tally.expect(refused, || format!("{} was taken for a key", hex(key)));
    }
    let forgeries = forgeries(&low, share.of(10, 200));
    let recombined = recombined(&vectors, share.of(600, 20_000));
    let (known, forged) = (vectors.len(), forgeries.len());
    let made = [forgeries, recombined, turned_over(&vectors, share.of(4, 1))].into_iter().flatten();
    let cases: Vec<Case> = made.chain(vectors).collect();
    let verdicts: Vec<bool> = cases.iter().map(Case::holds).collect();
    for (case, verdict) in cases.iter().zip(&verdicts) {
        let right = case.verdict.is_none_or(|known| known == *verdict);
        tally.expect(right, || format!("Rust on {}: {verdict}", case.name));
    }
    let judges = judges::of("ed25519");
    for judge in &judges {
        tally.add(compare(judge, &cases, &verdicts));
    }
    let holding = verdicts.iter().filter(|verdict| **verdict).count();
    let (who, count) = (judges::names(&judges), cases.len());
    let tried = format!(
        "verdicts of {who} on {count} cases ({known} vectors, {forged} forgeries, {holding} that hold), to be the same"
    );
    (tally, tried)
}

fn compare(judge: &Judge, cases: &[Case], verdicts: &[bool]) -> Tally {
    let mut tally = Tally::default();
    let lines: Vec<String> = cases.iter().map(Case::line).collect();
    let said = judge.ask(&lines);
    for ((line, verdict), said) in lines.iter().zip(verdicts).zip(said) {
        let agrees = said == if *verdict { "1" } else { "0" };
        tally.expect(agrees, || format!("{}: {said}, Rust: {verdict}, of {line}", judge.name()));
    }
    tally
}

impl Case {
    fn holds(&self) -> bool {
        let key = self.key.as_slice().try_into();
        let signature = self.signature.as_slice().try_into();
        key.is_ok_and(|key| signature.is_ok_and(|signature| key::verify(key, &self.message, signature).is_ok()))
    }

    fn line(&self) -> String {
        [&self.key, &self.message, &self.signature].map(|bytes| hex(bytes)).join(":")
    }
}

/// The vectors, with their verdicts.
fn vectors() -> Vec<Case> {
    let file: Value = serde_json::from_str(include_str!("../../../schema/vectors/ed25519.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap().iter().map(|vector| {
        let bytes = |member: &str| unhex(vector[member].as_str().unwrap());
        Case {
            name: vector["name"].to_string(),
            key: bytes("publicKey"),
            message: bytes("message"),
            signature: bytes("signature"),
            verdict: vector["accept"].as_bool(),
        }
    });
    vectors.collect()
}

/// The fourteen encodings of points of small order.
fn small_order(vectors: &[Case]) -> Vec<&[u8]> {
    let low = vectors.iter().filter(|case| case.name.contains("low order: ")).map(|case| case.key.as_slice());
    let low: BTreeSet<&[u8]> = low.collect();
    assert_eq!(low.len(), 14, "the encodings of points of small order");
    low.into_iter().collect()
}

/// Under each key of small order as many messages that nobody signed: R is one of these points and S
/// is zero, which is what a forger has.
fn forgeries(low: &[&[u8]], messages: u32) -> Vec<Case> {
    let forged = |key: &[u8], message: u32| Case {
        name: format!("a forgery under {}", hex(key)),
        key: key.to_vec(),
        message: message.to_be_bytes().to_vec(),
        signature: [low[message as usize % low.len()], &[0; 32]].concat(),
        verdict: Some(false),
    };
    low.iter().flat_map(|key| (0..messages).map(|message| forged(key, message))).collect()
}

/// Keys, messages, R and S of all vectors, thrown together; every other one with a genuine key.
fn recombined(vectors: &[Case], count: usize) -> Vec<Case> {
    let mut dice = Dice::of(3);
    let whole: Vec<&Case> = vectors.iter().filter(|case| case.signature.len() == 64).collect();
    let genuine: Vec<&Case> = whole.iter().copied().filter(|case| case.verdict == Some(true)).collect();
    let mut case = |number: usize| {
        let base = dice.pick(&genuine);
        let [key, r, s] = std::array::from_fn(|_| if dice.below(2) == 0 { base } else { dice.pick(&whole) });
        Case {
            name: format!("recombined {number}"),
            key: key.key.clone(),
            message: base.message.clone(),
            signature: [&r.signature[..32], &s.signature[32..]].concat(),
            verdict: None,
        }
    };
    (0..count).map(&mut case).collect()
}

/// A genuine signature with every `step`-th bit of key, message and signature turned over.
fn turned_over(vectors: &[Case], step: usize) -> Vec<Case> {
    let genuine = vectors.iter().find(|case| case.message.len() == 2 && case.verdict == Some(true)).unwrap();
    let turn = |bit: usize| {
        let mut all = [genuine.key.as_slice(), &genuine.message, &genuine.signature].concat();
        all[bit / 8] ^= 1 << (bit % 8);
        let (key, rest) = all.split_at(32);
        let (message, signature) = rest.split_at(2);
        let name = format!("bit {bit} turned over");
        Case { name, key: key.to_vec(), message: message.to_vec(), signature: signature.to_vec(), verdict: Some(false) }
    };
    (0..8 * (32 + 2 + 64)).step_by(step).map(turn).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
