//! Taking the view of a log back to where it stood before an entry.
//!
//! Rows of later entries go. What later entries changed in earlier rows is undone: a charter and a card
//! that were superseded, and a delegation whose place a newer one for the same key took.

use chancery_schema::record::Record;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::bundle::{charters, delegated};
use super::entity::{delegation, found, model, model_language, model_license, nation, record};
use super::judge::reopen;
use super::project::{write_delegation, write_nation};
use super::rebuild::{INDEX, LOG, column_of};
use super::verdict::VALID;
use crate::entity::body;
use crate::error::Attempting;
use crate::log::{Log, column, digest};
use crate::{Error, Result};

/// Takes the view of a log back to its first `first` entries.
pub(super) async fn back_to(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<()> {
    if first > 0 {
        restore_charter(db, log, first).await?;
        restore_delegations(db, log, first).await?;
        restore_cards(db, log, first).await?;
    }
    drop_rows::<record::Entity>(db, log, first).await?;
    drop_rows::<nation::Entity>(db, log, first).await?;
    drop_rows::<delegation::Entity>(db, log, first).await?;
    drop_rows::<model::Entity>(db, log, first).await?;
    drop_rows::<model_language::Entity>(db, log, first).await?;
    drop_rows::<model_license::Entity>(db, log, first).await?;
    drop_rows::<found::Entity>(db, log, first).await
}

async fn drop_rows<E: EntityTrait>(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<()> {
    let rows = E::delete_many().filter(column_of::<E>(LOG).eq(log.id));
    let rows = rows.filter(column_of::<E>(INDEX).gte(column(first))).exec(db).await;
    rows.attempting("clear a table of the view").map(|_| ())
}

/// The charter that was in force, if another one is since.
async fn restore_charter(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<()> {
    let later = nation::Entity::find_by_id(log.id).filter(nation::Column::Idx.gte(column(first))).one(db).await;
    if later.attempting("read a charter")?.is_none() {
        return Ok(());
    }
    let Some((before, digest)) = charters(db, log, first).await?.pop() else { return Ok(()) };
    let Record::Charter(charter) = record_at(db, log, before).await? else {
        return Err(Error::Inconsistent(format!("entry {before} of {} is no charter", log.origin)));
    };
    write_nation(db, log, before, &digest, &charter).await?;
    reinstate(db, log, column(before)).await
}

/// Of each key that was delegated anew since, the delegation before.
async fn restore_delegations(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<()> {
    let later = delegation::Entity::find().filter(delegation::Column::LogId.eq(log.id));
    let later = later.filter(delegation::Column::Idx.gte(column(first))).all(db).await;
    for row in later.attempting("read delegations")? {
        if let Some(before) = delegated(db, log, &digest(&row.keyid)?, first).await? {
            let record = record_at(db, log, before).await?;
            let Record::Delegation(delegation) = record else {
                return Err(Error::Inconsistent(format!("entry {before} of {} is no delegation", log.origin)));
            };
            write_delegation(db, log, before, &delegation).await?;
        }
    }
    Ok(())
}

/// Of each model version that has a newer card since, the card before.
async fn restore_cards(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<()> {
    let later: Vec<(String, String)> = model::Entity::find()
        .select_only()
        .columns([model::Column::Urn, model::Column::Version])
        .distinct()
        .filter(model::Column::LogId.eq(log.id))
        .filter(model::Column::Idx.gte(column(first)))
        .into_tuple()
        .all(db)
        .await
        .attempting("read cards")?;
    for (urn, version) in later {
        // Every card of a version supersedes the one before, so the newest was the one that stood.
        let before = model::Entity::find()
            .filter(model::Column::LogId.eq(log.id))
            .filter(model::Column::Urn.eq(urn))
            .filter(model::Column::Version.eq(version))
            .filter(model::Column::Idx.lt(column(first)))
            .order_by_desc(model::Column::Idx)
            .one(db)
            .await
            .attempting("look for the card before")?;
        if let Some(before) = before {
            reinstate(db, log, before.idx).await?;
        }
    }
    Ok(())
}

/// Lets a card or a charter stand again.
async fn reinstate(db: &impl ConnectionTrait, log: &Log, index: i64) -> Result<()> {
    let update = model::Entity::update_many().col_expr(model::Column::Current, Expr::value(true));
    let update = update.filter(model::Column::LogId.eq(log.id)).filter(model::Column::Idx.eq(index));
    update.exec(db).await.attempting("reinstate a card")?;
    let update = record::Entity::update_many()
        .col_expr(record::Column::Verdict, Expr::value(VALID))
        .col_expr(record::Column::SupersededBy, Expr::value(None::<Vec<u8>>))
        .filter(record::Column::LogId.eq(log.id))
        .filter(record::Column::Idx.eq(index));
    update.exec(db).await.attempting("reinstate a record").map(|_| ())
}

/// The record of an entry that counts.
async fn record_at(db: &impl ConnectionTrait, log: &Log, index: u64) -> Result<Record> {
    let bytes: Option<Vec<u8>> = record::Entity::find_by_id((log.id, column(index)))
        .select_only()
        .column(body::Column::Bytes)
        .join(sea_orm::JoinType::InnerJoin, super::body_of_record())
        .into_tuple()
        .one(db)
        .await
        .attempting("read a record")?;
    let absent = || Error::Inconsistent(format!("entry {index} of {} counts and is not held", log.origin));
    reopen(&log.origin, &bytes.ok_or_else(absent)?).map(|(_, record)| record)
}
