//! Dropping the view and computing it again from the logs; and its digest, to compare the two.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::digest::Digest;
use chancery_schema::log::entry::Entry;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IdenStatic, Iterable, ModelTrait, QueryFilter, QueryOrder, QuerySelect,
    Value,
};

use super::entity::{delegation, found, model, model_language, model_license, nation, record};
use super::project::judge_and_project;
use crate::entity::{body, entry, missing};
use crate::error::Attempting;
use crate::log::{self, Log, column, digest, size};
use crate::{Error, Registry, Result};

/// Entries whose bodies are in memory at once: 64 of the largest are 64 MiB.
const ENTRIES_PER_QUERY: u64 = 64;

impl Registry {
    /// Drops every view table and computes it again from the logs, in one transaction. Answers how
    /// many entries.
    ///
    /// # Errors
    /// When the database fails; the view is then as it was.
    pub async fn rebuild_view(&self) -> Result<u64> {
        let writing = self.core.store.write().await?;
        let entries = rebuild_all(&*writing).await?;
        writing.commit().await?;
        Ok(entries)
    }

    /// A digest of the whole view, to compare a rebuilt one with the live one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn view_digest(&self) -> Result<Digest> {
        view_digest(&self.core.store.snapshot().await?).await
    }
}

/// Computes the view of every log again. Answers how many entries.
pub(crate) async fn rebuild_all(db: &impl ConnectionTrait) -> Result<u64> {
    let mut entries = 0;
    for held in log::all(db).await? {
        entries += rebuild_log(db, &held.log).await?;
    }
    Ok(entries)
}

/// Computes the view of one log again. Answers how many entries.
pub(crate) async fn rebuild_log(db: &impl ConnectionTrait, log: &Log) -> Result<u64> {
    clear(db, log).await?;
    let missing = missing_in(db, log).await?;
    let mut next = 0;
    loop {
        let rows = rows(db, log, next).await?;
        if rows.is_empty() {
            return Ok(next);
        }
        let bodies = bodies(db, rows.iter().filter_map(|row| row.envelope.clone())).await?;
        for row in rows {
            let index = size(row.idx)?;
            if let Ok(entry) = Entry::parse(&row.bytes) {
                let body = bodies.get(&entry.envelope()).filter(|_| !missing.contains(&entry.envelope()));
                judge_and_project(db, log, index, &entry, body.map(Vec::as_slice)).await?;
            }
            next = index + 1;
        }
    }
}

/// The digest of every row of the view: of each log by origin, table by table, in the order of their
/// keys. Rows are the same wherever the same entries are held, whatever number a log has there.
pub(super) async fn view_digest(db: &impl ConnectionTrait) -> Result<Digest> {
    let mut digest = Digest::of(b"chancery.view/v1\n");
    let mut logs = log::all(db).await?;
    logs.sort_by(|one, other| one.log.origin.cmp(&other.log.origin));
    for held in logs {
        digest = chain(digest, held.log.origin.as_str().as_bytes());
        digest = table_digest::<record::Entity>(db, &held.log, digest).await?;
        digest = table_digest::<nation::Entity>(db, &held.log, digest).await?;
        digest = table_digest::<delegation::Entity>(db, &held.log, digest).await?;
        digest = table_digest::<model::Entity>(db, &held.log, digest).await?;
        digest = table_digest::<model_language::Entity>(db, &held.log, digest).await?;
        digest = table_digest::<model_license::Entity>(db, &held.log, digest).await?;
        digest = table_digest::<found::Entity>(db, &held.log, digest).await?;
    }
    Ok(digest)
}

async fn clear(db: &impl ConnectionTrait, log: &Log) -> Result<()> {
    clear_table::<record::Entity>(db, log).await?;
    clear_table::<nation::Entity>(db, log).await?;
    clear_table::<delegation::Entity>(db, log).await?;
    clear_table::<model::Entity>(db, log).await?;
    clear_table::<model_language::Entity>(db, log).await?;
    clear_table::<model_license::Entity>(db, log).await?;
    clear_table::<found::Entity>(db, log).await
}

async fn clear_table<E: EntityTrait>(db: &impl ConnectionTrait, log: &Log) -> Result<()> {
    let rows = E::delete_many().filter(column_of::<E>(LOG).eq(log.id));
    rows.exec(db).await.attempting("clear a table of the view").map(|_| ())
}

const LOG: &str = "log_id";
const INDEX: &str = "idx";

/// Every table of the view has these columns.
fn column_of<E: EntityTrait>(name: &str) -> E::Column {
    E::Column::iter().find(|column| column.as_str() == name).expect("every table of the view has log_id and idx")
}

/// Folds the rows of one table into `digest`, a stretch of the log at a time.
async fn table_digest<E>(db: &impl ConnectionTrait, log: &Log, mut digest: Digest) -> Result<Digest>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
{
    digest = chain(digest, E::default().table_name().as_bytes());
    let mut after = -1;
    loop {
        let rows = E::find().filter(column_of::<E>(LOG).eq(log.id)).filter(column_of::<E>(INDEX).gt(after));
        let last: Option<i64> = rows
            .clone()
            .select_only()
            .column(column_of::<E>(INDEX))
            .distinct()
            .order_by_asc(column_of::<E>(INDEX))
            .offset(ENTRIES_PER_QUERY - 1)
            .limit(1)
            .into_tuple()
            .one(db)
            .await
            .attempting("read the view")?;
        let stretch = rows.filter(column_of::<E>(INDEX).lte(last.unwrap_or(i64::MAX)));
        let mut rows = Vec::new();
        for row in stretch.all(db).await.attempting("read the view")? {
            rows.push(row_bytes::<E>(&row)?);
        }
        rows.sort_unstable();
        digest = rows.iter().fold(digest, |digest, row| chain(digest, row));
        match last {
            Some(last) => after = last,
            None => return Ok(digest),
        }
    }
}

/// The columns of a row but the log's number, the index first: each with its length.
fn row_bytes<E>(row: &E::Model) -> Result<Vec<u8>>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
{
    let mut bytes = number(row.get(column_of::<E>(INDEX)))?.to_be_bytes().to_vec();
    for column in E::Column::iter().filter(|column| ![LOG, INDEX].contains(&column.as_str())) {
        let value = match row.get(column) {
            Value::Bytes(value) => value,
            Value::String(value) => value.map(String::into_bytes),
            Value::Bool(value) => value.map(|value| vec![u8::from(value)]),
            other => Some(number(other)?.to_be_bytes().to_vec()),
        };
        let length = value.as_ref().map_or(u64::MAX, |value| value.len() as u64);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend(value.unwrap_or_default());
    }
    Ok(bytes)
}

fn number(value: Value) -> Result<i64> {
    match value {
        Value::BigInt(Some(value)) => Ok(value),
        other => Err(Error::Inconsistent(format!("the view has a value of an unknown type: {other:?}"))),
    }
}

fn chain(digest: Digest, bytes: &[u8]) -> Digest {
    Digest::of_parts(&[digest.as_bytes(), bytes])
}

async fn rows(db: &impl ConnectionTrait, log: &Log, start: u64) -> Result<Vec<entry::Model>> {
    let rows = entry::Entity::find()
        .filter(entry::Column::LogId.eq(log.id))
        .filter(entry::Column::Idx.gte(column(start)))
        .order_by_asc(entry::Column::Idx)
        .limit(ENTRIES_PER_QUERY)
        .all(db)
        .await;
    rows.attempting("read entries")
}

async fn bodies(
    db: &impl ConnectionTrait,
    envelopes: impl Iterator<Item = Vec<u8>>,
) -> Result<BTreeMap<Digest, Vec<u8>>> {
    let rows = body::Entity::find().filter(body::Column::Envelope.is_in(envelopes)).all(db).await;
    rows.attempting("read bodies")?.into_iter().map(|row| Ok((digest(&row.envelope)?, row.bytes))).collect()
}

/// What this log still waits for, although another log may have brought it.
async fn missing_in(db: &impl ConnectionTrait, log: &Log) -> Result<BTreeSet<Digest>> {
    let rows = missing::Entity::find().filter(missing::Column::LogId.eq(log.id)).all(db).await;
    rows.attempting("ask what is missing")?.iter().map(|row| digest(&row.digest)).collect()
}
