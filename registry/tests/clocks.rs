//! Clocks that differ: what a node makes of its own and of its partners'.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use common::{Nation, day};

const DAY: i64 = 86_400;
const YEARS: i64 = 3650 * DAY;

/// France and Kenya, who cosigns the head of France's log; answers its size and Kenya's lines.
async fn pair() -> (Nation, Nation, u64, Vec<String>) {
    let (source, partner) = (Nation::founded("FR").await, Nation::founded("KE").await);
    source.befriend(&partner).await;
    partner.befriend(&source).await;
    let head = source.registry.head(&source.origin).await.unwrap().unwrap();
    partner.registry.set_pending(&source.origin, &head.note).await.unwrap();
    let (package, bodies) = source.registry.package(&source.origin, 0, head.size).await.unwrap().unwrap();
    partner.registry.extend(&package, &bodies).await.unwrap();
    let lines = partner.registry.cosign(&source.origin).await.unwrap();
    (source, partner, head.size, lines)
}

#[tokio::test]
async fn a_clock_that_steps_raises_the_alarm_and_ends_it_when_it_is_right() {
    let (source, partner, size, lines) = pair().await;
    assert_eq!(source.registry.clocks().alarm(), None, "nobody was heard");
    source.registry.add_cosignatures(&source.origin, size, &lines).await.unwrap();
    for (step, side) in [(YEARS, 1), (-YEARS, -1), (400 * DAY, 1), (-3600, -1), (3600, 1), (-1, 0), (299, 0)] {
        source.wait(step);
        let alarm = source.registry.clocks().alarm();
        assert_eq!(alarm.as_ref().map_or(0, |alarm| alarm.seconds.signum()), side, "{step}: {alarm:?}");
        assert!(alarm.is_none_or(|alarm| alarm.partners == [partner.code.clone()]), "{step}");
        source.wait(-step);
        assert_eq!(source.registry.clocks().alarm(), None, "{step}");
    }
}

#[tokio::test]
async fn what_was_known_before_tells_only_that_a_clock_is_behind() {
    let (source, _partner, size, lines) = pair().await;
    source.registry.add_cosignatures(&source.origin, size, &lines).await.unwrap();
    // The process begins anew: the partner's line may be of any age.
    let reopened = source.reopened().await;
    reopened.add_cosignatures(&source.origin, size, &lines).await.unwrap();
    for (step, side) in [(YEARS, 0), (-YEARS, -1)] {
        source.wait(step);
        assert_eq!(reopened.clocks().alarm().map_or(0, |alarm| alarm.seconds.signum()), side, "{step}");
        source.wait(-step);
    }
}

#[tokio::test]
async fn a_heartbeat_of_a_wrong_clock_does_not_stand_in_the_way_of_the_next() {
    for step in [YEARS, -YEARS] {
        let (source, mirror, size, _) = pair().await;
        let origin = &source.origin;
        let say = async || {
            source.registry.heartbeat().await.unwrap();
            let seen = source.registry.cosignatures(origin, None).await.unwrap();
            let lines: Vec<String> = seen.into_iter().map(|seen| seen.line).collect();
            mirror.registry.add_cosignatures(origin, size, &lines).await.unwrap();
        };
        source.wait(step);
        say().await;
        source.wait(600);
        say().await;
        source.wait(-step);
        source.wait(600);
        mirror.wait(1200);
        say().await;
        for registry in [&source.registry, &mirror.registry] {
            let standing = registry.standing(origin, None).await.unwrap().unwrap();
            assert_eq!((standing.heartbeat, standing.stale_since), (Some(day().plus_seconds(1200)), None), "{step}");
        }
        // Nor does it make a silent log look fresh for years.
        mirror.wait(DAY);
        let standing = mirror.registry.standing(origin, None).await.unwrap().unwrap();
        assert_eq!(standing.stale_since, Some(day().plus_seconds(1200 + DAY)), "{step}");
        assert_eq!(mirror.registry.add_cosignatures(origin, size, &[]).await.unwrap(), 0);
    }
}
