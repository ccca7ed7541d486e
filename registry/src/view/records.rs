//! Asking the view for records, and for whatever has a digest.

use chancery_schema::digest::Digest;
use chancery_schema::name::Origin;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::card::kept;
use super::entity::{found, record};
use super::page::{self, Cursor as _, Place};
use super::verdict::{Logs, REDACTED, VOID, admitted};
use super::what;
use crate::entity::body;
use crate::error::Attempting;
use crate::log::{self, Log, column, size};
use crate::{Error, Found, Page, PageOf, RecordSummary, Registry, Result};

/// Things with one digest that are shown: a file that many models share has a row in each.
const FOUND_MAX: u64 = 1000;

/// Records with one digest that are compared: one for each log that repeats it.
const SAME_DIGEST_MAX: u64 = 256;

impl Registry {
    /// Records of a log or of all, newest first, optionally of one kind: in a log by position, across
    /// logs by the time that their signers claim.
    ///
    /// # Errors
    /// When the database fails, or the cursor is not one of [`PageOf::items`].
    pub async fn records(
        &self,
        origin: Option<&Origin>,
        kind: Option<&str>,
        page: &Page,
    ) -> Result<PageOf<RecordSummary>> {
        let db = self.core.store.snapshot().await?;
        let mut records = record::Entity::find();
        if let Some(origin) = origin {
            let Some(held) = log::find(&db, origin).await? else {
                return Ok(PageOf { items: Vec::new(), has_next: false, total: 0 });
            };
            records = records.filter(record::Column::LogId.eq(held.log.id));
        }
        if let Some(kind) = kind {
            records = records.filter(record::Column::Kind.eq(kept(kind)));
        }
        let total = records.clone().count(&db).await.attempting("count records")?;
        let records = if origin.is_some() { in_log(records, page)? } else { across_logs(records, page)? };
        let first = page::first(page);
        let mut rows = records.limit(first + 1).all(&db).await.attempting("list records")?;
        let has_next = rows.len() as u64 > first;
        rows.truncate(usize::try_from(first).unwrap_or(usize::MAX));
        let logs = Logs::read(&db).await?;
        let item = |row: record::Model| {
            let place = Place { at: row.at, log_id: row.log_id, idx: row.idx };
            Ok((place.to_cursor(), logs.summary(row)?))
        };
        Ok(PageOf { items: rows.into_iter().map(item).collect::<Result<_>>()?, has_next, total })
    }

    /// The record with this digest, wherever it was logged: where it counts rather than where it does
    /// not, then the own log first, then by origin.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(&self, digest: &Digest) -> Result<Option<RecordSummary>> {
        let db = self.core.store.snapshot().await?;
        let Some(row) = by_digest(&db, digest).await? else { return Ok(None) };
        Logs::read(&db).await?.summary(row).map(Some)
    }

    /// The fixed form of a record's envelope, unless its body is not held.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn envelope(&self, origin: &Origin, index: u64) -> Result<Option<Vec<u8>>> {
        let db = self.core.store.snapshot().await?;
        let Some(held) = log::find(&db, origin).await? else { return Ok(None) };
        let bytes: Option<Vec<u8>> = record::Entity::find_by_id((held.log.id, column(index)))
            .select_only()
            .column(body::Column::Bytes)
            .join(sea_orm::JoinType::InnerJoin, super::body_of_record())
            .into_tuple()
            .one(&db)
            .await
            .attempting("read an envelope")?;
        Ok(bytes)
    }

    /// Everything that has this digest: records, envelopes, files, chunk roots, manifests, OMS roots,
    /// blobs, keys. What counts comes first; at most 1000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lookup(&self, digest: &Digest) -> Result<Vec<Found>> {
        let db = self.core.store.snapshot().await?;
        let rows = found::Entity::find()
            .find_also(found::Entity, record::Entity)
            .filter(found::Column::Digest.eq(digest.as_bytes().to_vec()))
            .limit(FOUND_MAX)
            .all(&db)
            .await
            .attempting("look up a digest")?;
        let logs = Logs::read(&db).await?;
        let unknown = || Error::Inconsistent("the view has a digest of nothing it knows".to_owned());
        let mut everything = Vec::new();
        for (row, record) in rows {
            let what = what::from_word(&row.what).ok_or_else(unknown)?;
            everything.push(Found { what, name: row.name, record: logs.summary(record.ok_or_else(unknown)?)? });
        }
        Ok(everything)
    }
}

/// The row of the record with this digest that [`Registry::record`] shows.
pub(super) async fn by_digest(db: &impl ConnectionTrait, digest: &Digest) -> Result<Option<record::Model>> {
    let rows = record::Entity::find()
        .filter(record::Column::Digest.eq(digest.as_bytes().to_vec()))
        .order_by_asc(record::Column::LogId)
        .order_by_asc(record::Column::Idx)
        .limit(SAME_DIGEST_MAX)
        .all(db)
        .await
        .attempting("look for a record")?;
    if rows.len() < 2 {
        return Ok(rows.into_iter().next());
    }
    let logs = Logs::read(db).await?;
    let mut best: Option<(_, record::Model)> = None;
    for row in rows {
        let log = logs.get(row.log_id)?;
        // Only what was admitted has signers. What is void comes last, and what is known by a redaction alone after
        // what a body says.
        let counts = match (!row.signers.is_empty(), row.verdict.as_str()) {
            (false, _) | (_, VOID) => 2,
            (true, REDACTED) => 1,
            (true, _) => 0,
        };
        let rank = (counts, !log.own, log.origin.clone(), row.idx);
        if best.as_ref().is_none_or(|(first, _)| rank < *first) {
            best = Some((rank, row));
        }
    }
    Ok(best.map(|(_, row)| row))
}

/// Where a record that was admitted stands in a log.
pub(super) async fn position(db: &impl ConnectionTrait, log: &Log, digest: &Digest) -> Result<Option<u64>> {
    let row = record::Entity::find()
        .filter(record::Column::LogId.eq(log.id))
        .filter(record::Column::Digest.eq(digest.as_bytes().to_vec()))
        .filter(admitted())
        .order_by_asc(record::Column::Idx)
        .one(db)
        .await
        .attempting("look for a record")?;
    row.map(|row| size(row.idx)).transpose()
}

fn in_log(records: Select<record::Entity>, page: &Page) -> Result<Select<record::Entity>> {
    let records = match Place::after(page)? {
        Some(place) => records.filter(record::Column::Idx.lt(place.idx)),
        None => records,
    };
    Ok(records.order_by_desc(record::Column::Idx))
}

fn across_logs(records: Select<record::Entity>, page: &Page) -> Result<Select<record::Entity>> {
    let records = match Place::after(page)? {
        Some(Place { at, log_id, idx }) => {
            let in_log = Condition::all().add(record::Column::LogId.eq(log_id)).add(record::Column::Idx.lt(idx));
            let same_time = Condition::any().add(record::Column::LogId.gt(log_id)).add(in_log);
            let same_time = Condition::all().add(record::Column::At.eq(at)).add(same_time);
            records.filter(Condition::any().add(record::Column::At.lt(at)).add(same_time))
        }
        None => records,
    };
    Ok(records.order_by_desc(record::Column::At).order_by_asc(record::Column::LogId).order_by_desc(record::Column::Idx))
}
