//! Dropping the view and computing it again from the logs; and its digest, to compare the two.

use std::collections::BTreeMap;

use chancery_schema::digest::Digest;
use chancery_schema::log::entry::Entry;
use chancery_schema::name::Origin;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IdenStatic, Iterable, ModelTrait, QueryFilter, QueryOrder, QuerySelect,
    Value,
};

use super::back::back_to;
use super::claims::Claims;
use super::entity::{
    delegation, ending, erasure_receipt, found, model, model_language, model_license, nation, record, revocation,
};
use super::project::judge_and_project;
use crate::entity::{body, entry, erased, missing};
use crate::error::Attempting;
use crate::log::{self, Held, Log, column, digest, size};
use crate::{Error, Registry, Result, erase};

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
        for held in log::all(&*writing).await? {
            erase::follow(&*writing, &held.log).await?;
        }
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
        entries += rebuild_from(db, &held.log, 0).await?;
    }
    Ok(entries)
}

/// Computes the view of one log again from entry `first` on; what is before it stays, for a verdict
/// rests on earlier entries alone. Answers how many entries the log has.
///
/// A record whose body is gone is judged by what a later redaction says of it. Where that does not count when
/// its own turn comes, it spoke for nothing, and all is computed once more without it.
pub(crate) async fn rebuild_from(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<u64> {
    let mut claims = Claims::read(db, log, first).await?;
    let first = claims.first();
    loop {
        back_to(db, log, first).await?;
        let entries = pass(db, log, first, &mut claims).await?;
        if claims.all_hold(db, log).await? {
            return Ok(entries);
        }
    }
}

async fn pass(db: &impl ConnectionTrait, log: &Log, first: u64, claims: &mut Claims) -> Result<u64> {
    let mut next = first;
    loop {
        let rows = rows(db, log, next).await?;
        if rows.is_empty() {
            return Ok(next);
        }
        let envelopes: Vec<Vec<u8>> = rows.iter().filter_map(|row| row.envelope.clone()).collect();
        let mut bodies = bodies(db, &envelopes).await?;
        for gone in [missing_of(db, log, &envelopes).await?, erased_of(db, log, &envelopes).await?].concat() {
            bodies.remove(&gone);
        }
        for row in rows {
            let index = size(row.idx)?;
            if let Ok(entry) = Entry::parse(&row.bytes) {
                let body = bodies.get(&entry.envelope()).map(Vec::as_slice);
                let redaction = if body.is_none() { claims.of(db, log, index, &entry).await? } else { None };
                judge_and_project(db, log, index, &entry, (body, redaction)).await?;
            }
            next = index + 1;
        }
    }
}

/// The digest of the whole view: of every table of every log.
async fn view_digest(db: &impl ConnectionTrait) -> Result<Digest> {
    let tables = table_digests(db).await?;
    let parts = tables.iter().map(|((origin, table), digest)| (format!("{origin} {table}"), digest));
    let digest = Digest::of(b"chancery.view/v1\n");
    Ok(parts.fold(digest, |digest, (name, table)| chain(chain(digest, name.as_bytes()), table.as_bytes())))
}

/// The digest of each table's rows of each log, in the order of their keys. Rows are the same wherever
/// the same entries are held, whatever number a log has there.
pub(super) async fn table_digests(db: &impl ConnectionTrait) -> Result<BTreeMap<(Origin, &'static str), Digest>> {
    let mut digests = BTreeMap::new();
    for Held { log, .. } in log::all(db).await? {
        let tables = [
            ("record", table_digest::<record::Entity>(db, &log).await?),
            ("nation", table_digest::<nation::Entity>(db, &log).await?),
            ("delegation", table_digest::<delegation::Entity>(db, &log).await?),
            ("revocation", table_digest::<revocation::Entity>(db, &log).await?),
            ("ending", table_digest::<ending::Entity>(db, &log).await?),
            ("erasure_receipt", table_digest::<erasure_receipt::Entity>(db, &log).await?),
            ("model", table_digest::<model::Entity>(db, &log).await?),
            ("model_language", table_digest::<model_language::Entity>(db, &log).await?),
            ("model_license", table_digest::<model_license::Entity>(db, &log).await?),
            ("found", table_digest::<found::Entity>(db, &log).await?),
        ];
        digests.extend(tables.map(|(table, digest)| ((log.origin.clone(), table), digest)));
    }
    Ok(digests)
}

pub(super) const LOG: &str = "log_id";
pub(super) const INDEX: &str = "idx";

/// Every table of the view has these columns.
pub(super) fn column_of<E: EntityTrait>(name: &str) -> E::Column {
    E::Column::iter().find(|column| column.as_str() == name).expect("every table of the view has log_id and idx")
}

/// The digest of a log's rows in one table, read a stretch of the log at a time.
async fn table_digest<E>(db: &impl ConnectionTrait, log: &Log) -> Result<Digest>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E>,
{
    let mut digest = Digest::of(b"");
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

pub(super) async fn bodies(db: &impl ConnectionTrait, envelopes: &[Vec<u8>]) -> Result<BTreeMap<Digest, Vec<u8>>> {
    let rows = body::Entity::find().filter(body::Column::Envelope.is_in(envelopes.iter().cloned())).all(db).await;
    rows.attempting("read bodies")?.into_iter().map(|row| Ok((digest(&row.envelope)?, row.bytes))).collect()
}

/// Of these envelopes, those that this log still waits for, although another log may have brought them.
async fn missing_of(db: &impl ConnectionTrait, log: &Log, envelopes: &[Vec<u8>]) -> Result<Vec<Digest>> {
    let rows = missing::Entity::find().filter(missing::Column::LogId.eq(log.id));
    let rows = rows.filter(missing::Column::Digest.is_in(envelopes.iter().cloned())).all(db).await;
    rows.attempting("ask what is missing")?.iter().map(|row| digest(&row.digest)).collect()
}

/// Of these envelopes, those that are erased in this log, although another log may have a body under the name.
async fn erased_of(db: &impl ConnectionTrait, log: &Log, envelopes: &[Vec<u8>]) -> Result<Vec<Digest>> {
    let rows = erased::Entity::find().filter(erased::Column::LogId.eq(log.id));
    let rows = rows.filter(erased::Column::Envelope.is_in(envelopes.iter().cloned())).all(db).await;
    rows.attempting("ask what is erased")?.iter().map(|row| digest(&row.envelope)).collect()
}
