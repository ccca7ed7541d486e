//! Mirrors: packages, late bodies, cosignatures, partners.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use chancery_registry::{Admission, Error, ModelFilter, ModelOrder, Page, Verdict};
use chancery_schema::admission::Code;
use chancery_schema::bundle::{self, Bundle, Trust, verify};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::frame::{Frame, Package};
use chancery_schema::key::Role;
use chancery_schema::limits::PACKAGE_BYTES_MAX;
use chancery_schema::log::entry::Entry;
use chancery_schema::log::tile::tiles_at;
use chancery_schema::name::Origin;
use chancery_schema::record::{Kind, Scope};
use common::{Nation, document, pull, take_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_becomes_what_its_source_is() {
    let (source, mirror) = pair().await;
    for number in 0..300 {
        source.upload(&format!("model-{number}")).await;
    }
    let source = std::sync::Arc::new(source);
    let submissions: Vec<_> = (0..300)
        .map(|number| {
            let source = std::sync::Arc::clone(&source);
            tokio::spawn(async move { source.admit(&source.card(&format!("model-{number}"))).await })
        })
        .collect();
    for submission in submissions {
        submission.await.unwrap();
    }
    let state = pull(&source, &mirror.registry).await;

    let theirs = source.registry.head(&source.origin).await.unwrap().unwrap();
    let ours = mirror.registry.head(&source.origin).await.unwrap().unwrap();
    assert_eq!((state.size, state.root, state.pending), (theirs.size, theirs.root, None));
    assert_eq!((ours.size, ours.root, ours.note), (theirs.size, theirs.root, theirs.note));
    for tile in tiles_at(theirs.size) {
        let expected = source.registry.tile(&source.origin, &tile).await.unwrap();
        assert!(expected.is_some());
        assert_eq!(mirror.registry.tile(&source.origin, &tile).await.unwrap(), expected, "{tile:?}");
    }
    assert!(mirror.registry.missing(&source.origin, 100).await.unwrap().is_empty());
    let blob = mirror.registry.blob(&Digest::of(&document("model-7"))).await.unwrap();
    assert_eq!(blob, Some(document("model-7")));
}

#[tokio::test]
async fn a_mirror_grows_from_one_checkpoint_to_the_next_and_survives_reopening() {
    let (source, mirror) = pair().await;
    pull(&source, &mirror.registry).await;
    source.publish("umoja").await;
    source.publish("another").await;
    let reopened = mirror.reopened().await;
    let state = pull(&source, &reopened).await;
    assert_eq!((state.size, state.tail.len()), (6, 6));
    let head = mirror.registry.head(&source.origin).await.unwrap().unwrap();
    assert_eq!(head.root, source.registry.head(&source.origin).await.unwrap().unwrap().root);
}

#[tokio::test]
async fn a_mirror_of_a_mirror_is_the_same_log() {
    let (source, mirror) = pair().await;
    source.publish("umoja").await;
    pull(&source, &mirror.registry).await;
    let third = Nation::founded("BR").await;
    third.befriend(&source).await;
    let note = mirror.registry.head(&source.origin).await.unwrap().unwrap().note;
    third.registry.set_pending(&source.origin, &note).await.unwrap();
    let (package, bodies) = mirror.registry.package(&source.origin, 0, 5).await.unwrap().expect("a package");
    let state = third.registry.extend(&package, &bodies).await.unwrap();
    assert_eq!(state.root, source.registry.head(&source.origin).await.unwrap().unwrap().root);
}

#[tokio::test]
async fn a_package_with_any_bit_changed_is_refused_and_leaves_the_mirror_as_it_was() {
    let (source, mirror) = pair().await;
    let (package, bodies) = shown(&source, &mirror).await;
    let before = mirror.registry.mirror(&source.origin).await.unwrap();
    let mut changed = Vec::new();
    for entry in 0..package.entries.len() {
        changed.push(with(&package, |it| it.entries[entry][30] ^= 1));
    }
    changed.push(with(&package, |it| it.start = 1));
    changed.push(with(&package, |it| it.tree_size += 1));
    changed.push(with(&package, |it| it.entries.swap(0, 1)));
    changed.push(with(&package, |it| it.proof.push(Digest::of(b"more"))));
    changed.push(with(&package, |it| drop(it.entries.pop())));
    changed.push(with(&package, |it| it.entries.clear()));
    for package in changed {
        let error = mirror.registry.extend(&package, &bodies).await.unwrap_err();
        assert!(matches!(error, Error::DoesNotContinue { .. }), "{error}");
        assert_eq!(mirror.registry.mirror(&source.origin).await.unwrap(), before);
        assert!(mirror.registry.entries(&source.origin, 0, 256).await.unwrap().is_empty());
    }
    mirror.registry.extend(&package, &bodies).await.expect("the package as it was sent continues the mirror");
    let again = mirror.registry.extend(&package, &bodies).await.unwrap_err();
    assert!(matches!(again, Error::DoesNotContinue { .. }), "{again}");
}

#[tokio::test]
async fn a_body_that_arrives_late_is_judged_then() {
    let (source, mirror) = pair().await;
    let (card, receipt) = source.publish("umoja").await;
    let (package, bodies) = shown(&source, &mirror).await;
    let publisher = bodies.iter().filter(|frame| matches!(frame, Frame::Envelope(_))).nth(1).expect("a delegation");
    mirror.registry.extend(&package, &[]).await.expect("a missing body does not stop a sync");

    let delegation = body_digest(publisher);
    let missing = mirror.registry.missing(&source.origin, 10).await.unwrap();
    assert_eq!(missing.len(), 4, "the charter is known from the introduction");
    assert!(missing.contains(&delegation) && missing.contains(&card.digest()));

    let late: Vec<Frame> = bodies.iter().filter(|frame| *frame != publisher).cloned().collect();
    assert_eq!(mirror.registry.add_bodies(&source.origin, &late).await.unwrap(), 4, "three and the document");
    assert!(matches!(verdict(&mirror, &source.origin, receipt.index).await, Verdict::Void(_)), "its signer is unknown");
    assert_eq!(mirror.registry.missing(&source.origin, 10).await.unwrap(), [delegation]);

    assert_eq!(mirror.registry.add_bodies(&source.origin, &bodies).await.unwrap(), 1);
    assert_eq!(verdict(&mirror, &source.origin, receipt.index).await, Verdict::Valid);
    assert!(mirror.registry.missing(&source.origin, 10).await.unwrap().is_empty());
    assert_eq!(mirror.registry.add_bodies(&source.origin, &bodies).await.unwrap(), 0, "nothing is kept twice");

    let live = mirror.registry.view_digest().await.unwrap();
    mirror.registry.rebuild_view().await.unwrap();
    assert_eq!(mirror.registry.view_digest().await.unwrap(), live);
}

#[tokio::test]
async fn bodies_that_nobody_names_are_ignored() {
    let (source, mirror) = pair().await;
    let (package, mut bodies) = shown(&source, &mirror).await;
    bodies.push(Frame::Blob(b"not asked for".to_vec()));
    bodies.push(Frame::Envelope(b"nor this".to_vec()));
    mirror.registry.extend(&package, &bodies).await.unwrap();
    assert_eq!(mirror.registry.blob(&Digest::of(b"not asked for")).await.unwrap(), None);
}

#[tokio::test]
async fn a_smaller_or_contradicting_checkpoint_is_not_pulled_towards() {
    let (source, mirror) = pair().await;
    let small = source.registry.head(&source.origin).await.unwrap().unwrap().note;
    source.publish("umoja").await;
    pull(&source, &mirror.registry).await;
    let error = mirror.registry.set_pending(&source.origin, &small).await.unwrap_err();
    assert!(matches!(error, Error::DoesNotContinue { .. }), "{error}");

    let twin = Nation::founded("FR").await;
    twin.publish("twin").await;
    let other = twin.registry.head(&twin.origin).await.unwrap().unwrap();
    assert_eq!(other.size, 5);
    let error = mirror.registry.set_pending(&source.origin, &other.note).await.unwrap_err();
    assert!(error.to_string().contains("another root"), "{error}");

    let stranger = Nation::founded("BR").await;
    let note = stranger.registry.head(&stranger.origin).await.unwrap().unwrap().note;
    let error = mirror.registry.set_pending(&stranger.origin, &note).await.unwrap_err();
    assert!(matches!(error, Error::UnknownLog(_)), "{error}");
}

#[tokio::test]
async fn cosignatures_travel_to_the_log_that_was_cosigned() {
    let (source, mirror) = pair().await;
    source.befriend(&mirror).await;
    let (_, receipt) = source.publish("umoja").await;
    pull(&source, &mirror.registry).await;
    let lines = mirror.registry.cosign(&source.origin).await.unwrap();
    assert_eq!(lines.len(), 2, "as witness and as mirror");
    mirror.wait(60);
    assert_eq!(mirror.registry.cosign(&source.origin).await.unwrap(), lines, "a head is cosigned once");

    let mut rings = source.registry.watch();
    let size = source.registry.head(&source.origin).await.unwrap().unwrap().size;
    let forged = lines[0].replace("ke.example", "br.example");
    let unwanted = [forged, "— nobody AAAAAAAA".to_owned(), "not a line".to_owned()];
    assert_eq!(source.registry.add_cosignatures(&source.origin, size, &unwanted).await.unwrap(), 0);
    assert_eq!(source.registry.add_cosignatures(&source.origin, size - 1, &lines).await.unwrap(), 0);
    assert_eq!(source.registry.add_cosignatures(&source.origin, size, &lines).await.unwrap(), 2);
    assert_eq!(source.registry.add_cosignatures(&source.origin, size, &lines).await.unwrap(), 0);
    let ring = rings.recv().await.unwrap();
    assert_eq!((ring.size, ring.grew), (size, false));

    let proof = source.registry.proof(&source.origin, receipt.index).await.unwrap().expect("a proof");
    assert!(lines.iter().all(|line| proof.contains(line)), "{proof}");
    let head = source.registry.head(&source.origin).await.unwrap().unwrap();
    assert!(lines.iter().all(|line| head.note.contains(line)));
}

#[tokio::test]
async fn a_proof_is_given_under_the_checkpoint_that_most_have_cosigned() {
    let (source, mirror) = pair().await;
    source.befriend(&mirror).await;
    pull(&source, &mirror.registry).await;
    let size = source.registry.head(&source.origin).await.unwrap().unwrap().size;
    let lines = mirror.registry.cosign(&source.origin).await.unwrap();
    source.registry.add_cosignatures(&source.origin, size, &lines).await.unwrap();
    let (_, newer) = source.publish("umoja").await;

    let old = source.registry.proof(&source.origin, 1).await.unwrap().unwrap();
    assert!(lines.iter().all(|line| old.contains(line)));
    let new = source.registry.proof(&source.origin, newer.index).await.unwrap().unwrap();
    assert!(!lines.iter().any(|line| new.contains(line)));
}

#[tokio::test]
async fn only_what_is_accredited_is_cosigned() {
    let (source, mirror) = (Nation::founded("FR").await, Nation::founded("KE").await);
    mirror.befriend_for(&source, &["mirror"]).await;
    pull(&source, &mirror.registry).await;
    let lines = mirror.registry.cosign(&source.origin).await.unwrap();
    assert!(lines.len() == 1 && lines[0].contains("ke.example.org/chancery/mirror"), "{lines:?}");
    mirror.admit(&mirror.accreditation(&source, &[])).await;
    assert!(mirror.registry.cosign(&source.origin).await.unwrap().is_empty());
    assert!(mirror.registry.cosign(&mirror.origin).await.unwrap().is_empty(), "nobody mirrors himself");
}

#[tokio::test]
async fn partners_are_the_accredited_and_are_found_by_introduction_then_by_mirror() {
    let (source, mirror) = pair().await;
    let partners = mirror.registry.partners().await.unwrap();
    let [partner] = &partners[..] else { panic!("one partner") };
    assert_eq!((&partner.nation, &partner.origin), (&source.code, &source.origin));
    assert_eq!((partner.fingerprint, partner.scopes.len()), (source.fingerprint, 3));
    assert!(partner.scopes.contains(&Scope::Mirror));
    assert_eq!(partner.log_vkey, Some(source.log_key().to_string()));
    assert_eq!(partner.endpoints.len(), 1);
    assert_eq!(partner.endpoints[0].addresses, ["/dns4/node.fr.example.org/tcp/4001"]);
    let state = mirror.registry.mirror(&source.origin).await.unwrap().expect("nothing is held yet");
    assert_eq!((state.size, state.pending, state.tail), (0, None, Vec::new()));

    pull(&source, &mirror.registry).await;
    assert_eq!(mirror.registry.partners().await.unwrap(), partners);
    mirror.admit(&mirror.accreditation(&source, &[])).await;
    assert!(mirror.registry.partners().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_introduction_that_cannot_be_read_stops_nobody_and_begins_no_mirror() {
    let (source, mirror) = pair().await;
    let (package, bodies) = shown(&source, &mirror).await;
    let digest = "00".repeat(32);
    mirror.execute(&format!("UPDATE introduction SET bundle = x'00', sha256 = x'{digest}'")).await;
    let reopened = mirror.reopened().await;
    assert_eq!(reopened.partners().await.unwrap().len(), 1);
    assert!(matches!(reopened.extend(&package, &bodies).await, Err(Error::UnknownLog(_))));
}

#[tokio::test]
async fn a_rival_does_not_take_the_place_of_an_accredited_nation() {
    let (source, mirror) = pair().await;
    let rival = Nation::rival("FR").await;
    assert_eq!(rival.origin, source.origin);
    let introduction = rival.registry.introduction().await.unwrap();
    let error = mirror.registry.introduce(&introduction).await.unwrap_err();
    assert!(error.to_string().contains("is accredited with the fingerprint"), "{error}");

    let head = rival.registry.head(&rival.origin).await.unwrap().unwrap();
    assert!(mirror.registry.set_pending(&rival.origin, &head.note).await.is_err());
    pull(&source, &mirror.registry).await;
}

#[tokio::test]
async fn what_a_log_operator_enters_again_changes_nothing() {
    let (source, mirror) = pair().await;
    // The registrar ends the publisher's authority; whoever holds the log key enters the old one again.
    source.admit(&source.delegation(Role::Publisher, &[Kind::License], &["another"])).await;
    source.upload("umoja").await;
    let card = source.card("umoja");
    let entries = source.registry.entries(&source.origin, 0, 256).await.unwrap();
    let again = [entries[1].clone(), Entry::new("model-card", card.digest()).unwrap().to_bytes()];
    take_in(&source, &mirror, &again, &[Frame::Envelope(card.to_bytes())]).await;
    let code = |verdict| match verdict {
        Verdict::Void(refusal) => refusal.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(verdict(&mirror, &source.origin, 5).await), Code::AlreadyEntered);
    assert_eq!(code(verdict(&mirror, &source.origin, 6).await), Code::KeyNotAuthorised);
}

#[tokio::test]
async fn an_entry_of_a_later_form_does_not_stop_a_mirror() {
    let (source, mirror) = pair().await;
    source.upload("umoja").await;
    let card = source.card("umoja");
    let later =
        [b"chancery.entry/v2\nwho knows\n".to_vec(), Entry::new("model-card", card.digest()).unwrap().to_bytes()];
    let state = take_in(&source, &mirror, &later, &[Frame::Envelope(card.to_bytes())]).await;
    assert_eq!(state.size, 6);
    assert_eq!(mirror.registry.entries(&source.origin, 4, 6).await.unwrap(), later);
    assert_eq!(verdict(&mirror, &source.origin, 5).await, Verdict::Valid);
    assert_eq!(mirror.registry.check().await.unwrap(), Vec::<String>::new());
    // It passes it on like any other.
    let (package, _) = mirror.registry.package(&source.origin, 0, 6).await.unwrap().expect("a package");
    assert_eq!(package.entries[4..], later);
}

/// Where text cannot hold U+0000, the record that has it is judged and found all the same.
#[tokio::test]
async fn a_character_that_a_database_does_not_keep_stops_no_mirror() {
    let (source, mirror) = pair().await;
    source.upload("umoja").await;
    let mut draft = Nation::card_draft("umoja");
    draft["text"]["en"] = "before\u{0}after".into();
    let card = source.sign(Kind::ModelCard, &draft, Role::Publisher);
    source.admit(&card).await;
    let mut void = draft.clone();
    void["text\u{0}"] = "x".into();
    let void = source.sign(Kind::ModelCard, &void, Role::Publisher);
    pull(&source, &mirror.registry).await;
    let entry = [Entry::new("model-card", void.digest()).unwrap().to_bytes()];
    take_in(&source, &mirror, &entry, &[Frame::Envelope(void.to_bytes())]).await;
    assert_eq!(verdict(&mirror, &source.origin, 4).await, Verdict::Valid);
    assert!(matches!(verdict(&mirror, &source.origin, 5).await, Verdict::Void(_)));
    for (text, total) in [("before", 1), ("after", 1), ("before\u{0}after", 1), ("be\u{0}fore", 0)] {
        let filter = ModelFilter { text: Some(text.to_owned()), ..ModelFilter::default() };
        let found =
            mirror.registry.models(&filter, ModelOrder::Newest, &Page { first: 10, after: None }).await.unwrap();
        assert_eq!(found.total, total, "{text:?}");
    }
    for filter in [
        ModelFilter { language: Some("e\u{0}n".to_owned()), ..ModelFilter::default() },
        ModelFilter { license: Some("\u{0}".to_owned()), ..ModelFilter::default() },
    ] {
        assert_eq!(
            mirror.registry.models(&filter, ModelOrder::Newest, &Page { first: 10, after: None }).await.unwrap().total,
            0
        );
    }
    assert!(mirror.registry.versions("urn:\u{0}").await.unwrap().is_empty());
    let page = Page { first: 10, after: None };
    assert_eq!(mirror.registry.records(None, Some("model\u{0}"), &page).await.unwrap().total, 0);
    same_when_rebuilt(&mirror).await;
}

#[tokio::test]
async fn a_package_keeps_to_its_bound_whatever_the_entries_are() {
    let (source, mirror) = pair().await;
    let mut fat = vec![b"chancery.entry/v9\n".to_vec(); 252];
    for entry in &mut fat {
        entry.resize(usize::from(u16::MAX), b'x');
    }
    take_in(&source, &mirror, &fat, &[]).await;
    let mut next = 0;
    while next < 256 {
        let (package, _) = mirror.registry.package(&source.origin, next, 256).await.unwrap().expect("a package");
        next += package.entries.len() as u64;
        let bytes = Frame::Package(package).to_bytes();
        assert!(bytes.len() <= PACKAGE_BYTES_MAX + 4096, "{}", bytes.len());
    }
}

#[tokio::test]
async fn a_body_that_comes_with_a_later_entry_is_judged_where_it_was_missed() {
    let (source, mirror) = pair().await;
    let card = source.card("umoja");
    let entry = [Entry::new("model-card", card.digest()).unwrap().to_bytes()];
    take_in(&source, &mirror, &entry, &[]).await;
    assert_eq!(verdict(&mirror, &source.origin, 4).await, Verdict::Missing);

    take_in(&source, &mirror, &entry, &[Frame::Envelope(card.to_bytes())]).await;
    assert_eq!(verdict(&mirror, &source.origin, 4).await, Verdict::Valid);
    let again = verdict(&mirror, &source.origin, 5).await;
    assert!(matches!(again, Verdict::Void(refusal) if refusal.code == Code::AlreadyEntered));
    let missing = mirror.registry.missing(&source.origin, 10).await.unwrap();
    assert!(!missing.contains(&card.digest()));
    same_when_rebuilt(&mirror).await;
}

#[tokio::test]
async fn bodies_may_arrive_in_any_order() {
    let source = Nation::founded("FR").await;
    let (first, _) = source.publish("umoja").await;
    // Later entries change earlier rows: delegations of one key, and cards of one version.
    let second = source.superseding("umoja", &first);
    source.admit(&second).await;
    source.admit(&source.delegation(Role::Publisher, &[Kind::License], &["*"])).await;
    let (publisher, cards) = ([Kind::ModelCard], ["*"]);
    source.admit(&source.delegation(Role::Publisher, &publisher, &cards)).await;
    source.admit(&source.superseding("umoja", &second)).await;
    source.publish("another").await;

    let count = 9;
    for (step, start) in [(1, 1), (2, 0), (4, 3), (5, 0), (7, 2), (8, 0), (1, 6)] {
        let mirror = Nation::founded("KE").await;
        mirror.befriend(&source).await;
        let (package, frames) = shown(&source, &mirror).await;
        mirror.registry.extend(&package, &[]).await.unwrap();
        let frames: Vec<Frame> = frames.into_iter().filter(|frame| matches!(frame, Frame::Envelope(_))).collect();
        assert_eq!(frames.len(), count + 1, "with the charter, which is known");
        for place in 0..count {
            let frame = &frames[1 + (place * step + start) % count];
            mirror.registry.add_bodies(&source.origin, std::slice::from_ref(frame)).await.unwrap();
            same_when_rebuilt(&mirror).await;
        }
        for (index, expected) in [(5, "superseded"), (8, "valid"), (9, "valid")] {
            let verdict = verdict(&mirror, &source.origin, index).await;
            match expected {
                "valid" => assert_eq!(verdict, Verdict::Valid, "{index}"),
                _ => assert!(matches!(verdict, Verdict::Superseded { .. }), "{index}: {verdict:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_late_body_costs_no_more_than_what_comes_after_it() {
    let (source, mirror) = pair().await;
    let (card, _) = source.publish("umoja").await;
    let (package, bodies) = shown(&source, &mirror).await;
    let late = Frame::Envelope(card.to_bytes());
    let early: Vec<Frame> = bodies.into_iter().filter(|frame| *frame != late).collect();
    mirror.registry.extend(&package, &early).await.unwrap();
    // A mark on an earlier row tells whether it was written again.
    mirror.execute("UPDATE found SET name = 'marked' WHERE log_id = 2 AND idx = 1").await;
    let marked = mirror.registry.view_digest().await.unwrap();
    assert_eq!(mirror.registry.add_bodies(&source.origin, &[late]).await.unwrap(), 1);
    assert_eq!(verdict(&mirror, &source.origin, 4).await, Verdict::Valid);
    let live = mirror.registry.view_digest().await.unwrap();
    assert_ne!(live, marked);
    mirror.registry.rebuild_view().await.unwrap();
    assert_ne!(mirror.registry.view_digest().await.unwrap(), live, "the mark was still there");
}

#[tokio::test]
async fn whoever_asks_for_what_is_missing_goes_on_from_where_he_was() {
    let (source, mirror) = pair().await;
    source.publish("umoja").await;
    source.publish("another").await;
    let (package, _) = shown(&source, &mirror).await;
    mirror.registry.extend(&package, &[]).await.unwrap();
    let missing = mirror.registry.missing(&source.origin, 10).await.unwrap();
    assert_eq!(missing.len(), 5);

    let mut seen = Vec::new();
    while let [.., last] = &mirror.registry.missing_after(&source.origin, seen.last().copied(), 2).await.unwrap()[..] {
        assert!(seen.last().is_none_or(|before| before < last));
        seen.extend(mirror.registry.missing_after(&source.origin, seen.last().copied(), 2).await.unwrap());
    }
    assert_eq!(seen.iter().map(|(_, digest)| *digest).collect::<Vec<_>>(), missing);
    assert_eq!(seen.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn the_logs_own_cosigners_do_not_make_a_checkpoint_better_however_many_follow() {
    let (source, mirror) = pair().await;
    source.befriend(&mirror).await;
    pull(&source, &mirror.registry).await;
    let size = source.registry.head(&source.origin).await.unwrap().unwrap().size;
    let lines = mirror.registry.cosign(&source.origin).await.unwrap();
    source.registry.add_cosignatures(&source.origin, size, &lines[..1]).await.unwrap();
    // Under the cosigned one stands one name; under the next one another, the log's own witness.
    source.execute(&format!("DELETE FROM cosignature WHERE own AND size = {size}")).await;
    source.publish("umoja").await;
    let more = "WITH RECURSIVE more(size) AS (SELECT 1000 UNION ALL SELECT size + 1 FROM more WHERE size < 1300) \
                INSERT INTO checkpoint (log_id, size, note, cosigners) SELECT 1, size, '', 0 FROM more";
    source.execute(more).await;
    let proof = source.registry.proof(&source.origin, 1).await.unwrap().expect("a proof");
    assert!(proof.contains(&lines[0]), "{proof}");
}

#[tokio::test]
async fn a_new_introduction_counts_at_once() {
    let (source, mirror) = (Nation::founded("FR").await, Nation::founded("KE").await);
    let rival = Nation::rival("FR").await;
    let fingerprints = async || {
        let nations = mirror.registry.nations().await.unwrap();
        nations.into_iter().filter(|nation| !nation.own).map(|nation| nation.fingerprint).collect::<Vec<_>>()
    };
    // All within one second.
    for nation in [&rival, &source, &rival] {
        mirror.registry.introduce(&nation.registry.introduction().await.unwrap()).await.unwrap();
        assert_eq!(fingerprints().await, [nation.fingerprint]);
        assert_eq!(fingerprints().await, [nation.fingerprint]);
    }
}

#[tokio::test]
async fn a_partner_judges_by_the_charter_that_is_in_force_at_each_entry() {
    let (source, mirror) = pair().await;
    source.publish("umoja").await;
    pull(&source, &mirror.registry).await;
    let first = source.registry.envelope(&source.origin, 0).await.unwrap().unwrap();
    let first = Envelope::from_fixed(&first).unwrap();
    let second = source.second_charter(&first, &[Role::Registrar]);
    source.admit(&second).await;
    let (card, _) = source.publish("voltaire").await;
    source.admit(&source.endpoint_by(&source.next_key(Role::Registrar))).await;
    pull(&source, &mirror.registry).await;
    // Whoever holds the log key enters what the registrar signs who is gone.
    let gone = source.endpoint_by(&source.key(Role::Registrar));
    let entry = [Entry::new("endpoint", gone.digest()).unwrap().to_bytes()];
    take_in(&source, &mirror, &entry, &[Frame::Envelope(gone.to_bytes())]).await;

    let superseded = Verdict::Superseded { by: second.record_digest() };
    let verdicts = async || {
        let page = Page { first: 100, after: None };
        let records = mirror.registry.records(Some(&source.origin), None, &page).await.unwrap().items.into_iter();
        records.map(|(_, record)| record.verdict).rev().collect::<Vec<_>>()
    };
    let judged = verdicts().await;
    assert_eq!(judged[..8], [vec![superseded], vec![Verdict::Valid; 7]].concat());
    assert!(matches!(&judged[8], Verdict::Void(refusal) if refusal.code == Code::KeyUnknown), "{:?}", judged[8]);
    let nations = mirror.registry.nations().await.unwrap();
    let nation = nations.iter().find(|nation| nation.origin == source.origin).unwrap();
    assert_eq!(
        (nation.fingerprint, nation.charter, nation.charter_version),
        (first.record_digest(), second.record_digest(), 2)
    );
    same_when_rebuilt(&mirror).await;

    // Whoever pinned the first charter walks to the second, in a bundle and in an introduction.
    let bundle = mirror.registry.bundle(&card.record_digest()).await.unwrap().expect("a bundle");
    for bytes in [bundle, source.registry.introduction().await.unwrap()] {
        let bundle = Bundle::read(&bytes).unwrap();
        let report = verify(&bundle, &Trust::Fingerprint(source.fingerprint));
        assert_eq!((report.verdict, report.charter_version), (bundle::Verdict::Verified, Some(2)), "{report:?}");
    }
}

#[tokio::test]
async fn a_body_that_comes_after_a_charter_followed_is_judged_by_the_one_before() {
    let (source, mirror) = pair().await;
    let first = source.registry.envelope(&source.origin, 0).await.unwrap().unwrap();
    let second = source.second_charter(&Envelope::from_fixed(&first).unwrap(), &[Role::Registrar]);
    source.admit(&second).await;
    source.admit(&source.endpoint_by(&source.next_key(Role::Registrar))).await;
    let (package, bodies) = shown(&source, &mirror).await;
    // The endpoint of the registrar who is gone comes last, and was valid where it stands.
    let (late, early): (Vec<Frame>, Vec<Frame>) = bodies.into_iter().partition(|frame| {
        matches!(frame, Frame::Envelope(body) if Digest::of(body) == Entry::parse(&package.entries[3]).unwrap().envelope())
    });
    mirror.registry.extend(&package, &early).await.unwrap();
    assert_eq!(verdict(&mirror, &source.origin, 3).await, Verdict::Missing);
    assert_eq!(mirror.registry.add_bodies(&source.origin, &late).await.unwrap(), 1);
    for index in [3, 4, 5] {
        assert_eq!(verdict(&mirror, &source.origin, index).await, Verdict::Valid, "{index}");
    }
    let superseded = Verdict::Superseded { by: second.record_digest() };
    assert_eq!(verdict(&mirror, &source.origin, 0).await, superseded);
    same_when_rebuilt(&mirror).await;
}

#[tokio::test]
async fn a_partner_cosigns_with_the_keys_of_its_next_charter_and_what_it_cosigned_before_stays() {
    let (source, mirror) = pair().await;
    source.befriend(&mirror).await;
    pull(&source, &mirror.registry).await;
    let before = source.registry.head(&source.origin).await.unwrap().unwrap().size;
    let lines = mirror.registry.cosign(&source.origin).await.unwrap();

    let first = mirror.registry.envelope(&mirror.origin, 0).await.unwrap().unwrap();
    let first = Envelope::from_fixed(&first).unwrap();
    mirror.registry.resign().await;
    let reopened = mirror.reopened_with_next_cosigners().await;
    let second = mirror.second_charter(&first, &[Role::Witness, Role::Mirror]);
    assert!(matches!(reopened.admit(&second.to_bytes()).await.unwrap(), Admission::Admitted(_)));
    source.publish("umoja").await;
    pull(&source, &reopened).await;
    let next = reopened.cosign(&source.origin).await.unwrap();
    assert_eq!(next.len(), 2);

    let size = source.registry.head(&source.origin).await.unwrap().unwrap().size;
    let add =
        async |size, lines: &[String]| source.registry.add_cosignatures(&source.origin, size, lines).await.unwrap();
    assert_eq!(add(size, &next).await, 0, "its next keys are not known yet");
    pull(&mirror, &source.registry).await;
    assert_eq!(add(size, &next).await, 2);
    // Not even its introduction is of the charter before.
    source.registry.introduce(&reopened.introduction().await.unwrap()).await.unwrap();
    assert_eq!(add(before, &lines).await, 2, "what was seen under the charter before was seen");
    same_when_rebuilt(&source).await;
}

/// The view is what the logs say, and the archive finds nothing wrong.
async fn same_when_rebuilt(nation: &Nation) {
    let live = nation.registry.view_digest().await.unwrap();
    assert_eq!(nation.registry.check().await.unwrap(), Vec::<String>::new());
    nation.registry.rebuild_view().await.unwrap();
    assert_eq!(nation.registry.view_digest().await.unwrap(), live);
}

/// A founded source, and a founded nation that has accredited it.
async fn pair() -> (Nation, Nation) {
    let (source, mirror) = (Nation::founded("FR").await, Nation::founded("KE").await);
    mirror.befriend(&source).await;
    (source, mirror)
}

/// Shows the source's head to the mirror, and answers the first package towards it.
async fn shown(source: &Nation, mirror: &Nation) -> (Package, Vec<Frame>) {
    let head = source.registry.head(&source.origin).await.unwrap().unwrap();
    mirror.registry.set_pending(&source.origin, &head.note).await.unwrap();
    source.registry.package(&source.origin, 0, head.size).await.unwrap().expect("a package")
}

fn with(package: &Package, change: impl FnOnce(&mut Package)) -> Package {
    let mut package = package.clone();
    change(&mut package);
    package
}

fn body_digest(frame: &Frame) -> Digest {
    match frame {
        Frame::Envelope(body) => Digest::of(body),
        other => panic!("not a body: {other:?}"),
    }
}

async fn verdict(nation: &Nation, origin: &Origin, index: u64) -> Verdict {
    let page = chancery_registry::Page { first: 100, after: None };
    let records = nation.registry.records(Some(origin), None, &page).await.unwrap();
    records.items.into_iter().map(|(_, record)| record).find(|record| record.index == index).expect("it").verdict
}
