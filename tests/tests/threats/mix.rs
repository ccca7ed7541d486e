//! T09: checkpoints, proofs, envelopes and key sets, all of them genuine, put together across the
//! snapshots of a log: only what belongs together is believed, or cosigned.
//!
//! Snapshot n is the log when record n was its last: checkpoint, proof and envelope are three axes.
//! Along each plane of two axes all pairs are tried, and within a smaller number all triples. Key sets
//! are the fourth axis: those of the nation, of a rival that claims the same code and log, of another
//! nation, of the nation before it let the publisher speak, and of its witness.

use chancery_schema::admission::{Policy as AdmissionPolicy, State, Submission, decide};
use chancery_schema::bundle::{Trust, Verdict, verify};
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::SignedCheckpoint;
use chancery_schema::log::cosignature;
use chancery_schema::log::note::{KeyType, VerifierKey, verifier_key};
use chancery_schema::log::proof::Proof;
use chancery_schema::log::tree::consistency_proof;
use chancery_schema::log::witness::{self, Decision, Request};
use chancery_schema::record::Kind;
use chancery_tests::history::{History, witness_key};
use chancery_tests::nation::{Judge, Nation};
use serde_json::json;

use super::row::{Share, Tally, spread};

/// The log when a record was its last.
struct Snapshot {
    /// The record's entry.
    entry: Vec<u8>,
    envelope: Envelope,
    /// The proof's lines above the checkpoint.
    proof: String,
    checkpoint: SignedCheckpoint,
    note: String,
}

/// A set of keys that somebody pins.
struct KeySet {
    name: &'static str,
    log: VerifierKey,
    state: State,
    /// Whether the log was signed with its log key.
    own_log: bool,
    /// Whether the publisher of the records may speak.
    own_publisher: bool,
}

pub fn run(share: Share) -> (Tally, String) {
    let (count, corner) = (share.of(32, 200), share.of(8, 40));
    let mut history = History::found("FR");
    let witness = Nation::new("KE");
    while history.envelopes.len() < count {
        let license = history.nation.license(&format!("terms-{}", history.envelopes.len()));
        history.push(license);
    }
    let snapshots: Vec<Snapshot> = (0..count).map(|index| snapshot(&history, index, &witness)).collect();
    let sets = key_sets(&history);
    let log = history.log_key();
    let mut tally = spread(&snapshots, |i, _| pairs(&snapshots, i, &log));
    tally.add(spread(&snapshots[..corner], |i, _| triples(&snapshots[..corner], i, &log)));
    tally.add(spread(&snapshots, |i, _| cosignatures(&snapshots, i, &witness_key(&witness))));
    tally.add(spread(&snapshots, |i, _| requests(&history, &snapshots, i, &log)));
    tally.add(spread(&snapshots, |_, snapshot| under_key_sets(&history, snapshot, &sets)));
    tally.add(bundles(&history, &snapshots[1..], share.of(8, 40)));
    tally.add(orders(&history, &snapshots[4]));
    let tried = format!(
        "combinations of {count} snapshots (all pairs; all triples of {corner}) and {} key sets, to be believed on the diagonal only",
        sets.len()
    );
    (tally, tried)
}

fn snapshot(history: &History, index: usize, witness: &Nation) -> Snapshot {
    let checkpoint = history.cosigned(index as u64 + 1, &[witness]);
    let proof = history.proof(index, &checkpoint).to_string();
    let (proof, note) = proof.split_once("\n\n").unwrap();
    Snapshot {
        entry: history.entry(index).to_bytes(),
        envelope: history.envelopes[index].clone(),
        proof: proof.to_owned(),
        note: note.to_owned(),
        checkpoint,
    }
}

/// Whether the parts of three snapshots are believed together.
fn believed(checkpoint: &Snapshot, proof: &Snapshot, envelope: &Snapshot, log: &VerifierKey) -> bool {
    let text = format!("{}\n\n{}", proof.proof, checkpoint.note);
    Proof::parse(text.as_bytes()).is_ok_and(|proof| proof.verify(&envelope.entry, log).is_ok())
}

fn pairs(snapshots: &[Snapshot], i: usize, log: &VerifierKey) -> Tally {
    let mut tally = Tally::default();
    let one = &snapshots[i];
    for (j, other) in snapshots.iter().enumerate() {
        // One part is of another snapshot than the other two.
        for (name, parts) in
            [("checkpoint", [other, one, one]), ("proof", [one, other, one]), ("envelope", [one, one, other])]
        {
            let [checkpoint, proof, envelope] = parts;
            let right = believed(checkpoint, proof, envelope, log) == (i == j);
            tally.expect(right, || format!("the {name} of snapshot {j} with the rest of {i}"));
        }
    }
    tally
}

fn triples(snapshots: &[Snapshot], i: usize, log: &VerifierKey) -> Tally {
    let mut tally = Tally::default();
    for (j, proof) in snapshots.iter().enumerate() {
        for (k, envelope) in snapshots.iter().enumerate() {
            let right = believed(&snapshots[i], proof, envelope, log) == (i == j && j == k);
            tally.expect(right, || format!("checkpoint {i}, proof {j}, envelope {k}"));
        }
    }
    tally
}

/// The cosignature on one checkpoint, shown on another.
fn cosignatures(snapshots: &[Snapshot], i: usize, witness: &VerifierKey) -> Tally {
    let mut tally = Tally::default();
    let line = snapshots[i].checkpoint.note().signatures().iter().find(|line| witness.claims(line)).unwrap();
    for (j, other) in snapshots.iter().enumerate() {
        let holds = cosignature::verify(other.checkpoint.checkpoint(), line, witness).is_ok();
        tally.expect(holds == (i == j), || format!("the cosignature on checkpoint {i}, shown on {j}"));
    }
    tally
}

/// A witness that remembers one snapshot is shown the proof towards another, with the checkpoint of a third:
/// the first, the last, or the one that the proof leads to.
fn requests(history: &History, snapshots: &[Snapshot], i: usize, log: &VerifierKey) -> Tally {
    let mut tally = Tally::default();
    let size = |index: usize| index as u64 + 1;
    let stored = (size(i), snapshots[i].checkpoint.checkpoint().root);
    for j in i..snapshots.len() {
        let proof = consistency_proof(&history.tree, size(i), size(j)).unwrap();
        for k in [i, j, snapshots.len() - 1] {
            let note = snapshots[k].checkpoint.note().clone();
            let request = Request { old: size(i), proof: proof.clone(), note };
            let cosigned = matches!(witness::decide(Some(stored), &request, Some(log)), Decision::Cosign(_));
            tally.expect(cosigned == (j == k), || format!("memory {i}, proof towards {j}, checkpoint {k}"));
        }
    }
    tally
}

/// A snapshot under each key set: the log's key finds it, and the roster lets its publisher speak.
fn under_key_sets(history: &History, snapshot: &Snapshot, sets: &[KeySet]) -> Tally {
    let mut tally = Tally::default();
    let policy = AdmissionPolicy::Mirror { origin: history.nation.origin.clone() };
    let submission = Submission::open(snapshot.envelope.clone()).unwrap();
    for set in sets {
        let finds = believed(snapshot, snapshot, snapshot, &set.log);
        tally.expect(finds == set.own_log, || format!("found under the log key of {}", set.name));
        // The charter and the delegation found the key sets; what they let speak is judged.
        if submission.record.kind() == Kind::License {
            let admits = decide(submission.clone(), &set.state, &policy).is_ok();
            tally.expect(admits == set.own_publisher, || format!("admitted under the roster of {}", set.name));
        }
    }
    tally
}

fn key_sets(history: &History) -> Vec<KeySet> {
    let nation = &history.nation;
    let state = |envelopes: &[Envelope]| {
        let mut judge = Judge::default();
        for envelope in envelopes {
            judge.admit(&nation.origin, envelope).unwrap();
        }
        judge.state
    };
    let vkey = |name: &str, role, number| verifier_key(name, KeyType::Ed25519, &nation.key(role, number)).unwrap();
    let own =
        |name, log, own_log| KeySet { name, log, state: state(&history.envelopes[..2]), own_log, own_publisher: true };
    let origin = nation.origin.as_str();
    let kenya = History::found("KE");
    let mut foreign = Judge::default();
    for envelope in &kenya.envelopes {
        foreign.admit(&kenya.nation.origin, envelope).unwrap();
    }
    vec![
        own("the nation", history.log_key(), true),
        own("the nation, with its witness for its log", vkey(origin, Role::Witness, 0), false),
        own("the nation, with its log under another name", vkey("fr.example.org/other", Role::Log, 0), false),
        KeySet {
            name: "the nation before it let the publisher speak",
            log: history.log_key(),
            state: state(&history.envelopes[..1]),
            own_log: true,
            own_publisher: false,
        },
        KeySet {
            name: "a rival that claims the same code and log",
            log: vkey(origin, Role::Log, RIVAL),
            state: state(&rival(nation)),
            own_log: false,
            own_publisher: false,
        },
        KeySet {
            name: "another nation",
            log: kenya.log_key(),
            state: foreign.state,
            own_log: false,
            own_publisher: false,
        },
    ]
}

/// A rival's keys have this number and those after it.
const RIVAL: u8 = 10;

/// The charter and the delegation of a rival of `nation`.
fn rival(nation: &Nation) -> [Envelope; 2] {
    let mut rival = Nation::new(nation.code.as_str());
    let record = |role, number| json!(nation.key_record(role, RIVAL + number));
    let mut charter = nation.charter_draft();
    charter["roots"] = json!([record(Role::Root, 0), record(Role::Root, 1)]);
    charter["registrars"] = json!([record(Role::Registrar, 0)]);
    charter["logKey"] = record(Role::Log, 0);
    charter["witness"]["key"] = record(Role::Witness, 0);
    charter["mirror"]["key"] = record(Role::Mirror, 0);
    let mut delegation = nation.delegation_draft(Role::Publisher, &[Kind::License], &["*"]);
    delegation["key"] = record(Role::Publisher, 0);
    let key = |role, number| nation.key(role, RIVAL + number);
    [
        rival.sign(Kind::Charter, charter, &[&key(Role::Root, 0), &key(Role::Root, 1)]),
        rival.sign(Kind::Delegation, delegation, &[&key(Role::Registrar, 0)]),
    ]
}

/// Bundles whose charter and delegation are proven under one checkpoint and their record under
/// another, both signed by the log.
fn bundles(history: &History, snapshots: &[Snapshot], count: usize) -> Tally {
    let trust = Trust::Fingerprint(history.fingerprint());
    // The last ones: each has the record that all the bundles are about.
    let last = &snapshots[snapshots.len() - count..];
    let record = history.envelopes.len() - count;
    spread(last, |i, one| {
        let mut tally = Tally::default();
        let whole = history.bundle(&[0, 1, record], &one.checkpoint);
        for (j, other) in last.iter().enumerate() {
            let mut mixed = whole.clone();
            mixed.records[2].proof = history.proof(record, &other.checkpoint).to_string();
            let verified = verify(&mixed, &trust).verdict == Verdict::Verified;
            tally.expect(verified == (i == j), || format!("a bundle under the checkpoints {i} and {j}"));
        }
        tally
    })
}

/// A bundle with its records in every order: they stand in that of the log, or it is refused.
fn orders(history: &History, snapshot: &Snapshot) -> Tally {
    let mut tally = Tally::default();
    let trust = Trust::Fingerprint(history.fingerprint());
    let whole = history.bundle(&[0, 1, 2, 3, 4], &snapshot.checkpoint);
    for order in permutations(vec![0, 1, 2, 3, 4]) {
        let mut mixed = whole.clone();
        mixed.records = order.iter().map(|index| whole.records[*index].clone()).collect();
        let verified = verify(&mixed, &trust).verdict == Verdict::Verified;
        tally.expect(verified == order.is_sorted(), || format!("a bundle with its records in the order {order:?}"));
    }
    tally
}

fn permutations(items: Vec<usize>) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![items];
    }
    let begun_with = |&first: &usize| {
        let rest = items.iter().copied().filter(|item| *item != first).collect();
        permutations(rest).into_iter().map(move |rest| [vec![first], rest].concat())
    };
    items.iter().flat_map(begun_with).collect()
}
