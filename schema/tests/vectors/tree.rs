//! The tree: roots, and the three kinds of proof.

use chancery_schema::digest::Digest;
use chancery_schema::log::tree::{
    self, EMPTY_ROOT, Frontier, HashReader, MemoryTree, SIZE_MAX, consistency_proof, inclusion_proof, leaf_hash,
    node_hash, subtree_consistency_proof,
};
use serde_json::{Value, json};

use super::golden::{Case, Verdict, bad, check, from_hex, good, hex, list_of, number_of, reason, text_of};

/// The leaves of the tests of Certificate Transparency, in hexadecimal.
const CT_LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// The roots of the first 0 to 8 of them, as those tests give them.
const CT_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// What its published proofs are made of: leaves 1 and 4, and the nodes over leaves 2 to 3, 4 to 5, 6
/// to 7, and 4 to 7.
const LEAF_1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const LEAF_4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const NODE_2_3: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const NODE_4_5: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const NODE_6_7: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const NODE_4_7: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";

fn ct_tree() -> MemoryTree {
    CT_LEAVES.iter().map(|leaf| leaf_hash(&from_hex(leaf))).collect()
}

/// Entry `i` is `i` as eight bytes, big-endian.
fn counting_leaf(index: u64) -> Digest {
    leaf_hash(&index.to_be_bytes())
}

/// A tree as large as any, whose leaves are all the empty entry.
struct Uniform(Vec<Digest>);

impl Uniform {
    fn new() -> Self {
        let above = |below: &Digest| Some(node_hash(below, below));
        Self(std::iter::successors(Some(leaf_hash(b"")), above).take(63).collect())
    }
}

impl HashReader for Uniform {
    fn hash(&self, level: u32, _: u64) -> Option<Digest> {
        self.0.get(level as usize).copied()
    }
}

/// A position or size: text, because JSON numbers end at 2^53.
fn position_of(case: &Value, member: &str) -> u64 {
    text_of(case, member).parse().unwrap()
}

fn digest_of(case: &Value, member: &str) -> Digest {
    text_of(case, member).parse().unwrap()
}

fn proof_of(case: &Value) -> Vec<Digest> {
    list_of(case, "proof").into_iter().map(|hash| hash.parse().unwrap()).collect()
}

fn root_of(reader: &dyn HashReader, size: u64) -> Digest {
    tree::root(reader, size).unwrap()
}

/// A case with one member replaced.
fn with(case: &Value, member: &str, value: impl Into<Value>) -> Value {
    assert!(case.get(member).is_some(), "{member} stands in {case}");
    let mut case = case.clone();
    case[member] = value.into();
    case
}

/// The ways to break a proof of `count` hashes without touching what it proves.
fn broken_proofs(what: &str, case: &Value) -> Vec<Case> {
    let proof = list_of(case, "proof");
    let count = proof.len();
    assert!(count >= 3, "a proof that can be broken in many ways");
    let length = |found: usize| format!("the proof has {found} hashes where {count} are needed");
    let mut flipped = proof_of(case);
    let mut second = *flipped[1].as_bytes();
    second[0] ^= 1;
    flipped[1] = Digest::from_bytes(second);
    let root = "does not lead to the root";
    vec![
        bad(format!("{what}: without proof"), with(case, "proof", json!([])), length(0)),
        bad(
            format!("{what}: without the last hash"),
            with(case, "proof", json!(proof[..count - 1])),
            length(count - 1),
        ),
        bad(format!("{what}: without the first hash"), with(case, "proof", json!(proof[1..])), length(count - 1)),
        bad(
            format!("{what}: the last hash twice"),
            with(case, "proof", json!([&proof[..], &proof[count - 1..]].concat())),
            length(count + 1),
        ),
        bad(
            format!("{what}: the root after the proof"),
            with(case, "proof", json!([&proof[..], &[CT_ROOTS[8]]].concat())),
            length(count + 1),
        ),
        bad(format!("{what}: 64 hashes"), with(case, "proof", json!(vec![proof[0]; 64])), length(64)),
        bad(
            format!("{what}: the hashes in reverse"),
            with(case, "proof", json!(proof.iter().rev().collect::<Vec<_>>())),
            root,
        ),
        bad(format!("{what}: one bit flipped"), with(case, "proof", json!(flipped)), root),
    ]
}

#[test]
fn a_tree_has_one_root() {
    let about = "Roots of RFC 6962 trees (schema/src/log/tree.rs), all in hexadecimal. The leaves are `leaves`, or \
                 `count` entries of which entry i is i as eight bytes, big-endian. `root` was known before: the first \
                 nine are from the tests of Certificate Transparency, that of a million leaves was computed with \
                 others' software. `expect`: the roots of the complete subtrees, largest first. `refused` is part of \
                 the reason.";
    let ct = |size: usize, root: &str| json!({ "leaves": CT_LEAVES[..size], "root": root });
    let counted = |count: u64, root: &str| json!({ "count": count, "root": root });
    let million = Digest::from_base64("jtCAXbobBqxhoKL9djArvf9pr3MF/o3Rbh3QXOPqMpU=").unwrap();
    let mut cases: Vec<Case> =
        CT_ROOTS.iter().enumerate().map(|(size, root)| good(format!("{size} leaves"), ct(size, root))).collect();
    cases.extend([
        good("a million leaves", counted(1_000_000, &million.to_string())),
        bad("a leaf more than the root has", ct(8, CT_ROOTS[7]), "the root is another"),
        bad("a leaf less than the root has", ct(6, CT_ROOTS[7]), "the root is another"),
        bad(
            "leaves in another order",
            {
                let mut leaves = CT_LEAVES;
                leaves.swap(3, 4);
                json!({ "leaves": leaves, "root": CT_ROOTS[8] })
            },
            "the root is another",
        ),
        bad(
            "the last leaf twice, as other trees fill up",
            {
                let leaves = [&CT_LEAVES[..3], &CT_LEAVES[2..3]].concat();
                json!({ "leaves": leaves, "root": CT_ROOTS[3] })
            },
            "the root is another",
        ),
        bad(
            "an inner node as an entry",
            {
                let children = [leaf_hash(b"").to_string(), LEAF_1.to_owned()].concat();
                json!({ "leaves": [children], "root": CT_ROOTS[2] })
            },
            "the root is another",
        ),
    ]);
    check("tree-root", about, &cases, |case| {
        let mut frontier = Frontier::new();
        let leaves: Vec<Digest> = match case.get("count") {
            Some(_) => (0..number_of(case, "count")).map(counting_leaf).collect(),
            None => list_of(case, "leaves").into_iter().map(|leaf| leaf_hash(&from_hex(leaf))).collect(),
        };
        for leaf in leaves {
            frontier.push(leaf);
        }
        if frontier.root() != digest_of(case, "root") {
            return Err("the root is another".to_owned());
        }
        let again = Frontier::from_peaks(frontier.size(), frontier.peaks().to_vec()).unwrap();
        assert_eq!(again.root(), frontier.root());
        Ok(json!({ "peaks": frontier.peaks() }))
    });
}

/// The tree of CT's leaves, the one that counts, and the largest there is.
fn sample_positions() -> [(u64, u64); 10] {
    let last = SIZE_MAX - 1;
    [
        (0, 255),
        (254, 255),
        (255, 256),
        (0, 257),
        (256, 257),
        (600, 1000),
        (999, 1000),
        (0, SIZE_MAX),
        (1 << 62, SIZE_MAX),
        (last, SIZE_MAX),
    ]
}

#[test]
fn an_entry_is_proven_at_its_index_only() {
    let about = "Inclusion proofs of RFC 6962 (schema/src/log/tree.rs): the entry, hashes and roots in hexadecimal, \
                 `index` and `size` as text. `proof` runs from the leaf's sibling to the root's child. `expect` is the \
                 leaf hash. The four cases from CT are from the tests of Certificate Transparency. `refused` is part \
                 of the reason.";
    let tree = ct_tree();
    let case = |entry: &[u8], index: u64, size: u64, reader: &dyn HashReader| {
        let proof = inclusion_proof(reader, index, size).unwrap();
        json!({
            "entry": hex(entry),
            "index": index.to_string(),
            "size": size.to_string(),
            "root": root_of(reader, size),
            "proof": proof,
        })
    };
    let of_ct = |index: usize, size: u64| case(&from_hex(CT_LEAVES[index]), index as u64, size, &tree);
    let published = |index: usize, size: usize, proof: &[&str]| {
        json!({
            "entry": CT_LEAVES[index],
            "index": index.to_string(),
            "size": size.to_string(),
            "root": CT_ROOTS[size],
            "proof": proof,
        })
    };
    let mut cases = vec![
        good("from CT: leaf 0 of 8", published(0, 8, &[LEAF_1, NODE_2_3, NODE_4_7])),
        good("from CT: leaf 5 of 8", published(5, 8, &[LEAF_4, NODE_6_7, CT_ROOTS[4]])),
        good("from CT: leaf 2 of 3", published(2, 3, &[CT_ROOTS[2]])),
        good("from CT: leaf 1 of 5", published(1, 5, &[CT_ROOTS[1], NODE_2_3, LEAF_4])),
    ];
    for size in 1..=8 {
        for index in 0..size {
            cases.push(good(format!("leaf {index} of {size}"), of_ct(index, size as u64)));
        }
    }
    let counting: MemoryTree = (0..1000).map(counting_leaf).collect();
    let uniform = Uniform::new();
    for (index, size) in sample_positions() {
        let case = if size == SIZE_MAX {
            case(b"", index, size, &uniform)
        } else {
            case(&index.to_be_bytes(), index, size, &counting)
        };
        cases.push(good(format!("leaf {index} of {size}"), case));
    }
    let five = of_ct(5, 8);
    let root = "does not lead to the root";
    let none = |size: &str, start: &str, end: &str| {
        format!("no leaf or subtree of a tree of {size} leaves begins at {start} and ends at {end}")
    };
    let huge = u64::MAX.to_string();
    let children = format!("{}{LEAF_1}", CT_ROOTS[1]);
    cases.extend(broken_proofs("leaf 5 of 8", &five));
    cases.extend([
        bad("leaf 5 of 8 at index 4", with(&five, "index", "4"), root),
        bad("leaf 5 of 8 at index 0", with(&five, "index", "0"), root),
        // The checkpoint binds the size; a proof alone binds no more of it than its own shape.
        good("leaf 5 of 8 in a tree of 7, whose proof has the same shape", with(&five, "size", "7")),
        bad("leaf 5 of 8 in a tree of 9", with(&five, "size", "9"), "has 3 hashes where 4 are needed"),
        bad("leaf 5 of 8 under the root of 7", with(&five, "root", CT_ROOTS[7]), root),
        bad("leaf 5 of 8 under the empty root", with(&five, "root", EMPTY_ROOT.to_string()), root),
        bad("another entry at index 5", with(&five, "entry", CT_LEAVES[4]), root),
        bad("the entry at index 5 with a byte more", with(&five, "entry", format!("{}00", CT_LEAVES[5])), root),
        bad("index 8 of 8", with(&five, "index", "8"), none("8", "8", "9")),
        bad(
            "index 2^63 - 1 of 8",
            with(&five, "index", "9223372036854775807"),
            none("8", "9223372036854775807", "9223372036854775808"),
        ),
        bad("index 2^64 - 1 of 8", with(&five, "index", huge.clone()), none("8", &huge, &huge)),
        bad(
            "index 0 of an empty tree",
            json!({
                "entry": "", "index": "0", "size": "0", "root": EMPTY_ROOT, "proof": [],
            }),
            none("0", "0", "1"),
        ),
        bad(
            "a tree of 2^63",
            with(&case(b"", 0, SIZE_MAX, &uniform), "size", "9223372036854775808"),
            none("9223372036854775808", "0", "1"),
        ),
        bad("a tree of 2^64 - 1", with(&case(b"", 0, SIZE_MAX, &uniform), "size", huge.clone()), none(&huge, "0", "1")),
        bad(
            "a hash where one leaf needs none",
            with(&of_ct(0, 1), "proof", json!([CT_ROOTS[1]])),
            "has 1 hashes where 0 are needed",
        ),
        bad(
            "an inner node as an entry",
            json!({
                "entry": children,
                "index": "0",
                "size": "4",
                "root": CT_ROOTS[8],
                "proof": [NODE_2_3, NODE_4_7],
            }),
            root,
        ),
    ]);
    check("tree-inclusion", about, &cases, |case| {
        let leaf = leaf_hash(&from_hex(text_of(case, "entry")));
        let (index, size) = (position_of(case, "index"), position_of(case, "size"));
        let holds = tree::verify_inclusion(&leaf, index, size, &proof_of(case), &digest_of(case, "root"));
        holds.map_err(|error| reason(&error))?;
        Ok(json!({ "leafHash": leaf }))
    });
}

#[test]
fn a_tree_that_grew_is_proven_consistent() {
    let about = "Consistency proofs of RFC 6962 (schema/src/log/tree.rs): hashes and roots in hexadecimal, `old` and \
                 `new` sizes as text. From an empty tree, and between equal ones, the proof is empty. The three cases \
                 from CT are from the tests of Certificate Transparency. `refused` is part of the reason.";
    let tree = ct_tree();
    let case = |old: u64, new: u64, reader: &dyn HashReader| {
        let proof = consistency_proof(reader, old, new).unwrap();
        json!({
            "old": old.to_string(),
            "oldRoot": root_of(reader, old),
            "new": new.to_string(),
            "newRoot": root_of(reader, new),
            "proof": proof,
        })
    };
    let published = |old: usize, new: usize, proof: &[&str]| {
        json!({
            "old": old.to_string(),
            "oldRoot": CT_ROOTS[old],
            "new": new.to_string(),
            "newRoot": CT_ROOTS[new],
            "proof": proof,
        })
    };
    let mut cases = vec![
        good("from CT: 1 to 8", published(1, 8, &[LEAF_1, NODE_2_3, NODE_4_7])),
        good("from CT: 6 to 8", published(6, 8, &[NODE_4_5, NODE_6_7, CT_ROOTS[4]])),
        good("from CT: 2 to 5", published(2, 5, &[NODE_2_3, LEAF_4])),
    ];
    for new in 0..=8 {
        for old in 0..=new {
            cases.push(good(format!("{old} to {new}"), case(old, new, &tree)));
        }
    }
    let counting: MemoryTree = (0..1000).map(counting_leaf).collect();
    let uniform = Uniform::new();
    for (old, new) in sample_positions() {
        let reader: &dyn HashReader = if new == SIZE_MAX { &uniform } else { &counting };
        cases.push(good(format!("{old} to {new}"), case(old, new, reader)));
    }
    let six = case(6, 8, &tree);
    let root = "does not lead to the root";
    let needed = |found: usize, expected: usize| format!("has {found} hashes where {expected} are needed");
    cases.extend(broken_proofs("6 to 8", &six));
    cases.extend([
        bad("6 to 8 with another old root", with(&six, "oldRoot", CT_ROOTS[5]), root),
        bad("6 to 8 with another new root", with(&six, "newRoot", CT_ROOTS[7]), root),
        bad("6 to 8 with the roots exchanged", with(&with(&six, "oldRoot", CT_ROOTS[8]), "newRoot", CT_ROOTS[6]), root),
        bad("6 to 8 from 5", with(&six, "old", "5"), needed(3, 4)),
        bad("6 to 8 from 7", with(&six, "old", "7"), needed(3, 4)),
        good("6 to 8 called 6 to 7, whose proof has the same shape", with(&six, "new", "7")),
        bad(
            "backwards from 8 to 6",
            with(&with(&six, "old", "8"), "new", "6"),
            "no leaf or subtree of a tree of 6 leaves begins at 0 and ends at 8",
        ),
        bad(
            "1 to 0",
            json!({ "old": "1", "oldRoot": CT_ROOTS[1], "new": "0", "newRoot": EMPTY_ROOT, "proof": [] }),
            "no leaf or subtree of a tree of 0 leaves",
        ),
        bad("4 to 8 with the old root in the proof", published(4, 8, &[CT_ROOTS[4], NODE_4_7]), needed(2, 1)),
        bad("8 to 8 with different roots", with(&case(8, 8, &tree), "oldRoot", CT_ROOTS[7]), root),
        bad("8 to 8 with a proof", with(&case(8, 8, &tree), "proof", json!([CT_ROOTS[8]])), needed(1, 0)),
        bad("0 to 8 with a proof", with(&case(0, 8, &tree), "proof", json!([CT_ROOTS[8]])), needed(1, 0)),
        bad("0 to 8 from a root that is not empty", with(&case(0, 8, &tree), "oldRoot", CT_ROOTS[1]), root),
        bad("0 to 0 with a root that is not empty", with(&case(0, 0, &tree), "newRoot", CT_ROOTS[1]), root),
        bad(
            "0 to 2^63",
            with(&case(0, 8, &tree), "new", "9223372036854775808"),
            "no leaf or subtree of a tree of 9223372036854775808 leaves",
        ),
        bad(
            "6 to 2^64 - 1",
            with(&six, "new", u64::MAX.to_string()),
            "no leaf or subtree of a tree of 18446744073709551615 leaves",
        ),
    ]);
    check("tree-consistency", about, &cases, |case| {
        let (old, new) = (position_of(case, "old"), position_of(case, "new"));
        let (old_root, new_root) = (digest_of(case, "oldRoot"), digest_of(case, "newRoot"));
        let holds = tree::verify_consistency(old, &old_root, new, &new_root, &proof_of(case));
        holds.map_err(|error| reason(&error))?;
        Ok(json!({ "holds": true }))
    });
}

#[test]
fn a_subtree_is_proven_part_of_its_tree() {
    let about = "Subtree consistency proofs (draft-ietf-plants-merkle-tree-certs §4; schema/src/log/tree.rs), which \
                 carry packages of entries: hashes and roots in hexadecimal, positions as text. `start` must be a \
                 multiple of the smallest power of two that is at least `end` - `start`. `refused` is part of the \
                 reason.";
    let tree = ct_tree();
    let counting: MemoryTree = (0..1000).map(counting_leaf).collect();
    let subtree = |reader: &MemoryTree, start: u64, end: u64| -> Digest {
        let mut frontier = Frontier::new();
        (start..end).for_each(|index| frontier.push(reader.hash(0, index).unwrap()));
        frontier.root()
    };
    let case = |reader: &MemoryTree, start: u64, end: u64, size: u64| {
        let proof = subtree_consistency_proof(reader, start, end, size).unwrap();
        json!({
            "start": start.to_string(),
            "end": end.to_string(),
            "subtreeRoot": subtree(reader, start, end),
            "size": size.to_string(),
            "root": root_of(reader, size),
            "proof": proof,
        })
    };
    let mut cases = Vec::new();
    for (start, end, size) in [
        (0, 1, 1),
        (0, 8, 8),
        (0, 4, 8),
        (4, 8, 8),
        (4, 6, 8),
        (4, 7, 8),
        (4, 7, 7),
        (0, 5, 7),
        (0, 7, 8),
        (2, 4, 7),
        (6, 7, 7),
        (6, 8, 8),
        (4, 5, 6),
    ] {
        cases.push(good(format!("leaves {start} to {end} of {size}"), case(&tree, start, end, size)));
    }
    for (start, end, size) in [(256, 512, 1000), (768, 1000, 1000), (512, 700, 1000), (0, 700, 1000), (768, 800, 900)] {
        cases.push(good(format!("leaves {start} to {end} of {size}"), case(&counting, start, end, size)));
    }
    let part = case(&tree, 4, 7, 8);
    let root = "does not lead to the root";
    let none = |size: u64, start: u64, end: u64| {
        format!("no leaf or subtree of a tree of {size} leaves begins at {start} and ends at {end}")
    };
    let at = |start: &str, end: &str| with(&with(&part, "start", start), "end", end);
    cases.extend(broken_proofs("leaves 4 to 7 of 8", &part));
    cases.extend([
        bad("leaves 4 to 7 with another root", with(&part, "root", CT_ROOTS[7]), root),
        bad("leaves 4 to 7 with another subtree root", with(&part, "subtreeRoot", NODE_4_7), root),
        bad(
            "leaves 4 to 7 with the two roots exchanged",
            {
                let exchanged = with(&part, "subtreeRoot", part["root"].clone());
                with(&exchanged, "root", part["subtreeRoot"].clone())
            },
            root,
        ),
        bad("leaves 4 to 7 called 0 to 3", at("0", "3"), root),
        bad("leaves 4 to 7 called 4 to 8", at("4", "8"), "has 4 hashes where 1 are needed"),
        bad("a start that is no multiple", at("1", "3"), none(8, 1, 3)),
        bad("a start that is a multiple of less", at("2", "5"), none(8, 2, 5)),
        bad("no leaf", at("4", "4"), none(8, 4, 4)),
        bad("less than no leaf", at("4", "3"), none(8, 4, 3)),
        bad("past the end of the tree", at("8", "9"), none(8, 8, 9)),
        bad("over the end of the tree", with(&part, "size", "6"), none(6, 4, 7)),
        bad("up to 2^64 - 1", at("0", &u64::MAX.to_string()), none(8, 0, u64::MAX)),
        bad("a tree of 2^63", with(&part, "size", "9223372036854775808"), none(1 << 63, 4, 7)),
    ]);
    check("tree-subtree", about, &cases, |case| {
        let [start, end, size] = ["start", "end", "size"].map(|member| position_of(case, member));
        let (part, whole) = (digest_of(case, "subtreeRoot"), digest_of(case, "root"));
        verify_subtree(start, end, &part, size, &whole, &proof_of(case))
    });
}

fn verify_subtree(start: u64, end: u64, part: &Digest, size: u64, whole: &Digest, proof: &[Digest]) -> Verdict {
    let holds = tree::verify_subtree_consistency(start, end, part, size, whole, proof);
    holds.map_err(|error| reason(&error))?;
    Ok(json!({ "holds": true }))
}
