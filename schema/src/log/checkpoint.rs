//! Checkpoints: what a log says of itself, and signs.
//!
//! Follows C2SP tlog-checkpoint <https://c2sp.org/tlog-checkpoint>, v1.0.0, without extension lines:
//! cosignatures of type 0x06 would not cover them. Three lines: origin, size, root in base64.
//! In scope: the text, signing it as the log, opening it with the log's key.
//! Out of scope: whether two checkpoints agree (see [`super::tree::verify_consistency`]).

use std::fmt;

use crate::digest::Digest;
use crate::key::{SignError, Signer};
use crate::log::note::{self, KeyType, Note, NoteError, Signature, VerifierKey};
use crate::log::tree::SIZE_MAX;
use crate::name::Origin;

/// The size and root of a log at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// Which log.
    pub origin: Origin,
    /// How many entries, at most [`SIZE_MAX`].
    pub size: u64,
    /// The root of their tree.
    pub root: Digest,
}

/// A checkpoint that carries a valid signature of its log. Only [`open`] and [`sign`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not three lines.
    #[error("a checkpoint is three lines: origin, size and root")]
    Lines,
    /// The first line.
    #[error("the first line of a checkpoint is its origin")]
    Origin,
    /// The second line.
    #[error("the second line of a checkpoint is a size from 0 to 2^63-1 without leading zeros")]
    Size,
    /// The third line.
    #[error("the third line of a checkpoint is a SHA-256 digest in base64")]
    Root,
    /// The key given is another log's, or not for signing checkpoints.
    #[error("{key} is not the key of the log {origin}")]
    WrongKey {
        /// The key's name.
        key: String,
        /// The checkpoint's origin.
        origin: Origin,
    },
    /// The note around it.
    #[error("failed to open the note of a checkpoint")]
    Note(#[from] NoteError),
}

impl Checkpoint {
    /// Reads [`Checkpoint::to_text`].
    ///
    /// # Errors
    /// When the text is anything else: a checkpoint has one text.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Lines);
        };
        let origin = origin.parse().map_err(|_| CheckpointError::Origin)?;
        let size = decimal(size).ok_or(CheckpointError::Size)?;
        let root = Digest::from_base64(root).map_err(|_| CheckpointError::Root)?;
        Ok(Self { origin, size, root })
    }

    /// The three lines.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }
}

/// Signs a checkpoint as its log.
///
/// # Errors
/// When the key cannot stand in a note, or the device does not sign.
pub fn sign(checkpoint: Checkpoint, log: &dyn Signer) -> Result<SignedCheckpoint, SignError> {
    let text = checkpoint.to_text();
    let signature = note::sign(&text, checkpoint.origin.as_str(), log)?;
    let note = Note::new(&text, vec![signature]).map_err(|error| SignError(error.to_string()))?;
    Ok(SignedCheckpoint { checkpoint, note })
}

/// Opens a note as a checkpoint of the log with this key. Other lines than the log's are kept and
/// not yet verified.
///
/// # Errors
/// When the note is no checkpoint, is another log's, or the log has not signed it.
pub fn open(note: &[u8], log: &VerifierKey) -> Result<SignedCheckpoint, CheckpointError> {
    let note = Note::parse(note)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    if log.key_type() != KeyType::Ed25519 || log.name() != checkpoint.origin.as_str() {
        return Err(CheckpointError::WrongKey { key: log.name().to_owned(), origin: checkpoint.origin });
    }
    note.verify(std::slice::from_ref(log))?;
    Ok(SignedCheckpoint { checkpoint, note })
}

impl SignedCheckpoint {
    /// What the log signed.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with every line it came with.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Adds a line, such as a cosignature, unless it is there already.
    ///
    /// # Errors
    /// When the note would become too large.
    pub fn add(&mut self, signature: Signature) -> Result<(), NoteError> {
        self.note.add(signature)
    }
}

/// The note, byte for byte.
impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// Reads a decimal number up to [`SIZE_MAX`] in its one form: digits, no sign, no leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| text.parse().ok()).flatten().filter(|value| *value <= SIZE_MAX)
}
