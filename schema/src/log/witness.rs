//! Witnessing: when a partner cosigns a checkpoint, and what it answers when it does not.
//!
//! Follows C2SP tlog-witness <https://c2sp.org/tlog-witness>, v1.0.0, `add-checkpoint`.
//! In scope: the texts of request and answer, and the decision as a pure function.
//! Out of scope: HTTP, and the memory of the witness. Comparing with what is stored and storing the
//! new checkpoint must be one transaction that is durable before the answer leaves; otherwise two
//! requests at once roll the memory back.

use std::fmt;

use crate::digest::Digest;
use crate::limits::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, PROOF_HASHES_MAX};
use crate::log::checkpoint::{self, Checkpoint, CheckpointError, SignedCheckpoint, decimal};
use crate::log::note::{Note, NoteError, Signature, VerifierKey};
use crate::log::proof::parse_hashes;
use crate::log::tree::{self, EMPTY_ROOT};

/// A request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 64 + PROOF_HASHES_MAX * 45 + NOTE_BYTES_MAX;

/// A request to cosign: well formed, and not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The size that the witness is believed to have seen last.
    pub old: u64,
    /// The consistency proof from there.
    pub proof: Vec<Digest>,
    /// The new checkpoint.
    pub note: Note,
}

/// What a witness does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// 200: remember this checkpoint, then cosign it.
    Cosign(SignedCheckpoint),
    /// Leave the memory as it is.
    Refuse(Refusal),
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 404.
    #[error("the log is not known to this witness")]
    UnknownLog,
    /// 403.
    #[error("the checkpoint is not signed by the key of its log")]
    Forbidden,
    /// 400.
    #[error("the request is malformed, or goes backwards")]
    BadRequest,
    /// 409: the body of the answer is the size and an end of line, of type `text/x.tlog.size`.
    #[error("the witness has last seen {size} entries")]
    Conflict {
        /// What the witness has seen.
        size: u64,
    },
    /// 409, of two roots of one size. The body is as for [`Refusal::Conflict`]. The log signed both: keep it.
    #[error("the witness has seen another root of {size} entries")]
    OtherRoot {
        /// What the witness has seen.
        size: u64,
    },
    /// 422. With a signature of the log on it, the request may be evidence of misbehaviour: keep it.
    #[error("the checkpoint is not proven consistent with what the witness has seen")]
    Unprocessable,
}

/// A body that is not a request or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct NotWitnessText(&'static str);

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::UnknownLog => 404,
            Self::Forbidden => 403,
            Self::BadRequest => 400,
            Self::Conflict { .. } | Self::OtherRoot { .. } => 409,
            Self::Unprocessable => 422,
        }
    }

    /// Whether the log's key signed what is not, or not proven to be, of the history seen: the note may be
    /// evidence.
    #[must_use]
    pub const fn disagrees(self) -> bool {
        matches!(self, Self::OtherRoot { .. } | Self::Unprocessable)
    }
}

impl Request {
    /// Reads a body: `old <size>`, hashes one per line, a blank line, the checkpoint.
    ///
    /// # Errors
    /// When it is anything else (400).
    pub fn parse(body: &[u8]) -> Result<Self, NotWitnessText> {
        let wrong = NotWitnessText("old and a size, at most 63 hashes, a blank line and a signed note");
        let text = str::from_utf8(body).ok().filter(|text| text.len() <= REQUEST_BYTES_MAX).ok_or(wrong)?;
        let (head, note) = text.split_once("\n\n").ok_or(wrong)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(decimal).ok_or(wrong)?;
        let proof = parse_hashes(lines).ok_or(wrong)?;
        let note = Note::parse(note.as_bytes()).map_err(|_| wrong)?;
        Ok(Self { old, proof, note })
    }

    /// The log that the checkpoint claims to be of: the first line, to look up its key by.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.note.text().split('\n').next().unwrap_or_default()
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.note)
    }
}

/// Decides on a request, in the order that the specification gives (section *add-checkpoint*): 404 an unknown
/// origin, 403 no signature of its key, 400 an old size above the checkpoint's, 409 an old size that is not the
/// last one cosigned, 422 a proof that does not verify, 409 the same size with another root. Where both sizes
/// are equal the proof has no hash, and says nothing of the root: one with hashes is 422, none is 409.
/// `stored` is the size and root this witness
/// cosigned last, `None` when it never did; `log` is the key of the request's origin, `None` when the
/// witness does not serve it.
#[must_use]
pub fn decide(stored: Option<(u64, Digest)>, request: &Request, log: Option<&VerifierKey>) -> Decision {
    match check(stored, request, log) {
        Ok(checkpoint) => Decision::Cosign(checkpoint),
        Err(refusal) => Decision::Refuse(refusal),
    }
}

/// The body of a 200: cosignature lines.
#[must_use]
pub fn format_answer(lines: &[Signature]) -> String {
    lines.iter().flat_map(|line| [line.to_string(), "\n".to_owned()]).collect()
}

/// Reads [`format_answer`]. Lines are not yet verified: see [`super::cosignature::verify`].
///
/// # Errors
/// When the body is not 1 to 512 signature lines, each ended.
pub fn parse_answer(body: &str) -> Result<Vec<Signature>, NotWitnessText> {
    let wrong = NotWitnessText("1 to 512 lines of cosignatures");
    let lines = body.strip_suffix('\n').filter(|lines| lines.len() <= NOTE_BYTES_MAX).ok_or(wrong)?;
    let lines = lines.split('\n').take(NOTE_SIGNATURES_MAX + 1).map(Signature::parse).collect::<Result<Vec<_>, _>>();
    lines.ok().filter(|lines| lines.len() <= NOTE_SIGNATURES_MAX).ok_or(wrong)
}

fn check(
    stored: Option<(u64, Digest)>,
    request: &Request,
    log: Option<&VerifierKey>,
) -> Result<SignedCheckpoint, Refusal> {
    let log = log.filter(|log| log.name() == request.origin()).ok_or(Refusal::UnknownLog)?;
    let signed = checkpoint::open(request.note.to_string().as_bytes(), log).map_err(|error| match error {
        CheckpointError::Note(NoteError::Unsigned | NoteError::Forged { .. }) | CheckpointError::WrongKey { .. } => {
            Refusal::Forbidden
        }
        _ => Refusal::BadRequest,
    })?;
    let Checkpoint { size, root, .. } = signed.checkpoint();
    if request.old > *size {
        return Err(Refusal::BadRequest);
    }
    let (stored_size, stored_root) = stored.unwrap_or((0, EMPTY_ROOT));
    if request.old != stored_size {
        return Err(Refusal::Conflict { size: stored_size });
    }
    if *size == stored_size && *root != stored_root && request.proof.is_empty() {
        return Err(Refusal::OtherRoot { size: stored_size });
    }
    tree::verify_consistency(stored_size, &stored_root, *size, root, &request.proof)
        .map_err(|_| Refusal::Unprocessable)?;
    Ok(signed)
}
