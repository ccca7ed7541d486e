//! Erasing what redactions ask for: bodies, and the blobs that no other record names; first from the tables, in
//! the transaction that takes the redaction, then from the database's files, beside it; and what the node then
//! has to sign.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::record::ErasureReceipt;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entity::{blob, body, entry, erased, missing};
use crate::error::Attempting;
use crate::log::{self, Log, column, digest, size};
use crate::{Registry, Result, bodies, view};

/// Erased envelopes that are marked in one statement: databases bound its parameters.
const ROWS_PER_STATEMENT: usize = 256;

impl Registry {
    /// Makes sure that nothing of what was erased is left in the database's files, if anything was since the
    /// last time; answers whether. On `PostgreSQL` its write-ahead log keeps what it holds until the server
    /// recycles it. Nothing where another process sequences: that one does it.
    ///
    /// # Errors
    /// When the database fails, or others still read what was there before; try again later.
    pub async fn scrub(&self) -> Result<bool> {
        if !self.core.leads() {
            return Ok(false);
        }
        let unscrubbed: Vec<Vec<u8>> = erased::Entity::find()
            .select_only()
            .column(erased::Column::Envelope)
            .filter(erased::Column::Scrubbed.eq(false))
            .into_tuple()
            .all(self.core.store.read())
            .await
            .attempting("ask what was erased")?;
        if unscrubbed.is_empty() {
            return Ok(false);
        }
        self.core.store.scrub().await?;
        let writing = self.core.store.write().await?;
        for some in unscrubbed.chunks(ROWS_PER_STATEMENT) {
            let update = erased::Entity::update_many().col_expr(erased::Column::Scrubbed, Expr::value(true));
            let update = update.filter(erased::Column::Envelope.is_in(some.iter().cloned())).exec(&*writing).await;
            update.attempting("remember what is scrubbed")?;
        }
        writing.commit().await?;
        Ok(true)
    }

    /// The erasures of which the own log has no receipt yet, at most `limit`, those that are scrubbed: for the
    /// node's key to sign and [`Registry::admit`] to enter. Nothing where another process sequences.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unreceipted(&self, limit: u64) -> Result<Vec<ErasureReceipt>> {
        if !self.core.leads() {
            return Ok(Vec::new());
        }
        let db = self.core.store.snapshot().await?;
        let Some(own) = log::own(&db).await? else { return Ok(Vec::new()) };
        view::unreceipted(&db, &own.log, limit).await
    }
}

/// Erases what the redactions of a log ask for, and is not erased yet. What was erased for a redaction that does
/// not count any more, since something before it arrived late, is missed again.
pub(crate) async fn follow(db: &impl ConnectionTrait, log: &Log) -> Result<()> {
    for (index, record) in view::unerased(db, log).await? {
        erase(db, log, index, &record).await?;
    }
    for row in view::erased_for_nothing(db, log).await? {
        erased::Entity::delete_by_id(row.envelope.clone()).exec(db).await.attempting("take an erasure back")?;
        let entries = entry::Entity::find().filter(entry::Column::LogId.eq(log.id));
        let entries = entries.filter(entry::Column::Envelope.eq(row.envelope.clone()));
        let first = entries.order_by_asc(entry::Column::Idx).one(db).await.attempting("take an erasure back")?;
        if let Some(first) = first {
            bodies::miss(db, log, &digest(&row.envelope)?, size(first.idx)?).await?;
        }
    }
    Ok(())
}

async fn erase(db: &impl ConnectionTrait, log: &Log, index: u64, record: &Digest) -> Result<()> {
    let attempted = "erase a record";
    let place = entry::Entity::find_by_id((log.id, column(index))).one(db).await.attempting(attempted)?;
    let envelope = place.and_then(|row| row.envelope);
    // The same record may lie in other envelopes, whatever they count for.
    let held = body::Entity::find().filter(body::Column::Record.eq(record.as_bytes().to_vec())).all(db).await;
    let held: BTreeMap<Vec<u8>, Vec<u8>> =
        held.attempting(attempted)?.into_iter().map(|row| (row.envelope, row.bytes)).collect();
    let envelopes: BTreeSet<Vec<u8>> = held.keys().cloned().chain(envelope).collect();
    for envelope in &envelopes {
        write(db, log, envelope.clone(), record).await?;
        body::Entity::delete_by_id(envelope.clone()).exec(db).await.attempting(attempted)?;
        not_missing(db, envelope).await?;
    }
    let blobs: BTreeSet<Digest> =
        held.values().flat_map(|body| bodies::blobs_named(body)).map(|blob| blob.sha256).collect();
    for sha256 in blobs {
        if !view::names_blob(db, &sha256).await? {
            let sha256 = sha256.as_bytes().to_vec();
            blob::Entity::delete_by_id(sha256.clone()).exec(db).await.attempting(attempted)?;
            not_missing(db, &sha256).await?;
        }
    }
    Ok(())
}

async fn write(db: &impl ConnectionTrait, log: &Log, envelope: Vec<u8>, record: &Digest) -> Result<()> {
    let row = erased::ActiveModel {
        envelope: Set(envelope),
        record: Set(record.as_bytes().to_vec()),
        log_id: Set(log.id),
        scrubbed: Set(false),
    };
    let place = OnConflict::column(erased::Column::Envelope).do_nothing().to_owned();
    let written = erased::Entity::insert(row).on_conflict(place).exec_without_returning(db).await;
    written.attempting("remember what is erased").map(|_| ())
}

/// Nobody waits for it any more.
async fn not_missing(db: &impl ConnectionTrait, digest: &[u8]) -> Result<()> {
    let rows = missing::Entity::delete_many().filter(missing::Column::Digest.eq(digest.to_vec()));
    rows.exec(db).await.attempting("wait no more for what is erased").map(|_| ())
}

/// Whether an envelope is erased: as such, or, where its bytes are here, by the record in it. It is not kept then,
/// and nobody waits for it.
pub(crate) async fn is_erased(db: &impl ConnectionTrait, envelope: &Digest, bytes: Option<&[u8]>) -> Result<bool> {
    let attempted = "ask what is erased";
    let known = erased::Entity::find_by_id(envelope.as_bytes().to_vec()).one(db).await.attempting(attempted)?;
    if known.is_some() {
        return Ok(true);
    }
    let Some(parsed) = bytes.and_then(|bytes| Envelope::from_fixed(bytes).ok()) else { return Ok(false) };
    let record = parsed.record_digest();
    let rows = erased::Entity::find().filter(erased::Column::Record.eq(record.as_bytes().to_vec()));
    let Some(row) = rows.one(db).await.attempting(attempted)? else { return Ok(false) };
    // Nothing of it was kept, so nothing of it is to be scrubbed.
    let again = erased::ActiveModel {
        envelope: Set(envelope.as_bytes().to_vec()),
        record: Set(row.record),
        log_id: Set(row.log_id),
        scrubbed: Set(true),
    };
    let place = OnConflict::column(erased::Column::Envelope).do_nothing().to_owned();
    let written = erased::Entity::insert(again).on_conflict(place).exec_without_returning(db).await;
    written.attempting("remember what is erased")?;
    not_missing(db, envelope.as_bytes()).await?;
    Ok(true)
}
