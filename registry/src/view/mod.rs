//! The view. (R2's; this is an INTERIM stand-in by R1 so that the ground half can be tested. Replace it.)
#![allow(warnings, clippy::all, clippy::pedantic)]

use chancery_schema::admission::{Admitted, Policy, Refusal, Roster, State, Submission, decide};
use chancery_schema::bundle::{Bundle, LoggedRecord, Purpose};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::log::entry::Entry;
use chancery_schema::record::{Header, Kind, Record};
use sea_orm::{ConnectionTrait, Statement};
use std::collections::BTreeMap;
use std::sync::Arc;
use chancery_schema::name::Origin;

use crate::log::Log;
use crate::error::Attempting;
use crate::*;

/// An entry as it is judged.
pub(crate) enum Judged<'a> {
    Admitted(&'a Admitted),
    Void { digest: Option<Digest>, header: Option<&'a Header>, refusal: Refusal },
    Unknown { digest: Digest },
    Missing,
}

struct Interim { roster: Option<Roster>, records: BTreeMap<Digest, Kind>, cards: BTreeMap<String, Digest>, all: Vec<Submission> }

async fn rows(db: &impl ConnectionTrait, log: &Log) -> Result<Vec<(i64, Vec<u8>, bool)>> {
    db.execute_unprepared("CREATE TABLE IF NOT EXISTS interim (log_id INTEGER, idx INTEGER, body BLOB, valid BOOLEAN, PRIMARY KEY(log_id, idx))").await.ok();
    let sql = format!("SELECT idx, body, valid FROM interim WHERE log_id = {} ORDER BY idx", log.id);
    let rows = match db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await {
        Ok(rows) => rows,
        Err(_) => return Ok(Vec::new()),
    };
    Ok(rows.iter().map(|row| (row.try_get("", "idx").unwrap(), row.try_get("", "body").unwrap(), row.try_get("", "valid").unwrap())).collect())
}

async fn replay(db: &impl ConnectionTrait, log: &Log) -> Result<Interim> {
    let mut interim = Interim { roster: None, records: BTreeMap::new(), cards: BTreeMap::new(), all: Vec::new() };
    for (_, body, valid) in rows(db, log).await? {
        if !valid { continue; }
        let submission = Submission::read(&body).unwrap();
        interim.records.insert(submission.digest, submission.record.kind());
        if let Record::ModelCard(card) = &submission.record {
            interim.cards.insert(format!("{}:{}@{}", card.org, card.name, card.version), submission.digest);
        }
        if matches!(submission.record.kind(), Kind::Charter | Kind::Delegation) {
            let state = State { roster: interim.roster.clone(), ..State::default() };
            let admitted = decide(submission.clone(), &state, &Policy::Mirror { origin: log.origin.clone() }).unwrap();
            match &mut interim.roster { Some(roster) => roster.apply(&admitted), none => *none = Roster::found(&admitted) }
        }
        interim.all.push(submission);
    }
    Ok(interim)
}

pub(crate) async fn state(db: &impl ConnectionTrait, log: &Log, submission: &Submission) -> Result<State> {
    let interim = replay(db, log).await?;
    let current_card = match &submission.record {
        Record::ModelCard(card) => interim.cards.get(&format!("{}:{}@{}", card.org, card.name, card.version)).copied(),
        _ => None,
    };
    Ok(State { roster: interim.roster, records: interim.records, current_card })
}

async fn put(db: &impl ConnectionTrait, log: &Log, index: u64, body: Vec<u8>, valid: bool) -> Result<()> {
    rows(db, log).await?;
    let sql = "INSERT OR REPLACE INTO interim VALUES (?, ?, ?, ?)";
    let values = [log.id.into(), (index as i64).into(), body.into(), valid.into()];
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await.attempting("interim").map(|_| ())
}

pub(crate) async fn project(db: &impl ConnectionTrait, log: &Log, index: u64, entry: &Entry, judged: &Judged<'_>) -> Result<()> {
    let Judged::Admitted(admitted) = judged else { return Ok(()) };
    put(db, log, index, admitted.submission().envelope.to_bytes(), true).await
}

pub(crate) async fn judge_and_project(db: &impl ConnectionTrait, log: &Log, index: u64, entry: &Entry, body: Option<&[u8]>) -> Result<()> {
    let Some(body) = body else { return Ok(()) };
    let Ok(submission) = Submission::read(body) else { return put(db, log, index, body.to_vec(), false).await };
    let state = state(db, log, &submission).await?;
    let judged = decide(submission, &state, &Policy::Mirror { origin: log.origin.clone() });
    put(db, log, index, body.to_vec(), judged.is_ok()).await
}

pub(crate) async fn rebuild_log(db: &impl ConnectionTrait, log: &Log) -> Result<u64> {
    rows(db, log).await?;
    db.execute_unprepared(&format!("DELETE FROM interim WHERE log_id = {}", log.id)).await.attempting("interim")?;
    let sql = format!("SELECT e.idx, e.bytes, b.bytes AS body FROM entry e LEFT JOIN body b ON b.envelope = e.envelope WHERE log_id = {} ORDER BY idx", log.id);
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.attempting("interim")?;
    for row in &rows {
        let (index, entry, body): (i64, Vec<u8>, Option<Vec<u8>>) = (row.try_get("", "idx").unwrap(), row.try_get("", "bytes").unwrap(), row.try_get("", "body").unwrap());
        judge_and_project(db, log, index as u64, &Entry::parse(&entry).unwrap(), body.as_deref()).await?;
    }
    Ok(rows.len() as u64)
}

pub(crate) async fn rebuild_all(db: &impl ConnectionTrait) -> Result<u64> {
    unimplemented!()
}

/// The keys of a log's nation, as the log now stands.
pub(crate) async fn roster(db: &impl ConnectionTrait, log: &Log) -> Result<Option<Roster>> {
    Ok(replay(db, log).await?.roster)
}

/// The valid records of one kind in a log, none of them superseded, in log order.
pub(crate) async fn standing(db: &impl ConnectionTrait, log: &Log, kind: Kind) -> Result<Vec<(Header, Record)>> {
    let all = replay(db, log).await?.all.into_iter();
    Ok(all.filter(|it| it.record.kind() == kind).map(|it| (it.header, it.record)).collect())
}

/// A partner's introduction, verified against its own fingerprint.
pub(crate) struct Introduced {
    pub introduction: Introduction,
    /// The first charter's envelope: its digest and its fixed form.
    pub charter: (Digest, Vec<u8>),
    pub roster: Roster,
    pub keys: chancery_schema::record::NoteKeys,
    pub endpoints: Vec<chancery_schema::record::Endpoint>,
}

/// Reads and verifies an introduction.
pub(crate) fn read_introduction(bundle: &[u8]) -> Result<Introduced> {
    let bundle = Bundle::read(bundle).map_err(|error| Error::Invalid(error.to_string()))?;
    let trust = chancery_schema::bundle::Trust::Fingerprint(bundle.header.record);
    let report = chancery_schema::bundle::verify(&bundle, &trust);
    assert!(report.fingerprint.is_some(), "{report:?}");
    let mut roster: Option<Roster> = None;
    let mut endpoints = Vec::new();
    for record in &bundle.records {
        let submission = Submission::open(record.envelope.clone()).unwrap();
        let state = State { roster: roster.clone(), ..State::default() };
        let admitted = decide(submission, &state, &Policy::Mirror { origin: bundle.header.log.clone() }).unwrap();
        match &mut roster { Some(roster) => roster.apply(&admitted), none => *none = Roster::found(&admitted) }
        if let Record::Endpoint(endpoint) = &admitted.submission().record { endpoints.push((**endpoint).clone()); }
    }
    let roster = roster.unwrap();
    let charter = &bundle.records[0].envelope;
    Ok(Introduced {
        introduction: Introduction { nation: roster.nation.clone(), origin: roster.origin.clone(), fingerprint: roster.fingerprint, display_name: Vec::new() },
        charter: (charter.digest(), charter.to_bytes()),
        keys: crate::log::note_keys(&roster)?,
        roster,
        endpoints,
    })
}

/// Writes the own nation's introduction.
pub(crate) async fn write_introduction(db: &impl ConnectionTrait, own: &crate::log::Held) -> Result<Vec<u8>> {
    let mut records = Vec::new();
    let signed = crate::logs::best_checkpoint(db, own, own.size - 1).await?.unwrap();
    let mut fingerprint = None;
    for (index, body, _) in rows(db, &own.log).await? {
        let submission = Submission::read(&body).unwrap();
        if matches!(submission.record.kind(), Kind::Charter | Kind::Endpoint) {
            fingerprint = fingerprint.or(Some(submission.digest));
            let proof = crate::own::prove(db, own, &signed, &[index as u64]).await?.pop().unwrap().to_string();
            records.push(LoggedRecord { envelope: submission.envelope, proof });
        }
    }
    let header = chancery_schema::bundle::Header { format: chancery_schema::bundle::FORMAT.into(), purpose: Purpose::Introduction, nation: own.log.nation.clone(), log: own.log.origin.clone(), record: fingerprint.unwrap() };
    Ok(Bundle { header, records, blobs: BTreeMap::new() }.write())
}

impl Registry {
    // ---- The view ----

    /// The keys of a log's nation, as the log now stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roster(&self, origin: &Origin) -> Result<Option<Arc<Roster>>> {
        unimplemented!()
    }

    /// Every nation of whose log something is held or introduced, by code.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nations(&self) -> Result<Vec<NationSummary>> {
        unimplemented!()
    }

    /// Models, newest first, a page at a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn models(&self, filter: &ModelFilter, page: &Page) -> Result<PageOf<ModelSummary>> {
        unimplemented!()
    }

    /// One model's versions, newest first: the cards that stand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn versions(&self, urn: &str) -> Result<Vec<ModelSummary>> {
        unimplemented!()
    }

    /// Records of a log or of all, newest first, optionally of one kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn records(&self, origin: Option<&Origin>, kind: Option<&str>, page: &Page) -> Result<PageOf<RecordSummary>> {
        let db = self.core.store.read();
        let held = crate::log::find(db, origin.unwrap()).await?.unwrap();
        let mut items = Vec::new();
        for (index, body, valid) in rows(db, &held.log).await? {
            let verdict = if valid { Verdict::Valid } else { Verdict::Void(Refusal { code: chancery_schema::admission::Code::Malformed, reason: String::new() }) };
            items.push((String::new(), RecordSummary { digest: None, kind: String::new(), origin: held.log.origin.clone(), nation: held.log.nation.clone(), index: index as u64, envelope: Digest::of(&body), verdict, issued_at: None, signers: Vec::new() }));
        }
        Ok(PageOf { total: items.len() as u64, items, has_next: false })
    }

    /// The record with this digest, wherever it was logged (the own log first, then by origin).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(&self, digest: &Digest) -> Result<Option<RecordSummary>> {
        unimplemented!()
    }

    /// The fixed form of a record's envelope, unless its body is not held.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn envelope(&self, origin: &Origin, index: u64) -> Result<Option<Vec<u8>>> {
        unimplemented!()
    }

    /// Everything that has this digest: records, files, chunk roots, manifests, OMS roots, blobs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lookup(&self, digest: &Digest) -> Result<Vec<Found>> {
        unimplemented!()
    }

    /// The cosignatures known on checkpoints of a log that cover entry `index`, or on its head.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cosignatures(&self, origin: &Origin, index: Option<u64>) -> Result<Vec<CosignatureSeen>> {
        unimplemented!()
    }

    /// Writes the bundle of a record: it, the records it refers to, its nation's charter and the
    /// delegations of its signers, each with its proof under one checkpoint, and its blobs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bundle(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        unimplemented!()
    }

    /// Drops every view table and computes it again from the logs. Answers how many entries.
    ///
    /// # Errors
    /// When the database fails; the view is then as it was.
    pub async fn rebuild_view(&self) -> Result<u64> {
        unimplemented!()
    }

    /// A digest of the whole view, to compare a rebuilt one with the live one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn view_digest(&self) -> Result<Digest> {
        unimplemented!()
    }

    /// Checks the archive: every hash, proof and count. Answers findings, none when all is well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check(&self) -> Result<Vec<String>> {
        unimplemented!()
    }
}
