//! Evidence: when two notes of one log prove two histories, and when they prove nothing.

use chancery_schema::digest::Digest;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::{self, Checkpoint, SignedCheckpoint};
use chancery_schema::log::note::{self, KeyType, VerifierKey};
use chancery_schema::log::tree::{EMPTY_ROOT, MemoryTree, consistency_proof, leaf_hash, root};
use chancery_schema::record::{Evidence, Prefix};
use serde_json::{Map, Value, json};

use super::golden::{Case, bad, check, good, reason};
use super::history::{witness_key, witness_name};
use super::nation::Nation;

/// A log that parted from itself: two trees whose first `common` leaves are the same.
pub struct Fork {
    nation: Nation,
    trees: [MemoryTree; 2],
}

impl Fork {
    pub fn after(common: u64, sizes: [u64; 2]) -> Self {
        let leaf = |branch: u64, index: u64| {
            let branch = if index < common { 0 } else { branch };
            leaf_hash(&[branch.to_be_bytes(), index.to_be_bytes()].concat())
        };
        let tree = |branch: u64, size: u64| (0..size).map(|index| leaf(branch, index)).collect();
        Self { nation: Nation::new("FR"), trees: [tree(1, sizes[0]), tree(2, sizes[1])] }
    }

    fn key(&self) -> VerifierKey {
        let key = self.nation.key(Role::Log, 0);
        note::verifier_key(self.nation.origin.as_str(), KeyType::Ed25519, &key).unwrap()
    }

    fn sign(&self, size: u64, root: Digest) -> SignedCheckpoint {
        let checkpoint = Checkpoint { origin: self.nation.origin.clone(), size, root };
        checkpoint::sign(checkpoint, &self.nation.key(Role::Log, 0)).unwrap()
    }

    /// What the log signed of one of its branches.
    pub fn checkpoint(&self, branch: usize, size: u64) -> SignedCheckpoint {
        self.sign(size, root(&self.trees[branch], size).unwrap())
    }

    /// What whoever holds the second branch can say of a checkpoint of the first.
    pub fn prefix(&self, from: u64, to: u64) -> Prefix {
        let tree = &self.trees[1];
        Prefix { root: root(tree, from).unwrap(), proof: consistency_proof(tree, from, to).unwrap() }
    }

    /// The evidence of a holder of the second branch.
    pub fn evidence(&self, from: u64, to: u64) -> Evidence {
        Evidence {
            accused: self.key().to_string(),
            earlier: self.checkpoint(0, from).to_string(),
            later: self.checkpoint(1, to).to_string(),
            prefix: (from < to).then(|| self.prefix(from, to)),
        }
    }
}

/// A case, with some members changed.
fn with(evidence: &Evidence, change: impl FnOnce(&mut Evidence)) -> Value {
    let mut evidence = evidence.clone();
    change(&mut evidence);
    json!({ "evidence": evidence })
}

#[test]
fn only_two_histories_are_evidence() {
    let about = "What is held against a log: `evidence`, the body of a record of that kind \
                 (schema/src/record/evidence.rs). `expect`: the key that signed two histories, and what it signed. \
                 `refused` begins with the place in the body, and the rest is part of the reason.";
    let same = Fork::after(3, [7, 7]);
    let (same_size, fork) = (same.evidence(7, 7), Fork::after(3, [5, 12]));
    let evidence = fork.evidence(5, 12);
    let sizes = [(1, 2), (1, 9), (2, 3), (4, 8), (5, 6), (7, 8), (8, 9), (255, 256), (256, 1000)];
    let mut cases = vec![
        good("two roots of one size", with(&same_size, |_| {})),
        good("the two in the other order", with(&same_size, |it| std::mem::swap(&mut it.earlier, &mut it.later))),
        good("two sizes, parted before the smaller", with(&evidence, |_| {})),
    ];
    for (from, to) in sizes {
        let fork = Fork::after(0, [from, to]);
        cases.push(good(
            format!("{from} and {to} entries, of which none is common"),
            with(&fork.evidence(from, to), |_| {}),
        ));
    }
    cases.extend([
        good("a root of no entries that is not the empty one", {
            let zero = fork.sign(0, Digest::of(b"nothing")).to_string();
            let prefix = Some(Prefix { root: EMPTY_ROOT, proof: Vec::new() });
            with(&evidence, |it| (it.earlier, it.prefix) = (zero, prefix))
        }),
        good("a cosignature on the note, which says nothing of the log", {
            let witness = Nation::new("KE");
            let mut cosigned = fork.checkpoint(1, 12);
            let line = chancery_schema::log::cosignature::sign(
                &cosigned,
                &witness_name(&witness),
                1,
                &witness.key(Role::Witness, 0),
            );
            cosigned.add(line.unwrap().to_line()).unwrap();
            with(&evidence, |it| it.later = cosigned.to_string())
        }),
    ]);
    cases.extend(innocent(&same, &same_size, &fork, &evidence));
    cases.extend(hostile(&same_size, &fork, &evidence));
    check("evidence", about, &cases, |case| {
        let evidence: Evidence = serde_json::from_value(case["evidence"].clone()).unwrap();
        let proven = evidence.verify().map_err(|error| format!("{}: {}", error.pointer(), reason(&error)))?;
        let said = |it: &Checkpoint| json!({ "origin": it.origin, "size": it.size.to_string(), "root": it.root });
        Ok(json!({ "log": proven.log().to_string(), "earlier": said(proven.earlier()), "later": said(proven.later()) }))
    });
}

/// What an honest log may have signed.
fn innocent(same: &Fork, same_size: &Evidence, fork: &Fork, evidence: &Evidence) -> Vec<Case> {
    let (old, proof) = (fork.checkpoint(1, 5).to_string(), "without it the earlier checkpoint may be merely old");
    vec![
        bad(
            "the same checkpoint twice",
            with(same_size, |it| it.later.clone_from(&it.earlier)),
            "/later: has the entries of the earlier checkpoint and its root",
        ),
        bad(
            "the same checkpoint twice, once cosigned",
            {
                let mut cosigned = same.checkpoint(0, 7);
                let line = chancery_schema::log::cosignature::sign(
                    &cosigned,
                    "ke.example.org/chancery/witness",
                    1,
                    &Nation::new("KE").key(Role::Witness, 0),
                );
                cosigned.add(line.unwrap().to_line()).unwrap();
                with(same_size, |it| it.later = cosigned.to_string())
            },
            "/later: has the entries of the earlier checkpoint and its root",
        ),
        bad(
            "an old checkpoint",
            with(evidence, |it| (it.earlier, it.prefix) = (old.clone(), None)),
            format!("/prefix: is missing, and {proof}"),
        ),
        bad(
            "an old checkpoint, with the proof that the log grew from it",
            with(evidence, |it| it.earlier = old),
            "/prefix/root: is the root of the earlier checkpoint, so the log has merely grown",
        ),
        bad(
            "two histories and no proof",
            with(evidence, |it| it.prefix = None),
            format!("/prefix: is missing, and {proof}"),
        ),
        bad(
            "the empty log, and what became of it",
            {
                let zero = fork.sign(0, EMPTY_ROOT).to_string();
                let prefix = Some(Prefix { root: EMPTY_ROOT, proof: Vec::new() });
                with(evidence, |it| (it.earlier, it.prefix) = (zero, prefix))
            },
            "/prefix/root: is the root of the earlier checkpoint",
        ),
    ]
}

/// What somebody may hold against an honest log.
fn hostile(same_size: &Evidence, fork: &Fork, evidence: &Evidence) -> Vec<Case> {
    let prefix = evidence.prefix.clone().unwrap();
    let proven = |change: fn(&mut Prefix)| with(evidence, |it| change(it.prefix.as_mut().unwrap()));
    let leads = "/prefix/proof: does not lead to the later checkpoint: ";
    let wrong_root = format!("{leads}the proof does not lead to the root");
    let stranger = Nation::new("KE");
    let foreign = |size: u64, origin: &str| {
        let checkpoint = Checkpoint { origin: origin.parse().unwrap(), size, root: Digest::of(b"a tree") };
        checkpoint::sign(checkpoint, &stranger.key(Role::Log, 0)).unwrap().to_string()
    };
    let (ours, theirs) = ("fr.example.org/chancery", "ke.example.org/chancery");
    let not = |place: &str, words: &str| format!("{place}: is no checkpoint of the accused log: {words}");
    let wrong_key = format!("{ours} is not the key of the log {theirs}");
    let key = "/accused: is no verifier key of a log";
    let mut forged = Map::new();
    for (place, note) in [("/earlier", &evidence.earlier), ("/later", &evidence.later)] {
        // The first letter of the root.
        let line = note.lines().nth(2).unwrap();
        let other = if line.starts_with('A') { "B" } else { "A" };
        forged.insert(place.to_owned(), json!(note.replacen(line, &format!("{other}{}", &line[1..]), 1)));
    }
    let forged = |place: &str| forged[place].as_str().unwrap().to_owned();
    let holds = "failed to open the note of a checkpoint: the signature of fr.example.org/chancery does not hold";
    let unsigned = "failed to open the note of a checkpoint: no known key has signed the note";
    vec![
        bad(
            "the larger one first",
            with(evidence, |it| std::mem::swap(&mut it.earlier, &mut it.later)),
            "/later: has fewer entries",
        ),
        bad(
            "a proof that nothing needs",
            with(same_size, |it| it.prefix = Some(prefix.clone())),
            "/prefix: is needed only where the later checkpoint has more entries",
        ),
        bad("a root that somebody made up", proven(|it| it.root = Digest::of(b"a root")), wrong_root.clone()),
        bad(
            "a proof of another tree",
            with(evidence, |it| it.prefix = Some(Fork::after(2, [5, 12]).prefix(5, 12))),
            wrong_root.clone(),
        ),
        bad("a proof from another size", with(evidence, |it| it.prefix = Some(fork.prefix(6, 12))), leads),
        bad("a proof to another size", with(evidence, |it| it.prefix = Some(fork.prefix(5, 11))), leads),
        bad(
            "a proof without its last hash",
            proven(|it| it.proof.truncate(it.proof.len() - 1)),
            format!("{leads}the proof has"),
        ),
        bad(
            "a proof with a hash too many",
            proven(|it| it.proof.push(Digest::of(b"a hash"))),
            format!("{leads}the proof has"),
        ),
        bad("no hash of the proof", proven(|it| it.proof.clear()), format!("{leads}the proof has 0 hashes")),
        bad("a hash of the proof changed", proven(|it| it.proof[1] = Digest::of(b"a hash")), wrong_root.clone()),
        bad("the hashes of the proof in the other order", proven(|it| it.proof.reverse()), wrong_root),
        bad(
            "an earlier root that the log never signed",
            with(evidence, |it| it.earlier = forged("/earlier")),
            not("/earlier", holds),
        ),
        bad(
            "a later root that the log never signed",
            with(evidence, |it| it.later = forged("/later")),
            not("/later", holds),
        ),
        bad(
            "a note that somebody else signed in the log's name",
            with(evidence, |it| it.later = foreign(12, ours)),
            not("/later", unsigned),
        ),
        bad("a note of another log", with(same_size, |it| it.later = foreign(7, theirs)), not("/later", &wrong_key)),
        bad(
            "a note of another log first",
            with(same_size, |it| it.earlier = foreign(7, theirs)),
            not("/earlier", &wrong_key),
        ),
        bad(
            "two notes of another log",
            with(same_size, |it| (it.earlier, it.later) = (foreign(7, theirs), foreign(7, theirs))),
            not("/earlier", &wrong_key),
        ),
        bad(
            "a cosigner's key",
            with(evidence, |it| it.accused = witness_key(&stranger).to_string()),
            not("/earlier", ""),
        ),
        bad(
            "the log's key for cosigning",
            with(evidence, |it| {
                let log: VerifierKey = it.accused.parse().unwrap();
                it.accused = VerifierKey::new(ours, KeyType::Cosignature, *log.public()).unwrap().to_string();
            }),
            not("/earlier", ""),
        ),
        bad(
            "another key of the same name",
            with(evidence, |it| {
                it.accused =
                    note::verifier_key(ours, KeyType::Ed25519, &stranger.key(Role::Log, 0)).unwrap().to_string();
            }),
            not("/earlier", unsigned),
        ),
        bad("no key", with(evidence, |it| it.accused = String::new()), key),
        bad("an origin for a key", with(evidence, |it| ours.clone_into(&mut it.accused)), key),
        bad("no note", with(evidence, |it| it.later = String::new()), not("/later", "")),
        bad(
            "a note without its signature",
            with(evidence, |it| {
                let (text, _) = it.later.split_once("\n\n").unwrap();
                it.later = format!("{text}\n\n");
            }),
            not("/later", ""),
        ),
        bad(
            "a note with an extension line",
            with(evidence, |it| {
                let signature = it.later.split_once("\n\n").unwrap().1.to_owned();
                it.later = format!("{}more\n\n{signature}", fork.checkpoint(1, 12).note().text());
            }),
            not("/later", ""),
        ),
    ]
}
