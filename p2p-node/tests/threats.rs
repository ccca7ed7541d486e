//! Threats by number, as far as the exchange between nodes is needed to try them.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod pouches;

use chancery_tests::row;

/// A pouch was forged, tampered with, cut, mixed or misdirected, or its sender lies.
#[test]
fn poisoned_pouch() {
    row::report("T19", "poisoned_pouch", |share| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(pouches::run(share))
    });
}
