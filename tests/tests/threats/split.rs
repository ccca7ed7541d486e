//! T05: a log shows one history here and another one there. Two notes and a proof show it to anyone; of an
//! honest log no two notes do, old or new, whatever is said of them.
//!
//! Each log has a trunk and a branch that parts from it, both of random sizes. All that can be put together
//! of two notes and what is said to prove them is tried: it is evidence when the later note's own tree has
//! another root at the earlier one's size, and is shown to, and only then.

use chancery_schema::digest::Digest;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::tree::{MemoryTree, consistency_proof, leaf_hash, root};
use chancery_schema::record::{Evidence, Prefix};
use chancery_tests::history::History;

use super::row::{Share, Tally, spread};

/// Leaves of a tree, at most.
const SIZE_MAX: u64 = 70;

/// Pairs of notes of each log.
const PAIRS: u64 = 12;

/// A trunk, and a branch of it.
type Trees = [MemoryTree; 2];

pub fn run(share: Share) -> (Tally, String) {
    let logs: Vec<u64> = (0..share.of(24, 2000)).collect();
    let history = History::found("FR");
    let tally = spread(&logs, |_, seed| one(&history, *seed));
    (tally, format!("claims about {} logs that part from themselves, of which only what is so is proven", logs.len()))
}

/// A number below `bound`, the same in every run.
fn draw(seed: u64, what: &str, bound: u64) -> u64 {
    let digest = Digest::of(format!("{seed} {what}").as_bytes());
    let bytes = digest.as_bytes().first_chunk().unwrap();
    u64::from_be_bytes(*bytes) % bound
}

fn one(history: &History, seed: u64) -> Tally {
    let sizes = ["trunk", "branch"].map(|what| 1 + draw(seed, what, SIZE_MAX));
    let common = draw(seed, "common", sizes[0].min(sizes[1]));
    let leaf =
        |branch: usize, index: u64| leaf_hash(&[u8::from(branch == 1 && index >= common), index.to_be_bytes()[7]]);
    let trees: Trees = [0, 1].map(|branch| (0..sizes[branch]).map(|index| leaf(branch, index)).collect());
    let mut tally = Tally::default();
    for pair in 0..PAIRS {
        for (first, second) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let from = 1 + draw(seed, &format!("from {pair}"), sizes[first]);
            let to = 1 + draw(seed, &format!("to {pair}"), sizes[second]);
            claims(history, &trees, (first, from), (second, to), &mut tally);
        }
    }
    tally
}

/// Everything that may be said of two notes.
fn claims(history: &History, trees: &Trees, earlier: (usize, u64), later: (usize, u64), tally: &mut Tally) {
    let note = |(branch, size): (usize, u64)| {
        let root = root(&trees[branch], size).unwrap();
        let checkpoint = Checkpoint { origin: history.nation.origin.clone(), size, root };
        checkpoint::sign(checkpoint, &history.nation.key(Role::Log, 0)).unwrap()
    };
    let (from, to) = (earlier.1, later.1);
    let of = |branch: usize| {
        Some(Prefix { root: root(&trees[branch], from)?, proof: consistency_proof(&trees[branch], from, to)? })
    };
    let theirs = of(later.0);
    let mut said = vec![None, theirs.clone(), of(1 - later.0)];
    if let Some(prefix) = &theirs {
        said.push(Some(Prefix { root: Digest::of(b"made up"), ..prefix.clone() }));
        said.push(Some(Prefix { proof: Vec::new(), ..prefix.clone() }));
        said.push(Some(Prefix { root: root(&trees[earlier.0], from).unwrap(), ..prefix.clone() }));
    }
    let differ = root(&trees[later.0], from).is_some_and(|root| root != note(earlier).checkpoint().root);
    for prefix in said {
        // Between equal sizes the roots alone say it; otherwise the later tree's own proof does.
        let right =
            differ && if from == to { prefix.is_none() } else { from < to && prefix.is_some() && prefix == theirs };
        let evidence = Evidence {
            accused: history.log_key().to_string(),
            earlier: note(earlier).to_string(),
            later: note(later).to_string(),
            prefix,
        };
        let found = evidence.verify();
        tally.expect(found.is_ok() == right, || {
            format!("{earlier:?} and {later:?}: {found:?} of {:?}", evidence.prefix)
        });
    }
    if from <= to {
        let made = Evidence::of(&history.log_key(), (&note(earlier), &note(later)), &trees[later.0]);
        tally.expect(made.is_some() == differ, || format!("{earlier:?} and {later:?}, put together: {made:?}"));
    }
}
