//! Taking the view of a log back to where it stood before an entry.
//!
//! Rows of later entries go, and what they did to earlier records is weighed again without them. What a later
//! charter took the place of is in force again.

use chancery_schema::record::Record;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use super::bundle::charters_before;
use super::entity::{
    delegation, ending, erasure_receipt, found, model, model_language, model_license, nation, record, revocation,
};
use super::judge::reopen;
use super::project::write_nation;
use super::rebuild::{INDEX, LOG, column_of};
use super::verdict::VALID;
use super::weigh;
use crate::entity::body;
use crate::error::Attempting;
use crate::log::{Log, column};
use crate::{Error, Result};

/// Takes the view of a log back to its first `first` entries.
pub(super) async fn back_to(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<()> {
    if first > 0 {
        restore_charter(db, log, first).await?;
    }
    let versions = versions_since(db, log, first).await?;
    let reached_back = revoked_since(db, log, first).await? || ended_since(db, log, first).await?;
    drop_rows::<record::Entity>(db, log, first).await?;
    drop_rows::<nation::Entity>(db, log, first).await?;
    drop_rows::<delegation::Entity>(db, log, first).await?;
    drop_rows::<revocation::Entity>(db, log, first).await?;
    drop_rows::<ending::Entity>(db, log, first).await?;
    drop_rows::<erasure_receipt::Entity>(db, log, first).await?;
    drop_rows::<model::Entity>(db, log, first).await?;
    drop_rows::<model_language::Entity>(db, log, first).await?;
    drop_rows::<model_license::Entity>(db, log, first).await?;
    drop_rows::<found::Entity>(db, log, first).await?;
    if first == 0 {
        return Ok(());
    }
    if reached_back {
        weigh::again(db, log).await?;
    }
    for (urn, version) in versions {
        weigh::cards(db, log, (&urn, &version), 0).await?;
    }
    Ok(())
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
    let Some((before, digest)) = charters_before(db, log, first).await?.pop() else { return Ok(()) };
    let Record::Charter(charter) = record_at(db, log, before).await? else {
        return Err(Error::Inconsistent(format!("entry {before} of {} is no charter", log.origin)));
    };
    write_nation(db, log, before, &digest, &charter).await?;
    reinstate(db, log, column(before)).await
}

/// The model versions that have a newer card since.
async fn versions_since(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<Vec<(String, String)>> {
    let versions = model::Entity::find()
        .select_only()
        .columns([model::Column::Urn, model::Column::Version])
        .distinct()
        .filter(model::Column::LogId.eq(log.id))
        .filter(model::Column::Idx.gte(column(first)))
        .into_tuple()
        .all(db)
        .await;
    versions.attempting("read cards")
}

/// Whether a revocation since reached back to what stays.
async fn revoked_since(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<bool> {
    let later = revocation::Entity::find().filter(revocation::Column::LogId.eq(log.id));
    let later = later.filter(revocation::Column::Idx.gte(column(first))).count(db).await;
    Ok(later.attempting("ask for revocations")? > 0)
}

/// Whether something since ended what stays.
async fn ended_since(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<bool> {
    let later = ending::Entity::find().filter(ending::Column::LogId.eq(log.id));
    let later = later.filter(ending::Column::Idx.gte(column(first))).count(db).await;
    Ok(later.attempting("ask for withdrawals")? > 0)
}

/// Lets a charter stand again.
async fn reinstate(db: &impl ConnectionTrait, log: &Log, index: i64) -> Result<()> {
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
