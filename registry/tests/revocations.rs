//! Revocations: what they take from records that are there, in the own log and in mirrors of it.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use chancery_registry::{Admission, ModelFilter, ModelOrder, Page, Registry, Verdict};
use chancery_schema::admission::Code;
use chancery_schema::bundle::{self, Bundle, Trust};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::frame::Frame;
use chancery_schema::key::{KeyRecord, PublicKey, Role, Signer as _};
use chancery_schema::record::Kind;
use common::{Nation, pull};
use serde_json::{Value, json};

fn key_id(nation: &Nation, role: Role) -> Digest {
    PublicKey::from_bytes(&nation.key(role).public_key()).unwrap().key_id()
}

async fn revoke(nation: &Nation, role: Role, mut draft: Value, by: Role) -> Envelope {
    draft["key"] = json!(key_id(nation, role));
    let revocation = nation.sign(Kind::Revocation, &draft, by);
    nation.admit(&revocation).await;
    revocation
}

async fn verdict(registry: &Registry, envelope: &Envelope) -> Verdict {
    registry.record(&envelope.record_digest()).await.unwrap().expect("it is held").verdict
}

async fn proven(nation: &Nation, registry: &Registry, envelope: &Envelope) -> bundle::Verdict {
    let bytes = registry.bundle(&envelope.record_digest()).await.unwrap().expect("a bundle");
    bundle::verify(&Bundle::read(&bytes).unwrap(), &Trust::Fingerprint(nation.fingerprint)).verdict
}

async fn listed(registry: &Registry) -> Vec<Digest> {
    let page = Page { first: 100, after: None };
    let models = registry.models(&ModelFilter::default(), ModelOrder::Newest, &page).await.unwrap();
    models.items.into_iter().map(|(_, model)| model.card.digest.unwrap()).collect()
}

#[tokio::test]
async fn what_a_thief_signed_is_void_for_everyone_and_what_came_before_stands_again() {
    let source = Nation::founded("FR").await;
    let [early, late] = [Nation::founded("KE").await, Nation::founded("BR").await];
    early.befriend(&source).await;
    let (own, _) = source.publish("umoja").await;
    let stolen = source.superseding("umoja", &own);
    assert_eq!(source.admit(&stolen).await.index, 5);
    pull(&source, &early.registry).await;
    assert_eq!(verdict(&early.registry, &own).await, Verdict::Superseded { by: stolen.record_digest() });

    revoke(&source, Role::Publisher, json!({ "reason": "compromised-since", "since": 5 }), Role::Registrar).await;
    let refused = source.registry.admit(&source.card("another").to_bytes()).await.unwrap();
    assert!(matches!(refused, Admission::Refused(refusal) if refusal.code == Code::KeyRevoked));
    late.befriend(&source).await;
    for mirror in [&early, &late] {
        pull(&source, &mirror.registry).await;
    }
    for registry in [&source.registry, &early.registry, &late.registry] {
        assert_eq!(verdict(registry, &own).await, Verdict::Valid);
        let void = verdict(registry, &stolen).await;
        assert!(matches!(&void, Verdict::Void(refusal) if refusal.code == Code::KeyRevoked), "{void:?}");
        assert_eq!(listed(registry).await, [own.record_digest()]);
        assert_eq!(proven(&source, registry, &own).await, bundle::Verdict::Verified);
        assert_eq!(proven(&source, registry, &stolen).await, bundle::Verdict::Void);
        let live = registry.view_digest().await.unwrap();
        registry.rebuild_view().await.unwrap();
        assert_eq!(registry.view_digest().await.unwrap(), live, "a view that is computed again is the same");
    }
}

#[tokio::test]
async fn what_is_contested_stands_once_the_roots_affirm_it() {
    let nation = Nation::founded("FR").await;
    let (own, _) = nation.publish("umoja").await;
    let (stolen, _) = nation.publish("other").await;
    revoke(&nation, Role::Publisher, json!({ "reason": "compromised-unknown" }), Role::Registrar).await;
    for card in [&own, &stolen] {
        assert!(matches!(verdict(&nation.registry, card).await, Verdict::Contested(_)));
        assert_eq!(proven(&nation, &nation.registry, card).await, bundle::Verdict::Contested);
    }
    assert_eq!(listed(&nation.registry).await.len(), 2);
    let affirmed = json!({ "reason": "compromised-unknown", "affirms": [own.record_digest()] });
    revoke(&nation, Role::Publisher, affirmed, Role::Root).await;
    assert_eq!(verdict(&nation.registry, &own).await, Verdict::Valid);
    assert!(matches!(verdict(&nation.registry, &stolen).await, Verdict::Contested(_)));
    assert_eq!(proven(&nation, &nation.registry, &own).await, bundle::Verdict::Verified);
    let live = nation.registry.view_digest().await.unwrap();
    nation.registry.rebuild_view().await.unwrap();
    assert_eq!(nation.registry.view_digest().await.unwrap(), live);
}

#[tokio::test]
async fn a_registrar_that_was_robbed_takes_with_it_whom_it_let_speak() {
    let nation = Nation::founded("FR").await;
    let (own, _) = nation.publish("umoja").await;
    revoke(&nation, Role::Registrar, json!({ "reason": "compromised-since", "since": 1 }), Role::Root).await;
    let void = verdict(&nation.registry, &own).await;
    let registrar = key_id(&nation, Role::Registrar).to_string();
    assert!(matches!(&void, Verdict::Void(refusal) if refusal.reason.contains(&registrar)), "{void:?}");
    assert_eq!(listed(&nation.registry).await, []);
    assert_eq!(proven(&nation, &nation.registry, &own).await, bundle::Verdict::Void);
}

#[tokio::test]
async fn a_body_that_comes_after_a_revocation_is_weighed_by_it() {
    let source = Nation::founded("FR").await;
    let [whole, late] = [Nation::founded("KE").await, Nation::founded("BR").await];
    for mirror in [&whole, &late] {
        mirror.befriend(&source).await;
    }
    let (own, _) = source.publish("umoja").await;
    let stolen = source.superseding("umoja", &own);
    source.admit(&stolen).await;
    revoke(&source, Role::Publisher, json!({ "reason": "compromised-since", "since": 5 }), Role::Registrar).await;
    pull(&source, &whole.registry).await;

    let head = source.registry.head(&source.origin).await.unwrap().unwrap();
    late.registry.set_pending(&source.origin, &head.note).await.unwrap();
    let (package, bodies) = source.registry.package(&source.origin, 0, head.size).await.unwrap().unwrap();
    let body = stolen.to_bytes();
    let without: Vec<Frame> =
        bodies.into_iter().filter(|frame| !matches!(frame, Frame::Envelope(bytes) if *bytes == body)).collect();
    late.registry.extend(&package, &without).await.unwrap();
    assert_eq!(listed(&late.registry).await, [own.record_digest()]);
    let late_body = [Frame::Envelope(body)];
    assert_eq!(late.registry.add_bodies(&source.origin, &late_body).await.unwrap(), 1);
    assert_eq!(verdict(&late.registry, &own).await, Verdict::Valid);
    assert!(matches!(verdict(&late.registry, &stolen).await, Verdict::Void(_)));
    assert_eq!(listed(&late.registry).await, [own.record_digest()]);
}

#[tokio::test]
async fn a_bundle_proves_what_an_older_delegation_carries_once_a_thiefs_newer_one_is_void() {
    let nation = Nation::empty("FR").await;
    let second = KeyRecord::issue(&nation.key(Role::Evaluator), &nation.code, &nation.origin, Role::Registrar).unwrap();
    let body = |envelope: &Envelope| -> Value {
        serde_json::from_slice::<Value>(envelope.payload()).unwrap()["predicate"].take()
    };
    let mut charter = body(&nation.charter());
    charter["registrars"].as_array_mut().unwrap().push(json!(second));
    let charter = nation.sign(Kind::Charter, &charter, Role::Root);
    nation.admit(&charter).await;
    let honest = nation.delegation(Role::Publisher, &[Kind::ModelCard], &["*"]);
    nation.admit(&honest).await;
    nation.admit(&nation.sign(Kind::Delegation, &body(&honest), Role::Evaluator)).await;
    let (own, _) = nation.publish("umoja").await;
    let robbed = json!({ "key": second.keyid, "reason": "compromised-since", "since": 2 });
    nation.admit(&nation.sign(Kind::Revocation, &robbed, Role::Root)).await;

    assert_eq!(verdict(&nation.registry, &own).await, Verdict::Valid);
    let bytes = nation.registry.bundle(&own.record_digest()).await.unwrap().expect("a bundle");
    let report = bundle::verify(&Bundle::read(&bytes).unwrap(), &Trust::Fingerprint(charter.record_digest()));
    assert_eq!(report.verdict, bundle::Verdict::Verified, "{:?}", report.checks);
}
