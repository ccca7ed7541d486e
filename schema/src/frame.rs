//! Frames: how records and proofs travel, by wire or by hand.
//!
//! One framing (F) serves the bulk stream between nodes, a pouch and a bundle. A frame is
//! `length u32 big-endian ‖ type u8 ‖ SHA-256 of the payload ‖ payload`, the length being the
//! payload's, at most [`FRAME_BYTES_MAX`]. There is no other archive format: no names, no paths,
//! nothing to unpack.

use crate::digest::Digest;
use crate::limits::{FRAME_BYTES_MAX, PACKAGE_ENTRIES_MAX, PROOF_HASHES_MAX};
use crate::log::tree::{Frontier, ProofError, leaf_hash, verify_subtree_consistency};
use crate::name::Origin;

/// Length, type and digest: the bytes before a payload.
pub const HEAD_BYTES: usize = 4 + 1 + 32;

/// The length of the payload that follows the head of a frame, for whoever reads or passes over a frame of a
/// file at a time.
///
/// # Errors
/// When no frame is so long.
pub fn payload_bytes(head: &[u8; HEAD_BYTES]) -> Result<usize, FrameError> {
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
    if length > FRAME_BYTES_MAX { Err(FrameError::TooLong(length)) } else { Ok(length) }
}

/// One frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// Type 1: what follows, as strict JSON. First in every file.
    Header(Vec<u8>),
    /// Type 2: a checkpoint, as a signed note with whatever cosignatures are known.
    Checkpoint(Vec<u8>),
    /// Type 3: consecutive entries of a log with their proof.
    Package(Package),
    /// Type 4: an envelope in its fixed form.
    Envelope(Vec<u8>),
    /// Type 5: a blob.
    Blob(Vec<u8>),
    /// Type 6: the C2SP tlog-proof of the envelope in the frame before.
    Proof(Vec<u8>),
    /// Type 7: the sender does not hold the body or blob with this digest.
    Missing(Digest),
    /// Type 8: nothing follows; the number of frames before this one. Without it, a file was cut.
    End(u64),
    /// Type 9: an envelope of a log that came before, in its fixed form; it needs no proof.
    Former(Vec<u8>),
}

/// Up to 256 consecutive entries with the proof that they are in a tree, after C2SP tlog-mirror.
///
/// Its payload is `u16 length ‖ origin ‖ u64 start ‖ u64 tree size ‖ u16 count ‖ count × (u16 length ‖
/// entry) ‖ u8 n ‖ n × 32-byte hash`, integers big-endian. A package never crosses a multiple of 256.
/// The hashes prove that the subtree from the multiple of 256 at or before `start` up to
/// `start + count` is part of the tree of that size; its reader holds what comes before `start`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// Whose log.
    pub origin: Origin,
    /// The index of the first entry.
    pub start: u64,
    /// The size of the tree that the proof leads to.
    pub tree_size: u64,
    /// The entries' bytes.
    pub entries: Vec<Vec<u8>>,
    /// The subtree consistency proof.
    pub proof: Vec<Digest>,
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than any node takes.
    #[error("a frame of {0} bytes is longer than {FRAME_BYTES_MAX}")]
    TooLong(usize),
    /// From a newer version, perhaps.
    #[error("frames of type {0} are unknown to this version")]
    UnknownType(u8),
    /// Changed on the way.
    #[error("a frame's payload does not have the digest that the frame names")]
    Digest,
    /// Not what the type asks for.
    #[error("a {0} frame is malformed")]
    Malformed(&'static str),
}

impl Frame {
    /// The frame's bytes.
    ///
    /// # Panics
    /// When the payload is longer than a frame may be: who makes a frame keeps to the bounds.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, payload) = match self {
            Self::Header(payload) => (1, payload.clone()),
            Self::Checkpoint(payload) => (2, payload.clone()),
            Self::Package(package) => (3, package.to_bytes()),
            Self::Envelope(payload) => (4, payload.clone()),
            Self::Blob(payload) => (5, payload.clone()),
            Self::Proof(payload) => (6, payload.clone()),
            Self::Missing(digest) => (7, digest.as_bytes().to_vec()),
            Self::End(frames) => (8, frames.to_be_bytes().to_vec()),
            Self::Former(payload) => (9, payload.clone()),
        };
        assert!(payload.len() <= FRAME_BYTES_MAX, "a frame of {} bytes was made", payload.len());
        let length = u32::try_from(payload.len()).expect("the bound of a frame fits");
        [&length.to_be_bytes()[..], &[kind], Digest::of(&payload).as_bytes(), &payload].concat()
    }

    fn from_payload(kind: u8, payload: Vec<u8>) -> Result<Self, FrameError> {
        Ok(match kind {
            1 => Self::Header(payload),
            2 => Self::Checkpoint(payload),
            3 => Self::Package(Package::parse(&payload).ok_or(FrameError::Malformed("package"))?),
            4 => Self::Envelope(payload),
            5 => Self::Blob(payload),
            6 => Self::Proof(payload),
            7 => Self::Missing(Digest::from_slice(&payload).map_err(|_| FrameError::Malformed("missing"))?),
            8 => {
                let frames = payload.as_slice().try_into().map_err(|_| FrameError::Malformed("end"))?;
                Self::End(u64::from_be_bytes(frames))
            }
            9 => Self::Former(payload),
            other => return Err(FrameError::UnknownType(other)),
        })
    }
}

/// Takes bytes as they arrive and gives frames as they become whole. Holds at most one frame and
/// what was pushed last.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// How many of `bytes` were given out in frames.
    given: usize,
}

impl Decoder {
    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.given));
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame, or nothing until more bytes arrive.
    ///
    /// # Errors
    /// When the bytes cannot be a frame; the stream is then useless.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let Some((head, rest)) = self.bytes[self.given..].split_at_checked(HEAD_BYTES) else { return Ok(None) };
        let mut head = Reader(head);
        let length = head.u32().ok_or(FrameError::Malformed("cut"))? as usize;
        let kind = head.u8().ok_or(FrameError::Malformed("cut"))?;
        let digest = head.digest().ok_or(FrameError::Malformed("cut"))?;
        if length > FRAME_BYTES_MAX {
            return Err(FrameError::TooLong(length));
        }
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        if Digest::of(payload) != digest {
            return Err(FrameError::Digest);
        }
        let frame = Frame::from_payload(kind, payload.to_vec())?;
        self.given += HEAD_BYTES + length;
        Ok(Some(frame))
    }

    /// Whether every byte pushed has been given out in a frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given == self.bytes.len()
    }
}

impl Package {
    /// Checks that the entries stand from [`Package::start`] on in the tree of [`Package::tree_size`]
    /// with `root`. `tail` are the leaf hashes from the multiple of 256 at or before `start` up to it.
    /// Answers the leaf hashes of the entries.
    ///
    /// # Errors
    /// When the proof does not show that, or `tail` has another length.
    pub fn verify(&self, tail: &[Digest], root: &Digest) -> Result<Vec<Digest>, ProofError> {
        let before = self.start % PACKAGE_ENTRIES_MAX;
        if tail.len() as u64 != before {
            return Err(ProofError::Length {
                expected: usize::try_from(before).unwrap_or(usize::MAX),
                found: tail.len(),
            });
        }
        let leaves: Vec<Digest> = self.entries.iter().map(|entry| leaf_hash(entry)).collect();
        let mut subtree = Frontier::new();
        tail.iter().chain(&leaves).for_each(|leaf| subtree.push(*leaf));
        let (first, end) = (self.start - before, self.start.saturating_add(leaves.len() as u64));
        verify_subtree_consistency(first, end, &subtree.root(), self.tree_size, root, &self.proof)?;
        Ok(leaves)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let short = |length: usize| u16::try_from(length).expect("the bounds of a package fit").to_be_bytes();
        let mut bytes = Vec::new();
        bytes.extend(short(self.origin.as_str().len()));
        bytes.extend(self.origin.as_str().as_bytes());
        bytes.extend(self.start.to_be_bytes());
        bytes.extend(self.tree_size.to_be_bytes());
        bytes.extend(short(self.entries.len()));
        for entry in &self.entries {
            bytes.extend(short(entry.len()));
            bytes.extend(entry);
        }
        bytes.push(u8::try_from(self.proof.len()).expect("a proof is as long as a tree is high"));
        for hash in &self.proof {
            bytes.extend(hash.as_bytes());
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let origin = reader.short_bytes()?;
        let origin = std::str::from_utf8(origin).ok()?.parse().ok()?;
        let (start, tree_size) = (reader.u64()?, reader.u64()?);
        let count = u64::from(reader.u16()?);
        if count == 0
            || start % PACKAGE_ENTRIES_MAX + count > PACKAGE_ENTRIES_MAX
            || start.checked_add(count)? > tree_size
        {
            return None;
        }
        let entries = (0..count).map(|_| reader.short_bytes().map(<[u8]>::to_vec)).collect::<Option<_>>()?;
        let hashes = usize::from(reader.u8()?);
        if hashes > PROOF_HASHES_MAX {
            return None;
        }
        let proof = (0..hashes).map(|_| reader.digest()).collect::<Option<_>>()?;
        reader.0.is_empty().then_some(Self { origin, start, tree_size, entries, proof })
    }
}

/// Reads integers and byte strings from the front of a slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn short_bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    fn digest(&mut self) -> Option<Digest> {
        self.array().map(Digest::from_bytes)
    }
}
