//! What partners' nodes say to each other: `/chancery/sync/1`, questions and answers in CBOR.
//!
//! Heads carry the cosignatures known on them, so a cosignature needs no message of its own. Entries
//! travel in bulk (see `bulk.rs`).

use chancery_schema::digest::Digest;
use chancery_schema::limits::{BLOB_BYTES_MAX, HEADS_MAX, NOTE_BYTES_MAX, PROOF_HASHES_MAX};
use chancery_schema::name::Origin;
use libp2p::StreamProtocol;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// The protocol's name.
pub const SYNC: StreamProtocol = StreamProtocol::new("/chancery/sync/1");

/// A request, in bytes: heads of every log that nations are likely to have, with their cosignatures.
pub const REQUEST_BYTES_MAX: u64 = 4 << 20;

/// An answer, in bytes: one blob and its wrapping.
pub const RESPONSE_BYTES_MAX: u64 = BLOB_BYTES_MAX + (64 << 10);

/// A question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Request {
    /// These are the heads of all logs that I hold; show me yours.
    Heads {
        /// Signed notes.
        notes: Vec<String>,
    },
    /// Prove that a log grew from one size to another.
    Consistency {
        /// Which log.
        origin: Origin,
        /// The smaller size.
        old: u64,
        /// The larger size.
        new: u64,
    },
    /// Send the envelope or blob with this digest.
    Piece {
        /// SHA-256 of its bytes.
        digest: Digest,
    },
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Response {
    /// To [`Request::Heads`].
    Heads {
        /// Signed notes.
        notes: Vec<String>,
    },
    /// To [`Request::Consistency`].
    Consistency {
        /// Hashes, each as text of 64 hexadecimal digits.
        proof: Vec<Digest>,
    },
    /// To [`Request::Piece`].
    Piece {
        /// Whether it is an envelope; otherwise a blob.
        is_envelope: bool,
        /// Its bytes.
        bytes: ByteBuf,
    },
    /// The question cannot be answered.
    Refused {
        /// One word for programs: `not-held`, `busy`, `failed`.
        code: String,
    },
}

impl Request {
    /// Whether the question keeps to the bounds.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        match self {
            Self::Heads { notes } => notes_are_bounded(notes),
            Self::Consistency { .. } | Self::Piece { .. } => true,
        }
    }
}

impl Response {
    /// Whether the answer keeps to the bounds.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        match self {
            Self::Heads { notes } => notes_are_bounded(notes),
            Self::Consistency { proof } => proof.len() <= PROOF_HASHES_MAX,
            Self::Piece { bytes, .. } => bytes.len() as u64 <= BLOB_BYTES_MAX,
            Self::Refused { code } => code.len() <= 64,
        }
    }
}

fn notes_are_bounded(notes: &[String]) -> bool {
    notes.len() <= HEADS_MAX && notes.iter().all(|note| note.len() <= NOTE_BYTES_MAX)
}
