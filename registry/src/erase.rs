//! Erasing what redactions ask for: bodies, and the blobs that no other record names; first from the tables, in
//! the transaction that takes the redaction, then from the database's files, beside it; and what the node then
//! has to sign.

use std::collections::BTreeSet;

use chancery_schema::digest::Digest;
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
        let unscrubbed: Vec<(i64, Vec<u8>)> = erased::Entity::find()
            .select_only()
            .columns([erased::Column::LogId, erased::Column::Envelope])
            .filter(erased::Column::Scrubbed.eq(false))
            .order_by_asc(erased::Column::LogId)
            .into_tuple()
            .all(self.core.store.read())
            .await
            .attempting("ask what was erased")?;
        if unscrubbed.is_empty() {
            return Ok(false);
        }
        self.core.store.scrub().await?;
        let writing = self.core.store.write().await?;
        for some in unscrubbed.chunk_by(|(one, _), (other, _)| one == other) {
            for some in some.chunks(ROWS_PER_STATEMENT) {
                let update = erased::Entity::update_many().col_expr(erased::Column::Scrubbed, Expr::value(true));
                let update = update.filter(erased::Column::LogId.is_in(some.iter().map(|(log_id, _)| *log_id).take(1)));
                let envelopes = some.iter().map(|(_, envelope)| envelope.clone());
                let update = update.filter(erased::Column::Envelope.is_in(envelopes)).exec(&*writing).await;
                update.attempting("remember what is scrubbed")?;
            }
        }
        writing.commit().await?;
        Ok(true)
    }

    /// The erasures of which the own log has no receipt yet, at most `limit`, those that are scrubbed, and of which
    /// nothing is here for another log, for the node's key to sign and [`Registry::admit`] to enter. Logs take
    /// turns, and of each at most 256 are due within a day. Nothing where another process sequences.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unreceipted(&self, limit: u64) -> Result<Vec<ErasureReceipt>> {
        if !self.core.leads() {
            return Ok(Vec::new());
        }
        let db = self.core.store.snapshot().await?;
        let Some(own) = log::own(&db).await? else { return Ok(Vec::new()) };
        view::unreceipted(&db, &own.log, limit, self.core.now()).await
    }
}

/// Erases what the redactions of a log ask for, and is not erased yet. What was erased for a redaction that does
/// not count any more, since something before it arrived late, is missed again.
pub(crate) async fn follow(db: &impl ConnectionTrait, log: &Log) -> Result<()> {
    for (index, record) in view::unerased(db, log).await? {
        erase(db, log, index, &record).await?;
    }
    for row in view::erased_for_nothing(db, log).await? {
        let place = (row.log_id, row.envelope.clone());
        erased::Entity::delete_by_id(place).exec(db).await.attempting("take an erasure back")?;
        let entries = entry::Entity::find().filter(entry::Column::LogId.eq(row.log_id));
        let entries = entries.filter(entry::Column::Envelope.eq(row.envelope.clone()));
        let first = entries.order_by_asc(entry::Column::Idx).one(db).await.attempting("take an erasure back")?;
        if let Some(first) = first {
            bodies::miss(db, row.log_id, &digest(&row.envelope)?, size(first.idx)?).await?;
        }
    }
    Ok(())
}

/// Erases a record of a log. A redaction speaks of its own log alone: no body goes that is for another log,
/// whatever digest the redaction names, and whatever envelope the entry does.
async fn erase(db: &impl ConnectionTrait, log: &Log, index: u64, record: &Digest) -> Result<()> {
    let attempted = "erase a record";
    let held: Vec<Vec<u8>> = body::Entity::find()
        .select_only()
        .column(body::Column::Envelope)
        .filter(body::Column::Record.eq(record.as_bytes().to_vec()))
        .into_tuple()
        .all(db)
        .await
        .attempting(attempted)?;
    let (mut places, mut blobs) = (BTreeSet::new(), BTreeSet::new());
    // The same record may lie in other envelopes, and in other logs, where it counts for nothing.
    for envelope in held {
        let Some(bytes) = bodies::body(db, &digest(&envelope)?).await? else { continue };
        if bodies::record_for(&bytes) != Some((*record, log.origin.clone())) {
            continue;
        }
        blobs.extend(bodies::blobs_named(&bytes).into_iter().map(|blob| blob.sha256));
        body::Entity::delete_by_id(envelope.clone()).exec(db).await.attempting(attempted)?;
        let logs: Vec<i64> = entry::Entity::find()
            .select_only()
            .column(entry::Column::LogId)
            .distinct()
            .filter(entry::Column::Envelope.eq(envelope.clone()))
            .into_tuple()
            .all(db)
            .await
            .attempting(attempted)?;
        places.extend(logs.into_iter().map(|log| (log, envelope.clone())));
    }
    let held = !places.is_empty();
    let place = entry::Entity::find_by_id((log.id, column(index))).one(db).await.attempting(attempted)?;
    places.extend(place.and_then(|row| row.envelope).map(|envelope| (log.id, envelope)));
    for (of_log, envelope) in &places {
        let row = erased::ActiveModel {
            log_id: Set(*of_log),
            envelope: Set(envelope.clone()),
            record: Set(record.as_bytes().to_vec()),
            redacted_in: Set(log.id),
            // Where nothing was held nothing is to be scrubbed.
            scrubbed: Set(!held),
        };
        write(db, row, *of_log == log.id).await?;
        not_missing(db, *of_log, envelope).await?;
    }
    for sha256 in blobs {
        if !view::names_blob(db, &sha256).await? {
            let sha256 = sha256.as_bytes().to_vec();
            blob::Entity::delete_by_id(sha256.clone()).exec(db).await.attempting(attempted)?;
            for of_log in places.iter().map(|(of_log, _)| *of_log).collect::<BTreeSet<_>>() {
                not_missing(db, of_log, &sha256).await?;
            }
        }
    }
    Ok(())
}

/// Remembers what is erased. What the redactions of the log itself say, `own`, comes before what another log's do.
async fn write(db: &impl ConnectionTrait, row: erased::ActiveModel, own: bool) -> Result<()> {
    let mut place = OnConflict::columns([erased::Column::LogId, erased::Column::Envelope]);
    if own {
        place.update_columns([erased::Column::Record, erased::Column::RedactedIn]);
    } else {
        place.do_nothing();
    }
    let written = erased::Entity::insert(row).on_conflict(place).exec_without_returning(db).await;
    written.attempting("remember what is erased").map(|_| ())
}

/// A log waits for it no more.
async fn not_missing(db: &impl ConnectionTrait, log_id: i64, digest: &[u8]) -> Result<()> {
    let row = missing::Entity::delete_by_id((log_id, digest.to_vec()));
    row.exec(db).await.attempting("wait no more for what is erased").map(|_| ())
}

/// Whether an envelope of a log's entry is erased: as such, or, where its bytes are here, by the record in it, if
/// the log that it is for has redacted that. It is not kept then, and the log does not wait for it.
pub(crate) async fn is_erased(
    db: &impl ConnectionTrait,
    log: &Log,
    envelope: &Digest,
    bytes: Option<&[u8]>,
) -> Result<bool> {
    let attempted = "ask what is erased";
    let place = (log.id, envelope.as_bytes().to_vec());
    if erased::Entity::find_by_id(place).one(db).await.attempting(attempted)?.is_some() {
        return Ok(true);
    }
    let Some((record, origin)) = bytes.and_then(bodies::record_for) else { return Ok(false) };
    let Some(of) = log::find(db, &origin).await? else { return Ok(false) };
    let rows = erased::Entity::find().filter(erased::Column::Record.eq(record.as_bytes().to_vec()));
    let rows = rows.filter(erased::Column::RedactedIn.eq(of.log.id));
    if rows.one(db).await.attempting(attempted)?.is_none() {
        return Ok(false);
    }
    let again = erased::ActiveModel {
        log_id: Set(log.id),
        envelope: Set(envelope.as_bytes().to_vec()),
        record: Set(record.as_bytes().to_vec()),
        redacted_in: Set(of.log.id),
        // Nothing of it was kept, so nothing of it is to be scrubbed.
        scrubbed: Set(true),
    };
    write(db, again, false).await?;
    not_missing(db, log.id, envelope.as_bytes()).await?;
    Ok(true)
}
