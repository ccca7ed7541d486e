//! Lists of models: their orders, and how they are walked a page at a time.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod common;

use chancery_registry::{Error, ModelFilter, ModelOrder, ModelSummary, Page};
use chancery_schema::key::Role;
use chancery_schema::record::Kind;
use common::{Nation, pull};

#[tokio::test]
async fn models_by_name_are_walked_without_gaps_and_repeats_while_the_list_grows() {
    let (own, partner) = (Nation::founded("KE").await, Nation::founded("FR").await);
    publish(&partner, "lab", "baobab", "1.0").await;
    publish(&partner, "lab", "acacia", "1.0").await;
    publish(&own, "studio", "baobab", "1.0").await;
    publish(&own, "lab", "baobab", "1.0").await;
    own.befriend(&partner).await;
    pull(&partner, &own.registry).await;

    let mut after = None;
    assert_eq!(next(&own, &mut after).await, "FR lab/acacia 1.0");
    assert_eq!(next(&own, &mut after).await, "KE lab/baobab 1.0");
    // What comes before is not shown any more, what comes after is; and nobody moves.
    publish(&own, "lab", "aloe", "1.0").await;
    publish(&own, "lab", "baobab", "2.0").await;
    publish(&own, "lab", "baobab-2", "1.0").await;
    assert_eq!(next(&own, &mut after).await, "FR lab/baobab 1.0");
    publish(&own, "studio", "baobab", "2.0").await;
    assert_eq!(next(&own, &mut after).await, "KE studio/baobab 2.0");
    assert_eq!(next(&own, &mut after).await, "KE lab/baobab-2 1.0");
    assert_eq!(after, None);

    let all = own.registry.models(&ModelFilter::default(), ModelOrder::Name, &page(None)).await.unwrap();
    let names: Vec<String> = all.items.iter().map(|(_, model)| said(model)).collect();
    let expected = [
        "FR lab/acacia 1.0",
        "KE lab/aloe 1.0",
        "KE lab/baobab 2.0",
        "FR lab/baobab 1.0",
        "KE studio/baobab 2.0",
        "KE lab/baobab-2 1.0",
    ];
    assert_eq!((names.as_slice(), all.total, all.has_next), (expected.map(str::to_owned).as_slice(), 6, false));
}

#[tokio::test]
async fn a_filter_and_an_order_go_together() {
    let nation = Nation::founded("KE").await;
    for (org, name) in [("lab", "amani"), ("studio", "baraka"), ("lab", "umoja")] {
        publish(&nation, org, name, "1.0").await;
    }
    let filter = ModelFilter { text: Some("LAB".to_owned()), ..ModelFilter::default() };
    for (order, expected) in [
        (ModelOrder::Newest, ["KE lab/umoja 1.0", "KE lab/amani 1.0"]),
        (ModelOrder::Name, ["KE lab/amani 1.0", "KE lab/umoja 1.0"]),
    ] {
        let models = nation.registry.models(&filter, order, &page(None)).await.unwrap();
        let names: Vec<String> = models.items.iter().map(|(_, model)| said(model)).collect();
        assert_eq!((names.as_slice(), models.total), (expected.map(str::to_owned).as_slice(), 2), "{order:?}");
    }
}

#[tokio::test]
async fn a_cursor_continues_its_own_order_only() {
    let nation = Nation::founded("KE").await;
    publish(&nation, "lab", "umoja", "1.0").await;
    let all = ModelFilter::default();
    for (order, other) in [(ModelOrder::Newest, ModelOrder::Name), (ModelOrder::Name, ModelOrder::Newest)] {
        let models = nation.registry.models(&all, order, &page(None)).await.unwrap();
        let end = page(Some(models.items[0].0.clone()));
        assert_eq!(nation.registry.models(&all, order, &end).await.unwrap().items, []);
        let error = nation.registry.models(&all, other, &end).await.unwrap_err();
        assert!(matches!(&error, Error::Invalid(problem) if problem.contains("in this order")), "{error}");
    }
}

/// Turns to the next page, of one model; `after` is none when it was the last.
async fn next(nation: &Nation, after: &mut Option<String>) -> String {
    let page = Page { first: 1, after: after.take() };
    let mut models = nation.registry.models(&ModelFilter::default(), ModelOrder::Name, &page).await.unwrap();
    let (cursor, model) = models.items.remove(0);
    *after = models.has_next.then_some(cursor);
    said(&model)
}

fn page(after: Option<String>) -> Page {
    Page { first: 100, after }
}

fn said(model: &ModelSummary) -> String {
    format!("{} {}/{} {}", model.nation, model.org, model.name, model.version)
}

async fn publish(nation: &Nation, org: &str, name: &str, version: &str) {
    nation.upload(name).await;
    let mut draft = Nation::card_draft(name);
    draft["org"] = org.into();
    draft["version"] = version.into();
    nation.admit(&nation.sign(Kind::ModelCard, &draft, Role::Publisher)).await;
}
