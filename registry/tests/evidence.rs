//! Evidence: two histories that one nation found are known to every partner of its partners, and what
//! proves nothing freezes nobody.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use chancery_registry::Registry;
use chancery_schema::digest::Digest;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::{self, Checkpoint};
use chancery_schema::record::{Evidence, Kind};
use common::{Nation, pull};
use serde_json::json;

/// A checkpoint of a log that leads to nothing it ever held.
fn another(source: &Nation, size: u64) -> String {
    let checkpoint = Checkpoint { origin: source.origin.clone(), size, root: Digest::of(b"another history") };
    checkpoint::sign(checkpoint, &source.key(Role::Log)).unwrap().to_string()
}

/// A nation with a node's key that may sign evidence.
async fn founded(code: &str) -> Nation {
    let nation = Nation::founded(code).await;
    nation.admit(&nation.delegation(Role::Node, &[Kind::Endpoint, Kind::Evidence], &[])).await;
    nation
}

async fn report(nation: &Nation, evidence: &Evidence) {
    nation.admit(&nation.sign(Kind::Evidence, &json!(evidence), Role::Node)).await;
}

async fn frozen(registry: &Registry) -> Vec<String> {
    registry.contradictions().await.unwrap().iter().map(|it| it.origin.to_string()).collect()
}

#[tokio::test]
async fn what_one_nation_found_freezes_the_log_at_every_partner() {
    let (source, finder) = (founded("FR").await, founded("KE").await);
    let (partner, late) = (founded("BR").await, founded("IN").await);
    finder.befriend(&source).await;
    let size = pull(&source, &finder.registry).await.size;
    for (nation, of) in [(&partner, &source), (&partner, &finder), (&late, &partner)] {
        nation.befriend(of).await;
    }
    pull(&source, &partner.registry).await;
    assert_eq!(partner.registry.cosign(&source.origin).await.unwrap().len(), 2);

    // A smaller checkpoint with another root, which what is held proves.
    finder.registry.keep_contradiction(&source.origin, &[another(&source, size - 2)]).await.unwrap();
    let unreported = finder.registry.unreported().await.unwrap();
    let [evidence] = &unreported[..] else { panic!("{unreported:?}") };
    let proven = evidence.verify().unwrap();
    assert_eq!((proven.log(), proven.earlier().size, proven.later().size), (&source.log_key(), size - 2, size));
    // Once known, another proof is no news.
    finder.registry.keep_contradiction(&source.origin, &[another(&source, size - 1)]).await.unwrap();
    assert_eq!(finder.registry.unreported().await.unwrap(), unreported);
    report(&finder, evidence).await;
    assert!(finder.registry.unreported().await.unwrap().is_empty(), "it is said once");

    // The partner never saw the other history, and freezes the log by the record alone.
    assert!(frozen(&partner.registry).await.is_empty());
    pull(&finder, &partner.registry).await;
    assert_eq!(frozen(&partner.registry).await, [source.origin.as_str()]);
    source.publish("umoja").await;
    pull(&source, &partner.registry).await;
    assert!(partner.registry.cosign(&source.origin).await.unwrap().is_empty(), "nothing of it is cosigned");
    assert_eq!(partner.registry.unreported().await.unwrap(), unreported, "and it is handed on");
    report(&partner, evidence).await;

    // Whoever recognises the log later knows it from the beginning.
    pull(&partner, &late.registry).await;
    assert!(frozen(&late.registry).await.is_empty(), "nothing is kept of a log that is not held");
    late.befriend(&source).await;
    let head = source.registry.head(&source.origin).await.unwrap().unwrap();
    late.registry.set_pending(&source.origin, &head.note).await.unwrap();
    assert_eq!(frozen(&late.registry).await, [source.origin.as_str()]);
    let before = partner.registry.view_digest().await.unwrap();
    partner.registry.rebuild_view().await.unwrap();
    assert_eq!(partner.registry.view_digest().await.unwrap(), before);
}

#[tokio::test]
async fn evidence_against_another_key_of_the_same_name_freezes_nobody() {
    let (source, rival) = (founded("FR").await, Nation::rival("FR").await);
    let (finder, partner) = (founded("KE").await, founded("BR").await);
    finder.befriend(&rival).await;
    let size = pull(&rival, &finder.registry).await.size;
    finder.registry.keep_contradiction(&rival.origin, &[another(&rival, size)]).await.unwrap();
    report(&finder, &finder.registry.unreported().await.unwrap()[0]).await;

    for of in [&source, &finder] {
        partner.befriend(of).await;
        pull(of, &partner.registry).await;
    }
    assert!(frozen(&partner.registry).await.is_empty());
    assert_eq!(partner.registry.cosign(&source.origin).await.unwrap().len(), 2);
    // Nor does it freeze the accused nation's own node.
    rival.befriend(&finder).await;
    pull(&finder, &rival.registry).await;
    assert!(frozen(&rival.registry).await.is_empty());
}

#[tokio::test]
async fn a_checkpoint_that_nothing_disproves_is_not_reported() {
    let (source, finder) = (founded("FR").await, founded("KE").await);
    finder.befriend(&source).await;
    let size = pull(&source, &finder.registry).await.size;
    let old = source.registry.head(&source.origin).await.unwrap().unwrap().note;
    source.publish("umoja").await;
    pull(&source, &finder.registry).await;
    for note in [old, another(&source, size + 9)] {
        assert!(finder.registry.keep_contradiction(&source.origin, &[note]).await.is_err());
    }
    assert!(finder.registry.unreported().await.unwrap().is_empty());
}
