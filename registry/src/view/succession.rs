//! What a log says of the one before it, and what bundles carry of the logs before: charters and successions,
//! which whoever pinned an earlier log walks.

use chancery_schema::admission::Submission;
use chancery_schema::envelope::Envelope;
use chancery_schema::limits::SUCCESSIONS_MAX;
use chancery_schema::record::{Kind, LogSuccession, Record};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::bundle::open;
use super::entity::record;
use super::judge::standing;
use super::verdict::admitted;
use crate::error::Attempting;
use crate::known::Known;
use crate::log::{Held, Log, column};
use crate::{Result, succession};

/// The log succession that counts in a log.
pub(crate) async fn log_succession(db: &impl ConnectionTrait, log: &Log) -> Result<Option<LogSuccession>> {
    let mut records = standing(db, log, Kind::LogSuccession).await?.into_iter();
    Ok(records.find_map(|(_, record)| match record {
        Record::LogSuccession(succession) => Some(*succession),
        _ => None,
    }))
}

/// What tells of the logs before this one, as [`chancery_schema::succession::read_former`] takes it: by the
/// introduction where there is one, else by the mirrors.
pub(crate) async fn former(db: &impl ConnectionTrait, known: &Known, held: &Held) -> Result<Vec<Envelope>> {
    let mut newest_first = Vec::new();
    let mut at = held.clone();
    while newest_first.len() < SUCCESSIONS_MAX {
        let introduced = at.fingerprint.and_then(|fingerprint| known.introduced(&at.log.origin, &fingerprint));
        if let Some(introduced) = introduced.filter(|introduced| !introduced.former.is_empty()) {
            newest_first.extend(by_log(&introduced.former).into_iter().rev());
            break;
        }
        let Some(said) = succession::said(db, &at).await? else { break };
        let (Some(old), Ok((_, base))) = (succession::former(db, &said).await?, said.open()) else { break };
        newest_first.push(spoken(db, &old, base.checkpoint().size).await?);
        at = old;
    }
    newest_first.truncate(SUCCESSIONS_MAX);
    Ok(newest_first.into_iter().rev().flatten().collect())
}

/// What is told of each log, of several one after the other: a first charter begins the next.
fn by_log(former: &[Envelope]) -> Vec<Vec<Envelope>> {
    let mut logs: Vec<Vec<Envelope>> = Vec::new();
    for envelope in former {
        let record = Submission::open(envelope.clone()).map(|submission| submission.record);
        match logs.last_mut() {
            Some(log) if !matches!(&record, Ok(Record::Charter(charter)) if charter.version == 1) => {
                log.push(envelope.clone());
            }
            _ => logs.push(vec![envelope.clone()]),
        }
    }
    logs
}

/// The charters and the succession of a log among its first `before` entries.
async fn spoken(db: &impl ConnectionTrait, held: &Held, before: u64) -> Result<Vec<Envelope>> {
    let rows = record::Entity::find()
        .filter(record::Column::LogId.eq(held.log.id))
        .filter(record::Column::Idx.lt(column(before)))
        .filter(record::Column::Kind.is_in([Kind::Charter.as_str(), Kind::LogSuccession.as_str()]))
        .filter(admitted())
        .order_by_asc(record::Column::Idx)
        .all(db)
        .await
        .attempting("look for the charters of an earlier log")?;
    let mut envelopes = Vec::new();
    for row in &rows {
        envelopes.push(open(db, held, row).await?.envelope);
    }
    Ok(envelopes)
}
