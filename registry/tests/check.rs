//! Checking the archive: whatever was changed behind its back is found, and named.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use std::sync::Arc;

use chancery_registry::Registry;
use chancery_schema::digest::Digest;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::{self, Checkpoint};
use common::{Nation, clock, database, document, url};
use sea_orm::{ConnectionTrait, Database};

/// A nation with two cards and a partner whose log it mirrors and that has cosigned.
async fn archive() -> Nation {
    let (nation, partner) = (Nation::founded("FR").await, Nation::founded("KE").await);
    nation.befriend(&partner).await;
    let (first, _) = nation.publish("umoja").await;
    nation.admit(&nation.superseding("umoja", &first)).await;
    partner.befriend(&nation).await;
    mirror(&nation, &partner).await;
    mirror(&partner, &nation).await;
    let lines = partner.registry.cosign(&nation.origin).await.unwrap();
    assert_eq!(nation.registry.add_cosignatures(&nation.origin, 7, &lines).await.unwrap(), 2);
    nation
}

async fn mirror(source: &Nation, mirror: &Nation) {
    let head = source.registry.head(&source.origin).await.unwrap().unwrap();
    mirror.registry.set_pending(&source.origin, &head.note).await.unwrap();
    let (package, bodies) = source.registry.package(&source.origin, 0, head.size).await.unwrap().expect("a package");
    mirror.registry.extend(&package, &bodies).await.unwrap();
}

/// What a check finds in a copy of the archive after a change.
async fn findings(nation: &Nation, change: &str) -> Vec<String> {
    let folder = nation.backup().await;
    let copy = url(folder.path());
    let db = Database::connect(&copy).await.unwrap();
    let changed = db.execute_unprepared(&database::statement(change)).await.unwrap();
    assert!(change.is_empty() || changed.rows_affected() == 1, "{} rows: {change}", changed.rows_affected());
    db.close().await.unwrap();
    let registry = Registry::open(&copy, None, clock(&nation.now)).await.unwrap();
    let findings = registry.check().await.unwrap();
    assert_eq!(registry.check().await.unwrap(), findings, "a check mends nothing");
    findings
}

/// One byte of a column, the twentieth, made another.
fn flipped(table: &str, column: &str, row: &str) -> String {
    let (before, after) = (format!("substr({column}, 1, 19)"), format!("substr({column}, 21)"));
    let (kind, one, other) = if column.ends_with("note") { ("TEXT", "'Z'", "'Y'") } else { ("BLOB", "x'5a'", "x'5b'") };
    let byte = format!("CASE WHEN substr({column}, 20, 1) = {one} THEN {other} ELSE {one} END");
    format!("UPDATE {table} SET {column} = CAST({before} || {byte} || {after} AS {kind}) WHERE {row}")
}

#[tokio::test]
async fn an_archive_that_nobody_changed_is_whole() {
    let nation = archive().await;
    assert_eq!(nation.registry.check().await.unwrap(), Vec::<String>::new());
    assert_eq!(findings(&nation, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn changed_ground_state_is_found_and_named() {
    let nation = archive().await;
    let card = nation.registry.records(Some(&nation.origin), Some("model-card"), &all()).await.unwrap();
    let envelope = card.items[0].1.envelope;
    let body = format!("envelope = x'{envelope}'");
    let blob = Digest::of(&document("umoja"));
    let of_entry = "log_id = 1 AND idx = 3";
    let at_head = "log_id = 1 AND size = 7";
    for (change, expected) in [
        (flipped("entry", "bytes", of_entry), "entry 3 of fr.example.org/chancery does not have the leaf hash"),
        (flipped("entry", "leaf", of_entry), "entry 3 of fr.example.org/chancery does not have the leaf hash"),
        (flipped("entry", "envelope", of_entry), "entry 3 of fr.example.org/chancery does not name the envelope"),
        (format!("DELETE FROM entry WHERE {of_entry}"), "entry 3 of fr.example.org/chancery is missing"),
        (flipped("log", "root", "own"), "entries of fr.example.org/chancery do not lead to its root"),
        (flipped("log", "head_note", "own"), "the head of the log fr.example.org/chancery cannot be read"),
        (flipped("tile", "bytes", "log_id = 1 AND level = 0"), "tile/0/000.p/7 of fr.example.org/chancery"),
        (flipped("body", "bytes", &body), &format!("the envelope {envelope} was changed")),
        (flipped("body", "record", &body), &format!("the envelope {envelope} is kept as that of another")),
        (format!("DELETE FROM body WHERE {body}"), "the envelope of entry 6 of fr.example.org/chancery is lost"),
        ("UPDATE blob SET bytes = x'5a'".to_owned(), &format!("the blob {blob} was changed")),
        (flipped("checkpoint", "note", at_head), "the checkpoint of fr.example.org/chancery at size 7 is not what"),
        (format!("UPDATE checkpoint SET cosigners = 3 WHERE {at_head}"), "the number of cosigners"),
        (
            format!("UPDATE cosignature SET at = at + 1 WHERE {at_head} AND name LIKE 'ke.%/witness'"),
            "the cosignature of ke.example.org/chancery/witness on fr.example.org/chancery at size 7",
        ),
        (flipped("introduction", "bundle", "true"), "the introduction of ke.example.org/chancery was changed"),
    ] {
        let findings = findings(&nation, &change).await;
        assert!(findings.iter().any(|finding| finding.contains(expected)), "{change}: {findings:#?}");
    }
}

#[tokio::test]
async fn a_checkpoint_of_another_history_is_found_although_the_log_signed_it() {
    let nation = archive().await;
    let other = Checkpoint { origin: nation.origin.clone(), size: 5, root: Digest::of(b"another") };
    let signed = checkpoint::sign(other, &nation.key(Role::Log)).unwrap();
    let change = format!("UPDATE checkpoint SET note = '{signed}' WHERE log_id = 1 AND size = 5");
    let findings = findings(&nation, &change).await;
    assert!(findings.iter().any(|finding| finding.contains("at size 5 has another root")), "{findings:?}");
}

#[tokio::test]
async fn a_changed_view_is_found_by_log_and_table() {
    let nation = archive().await;
    for (table, change) in [
        ("record", "UPDATE record SET verdict = 'void', code = 'malformed' WHERE log_id = 1 AND idx = 5"),
        ("record", "DELETE FROM record WHERE log_id = 1 AND idx = 2"),
        ("nation", "UPDATE nation SET nation = 'BR' WHERE log_id = 1"),
        ("delegation", "DELETE FROM delegation WHERE log_id = 1 AND idx = 1"),
        ("model", "UPDATE model SET current = NOT current WHERE log_id = 1 AND idx = 5"),
        ("found", "UPDATE found SET name = 'other' WHERE log_id = 1 AND idx = 5 AND place = 1"),
    ] {
        let findings = findings(&nation, change).await;
        let [finding] = &findings[..] else { panic!("{table}: {findings:?}") };
        let expected = format!("the view of fr.example.org/chancery is not what its log says (table {table})");
        assert!(finding.contains(&expected) && finding.contains("view rebuild"), "{finding}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_sees_one_commit_while_others_write() {
    let nation = Arc::new(archive().await);
    let writer = Arc::clone(&nation);
    let writing = tokio::spawn(async move {
        for number in 0..20 {
            writer.publish(&format!("model-{number}")).await;
        }
    });
    let mut checks = 0;
    while !writing.is_finished() {
        assert_eq!(nation.registry.check().await.unwrap(), Vec::<String>::new());
        checks += 1;
    }
    writing.await.unwrap();
    assert!(checks > 1, "it was checked while records were admitted");
}

fn all() -> chancery_registry::Page {
    chancery_registry::Page { first: 100, after: None }
}
