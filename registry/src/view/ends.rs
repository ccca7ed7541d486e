//! What ended records: withdrawals and redactions as the view keeps them, and who says that a body is gone.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::admission::{Admitted, End};
use chancery_schema::digest::Digest;
use chancery_schema::name::Origin;
use chancery_schema::record::{ErasureReceipt, Kind, Record, Redaction, Texts, Withdrawal};
use chancery_schema::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Related, Select,
};
use serde::Serialize;

use super::entity::{ending, erasure_receipt, found, record};
use super::verdict::{Logs, VOID, digests, joined};
use super::what::word;
use crate::entity::erased;
use crate::error::Attempting;
use crate::log::{self, Log, column, digest, size};
use crate::{Ending, Erasure, Error, FoundAs, Registry, Result};

/// Ends of one record that are shown: one redaction, and before it a withdrawal for each that became void.
const ENDS_MAX: u64 = 16;

/// Receipts of one erasure that are read: one for each node that mirrors the log.
const RECEIPTS_MAX: u64 = 1000;

/// Receipts for erasures of one log within a day: each is an entry of the own log for good, and it is that log's
/// nation which decides how many redactions there are.
const RECEIPTS_PER_LOG_AND_DAY: u64 = 256;

const DAY_SECONDS: i64 = 86_400;

/// Which rows of `erased` are there for a row of `ending`: that of a redaction in its own log, and no other.
const OF_ENDING: &str = "erased.redacted_in = ending.log_id AND erased.record = ending.ended";

impl Registry {
    /// What ended a record of a log, in log order; at most 16. A withdrawal whose verdict is void ends nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ends(&self, origin: &Origin, record: &Digest) -> Result<Vec<Ending>> {
        let db = self.core.store.snapshot().await?;
        let Some(held) = log::find(&db, origin).await? else { return Ok(Vec::new()) };
        let rows = of_record(&held.log, record).find_also(ending::Entity, record::Entity).limit(ENDS_MAX).all(&db);
        let logs = Logs::read(&db).await?;
        let mut ends = Vec::new();
        for (row, record) in rows.await.attempting("read what ended a record")? {
            let record = record.ok_or_else(|| broken(&held.log))?;
            let (reason, statement) = said(&held.log, &row)?;
            let kind = Kind::from_word(&row.kind).ok_or_else(|| broken(&held.log))?;
            let statement = statement.unwrap_or_default().into_iter();
            let statement = statement.map(|(language, text)| (language.to_string(), text)).collect();
            ends.push(Ending { kind, record: logs.summary(record)?, reason, statement });
        }
        Ok(ends)
    }

    /// Who says that the body of a redacted record is gone, and who has not; none where no redaction of it is
    /// held.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erasure(&self, origin: &Origin, record: &Digest) -> Result<Option<Erasure>> {
        let (own, index, receipts) = {
            let db = self.core.store.snapshot().await?;
            let Some(held) = log::find(&db, origin).await? else { return Ok(None) };
            let redaction = ending::Column::Kind.eq(Kind::Redaction.as_str());
            let redaction = of_record(&held.log, record).filter(redaction).one(&db).await;
            let Some(redaction) = redaction.attempting("read the redaction of a record")? else { return Ok(None) };
            let receipts = || {
                erasure_receipt::Entity::find()
                    .join(JoinType::InnerJoin, <erasure_receipt::Entity as Related<record::Entity>>::to())
                    .filter(erasure_receipt::Column::Redaction.eq(redaction.record.clone()))
                    .filter(erasure_receipt::Column::OfLog.eq(origin.as_str()))
                    .filter(erasure_receipt::Column::OfIdx.eq(redaction.ended_idx))
                    .filter(erasure_receipt::Column::Erased.eq(redaction.ended.clone()))
                    .filter(record::Column::Verdict.ne(VOID))
            };
            // One row for each log that has receipts, however many it has.
            let first: Vec<(i64, Option<i64>)> = receipts()
                .select_only()
                .column(erasure_receipt::Column::LogId)
                .column_as(erasure_receipt::Column::Idx.min(), "first")
                .group_by(erasure_receipt::Column::LogId)
                .order_by_asc(erasure_receipt::Column::LogId)
                .limit(RECEIPTS_MAX)
                .into_tuple()
                .all(&db)
                .await
                .attempting("read the receipts of an erasure")?;
            let logs = Logs::read(&db).await?;
            let mut said = BTreeMap::new();
            for (log_id, index) in first {
                let index = index.ok_or_else(|| broken(&held.log))?;
                let row = record::Entity::find_by_id((log_id, index)).one(&db).await;
                let row = row.attempting("read the receipts of an erasure")?.ok_or_else(|| broken(&held.log))?;
                let record = logs.summary(row)?;
                said.entry((record.nation.clone(), record.origin.clone())).or_insert(record);
            }
            (held.log.nation, size(redaction.idx)?, said.into_values().collect::<Vec<_>>())
        };
        let standing = self.standing(origin, Some(index)).await?;
        let said: BTreeSet<_> = receipts.iter().map(|receipt| receipt.nation.clone()).collect();
        let mirrored = standing.map_or_else(Vec::new, |standing| standing.mirrored);
        let holders = std::iter::once(own).chain(mirrored.into_iter().map(|(nation, _)| nation));
        let silent = holders.filter(|nation| !said.contains(nation)).collect();
        Ok(Some(Erasure { receipts, silent }))
    }
}

/// Writes a withdrawal or redaction that counts. Answers the digest of what it ends.
pub(super) async fn write(db: &impl ConnectionTrait, log: &Log, index: u64, admitted: &Admitted) -> Result<()> {
    let submission = admitted.submission();
    let (ended, body) = match &submission.record {
        Record::Withdrawal(withdrawal) => (withdrawal.withdraws, json(withdrawal)?),
        Record::Redaction(redaction) => (redaction.redacts, json(redaction)?),
        _ => return Ok(()),
    };
    let ended_index = super::records::position(db, log, &ended).await?;
    let row = ending::ActiveModel {
        log_id: Set(log.id),
        idx: Set(column(index)),
        record: Set(submission.digest.as_bytes().to_vec()),
        kind: Set(submission.record.kind().as_str().to_owned()),
        ended: Set(ended.as_bytes().to_vec()),
        ended_idx: Set(column(ended_index.ok_or_else(|| broken(log))?)),
        signers: Set(joined(admitted.signers())),
        body: Set(body),
    };
    let written = ending::Entity::insert(row).exec_without_returning(db).await;
    written.attempting("write a withdrawal or redaction to the view").map(|_| ())
}

/// Writes a receipt that counts.
pub(super) async fn write_receipt(
    db: &impl ConnectionTrait,
    log: &Log,
    index: u64,
    receipt: &ErasureReceipt,
) -> Result<()> {
    let row = erasure_receipt::ActiveModel {
        log_id: Set(log.id),
        idx: Set(column(index)),
        of_log: Set(receipt.redacted_log.to_string()),
        of_idx: Set(column(receipt.index)),
        erased: Set(receipt.record.as_bytes().to_vec()),
        redaction: Set(receipt.redaction.as_bytes().to_vec()),
    };
    let written = erasure_receipt::Entity::insert(row).exec_without_returning(db).await;
    written.attempting("write the receipt of an erasure to the view").map(|_| ())
}

/// What ended these records of a log, each in log order.
pub(super) async fn of_records(
    db: &impl ConnectionTrait,
    log: &Log,
    records: impl IntoIterator<Item = Vec<u8>>,
) -> Result<BTreeMap<Digest, Vec<End>>> {
    read(all(log).filter(ending::Column::Ended.is_in(records)), db).await
}

/// What ended the records of a log, each in log order.
pub(super) async fn of_log(db: &impl ConnectionTrait, log: &Log) -> Result<BTreeMap<Digest, Vec<End>>> {
    read(all(log), db).await
}

/// Where the ends of a record stand.
pub(super) async fn positions(db: &impl ConnectionTrait, log: &Log, record: &Digest) -> Result<Vec<u64>> {
    let indexes: Vec<i64> = of_record(log, record)
        .select_only()
        .column(ending::Column::Idx)
        .into_tuple()
        .all(db)
        .await
        .attempting("look for what ended a record")?;
    indexes.into_iter().map(size).collect()
}

/// The entries of which the redactions of a log from entry `first` on speak, as the view has them.
pub(super) async fn redacted(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<Vec<u64>> {
    let rows = all(log).filter(ending::Column::Kind.eq(Kind::Redaction.as_str()));
    let rows = rows.filter(ending::Column::Idx.gte(column(first))).select_only().column(ending::Column::EndedIdx);
    let rows: Vec<i64> = rows.into_tuple().all(db).await.attempting("read the redactions of a log")?;
    rows.into_iter().map(size).collect()
}

/// The redactions of a log of which nothing is erased yet: where the record stands, and its digest.
pub(crate) async fn unerased(db: &impl ConnectionTrait, log: &Log) -> Result<Vec<(u64, Digest)>> {
    let nothing = Expr::cust(format!("NOT EXISTS (SELECT 1 FROM erased WHERE {OF_ENDING})"));
    let rows = all(log).filter(ending::Column::Kind.eq(Kind::Redaction.as_str())).filter(nothing);
    let rows = rows.select_only().columns([ending::Column::EndedIdx, ending::Column::Ended]);
    let rows: Vec<(i64, Vec<u8>)> = rows.into_tuple().all(db).await.attempting("ask what is to be erased")?;
    rows.into_iter().map(|(index, record)| Ok((size(index)?, digest(&record)?))).collect()
}

/// What was erased for a redaction of a log that does not count.
pub(crate) async fn erased_for_nothing(db: &impl ConnectionTrait, log: &Log) -> Result<Vec<erased::Model>> {
    let nothing = format!("NOT EXISTS (SELECT 1 FROM ending WHERE {OF_ENDING} AND ending.kind = 'redaction')");
    let rows = erased::Entity::find().filter(erased::Column::RedactedIn.eq(log.id)).filter(Expr::cust(nothing));
    rows.all(db).await.attempting("ask what was erased")
}

/// Whether a record that counts, or did, names this blob.
pub(crate) async fn names_blob(db: &impl ConnectionTrait, sha256: &Digest) -> Result<bool> {
    let rows = found::Entity::find().filter(found::Column::Digest.eq(sha256.as_bytes().to_vec()));
    let rows = rows.filter(found::Column::What.eq(word(FoundAs::Blob))).limit(1).one(db).await;
    rows.attempting("ask who names a blob").map(|row| row.is_some())
}

/// The erasures that are done here and of which the own log has no receipt, at most `limit`: the first of each log
/// before the second of any, and of no log more than are due within a day. None where the record is
/// here for another log: it is not gone.
pub(crate) async fn unreceipted(
    db: &impl ConnectionTrait,
    own: &Log,
    limit: u64,
    now: Timestamp,
) -> Result<Vec<ErasureReceipt>> {
    let attempted = "ask of which erasures there is no receipt";
    let due = || unreceipted_rows(own).select_only();
    let logs: Vec<i64> =
        due().column(ending::Column::LogId).distinct().into_tuple().all(db).await.attempting(attempted)?;
    let mut turns = BTreeMap::new();
    for log in log::all(db).await?.into_iter().map(|held| held.log).filter(|log| logs.contains(&log.id)) {
        let room = RECEIPTS_PER_LOG_AND_DAY.saturating_sub(receipts_since(db, own, &log, now).await?);
        let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = due()
            .columns([ending::Column::EndedIdx, ending::Column::Ended, ending::Column::Record])
            .filter(ending::Column::LogId.eq(log.id))
            .order_by_asc(ending::Column::Idx)
            .limit(Ord::min(room, limit))
            .into_tuple()
            .all(db)
            .await
            .attempting(attempted)?;
        for (turn, (index, record, redaction)) in rows.into_iter().enumerate() {
            let (index, record, redaction) = (size(index)?, digest(&record)?, digest(&redaction)?);
            let receipt = ErasureReceipt { redacted_log: log.origin.clone(), index, record, redaction };
            turns.insert((turn, log.id), receipt);
        }
    }
    Ok(turns.into_values().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
}

fn unreceipted_rows(own: &Log) -> Select<ending::Entity> {
    let scrubbed = format!(
        "EXISTS (SELECT 1 FROM erased WHERE {OF_ENDING}) AND NOT EXISTS (SELECT 1 FROM erased WHERE erased.record = \
         ending.ended AND erased.scrubbed = FALSE) AND NOT EXISTS (SELECT 1 FROM body WHERE body.record = ending.ended)"
    );
    let silent = Query::select()
        .expr(Expr::val(1))
        .from(erasure_receipt::Entity)
        .and_where(Expr::col((erasure_receipt::Entity, erasure_receipt::Column::LogId)).eq(own.id))
        .and_where(
            Expr::col((erasure_receipt::Entity, erasure_receipt::Column::Redaction))
                .equals((ending::Entity, ending::Column::Record)),
        )
        .to_owned();
    ending::Entity::find()
        .filter(ending::Column::Kind.eq(Kind::Redaction.as_str()))
        .filter(Expr::cust(scrubbed))
        .filter(Expr::exists(silent).not())
}

/// How many receipts the own log has for erasures of a log, of the day before `now`.
async fn receipts_since(db: &impl ConnectionTrait, own: &Log, log: &Log, now: Timestamp) -> Result<u64> {
    let receipts = erasure_receipt::Entity::find()
        .join(JoinType::InnerJoin, <erasure_receipt::Entity as Related<record::Entity>>::to())
        .filter(erasure_receipt::Column::LogId.eq(own.id))
        .filter(erasure_receipt::Column::OfLog.eq(log.origin.as_str()))
        .filter(record::Column::At.gt(now.unix_seconds() - DAY_SECONDS));
    receipts.count(db).await.attempting("count receipts of erasures")
}

fn all(log: &Log) -> Select<ending::Entity> {
    ending::Entity::find().filter(ending::Column::LogId.eq(log.id)).order_by_asc(ending::Column::Idx)
}

fn of_record(log: &Log, record: &Digest) -> Select<ending::Entity> {
    all(log).filter(ending::Column::Ended.eq(record.as_bytes().to_vec()))
}

/// What is asked of an end without its body: its index, kind, the record that it ends, its own, and its signers.
type Row = (i64, String, Vec<u8>, Vec<u8>, Vec<u8>);

async fn read(rows: Select<ending::Entity>, db: &impl ConnectionTrait) -> Result<BTreeMap<Digest, Vec<End>>> {
    let rows: Vec<Row> = rows
        .select_only()
        .columns([ending::Column::Idx, ending::Column::Kind, ending::Column::Ended])
        .columns([ending::Column::Record, ending::Column::Signers])
        .into_tuple()
        .all(db)
        .await
        .attempting("read what ended records")?;
    let mut ends = BTreeMap::<_, Vec<End>>::new();
    for (index, kind, ended, record, signers) in rows {
        let unknown = || Error::Inconsistent(format!("the view has an end of the unknown kind {kind}"));
        let end = End {
            kind: Kind::from_word(&kind).ok_or_else(unknown)?,
            index: size(index)?,
            record: digest(&record)?,
            signers: digests(&signers)?.into_iter().collect(),
        };
        ends.entry(digest(&ended)?).or_default().push(end);
    }
    Ok(ends)
}

/// The reason and the statement of an end.
fn said(log: &Log, row: &ending::Model) -> Result<(String, Option<Texts>)> {
    if row.kind == Kind::Redaction.as_str() {
        let body: Redaction = serde_json::from_str(&row.body).map_err(|_| broken(log))?;
        Ok((body.reason.to_string(), body.statement))
    } else {
        let body: Withdrawal = serde_json::from_str(&row.body).map_err(|_| broken(log))?;
        Ok((body.reason.to_string(), body.statement))
    }
}

fn broken(log: &Log) -> Error {
    Error::Inconsistent(format!("a withdrawal or redaction in the view of {} cannot be read", log.origin))
}

fn json(body: &impl Serialize) -> Result<String> {
    serde_json::to_string(body).map_err(|error| Error::Inconsistent(format!("a record cannot be written: {error}")))
}
