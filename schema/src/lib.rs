//! What nations sign, and how to verify it.
//!
//! - In scope: records and their envelopes, keys, the log's tree, notes and proofs, admission,
//!   the framing of pouches and bundles, and the bounds of it all.
//! - Out of scope: everything that touches the world. This crate does no I/O, reads no clock, draws
//!   no random number and is not async; time and randomness come in as arguments.
//!
//! A record is a [`statement`] in an [`envelope`]; [`record`] has its kinds. [`admission`] decides
//! whether it counts, and the [`roster`] how it stands once keys were revoked. The [`log`] proves that it was entered, and who has seen it.

pub mod admission;
pub mod base64;
pub mod bundle;
pub mod digest;
pub mod envelope;
pub mod frame;
pub mod json;
pub mod key;
pub mod limits;
pub mod lint;
pub mod log;
pub mod name;
pub mod pouch;
pub mod record;
pub mod roster;
pub mod statement;
pub mod succession;
pub mod time;
pub mod word;
