//! The Merkle tree of a log: hashes, proofs, and their verification.
//!
//! Follows RFC 6962 §2.1 <https://www.rfc-editor.org/rfc/rfc6962#section-2.1> with SHA-256, and for
//! subtrees <https://datatracker.ietf.org/doc/draft-ietf-plants-merkle-tree-certs/> §4.
//! In scope: roots, inclusion, consistency and subtree consistency over a [`HashReader`].
//! Out of scope: where hashes are kept (see [`super::tile`]).
//!
//! **One idea carries all proofs.** To prove a subtree `[start, end)` walk from the root down to it
//! and note the sibling at each step. One leaf is the subtree `[i, i + 1)`: an inclusion proof. The
//! old tree is the subtree `[0, old)`: a consistency proof. Where the subtree straddles a split it is
//! itself cut in two, so both roots are computed from the siblings, and the proof begins with the
//! hash of the last piece.

use std::ops::Range;

use crate::digest::Digest;
use crate::limits::PROOF_HASHES_MAX;

/// The largest tree, in leaves: sizes fit a signed 64-bit integer everywhere.
pub const SIZE_MAX: u64 = (1 << 63) - 1;

/// The root of the tree without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Digest = Digest::from_bytes([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The positions do not lie in the tree, or bound no subtree, or the tree is too large.
    #[error("no leaf or subtree of a tree of {size} leaves begins at {start} and ends at {end}")]
    Range {
        /// The first leaf.
        start: u64,
        /// The leaf after the last.
        end: u64,
        /// The leaves of the tree.
        size: u64,
    },
    /// More or fewer hashes than these positions need.
    #[error("the proof has {found} hashes where {expected} are needed")]
    Length {
        /// What the positions need.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// The hashes lead to another root.
    #[error("the proof does not lead to the root")]
    Root,
}

/// Complete subtrees by position: what tiles, tables and memory have in common.
pub trait HashReader {
    /// The root of the leaves `[index << level, (index + 1) << level)`, or `None` when it is not
    /// held. Only complete subtrees of the tree are asked for. The same question always gets the
    /// same answer: leaves are never replaced.
    fn hash(&self, level: u32, index: u64) -> Option<Digest>;
}

/// The hash of a leaf: SHA-256 of `0x00 ‖ entry`.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], entry])
}

/// The hash of an inner node: SHA-256 of `0x01 ‖ left ‖ right`.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of the first `size` leaves; `None` when a hash is not held.
#[must_use]
pub fn root(reader: &dyn HashReader, size: u64) -> Option<Digest> {
    range_hash(reader, 0..size)
}

/// Proves that leaf `index` is in the tree of `size` leaves. The proof runs from the leaf's sibling
/// to the root's child. `None` when there is no such leaf or a hash is not held.
#[must_use]
pub fn inclusion_proof(reader: &dyn HashReader, index: u64, size: u64) -> Option<Vec<Digest>> {
    subtree_consistency_proof(reader, index, index.checked_add(1)?, size)
}

/// Proves that the tree of `new` leaves begins with the tree of `old` leaves. From an empty tree or
/// between equal ones the proof is empty. `None` when `old > new` or a hash is not held.
#[must_use]
pub fn consistency_proof(reader: &dyn HashReader, old: u64, new: u64) -> Option<Vec<Digest>> {
    if old == 0 && new <= SIZE_MAX { Some(Vec::new()) } else { subtree_consistency_proof(reader, 0, old, new) }
}

/// Proves that the tree of `size` leaves contains the subtree `[start, end)`, where `start` is a
/// multiple of the smallest power of two that is at least `end - start`. `None` when it is not, or a
/// hash is not held.
#[must_use]
pub fn subtree_consistency_proof(reader: &dyn HashReader, start: u64, end: u64, size: u64) -> Option<Vec<Digest>> {
    let descent = Descent::to(start, end, size).ok()?;
    let last = descent.last_piece.into_iter();
    let siblings = descent.steps.into_iter().rev().map(|step| step.sibling);
    last.chain(siblings).map(|leaves| range_hash(reader, leaves)).collect()
}

/// Checks [`inclusion_proof`]: `leaf` is the leaf hash at `index` of the tree with this size and root.
///
/// # Errors
/// When the proof is too short, too long, or leads elsewhere.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    verify_subtree_consistency(index, index.saturating_add(1), leaf, size, root, proof)
}

/// Checks [`consistency_proof`] between two sizes and their roots.
///
/// # Errors
/// When the proof is too short, too long, or leads to another root, old or new.
pub fn verify_consistency(
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if old > 0 {
        return verify_subtree_consistency(0, old, old_root, new, new_root, proof);
    }
    if new > SIZE_MAX {
        return Err(ProofError::Range { start: 0, end: old, size: new });
    }
    if !proof.is_empty() {
        return Err(ProofError::Length { expected: 0, found: proof.len() });
    }
    let empty_roots = *old_root == EMPTY_ROOT && (new > 0 || *new_root == EMPTY_ROOT);
    if empty_roots { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks [`subtree_consistency_proof`] of a subtree and its root in the tree with this size and root.
///
/// # Errors
/// When `[start, end)` is no subtree, or the proof is too short, too long, or leads elsewhere.
pub fn verify_subtree_consistency(
    start: u64,
    end: u64,
    subtree_root: &Digest,
    size: u64,
    root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    let descent = Descent::to(start, end, size)?;
    let expected = descent.steps.len() + usize::from(descent.last_piece.is_some());
    let wrong_length = ProofError::Length { expected, found: proof.len() };
    if proof.len() != expected || proof.len() > PROOF_HASHES_MAX {
        return Err(wrong_length);
    }
    let mut hashes = proof.iter();
    let seed = match descent.last_piece {
        Some(_) => hashes.next().ok_or(wrong_length)?,
        None => subtree_root,
    };
    let (mut in_subtree, mut in_tree) = (*seed, *seed);
    for (step, sibling) in descent.steps.iter().rev().zip(hashes) {
        in_tree = if step.right { node_hash(&in_tree, sibling) } else { node_hash(sibling, &in_tree) };
        if step.in_subtree {
            in_subtree = node_hash(sibling, &in_subtree);
        }
    }
    if in_subtree == *subtree_root && in_tree == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// The right edge of a growing tree: the roots of its complete subtrees, largest first. It is all
/// that appending needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The frontier of the empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The frontier of the first `size` leaves; `None` when a hash is not held.
    #[must_use]
    pub fn read(reader: &dyn HashReader, size: u64) -> Option<Self> {
        let peaks = peaks(0..size).into_iter().rev().map(|(level, index)| reader.hash(level, index));
        Some(Self { size, peaks: peaks.collect::<Option<_>>()? })
    }

    /// Takes [`Frontier::peaks`] back. The hashes are believed: compare [`Frontier::root`].
    ///
    /// # Errors
    /// When the tree is too large or does not have this number of peaks.
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Result<Self, ProofError> {
        let expected = size.count_ones() as usize;
        if size > SIZE_MAX {
            Err(ProofError::Range { start: 0, end: size, size })
        } else if peaks.len() != expected {
            Err(ProofError::Length { expected, found: peaks.len() })
        } else {
            Ok(Self { size, peaks })
        }
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Digest) {
        self.push_with(leaf, |_, _, _| ());
    }

    /// Appends a leaf hash and tells `completed` each subtree that it completes, the leaf first:
    /// level, index and root, as [`HashReader`] asks for them.
    pub fn push_with(&mut self, leaf: Digest, mut completed: impl FnMut(u32, u64, Digest)) {
        let mut hash = leaf;
        let full = self.size.trailing_ones();
        completed(0, self.size, hash);
        for level in 1..=full {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            completed(level, self.size >> level, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// How many leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, largest first: one for each bit set in the size.
    #[must_use]
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Digest {
        let joined = self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        joined.unwrap_or(EMPTY_ROOT)
    }
}

/// A tree held in memory, for tests and small uses.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    levels: Vec<Vec<Digest>>,
    frontier: Frontier,
}

impl MemoryTree {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Digest) {
        let levels = &mut self.levels;
        self.frontier.push_with(leaf, |level, _, hash| match levels.get_mut(level as usize) {
            Some(row) => row.push(hash),
            None => levels.push(vec![hash]),
        });
    }

    /// How many leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }
}

impl Extend<Digest> for MemoryTree {
    fn extend<I: IntoIterator<Item = Digest>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

impl FromIterator<Digest> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut tree = Self::new();
        tree.extend(leaves);
        tree
    }
}

impl HashReader for MemoryTree {
    fn hash(&self, level: u32, index: u64) -> Option<Digest> {
        self.levels.get(level as usize)?.get(usize::try_from(index).ok()?).copied()
    }
}

/// The way from the root down to a subtree.
struct Descent {
    /// Root first; never more than 63.
    steps: Vec<Step>,
    /// The last piece of a subtree that was cut, which the verifier cannot know.
    last_piece: Option<Range<u64>>,
}

struct Step {
    /// The leaves under the sibling.
    sibling: Range<u64>,
    /// The sibling stands on the right.
    right: bool,
    /// The sibling is part of the subtree (and stands on the left).
    in_subtree: bool,
}

impl Descent {
    fn to(start: u64, end: u64, size: u64) -> Result<Self, ProofError> {
        let exists =
            start < end && end <= size && size <= SIZE_MAX && start.is_multiple_of((end - start).next_power_of_two());
        if !exists {
            return Err(ProofError::Range { start, end, size });
        }
        let mut steps = Vec::new();
        let mut target = start..end;
        let mut node = 0..size;
        while node != target {
            // RFC 6962 splits at the largest power of two below the size; a larger node holds two leaves.
            let middle = node.start + (1 << (node.end - node.start - 1).ilog2());
            if target.end <= middle {
                steps.push(Step { sibling: middle..node.end, right: true, in_subtree: false });
                node.end = middle;
            } else {
                let in_subtree = target.start < middle;
                steps.push(Step { sibling: node.start..middle, right: false, in_subtree });
                target.start = target.start.max(middle);
                node.start = middle;
            }
        }
        let cut = target.start != start;
        Ok(Self { steps, last_piece: cut.then_some(target) })
    }
}

/// The root of consecutive leaves whose start is aligned, as it is for every node of a tree.
fn range_hash(reader: &dyn HashReader, leaves: Range<u64>) -> Option<Digest> {
    let mut root = None;
    for (level, index) in peaks(leaves) {
        let left = reader.hash(level, index)?;
        root = Some(root.map_or(left, |right| node_hash(&left, &right)));
    }
    Some(root.unwrap_or(EMPTY_ROOT))
}

/// The complete subtrees that make up `leaves`, smallest (rightmost) first: level and index.
fn peaks(leaves: Range<u64>) -> Vec<(u32, u64)> {
    let mut rest = leaves.end.saturating_sub(leaves.start);
    let mut peaks = Vec::new();
    while rest > 0 {
        let level = rest.trailing_zeros();
        rest &= rest - 1;
        peaks.push((level, (leaves.start + rest) >> level));
    }
    peaks
}
