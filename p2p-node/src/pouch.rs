//! The diplomatic pouch: what the wire does, in files that are carried by hand.
//!
//! In scope: packing logs into volumes, checking a pouch against the archive, taking it in. Out of scope: the
//! header (`chancery_schema::pouch`), and who holds the key that seals it.
//!
//! The contents of all volumes, one after the other, are sections, one for each log: a checkpoint, its head;
//! then packages, each followed by the envelopes and blobs of its entries as on the wire, and by the
//! checkpoints that partners cosigned within it. The first package begins at a multiple of 256, so each is
//! proven by what the pouch itself holds. A log without packages travels by its head alone: the receiver's
//! own, with the cosignatures that it waits for.
//!
//! A pouch is refused whole before anything of it is written, or drives the same sync machine as the wire.

mod check;
mod export;
mod feed;
mod import;
mod volumes;

use std::path::PathBuf;

use chancery_registry::Error;
use chancery_schema::name::Origin;
use chancery_schema::pouch::SealError;

pub use self::export::{Export, HEADER_BYTES_MAX, Packed, Volume, export};
pub use self::import::{Imported, Taken, import, sealed_by_partner};
pub use self::volumes::{Pouch, Section};

/// Why a pouch was not packed, or not taken in.
#[derive(Debug, thiserror::Error)]
pub enum PouchError {
    /// The disk.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The disk.
    #[error("failed to write a volume: {0}")]
    Write(std::io::Error),
    /// One frame is larger than a medium.
    #[error("one record or blob needs {needed} bytes, more than a volume of {given} has; allow at least {needed}")]
    Medium {
        /// Bytes of the volume that would hold it.
        needed: u64,
        /// Bytes that a volume may have.
        given: u64,
    },
    /// More files than a header names.
    #[error("the pouch would have more than {0} volumes; allow larger ones")]
    Volumes(usize),
    /// Nothing of it is taken.
    #[error("the pouch is refused, and nothing of it was taken: {0}")]
    Refused(String),
    /// Nothing of it is taken, but the proof is kept.
    #[error(
        "the pouch is refused: it shows that the log {origin} has signed two histories; the proof was kept, and nothing \
         else was taken"
    )]
    TwoHistories {
        /// Which log.
        origin: Origin,
        /// What contradicts the mirror, as a signed note.
        note: String,
    },
    /// The archive.
    #[error("failed to use the archive")]
    Archive(#[from] Error),
}

impl From<SealError> for PouchError {
    fn from(error: SealError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Refuses a pouch.
fn refuse<T>(problem: impl Into<String>) -> Result<T, PouchError> {
    Err(PouchError::Refused(problem.into()))
}
