//! The log of one nation: what is entered, what the log signs, and how anyone checks it offline.
//!
//! An [`entry`] is a leaf of the [`tree`]; the tree is served as [`tile`]s. Its size and root are a
//! [`checkpoint`], a signed [`note`]. Partners add a [`cosignature`] after asking for consistency as a
//! [`witness`]; a [`policy`] says how many cosignatures suffice, and a [`proof`] carries it all by hand.
//!
//! - In scope: the C2SP formats <https://c2sp.org> and the tree of RFC 6962, one file each, with
//!   every decision as a pure function.
//! - Out of scope: storing leaves and hashes (they come through [`tree::HashReader`]), HTTP, and what
//!   an entry's envelope says (see [`crate::admission`]).

pub mod checkpoint;
pub mod cosignature;
pub mod entry;
pub mod note;
pub mod policy;
pub mod proof;
pub mod tile;
pub mod tree;
pub mod witness;
