//! Asking the view for models.

use sea_orm::sea_query::{Expr, LikeExpr, Query};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::card::{fold, kept};
use super::entity::{model, model_language, model_license, record};
use super::page::{self, Cursor as _, NamePlace, Place};
use super::verdict::{Logs, digests};
use crate::error::Attempting;
use crate::log::digest;
use crate::{Error, ModelFilter, ModelOrder, ModelSummary, Page, PageOf, Registry, Result};

/// Words of a search that count: more do not find better.
const WORDS_MAX: usize = 16;

/// Versions of one model that are shown.
const VERSIONS_MAX: u64 = 1000;

impl Registry {
    /// Models by the newest version of each, in an order, a page at a time.
    ///
    /// # Errors
    /// When the database fails, or the cursor is not one of [`PageOf::items`] in the same order.
    pub async fn models(&self, filter: &ModelFilter, order: ModelOrder, page: &Page) -> Result<PageOf<ModelSummary>> {
        let db = self.core.store.snapshot().await?;
        let models = filtered(newest(), filter);
        let total = models.clone().count(&db).await.attempting("count models")?;
        let first = page::first(page);
        let continued = match order {
            ModelOrder::Newest => by_time(models, page)?,
            ModelOrder::Name => by_name(models, page)?,
        };
        let rows = continued.find_also(model::Entity, record::Entity).limit(first + 1).all(&db).await;
        let mut rows = rows.attempting("list models")?;
        let has_next = rows.len() as u64 > first;
        rows.truncate(usize::try_from(first).unwrap_or(usize::MAX));
        let logs = Logs::read(&db).await?;
        let item = |(row, record): (model::Model, Option<record::Model>)| {
            let cursor = match order {
                ModelOrder::Newest => Place { at: row.at, log_id: row.log_id, idx: row.idx }.to_cursor(),
                ModelOrder::Name => {
                    NamePlace { name: row.name.clone(), org: row.org.clone(), log_id: row.log_id }.to_cursor()
                }
            };
            Ok((cursor, summary(row, record, &logs)?))
        };
        Ok(PageOf { items: rows.into_iter().map(item).collect::<Result<_>>()?, has_next, total })
    }

    /// One model's versions, newest first, those that have ended after the others: the cards that stand. Rival claimants' models of the same
    /// name come after each other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn versions(&self, urn: &str) -> Result<Vec<ModelSummary>> {
        let db = self.core.store.snapshot().await?;
        let rows = model::Entity::find()
            .filter(model::Column::Urn.eq(kept(urn)))
            .filter(model::Column::Current.eq(true))
            .order_by_asc(model::Column::LogId)
            .order_by_asc(model::Column::Ended)
            .order_by_desc(model::Column::Since)
            .find_also(model::Entity, record::Entity)
            .limit(VERSIONS_MAX)
            .all(&db)
            .await
            .attempting("list the versions of a model")?;
        let logs = Logs::read(&db).await?;
        rows.into_iter().map(|(row, record)| summary(row, record, &logs)).collect()
    }
}

/// Of each model the version that was published last and has not ended, or the last one where all have: `latest`
/// goes by log order.
fn newest() -> Select<model::Entity> {
    let newer = "NOT EXISTS (SELECT 1 FROM model AS newer WHERE newer.log_id = model.log_id AND newer.urn = model.urn \
                 AND newer.current = model.current AND (newer.ended < model.ended OR newer.ended = model.ended AND \
                 newer.since > model.since))";
    model::Entity::find().filter(model::Column::Current.eq(true)).filter(Expr::cust(newer))
}

fn filtered(mut models: Select<model::Entity>, filter: &ModelFilter) -> Select<model::Entity> {
    if let Some(nation) = &filter.nation {
        models = models.filter(model::Column::Nation.eq(nation.as_str()));
    }
    if let Some(ended) = filter.ended {
        models = models.filter(model::Column::Ended.eq(ended));
    }
    for word in filter.text.iter().flat_map(|text| text.split_whitespace()).take(WORDS_MAX) {
        models = models.filter(Expr::col((model::Entity, model::Column::Search)).like(containing(&fold(word))));
    }
    if let Some(language) = &filter.language {
        let tag = fold(language);
        let varieties = LikeExpr::new(format!("{}-%", escaped(&tag))).escape('\\');
        let known = Query::select()
            .expr(Expr::val(1))
            .from(model_language::Entity)
            .and_where(same(model_language::Column::LogId, model::Column::LogId))
            .and_where(same(model_language::Column::Idx, model::Column::Idx))
            .cond_where(
                Condition::any()
                    .add(model_language::Column::Tag.eq(tag))
                    .add(Expr::col((model_language::Entity, model_language::Column::Tag)).like(varieties)),
            )
            .to_owned();
        models = models.filter(Expr::exists(known));
    }
    if let Some(license) = &filter.license {
        let named = Query::select()
            .expr(Expr::val(1))
            .from(model_license::Entity)
            .and_where(same(model_license::Column::LogId, model::Column::LogId))
            .and_where(same(model_license::Column::Idx, model::Column::Idx))
            .and_where(model_license::Column::Name.eq(fold(license)))
            .to_owned();
        models = models.filter(Expr::exists(named));
    }
    models
}

fn same<C: ColumnTrait>(column: C, of_model: model::Column) -> Expr {
    Expr::col(column.as_column_ref()).equals((model::Entity, of_model))
}

fn containing(word: &str) -> LikeExpr {
    LikeExpr::new(format!("%{}%", escaped(word))).escape('\\')
}

/// What a pattern would take for a wild card stands for itself.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn by_time(models: Select<model::Entity>, page: &Page) -> Result<Select<model::Entity>> {
    let models = match Place::after(page)? {
        Some(Place { at, log_id, idx }) => {
            let in_log = Condition::all().add(model::Column::LogId.eq(log_id)).add(model::Column::Idx.lt(idx));
            let same_time = Condition::any().add(model::Column::LogId.gt(log_id)).add(in_log);
            let same_time = Condition::all().add(model::Column::At.eq(at)).add(same_time);
            models.filter(Condition::any().add(model::Column::At.lt(at)).add(same_time))
        }
        None => models,
    };
    Ok(models.order_by_desc(model::Column::At).order_by_asc(model::Column::LogId).order_by_desc(model::Column::Idx))
}

/// A log has one newest version of each model, so name, publisher and log leave nothing undecided. The
/// database compares names as it orders them, whatever its collation.
fn by_name(models: Select<model::Entity>, page: &Page) -> Result<Select<model::Entity>> {
    let order = [model::Column::Name, model::Column::Org, model::Column::LogId];
    let models = match NamePlace::after(page)? {
        Some(NamePlace { name, org, log_id }) => {
            let place = Expr::tuple([Expr::val(name), Expr::val(org), Expr::val(log_id)]);
            models.filter(Expr::tuple(order.map(ColumnTrait::into_expr)).gt(place))
        }
        None => models,
    };
    Ok(order.into_iter().fold(models, QueryOrder::order_by_asc))
}

fn summary(row: model::Model, record: Option<record::Model>, logs: &Logs) -> Result<ModelSummary> {
    let broken = |what: &str| Error::Inconsistent(format!("the {what} of {} in the view cannot be read", row.urn));
    let names: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&row.display_name).map_err(|_| broken("name"))?;
    Ok(ModelSummary {
        nation: row.nation.parse().map_err(|_| broken("nation"))?,
        display_name: names.into_iter().collect(),
        languages: serde_json::from_str(&row.languages).map_err(|_| broken("languages"))?,
        license_record: row.license_record.as_deref().map(digest).transpose()?,
        weights: digests(&row.weights)?,
        card: logs.summary(record.ok_or_else(|| broken("card"))?)?,
        urn: row.urn,
        version: row.version,
        ended: row.ended,
        org: row.org,
        name: row.name,
        license: row.license,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_takes_for_a_wild_card_stands_for_itself() {
        assert_eq!(escaped("100%_\\"), "100\\%\\_\\\\");
    }
}
