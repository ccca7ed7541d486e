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

/// A request, in bytes: heads of some fifty logs with the cosignatures of every nation. What is more
/// goes into the next one.
pub const REQUEST_BYTES_MAX: u64 = 4 << 20;

/// Notes in one message of heads, in bytes together: what CBOR puts around them fits beside.
const HEADS_BYTES_MAX: usize = (4 << 20) - (64 << 10);

/// An answer, in bytes: one blob and its wrapping.
pub const RESPONSE_BYTES_MAX: u64 = BLOB_BYTES_MAX + (64 << 10);

/// A question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Request {
    /// These are heads of logs that I hold; show me yours that I have not seen.
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
        /// One word for programs: `not-held` when it never was here, `busy` when it is worth asking
        /// again in a second, `failed` when this node could not read what it has.
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

/// Heads in as many messages as they need, in their order.
#[must_use]
pub fn messages(notes: Vec<String>) -> Vec<Vec<String>> {
    let (mut messages, mut message, mut bytes) = (Vec::new(), Vec::new(), 0);
    for note in notes.into_iter().filter(|note| note.len() <= NOTE_BYTES_MAX) {
        // CBOR puts at most nine bytes before a text.
        let more = note.len() + 9;
        if !message.is_empty() && (message.len() == HEADS_MAX || bytes + more > HEADS_BYTES_MAX) {
            messages.push(std::mem::take(&mut message));
            bytes = 0;
        }
        bytes += more;
        message.push(note);
    }
    if !message.is_empty() {
        messages.push(message);
    }
    messages
}

fn notes_are_bounded(notes: &[String]) -> bool {
    notes.len() <= HEADS_MAX && notes.iter().all(|note| note.len() <= NOTE_BYTES_MAX)
}
