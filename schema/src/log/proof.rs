//! Proofs: all that is needed to check offline that an entry is in a log.
//!
//! Follows C2SP tlog-proof <https://c2sp.org/tlog-proof>: a heading, optional extra data that nobody
//! vouches for, the index, the hashes of an inclusion proof, a blank line, and the checkpoint verbatim.
//! In scope: the text, and verifying it for an entry and a log.
//! Out of scope: whether enough partners have seen it (see [`super::policy`]).

use std::fmt;

use crate::base64;
use crate::digest::Digest;
use crate::limits::{NOTE_BYTES_MAX, PROOF_HASHES_MAX};
use crate::log::checkpoint::{self, CheckpointError, SignedCheckpoint, decimal};
use crate::log::note::{Note, NoteError, VerifierKey};
use crate::log::tree::{self, HashReader, ProofError};

/// Extra data, in bytes. We write none; others may carry a little context.
pub const EXTRA_BYTES_MAX: usize = 16 << 10;

const HEADING: &str = "c2sp.org/tlog-proof@v1";
/// Heading, extra in base64, index, hashes, blank line, note.
const TEXT_BYTES_MAX: usize = 64 + EXTRA_BYTES_MAX / 3 * 4 + 64 + PROOF_HASHES_MAX * 45 + NOTE_BYTES_MAX;

/// A proof that is well formed and not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    extra: Option<Vec<u8>>,
    index: u64,
    hashes: Vec<Digest>,
    note: Note,
}

/// Why a proof is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// Too many bytes.
    #[error("the proof is larger than {TEXT_BYTES_MAX} bytes, or its extra data than {EXTRA_BYTES_MAX}")]
    Large,
    /// Not UTF-8, or its parts are missing or out of order.
    #[error("a proof is {HEADING}, extra data or not, an index, hashes, a blank line, a checkpoint")]
    Shape,
    /// The line of extra data.
    #[error("the extra data is not base64")]
    Extra,
    /// The line of the index.
    #[error("the index is not a number from 0 to 2^63-1 without leading zeros")]
    Index,
    /// A line of a hash, or too many of them.
    #[error("the hashes are not at most {PROOF_HASHES_MAX} SHA-256 digests in base64")]
    Hashes,
    /// The checkpoint is not even a note.
    #[error("failed to read the checkpoint of a proof")]
    Note(#[from] NoteError),
    /// The checkpoint does not hold.
    #[error("failed to open the checkpoint of a proof")]
    Checkpoint(#[from] CheckpointError),
    /// The hashes do not hold.
    #[error("failed to verify that the entry is in the log")]
    Inclusion(#[from] ProofError),
}

impl Proof {
    /// Proves that entry `index` is in the log at `checkpoint`; `None` when it is not, or a hash is
    /// not held.
    #[must_use]
    pub fn new(reader: &dyn HashReader, index: u64, checkpoint: &SignedCheckpoint) -> Option<Self> {
        let hashes = tree::inclusion_proof(reader, index, checkpoint.checkpoint().size)?;
        Some(Self { extra: None, index, hashes, note: checkpoint.note().clone() })
    }

    /// Reads a proof and believes nothing in it.
    ///
    /// # Errors
    /// When it is too large or not in the shape of a proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(TlogProofError::Large);
        }
        let text = str::from_utf8(bytes).map_err(|_| TlogProofError::Shape)?;
        let (head, note) = text.split_once("\n\n").ok_or(TlogProofError::Shape)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADING) {
            return Err(TlogProofError::Shape);
        }
        let extra = lines.next_if(|line| line.starts_with("extra ")).map(parse_extra).transpose()?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(TlogProofError::Shape)?;
        let index = decimal(index).ok_or(TlogProofError::Index)?;
        let hashes = parse_hashes(lines).ok_or(TlogProofError::Hashes)?;
        Ok(Self { extra, index, hashes, note: Note::parse(note.as_bytes())? })
    }

    /// Checks that the log has signed the checkpoint and that `entry` stands in it, and answers where.
    ///
    /// # Errors
    /// When either does not hold.
    pub fn verify(&self, entry: &[u8], log: &VerifierKey) -> Result<(u64, SignedCheckpoint), TlogProofError> {
        let signed = checkpoint::open(self.note.to_string().as_bytes(), log)?;
        let seen = signed.checkpoint();
        tree::verify_inclusion(&tree::leaf_hash(entry), self.index, seen.size, &self.hashes, &seen.root)?;
        Ok((self.index, signed))
    }

    /// What came along, vouched for by nobody.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Where the entry is said to stand.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// From the leaf's sibling to the root's child.
    #[must_use]
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// The checkpoint, not yet verified.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADING}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", base64::encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.note)
    }
}

fn parse_extra(line: &str) -> Result<Vec<u8>, TlogProofError> {
    let extra = line.strip_prefix("extra ").ok_or(TlogProofError::Shape)?;
    let extra = base64::decode(extra).map_err(|_| TlogProofError::Extra)?;
    if extra.len() > EXTRA_BYTES_MAX { Err(TlogProofError::Large) } else { Ok(extra) }
}

/// Reads one hash per line, at most [`PROOF_HASHES_MAX`].
pub(super) fn parse_hashes<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Vec<Digest>> {
    let hashes = lines.take(PROOF_HASHES_MAX + 1).map(|line| Digest::from_base64(line).ok());
    hashes.collect::<Option<Vec<_>>>().filter(|hashes| hashes.len() <= PROOF_HASHES_MAX)
}
