//! Judging an entry: what `decide` needs to know of a log, read from the view, and its answer.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::admission::{Admitted, Code, Entered, Policy, Refusal, State, Submission, decide, version};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::log::entry::Entry;
use chancery_schema::name::Origin;
use chancery_schema::record::{Charter, Delegation, Header, Kind, Record, Redaction, Revocation};
use chancery_schema::roster::{Revoked, Roster, Signed};
use chancery_schema::statement::Statement;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::{delegation, model, nation, record, revocation};
use super::verdict::{CONTESTED, SUPERSEDED, VALID, admitted, digests};
use super::{card, ends};
use crate::entity::body;
use crate::error::Attempting;
use crate::log::{Log, column, digest, size};
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
    /// Its body is erased, and this is what a redaction, later in the log, says of it.
    Redacted(&'a Redaction),
    /// Its body is not held.
    Missing,
}

/// A [`Judged`] that owns what it speaks of.
pub(super) enum Judgement {
    Admitted(Box<Admitted>),
    Void { digest: Option<Digest>, header: Option<Box<Header>>, refusal: Refusal },
    Unknown { digest: Digest },
    Redacted(Box<Redaction>),
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
            Self::Redacted(redaction) => Judged::Redacted(redaction),
            Self::Missing => Judged::Missing,
        }
    }
}

/// Judges entry `index` as every mirror of the log does; one whose body is erased by the redaction that speaks
/// of it.
pub(super) async fn judge(
    db: &impl ConnectionTrait,
    log: &Log,
    index: u64,
    entry: &Entry,
    (body, redaction): (Option<&[u8]>, Option<&Redaction>),
) -> Result<Judgement> {
    let Some(body) = body else {
        let redaction = redaction.map(|redaction| Judgement::Redacted(Box::new(redaction.clone())));
        return Ok(redaction.unwrap_or(Judgement::Missing));
    };
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
/// are itself, with what ended them; the card that stands for its model version, or the one that it redacts.
pub(crate) async fn state(
    db: &impl ConnectionTrait,
    log: &Log,
    position: u64,
    submission: &Submission,
) -> Result<State> {
    let references = submission.record.references().into_iter().map(|(_, digest)| digest);
    let mut asked: BTreeSet<Digest> = references.chain([submission.digest]).collect();
    let mut cards = BTreeMap::new();
    if let (Some(version), Record::ModelCard(card)) = (version(&submission.record), &submission.record) {
        let urn = card.model_id(&submission.header).to_string();
        if let Some(current) = card::current(db, log, &urn, card.version.as_str()).await? {
            // Those before it stand no more, and were weighed again whenever a key was revoked.
            let current = digest(&current.card)?;
            asked.insert(current);
            cards.insert(version, vec![current]);
        }
    }
    let (roster, records) = (roster(db, log).await?, entered(db, log, &asked).await?);
    if let Record::Redaction(redaction) = &submission.record
        && let Some(entered) = records.get(&redaction.redacts)
        && let Some(version) = version_at(db, log, entered.index).await?
    {
        cards.insert(version, vec![redaction.redacts]);
    }
    Ok(State { roster, position, records, cards })
}

/// The keys of a log's nation, as the log now stands.
pub(crate) async fn roster(db: &impl ConnectionTrait, log: &Log) -> Result<Option<Roster>> {
    let row = nation::Entity::find_by_id(log.id).find_also_related(record::Entity).one(db).await;
    let Some((row, record)) = row.attempting("read a charter")? else { return Ok(None) };
    let broken = |what: &str| Error::Inconsistent(format!("the {what} in the view of {} cannot be read", log.origin));
    let charter: Charter = serde_json::from_str(&row.charter).map_err(|_| broken("charter"))?;
    let charter_digest = record.and_then(|record| record.digest).ok_or_else(|| broken("digest of the charter"))?;
    let (mut delegations, mut revocations) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    let rows = delegation::Entity::find().filter(delegation::Column::LogId.eq(log.id));
    let rows = rows.order_by_asc(delegation::Column::Idx).all(db).await;
    for row in rows.attempting("read delegations")? {
        let body: Delegation = serde_json::from_str(&row.body).map_err(|_| broken("delegation"))?;
        delegations.entry(digest(&row.keyid)?).or_default().push(signed(row.idx, &row.record, &row.signers, body)?);
    }
    let rows = revocation::Entity::find().filter(revocation::Column::LogId.eq(log.id));
    let rows = rows.order_by_asc(revocation::Column::Idx).all(db).await;
    for row in rows.attempting("read revocations")? {
        let body: Revocation = serde_json::from_str(&row.body).map_err(|_| broken("revocation"))?;
        let signed = signed(row.idx, &row.record, &row.signers, body)?;
        revocations.entry(digest(&row.keyid)?).or_default().push(Revoked { signed, by_roots: row.by_roots });
    }
    Ok(Some(Roster {
        nation: row.nation.parse().map_err(|_| broken("nation"))?,
        origin: log.origin.clone(),
        fingerprint: digest(&row.fingerprint)?,
        charter,
        charter_digest: digest(&charter_digest)?,
        delegations,
        revocations,
    }))
}

fn signed<B>(index: i64, record: &[u8], signers: &[u8], body: B) -> Result<Signed<B>> {
    let signers = digests(signers)?.into_iter().collect();
    Ok(Signed { index: size(index)?, record: digest(record)?, signers, body })
}

/// The model version of which the card at `index` speaks, as `decide` calls it.
async fn version_at(db: &impl ConnectionTrait, log: &Log, index: u64) -> Result<Option<String>> {
    let row = model::Entity::find_by_id((log.id, column(index))).one(db).await.attempting("look for a card")?;
    Ok(row.map(|row| format!("{}:{}@{}", row.org, row.name, row.version)))
}

/// Whether a record stands, or is contested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trusted {
    Fully,
    Perhaps,
}

/// The records of one kind in a log that count, in log order; those whose place a later one took too. Those that
/// are contested come along, and say so.
pub(crate) async fn standing(db: &impl ConnectionTrait, log: &Log, kind: Kind) -> Result<Vec<(Trusted, Record)>> {
    standing_from(db, log, kind, 0).await
}

/// The same, from entry `first` on.
pub(crate) async fn standing_from(
    db: &impl ConnectionTrait,
    log: &Log,
    kind: Kind,
    first: u64,
) -> Result<Vec<(Trusted, Record)>> {
    let rows: Vec<(String, Vec<u8>)> = record::Entity::find()
        .select_only()
        .column(record::Column::Verdict)
        .column(body::Column::Bytes)
        .join(sea_orm::JoinType::InnerJoin, super::body_of_record())
        .filter(record::Column::LogId.eq(log.id))
        .filter(record::Column::Kind.eq(kind.as_str()))
        .filter(record::Column::Idx.gte(column(first)))
        .filter(record::Column::Verdict.is_in([VALID, SUPERSEDED, CONTESTED]))
        .order_by_asc(record::Column::Idx)
        .into_tuple()
        .all(db)
        .await
        .attempting("read the records of a kind")?;
    let trusted = |verdict: &str| if verdict == CONTESTED { Trusted::Perhaps } else { Trusted::Fully };
    rows.iter().map(|(verdict, bytes)| Ok((trusted(verdict), reopen(&log.origin, bytes)?.1))).collect()
}

/// The record in a body that was judged valid before.
pub(super) fn reopen(origin: &Origin, body: &[u8]) -> Result<(Header, Record)> {
    let envelope = Envelope::from_fixed(body).ok();
    let statement = envelope.and_then(|envelope| Statement::parse(envelope.payload()).ok());
    let record = statement.and_then(|statement| Record::read(&statement).ok());
    record.ok_or_else(|| Error::Inconsistent(format!("a record of {origin} that was valid can no longer be read")))
}

/// Of these digests, those of records that were admitted to the log.
async fn entered(db: &impl ConnectionTrait, log: &Log, asked: &BTreeSet<Digest>) -> Result<BTreeMap<Digest, Entered>> {
    let mut records = BTreeMap::new();
    let asked: Vec<Vec<u8>> = asked.iter().map(|digest| digest.as_bytes().to_vec()).collect();
    for some in asked.chunks(REFERENCES_PER_QUERY) {
        let rows: Vec<record::Model> = record::Entity::find()
            .filter(record::Column::LogId.eq(log.id))
            .filter(record::Column::Digest.is_in(some.iter().cloned()))
            .filter(admitted())
            .all(db)
            .await
            .attempting("look for the records that a record refers to")?;
        let mut ends = ends::of_records(db, log, some.iter().cloned()).await?;
        for row in rows {
            if let (Some(found), Some(kind)) = (&row.digest, Kind::from_word(&row.kind)) {
                let signers = digests(&row.signers)?.into_iter().collect();
                let (found, index) = (digest(found)?, size(row.idx)?);
                let ends = ends.remove(&found).unwrap_or_default();
                records.insert(found, Entered { kind, scope: row.scope, index, signers, ends });
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
