//! Golden vectors of every format, read by Rust and TypeScript alike.
//!
//! The files in `schema/vectors` are the contract; what is made here only guards them. A vector that
//! is gone, changed or judged otherwise fails. `UPDATE=1` writes the files anew: read the difference.

#![expect(clippy::unwrap_used, reason = "a test")]
#![expect(clippy::too_many_lines, reason = "a table of cases is as long as its format has ways to be wrong")]

mod ends;
mod envelope;
mod evidence;
mod golden;
mod json_schemas;
mod keys;
mod log;
mod notes;
mod records;
mod standing;
mod succession;
mod transport;
mod tree;

/// The fixtures of the whole-federation tests sign here too: one nation, one set of seeds.
#[path = "../../../tests/src/history.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod history;
#[path = "../../../tests/src/nation.rs"]
#[allow(dead_code, clippy::unused_self, reason = "the other tests use the rest, where these are public")]
mod nation;
