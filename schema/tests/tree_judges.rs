//! Our tree and tiles beside those of others: `ct-merkle` for RFC 6962, `tlog_tiles` for both.
//!
//! Proofs are byte for byte the same, and where a proof was tampered with, all give one verdict.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::ops::Range;

use chancery_schema::digest::Digest;
use chancery_schema::limits::PROOF_HASHES_MAX;
use chancery_schema::log::tile::{self, Tile, TileReader};
use chancery_schema::log::tree::{
    self, Frontier, HashReader, MemoryTree, consistency_proof, inclusion_proof, leaf_hash, subtree_consistency_proof,
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use sha2::Sha256;
use tlog_tiles::Hash;

/// One list of entries in three trees.
struct Trees {
    entries: Vec<Vec<u8>>,
    ours: MemoryTree,
    ct: MemoryBackedTree<Sha256, Vec<u8>>,
    stored: Stored,
}

/// The hashes of `tlog_tiles`, in its own order.
#[derive(Default)]
struct Stored(Vec<Hash>);

impl tlog_tiles::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |index: &u64| self.0.get(usize::try_from(*index).unwrap()).copied();
        indexes.iter().map(read).collect::<Option<_>>().ok_or(tlog_tiles::Error::IndexesNotInTree)
    }
}

impl Trees {
    fn of(entries: Vec<Vec<u8>>) -> Self {
        let ours = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let (mut ct, mut stored) = (MemoryBackedTree::new(), Stored::default());
        for (index, entry) in (0..).zip(&entries) {
            ct.push(entry.clone());
            let hashes = tlog_tiles::stored_hashes(index, entry, &stored).unwrap();
            stored.0.extend(hashes);
        }
        Self { entries, ours, ct, stored }
    }

    /// The trees of the first `size` entries of ours are prefixes; others must be built anew.
    fn ct_root(&self, size: u64) -> RootHash<Sha256> {
        let root = tree::root(&self.ours, size).unwrap();
        RootHash::new((*root.as_bytes()).into(), size)
    }
}

fn theirs(digest: &Digest) -> Hash {
    Hash(*digest.as_bytes())
}

fn hashes(bytes: &[u8]) -> Vec<Digest> {
    bytes.chunks(32).map(|hash| Digest::from_slice(hash).unwrap()).collect()
}

fn ours(hashes: &[Hash]) -> Vec<Digest> {
    hashes.iter().map(|hash| Digest::from_bytes(hash.0)).collect()
}

fn bytes(proof: &[Digest]) -> Vec<u8> {
    proof.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// What an attacker does to a proof.
#[derive(Clone, Debug)]
enum Tampering {
    None,
    Flip(usize, u8),
    Drop(usize),
    Double(usize),
    Swap(usize, usize),
}

impl Tampering {
    fn apply(&self, proof: &[Digest]) -> Vec<Digest> {
        let mut proof = proof.to_vec();
        let count = proof.len();
        match *self {
            Self::Flip(at, bit) if count > 0 => {
                let mut hash = *proof[at % count].as_bytes();
                hash[usize::from(bit) / 8] ^= 1 << (bit % 8);
                proof[at % count] = Digest::from_bytes(hash);
            }
            Self::Drop(at) if count > 0 => drop(proof.splice(at % count..=at % count, [])),
            Self::Double(at) if count > 0 => proof.insert(at % count, proof[at % count]),
            Self::Swap(one, other) if count > 0 => proof.swap(one % count, other % count),
            _ => {}
        }
        proof
    }
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        Just(Tampering::None),
        (any::<usize>(), any::<u8>()).prop_map(|(at, bit)| Tampering::Flip(at, bit)),
        any::<usize>().prop_map(Tampering::Drop),
        any::<usize>().prop_map(Tampering::Double),
        (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Tampering::Swap(one, other)),
    ]
}

fn entries(counts: Range<usize>) -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), counts)
}

/// A place within `count`, from any number.
fn within(count: u64, place: u64) -> u64 {
    place % count
}

#[test]
fn every_small_tree_has_the_proofs_of_the_judges() {
    let mut proofs = 0;
    for size in 1..=40_u64 {
        let trees = Trees::of((0..size).map(|index| index.to_be_bytes().to_vec()).collect());
        let root = trees.ours.root();
        assert_eq!(trees.ct.root().as_bytes().as_slice(), root.as_bytes());
        assert!(tlog_tiles::tree_hash(size, &trees.stored).unwrap() == theirs(&root));
        for at in 0..size {
            let ours_in = inclusion_proof(&trees.ours, at, size).unwrap();
            assert_eq!(hashes(trees.ct.prove_inclusion(usize::try_from(at).unwrap()).as_bytes()), ours_in);
            assert_eq!(ours(&tlog_tiles::prove_record(size, at, &trees.stored).unwrap()), ours_in);
            let old = at + 1;
            let ours_con = consistency_proof(&trees.ours, old, size).unwrap();
            let added = usize::try_from(size - old).unwrap();
            assert_eq!(hashes(trees.ct.prove_consistency(added).as_bytes()), ours_con);
            assert_eq!(ours(&tlog_tiles::prove_tree(size, old, &trees.stored).unwrap()), ours_con);
            proofs += 2;
        }
    }
    println!("tree_judges: {proofs} proofs, the same from three implementations");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// Inclusion: whatever was tampered with, and wherever it is said to stand, one verdict.
    #[test]
    fn inclusion_has_one_verdict(
        entries in entries(1..80),
        (place, said, size) in any::<(u64, u64, u64)>(),
        (moved, resized) in any::<(bool, bool)>(),
        tampering in tampering(),
    ) {
        let trees = Trees::of(entries);
        let full = trees.ours.size();
        let index = within(full, place);
        let proof = tampering.apply(&inclusion_proof(&trees.ours, index, full).unwrap());
        let said = if moved { within(full + 2, said) } else { index };
        let size = if resized { 1 + within(full, size) } else { full };
        let root = tree::root(&trees.ours, size).unwrap();
        let entry = &trees.entries[usize::try_from(index).unwrap()];

        let mine = tree::verify_inclusion(&leaf_hash(entry), said, size, &proof, &root).is_ok();
        let ct_proof = InclusionProof::try_from_bytes(bytes(&proof)).unwrap();
        let ct = trees.ct_root(size).verify_inclusion(entry, said, &ct_proof).is_ok();
        let tlog: Vec<Hash> = proof.iter().map(theirs).collect();
        let tlog = tlog_tiles::check_record(&tlog, size, theirs(&root), said, theirs(&leaf_hash(entry))).is_ok();
        prop_assert_eq!((mine, ct, tlog), (mine, mine, mine));
        if matches!(tampering, Tampering::None) && said == index && size == full {
            prop_assert!(mine);
        }
    }

    /// Consistency: the same, between any two sizes and their roots.
    #[test]
    fn consistency_has_one_verdict(
        entries in entries(1..80),
        (place, said, size) in any::<(u64, u64, u64)>(),
        (moved, resized) in any::<(bool, bool)>(),
        tampering in tampering(),
    ) {
        let trees = Trees::of(entries);
        let full = trees.ours.size();
        let old = 1 + within(full, place);
        let proof = tampering.apply(&consistency_proof(&trees.ours, old, full).unwrap());
        let said = if moved { 1 + within(full, said) } else { old };
        let size = if resized { 1 + within(full, size) } else { full };
        let [old_root, new_root] = [said, size].map(|size| tree::root(&trees.ours, size).unwrap());

        let mine = tree::verify_consistency(said, &old_root, size, &new_root, &proof).is_ok();
        let ct_proof = ConsistencyProof::try_from_bytes(bytes(&proof)).unwrap();
        let ct = trees.ct_root(size).verify_consistency(&trees.ct_root(said), &ct_proof).is_ok();
        let tlog: Vec<Hash> = proof.iter().map(theirs).collect();
        let tlog = tlog_tiles::check_tree(&tlog, size, theirs(&new_root), said, theirs(&old_root)).is_ok();
        prop_assert_eq!((mine, ct, tlog), (mine, mine, mine));
    }

    /// Subtrees, which neither judge knows: what is there is proven, and what was tampered with is not.
    #[test]
    fn a_subtree_is_proven_and_no_other(
        entries in entries(1..200),
        (start, end) in any::<(u64, u64)>(),
        level in 0_u32..8,
        tampering in tampering(),
    ) {
        let ours: MemoryTree = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let size = ours.size();
        let start = within(size, start) >> level << level;
        let end = (start + 1 + within(1 << level, end)).min(size);
        let mut part = Frontier::new();
        (start..end).for_each(|index| part.push(ours.hash(0, index).unwrap()));
        let proof = subtree_consistency_proof(&ours, start, end, size).unwrap();
        prop_assert!(proof.len() <= PROOF_HASHES_MAX);
        let verify = |proof: &[Digest]| {
            tree::verify_subtree_consistency(start, end, &part.root(), size, &ours.root(), proof).is_ok()
        };
        prop_assert!(verify(&proof));
        let tampered = tampering.apply(&proof);
        prop_assert_eq!(verify(&tampered), tampered == proof);
    }

    /// Tiles: the same ones, of the same bytes, at the same paths, and a tree read from them is the tree.
    #[test]
    fn tiles_are_those_of_the_judge((old, new) in (0_u64..700, 0_u64..700)) {
        let trees = Trees::of((0..new).map(|index| index.to_be_bytes().to_vec()).collect());
        if old <= new {
            let judged: Vec<_> = tlog_tiles::Tile::new_tiles(8, old, new);
            let mine: Vec<Tile> = tile::new_tiles(old, new).collect();
            prop_assert_eq!(judged.len(), mine.len());
            for (judged, mine) in judged.iter().zip(&mine) {
                prop_assert_eq!(judged.path().replacen("tile/8/", "tile/", 1), mine.path());
                prop_assert_eq!(judged.read_data(&trees.stored).unwrap(), mine.read(&trees.ours).unwrap());
                prop_assert_eq!(Tile::parse_path(&mine.path()), Ok(*mine));
            }
        }
        let tiles: BTreeMap<Tile, Vec<u8>> =
            tile::tiles_at(new).map(|tile| (tile, tile.read(&trees.ours).unwrap())).collect();
        let reader = TileReader::new(new, |tile: Tile| tiles.get(&tile).cloned());
        prop_assert_eq!(tree::root(&reader, new), Some(trees.ours.root()));
        prop_assert_eq!(Frontier::read(&reader, new).map(|it| it.root()), Some(trees.ours.root()));
        if new > 0 {
            let index = old % new;
            prop_assert_eq!(inclusion_proof(&reader, index, new), inclusion_proof(&trees.ours, index, new));
            prop_assert_eq!(consistency_proof(&reader, index, new), consistency_proof(&trees.ours, index, new));
        }
    }

    /// No positions, however large, make a prover or a verifier panic or work for long.
    #[test]
    fn no_position_is_too_hostile(
        (start, end, size) in (any::<u64>(), any::<u64>(), any::<u64>()),
        (low, high) in (0_u64..5, 0_u64..5),
        proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<Digest> = proof.into_iter().map(Digest::from_bytes).collect();
        let tree: MemoryTree = (0..3_u64).map(|index| leaf_hash(&index.to_be_bytes())).collect();
        let edge = [end, start.wrapping_add(low), u64::MAX - high, tree::SIZE_MAX - low, low];
        for end in edge {
            for size in [size, end, end.wrapping_add(high), u64::MAX, tree::SIZE_MAX] {
                let refused = tree::verify_subtree_consistency(start, end, &tree.root(), size, &tree.root(), &proof);
                prop_assert!(refused.is_err() || (proof.is_empty() && start == 0 && end == size));
                let _ = tree::verify_inclusion(&tree.root(), start, size, &proof, &tree.root());
                let _ = tree::verify_consistency(start, &tree.root(), size, &tree.root(), &proof);
                let _ = subtree_consistency_proof(&tree, start, end, size);
                let _ = consistency_proof(&tree, start, size);
                let _ = inclusion_proof(&tree, start, size);
            }
        }
    }
}
