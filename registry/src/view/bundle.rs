//! Bundles: a record of any log held, with all its proof (`chancery_schema::bundle`).

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::admission::Submission;
use chancery_schema::bundle::{Bundle, FORMAT, Header, LoggedRecord, Purpose};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::limits::{BUNDLE_BYTES_MAX, BUNDLE_FRAMES_MAX};
use chancery_schema::record::{Kind, Revocation};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::ends;
use super::entity::{delegation, record, revocation};
use super::records::{by_digest, position};
use super::succession::former;
use super::verdict::{REDACTED, VOID, admitted, digests};
use crate::error::Attempting;
use crate::known::known;
use crate::log::{self, Held, Log, column, size};
use crate::{Error, Registry, Result, bodies, logs, own};

/// Delegations of one key in a bundle: a registrar that was robbed may have given several.
const DELEGATIONS_MAX: u64 = 8;

/// Room that is left in a bundle for its header, its proofs and its end, in bytes.
const ROOM_BYTES: u64 = 4 << 20;

impl Registry {
    /// Writes the bundle of a record that was admitted: it, the records it refers to, what withdrew or redacted
    /// any of them, every charter of its nation and the delegations of its signers, each with its proof under
    /// one checkpoint, and as many of its blobs as fit. Of a record whose body is erased, the redaction alone.
    /// Nothing for a record that is not held or was never admitted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bundle(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let db = self.core.store.snapshot().await?;
        let row = by_digest(&db, digest).await?;
        // One whose key was revoked since has its proof too.
        let Some(row) = row.filter(|row| !row.signers.is_empty()) else { return Ok(None) };
        let logs = log::all(&db).await?;
        let held = logs.into_iter().find(|held| held.log.id == row.log_id);
        let held = held.ok_or_else(|| Error::Inconsistent("the view has a row of a log that is not held".into()))?;
        let mut parts = Parts::default();
        parts.take(&db, &held, size(row.idx)?).await?;
        let known = known(&self.core, &db).await?;
        let former = former(&db, &known, &held).await?;
        write(&db, &held, *digest, Purpose::Bundle, (&parts, former)).await
    }
}

/// The records of a bundle by their index, each with everything that it rests on.
#[derive(Default)]
pub(super) struct Parts {
    records: BTreeMap<u64, Submission>,
    /// Of these the bodies are erased, and what redacted them is taken instead.
    redacted: BTreeSet<u64>,
}

impl Parts {
    /// Takes in entry `index`, all that it refers to and is signed under, and what revokes the keys that signed;
    /// every charter up to the head, so that who knows the first one can walk to the one in force, and
    /// what the log says of the one before it.
    pub async fn take(&mut self, db: &impl ConnectionTrait, held: &Held, index: u64) -> Result<()> {
        let founding = founding(db, &held.log, held.head_size()).await?;
        let mut waiting: BTreeSet<u64> = founding.into_iter().chain([index]).collect();
        while let Some(index) = waiting.pop_last() {
            if self.records.contains_key(&index) || self.redacted.contains(&index) {
                continue;
            }
            let row = row(db, held, index).await?;
            let record = row.digest.as_deref().map(log::digest).transpose()?.ok_or_else(|| broken(held, index))?;
            waiting.extend(ends::positions(db, &held.log, &record).await?);
            let signers = if row.verdict == REDACTED {
                self.redacted.insert(index);
                digests(&row.signers)?
            } else {
                let submission = open(db, held, &row).await?;
                for (_, digest) in submission.record.references() {
                    waiting.extend(position(db, &held.log, &digest).await?);
                }
                let signers = submission.envelope.key_ids().collect();
                self.records.insert(index, submission);
                signers
            };
            for keyid in signers {
                waiting.extend(delegated(db, &held.log, &keyid, index).await?);
                for revocation in revoked(db, &held.log, &keyid, &record).await? {
                    // It was admitted because the key was delegated before.
                    waiting.extend(delegated(db, &held.log, &keyid, revocation).await?);
                    waiting.insert(revocation);
                }
            }
        }
        Ok(())
    }
}

/// Writes the records, each with its proof under one checkpoint, and the blobs that fit.
pub(super) async fn write(
    db: &impl ConnectionTrait,
    held: &Held,
    about: Digest,
    purpose: Purpose,
    (parts, former): (&Parts, Vec<Envelope>),
) -> Result<Option<Vec<u8>>> {
    let indexes: Vec<u64> = parts.records.keys().copied().collect();
    let Some(last) = indexes.last() else { return Ok(None) };
    let frames = 1 + former.len() + 2 * indexes.len();
    if frames > BUNDLE_FRAMES_MAX {
        let problem = format!("all that it rests on takes {frames} frames, and readers take {BUNDLE_FRAMES_MAX}");
        return Err(Error::Invalid(format!("failed to write the bundle of {about}: {problem}")));
    }
    let Some(signed) = logs::best_checkpoint(db, held, *last).await? else { return Ok(None) };
    let proofs = own::prove(db, held, &signed, &indexes).await?;
    let envelopes = parts.records.values().map(|submission| submission.envelope.clone());
    let records = envelopes.zip(proofs).map(|(envelope, proof)| LoggedRecord { envelope, proof: proof.to_string() });
    let records: Vec<LoggedRecord> = records.collect();
    let blobs = blobs(db, parts, &former, &records).await?;
    let (nation, log) = (held.log.nation.clone(), held.log.origin.clone());
    let header = Header { format: FORMAT.to_owned(), purpose, nation, log, record: about };
    Ok(Some(Bundle { header, former, records, blobs }.write()))
}

async fn blobs(
    db: &impl ConnectionTrait,
    parts: &Parts,
    former: &[Envelope],
    records: &[LoggedRecord],
) -> Result<BTreeMap<Digest, Vec<u8>>> {
    let taken: usize = records.iter().map(|record| record.envelope.to_bytes().len() + record.proof.len()).sum();
    let taken = taken + former.iter().map(|envelope| envelope.to_bytes().len()).sum::<usize>();
    let mut room = BUNDLE_BYTES_MAX.saturating_sub(taken as u64 + ROOM_BYTES);
    let mut frames = BUNDLE_FRAMES_MAX.saturating_sub(2 * records.len() + former.len() + 2);
    let mut blobs = BTreeMap::new();
    for named in parts.records.values().flat_map(|submission| submission.record.blobs()) {
        if named.size_bytes > room || frames == 0 || blobs.contains_key(&named.sha256) {
            continue;
        }
        if let Some(bytes) = bodies::blob(db, &named.sha256).await? {
            room -= named.size_bytes;
            frames -= 1;
            blobs.insert(named.sha256, bytes);
        }
    }
    Ok(blobs)
}

fn broken(held: &Held, index: u64) -> Error {
    Error::Inconsistent(format!("entry {index} of {} counts and cannot be read", held.log.origin))
}

async fn row(db: &impl ConnectionTrait, held: &Held, index: u64) -> Result<record::Model> {
    let row = record::Entity::find_by_id((held.log.id, column(index))).one(db).await.attempting("read a record")?;
    row.ok_or_else(|| broken(held, index))
}

pub(super) async fn open(db: &impl ConnectionTrait, held: &Held, row: &record::Model) -> Result<Submission> {
    let broken = || broken(held, size(row.idx).unwrap_or_default());
    let body = bodies::body(db, &log::digest(&row.envelope)?).await?.ok_or_else(broken)?;
    let envelope = Envelope::from_fixed(&body).map_err(|_| broken())?;
    Submission::open(envelope).map_err(|_| broken())
}

/// Where the charters stand that count among the first `before` entries, and their digests.
pub(crate) async fn charters_before(db: &impl ConnectionTrait, log: &Log, before: u64) -> Result<Vec<(u64, Digest)>> {
    let rows: Vec<(i64, Option<Vec<u8>>)> = record::Entity::find()
        .select_only()
        .columns([record::Column::Idx, record::Column::Digest])
        .filter(record::Column::LogId.eq(log.id))
        .filter(record::Column::Idx.lt(column(before)))
        .filter(record::Column::Kind.eq(Kind::Charter.as_str()))
        .filter(admitted())
        .order_by_asc(record::Column::Idx)
        .into_tuple()
        .all(db)
        .await
        .attempting("look for the charters of a log")?;
    let charters = rows.into_iter().filter_map(|(index, digest)| Some((index, digest?)));
    charters.map(|(index, digest)| Ok((size(index)?, log::digest(&digest)?))).collect()
}

/// Where the charters stand among the first `before` entries, and the log succession.
async fn founding(db: &impl ConnectionTrait, log: &Log, before: u64) -> Result<Vec<u64>> {
    let mut indexes: Vec<u64> = charters_before(db, log, before).await?.into_iter().map(|(index, _)| index).collect();
    // Nowhere else does one count.
    let second = record::Entity::find_by_id((log.id, 1)).filter(admitted()).one(db).await;
    let second = second.attempting("look for the succession of a log")?;
    if before > 1 && second.is_some_and(|row| row.kind == Kind::LogSuccession.as_str()) {
        indexes.push(1);
    }
    Ok(indexes)
}

/// Where the delegations stand under which a key signed entry `before`; none for a key of the charter. Where the
/// newest is void, the one before stands in for it, and so on.
async fn delegated(db: &impl ConnectionTrait, log: &Log, keyid: &Digest, before: u64) -> Result<Vec<u64>> {
    let newest_first: Vec<i64> = delegation::Entity::find()
        .select_only()
        .column(delegation::Column::Idx)
        .filter(delegation::Column::LogId.eq(log.id))
        .filter(delegation::Column::Keyid.eq(keyid.as_bytes().to_vec()))
        .filter(delegation::Column::Idx.lt(column(before)))
        .order_by_desc(delegation::Column::Idx)
        .limit(DELEGATIONS_MAX)
        .into_tuple()
        .all(db)
        .await
        .attempting("look for delegations")?;
    let mut indexes = Vec::new();
    for index in newest_first {
        indexes.push(size(index)?);
        let row = record::Entity::find_by_id((log.id, index)).one(db).await.attempting("look for a delegation")?;
        if row.is_none_or(|row| row.verdict != VOID) {
            break;
        }
    }
    Ok(indexes)
}

/// Where a key was revoked, but for revocations that affirm other records only.
async fn revoked(db: &impl ConnectionTrait, log: &Log, keyid: &Digest, record: &Digest) -> Result<Vec<u64>> {
    let rows = revocation::Entity::find()
        .filter(revocation::Column::LogId.eq(log.id))
        .filter(revocation::Column::Keyid.eq(keyid.as_bytes().to_vec()))
        .order_by_asc(revocation::Column::Idx)
        .all(db)
        .await
        .attempting("look for revocations")?;
    let mut indexes = Vec::new();
    for row in rows {
        let broken = |_| Error::Inconsistent(format!("a revocation in the view of {} cannot be read", log.origin));
        let body: Revocation = serde_json::from_str(&row.body).map_err(broken)?;
        if body.affirms.is_empty() || body.affirms.contains(record) {
            indexes.push(size(row.idx)?);
        }
    }
    Ok(indexes)
}
