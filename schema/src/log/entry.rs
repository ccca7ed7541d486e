//! Entries: the bytes that are the leaves of a log.
//!
//! Chancery's own format, three lines each ended by `\n`:
//!
//! ```text
//! chancery.entry/v1
//! <kind>
//! <base64 of SHA-256 of the envelope's fixed form>
//! ```
//!
//! The envelope lies beside the log. A large, sealed or lawfully removed record therefore leaves
//! every proof intact.

use crate::digest::Digest;
use crate::log::tree;

const HEADING: &str = "chancery.entry/v1";
const KIND_CHARS_MAX: usize = 32;

/// One entry: the kind of a record, and the digest of its envelope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    kind: String,
    envelope: Digest,
}

/// Why bytes are not an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not three ended lines, or the first is another.
    #[error("an entry is three lines, the first of them {HEADING}")]
    Lines,
    /// The second line.
    #[error("a kind is 1 to 32 of a-z and '-', beginning with a letter")]
    Kind,
    /// The third line.
    #[error("the third line of an entry is a SHA-256 digest in base64")]
    Envelope,
}

impl Entry {
    /// An entry for the record of this kind whose envelope has this digest.
    ///
    /// # Errors
    /// When `kind` is not `[a-z][a-z-]{0,31}`.
    pub fn new(kind: &str, envelope: Digest) -> Result<Self, EntryError> {
        let letters = kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if letters && kind.starts_with(|c: char| c != '-') && kind.len() <= KIND_CHARS_MAX {
            Ok(Self { kind: kind.to_owned(), envelope })
        } else {
            Err(EntryError::Kind)
        }
    }

    /// Reads [`Entry::to_bytes`].
    ///
    /// # Errors
    /// When the bytes are anything else: an entry has one form.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        let text = str::from_utf8(bytes).map_err(|_| EntryError::Lines)?;
        let mut lines = text.split('\n');
        let (Some(HEADING), Some(kind), Some(envelope), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(EntryError::Lines);
        };
        Self::new(kind, Digest::from_base64(envelope).map_err(|_| EntryError::Envelope)?)
    }

    /// What kind of record was entered.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// SHA-256 of the envelope's fixed form.
    #[must_use]
    pub fn envelope(&self) -> Digest {
        self.envelope
    }

    /// The three lines.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        format!("{HEADING}\n{}\n{}\n", self.kind, self.envelope.to_base64()).into_bytes()
    }

    /// The hash that enters the tree.
    #[must_use]
    pub fn leaf_hash(&self) -> Digest {
        tree::leaf_hash(&self.to_bytes())
    }
}
