//! The own-head guard, and rebuilding the own log from a partner's mirror.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use std::sync::Arc;

use chancery_registry::{Admission, Doubt, Error, Head, Mark, Registry};
use chancery_schema::frame::Frame;
use chancery_schema::name::Origin;
use common::{Memory, Nation, clock, pull, recover, url};
use tempfile::TempDir;

/// A nation whose log its partner mirrors.
async fn pair() -> (Nation, Nation) {
    let (nation, partner) = (Nation::founded("FR").await, Nation::founded("KE").await);
    nation.befriend(&partner).await;
    partner.befriend(&nation).await;
    pull(&nation, &partner.registry).await;
    (nation, partner)
}

/// A backup that was made while nothing was sequenced, so whoever restores it sequences at once.
async fn at_rest(nation: &Nation) -> TempDir {
    nation.registry.resign().await;
    nation.backup().await
}

async fn head(registry: &Registry, origin: &Origin) -> Head {
    registry.head(origin).await.unwrap().unwrap()
}

/// Whether a new record is entered; otherwise the doubt that keeps it from being.
async fn signs(nation: &Nation, registry: &Registry) -> Result<(), Doubt> {
    match registry.admit(&nation.endpoint().to_bytes()).await {
        Ok(Admission::Admitted(_)) => Ok(()),
        Err(Error::Doubtful(doubt)) => Err(doubt),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_mark_that_is_ahead_stops_an_old_backup_until_it_is_recovered() {
    let (nation, partner) = pair().await;
    let backup = at_rest(&nation).await;
    let nation_now = nation.reopened().await;
    nation_now.admit(&nation.endpoint().to_bytes()).await.unwrap();
    let newest = head(&nation_now, &nation.origin).await;
    let mark = Memory::of(&newest);

    let old = nation.restored(backup.path(), &mark).await;
    let held = newest.size - 1;
    let behind = Doubt::Behind { held, known: newest.size };
    assert_eq!(old.doubt().await.unwrap(), Some(behind.clone()));
    assert_eq!(signs(&nation, &old).await, Err(behind));
    assert!(matches!(old.heartbeat().await, Err(Error::Doubtful(_))));
    assert_eq!(head(&old, &nation.origin).await.size, held);

    partner.registry.set_pending(&nation.origin, &newest.note).await.unwrap();
    let (package, bodies) = nation_now.package(&nation.origin, held, newest.size).await.unwrap().unwrap();
    partner.registry.extend(&package, &bodies).await.unwrap();
    let state = recover(&old, &partner.registry, &nation.origin).await.unwrap();
    assert_eq!((state.size, state.root), (newest.size, newest.root));
    assert_eq!(signs(&nation, &old).await, Ok(()));
    assert_eq!(head(&old, &nation.origin).await.size, newest.size + 1);
    assert!(mark.note().unwrap().contains(&format!("\n{}\n", newest.size + 1)), "the mark follows");
    assert_eq!(old.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_mark_it_is_a_partner_who_says_what_was_signed() {
    let (nation, partner) = pair().await;
    let backup = at_rest(&nation).await;
    let same = head(&partner.registry, &nation.origin).await;
    let mark = Arc::new(Memory::default());
    let restored = nation.restored(backup.path(), &mark).await;
    assert_eq!(signs(&nation, &restored).await, Err(Doubt::Unmarked));
    assert_eq!(restored.hear(&same.note).await.unwrap(), None);
    assert_eq!(signs(&nation, &restored).await, Ok(()));
    assert!(mark.note().is_some());

    // What the log has not signed is not heard.
    let forged = same.note.replacen(&format!("\n{}\n", same.size), "\n99\n", 1);
    assert!(matches!(restored.hear(&forged).await, Err(Error::DoesNotContinue { .. })));
    assert_eq!(restored.doubt().await.unwrap(), None);
}

#[tokio::test]
async fn a_log_that_nobody_mirrors_needs_no_mark() {
    let nation = Nation::founded("FR").await;
    let backup = at_rest(&nation).await;
    let mark = Arc::new(Memory::default());
    let restored = nation.restored(backup.path(), &mark).await;
    assert_eq!(signs(&nation, &restored).await, Ok(()));
    assert!(mark.note().unwrap().contains("\n5\n"), "and has one then");
}

#[tokio::test]
async fn a_head_beside_the_own_one_ends_all_signing_and_is_kept() {
    let (nation, _partner) = pair().await;
    let backup = at_rest(&nation).await;
    let mark = Memory::of(&head(&nation.reopened().await, &nation.origin).await);
    let other = nation.restored(backup.path(), &mark).await;
    signs(&nation, &other).await.unwrap();
    let branch = head(&other, &nation.origin).await;

    let again = at_rest(&nation).await;
    let mark = Arc::new(Memory::default());
    let restored = nation.restored(again.path(), &mark).await;
    restored.hear(&head(&restored, &nation.origin).await.note).await.unwrap();
    signs(&nation, &restored).await.unwrap();
    assert_eq!(restored.hear(&branch.note).await.unwrap(), Some(Doubt::Beside { known: branch.size }));
    assert_eq!(signs(&nation, &restored).await, Err(Doubt::Beside { known: branch.size }));
    assert_eq!(restored.contradictions().await.unwrap().len(), 1);

    // Nor need either of the two be held.
    let backup = at_rest(&nation).await;
    let third = nation.restored(backup.path(), &Memory::of(&branch)).await;
    let other = head(&restored, &nation.origin).await;
    assert_eq!(third.doubt().await.unwrap(), Some(Doubt::Behind { held: branch.size - 1, known: branch.size }));
    assert_eq!(third.hear(&other.note).await.unwrap(), Some(Doubt::Beside { known: branch.size - 1 }));
}

#[tokio::test]
async fn a_lost_database_is_rebuilt_and_unfinished_until_it_is_whole() {
    let (nation, partner) = pair().await;
    nation.publish("umoja").await;
    let newest = head(&nation.registry, &nation.origin).await;
    pull(&nation, &partner.registry).await;
    nation.registry.resign().await;
    let folder = tempfile::tempdir().unwrap();
    let mark = Memory::of(&newest);
    let rebuilt = nation.restored(folder.path(), &mark).await;
    assert_eq!(rebuilt.doubt().await.unwrap(), Some(Doubt::Behind { held: 0, known: newest.size }));

    let (mut package, bodies) = partner.registry.package(&nation.origin, 0, newest.size).await.unwrap().unwrap();
    rebuilt.recover_to(&newest.note, &[]).await.unwrap();
    assert_eq!(signs(&nation, &rebuilt).await, Err(Doubt::Unfinished));
    // Neither a changed entry, nor a log without its charter, nor one that others signed.
    let genuine = std::mem::replace(&mut package.entries[1], b"another".to_vec());
    assert!(matches!(rebuilt.recover(&package, &bodies).await, Err(Error::DoesNotContinue { .. })));
    package.entries[1] = genuine;
    let uncharted: Vec<Frame> = bodies[1..].to_vec();
    assert!(matches!(rebuilt.recover(&package, &uncharted).await, Err(Error::DoesNotContinue { .. })));
    assert!(matches!(
        rebuilt.recover_to(&head(&partner.registry, &partner.origin).await.note, &[]).await,
        Err(Error::DoesNotContinue { .. })
    ));
    assert_eq!(rebuilt.own_log().await.unwrap().size, 0, "what is refused leaves nothing");

    let state = rebuilt.recover(&package, &bodies).await.unwrap();
    assert_eq!((state.size, state.root, state.pending), (newest.size, newest.root, None));
    assert_eq!(rebuilt.doubt().await.unwrap(), None);
    assert_eq!(rebuilt.check().await.unwrap(), Vec::<String>::new());
    assert_eq!(rebuilt.own_origin(), Some(&nation.origin));
    assert!(!rebuilt.introduction().await.unwrap().is_empty());
    assert_eq!(signs(&nation, &rebuilt).await, Ok(()));
}

/// A mark that cannot be written, as on a full disk.
struct Full;

impl Mark for Full {
    fn read(&self) -> std::io::Result<Option<String>> {
        Ok(None)
    }

    fn write(&self, _: &str) -> std::io::Result<()> {
        Err(std::io::Error::other("no space left"))
    }
}

#[tokio::test]
async fn nothing_more_is_signed_while_the_mark_cannot_be_written() {
    let nation = Nation::founded("FR").await;
    nation.registry.resign().await;
    let identity = chancery_registry::Identity { mark: Some(Arc::new(Full)), ..nation.identity() };
    let registry = Registry::open(&url(nation.folder()), Some(identity), clock(&nation.now)).await.unwrap();
    for _ in 0..2 {
        let error = registry.admit(&nation.endpoint().to_bytes()).await.unwrap_err();
        assert!(matches!(error, Error::Mark { attempted: "write", .. }), "{error}");
    }
    assert_eq!(head(&registry, &nation.origin).await.size, 5, "the first was signed, the second not");
}
