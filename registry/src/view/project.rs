//! Projecting an entry: the rows of the view that it makes.

use chancery_schema::admission::Admitted;
use chancery_schema::digest::Digest;
use chancery_schema::log::entry::Entry;
use chancery_schema::record::{Charter, Record, Redaction, Weights};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::card::kept;
use super::entity::{delegation, found, nation, record, revocation};
use super::judge::{self, Judged};
use super::verdict::{MISSING, SUPERSEDED, UNKNOWN, VOID, joined, of_standing};
use super::{card, ends, tombstone, weigh, what};
use crate::error::Attempting;
use crate::log::{Log, column};
use crate::{Error, FoundAs, Result};

/// Rows in one statement: databases bound its parameters.
const ROWS_PER_STATEMENT: usize = 256;

/// Writes what the view shows of entry `index`, which was judged.
pub(crate) async fn project(
    db: &impl ConnectionTrait,
    log: &Log,
    index: u64,
    entry: &Entry,
    judged: &Judged<'_>,
) -> Result<()> {
    if let Judged::Redacted(redaction) = judged {
        return tombstone::write(db, log, entry, redaction).await;
    }
    let row = row(log, index, entry, judged);
    record::Entity::insert(row).exec_without_returning(db).await.attempting("write a record to the view")?;
    let digest = match judged {
        Judged::Admitted(admitted) => Some(admitted.submission().digest),
        Judged::Void { digest, .. } => *digest,
        Judged::Unknown { digest } => Some(*digest),
        Judged::Redacted(_) | Judged::Missing => None,
    };
    let mut names = vec![(FoundAs::Envelope, entry.envelope(), entry.kind().to_owned())];
    names.extend(digest.map(|digest| (FoundAs::Record, digest, entry.kind().to_owned())));
    if let Judged::Admitted(admitted) = judged {
        names.extend(named(&admitted.submission().record));
        project_record(db, log, index, admitted).await?;
    }
    write_found(db, log, index, names).await
}

/// Judges entry `index` as every mirror of the log does, by its body or the redaction that speaks of it, and
/// projects it.
pub(super) async fn judge_and_project(
    db: &impl ConnectionTrait,
    log: &Log,
    index: u64,
    entry: &Entry,
    body: (Option<&[u8]>, Option<&Redaction>),
) -> Result<()> {
    let judgement = judge::judge(db, log, index, entry, body).await?;
    project(db, log, index, entry, &judgement.as_judged()).await
}

fn row(log: &Log, index: u64, entry: &Entry, judged: &Judged<'_>) -> record::ActiveModel {
    let ((verdict, code, reason), digest, header) = match judged {
        Judged::Admitted(admitted) => {
            let verdict = of_standing(admitted.standing());
            (verdict, Some(admitted.submission().digest), Some(&admitted.submission().header))
        }
        Judged::Void { digest, header, refusal } => {
            ((VOID, Some(refusal.code.as_str()), Some(refusal.reason.clone())), *digest, *header)
        }
        Judged::Unknown { digest } => ((UNKNOWN, None, None), Some(*digest), None),
        Judged::Redacted(_) | Judged::Missing => ((MISSING, None, None), None, None),
    };
    let (signers, scope) = match judged {
        Judged::Admitted(admitted) => (joined(admitted.signers()), admitted.submission().record.scope()),
        _ => (Vec::new(), None),
    };
    record::ActiveModel {
        log_id: Set(log.id),
        idx: Set(column(index)),
        envelope: Set(entry.envelope().as_bytes().to_vec()),
        digest: Set(digest.map(|digest| digest.as_bytes().to_vec())),
        kind: Set(entry.kind().to_owned()),
        verdict: Set(verdict.to_owned()),
        code: Set(code.map(str::to_owned)),
        reason: Set(reason.as_deref().map(kept)),
        superseded_by: Set(None),
        scope: Set(scope),
        at: Set(header.map_or(0, |header| header.issued_at.unix_seconds())),
        signers: Set(signers),
    }
}

/// What a record that counts changes beyond its own row.
async fn project_record(db: &impl ConnectionTrait, log: &Log, index: u64, admitted: &Admitted) -> Result<()> {
    let submission = admitted.submission();
    match &submission.record {
        Record::Charter(charter) => {
            let before = nation::Entity::find_by_id(log.id).one(db).await.attempting("read a charter")?;
            write_nation(db, log, index, &submission.digest, charter).await?;
            match before {
                Some(before) => supersede(db, log, before.idx, &submission.digest).await,
                None => Ok(()),
            }
        }
        Record::Delegation(delegation) => {
            let row = delegation::ActiveModel {
                log_id: Set(log.id),
                idx: Set(column(index)),
                keyid: Set(delegation.key.keyid.as_bytes().to_vec()),
                record: Set(submission.digest.as_bytes().to_vec()),
                signers: Set(joined(admitted.signers())),
                body: Set(json(serde_json::to_string(delegation))?),
            };
            let written = delegation::Entity::insert(row).exec_without_returning(db).await;
            written.attempting("write a delegation to the view").map(|_| ())
        }
        Record::Revocation(revocation) => {
            let row = revocation::ActiveModel {
                log_id: Set(log.id),
                idx: Set(column(index)),
                keyid: Set(revocation.key.as_bytes().to_vec()),
                record: Set(submission.digest.as_bytes().to_vec()),
                signers: Set(joined(admitted.signers())),
                body: Set(json(serde_json::to_string(revocation))?),
                by_roots: Set(admitted.by_roots()),
            };
            let written = revocation::Entity::insert(row).exec_without_returning(db).await;
            written.attempting("write a revocation to the view")?;
            if weigh::reaches_back(revocation) { weigh::again(db, log).await } else { Ok(()) }
        }
        Record::ModelCard(card) => {
            let before = card::write(db, log, index, submission, card).await?;
            let urn = card.model_id(&submission.header).to_string();
            weigh::cards(db, log, (&urn, card.version.as_str()), before.unwrap_or(column(index))).await
        }
        Record::Withdrawal(withdrawal) => {
            ends::write(db, log, index, admitted).await?;
            weigh::one(db, log, &withdrawal.withdraws).await
        }
        Record::Redaction(redaction) => {
            ends::write(db, log, index, admitted).await?;
            tombstone::bury(db, log, redaction).await
        }
        Record::ErasureReceipt(receipt) => ends::write_receipt(db, log, index, receipt).await,
        Record::Endpoint(_)
        | Record::Accreditation(_)
        | Record::Evidence(_)
        | Record::Weights(_)
        | Record::License(_)
        | Record::LogSuccession(_) => Ok(()),
    }
}

/// Writes the charter in force. The first one's digest stays the nation's fingerprint.
pub(super) async fn write_nation(
    db: &impl ConnectionTrait,
    log: &Log,
    index: u64,
    digest: &Digest,
    charter: &Charter,
) -> Result<()> {
    let row = nation::ActiveModel {
        log_id: Set(log.id),
        idx: Set(column(index)),
        nation: Set(log.nation.to_string()),
        fingerprint: Set(digest.as_bytes().to_vec()),
        charter: Set(json(serde_json::to_string(charter))?),
    };
    let in_force = OnConflict::column(nation::Column::LogId)
        .update_columns([nation::Column::Idx, nation::Column::Charter])
        .to_owned();
    let written = nation::Entity::insert(row).on_conflict(in_force).exec_without_returning(db).await;
    written.attempting("write a charter to the view").map(|_| ())
}

async fn supersede(db: &impl ConnectionTrait, log: &Log, index: i64, by: &Digest) -> Result<()> {
    let update = record::Entity::update_many()
        .col_expr(record::Column::Verdict, Expr::value(SUPERSEDED))
        .col_expr(record::Column::SupersededBy, Expr::value(by.as_bytes().to_vec()))
        .filter(record::Column::LogId.eq(log.id))
        .filter(record::Column::Idx.eq(index));
    update.exec(db).await.attempting("mark a record as superseded").map(|_| ())
}

pub(super) async fn write_found(
    db: &impl ConnectionTrait,
    log: &Log,
    index: u64,
    names: Vec<(FoundAs, Digest, String)>,
) -> Result<()> {
    let rows = (0..).zip(names).map(|(place, (found_as, digest, name))| found::ActiveModel {
        log_id: Set(log.id),
        idx: Set(column(index)),
        place: Set(place),
        digest: Set(digest.as_bytes().to_vec()),
        what: Set(what::word(found_as).to_owned()),
        name: Set(kept(&name)),
    });
    let rows: Vec<found::ActiveModel> = rows.collect();
    for rows in rows.chunks(ROWS_PER_STATEMENT) {
        let written = found::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await;
        written.attempting("write digests to the view")?;
    }
    Ok(())
}

/// The digests that a record names, with what they are called there.
fn named(record: &Record) -> Vec<(FoundAs, Digest, String)> {
    let mut names = match record {
        Record::Charter(charter) => {
            charter.keys().map(|(role, key)| (FoundAs::Key, key.keyid, role.as_str().to_owned())).collect()
        }
        Record::Delegation(delegation) => vec![(FoundAs::Key, delegation.key.keyid, delegation.holder.clone())],
        Record::Revocation(revocation) => {
            vec![(FoundAs::Key, revocation.key, revocation.reason.as_str().to_owned())]
        }
        Record::Endpoint(endpoint) => vec![(FoundAs::Key, endpoint.key.keyid, "transport".to_owned())],
        Record::Weights(weights) => of_weights(weights),
        Record::Accreditation(_)
        | Record::Evidence(_)
        | Record::ModelCard(_)
        | Record::License(_)
        | Record::Withdrawal(_)
        | Record::Redaction(_)
        | Record::ErasureReceipt(_)
        | Record::LogSuccession(_) => Vec::new(),
    };
    names.extend(record.blobs().into_iter().map(|blob| (FoundAs::Blob, blob.sha256, blob.media_type)));
    names
}

fn of_weights(weights: &Weights) -> Vec<(FoundAs, Digest, String)> {
    let whole = format!("{}:{}@{}", weights.org, weights.name, weights.version);
    let mut names =
        vec![(FoundAs::Manifest, weights.manifest, whole.clone()), (FoundAs::OmsRoot, weights.oms_root, whole)];
    for file in &weights.files {
        names.push((FoundAs::File, file.sha256, file.path.clone()));
        names.push((FoundAs::ChunkRoot, file.chunk_root, file.path.clone()));
    }
    names
}

fn json(written: serde_json::Result<String>) -> Result<String> {
    written.map_err(|error| Error::Inconsistent(format!("a record cannot be written: {error}")))
}
