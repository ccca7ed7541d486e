//! The own log: what is admitted, receipts, blobs, and what a crash or a rival leaves.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chancery_registry::{Admission, BlobOutcome, Contents, Doubt, Error, Identity, Registry, SharedSigner, look};
use chancery_schema::admission::Code;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::frame::Frame;
use chancery_schema::key::{Role, SignError, Signer};
use chancery_schema::log::checkpoint;
use chancery_schema::log::tile::{Tile, WIDTH_MAX};
use chancery_schema::log::tree::{MemoryTree, leaf_hash, verify_consistency};
use chancery_schema::name::Origin;
use chancery_schema::record::Kind;
use chancery_tests::database;
use common::{Nation, clock, document};
use sea_orm::ConnectionTrait;

#[tokio::test]
async fn a_record_is_admitted_with_a_receipt_that_verifies_offline() {
    let nation = Nation::founded("FR").await;
    let (card, receipt) = nation.publish("umoja").await;
    assert_eq!((receipt.index, receipt.again), (4, false));
    assert_eq!(nation.verify(&card, Kind::ModelCard, &receipt), 5);

    let head = nation.registry.head(&nation.origin).await.unwrap().expect("a head");
    let signed = checkpoint::open(head.note.as_bytes(), &nation.log_key()).expect("the head is signed");
    assert_eq!((signed.checkpoint().size, signed.checkpoint().root), (5, head.root));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_submitters_at_once_get_distinct_places_and_valid_receipts() {
    let nation = Arc::new(Nation::founded("KE").await);
    let mut tasks = Vec::new();
    for number in 0..300 {
        let nation = Arc::clone(&nation);
        tasks.push(tokio::spawn(async move {
            let (card, receipt) = nation.publish(&format!("model-{number}")).await;
            nation.verify(&card, Kind::ModelCard, &receipt);
            receipt.index
        }));
    }
    let mut indexes = BTreeSet::new();
    for task in tasks {
        indexes.insert(task.await.expect("each is admitted"));
    }
    assert_eq!(indexes, (4..304).collect());
    whole(&nation.registry, &nation.origin, 304).await;
}

#[tokio::test]
async fn the_same_record_again_gets_the_first_receipt_even_from_a_reopened_archive() {
    let nation = Nation::founded("FR").await;
    let (card, first) = nation.publish("umoja").await;
    nation.publish("another").await;

    let again = nation.admit(&card).await;
    assert!(again.again);
    assert_eq!((again.index, &again.proof), (first.index, &first.proof));

    let reopened = nation.reopened().await;
    let Admission::Admitted(third) = reopened.admit(&card.to_bytes()).await.unwrap() else { panic!("refused") };
    assert_eq!(third, again);
    assert_eq!(reopened.head(&nation.origin).await.unwrap().unwrap().size, 6);
}

#[tokio::test]
async fn one_record_many_times_in_one_batch_is_entered_once() {
    let nation = Nation::founded("FR").await;
    nation.upload("umoja").await;
    let card = nation.card("umoja");
    let (a, b, c) = tokio::join!(nation.admit(&card), nation.admit(&card), nation.admit(&card));
    assert_eq!((a.index, b.index, c.index), (4, 4, 4));
    assert_eq!((&a.proof, &a.proof), (&b.proof, &c.proof));
    assert_eq!([a.again, b.again, c.again].iter().filter(|again| !**again).count(), 1);
    whole(&nation.registry, &nation.origin, 5).await;
}

#[tokio::test]
async fn a_refused_record_does_not_harm_the_others_in_its_batch() {
    let nation = Nation::founded("FR").await;
    nation.upload("good").await;
    let (good, bad) = (nation.card("good").to_bytes(), nation.card("no-document").to_bytes());
    let registry = &nation.registry;
    let (bad, good, malformed) = tokio::join!(registry.admit(&bad), registry.admit(&good), registry.admit(b"{}"));
    assert!(matches!(bad.unwrap(), Admission::Refused(refusal) if refusal.code == Code::BlobMissing));
    assert!(matches!(malformed.unwrap(), Admission::Refused(refusal) if refusal.code == Code::Malformed));
    assert!(matches!(good.unwrap(), Admission::Admitted(receipt) if receipt.index == 4));
    whole(registry, &nation.origin, 5).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_loses_nothing() {
    let nation = Nation::founded("FR").await;
    nation.upload("umoja").await;
    let card = nation.card("umoja");
    let bytes = card.to_bytes();
    let mut rings = nation.registry.watch();
    // Whoever goes before the record was handed over has submitted nothing, so a slow machine is given longer.
    let mut rang = None;
    for patience in [5, 10, 20, 40] {
        let patience = std::time::Duration::from_millis(patience);
        let short = tokio::time::timeout(patience, nation.registry.admit(&bytes)).await;
        assert!(short.is_err(), "a batch takes longer than that");
        rang = tokio::time::timeout(std::time::Duration::from_secs(2), rings.recv()).await.ok();
        if rang.is_some() {
            break;
        }
    }
    assert_eq!(rang.unwrap().unwrap().size, 5);
    let receipt = nation.admit(&card).await;
    assert_eq!((receipt.index, receipt.again), (4, true));
}

#[tokio::test]
async fn a_head_moved_by_someone_else_stops_the_sequencer_and_nothing_is_half_written() {
    let nation = Nation::founded("FR").await;
    nation.upload("umoja").await;
    let before = nation.registry.entries(&nation.origin, 0, 256).await.unwrap();
    nation.execute("UPDATE log SET size = 3 WHERE own").await;

    let error = nation.registry.admit(&nation.card("umoja").to_bytes()).await.unwrap_err();
    assert!(matches!(error, Error::Inconsistent(_)), "{error}");
    nation.execute("UPDATE log SET size = 4 WHERE own").await;
    assert_eq!(nation.registry.entries(&nation.origin, 0, 256).await.unwrap(), before);
    for table in ["entry", "checkpoint"] {
        assert_eq!(count(&nation, table).await, 4, "{table}");
    }
    assert_eq!(nation.admit(&nation.card("umoja")).await.index, 4);
    whole(&nation.registry, &nation.origin, 5).await;
}

#[tokio::test]
async fn a_database_put_back_in_time_is_not_signed_again() {
    let nation = Nation::founded("FR").await;
    let note = nation.registry.head(&nation.origin).await.unwrap().unwrap().note;
    let root = nation.registry.head(&nation.origin).await.unwrap().unwrap().root;
    nation.publish("umoja").await;
    nation.upload("rival").await;
    let bare = note.lines().take(5).collect::<Vec<_>>().join("\n") + "\n";
    let back = format!("UPDATE log SET size = 4, root = x'{root}', head_note = '{bare}' WHERE own");
    nation.execute("DELETE FROM entry WHERE idx = 4").await;
    nation.execute(&back).await;

    let error = nation.registry.admit(&nation.card("rival").to_bytes()).await.unwrap_err();
    assert!(matches!(error, Error::Doubtful(Doubt::Behind { held: 4, known: 5 })), "{error}");
    assert_eq!(count(&nation, "entry").await, 4);
}

#[tokio::test]
async fn two_sequencers_over_one_database_make_one_log() {
    let nation = Nation::founded("FR").await;
    let other = nation.reopened().await;
    for number in 0..6 {
        let name = format!("model-{number}");
        nation.upload(&name).await;
        let registry = if number % 2 == 0 { &nation.registry } else { &other };
        let admission = registry.admit(&nation.card(&name).to_bytes()).await.unwrap();
        assert!(matches!(admission, Admission::Admitted(receipt) if receipt.index == 4 + number));
    }
    whole(&nation.registry, &nation.origin, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sequencers_at_once_lose_nothing_and_enter_nothing_twice() {
    let nation = Arc::new(Nation::founded("FR").await);
    let registries = [nation.registry.clone(), nation.reopened().await];
    let mut tasks = Vec::new();
    for number in 0..40 {
        nation.upload(&format!("model-{number}")).await;
        let card = nation.card(&format!("model-{number}"));
        // Each card once, and every fourth to both.
        for (which, registry) in registries.iter().enumerate() {
            if number % 2 == which || number % 4 == 0 {
                let (nation, registry, card) = (Arc::clone(&nation), registry.clone(), card.clone());
                tasks.push(tokio::spawn(async move {
                    let admission = registry.admit(&card.to_bytes()).await.unwrap();
                    let Admission::Admitted(receipt) = admission else { panic!("refused: {admission:?}") };
                    nation.verify(&card, Kind::ModelCard, &receipt);
                    (receipt.record, receipt.index)
                }));
            }
        }
    }
    assert_eq!(tasks.len(), 50);
    let mut places = BTreeSet::new();
    for task in tasks {
        places.insert(task.await.expect("each is admitted"));
    }
    assert_eq!(places.len(), 40, "both answer a record alike");
    assert_eq!(places.iter().map(|(_, index)| *index).collect::<BTreeSet<_>>(), (4..44).collect());
    whole(&nation.registry, &nation.origin, 44).await;
    assert_eq!(nation.registry.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_record_in_another_envelope_gets_the_receipt_of_the_first() {
    let nation = Nation::founded("FR").await;
    let (card, first) = nation.publish("umoja").await;
    assert_eq!(first.envelope, card.digest());
    let other = Envelope::sign(card.payload().to_vec(), &[&nation.key(Role::Exchange) as &dyn Signer]).unwrap();
    assert_ne!(other.digest(), card.digest());
    let again = nation.admit(&other).await;
    assert_eq!((again.record, again.envelope, again.index), (first.record, card.digest(), first.index));
    assert!(again.again);
    nation.verify(&card, Kind::ModelCard, &again);
}

#[tokio::test]
async fn an_archive_knows_its_own_log_by_name() {
    let nation = Nation::founded("FR").await;
    assert_eq!(nation.registry.own_origin(), Some(&nation.origin));
    let reader = Registry::open(&nation.url(), None, clock(&nation.now)).await.unwrap();
    assert_eq!(reader.own_origin(), Some(&nation.origin));
    let folder = tempfile::tempdir().unwrap();
    let empty = Registry::open(&common::url(folder.path()), None, clock(&nation.now)).await.unwrap();
    assert_eq!(empty.own_origin(), None);
}

#[tokio::test]
async fn a_database_is_looked_into_before_anything_is_made_there() {
    let nation = Nation::founded("FR").await;
    assert_eq!(look(&nation.url()).await.unwrap(), Contents::Archive(Some(nation.origin.clone())));
    let folder = tempfile::tempdir().unwrap();
    let url = common::url(folder.path());
    // A file that is not there is not made to look into it.
    let empty = if database::is_postgres() { look(&url).await.unwrap() } else { Contents::Empty };
    assert_eq!(empty, Contents::Empty);
    drop(Registry::open(&url, None, clock(&nation.now)).await.unwrap());
    assert_eq!(look(&url).await.unwrap(), Contents::Archive(None));
    nation.execute("DROP TABLE entry").await;
    assert_eq!(look(&nation.url()).await.unwrap(), Contents::Foreign);
}

#[tokio::test]
async fn what_another_process_is_given_the_sequencer_decides() {
    let nation = Nation::founded("FR").await;
    let other = nation.reopened().await;
    assert_eq!((nation.registry.leads(), other.leads()), (true, false));
    let card = nation.card("umoja");
    let Admission::Refused(refusal) = other.admit(&card.to_bytes()).await.unwrap() else { panic!("no document") };
    assert_eq!(refusal.code, Code::BlobMissing);
    nation.upload("umoja").await;
    for again in [false, true] {
        let admission = other.admit(&card.to_bytes()).await.unwrap();
        let Admission::Admitted(receipt) = admission else { panic!("refused: {admission:?}") };
        assert_eq!((receipt.index, receipt.again), (4, again));
        nation.verify(&card, Kind::ModelCard, &receipt);
    }
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while count(&nation, "submission").await > 0 {
        assert!(std::time::Instant::now() < deadline, "something is left behind");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    other.heartbeat().await.unwrap();
    assert_eq!(count(&nation, "lease WHERE name = 'sequencer' AND epoch = 1").await, 1);
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(std::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_was_handed_over_to_a_sequencer_that_is_gone_is_decided_by_the_next() {
    let nation = Nation::founded("FR").await;
    nation.upload("umoja").await;
    nation.execute("UPDATE lease SET epoch = 900, holder = 'process 1' WHERE name = 'sequencer'").await;
    until("it is relieved", || !nation.registry.leads()).await;
    let card = nation.card("umoja");
    assert_eq!(nation.admit(&card).await.index, 4);
    assert!(nation.registry.leads());
    assert_eq!(count(&nation, "lease WHERE name = 'sequencer' AND epoch = 901").await, 1);
    whole(&nation.registry, &nation.origin, 5).await;
}

#[tokio::test]
async fn a_sequencer_that_resigns_is_followed_at_once() {
    let nation = Nation::founded("FR").await;
    let other = nation.reopened().await;
    nation.registry.resign().await;
    let resigned = std::time::Instant::now();
    until("another follows", || other.leads()).await;
    assert!(resigned.elapsed() < Duration::from_secs(2), "it was waited for");
    nation.upload("umoja").await;
    let admission = other.admit(&nation.card("umoja").to_bytes()).await.unwrap();
    assert!(matches!(admission, Admission::Admitted(receipt) if receipt.index == 4));
}

#[tokio::test]
async fn what_the_log_key_did_not_sign_is_not_in_the_log() {
    let nation = Nation::founded("FR").await;
    nation.upload("umoja").await;
    let device = Arc::new(Device { inner: nation.identity().log, broken: AtomicBool::new(true) });
    let identity = Identity { log: Arc::clone(&device) as _, ..nation.identity() };
    nation.registry.resign().await;
    let registry = Registry::open(&nation.url(), Some(identity), clock(&nation.now)).await.unwrap();
    let card = nation.card("umoja").to_bytes();
    let error = registry.admit(&card).await.unwrap_err();
    assert!(matches!(error, Error::Sign(_)), "{error}");
    assert_eq!((count(&nation, "entry").await, count(&nation, "body").await), (4, 4));

    device.broken.store(false, Ordering::Relaxed);
    let admission = registry.admit(&card).await.unwrap();
    assert!(matches!(admission, Admission::Admitted(receipt) if receipt.index == 4 && !receipt.again));
}

#[tokio::test]
async fn the_charter_must_name_the_keys_the_node_has() {
    let nation = Nation::empty("FR").await;
    let mut identity = nation.identity();
    std::mem::swap(&mut identity.witness.1, &mut identity.mirror.1);
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(&common::url(folder.path()), Some(identity), clock(&nation.now)).await.unwrap();
    let admission = registry.admit(&nation.charter().to_bytes()).await.unwrap();
    assert!(matches!(admission, Admission::Refused(refusal) if refusal.reason.contains("another witness")));
}

#[tokio::test]
async fn an_archive_belongs_to_one_nation_and_one_key() {
    let (french, kenyan) = (Nation::founded("FR").await, Nation::empty("KE").await);
    let rival = kenyan.identity();
    let error = Registry::open(&french.url(), Some(rival), clock(&french.now)).await.err().expect("refused");
    assert!(error.to_string().contains("belongs to the log fr.example.org/chancery"), "{error}");

    let mut other_key = french.identity();
    other_key.log = other_key.mirror.1.clone();
    assert!(Registry::open(&french.url(), Some(other_key), clock(&french.now)).await.is_err());

    let reader = Registry::open(&french.url(), None, clock(&french.now)).await.unwrap();
    assert_eq!(reader.heads().await.unwrap().len(), 1);
    assert!(matches!(reader.admit(b"{}").await, Err(Error::ReadOnly)));
}

#[tokio::test]
async fn blobs_are_bounded_and_wait_an_hour_for_their_record() {
    let nation = Nation::founded("FR").await;
    let registry = &nation.registry;
    let put = async |bytes: Vec<u8>| registry.put_blob(Digest::of(&bytes), bytes).await.unwrap();
    assert_eq!(registry.put_blob(Digest::of(b"a"), b"b".to_vec()).await.unwrap(), BlobOutcome::WrongDigest);
    assert_eq!(put(vec![0; (16 << 20) + 1]).await, BlobOutcome::TooLarge);

    nation.publish("named").await;
    for number in 0..16 {
        assert_eq!(put(vec![number; 16 << 20]).await, BlobOutcome::Kept);
    }
    assert_eq!(count(&nation, "blob WHERE NOT named").await, 16);
    assert_eq!(put(vec![3; 16 << 20]).await, BlobOutcome::Kept, "it is held already");
    assert_eq!(count(&nation, "blob WHERE NOT named").await, 16);

    nation.wait(3500);
    assert_eq!(put(vec![3; 16 << 20]).await, BlobOutcome::Kept, "it begins to wait anew");
    nation.wait(200);
    assert_eq!(put(b"one more".to_vec()).await, BlobOutcome::Kept);
    assert_eq!(count(&nation, "blob WHERE NOT named").await, 2);
    let named = registry.blob(&Digest::of(&document("named"))).await.unwrap();
    assert_eq!(named, Some(document("named")));
}

#[tokio::test]
async fn a_full_store_of_blobs_gives_up_the_one_that_has_waited_longest() {
    let nation = Nation::founded("FR").await;
    nation.upload("first").await;
    nation.wait(1);
    for number in 0..15 {
        let bytes = vec![number; 16 << 20];
        nation.registry.put_blob(Digest::of(&bytes), bytes).await.unwrap();
    }
    nation.wait(1);
    nation.upload("last").await;
    assert_eq!(count(&nation, "blob WHERE NOT named").await, 17, "there was room for all");
    nation.wait(1);
    let bytes = vec![15; 16 << 20];
    assert_eq!(nation.registry.put_blob(Digest::of(&bytes), bytes).await.unwrap(), BlobOutcome::Kept);

    let first = nation.registry.admit(&nation.card("first").to_bytes()).await.unwrap();
    assert!(matches!(first, Admission::Refused(refusal) if refusal.code == Code::BlobMissing));
    nation.admit(&nation.card("last")).await;
    assert!(count(&nation, "blob WHERE NOT named AND size > 1000").await <= 16);
}

#[tokio::test]
async fn a_blob_is_shown_once_a_record_names_it() {
    let nation = Nation::founded("FR").await;
    nation.upload("umoja").await;
    let digest = Digest::of(&document("umoja"));
    assert_eq!(nation.registry.blob(&digest).await.unwrap(), None);
    assert_eq!(nation.registry.piece(&digest).await.unwrap(), None);
    nation.wait(600);
    nation.admit(&nation.card("umoja")).await;
    assert_eq!(nation.registry.blob(&digest).await.unwrap(), Some(document("umoja")));
    assert_eq!(nation.registry.piece(&digest).await.unwrap(), Some(Frame::Blob(document("umoja"))));
}

#[tokio::test]
async fn every_size_is_consistent_with_every_larger_one() {
    let nation = Nation::founded("FR").await;
    for number in 0..5 {
        nation.publish(&format!("model-{number}")).await;
    }
    let entries = nation.registry.entries(&nation.origin, 0, 9).await.unwrap();
    let root = |size: usize| entries[..size].iter().map(|entry| leaf_hash(entry)).collect::<MemoryTree>().root();
    for new in 1..=9 {
        for old in 0..=new {
            let (old_size, new_size) = (old as u64, new as u64);
            let proof =
                nation.registry.consistency(&nation.origin, old_size, new_size).await.unwrap().expect("a proof");
            verify_consistency(old_size, &root(old), new_size, &root(new), &proof).expect("it holds");
        }
    }
    assert_eq!(nation.registry.consistency(&nation.origin, 3, 10).await.unwrap(), None);
    assert_eq!(nation.registry.inclusion(&nation.origin, 9, 9).await.unwrap(), None);
}

#[tokio::test]
async fn a_heartbeat_is_a_fresh_cosignature_of_the_own_witness() {
    let nation = Nation::founded("FR").await;
    let before = nation.registry.head(&nation.origin).await.unwrap().unwrap();
    for _ in 0..3 {
        nation.wait(600);
        nation.registry.heartbeat().await.unwrap();
    }
    let after = nation.registry.head(&nation.origin).await.unwrap().unwrap();
    assert_eq!((before.size, before.root), (after.size, after.root));
    assert_ne!(before.note, after.note);
    assert_eq!(after.note.lines().count(), 6, "log and witness have signed once each");
    let at_head = format!("cosignature WHERE size = {}", after.size);
    assert_eq!(count(&nation, &at_head).await, 2, "the earliest and the latest are kept");
}

/// A signing device that can be taken away.
struct Device {
    inner: SharedSigner,
    broken: AtomicBool,
}

impl Signer for Device {
    fn public_key(&self) -> [u8; 32] {
        self.inner.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(SignError("the card is not in its reader".to_owned()));
        }
        self.inner.sign(message)
    }
}

async fn count(nation: &Nation, table: &str) -> i64 {
    let db = nation.sql().await;
    let sql = format!("SELECT COUNT(*) AS n FROM {table}");
    let row = db.query_one_raw(sea_orm::Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

/// The log has this size, its entries lead to the signed root, and its tiles are those of its tree.
async fn whole(registry: &Registry, origin: &Origin, size: u64) {
    let head = registry.head(origin).await.unwrap().expect("a head");
    let mut tree = MemoryTree::new();
    let mut leaves = Vec::new();
    for start in (0..size).step_by(256) {
        for entry in registry.entries(origin, start, size).await.unwrap() {
            leaves.extend_from_slice(leaf_hash(&entry).as_bytes());
            tree.push(leaf_hash(&entry));
        }
    }
    assert_eq!((head.size, tree.size(), head.root), (size, size, tree.root()));
    for (index, expected) in leaves.chunks(usize::from(WIDTH_MAX) * 32).enumerate() {
        let tile = Tile { level: 0, index: index as u64, width: u16::try_from(expected.len() / 32).unwrap() };
        assert_eq!(registry.tile(origin, &tile).await.unwrap().as_deref(), Some(expected));
    }
}
