//! Which new log a node accepts in the place of an old one: by all that it holds of every log of the chain.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use chancery_registry::Registry;
use chancery_schema::bundle::Bundle;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::{self, Checkpoint};
use common::{Nation, pull, pull_to};

/// What a registry answers to an introduction, in one line: for each log how much is given up, or why not.
async fn answer(registry: &Registry, introduction: &[u8]) -> String {
    match registry.accept(introduction, &[]).await {
        Ok(successions) => format!("{:?}", successions.iter().map(|it| it.beyond).collect::<Vec<_>>()),
        Err(error) => error.to_string(),
    }
}

async fn introduced(nation: &Nation) -> Vec<u8> {
    nation.registry.introduction().await.unwrap()
}

/// An introduction in which less is told of earlier logs.
fn told(introduction: &[u8], keep: impl FnMut(&Envelope) -> bool) -> Vec<u8> {
    let mut bundle = Bundle::read(introduction).unwrap();
    bundle.former.retain(keep);
    bundle.write()
}

/// A log of eight entries, the fifth its second charter, and both charters.
async fn old() -> (Nation, [Envelope; 2]) {
    let old = Nation::founded("FR").await;
    let first = old.registry.envelope(&old.origin, 0).await.unwrap().unwrap();
    let first = Envelope::parse(&first).unwrap();
    let second = old.second_charter(&first, &[]);
    old.admit(&second).await;
    for name in ["one", "two", "three"] {
        old.publish(name).await;
    }
    (old, [first, second])
}

#[tokio::test]
async fn a_partner_accepts_a_log_that_goes_on_where_it_saw_the_earlier_one() {
    let (old, [_, second]) = old().await;
    let (partner, ahead, late) =
        (Nation::founded("KE").await, Nation::founded("BR").await, Nation::founded("IN").await);
    let new = introduced(&old.succeeded("chancery-2", (&second, 2), 7).await).await;
    assert_eq!(answer(&late.registry, &new).await, "[0]", "nothing is held of the earlier log");
    partner.befriend(&old).await;
    pull_to(&old, &partner.registry, 7).await;
    assert_eq!(answer(&partner.registry, &new).await, "[0]");
    ahead.befriend(&old).await;
    pull(&old, &ahead.registry).await;
    let refused = answer(&ahead.registry, &new).await;
    assert!(refused.contains("1 entries would be given up"), "{refused}");
    late.befriend(&old).await;
    pull_to(&old, &late.registry, 6).await;
    let refused = answer(&late.registry, &new).await;
    assert!(refused.contains("nothing proves that they continue"), "{refused}");
    let [(from, base)] = &late.registry.unproven(&new).await.unwrap()[..] else { panic!("one is to be proven") };
    assert_eq!((from.size, base.size), (6, 7));
    let proof = old.registry.consistency(&old.origin, 6, 7).await.unwrap().unwrap();
    let accepted = late.registry.accept(&new, &[(old.origin.clone(), proof)]).await.unwrap();
    assert_eq!(accepted[0].beyond, 0);

    let silent = told(&new, |_| false);
    for registry in [&partner.registry, &ahead.registry] {
        let refused = answer(registry, &silent).await;
        assert!(refused.contains("ask for an introduction that tells of the earlier log"), "{refused}");
        assert!(registry.introduce(&silent).await.is_err());
    }
}

#[tokio::test]
async fn of_two_histories_a_partner_says_how_much_it_gives_up() {
    let (old, [_, second]) = old().await;
    let partner = Nation::founded("KE").await;
    partner.befriend(&old).await;
    pull(&old, &partner.registry).await;
    let new = introduced(&old.succeeded("chancery-2", (&second, 2), 6).await).await;
    let other = Checkpoint { origin: old.origin.clone(), size: 7, root: Digest::of(b"another history") };
    let other = checkpoint::sign(other, &old.key(Role::Log)).unwrap().to_string();
    partner.registry.keep_contradiction(&old.origin, &[other]).await.unwrap();
    assert_eq!(answer(&partner.registry, &new).await, "[2]");
}

#[tokio::test]
async fn roots_that_were_replaced_found_no_log_that_a_partner_accepts() {
    let (old, [first, _]) = old().await;
    let (partner, behind) = (Nation::founded("KE").await, Nation::founded("BR").await);
    partner.befriend(&old).await;
    pull(&old, &partner.registry).await;
    behind.befriend(&old).await;
    pull_to(&old, &behind.registry, 6).await;
    let thief = old.succeeded("chancery-2", (&first, 1), 8).await;
    let new = told(&introduced(&thief).await, |it| it.record_digest() == first.record_digest());
    let refused = answer(&partner.registry, &new).await;
    assert!(refused.contains("it leaves out the charter") && refused.contains("entry 4"), "{refused}");
    let proof = old.registry.consistency(&old.origin, 6, 8).await.unwrap().unwrap();
    let refused = behind.registry.accept(&new, &[(old.origin.clone(), proof)]).await.unwrap_err().to_string();
    assert!(refused.contains("it leaves out the charter"), "{refused}");
    let refused = thief.registry.begin_former().await.unwrap_err().to_string();
    assert!(refused.contains("it leaves out the charter"), "nor is it founded: {refused}");
}

/// Two logs, the one after the other, that go on from so many entries of the old one.
async fn chain(old: &Nation, second: &Envelope, base: u64) -> (Nation, Nation) {
    let middle = old.succeeded("chancery-2", (second, 2), base).await;
    let charter = middle.registry.envelope(&middle.origin, 0).await.unwrap().unwrap();
    let last = middle.succeeded("chancery-3", (&Envelope::parse(&charter).unwrap(), 2), 4).await;
    last.registry.begin_former().await.unwrap();
    pull_to(old, &last.registry, base).await;
    assert_eq!(last.registry.begin_former().await.unwrap(), None);
    (middle, last)
}

#[tokio::test]
async fn every_log_of_a_chain_is_compared_with_what_is_held() {
    let (old, [_, second]) = old().await;
    let partner = Nation::founded("KE").await;
    partner.befriend(&old).await;
    pull(&old, &partner.registry).await;
    let (_, last) = chain(&old, &second, 8).await;
    assert_eq!(answer(&partner.registry, &introduced(&last).await).await, "[0, 0]");
    let (_, last) = chain(&old, &second, 7).await;
    let refused = answer(&partner.registry, &introduced(&last).await).await;
    assert!(refused.contains("1 entries would be given up"), "{refused}");
}

#[tokio::test]
async fn a_partner_accepts_one_log_in_the_place_of_another_and_none_that_was_succeeded() {
    let (old, [_, second]) = old().await;
    let partner = Nation::founded("KE").await;
    let (middle, last) = chain(&old, &second, 8).await;
    partner.befriend(&last).await;
    for earlier in [&old, &middle] {
        let refused = answer(&partner.registry, &introduced(earlier).await).await;
        assert!(refused.contains("has taken the place of"), "{refused}");
    }
    let rival = old.succeeded("chancery-4", (&second, 2), 8).await;
    let refused = answer(&partner.registry, &introduced(&rival).await).await;
    assert!(refused.contains("fr.example.org/chancery-2 has taken the place of"), "{refused}");
    assert_eq!(answer(&partner.registry, &introduced(&last).await).await, "[0, 0]", "the same again");
}

#[tokio::test]
async fn an_earlier_log_with_another_fingerprint_than_the_one_known_is_refused() {
    let (old, [_, second]) = old().await;
    let rival = Nation::rival("FR").await;
    let (mirrors, accredits) = (Nation::founded("KE").await, Nation::founded("BR").await);
    mirrors.befriend(&rival).await;
    pull(&rival, &mirrors.registry).await;
    accredits.befriend(&rival).await;
    let new = introduced(&old.succeeded("chancery-2", (&second, 2), 8).await).await;
    for partner in [&mirrors, &accredits] {
        let refused = answer(&partner.registry, &new).await;
        for fingerprint in [old.fingerprint, rival.fingerprint] {
            assert!(refused.contains(&fingerprint.to_string()), "{refused}");
        }
    }
}

#[tokio::test]
async fn a_checkpoint_that_was_shown_and_is_not_held_yet_is_compared_too() {
    let (old, [_, second]) = old().await;
    let partner = Nation::founded("KE").await;
    partner.befriend(&old).await;
    let other = Checkpoint { origin: old.origin.clone(), size: 8, root: Digest::of(b"another history") };
    let other = checkpoint::sign(other, &old.key(Role::Log)).unwrap().to_string();
    partner.registry.set_pending(&old.origin, &other).await.unwrap();
    let new = introduced(&old.succeeded("chancery-2", (&second, 2), 8).await).await;
    let refused = answer(&partner.registry, &new).await;
    assert!(refused.contains("it has another root"), "{refused}");
}
