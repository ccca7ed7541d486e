//! Bodies and blobs: what lies beside the logs, and what is missing of it.

use std::collections::BTreeMap;

use chancery_schema::admission::Submission;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::limits::{BLOB_BYTES_MAX, BLOBS_PER_RECORD_MAX, ENVELOPE_BYTES_MAX};
use chancery_schema::name::Origin;
use chancery_schema::record::BlobRef;
use chancery_schema::time::Timestamp;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::entity::{blob, body, missing};
use crate::error::Attempting;
use crate::log::{Log, column, digest, size};
use crate::{Result, bounds};

/// Rows named in one statement: databases bound its parameters.
const ROWS_PER_STATEMENT: usize = 256;

/// The blobs that the record in a body names; none when it cannot be read.
pub(crate) fn blobs_named(body: &[u8]) -> Vec<BlobRef> {
    let submission = Envelope::from_fixed(body).ok().and_then(|envelope| Submission::open(envelope).ok());
    let mut blobs = submission.map_or_else(Vec::new, |submission| submission.record.blobs());
    blobs.truncate(BLOBS_PER_RECORD_MAX);
    blobs
}

/// The record in a body, and the log that its header says it is for: no other log can admit it.
pub(crate) fn record_for(body: &[u8]) -> Option<(Digest, Origin)> {
    let submission = Submission::open(Envelope::from_fixed(body).ok()?).ok()?;
    Some((submission.digest, submission.header.log))
}

/// Keeps an envelope's fixed form under its digest. Bytes that are no envelope are kept too: their
/// entry is then judged void, here as everywhere.
pub(crate) async fn keep_body(db: &impl ConnectionTrait, envelope: &Digest, bytes: &[u8]) -> Result<()> {
    let record = Envelope::from_fixed(bytes).map_or(*envelope, |parsed| parsed.record_digest());
    let row = body::ActiveModel {
        envelope: Set(envelope.as_bytes().to_vec()),
        record: Set(record.as_bytes().to_vec()),
        bytes: Set(bytes.to_vec()),
    };
    let place = OnConflict::column(body::Column::Envelope).do_nothing().to_owned();
    let kept = body::Entity::insert(row).on_conflict(place).exec_without_returning(db).await;
    kept.attempting("keep a body").map(|_| ())
}

/// The bytes of the envelope with this digest.
pub(crate) async fn body(db: &impl ConnectionTrait, envelope: &Digest) -> Result<Option<Vec<u8>>> {
    let row = body::Entity::find_by_id(envelope.as_bytes().to_vec()).one(db).await;
    Ok(row.attempting("read a body")?.map(|row| row.bytes))
}

/// Whether bytes may be a body at all: nodes admit none that are larger.
pub(crate) fn may_be_body(bytes: &[u8]) -> bool {
    bytes.len() <= ENVELOPE_BYTES_MAX
}

/// Keeps a blob under its digest. One that a record names is no longer dropped.
pub(crate) async fn keep_blob(
    db: &impl ConnectionTrait,
    sha256: &Digest,
    bytes: Vec<u8>,
    named: bool,
    now: Timestamp,
) -> Result<()> {
    let row = blob::ActiveModel {
        sha256: Set(sha256.as_bytes().to_vec()),
        size: Set(column(bytes.len() as u64)),
        bytes: Set(bytes),
        named: Set(named),
        received_at: Set(now.unix_seconds()),
    };
    let place = OnConflict::column(blob::Column::Sha256).do_nothing().to_owned();
    let kept = blob::Entity::insert(row).on_conflict(place).exec_without_returning(db).await;
    kept.attempting("keep a blob")?;
    if named { name_blobs(db, [*sha256]).await } else { Ok(()) }
}

/// Says that a record names these blobs.
pub(crate) async fn name_blobs(db: &impl ConnectionTrait, blobs: impl IntoIterator<Item = Digest>) -> Result<()> {
    let blobs: Vec<Vec<u8>> = blobs.into_iter().map(|blob| blob.as_bytes().to_vec()).collect();
    if blobs.is_empty() {
        return Ok(());
    }
    let update = blob::Entity::update_many().col_expr(blob::Column::Named, Expr::value(true));
    update.filter(blob::Column::Sha256.is_in(blobs)).exec(db).await.attempting("mark blobs as named").map(|_| ())
}

/// Of these blobs, those that are held, with their sizes.
pub(crate) async fn held_blobs(db: &impl ConnectionTrait, blobs: &[BlobRef]) -> Result<BTreeMap<Digest, u64>> {
    let wanted = blobs.iter().map(|blob| blob.sha256.as_bytes().to_vec());
    let rows: Vec<(Vec<u8>, i64)> = blob::Entity::find()
        .select_only()
        .columns([blob::Column::Sha256, blob::Column::Size])
        .filter(blob::Column::Sha256.is_in(wanted))
        .into_tuple()
        .all(db)
        .await
        .attempting("ask which blobs are held")?;
    rows.iter().map(|(sha256, bytes)| Ok((digest(sha256)?, size(*bytes)?))).collect()
}

/// The bytes of a blob that a record names. What nobody has signed for is not passed on.
pub(crate) async fn blob(db: &impl ConnectionTrait, sha256: &Digest) -> Result<Option<Vec<u8>>> {
    let row = blob::Entity::find_by_id(sha256.as_bytes().to_vec()).filter(blob::Column::Named.eq(true)).one(db).await;
    Ok(row.attempting("read a blob")?.map(|row| row.bytes))
}

/// Whether bytes of this length may be a blob.
pub(crate) fn may_be_blob(bytes: &[u8]) -> bool {
    bytes.len() as u64 <= BLOB_BYTES_MAX
}

/// Remembers that entry `index` names a body or blob that has not arrived.
pub(crate) async fn miss(db: &impl ConnectionTrait, log_id: i64, digest: &Digest, index: u64) -> Result<()> {
    let row =
        missing::ActiveModel { log_id: Set(log_id), digest: Set(digest.as_bytes().to_vec()), idx: Set(column(index)) };
    let place = OnConflict::columns([missing::Column::LogId, missing::Column::Digest]).do_nothing().to_owned();
    let kept = missing::Entity::insert(row).on_conflict(place).exec_without_returning(db).await;
    kept.attempting("remember what is missing").map(|_| ())
}

/// At which entry a digest was missing, which it no longer is; `None` when it was not.
pub(crate) async fn arrive(db: &impl ConnectionTrait, log: &Log, digest: &Digest) -> Result<Option<u64>> {
    let place = (log.id, digest.as_bytes().to_vec());
    let Some(row) = missing::Entity::find_by_id(place.clone()).one(db).await.attempting("ask what is missing")? else {
        return Ok(None);
    };
    missing::Entity::delete_by_id(place).exec(db).await.attempting("remember what arrived")?;
    size(row.idx).map(Some)
}

/// What entries of a log name and is not held, with the first entry that names it, in log order.
pub(crate) async fn missing(
    db: &impl ConnectionTrait,
    log: &Log,
    after: Option<(u64, Digest)>,
    limit: u64,
) -> Result<Vec<(u64, Digest)>> {
    let mut rows = missing::Entity::find().filter(missing::Column::LogId.eq(log.id));
    if let Some((index, digest)) = after {
        let index = column(index);
        let same = Condition::all().add(missing::Column::Idx.eq(index));
        let same = same.add(missing::Column::Digest.gt(digest.as_bytes().to_vec()));
        rows = rows.filter(Condition::any().add(missing::Column::Idx.gt(index)).add(same));
    }
    let rows = rows.order_by_asc(missing::Column::Idx).order_by_asc(missing::Column::Digest).limit(limit).all(db).await;
    rows.attempting("ask what is missing")?.iter().map(|row| Ok((size(row.idx)?, digest(&row.digest)?))).collect()
}

/// Whether a blob is held. One that no record names yet begins to wait anew.
pub(crate) async fn holds_blob(db: &impl ConnectionTrait, sha256: &Digest, now: Timestamp) -> Result<bool> {
    let update = blob::Entity::update_many().col_expr(blob::Column::ReceivedAt, Expr::value(now.unix_seconds()));
    let found = update.filter(blob::Column::Sha256.eq(sha256.as_bytes().to_vec())).exec(db).await;
    Ok(found.attempting("ask whether a blob is held")?.rows_affected > 0)
}

/// Drops blobs that no record named in time.
pub(crate) async fn drop_late(db: &impl ConnectionTrait, before: Timestamp) -> Result<()> {
    let late = blob::Entity::delete_many().filter(blob::Column::Named.eq(false));
    let late = late.filter(blob::Column::ReceivedAt.lt(before.unix_seconds())).exec(db).await;
    late.attempting("drop blobs that no record names").map(|_| ())
}

/// Makes room for another blob of `length` bytes that no record names yet: drops those that have waited
/// longest, as far as they are too many. So whoever fills the room delays nobody but who is slower.
pub(crate) async fn make_room(db: &impl ConnectionTrait, length: u64) -> Result<()> {
    let waiting: Vec<(Vec<u8>, i64)> = blob::Entity::find()
        .select_only()
        .columns([blob::Column::Sha256, blob::Column::Size])
        .filter(blob::Column::Named.eq(false))
        .order_by_desc(blob::Column::ReceivedAt)
        .order_by_asc(blob::Column::Sha256)
        .into_tuple()
        .all(db)
        .await
        .attempting("ask which blobs wait for a record")?;
    let mut bytes = length;
    let mut surplus = Vec::new();
    for (place, (sha256, length)) in (1..).zip(waiting) {
        bytes += size(length)?;
        if bytes > bounds::UNNAMED_BLOB_BYTES || place >= bounds::UNNAMED_BLOBS {
            surplus.push(sha256);
        }
    }
    for surplus in surplus.chunks(ROWS_PER_STATEMENT) {
        let dropped = blob::Entity::delete_many().filter(blob::Column::Sha256.is_in(surplus.iter().cloned()));
        dropped.exec(db).await.attempting("make room for a blob")?;
    }
    Ok(())
}
