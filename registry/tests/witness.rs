//! The own witness: what it cosigns, what it remembers, and what it makes of a log with two histories.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chancery_registry::Registry;
use chancery_schema::digest::Digest;
use chancery_schema::key::{PublicKey, Role};
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::cosignature::{self, Cosignature};
use chancery_schema::log::note::{KeyType, Note, Signature, VerifierKey};
use chancery_schema::log::tree::{MemoryTree, consistency_proof, leaf_hash, root};
use chancery_schema::log::witness::{Refusal, Request};
use common::{Nation, day};

/// A nation whose log a witness serves, and a history that its log key signs: nobody holds the entries.
struct Subject {
    source: Nation,
    tree: MemoryTree,
}

impl Subject {
    async fn of(entries: u64) -> (Self, Nation) {
        let (source, witness) = (Nation::founded("FR").await, Nation::founded("KE").await);
        witness.befriend_for(&source, &["cosign"]).await;
        (Self { source, tree: history(entries, b"") }, witness)
    }

    /// The checkpoint of the first `size` entries of a history.
    fn note_of(&self, tree: &MemoryTree, size: u64) -> Note {
        let checkpoint = Checkpoint { origin: self.source.origin.clone(), size, root: root(tree, size).unwrap() };
        checkpoint::sign(checkpoint, &self.source.key(Role::Log)).unwrap().note().clone()
    }

    /// An honest request to go from one size to another.
    fn request(&self, old: u64, new: u64) -> Request {
        let proof = consistency_proof(&self.tree, old.min(new), new).unwrap();
        Request { old, proof, note: self.note_of(&self.tree, new) }
    }

    /// The cosignature that a line is on the checkpoint of a request.
    fn open(&self, witness: &Nation, request: &Request, line: &Signature) -> Cosignature {
        let signed = checkpoint::open(request.note.to_string().as_bytes(), &self.source.log_key()).unwrap();
        cosignature::verify(signed.checkpoint(), line, &cosigner(witness, Role::Witness)).unwrap()
    }
}

fn history(entries: u64, branch: &[u8]) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for entry in 0..entries {
        tree.push(leaf_hash(&[entry.to_be_bytes().as_slice(), if entry < 4 { b"" } else { branch }].concat()));
    }
    tree
}

fn cosigner(nation: &Nation, role: Role) -> VerifierKey {
    let key = PublicKey::from_bytes(nation.key(role).verifying_key().as_bytes()).unwrap();
    VerifierKey::new(&format!("{}/{}", nation.origin, role.as_str()), KeyType::Cosignature, key).unwrap()
}

async fn ask(registry: &Registry, request: &Request) -> Result<Signature, Refusal> {
    registry.add_checkpoint(request).await.unwrap()
}

/// Brings a mirror to the source's head, and answers its size.
async fn pull(source: &Nation, mirror: &Nation) -> u64 {
    let origin = &source.origin;
    let head = source.registry.head(origin).await.unwrap().unwrap();
    mirror.registry.set_pending(origin, &head.note).await.unwrap();
    while let size = mirror.registry.mirror(origin).await.unwrap().unwrap().size
        && size < head.size
    {
        let (package, bodies) = source.registry.package(origin, size, head.size).await.unwrap().unwrap();
        mirror.registry.extend(&package, &bodies).await.unwrap();
    }
    head.size
}

/// A request to go from `old` to the head of a log that is held in full.
async fn towards_head(source: &Nation, old: u64) -> Request {
    let head = source.registry.head(&source.origin).await.unwrap().unwrap();
    let proof = source.registry.consistency(&source.origin, old, head.size).await.unwrap().unwrap();
    Request { old, proof, note: Note::parse(head.note.as_bytes()).unwrap() }
}

#[tokio::test]
async fn a_log_is_cosigned_from_step_to_step_without_its_entries_and_over_restarts() {
    let (subject, witness) = Subject::of(40).await;
    for (old, new) in [(0, 7), (7, 8), (8, 8), (8, 33)] {
        let request = subject.request(old, new);
        let line = ask(&witness.registry, &request).await.unwrap();
        let seen = subject.open(&witness, &request, &line);
        assert_eq!(seen.timestamp(), day().unix_seconds().cast_unsigned());
        // Whoever opens the archive next, here or elsewhere, knows it.
        let reopened = witness.reopened().await;
        let again = ask(&reopened, &subject.request(new.saturating_sub(1), new)).await;
        assert_eq!(again, Err(Refusal::Conflict { size: new }));
    }
    let lines = witness.registry.cosignatures(&subject.source.origin, None).await.unwrap();
    assert!(lines.is_empty(), "nothing is held of it: {lines:?}");
    assert_eq!(witness.registry.heads().await.unwrap().len(), 1, "nor is it a mirror");
}

#[tokio::test]
async fn what_is_refused_is_refused_for_its_reason_and_leaves_the_memory() {
    let (subject, witness) = Subject::of(40).await;
    ask(&witness.registry, &subject.request(0, 20)).await.unwrap();
    let honest = subject.request(20, 33);
    let stranger = Nation::founded("BR").await;
    let of = |name: &Nation, key: &Nation| {
        let checkpoint = Checkpoint { origin: name.origin.clone(), size: 33, root: root(&subject.tree, 33).unwrap() };
        let signed = checkpoint::sign(checkpoint, &key.key(Role::Log));
        signed.map(|signed| Request { note: signed.note().clone(), ..honest.clone() })
    };
    let forged = {
        let text = honest.note.text();
        let line = Signature::new(&subject.source.log_key(), vec![7; 64]);
        Request { note: Note::new(text, vec![line]).unwrap(), ..honest.clone() }
    };
    let mut short = honest.clone();
    short.proof.pop();
    let mut other = honest.clone();
    other.proof[0] = Digest::of(b"another");
    let branch = history(40, b"branch");
    let grown = Request { note: subject.note_of(&branch, 33), ..honest.clone() };
    for (what, request, refusal) in [
        ("a log that is not accredited", of(&stranger, &stranger).unwrap(), Refusal::UnknownLog),
        ("the witness's own log", of(&witness, &witness).unwrap(), Refusal::UnknownLog),
        ("a forged signature", forged, Refusal::Forbidden),
        ("backwards", Request { old: 34, ..honest.clone() }, Refusal::BadRequest),
        ("an older memory", subject.request(19, 33), Refusal::Conflict { size: 20 }),
        ("no memory", subject.request(0, 33), Refusal::Conflict { size: 20 }),
        ("a short proof", short, Refusal::Unprocessable),
        ("another proof", other, Refusal::Unprocessable),
        ("another branch", grown, Refusal::Unprocessable),
    ] {
        assert_eq!(ask(&witness.registry, &request).await, Err(refusal), "{what}");
    }
    // None of these proves anything against the log: whoever asks may have made up the proof.
    assert!(witness.registry.contradictions().await.unwrap().is_empty());
    ask(&witness.registry, &honest).await.unwrap();

    let ended = witness.accreditation(&subject.source, &[]);
    witness.admit(&ended).await;
    assert_eq!(ask(&witness.registry, &subject.request(33, 40)).await, Err(Refusal::UnknownLog));
}

#[tokio::test]
async fn a_nation_recognised_for_mirroring_alone_is_not_cosigned() {
    let (subject, witness) = Subject::of(8).await;
    witness.admit(&witness.accreditation(&subject.source, &["mirror"])).await;
    assert_eq!(ask(&witness.registry, &subject.request(0, 7)).await, Err(Refusal::UnknownLog));
}

/// Two processes over one archive, and many requests at once: once a line has left, the memory is never
/// again below its checkpoint.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_requests_at_once_none_rolls_another_back() {
    const SIZE: u64 = 240;
    let (subject, witness) = Subject::of(SIZE).await;
    let (subject, floor) = (Arc::new(subject), Arc::new(AtomicU64::new(0)));
    let processes = [witness.registry.clone(), witness.reopened().await];
    let askers: Vec<_> = (0..12_u64)
        .map(|asker| {
            let (subject, floor) = (Arc::clone(&subject), Arc::clone(&floor));
            let registry = processes[usize::from(asker % 2 == 1)].clone();
            tokio::spawn(async move {
                let (mut old, mut cosigned) = (0, 0_u64);
                for step in 0..40_u64 {
                    let new = (old + 1 + (asker * 7 + step * 5) % 11).min(SIZE);
                    let before = floor.load(Ordering::SeqCst);
                    match ask(&registry, &subject.request(old, new)).await {
                        Ok(_) => {
                            assert!(new >= before, "cosigned {new} after {before}");
                            floor.fetch_max(new, Ordering::SeqCst);
                            (old, cosigned) = (new, cosigned + 1);
                        }
                        Err(Refusal::Conflict { size }) => {
                            assert!(size >= before, "remembers {size} after {before}");
                            old = size;
                        }
                        Err(refusal) => panic!("{old} to {new}: {refusal}"),
                    }
                }
                cosigned
            })
        })
        .collect();
    let mut cosigned = 0;
    for asker in askers {
        cosigned += asker.await.unwrap();
    }
    assert!(cosigned > 20, "only {cosigned} were cosigned");
    let last = floor.load(Ordering::SeqCst);
    let end = ask(&witness.registry, &subject.request(0, SIZE)).await;
    assert_eq!(end, Err(Refusal::Conflict { size: last }));
}

#[tokio::test]
async fn asked_again_within_a_minute_it_says_the_same_and_then_anew() {
    let (subject, witness) = Subject::of(8).await;
    let line = ask(&witness.registry, &subject.request(0, 8)).await.unwrap();
    let again = subject.request(8, 8);
    witness.wait(59);
    assert_eq!(ask(&witness.registry, &again).await, Ok(line.clone()));
    witness.wait(1);
    let fresh = ask(&witness.registry, &again).await.unwrap();
    let at = |line: &Signature| subject.open(&witness, &again, line).timestamp();
    assert_eq!(at(&fresh), at(&line) + 60);
}

#[tokio::test]
async fn both_ways_to_be_asked_share_one_memory() {
    let (source, witness) = (Nation::founded("FR").await, Nation::founded("KE").await);
    witness.befriend(&source).await;
    let first = pull(&source, &witness).await;
    witness.registry.cosign(&source.origin).await.unwrap();

    // What was cosigned between nodes counts over HTTP.
    source.publish("umoja").await;
    let wrong = ask(&witness.registry, &towards_head(&source, 0).await).await;
    assert_eq!(wrong, Err(Refusal::Conflict { size: first }));
    let request = towards_head(&source, first).await;
    let line = ask(&witness.registry, &request).await.unwrap();

    // What was cosigned over HTTP, and is not held yet, counts between nodes: the head is no longer the
    // largest tree that the witness has seen. The mirror's key speaks when all is held.
    witness.execute("DELETE FROM cosignature WHERE name LIKE 'ke%'").await;
    let behind = witness.registry.cosign(&source.origin).await.unwrap();
    assert!(behind.len() == 1 && behind[0].contains("/mirror "), "{behind:?}");
    let second = pull(&source, &witness).await;
    let lines = witness.registry.cosign(&source.origin).await.unwrap();
    assert_eq!(lines.len(), 2, "as witness and as mirror");
    let seen = witness.registry.cosignatures(&source.origin, None).await.unwrap();
    let own: Vec<_> = seen.iter().filter(|seen| seen.nation == witness.code).map(|seen| seen.size).collect();
    assert_eq!(own, [second, second]);
    assert_eq!(lines[0].split(' ').nth(1), line.to_string().split(' ').nth(1), "of one witness");

    // Of what is held the line is kept, and shown to others.
    source.publish("another").await;
    pull(&source, &witness).await;
    let line = ask(&witness.registry, &towards_head(&source, second).await).await.unwrap();
    assert!(witness.registry.head(&source.origin).await.unwrap().unwrap().note.contains(&line.to_string()));
}

#[tokio::test]
async fn what_a_witness_cosigned_before_it_had_a_memory_was_its_head() {
    let (source, witness) = (Nation::founded("FR").await, Nation::founded("KE").await);
    witness.befriend(&source).await;
    let size = pull(&source, &witness).await;
    witness.registry.cosign(&source.origin).await.unwrap();
    witness.execute("UPDATE log SET witnessed_note = NULL").await;
    source.publish("umoja").await;
    let wrong = ask(&witness.registry, &towards_head(&source, 0).await).await;
    assert_eq!(wrong, Err(Refusal::Conflict { size }));
    ask(&witness.registry, &towards_head(&source, size).await).await.unwrap();
}

#[tokio::test]
async fn two_roots_of_one_size_are_kept_as_proof_and_nothing_more_is_cosigned() {
    let (subject, witness) = Subject::of(40).await;
    ask(&witness.registry, &subject.request(0, 20)).await.unwrap();
    let other = subject.note_of(&history(40, b"branch"), 20);
    let request = Request { old: 20, proof: Vec::new(), note: other.clone() };
    assert_eq!(ask(&witness.registry, &request).await, Err(Refusal::OtherRoot { size: 20 }));
    let proofs = witness.reopened().await.contradictions().await.unwrap();
    let [proof] = &proofs[..] else { panic!("{proofs:?}") };
    assert_eq!((&proof.origin, &proof.later), (&subject.source.origin, &other.to_string()));
    let known = checkpoint::open(proof.earlier.as_bytes(), &subject.source.log_key()).unwrap();
    assert_eq!(known.checkpoint().root, root(&subject.tree, 20).unwrap());

    assert_eq!(ask(&witness.registry, &subject.request(20, 33)).await, Err(Refusal::Unprocessable));
    assert_eq!(ask(&witness.registry, &request).await, Err(Refusal::OtherRoot { size: 20 }), "once more is no trouble");
}

/// Nothing was cosigned of the log, so that the request's own proof holds.
#[tokio::test]
async fn what_contradicts_the_checkpoint_that_is_pulled_towards_proves_two_histories() {
    let (source, witness) = (Nation::founded("FR").await, Nation::founded("KE").await);
    witness.befriend(&source).await;
    let head = source.registry.head(&source.origin).await.unwrap().unwrap();
    witness.registry.set_pending(&source.origin, &head.note).await.unwrap();
    let subject = Subject { source, tree: history(head.size, b"") };
    let request = subject.request(0, head.size);
    assert_eq!(ask(&witness.registry, &request).await, Err(Refusal::Unprocessable));
    let proofs = witness.registry.contradictions().await.unwrap();
    assert_eq!(proofs.iter().map(|it| &it.later).collect::<Vec<_>>(), [&request.note.to_string()]);
    let evidence = witness.registry.unreported().await.unwrap();
    assert_eq!(evidence.len(), 1, "the own log is to tell of it");
    evidence[0].verify().unwrap();
}

#[tokio::test]
async fn what_contradicts_entries_held_beyond_the_head_is_not_cosigned_and_kept() {
    let (source, witness) = (Nation::founded("FR").await, Nation::founded("KE").await);
    witness.befriend(&source).await;
    let held = pull(&source, &witness).await;
    source.publish("umoja").await;
    let newest = source.registry.head(&source.origin).await.unwrap().unwrap();
    witness.registry.set_pending(&source.origin, &newest.note).await.unwrap();
    // As after the first package of a pull that has not ended.
    witness.execute("UPDATE log SET head_note = NULL WHERE own IS NOT TRUE").await;
    let subject = Subject { source, tree: history(newest.size, b"") };
    for size in 1..=held {
        let request = subject.request(0, size);
        assert_eq!(ask(&witness.registry, &request).await, Err(Refusal::Unprocessable), "{size}");
    }
    let proofs = witness.registry.contradictions().await.unwrap();
    assert_eq!(proofs.iter().map(|it| &it.earlier).collect::<Vec<_>>(), [&subject.request(0, 1).note.to_string()]);
    assert_eq!(checkpoint_size(&proofs[0].later, &subject), newest.size);
}

fn checkpoint_size(note: &str, subject: &Subject) -> u64 {
    checkpoint::open(note.as_bytes(), &subject.source.log_key()).unwrap().checkpoint().size
}

#[tokio::test]
async fn a_mirror_that_does_not_lead_through_what_was_cosigned_proves_two_histories() {
    let (source, witness) = (Nation::founded("FR").await, Nation::founded("KE").await);
    witness.befriend(&source).await;
    let subject = Subject { source, tree: history(5, b"") };
    ask(&witness.registry, &subject.request(0, 3)).await.unwrap();
    let size = pull(&subject.source, &witness).await;
    assert!(witness.registry.cosign(&subject.source.origin).await.unwrap().is_empty());
    let proofs = witness.registry.contradictions().await.unwrap();
    let sizes = proofs
        .iter()
        .flat_map(|proof| [&proof.earlier, &proof.later])
        .map(|note| checkpoint::open(note.as_bytes(), &subject.source.log_key()).unwrap().checkpoint().size);
    assert_eq!(sizes.collect::<Vec<_>>(), [3, size]);
}

#[tokio::test]
async fn a_checkpoint_within_what_is_held_must_have_its_root() {
    let (source, witness) = (Nation::founded("FR").await, Nation::founded("KE").await);
    witness.befriend(&source).await;
    let subject = Subject { source, tree: history(4, b"") };
    ask(&witness.registry, &subject.request(0, 0)).await.unwrap();
    pull(&subject.source, &witness).await;
    assert_eq!(ask(&witness.registry, &subject.request(0, 4)).await, Err(Refusal::Unprocessable));
    assert_eq!(witness.registry.contradictions().await.unwrap().len(), 1);
}

/// Signed, witnessed and mirrored are three things; and a nation that falls silent is stale after a day.
#[tokio::test]
async fn how_far_a_record_has_come_is_told_and_dated() {
    let (source, witness) = (Nation::founded("FR").await, Nation::founded("KE").await);
    witness.befriend(&source).await;
    source.befriend(&witness).await;
    source.registry.heartbeat().await.unwrap();
    let origin = &source.origin;
    let size = pull(&source, &witness).await;
    let standing = async |index| source.registry.standing(origin, index).await.unwrap().unwrap();
    let signed = standing(None).await;
    assert_eq!((signed.witnessed.len(), signed.mirrored.len(), signed.known), (0, 0, 1));
    assert_eq!((signed.heartbeat, signed.stale_since), (Some(day()), None));

    let lines = witness.registry.cosign(origin).await.unwrap();
    let seen = Some((witness.code.clone(), day()));
    source.registry.add_cosignatures(origin, size, &lines[..1]).await.unwrap();
    let witnessed = standing(Some(0)).await;
    assert_eq!((witnessed.witnessed.first(), witnessed.mirrored.first()), (seen.as_ref(), None));
    source.registry.add_cosignatures(origin, size, &lines[1..]).await.unwrap();
    assert_eq!(standing(None).await.mirrored.first(), seen.as_ref());

    // What comes after is not yet seen, whatever was before it.
    let (_, receipt) = source.publish("umoja").await;
    assert!(standing(Some(receipt.index)).await.witnessed.is_empty());
    assert_eq!(standing(Some(receipt.index - 1)).await.witnessed.first(), seen.as_ref());
    source.wait(86_399);
    assert_eq!(standing(None).await.stale_since, None);
    source.wait(1);
    assert_eq!(standing(None).await.stale_since, Some(day().plus_seconds(86_400)));
    source.registry.heartbeat().await.unwrap();
    assert_eq!(standing(None).await.stale_since, None);
    assert!(source.registry.standing(&"xx.example.org/log".parse().unwrap(), None).await.unwrap().is_none());
}
