//! Cosignatures: a partner's testimony that it saw a checkpoint, and when.
//!
//! Follows C2SP tlog-cosignature <https://c2sp.org/tlog-cosignature>, v1.0.1, Ed25519 (type 0x04). A
//! line carries the time (eight bytes, big-endian) and the signature of
//! `cosignature/v1\ntime <time>\n` and the checkpoint's text.
//! In scope: making and verifying them.
//! Out of scope: ML-DSA cosignatures (type 0x06), which are passed over as unknown; when a witness
//! may cosign (see [`super::witness`]).
//!
//! The signature does not bind the cosigner's name: a key must never serve two cosigners.

use std::collections::BTreeMap;

use crate::key::{SignError, Signer};
use crate::log::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::log::note::{self, KeyId, KeyType, NoteError, Signature, VerifierKey};
use crate::name::Nation;

/// A cosignature that holds: who saw which checkpoint at what time. Only [`sign`], [`verify`] and
/// [`verify_all`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    checkpoint: Checkpoint,
    key: VerifierKey,
    timestamp: u64,
    signature: [u8; 64],
}

/// Cosigns a checkpoint as `name` at `timestamp`, in POSIX seconds. The caller vouches that it never
/// cosigned a larger or inconsistent checkpoint of this log.
///
/// # Errors
/// When the timestamp is 0, the key cannot stand in a note, or the device does not sign.
pub fn sign(
    checkpoint: &SignedCheckpoint,
    name: &str,
    timestamp: u64,
    signer: &dyn Signer,
) -> Result<Cosignature, SignError> {
    if timestamp == 0 {
        return Err(SignError("a cosignature needs a time after 1970".to_owned()));
    }
    let key = note::verifier_key(name, KeyType::Cosignature, signer)?;
    let signature = signer.sign(message(checkpoint.note().text(), timestamp).as_bytes())?;
    Ok(Cosignature { checkpoint: checkpoint.checkpoint().clone(), key, timestamp, signature })
}

/// Checks that `line` is the cosignature of `key` on `checkpoint`.
///
/// # Errors
/// When it is not, or its timestamp is 0, or the key is not for cosigning.
pub fn verify(checkpoint: &Checkpoint, line: &Signature, key: &VerifierKey) -> Result<Cosignature, NoteError> {
    let forged = || NoteError::Forged { name: key.name().to_owned() };
    if key.key_type() != KeyType::Cosignature {
        return Err(forged());
    }
    key.verify(&checkpoint.to_text(), line)?;
    let (timestamp, signature) = split(line.bytes()).ok_or_else(forged)?;
    let signature = signature.try_into().map_err(|_| forged())?;
    Ok(Cosignature { checkpoint: checkpoint.clone(), key: key.clone(), timestamp, signature })
}

/// All cosignatures that `checkpoint` carries by `keys`. Lines of other keys are passed over.
///
/// # Errors
/// When a line that claims to be by one of `keys` is not: the whole note is then refused.
pub fn verify_all<'k>(
    checkpoint: &SignedCheckpoint,
    keys: impl IntoIterator<Item = &'k VerifierKey>,
) -> Result<Vec<Cosignature>, NoteError> {
    let mut cosignatures = Vec::new();
    for key in keys {
        for line in checkpoint.note().signatures().iter().filter(|line| key.claims(line)) {
            cosignatures.push(verify(checkpoint.checkpoint(), line, key)?);
        }
    }
    Ok(cosignatures)
}

/// Since when an entry is public beyond doubt: the `k`-th smallest time, one per nation (its earliest,
/// by whichever of its keys), on checkpoints that cover `index`. The
/// caller brings the cosignatures of one log, by the nations its policy counts, the log's own apart.
#[must_use]
pub fn proof_time(cosignatures: &[(Nation, Cosignature)], index: u64, k: usize) -> Option<u64> {
    let mut first: BTreeMap<&Nation, u64> = BTreeMap::new();
    for (nation, seen) in cosignatures.iter().filter(|(_, seen)| seen.checkpoint.size > index) {
        let earliest = first.entry(nation).or_insert(seen.timestamp);
        *earliest = seen.timestamp.min(*earliest);
    }
    let mut times: Vec<u64> = first.into_values().collect();
    times.sort_unstable();
    times.get(k.checked_sub(1)?).copied()
}

impl Cosignature {
    /// What was seen.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whose testimony it is.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The cosigner's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.key.name()
    }

    /// The id of the cosigner's key.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.key.key_id()
    }

    /// When it was seen, in POSIX seconds; never 0.
    #[must_use]
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// The Ed25519 signature.
    #[must_use]
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// The line that carries it in a note.
    #[must_use]
    pub fn to_line(&self) -> Signature {
        let bytes = [self.timestamp.to_be_bytes().as_slice(), &self.signature].concat();
        Signature::new(&self.key, bytes)
    }
}

/// What is signed.
pub(super) fn message(text: &str, timestamp: u64) -> String {
    format!("cosignature/v1\ntime {timestamp}\n{text}")
}

/// The time and the signature of a line; `None` when the time is 0 or missing.
pub(super) fn split(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (timestamp, signature) = bytes.split_first_chunk()?;
    let timestamp = u64::from_be_bytes(*timestamp);
    (timestamp > 0).then_some((timestamp, signature))
}
