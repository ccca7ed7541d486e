//! Introductions: a nation's charters and the endpoints of its nodes, in a bundle that proves itself.

use chancery_schema::admission::{Policy, State, Submission, decide};
use chancery_schema::bundle::{Bundle, Outcome, Purpose, Trust, Verdict, verify};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::log::note::VerifierKey;
use chancery_schema::log::proof::Proof;
use chancery_schema::name::Origin;
use chancery_schema::record::{Charter, Endpoint, Kind, LogSuccession, Record};
use chancery_schema::roster::{Roster, Standing};
use chancery_schema::succession::{FormerLog, read_former};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::bundle::{Parts, write};
use super::entity::record;
use super::succession::former;
use super::verdict::VALID;
use crate::error::Attempting;
use crate::known::Known;
use crate::log::{self, Held, note_keys, size};
use crate::{Error, Introduction, Result};

/// How a nation introduced itself, verified against its own charter. Whether it is the nation that it
/// claims to be, its fingerprint tells to whoever compares it.
pub(crate) struct Introduced {
    /// What is shown of it.
    pub introduction: Introduction,
    /// The first charter's envelope: its digest and its fixed form.
    pub charter: (Digest, Vec<u8>),
    /// The nation's keys, as far as the introduction tells.
    pub roster: Roster,
    /// Its charters, the first one first.
    pub charters: Vec<Charter>,
    /// The key of its log.
    pub log_key: VerifierKey,
    /// Where its nodes are.
    pub endpoints: Vec<Endpoint>,
    /// What tells of the logs before this one.
    pub former: Vec<Envelope>,
    /// The logs before this one, the oldest first, as `former` tells.
    pub logs: Vec<FormerLog>,
    /// What its log took the place of: the last of `logs`.
    pub succession: Option<LogSuccession>,
}

/// That one log took the place of another.
#[derive(Clone, Debug)]
pub(crate) struct Follows<'i> {
    /// The newer log.
    pub origin: &'i Origin,
    /// The record digest of its first charter.
    pub fingerprint: Digest,
    /// What it says.
    pub said: &'i LogSuccession,
    /// The earlier log.
    pub old: &'i FormerLog,
}

impl Introduced {
    /// How each log of the chain took the place of the one before, the newest first.
    pub fn chain(&self) -> Vec<Follows<'_>> {
        let introduction = &self.introduction;
        let mut newer = (&introduction.origin, introduction.fingerprint, self.succession.as_ref());
        let mut chain = Vec::new();
        for old in self.logs.iter().rev() {
            let (origin, fingerprint, Some(said)) = newer else { break };
            chain.push(Follows { origin, fingerprint, said, old });
            newer = (&old.roster.origin, old.roster.fingerprint, old.succession.as_ref());
        }
        chain
    }
}

/// Reads and verifies an introduction.
pub(crate) fn read_introduction(bytes: &[u8]) -> Result<Introduced> {
    let refuse = |problem: &str| Error::Invalid(format!("failed to read an introduction: {problem}"));
    let bundle = Bundle::read(bytes).map_err(|error| refuse(&error.to_string()))?;
    if bundle.header.purpose != Purpose::Introduction {
        return Err(refuse("the bundle is of a record; ask the partner for its introduction"));
    }
    let report = verify(&bundle, &Trust::Fingerprint(bundle.header.record));
    if report.verdict == Verdict::Failed {
        let failed = report.checks.iter().find(|check| check.outcome == Outcome::Fails);
        return Err(refuse(failed.map_or("it does not hold", |check| &check.detail)));
    }
    let policy = Policy::Mirror { origin: bundle.header.log.clone() };
    let mut state = State::default();
    let (mut charters, mut endpoints, mut succession) = (Vec::new(), Vec::new(), None);
    for record in &bundle.records {
        let submission = Submission::open(record.envelope.clone()).map_err(|refusal| refuse(&refusal.reason))?;
        let proof = Proof::parse(record.proof.as_bytes()).map_err(|error| refuse(&error.to_string()))?;
        state.position = proof.index();
        let admitted = decide(submission, &state, &policy).map_err(|refusal| refuse(&refusal.reason))?;
        match &admitted.submission().record {
            Record::Charter(charter) => charters.push((**charter).clone()),
            Record::Endpoint(endpoint) => {
                endpoints.push((state.position, admitted.submission().digest, (**endpoint).clone()));
            }
            Record::LogSuccession(said) => succession = Some((**said).clone()),
            _ => {}
        }
        state.apply(&admitted);
    }
    // The frames are signed by nobody: without them, nothing that is held of the earlier log would be asked.
    if succession.is_some() && bundle.former.is_empty() {
        let hint = "ask for an introduction that tells of the earlier log";
        return Err(refuse(&format!("its log takes the place of an earlier one, of which it tells nothing; {hint}")));
    }
    let logs = read_former(&bundle.former).map_err(|problem| refuse(&problem.reason))?;
    let first = bundle.records.first().map(|record| &record.envelope);
    let (Some(roster), Some(charter)) = (state.roster, first) else { return Err(refuse("it has no charter")) };
    // Where a node of a revoked key says it is, is nobody's word.
    let signers =
        |record: &Digest| state.records.get(record).map(|entered| entered.signers.clone()).unwrap_or_default();
    endpoints.retain(|(index, record, _)| {
        roster.standing(Kind::Endpoint, *index, record, &signers(record)) == Standing::Stands
    });
    let names = roster.charter.display_name.iter();
    Ok(Introduced {
        introduction: Introduction {
            nation: roster.nation.clone(),
            origin: roster.origin.clone(),
            fingerprint: roster.fingerprint,
            display_name: names.map(|(language, name)| (language.to_string(), name.clone())).collect(),
        },
        charter: (charter.digest(), charter.to_bytes()),
        log_key: note_keys(&roster, &roster.charter)?.log,
        charters,
        roster,
        endpoints: endpoints.into_iter().map(|(_, _, endpoint)| endpoint).collect(),
        former: bundle.former,
        logs,
        succession,
    })
}

/// Writes the introduction of the own nation, whose log has begun.
pub(crate) async fn write_introduction(db: &impl ConnectionTrait, known: &Known, own: &Held) -> Result<Vec<u8>> {
    let empty = || Error::Inconsistent(format!("the log {} does not begin with a charter", own.log.origin));
    let charter = record::Entity::find_by_id((own.log.id, 0)).one(db).await.attempting("read the charter")?;
    let charter = charter.and_then(|row| row.digest).ok_or_else(empty)?;
    let mut parts = Parts::default();
    parts.take(db, own, 0).await?;
    let endpoints = record::Entity::find()
        .filter(record::Column::LogId.eq(own.log.id))
        .filter(record::Column::Kind.eq(Kind::Endpoint.as_str()))
        .filter(record::Column::Verdict.eq(VALID))
        .order_by_asc(record::Column::Idx)
        .all(db)
        .await
        .attempting("read the endpoints")?;
    for endpoint in endpoints {
        parts.take(db, own, size(endpoint.idx)?).await?;
    }
    let former = former(db, known, own).await?;
    write(db, own, log::digest(&charter)?, Purpose::Introduction, (&parts, former)).await?.ok_or_else(empty)
}
