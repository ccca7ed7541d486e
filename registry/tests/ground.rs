//! Ground state beyond entries: what partners cosigned and when, for whoever joins late; and proof that
//! a log has two histories.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use std::collections::BTreeSet;

use chancery_registry::{Error, Ground, Registry};
use chancery_schema::digest::Digest;
use chancery_schema::key::{PublicKey, Role};
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::log::cosignature::{self, Cosignature};
use chancery_schema::log::note::{KeyType, Signature, VerifierKey};
use chancery_schema::name::Nation as Code;
use common::{Nation, day};

/// A log, two nations that mirror and cosign it, and one that has only heard of them all.
struct Federation {
    source: Nation,
    there: Nation,
    other: Nation,
    late: Nation,
}

impl Federation {
    /// Kenya is there all along and Brazil now and then; India comes at the end.
    async fn of(growth: usize) -> Self {
        let source = Nation::founded("FR").await;
        let (there, other, late) =
            (Nation::founded("KE").await, Nation::founded("BR").await, Nation::founded("IN").await);
        for (nation, partners) in [
            (&source, [&there, &other].as_slice()),
            (&there, &[&source, &other]),
            (&other, &[&source, &there]),
            (&late, &[&source, &there, &other]),
        ] {
            for partner in partners {
                nation.befriend(partner).await;
            }
        }
        let federation = Self { source, there, other, late };
        for round in 0..growth {
            federation.grow(round).await;
        }
        federation
    }

    /// The log grows, and who is awake cosigns and tells the others, Brazil a little later.
    async fn grow(&self, round: usize) {
        self.source.publish(&format!("model-{round}")).await;
        for (nation, awake) in [(&self.there, true), (&self.other, round % 3 == 1)] {
            for nation in [&self.source, &self.there, &self.other, &self.late] {
                nation.wait(7);
            }
            if !awake {
                continue;
            }
            let size = self.pull(&nation.registry).await;
            let lines = nation.registry.cosign(&self.source.origin).await.unwrap();
            for told in [&self.source, &self.there] {
                told.registry.add_cosignatures(&self.source.origin, size, &lines).await.unwrap();
            }
        }
    }

    /// Brings a mirror to the source's head; answers its size.
    async fn pull(&self, mirror: &Registry) -> u64 {
        let origin = &self.source.origin;
        let head = self.source.registry.head(origin).await.unwrap().unwrap();
        mirror.set_pending(origin, &head.note).await.unwrap();
        while mirror.mirror(origin).await.unwrap().unwrap().size < head.size {
            let size = mirror.mirror(origin).await.unwrap().unwrap().size;
            let (package, bodies) = self.source.registry.package(origin, size, head.size).await.unwrap().unwrap();
            mirror.extend(&package, &bodies).await.unwrap();
        }
        head.size
    }

    /// Hands on cosigned checkpoints, three at a time, as bulk does.
    async fn hand_on(&self, from: &Registry, to: &Registry) -> usize {
        let origin = &self.source.origin;
        let size = to.mirror(origin).await.unwrap().unwrap().size;
        let (mut after, mut kept) = (0, 0);
        loop {
            let notes = from.ground(origin, after, size, 3).await.unwrap();
            let Some(last) = notes.last() else { return kept };
            after = self.open(last).checkpoint().size;
            match to.keep_ground(origin, &notes).await.unwrap() {
                Ground::Kept(new) => kept += new,
                contradicts @ Ground::Contradicts { .. } => panic!("{contradicts:?}"),
            }
        }
    }

    fn open(&self, note: &str) -> checkpoint::SignedCheckpoint {
        checkpoint::open(note.as_bytes(), &self.source.log_key()).unwrap()
    }

    /// What the clock rule sees: the cosignatures of other nations.
    async fn cosignatures(&self, registry: &Registry) -> Vec<(Code, Cosignature)> {
        let notes = registry.ground(&self.source.origin, 0, u64::MAX, 256).await.unwrap();
        let mut seen = Vec::new();
        for note in notes {
            let signed = self.open(&note);
            for (nation, role) in [&self.there, &self.other].into_iter().flat_map(|it| COSIGNERS.map(|role| (it, role)))
            {
                let found = cosignature::verify_all(&signed, [&cosigner(nation, role)]).unwrap();
                seen.extend(found.into_iter().map(|it| (nation.code.clone(), it)));
            }
        }
        seen
    }

    async fn set(&self, registry: &Registry) -> BTreeSet<(u64, String, u64)> {
        let seen = self.cosignatures(registry).await;
        seen.iter().map(|(_, it)| (it.checkpoint().size, it.name().to_owned(), it.timestamp())).collect()
    }
}

const COSIGNERS: [Role; 2] = [Role::Witness, Role::Mirror];

fn cosigner(nation: &Nation, role: Role) -> VerifierKey {
    let key = PublicKey::from_bytes(nation.key(role).verifying_key().as_bytes()).unwrap();
    VerifierKey::new(&format!("{}/{}", nation.origin, role.as_str()), KeyType::Cosignature, key).unwrap()
}

#[tokio::test]
async fn whoever_joins_at_the_end_knows_when_each_entry_was_first_seen() {
    let federation = Federation::of(8).await;
    let Federation { source, there, late, .. } = &federation;
    federation.pull(&late.registry).await;
    let all_along = federation.set(&there.registry).await;
    assert_eq!(all_along.len(), 2 * 8 + 2 * 3, "witness and mirror, each time they were awake");
    assert!(federation.set(&late.registry).await.len() < all_along.len(), "its pull brought the head's alone");

    assert!(federation.hand_on(&source.registry, &late.registry).await > 0);
    assert_eq!(federation.set(&late.registry).await, all_along);
    let (ours, theirs) =
        (federation.cosignatures(&late.registry).await, federation.cosignatures(&there.registry).await);
    let size = late.registry.mirror(&source.origin).await.unwrap().unwrap().size;
    for index in 0..size {
        for k in 1..=3 {
            let time = cosignature::proof_time(&ours, index, k);
            assert_eq!(time, cosignature::proof_time(&theirs, index, k), "entry {index}, {k} nations");
            assert_eq!(time.is_some(), k <= 2, "entry {index}, {k} nations");
        }
    }
    assert_eq!(federation.hand_on(&there.registry, &late.registry).await, 0, "nothing is kept twice");
    let shown: Vec<String> = late.registry.ground(&source.origin, 0, u64::MAX, 256).await.unwrap();
    assert!(shown.iter().all(|note| !note.contains("fr.example.org/chancery/witness")), "the own do not count");
    // It passes on what it was given, to one who comes later still.
    let last = Nation::founded("KR").await;
    for partner in [source, there, &federation.other] {
        last.befriend(partner).await;
    }
    federation.pull(&last.registry).await;
    federation.hand_on(&late.registry, &last.registry).await;
    assert_eq!(federation.set(&last.registry).await, all_along);
    assert_eq!(late.registry.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn of_one_cosigner_the_earliest_line_is_handed_on() {
    let federation = Federation::of(2).await;
    let Federation { source, there, late, .. } = &federation;
    let size = federation.pull(&late.registry).await;
    let head = federation.open(&source.registry.head(&source.origin).await.unwrap().unwrap().note);
    let name = format!("{}/witness", there.origin);
    let sign = |seconds: i64| {
        let at = u64::try_from(day().unix_seconds() + seconds).unwrap();
        cosignature::sign(&head, &name, at, &there.key(Role::Witness)).unwrap().to_line().to_string()
    };
    let times = [90_000, 80_000, 5, 70_000];
    for line in times.map(sign) {
        source.registry.add_cosignatures(&source.origin, size, &[line]).await.unwrap();
    }
    let earliest = (size, name.clone(), u64::try_from(day().unix_seconds() + 5).unwrap());
    assert!(federation.set(&source.registry).await.contains(&earliest));
    federation.hand_on(&source.registry, &late.registry).await;
    assert_eq!(federation.set(&late.registry).await, federation.set(&source.registry).await);
}

#[tokio::test]
async fn what_one_partner_makes_up_takes_nothing_from_the_lines_of_others_on_one_note() {
    let federation = Federation::of(4).await;
    let Federation { source, there, late, .. } = &federation;
    let size = federation.pull(&late.registry).await;
    let origin = &source.origin;
    let notes = source.registry.ground(origin, 0, size - 1, 256).await.unwrap();
    let (first, good) = (federation.open(&notes[0]), notes.last().unwrap());
    let signed = federation.open(good);
    let witness = cosigner(there, Role::Witness);
    let line = |signed: &checkpoint::SignedCheckpoint| {
        signed.note().signatures().iter().find(|line| witness.claims(line)).unwrap().to_string()
    };
    let forged = good.replace(&line(&signed), &line(&first));
    assert_eq!(late.registry.compare(origin, &forged).await.unwrap(), Some(signed.checkpoint().root));
    let of_note = |set: std::collections::BTreeSet<(u64, String, u64)>| {
        let names = set.into_iter().filter(|line| line.0 == signed.checkpoint().size).map(|line| line.1);
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let mut expected = of_note(federation.set(&source.registry).await);
    assert!(expected.remove(witness.name()) && !expected.is_empty());
    assert!(of_note(federation.set(&late.registry).await).is_superset(&expected));
    assert!(!of_note(federation.set(&late.registry).await).contains(witness.name()));
    let beyond = Checkpoint { origin: origin.clone(), size: size + 9, root: Digest::of(b"beyond") };
    let beyond = checkpoint::sign(beyond, &source.key(Role::Log)).unwrap().to_string();
    assert_eq!(late.registry.compare(origin, &beyond).await.unwrap(), None);
}

#[tokio::test]
async fn a_checkpoint_or_a_line_that_does_not_hold_is_refused_and_leaves_nothing() {
    let federation = Federation::of(4).await;
    let Federation { source, there, late, .. } = &federation;
    let size = federation.pull(&late.registry).await;
    let origin = &source.origin;
    let before = federation.set(&late.registry).await;
    let notes = source.registry.ground(origin, 0, size - 1, 256).await.unwrap();
    let good = notes.last().unwrap();

    let unsigned = Nation::rival("FR").await;
    let other_key = checkpoint::sign(federation.open(good).checkpoint().clone(), &unsigned.key(Role::Log)).unwrap();
    let beyond = Checkpoint { origin: origin.clone(), size: size + 1, root: Digest::of(b"beyond") };
    let beyond = checkpoint::sign(beyond, &source.key(Role::Log)).unwrap();
    // Kenya's name and key over another checkpoint.
    let signed = federation.open(good);
    let elsewhere = federation.open(&notes[0]);
    let line = |signed: &checkpoint::SignedCheckpoint| {
        let key = cosigner(there, Role::Witness);
        signed.note().signatures().iter().find(|line| key.claims(line)).unwrap().clone()
    };
    let forged = good.replace(&line(&signed).to_string(), &line(&elsewhere).to_string());
    for bad in [other_key.to_string(), beyond.to_string(), forged, "not a note".to_owned(), String::new()] {
        let error = late.registry.keep_ground(origin, &[good.clone(), bad.clone()]).await.unwrap_err();
        assert!(matches!(error, Error::DoesNotContinue { .. }), "{error} for {bad}");
        assert_eq!(federation.set(&late.registry).await, before, "{bad}");
    }
    // Lines of nobody known are passed over, and a checkpoint that has no others is not kept.
    let stranger = format!("{}{}\n", checkpoint::sign(signed.checkpoint().clone(), &source.key(Role::Log)).unwrap(), {
        let key = cosigner(&unsigned, Role::Witness);
        Signature::new(&key, vec![1; 72])
    });
    assert_eq!(late.registry.keep_ground(origin, &[stranger]).await.unwrap(), Ground::Kept(0));
    assert_eq!(federation.set(&late.registry).await, before);
    assert!(matches!(late.registry.keep_ground(origin, std::slice::from_ref(good)).await.unwrap(), Ground::Kept(2..)));
}

#[tokio::test]
async fn a_log_with_two_histories_is_proven_and_stays_so_after_a_restart() {
    let federation = Federation::of(4).await;
    let Federation { source, late, .. } = &federation;
    let size = federation.pull(&late.registry).await;
    let origin = &source.origin;
    let at = |size: u64, root: Digest| {
        let checkpoint = Checkpoint { origin: origin.clone(), size, root };
        checkpoint::sign(checkpoint, &source.key(Role::Log)).unwrap().to_string()
    };
    let root = late.registry.root_at(origin, 3).await.unwrap().unwrap();
    assert_eq!(Some(root), source.registry.root_at(origin, 3).await.unwrap());
    assert_eq!(late.registry.root_at(origin, size + 1).await.unwrap(), None);

    // Neither an older head nor a larger one proves anything, nor what another key signed.
    let rival = Nation::rival("FR").await;
    let unproven = Checkpoint { origin: origin.clone(), size: 3, root: Digest::of(b"another") };
    let unproven = checkpoint::sign(unproven, &rival.key(Role::Log)).unwrap().to_string();
    for honest in [vec![at(3, root)], vec![at(size + 5, Digest::of(b"more"))], vec![unproven], Vec::new()] {
        let error = late.registry.keep_contradiction(origin, &honest).await.unwrap_err();
        assert!(matches!(error, Error::DoesNotContinue { .. }), "{error}");
    }
    assert!(late.registry.contradictions().await.unwrap().is_empty());

    let other = at(3, Digest::of(b"another"));
    let held = late.registry.keep_ground(origin, std::slice::from_ref(&other)).await.unwrap();
    assert_eq!(held, Ground::Contradicts { note: other.clone(), held: root });
    late.registry.keep_contradiction(origin, std::slice::from_ref(&other)).await.unwrap();
    // Later ones change nothing.
    let same_size = [at(2, Digest::of(b"a")), at(2, Digest::of(b"b"))];
    late.registry.keep_contradiction(origin, &same_size).await.unwrap();

    let reopened = late.reopened().await;
    let proofs = reopened.contradictions().await.unwrap();
    let [proof] = &proofs[..] else { panic!("{proofs:?}") };
    assert_eq!((&proof.origin, &proof.earlier), (origin, &other));
    assert_eq!(federation.open(&proof.later).checkpoint().size, size);
}

#[tokio::test]
async fn two_heads_of_a_log_that_is_not_yet_mirrored_prove_two_histories() {
    let source = Nation::founded("FR").await;
    let mirror = Nation::founded("KE").await;
    mirror.befriend(&source).await;
    let notes = [b"one", b"two"].map(|root| {
        let checkpoint = Checkpoint { origin: source.origin.clone(), size: 9, root: Digest::of(root) };
        checkpoint::sign(checkpoint, &source.key(Role::Log)).unwrap().to_string()
    });
    mirror.registry.keep_contradiction(&source.origin, &notes).await.unwrap();
    let proofs = mirror.registry.contradictions().await.unwrap();
    assert_eq!([&proofs[0].earlier, &proofs[0].later], [&notes[0], &notes[1]]);
}
