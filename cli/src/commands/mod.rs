//! The commands that need no node: everything a publisher signs, and everything anyone verifies.

pub mod card;
pub mod charter;
pub mod enrol;
pub mod evidence;
pub mod hash;
pub mod keygen;
pub mod license;
pub mod oms;
pub mod revoke;
pub mod show;
pub mod sign;
pub mod succession;
pub mod verify;
