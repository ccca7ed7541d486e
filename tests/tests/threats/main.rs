//! Threats by number: what an attacker may try on records, keys, texts and proofs, and what a node may
//! lose, each tried many times, with a row that says how often.
//!
//! `make test` tries a bounded share; `make threats` (`CHANCERY_THREATS=full`) tries all.

#![expect(clippy::unwrap_used, reason = "a test")]

mod clock;
mod confusion;
mod ed25519;
mod golden;
mod json;
mod judges;
mod lost;
mod mix;
mod redact;
mod split;
mod stolen;
mod tamper;
mod threshold;

use chancery_tests::row;

/// A record is forged or altered in store or transit.
#[test]
fn tamper_every_bit() {
    row::report("T01", "tamper_every_bit", tamper::run);
}

/// A record signed as one thing is taken for another.
#[test]
fn confusion_matrix() {
    row::report("T02", "confusion_matrix", |_| confusion::run());
}

/// Two verifiers disagree on an odd key or signature.
#[test]
fn ed25519_profile() {
    row::report("T03", "ed25519_profile", ed25519::run);
}

/// Two readers read one text in two ways.
#[test]
fn json_hostile() {
    row::report("T04", "json_hostile", json::run);
}

/// A log shows two histories, or is said to.
#[test]
fn split_view() {
    row::report("T05", "split_view", split::run);
}

/// A publisher's or registrar's key is stolen, used, and revoked.
#[test]
fn stolen_key() {
    row::report("T12", "stolen_key", stolen::run);
}

/// A node is lost with all that it held.
#[test]
fn lose_everything() {
    row::report("T13", "lose_everything", lost::run);
}

/// A clock is wrong by years, or steps.
#[test]
fn clock_chaos() {
    row::report("T14", "clock_chaos", clock::run);
}

/// What was redacted is still somewhere, or its going breaks what stays.
#[test]
fn redact_everywhere() {
    row::report("T27", "redact_everywhere", redact::run);
}

/// Genuine parts of different histories are put together.
#[test]
fn mix_and_match() {
    row::report("T09", "mix_and_match", mix::run);
}

/// A threshold is met with one key twice.
#[test]
fn threshold_dup() {
    row::report("T11", "threshold_dup", threshold::run);
}
