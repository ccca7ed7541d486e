//! Threats by number, as far as an archive is needed to try them; the others are with the whole
//! federations.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use chancery_registry::{Error, Registry};
use chancery_schema::digest::Digest;
use chancery_schema::frame::Package;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::cosignature;
use chancery_schema::log::note::{KeyType, Note, Signature, verifier_key};
use chancery_schema::log::tile::Tile;
use chancery_schema::log::witness::{Refusal, Request};
use chancery_schema::name::Origin;
use chancery_tests::row::{self, Share, Tally};
use common::Nation;

/// Where whole numbers of this or that width, sign or language end.
const EDGES: [u64; 6] = [0, 1, 1 << 31, 1 << 53, (1 << 63) - 1, u64::MAX];

/// Numbers that are far too large are shown, so that what comes later looks old.
#[test]
fn fast_forward() {
    row::report("T08", "fast_forward", |share| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(fast_forward_of(share))
    });
}

/// A log, and a partner that mirrors and cosigns it.
struct Pair {
    source: Nation,
    partner: Nation,
    tally: Tally,
}

async fn fast_forward_of(share: Share) -> (Tally, String) {
    // The log stays within one tile.
    let rounds = share.of(2, 20);
    let (source, partner) = (Nation::founded("FR").await, Nation::founded("KE").await);
    for (one, other) in [(&source, &partner), (&partner, &source)] {
        one.befriend(other).await;
    }
    let mut pair = Pair { source, partner, tally: Tally::default() };
    pair.honest("before anything was tried").await;
    for round in 0..rounds {
        pair.requests().await;
        pair.checkpoints().await;
        pair.packages().await;
        pair.times(round).await;
        pair.questions().await;
    }
    let tried = format!(
        "numbers at {EDGES:?} in checkpoints, requests, packages, times and questions over {rounds} rounds, after each \
         of which the next honest head is taken and cosigned"
    );
    (pair.tally, tried)
}

impl Pair {
    /// The log grows by a record; the partner takes it, and its witness cosigns both ways.
    async fn honest(&mut self, after: &str) {
        let Self { source, partner, tally } = self;
        let origin = &source.origin;
        source.publish(&format!("model-{}", tally.tried)).await;
        let head = source.registry.head(origin).await.unwrap().unwrap();
        let before = partner.registry.mirror(origin).await.unwrap().unwrap().size;
        let asked = if before == 0 {
            true
        } else {
            let proof = source.registry.consistency(origin, before, head.size).await.unwrap().unwrap();
            let request = Request { old: before, proof, note: Note::parse(head.note.as_bytes()).unwrap() };
            partner.registry.add_checkpoint(&request).await.unwrap().is_ok()
        };
        tally.expect(asked, || format!("the next head is not cosigned over HTTP, {after}"));
        let taken = pull(source, &partner.registry).await;
        tally.expect(taken.is_ok(), || format!("the next head is not taken, {after}: {taken:?}"));
        let lines = partner.registry.cosign(origin).await.unwrap();
        tally.expect(lines.len() == 2, || format!("the next head is not cosigned, {after}"));
        let size = head.size;
        let kept = source.registry.add_cosignatures(origin, size, &lines).await.unwrap();
        tally.expect(kept > 0, || format!("the cosignatures are not kept, {after}"));
        let shown = source.registry.cosignatures(origin, None).await;
        tally.expect(shown.is_ok_and(|shown| shown.len() >= 3), || format!("they are not shown, {after}"));
        tally.expect(partner.registry.contradictions().await.unwrap().is_empty(), || format!("accused, {after}"));
        // Seconds in between, as between heartbeats.
        source.wait(90);
        partner.wait(90);
    }

    /// Requests to cosign: each size at each edge, signed by the log and by another.
    async fn requests(&mut self) {
        let origin = self.source.origin.clone();
        let rival = Nation::rival("FR").await;
        // The last one is what the witness remembers.
        for old in EDGES.map(Some).into_iter().chain([None]) {
            let size = self.partner.registry.mirror(&origin).await.unwrap().unwrap().size;
            let old = old.unwrap_or(size);
            for new in EDGES {
                for (signer, own) in [(&self.source, true), (&rival, false)] {
                    for proof in [Vec::new(), vec![Digest::of(b"one")], vec![Digest::of(b"many"); 63]] {
                        let note = signed(&origin, new, signer);
                        let answer = match Request::parse(Request { old, proof, note }.to_string().as_bytes()) {
                            // Numbers past the largest tree are no request.
                            Err(_) => Err(Refusal::BadRequest),
                            Ok(request) => self.partner.registry.add_checkpoint(&request).await.unwrap(),
                        };
                        let right = match answer {
                            Err(Refusal::BadRequest | Refusal::Unprocessable) => true,
                            Err(Refusal::Forbidden) => !own,
                            Err(Refusal::Conflict { size: seen }) => own && seen == size,
                            _ => false,
                        };
                        self.tally.expect(right, || format!("old {old}, new {new}: {answer:?}"));
                    }
                }
            }
            self.honest(&format!("after requests with old {old}")).await;
        }
    }

    /// Checkpoints to pull towards, to compare, and to keep, that the log has not signed.
    async fn checkpoints(&mut self) {
        let origin = self.source.origin.clone();
        let rival = Nation::rival("FR").await;
        for size in EDGES {
            let note = signed(&origin, size, &rival).to_string();
            let registry = &self.partner.registry;
            let answers = [
                ("set_pending", registry.set_pending(&origin, &note).await.err()),
                ("compare", registry.compare(&origin, &note).await.err()),
                ("keep_ground", registry.keep_ground(&origin, std::slice::from_ref(&note)).await.err()),
                ("keep_contradiction", registry.keep_contradiction(&origin, std::slice::from_ref(&note)).await.err()),
            ];
            for (what, error) in answers {
                let right = matches!(error, Some(Error::DoesNotContinue { .. }));
                self.tally.expect(right, || format!("{what} at {size}: {error:?}"));
            }
        }
        self.honest("after checkpoints of another").await;
    }

    /// Packages that begin at an edge, or are proven in a tree that ends there.
    async fn packages(&mut self) {
        let origin = self.source.origin.clone();
        self.source.publish(&format!("model-{}-more", self.tally.tried)).await;
        let head = self.source.registry.head(&origin).await.unwrap().unwrap();
        let registry = self.partner.registry.clone();
        registry.set_pending(&origin, &head.note).await.unwrap();
        let start = registry.mirror(&origin).await.unwrap().unwrap().size;
        let (genuine, bodies) = self.source.registry.package(&origin, start, head.size).await.unwrap().unwrap();
        for start in EDGES {
            for tree_size in EDGES {
                let package = Package { start, tree_size, ..genuine.clone() };
                let error = registry.extend(&package, &bodies).await.err();
                let right = matches!(error, Some(Error::DoesNotContinue { .. }));
                self.tally.expect(right, || format!("a package from {start} in {tree_size}: {error:?}"));
            }
        }
        registry.extend(&genuine, &bodies).await.unwrap();
        registry.cosign(&origin).await.unwrap();
        self.honest("after packages").await;
    }

    /// Cosignatures that say they were made at an edge, truly signed by the partner.
    async fn times(&mut self, round: usize) {
        let origin = self.source.origin.clone();
        let head = self.source.registry.head(&origin).await.unwrap().unwrap();
        let signed = checkpoint::open(head.note.as_bytes(), &self.source.log_key()).unwrap();
        for time in EDGES {
            for role in [Role::Witness, Role::Mirror] {
                let name = format!("{}/{}", self.partner.origin, role.as_str());
                let key = self.partner.key(role);
                let line = if let Ok(seen) = cosignature::sign(&signed, &name, time, &key) {
                    seen.to_line()
                } else {
                    // A time of 0 cannot be signed, and is shown nevertheless.
                    let key = verifier_key(&name, KeyType::Cosignature, &key).unwrap();
                    Signature::new(&key, [[0; 8].as_slice(), &[7; 64]].concat())
                };
                let lines = [line.to_string()];
                let kept = self.source.registry.add_cosignatures(&origin, head.size, &lines).await;
                // From 1970 to 9999 it is a time, and a claim like any other; but one from the future tells nothing
                // beside those that are not.
                let right = kept.as_ref().is_ok_and(|kept| *kept == usize::from(time == 1));
                self.tally.expect(right, || format!("a cosignature at {time}: {kept:?}"));
            }
        }
        let shown = self.source.registry.cosignatures(&origin, None).await;
        self.tally.expect(shown.is_ok(), || format!("cosignatures cannot be shown: {shown:?}"));
        self.honest(&format!("after times of round {round}")).await;
    }

    /// Questions about places far beyond the log.
    async fn questions(&mut self) {
        let origin = self.source.origin.clone();
        let size = self.source.registry.head(&origin).await.unwrap().unwrap().size;
        let registry = self.source.registry.clone();
        let tally = &mut self.tally;
        for one in EDGES {
            let proof = registry.proof(&origin, one).await.unwrap();
            tally.expect(proof.is_some() == (one < size), || format!("a proof of entry {one}"));
            let root = registry.root_at(&origin, one).await.unwrap();
            tally.expect(root.is_some() == (one <= size), || format!("a root at {one}"));
            let seen = registry.cosignatures(&origin, Some(one)).await;
            tally.expect(seen.is_ok(), || format!("cosignatures that cover {one}: {seen:?}"));
            let missing = registry.missing_after(&origin, Some((one, Digest::of(b""))), one).await;
            tally.expect(missing.is_ok(), || format!("what is missing after {one}: {missing:?}"));
            for other in EDGES {
                let consistency = registry.consistency(&origin, one, other).await.unwrap();
                let right = consistency.is_some() == (one <= other && other <= size);
                tally.expect(right, || format!("a consistency proof from {one} to {other}"));
                let inclusion = registry.inclusion(&origin, one, other).await.unwrap();
                let right = inclusion.is_some() == (one < other && other <= size);
                tally.expect(right, || format!("a proof of {one} in {other}"));
                let entries = registry.entries(&origin, one, other).await.unwrap();
                let held = other.min(size).saturating_sub(one);
                tally.expect(entries.len() as u64 == held, || format!("entries {one} to {other}"));
                let package = registry.package(&origin, one, other).await.unwrap();
                let right = package.is_some() == (one < other && other <= size);
                tally.expect(right, || format!("a package from {one} in {other}"));
                let notes = registry.ground(&origin, one, other, u64::MAX).await;
                tally.expect(notes.is_ok(), || format!("ground from {one} to {other}: {notes:?}"));
                for level in [0, 7, 8, u8::MAX] {
                    let width = u16::try_from(other).unwrap_or(u16::MAX);
                    let tile = registry.tile(&origin, &Tile { level, index: one, width }).await.unwrap();
                    let right = tile.is_some() == (level == 0 && one == 0 && (1..=size).contains(&other));
                    tally.expect(right, || format!("tile {one} of level {level}, {width} wide"));
                }
            }
        }
        self.honest("after questions").await;
    }
}

/// A checkpoint at any size, even one past the largest tree, signed by the log key of `signer`.
fn signed(origin: &Origin, size: u64, signer: &Nation) -> Note {
    let root = Digest::of(b"far away");
    let text = Checkpoint { origin: origin.clone(), size, root }.to_text();
    let line = chancery_schema::log::note::sign(&text, origin.as_str(), &signer.key(Role::Log)).unwrap();
    Note::new(&text, vec![line]).unwrap()
}

/// Brings a mirror to the source's head.
async fn pull(source: &Nation, mirror: &Registry) -> Result<(), Error> {
    pull_from(&source.registry, &source.origin, mirror).await
}

async fn pull_from(source: &Registry, origin: &Origin, mirror: &Registry) -> Result<(), Error> {
    let head = source.head(origin).await?.unwrap();
    mirror.set_pending(origin, &head.note).await?;
    loop {
        let size = mirror.mirror(origin).await?.unwrap().size;
        let Some((package, bodies)) = source.package(origin, size, head.size).await? else {
            return Ok(());
        };
        mirror.extend(&package, &bodies).await?;
    }
}

/// A backup is restored, and the node signs a second history.
#[test]
fn restore_old_backup() {
    row::report("T06", "restore_old_backup", |share| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(restore_old_backup_of(share))
    });
}

/// What is known outside of a backup when it is restored.
#[derive(Clone, Copy, Debug)]
enum Left {
    /// The mark, and nobody is reached.
    Mark,
    /// No mark, and a partner is reached.
    Partner,
    /// Neither.
    Nothing,
}

async fn restore_old_backup_of(share: Share) -> (Tally, String) {
    let count = share.of(4_u64, 100);
    let (nation, partner) = (Nation::founded("FR").await, Nation::founded("KE").await);
    nation.befriend(&partner).await;
    partner.befriend(&nation).await;
    let mut backups = Vec::new();
    // A backup in which nobody sequences is taken over at once.
    nation.registry.resign().await;
    for _ in 0..count {
        backups.push(nation.backup().await);
        // The backup of a server's database sends its users away.
        let registry = nation.reopened().await;
        registry.admit(&nation.endpoint().to_bytes()).await.unwrap();
        registry.resign().await;
    }
    let source = nation.reopened().await;
    let newest = source.head(&nation.origin).await.unwrap().unwrap();
    pull_from(&source, &nation.origin, &partner.registry).await.unwrap();
    let mut tally = Tally::default();
    for (number, backup) in backups.iter().enumerate() {
        for left in [Left::Mark, Left::Nothing, Left::Partner] {
            restore(&nation, backup.path(), left, &newest, &mut tally, number).await;
        }
        let mark = common::Memory::of(&newest);
        let restored = nation.restored(backup.path(), &mark).await;
        let state = common::recover(&restored, &partner.registry, &nation.origin).await;
        let same = state.as_ref().is_ok_and(|state| (state.size, state.root) == (newest.size, newest.root));
        tally.expect(same, || format!("backup {number} is not recovered to the same root: {state:?}"));
        let on = restored.admit(&nation.endpoint().to_bytes()).await;
        tally.expect(matches!(on, Ok(chancery_registry::Admission::Admitted(_))), || {
            format!("backup {number} signs on: {on:?}")
        });
        let grown = restored.head(&nation.origin).await.unwrap().unwrap();
        let proof = restored.consistency(&nation.origin, newest.size, grown.size).await.unwrap().unwrap();
        let holds =
            chancery_schema::log::tree::verify_consistency(newest.size, &newest.root, grown.size, &grown.root, &proof);
        tally.expect(grown.size == newest.size + 1 && holds.is_ok(), || format!("backup {number} signs beside"));
    }
    let tried = format!(
        "{count} backups restored with the mark, with a partner, and with neither: none signs beside what was signed; each \
         is then recovered from the partner to the same root and signs on"
    );
    (tally, tried)
}

/// A restored backup signs nothing, whatever of the two is left.
async fn restore(
    nation: &Nation,
    backup: &std::path::Path,
    left: Left,
    newest: &chancery_registry::Head,
    tally: &mut Tally,
    number: usize,
) {
    let mark = match left {
        Left::Mark => common::Memory::of(newest),
        Left::Partner | Left::Nothing => std::sync::Arc::default(),
    };
    let restored = nation.restored(backup, &mark).await;
    if matches!(left, Left::Partner) {
        restored.hear(&newest.note).await.unwrap();
    }
    let before = restored.head(&nation.origin).await.unwrap().unwrap();
    let answer = restored.admit(&nation.endpoint().to_bytes()).await;
    tally.expect(matches!(answer, Err(Error::Doubtful(_))), || format!("backup {number}, {left:?}: {answer:?}"));
    let beat = restored.heartbeat().await;
    tally.expect(matches!(beat, Err(Error::Doubtful(_))), || format!("backup {number}, {left:?}: {beat:?}"));
    let after = restored.head(&nation.origin).await.unwrap().unwrap();
    tally.expect(before == after, || format!("backup {number}, {left:?}: signed {} entries", after.size));
    restored.resign().await;
}
