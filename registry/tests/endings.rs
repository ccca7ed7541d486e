//! Withdrawals, redactions and erasures, in the own log and in mirrors of it.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use chancery_registry::{Admission, ModelFilter, ModelOrder, Page, Registry, Verdict};
use chancery_schema::admission::{Code, Submission};
use chancery_schema::bundle::{self, Bundle, Trust};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::frame::Frame;
use chancery_schema::key::{KeyRecord, PublicKey, Role, Signer as _};
use chancery_schema::log::entry::Entry;
use chancery_schema::record::{Kind, Record};
use common::{Nation, document, pull};
use serde_json::{Value, json};

/// What stands in a card and nowhere else.
const CANARY: &str = "canary-7f3a9c";

/// A nation whose publisher may withdraw and redact, and whose node may sign receipts.
async fn founded(code: &str) -> Nation {
    let nation = Nation::founded(code).await;
    let kinds = [Kind::ModelCard, Kind::Weights, Kind::License, Kind::Withdrawal, Kind::Redaction];
    nation.admit(&nation.delegation(Role::Publisher, &kinds, &["*"])).await;
    nation.admit(&nation.delegation(Role::Node, &[Kind::Evidence, Kind::ErasureReceipt], &[])).await;
    nation
}

fn withdrawal(nation: &Nation, of: &Envelope, reason: &str) -> Envelope {
    let record = Submission::open(of.clone()).unwrap().record;
    let draft =
        json!({ "kind": record.kind(), "withdraws": of.record_digest(), "scope": record.scope(), "reason": reason });
    nation.sign(Kind::Withdrawal, &draft, Role::Publisher)
}

fn redaction(nation: &Nation, of: &Envelope, index: u64) -> Envelope {
    nation.sign(Kind::Redaction, &redaction_draft(of, index), Role::Publisher)
}

fn redaction_draft(of: &Envelope, index: u64) -> Value {
    let record = Submission::open(of.clone()).unwrap().record;
    let mut draft = json!({
        "kind": record.kind(),
        "redacts": of.record_digest(),
        "scope": record.scope(),
        "index": index,
        "signers": of.key_ids().collect::<Vec<_>>(),
        "reason": "personal-data",
    });
    if let Record::ModelCard(card) = record {
        draft["version"] = json!(card.version);
    }
    draft
}

/// A card that names nobody else's license or weights, with a canary in every text, and its document.
async fn with_canary(nation: &Nation, name: &str) -> (Envelope, u64) {
    nation.upload(name).await;
    let mut draft = Nation::card_draft(name);
    draft["displayName"] = json!({ "en": CANARY });
    draft["text"] = json!({ "en": CANARY, "fr": CANARY });
    draft["languages"] = json!([{ "tag": "sw" }]);
    draft["declaredLicense"] = json!(CANARY);
    let card = nation.sign(Kind::ModelCard, &draft, Role::Publisher);
    let index = nation.admit(&card).await.index;
    (card, index)
}

async fn verdict(registry: &Registry, envelope: &Envelope) -> Verdict {
    registry.record(&envelope.record_digest()).await.unwrap().expect("it is held").verdict
}

async fn refusal(nation: &Nation, envelope: &Envelope) -> Code {
    match nation.registry.admit(&envelope.to_bytes()).await.unwrap() {
        Admission::Refused(refusal) => refusal.code,
        Admission::Admitted(_) => panic!("it is admitted"),
    }
}

async fn listed(registry: &Registry, filter: &ModelFilter) -> Vec<(String, bool)> {
    let page = Page { first: 100, after: None };
    let models = registry.models(filter, ModelOrder::Name, &page).await.unwrap();
    models.items.into_iter().map(|(_, model)| (format!("{}@{}", model.name, model.version), model.ended)).collect()
}

/// The view is what a rebuilt one is; answers its digest of one log's rows alone, which every mirror shares.
async fn stays_when_rebuilt(registry: &Registry) {
    let live = registry.view_digest().await.unwrap();
    registry.rebuild_view().await.unwrap();
    assert_eq!(registry.view_digest().await.unwrap(), live, "a view that is computed again is the same");
    assert_eq!(registry.check().await.unwrap(), Vec::<String>::new());
}

/// Every row that the view has of a log, but for the number that the log has there.
async fn rows(nation: &Nation, of: &Nation) -> Vec<String> {
    use sea_orm::{ConnectionTrait as _, Statement};
    let db = nation.sql().await;
    let mut all = Vec::new();
    let tables = ["record", "ending", "erasure_receipt", "model", "model_language", "model_license", "found"];
    for table in tables {
        let sql = format!(
            "SELECT * FROM {table} WHERE log_id = (SELECT id FROM log WHERE origin = '{}') ORDER BY idx",
            of.origin
        );
        for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap() {
            let names = row.column_names();
            let columns = names.iter().filter(|name| *name != "log_id").map(|name| {
                let number = row.try_get::<Option<i64>>("", name).map(|value| format!("{value:?}"));
                let text = || row.try_get::<Option<String>>("", name).map(|value| format!("{value:?}"));
                let flag = || row.try_get::<Option<bool>>("", name).map(|value| format!("{value:?}"));
                let bytes = || row.try_get::<Option<Vec<u8>>>("", name).map(|value| format!("{value:?}"));
                let value = number.or_else(|_| text()).or_else(|_| flag()).or_else(|_| bytes()).unwrap();
                format!("{name}={value}")
            });
            all.push(format!("{table}: {}", columns.collect::<Vec<_>>().join(" ")));
        }
    }
    all.sort();
    all
}

/// A mirror that takes everything but bodies that are redacted by now.
async fn late(source: &Nation, code: &str) -> Nation {
    let late = founded(code).await;
    late.befriend(source).await;
    pull(source, &late.registry).await;
    late
}

#[tokio::test]
async fn a_withdrawn_card_stays_readable_and_its_version_is_nobodys_again() {
    let source = founded("FR").await;
    let early = founded("KE").await;
    early.befriend(&source).await;
    let (card, _) = source.publish("umoja").await;
    let mut second = Nation::card_draft("umoja");
    second["version"] = json!("0.9");
    let second = source.sign(Kind::ModelCard, &second, Role::Publisher);
    source.admit(&second).await;
    pull(&source, &early.registry).await;
    let withdrawal = withdrawal(&source, &second, "safety");
    source.admit(&withdrawal).await;
    pull(&source, &early.registry).await;
    let again = source.superseding("umoja", &card);
    source.admit(&again).await;
    let mut taken = Nation::card_draft("umoja");
    taken["version"] = json!("0.9");
    assert_eq!(refusal(&source, &source.sign(Kind::ModelCard, &taken, Role::Publisher)).await, Code::VersionEnded);
    pull(&source, &early.registry).await;

    for registry in [&source.registry, &early.registry] {
        assert_eq!(verdict(registry, &second).await, Verdict::Withdrawn);
        assert_eq!(verdict(registry, &card).await, Verdict::Superseded { by: again.record_digest() });
        let index = registry.record(&second.record_digest()).await.unwrap().unwrap().index;
        assert!(registry.envelope(&source.origin, index).await.unwrap().is_some(), "it stays readable");
        let ends = registry.ends(&source.origin, &second.record_digest()).await.unwrap();
        assert_eq!((ends.len(), ends[0].kind, ends[0].reason.as_str()), (1, Kind::Withdrawal, "safety"));
        assert_eq!(ends[0].record.digest, Some(withdrawal.record_digest()));
        // The older version was published last, and has ended: the other one is the latest.
        assert_eq!(listed(registry, &ModelFilter::default()).await, [("umoja@1.0".to_owned(), false)]);
        let versions = registry.versions("urn:chancery:FR:lab:umoja").await.unwrap();
        let versions: Vec<_> = versions.iter().map(|model| (model.version.as_str(), model.ended)).collect();
        assert_eq!(versions, [("1.0", false), ("0.9", true)]);
        let bytes = registry.bundle(&second.record_digest()).await.unwrap().expect("a bundle");
        let bundle = Bundle::read(&bytes).unwrap();
        let report = bundle::verify(&bundle, &Trust::Fingerprint(source.fingerprint));
        assert_eq!(report.verdict, bundle::Verdict::Withdrawn, "{:?}", report.checks);
        let records = bundle.records;
        assert!(records.iter().any(|it| it.envelope.record_digest() == withdrawal.record_digest()));
        stays_when_rebuilt(registry).await;
    }
    assert_eq!(rows(&source, &source).await, rows(&early, &source).await);
    source.admit(&self::withdrawal(&source, &again, "retired")).await;
    let ended = ModelFilter { ended: Some(true), ..ModelFilter::default() };
    assert_eq!(
        listed(&source.registry, &ended).await,
        [("umoja@0.9".to_owned(), true)],
        "the last of those that ended"
    );
    let standing = ModelFilter { ended: Some(false), ..ModelFilter::default() };
    assert_eq!(listed(&source.registry, &standing).await, []);
}

#[tokio::test]
async fn a_withdrawal_by_a_thief_ends_nothing_and_a_redaction_does() {
    let source = founded("FR").await;
    let (withdrawn, _) = source.publish("umoja").await;
    let (redacted, index) = with_canary(&source, "gone").await;
    let first = source.admit(&withdrawal(&source, &withdrawn, "other")).await.index;
    source.admit(&redaction(&source, &redacted, index)).await;
    assert_eq!(verdict(&source.registry, &withdrawn).await, Verdict::Withdrawn);
    let key = PublicKey::from_bytes(&source.key(Role::Publisher).public_key()).unwrap().key_id();
    let revoked = json!({ "key": key, "reason": "compromised-since", "since": first });
    source.admit(&source.sign(Kind::Revocation, &revoked, Role::Registrar)).await;
    assert_eq!(verdict(&source.registry, &withdrawn).await, Verdict::Valid);
    assert_eq!(verdict(&source.registry, &redacted).await, Verdict::Redacted);
    let late = late(&source, "KE").await;
    for nation in [&source, &late] {
        stays_when_rebuilt(&nation.registry).await;
    }
    assert_eq!(rows(&source, &source).await, rows(&late, &source).await);
    let ended: Vec<bool> = listed(&late.registry, &ModelFilter::default()).await.iter().map(|it| it.1).collect();
    assert_eq!(ended, [true, false], "the withdrawal is void and the redaction for good");
}

/// A record that was redacted is judged alike by who had the body and by who never will: it, and all others.
#[tokio::test]
async fn who_never_saw_a_redacted_record_has_the_same_view_as_who_did() {
    let source = founded("FR").await;
    let early = founded("BR").await;
    early.befriend(&source).await;
    let license = source.sign(Kind::License, &license_draft(&source).await, Role::Publisher);
    let license_index = source.admit(&license).await.index;
    let mut under = Nation::card_draft("under");
    under["license"] = json!(license.record_digest());
    source.upload("under").await;
    let under = source.sign(Kind::ModelCard, &under, Role::Publisher);
    source.admit(&under).await;
    let (first, first_index) = with_canary(&source, "umoja").await;
    let second = source.superseding("umoja", &first);
    source.admit(&second).await;
    let (last, last_index) = with_canary(&source, "last").await;
    pull(&source, &early.registry).await;
    assert_eq!(early.registry.blob(&Digest::of(&document("last"))).await.unwrap(), Some(document("last")));

    for (record, index) in [(&first, first_index), (&last, last_index), (&license, license_index)] {
        source.admit(&redaction(&source, record, index)).await;
        assert_eq!(refusal(&source, &redaction(&source, record, index)).await, Code::ReferenceEnded);
    }
    let mut taken = Nation::card_draft("last");
    taken["version"] = json!("1.0");
    assert_eq!(refusal(&source, &source.sign(Kind::ModelCard, &taken, Role::Publisher)).await, Code::VersionEnded);
    let mut unlicensed = Nation::card_draft("unlicensed");
    unlicensed["license"] = json!(license.record_digest());
    let unlicensed = source.sign(Kind::ModelCard, &unlicensed, Role::Publisher);
    assert_eq!(refusal(&source, &unlicensed).await, Code::ReferenceEnded);
    pull(&source, &early.registry).await;
    let late = late(&source, "KE").await;
    for nation in [&source, &early, &late] {
        let registry = &nation.registry;
        for (record, index) in [(&first, first_index), (&last, last_index), (&license, license_index)] {
            assert_eq!(verdict(registry, record).await, Verdict::Redacted);
            assert_eq!(registry.envelope(&source.origin, index).await.unwrap(), None);
            assert_eq!(registry.piece(&record.digest()).await.unwrap(), None);
            assert!(registry.proof(&source.origin, index).await.unwrap().is_some(), "its entry is still proven");
            let entry = registry.entries(&source.origin, index, index + 1).await.unwrap().remove(0);
            assert_eq!(Entry::parse(&entry).unwrap().envelope(), record.digest());
        }
        assert_eq!(verdict(registry, &under).await, Verdict::Valid);
        assert_eq!(verdict(registry, &second).await, Verdict::Valid);
        assert_eq!(registry.missing(&source.origin, 100).await.unwrap(), []);
        // The same document lies with the card that supersedes the one, and with nobody else's.
        assert_eq!(registry.blob(&Digest::of(&document("umoja"))).await.unwrap(), Some(document("umoja")));
        assert_eq!(registry.blob(&Digest::of(&document("last"))).await.unwrap(), None);
        let all = rows(nation, &source).await;
        let telling: Vec<_> = all.iter().filter(|row| row.contains(CANARY) || row.contains("Apache")).collect();
        assert_eq!(telling, Vec::<&String>::new());
        stays_when_rebuilt(registry).await;
    }
    assert_eq!(rows(&source, &source).await, rows(&early, &source).await);
    assert_eq!(rows(&source, &source).await, rows(&late, &source).await);

    // What comes from a node that does not conform is not kept, under whatever digest.
    let frames = [Frame::Envelope(last.to_bytes()), Frame::Blob(document("last"))];
    assert_eq!(late.registry.add_bodies(&source.origin, &frames).await.unwrap(), 0);
    assert_eq!(late.registry.piece(&last.digest()).await.unwrap(), None);

    // Of a redacted record the bundle has the redaction, and of what rests on one, too.
    for (about, verdict) in [(&last, bundle::Verdict::Redacted), (&under, bundle::Verdict::Verified)] {
        let bytes = late.registry.bundle(&about.record_digest()).await.unwrap().expect("a bundle");
        let bundle = Bundle::read(&bytes).unwrap();
        assert_eq!(bundle.header.record, about.record_digest());
        let report = bundle::verify(&bundle, &Trust::Fingerprint(source.fingerprint));
        assert_eq!(report.verdict, verdict, "{:?}", report.checks);
        let records: Vec<_> = bundle.records.iter().map(|it| it.envelope.record_digest()).collect();
        assert!(!records.contains(&last.record_digest()) && !records.contains(&license.record_digest()));
        let kinds = bundle.records.iter().map(|it| Submission::open(it.envelope.clone()).unwrap().record.kind());
        assert_eq!(kinds.filter(|kind| *kind == Kind::Redaction).count(), 1);
    }
}

/// Terms with a canary in their title and in their text.
async fn license_draft(nation: &Nation) -> Value {
    let text = format!("{CANARY}: use it well.").into_bytes();
    nation.registry.put_blob(Digest::of(&text), text.clone()).await.unwrap();
    let blob = json!({ "sha256": Digest::of(&text), "sizeBytes": text.len(), "mediaType": "text/plain" });
    json!({
        "org": "lab",
        "name": "terms",
        "title": { "en": CANARY },
        "spdx": "Apache-2.0",
        "texts": [{ "language": "en", "blob": blob }],
        "policyType": "offer",
    })
}

/// A log whose own node lets in what no honest one does: redactions that are false, and after them the true one.
#[tokio::test]
async fn a_false_redaction_hides_nothing_from_who_comes_late() {
    let source = founded("FR").await;
    let [early, late] = [founded("BR").await, founded("KE").await];
    let (card, index) = with_canary(&source, "umoja").await;
    for mirror in [&early, &late] {
        mirror.befriend(&source).await;
    }
    pull(&source, &early.registry).await;
    let by_stranger = source.sign(Kind::Redaction, &redaction_draft(&card, index), Role::Evaluator);
    let own = source.superseding("umoja", &card);
    let all = [&own, &by_stranger].map(entry);
    let (entries, frames): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let frames_of = |more: Vec<Frame>| [more, vec![Frame::Blob(document("umoja"))]].concat();
    common::take_in_without(&source, &early, &entries, &frames_of(frames.clone()), &[]).await;
    common::take_in_without(&source, &late, &entries, &frames_of(frames), &[card.digest()]).await;
    assert_eq!(verdict(&early.registry, &card).await, Verdict::Superseded { by: own.record_digest() });
    assert_eq!(late.registry.record(&card.record_digest()).await.unwrap(), None, "it is missing, not redacted");
    assert!(late.registry.missing(&source.origin, 9).await.unwrap().contains(&card.digest()));

    let true_one = redaction(&source, &card, index);
    let (bytes, frame) = entry(&true_one);
    let (entries, frames) = ([bytes], [frame]);
    for mirror in [&early, &late] {
        common::take_in(&source, mirror, &entries, &frames).await;
        assert_eq!(verdict(&mirror.registry, &card).await, Verdict::Redacted);
        assert_eq!(verdict(&mirror.registry, &own).await, Verdict::Valid);
        assert_eq!(mirror.registry.missing(&source.origin, 9).await.unwrap(), []);
        stays_when_rebuilt(&mirror.registry).await;
    }
    assert_eq!(rows(&early, &source).await, rows(&late, &source).await);
}

#[tokio::test]
async fn receipts_are_due_once_the_files_are_clean_and_never_twice() {
    let source = founded("FR").await;
    let early = founded("KE").await;
    early.befriend(&source).await;
    source.befriend(&early).await;
    let (card, index) = with_canary(&source, "umoja").await;
    pull(&source, &early.registry).await;
    let redaction = redaction(&source, &card, index);
    source.admit(&redaction).await;
    pull(&source, &early.registry).await;
    let erasure = source.registry.erasure(&source.origin, &card.record_digest()).await.unwrap().unwrap();
    assert_eq!((erasure.receipts, erasure.silent), (vec![], vec![source.code.clone()]));
    for nation in [&source, &early] {
        assert_eq!(nation.registry.unreceipted(10).await.unwrap(), [], "the files are not clean yet");
        assert!(nation.registry.scrub().await.unwrap());
        assert!(!nation.registry.scrub().await.unwrap(), "there is no more to do");
        let due = nation.registry.unreceipted(10).await.unwrap();
        let [receipt] = &due[..] else { panic!("{due:?}") };
        assert_eq!((receipt.record, receipt.redaction), (card.record_digest(), redaction.record_digest()));
        let receipt = nation.sign(Kind::ErasureReceipt, &json!(receipt), Role::Node);
        nation.admit(&receipt).await;
        assert_eq!(nation.registry.unreceipted(10).await.unwrap(), []);
    }
    pull(&early, &source.registry).await;
    let erasure = source.registry.erasure(&source.origin, &card.record_digest()).await.unwrap().unwrap();
    let nations: Vec<&str> = erasure.receipts.iter().map(|receipt| receipt.nation.as_str()).collect();
    assert_eq!(nations, ["FR", "KE"]);
    assert_eq!(erasure.silent, []);
}

/// A delegation of another publisher's key, [`Nation::next_key`].
fn also_publisher(nation: &Nation, kinds: &[Kind], models: &str) -> Envelope {
    let key = nation.next_key(Role::Publisher);
    let draft = json!({
        "holder": "another lab",
        "role": "publisher",
        "key": KeyRecord::issue(&key, &nation.code, &nation.origin, Role::Publisher).unwrap(),
        "kinds": kinds,
        "models": [models],
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2028-01-01T00:00:00Z",
    });
    nation.sign(Kind::Delegation, &draft, Role::Registrar)
}

/// The entry of an envelope, and the envelope beside it.
fn entry(envelope: &Envelope) -> (Vec<u8>, Frame) {
    let kind = Submission::open(envelope.clone()).unwrap().record.kind();
    (Entry::new(kind.as_str(), envelope.digest()).unwrap().to_bytes(), Frame::Envelope(envelope.to_bytes()))
}

/// Entries that an evil nation logs: one of which nobody ever sees the body, and its redaction, which says that
/// the record in it was another nation's.
fn lie(evil: &Nation, unseen: Digest, about: &Envelope, index: u64) -> (Vec<Vec<u8>>, Vec<Frame>) {
    let mut draft = redaction_draft(about, index);
    draft["signers"] = json!([PublicKey::from_bytes(&evil.key(Role::Publisher).public_key()).unwrap().key_id()]);
    let (redaction, frame) = entry(&evil.sign(Kind::Redaction, &draft, Role::Publisher));
    (vec![Entry::new("model-card", unseen).unwrap().to_bytes(), redaction], vec![frame])
}

async fn size_of(mirror: &Nation, of: &Nation) -> u64 {
    mirror.registry.mirror(&of.origin).await.unwrap().expect("a mirror").size
}

#[tokio::test]
async fn a_redaction_in_one_log_erases_nothing_that_is_for_another() {
    let [victim, evil, node] = [founded("FR").await, founded("BR").await, founded("KE").await];
    let (card, index) = with_canary(&victim, "umoja").await;
    for partner in [&victim, &evil] {
        node.befriend(partner).await;
        pull(partner, &node.registry).await;
    }
    let before = rows(&node, &victim).await;
    let place = size_of(&node, &evil).await;
    let (entries, frames) = lie(&evil, Digest::of(b"nobody has it"), &card, place);
    common::take_in(&evil, &node, &entries, &frames).await;

    assert_eq!(rows(&node, &victim).await, before, "the victim's rows are as they were");
    let ends = node.registry.ends(&evil.origin, &card.record_digest()).await.unwrap();
    assert_eq!(ends.len(), 1, "the redaction counts in the log that it is in");
    let shown = node.registry.record(&card.record_digest()).await.unwrap().expect("it is held");
    assert_eq!((shown.origin, shown.verdict), (victim.origin.clone(), Verdict::Valid), "what has a body comes first");
    assert_eq!(node.registry.envelope(&victim.origin, index).await.unwrap(), Some(card.to_bytes()));
    assert_eq!(node.registry.blob(&Digest::of(&document("umoja"))).await.unwrap(), Some(document("umoja")));
    assert!(!node.registry.scrub().await.unwrap(), "nothing was held, so nothing is to be scrubbed");
    assert_eq!(node.registry.unreceipted(9).await.unwrap(), [], "and it is not gone");
    stays_when_rebuilt(&node.registry).await;
    assert_eq!(rows(&node, &victim).await, before);

    // The victim's own redaction finds everything where it is, and is not taken for done.
    victim.admit(&redaction(&victim, &card, index)).await;
    pull(&victim, &node.registry).await;
    assert_eq!(node.registry.piece(&card.digest()).await.unwrap(), None);
    assert_eq!(node.registry.blob(&Digest::of(&document("umoja"))).await.unwrap(), None);
    assert_eq!(node.registry.unreceipted(9).await.unwrap(), [], "the files are not clean yet");
    assert!(node.registry.scrub().await.unwrap());
    let due = node.registry.unreceipted(9).await.unwrap();
    let of: Vec<_> = due.iter().map(|receipt| &receipt.redacted_log).collect();
    assert_eq!(of, [&victim.origin, &evil.origin], "now it is gone, as both say");
    stays_when_rebuilt(&node.registry).await;
}

#[tokio::test]
async fn a_redaction_in_one_log_keeps_nothing_from_another_that_comes_later() {
    let [victim, evil, node] = [founded("FR").await, founded("BR").await, founded("KE").await];
    let (card, index) = with_canary(&victim, "umoja").await;
    node.befriend(&evil).await;
    pull(&evil, &node.registry).await;
    let place = size_of(&node, &evil).await;
    // The entry names the victim's own envelope, which is not here yet.
    let (entries, frames) = lie(&evil, card.digest(), &card, place);
    common::take_in(&evil, &node, &entries, &frames).await;
    assert_eq!(node.registry.missing(&evil.origin, 9).await.unwrap(), []);
    let told = rows(&node, &evil).await;
    node.befriend(&victim).await;
    pull(&victim, &node.registry).await;
    assert_eq!(verdict(&node.registry, &card).await, Verdict::Valid);
    assert_eq!(node.registry.envelope(&victim.origin, index).await.unwrap(), Some(card.to_bytes()));
    assert_eq!(node.registry.missing(&victim.origin, 9).await.unwrap(), []);
    stays_when_rebuilt(&node.registry).await;
    assert_eq!(rows(&node, &evil).await, told, "the other log is judged as before");
}

#[tokio::test]
async fn what_repeats_a_redacted_record_in_another_log_goes_with_it() {
    let [victim, other, early, late] =
        [founded("FR").await, founded("BR").await, founded("KE").await, founded("IN").await];
    let (card, index) = with_canary(&victim, "umoja").await;
    for node in [&early, &late] {
        for partner in [&victim, &other] {
            node.befriend(partner).await;
        }
        pull(&other, &node.registry).await;
    }
    pull(&victim, &early.registry).await;
    let (repeated, frame) = entry(&card);
    common::take_in(&other, &early, std::slice::from_ref(&repeated), std::slice::from_ref(&frame)).await;
    victim.admit(&redaction(&victim, &card, index)).await;
    for node in [&early, &late] {
        pull(&victim, &node.registry).await;
    }
    common::take_in(&other, &late, &[repeated], &[frame]).await;
    for node in [&early, &late] {
        assert_eq!(node.registry.missing(&other.origin, 9).await.unwrap(), [], "nobody waits for it");
        assert_eq!(node.registry.piece(&card.digest()).await.unwrap(), None);
        stays_when_rebuilt(&node.registry).await;
    }
    assert_eq!(rows(&early, &other).await, rows(&late, &other).await);
}

/// A license that a thief withdrew, that a card names since the thief is known, and that is then redacted.
#[tokio::test]
async fn a_redacted_record_stays_redacted_whatever_a_void_withdrawal_said() {
    let source = founded("FR").await;
    let early = founded("BR").await;
    early.befriend(&source).await;
    let license = source.sign(Kind::License, &license_draft(&source).await, Role::Publisher);
    let index = source.admit(&license).await.index;
    let thief = source.next_key(Role::Publisher);
    source.admit(&also_publisher(&source, &[Kind::License, Kind::Withdrawal], "*")).await;
    let withdrawn = json!({
        "kind": "license", "withdraws": license.record_digest(), "scope": "lab:terms", "reason": "other",
    });
    let stolen = source.sign_by(Kind::Withdrawal, &withdrawn, &[&thief]);
    let since = source.admit(&stolen).await.index;
    pull(&source, &early.registry).await;
    assert_eq!(verdict(&early.registry, &license).await, Verdict::Withdrawn);
    let key = PublicKey::from_bytes(&thief.public_key()).unwrap().key_id();
    let revoked = json!({ "key": key, "reason": "compromised-since", "since": since });
    source.admit(&source.sign(Kind::Revocation, &revoked, Role::Registrar)).await;
    source.upload("under").await;
    let mut under = Nation::card_draft("under");
    under["license"] = json!(license.record_digest());
    let under = source.sign(Kind::ModelCard, &under, Role::Publisher);
    source.admit(&under).await;
    let redaction = source.sign(Kind::Redaction, &redaction_draft(&license, index), Role::Registrar);
    source.admit(&redaction).await;
    pull(&source, &early.registry).await;
    let late = late(&source, "KE").await;
    for nation in [&source, &early, &late] {
        assert_eq!(verdict(&nation.registry, &license).await, Verdict::Redacted);
        assert_eq!(verdict(&nation.registry, &under).await, Verdict::Valid);
        stays_when_rebuilt(&nation.registry).await;
    }
    assert_eq!(rows(&source, &source).await, rows(&early, &source).await);
    assert_eq!(rows(&source, &source).await, rows(&late, &source).await);
}

/// Whoever redacts much makes every node that mirrors its log say so; others wait no longer for that.
#[tokio::test]
async fn receipts_of_two_logs_take_turns_and_of_one_there_are_so_many_a_day() {
    let [many, few, node] = [founded("FR").await, founded("BR").await, founded("KE").await];
    for (source, names) in [(&many, &["a", "b", "c"][..]), (&few, &["d"][..])] {
        node.befriend(source).await;
        for name in names {
            let (card, index) = with_canary(source, name).await;
            source.admit(&redaction(source, &card, index)).await;
        }
        pull(source, &node.registry).await;
    }
    let due = async || node.registry.unreceipted(9).await.unwrap();
    let first = node.registry.unreceipted(2).await.unwrap();
    let of: Vec<_> = first.iter().map(|receipt| &receipt.redacted_log).collect();
    assert_eq!(of, [&many.origin, &few.origin], "who never had a body can say so at once");
    assert_eq!(due().await.len(), 4);
    let receipt = node.admit(&node.sign(Kind::ErasureReceipt, &json!(first[0]), Role::Node)).await;
    assert_eq!(due().await.len(), 3);
    // As many more of that log as are due within a day.
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1254)";
    for (table, columns) in [
        ("record", "envelope, digest, kind, verdict, code, reason, superseded_by, scope, at, signers"),
        ("erasure_receipt", "of_log, of_idx, erased, redaction"),
    ] {
        let row = format!("{table} WHERE idx = {} AND log_id = (SELECT id FROM log WHERE own)", receipt.index);
        let sql =
            format!("INSERT INTO {table} (log_id, idx, {columns}) {numbers} SELECT log_id, i, {columns} FROM n, {row}");
        node.execute(&sql).await;
    }
    let of: Vec<_> = due().await.into_iter().map(|receipt| receipt.redacted_log).collect();
    assert!(of == std::slice::from_ref(&few.origin), "the others wait for tomorrow");
    node.wait(86_401);
    assert_eq!(due().await.len(), 3);
}

/// A log whose own node lets in redactions by a key that may redact, and not that: each speaks of an entry that
/// nobody has seen, and all of the same record, so that one is doubted only after the other. The true one counts.
#[tokio::test]
async fn many_false_redactions_hide_no_true_one() {
    let source = founded("FR").await;
    let [early, late] = [founded("BR").await, founded("KE").await];
    source.admit(&also_publisher(&source, &[Kind::ModelCard, Kind::Redaction], "other")).await;
    let (card, index) = with_canary(&source, "umoja").await;
    let (other, _) = with_canary(&source, "elsewhere").await;
    for mirror in [&early, &late] {
        mirror.befriend(&source).await;
    }
    pull(&source, &early.registry).await;
    let size = size_of(&early, &source).await;
    let unseen: Vec<Digest> = (0..6).map(|number| Digest::of(format!("unseen {number}").as_bytes())).collect();
    let mut entries: Vec<_> =
        unseen.iter().map(|digest| Entry::new("model-card", *digest).unwrap().to_bytes()).collect();
    let claimed = source.card("nobody-has-it");
    let falsely = (size..size + 6).map(|place| {
        source.sign_by(Kind::Redaction, &redaction_draft(&claimed, place), &[&source.next_key(Role::Publisher)])
    });
    let redactions: Vec<_> = falsely.chain([redaction(&source, &card, index)]).collect();
    let (more, mut frames): (Vec<_>, Vec<_>) = redactions.iter().map(entry).unzip();
    entries.extend(more);
    frames.extend(["umoja", "elsewhere"].map(|name| Frame::Blob(document(name))));
    common::take_in(&source, &early, &entries, &frames).await;
    common::take_in_without(&source, &late, &entries, &frames, &[card.digest()]).await;
    for mirror in [&early, &late] {
        assert_eq!(verdict(&mirror.registry, &card).await, Verdict::Redacted);
        assert_eq!(verdict(&mirror.registry, &other).await, Verdict::Valid);
        for falsely in &redactions[..6] {
            let verdict = verdict(&mirror.registry, falsely).await;
            let Verdict::Void(refusal) = verdict else { panic!("{verdict:?}") };
            assert_eq!(refusal.code, Code::KeyNotAuthorised, "{refusal}");
        }
        let mut missing = mirror.registry.missing(&source.origin, 9).await.unwrap();
        missing.sort_unstable();
        let mut unseen = unseen.clone();
        unseen.sort_unstable();
        assert_eq!(missing, unseen, "they are missing, and not redacted");
        stays_when_rebuilt(&mirror.registry).await;
    }
    assert_eq!(rows(&early, &source).await, rows(&late, &source).await);
}
