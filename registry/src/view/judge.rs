//! Judging an entry: what `decide` needs to know of a log, read from the view, and its answer.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::admission::{Admitted, Code, Entered, Policy, Refusal, Roster, State, Submission, decide};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::log::entry::Entry;
use chancery_schema::name::Origin;
use chancery_schema::record::{Charter, Delegation, Header, Kind, ModelCard, Record};
use chancery_schema::statement::Statement;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::{delegation, model, nation, record};
use super::verdict::{SUPERSEDED, VALID};
use crate::entity::body;
use crate::error::Attempting;
use crate::log::{Log, digest};
use crate::{Error, Result};

/// References asked for in one query: databases bound its parameters.
const REFERENCES_PER_QUERY: usize = 256;

/// How an entry is judged.
pub(crate) enum Judged<'a> {
    /// It counts.
    Admitted(&'a Admitted),
    /// It does not. Digest and header as far as they could be read.
    Void { digest: Option<Digest>, header: Option<&'a Header>, refusal: Refusal },
    /// Its kind is not of this version.
    Unknown { digest: Digest },
    /// Its body is not held.
    Missing,
}

/// A [`Judged`] that owns what it speaks of.
pub(super) enum Judgement {
    Admitted(Box<Admitted>),
    Void { digest: Option<Digest>, header: Option<Box<Header>>, refusal: Refusal },
    Unknown { digest: Digest },
    Missing,
}

impl Judgement {
    pub fn as_judged(&self) -> Judged<'_> {
        match self {
            Self::Admitted(admitted) => Judged::Admitted(admitted),
            Self::Void { digest, header, refusal } => {
                Judged::Void { digest: *digest, header: header.as_deref(), refusal: refusal.clone() }
            }
            Self::Unknown { digest } => Judged::Unknown { digest: *digest },
            Self::Missing => Judged::Missing,
        }
    }
}

/// Judges entry `index` as every mirror of the log does.
pub(super) async fn judge(
    db: &impl ConnectionTrait,
    log: &Log,
    index: u64,
    entry: &Entry,
    body: Option<&[u8]>,
) -> Result<Judgement> {
    let Some(body) = body else { return Ok(Judgement::Missing) };
    let submission = match open(entry, body) {
        Ok(submission) => submission,
        Err(judgement) => return Ok(judgement),
    };
    let (digest, header) = (submission.digest, Box::new(submission.header.clone()));
    let void = |refusal| Judgement::Void { digest: Some(digest), header: Some(header), refusal };
    let state = state(db, log, index, &submission).await?;
    let policy = Policy::Mirror { origin: log.origin.clone() };
    Ok(match decide(submission, &state, &policy) {
        Ok(admitted) => Judgement::Admitted(Box::new(admitted)),
        Err(refusal) => void(refusal),
    })
}

/// What `decide` needs to know: the keys, the records of this log that the submission refers to or that
/// are itself, and the card that stands for its model version.
pub(crate) async fn state(
    db: &impl ConnectionTrait,
    log: &Log,
    position: u64,
    submission: &Submission,
) -> Result<State> {
    let references = submission.record.references().into_iter().map(|(_, digest)| digest);
    let asked: BTreeSet<Digest> = references.chain([submission.digest]).collect();
    let current_card = match &submission.record {
        Record::ModelCard(card) => {
            current(db, log, &submission.header, card).await?.map(|row| digest(&row.card)).transpose()?
        }
        _ => None,
    };
    let (roster, records) = (roster(db, log).await?, entered(db, log, &asked).await?);
    Ok(State { roster, position, records, current_card })
}

/// The keys of a log's nation, as the log now stands.
pub(crate) async fn roster(db: &impl ConnectionTrait, log: &Log) -> Result<Option<Roster>> {
    let row = nation::Entity::find_by_id(log.id).find_also_related(record::Entity).one(db).await;
    let Some((row, record)) = row.attempting("read a charter")? else { return Ok(None) };
    let broken = |what: &str| Error::Inconsistent(format!("the {what} in the view of {} cannot be read", log.origin));
    let charter: Charter = serde_json::from_str(&row.charter).map_err(|_| broken("charter"))?;
    let charter_digest = record.and_then(|record| record.digest).ok_or_else(|| broken("digest of the charter"))?;
    let rows = delegation::Entity::find().filter(delegation::Column::LogId.eq(log.id)).all(db).await;
    let mut delegations = BTreeMap::new();
    for row in rows.attempting("read delegations")? {
        let delegation: Delegation = serde_json::from_str(&row.body).map_err(|_| broken("delegation"))?;
        delegations.insert(digest(&row.keyid)?, delegation);
    }
    Ok(Some(Roster {
        nation: row.nation.parse().map_err(|_| broken("nation"))?,
        origin: log.origin.clone(),
        fingerprint: digest(&row.fingerprint)?,
        charter,
        charter_digest: digest(&charter_digest)?,
        delegations,
    }))
}

/// The row of the card that stands for a version.
pub(super) async fn current(
    db: &impl ConnectionTrait,
    log: &Log,
    header: &Header,
    card: &ModelCard,
) -> Result<Option<model::Model>> {
    let row = model::Entity::find()
        .filter(model::Column::LogId.eq(log.id))
        .filter(model::Column::Urn.eq(card.model_id(header).to_string()))
        .filter(model::Column::Version.eq(card.version.as_str()))
        .filter(model::Column::Current.eq(true))
        .one(db)
        .await;
    row.attempting("look for the card of a version")
}

/// The records of one kind in a log that count, in log order; those whose place a later one took too.
pub(crate) async fn standing(db: &impl ConnectionTrait, log: &Log, kind: Kind) -> Result<Vec<(Header, Record)>> {
    let bodies: Vec<Vec<u8>> = record::Entity::find()
        .select_only()
        .column(body::Column::Bytes)
        .join(sea_orm::JoinType::InnerJoin, super::body_of_record())
        .filter(record::Column::LogId.eq(log.id))
        .filter(record::Column::Kind.eq(kind.as_str()))
        .filter(record::Column::Verdict.is_in([VALID, SUPERSEDED]))
        .order_by_asc(record::Column::Idx)
        .into_tuple()
        .all(db)
        .await
        .attempting("read the records of a kind")?;
    bodies.iter().map(|bytes| reopen(&log.origin, bytes)).collect()
}

/// The record in a body that was judged valid before.
pub(super) fn reopen(origin: &Origin, body: &[u8]) -> Result<(Header, Record)> {
    let envelope = Envelope::from_fixed(body).ok();
    let statement = envelope.and_then(|envelope| Statement::parse(envelope.payload()).ok());
    let record = statement.and_then(|statement| Record::read(&statement).ok());
    record.ok_or_else(|| Error::Inconsistent(format!("a record of {origin} that was valid can no longer be read")))
}

/// Of these digests, those of records in the log that count.
async fn entered(
    db: &impl ConnectionTrait,
    log: &Log,
    digests: &BTreeSet<Digest>,
) -> Result<BTreeMap<Digest, Entered>> {
    let mut records = BTreeMap::new();
    let digests: Vec<Vec<u8>> = digests.iter().map(|digest| digest.as_bytes().to_vec()).collect();
    for digests in digests.chunks(REFERENCES_PER_QUERY) {
        let rows: Vec<(Option<Vec<u8>>, String, Option<String>)> = record::Entity::find()
            .select_only()
            .columns([record::Column::Digest, record::Column::Kind, record::Column::Scope])
            .filter(record::Column::LogId.eq(log.id))
            .filter(record::Column::Digest.is_in(digests.iter().cloned()))
            .filter(record::Column::Verdict.is_in([VALID, SUPERSEDED]))
            .into_tuple()
            .all(db)
            .await
            .attempting("look for the records that a record refers to")?;
        for (found, kind, scope) in rows {
            if let (Some(found), Some(kind)) = (found, Kind::from_word(&kind)) {
                records.insert(digest(&found)?, Entered { kind, scope });
            }
        }
    }
    Ok(records)
}

/// Reads the record of an entry; what it is judged as, where that fails.
fn open(entry: &Entry, body: &[u8]) -> std::result::Result<Submission, Judgement> {
    Submission::of_entry(entry, body).map_err(|refusal| {
        let digest = Envelope::from_fixed(body).ok().map(|envelope| envelope.record_digest());
        match (refusal.code, digest) {
            (Code::KindUnknown, Some(digest)) => Judgement::Unknown { digest },
            _ => Judgement::Void { digest, header: None, refusal },
        }
    })
}
