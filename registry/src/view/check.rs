//! Checking the archive: everything that can be computed is computed again and compared.

use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::name::Origin;
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};

use super::check_log::check_log;
use super::rebuild::{rebuild_all, table_digests};
use crate::entity::{blob, body, erased, introduction, log as log_table};
use crate::error::Attempting;
use crate::known::{Known, known};
use crate::log::{self, Held, column};
use crate::store::Transaction;
use crate::{Error, Registry, Result, bodies};

/// Rows whose bytes are in memory at once: 16 of the largest blobs are 256 MiB.
const ROWS_PER_QUERY: u64 = 16;

/// Findings of one kind that are told: more do not help to mend it.
const FINDINGS_MAX: usize = 20;

impl Registry {
    /// Checks the archive: every hash, head, signature and count, and that the view is what a rebuilt
    /// one would be. Answers findings, none when all is well. Sees one commit, and lets others write
    /// meanwhile; the view is computed anew in a temporary file as large as the view.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check(&self) -> Result<Vec<String>> {
        let (db, scratch) = self.core.store.snapshot_and_scratch().await?;
        let mut findings = Vec::new();
        check_introductions(&db, &mut findings).await?;
        let rows = log_table::Entity::find().order_by_asc(log_table::Column::Id).all(&db).await;
        let rows = rows.attempting("read the logs")?;
        let logs: Vec<Held> = rows.iter().filter_map(|row| found(Held::from_row(row), &mut findings)).collect();
        if logs.len() == rows.len() {
            let known = match known(&self.core, &db).await {
                // A charter in the view that cannot be read is found when the view is compared.
                Err(Error::Inconsistent(_)) => None,
                known => Some(known?),
            };
            let cosigners = known.as_deref().map_or(&[][..], Known::cosigners);
            for held in &logs {
                check_log(&db, held, cosigners, &mut findings).await?;
            }
        }
        check_bodies(&db, &mut findings).await?;
        check_blobs(&db, &mut findings).await?;
        check_erased(&db, &mut findings).await?;
        if findings.is_empty() {
            check_view(&db, &scratch, &mut findings).await?;
        }
        Ok(findings)
    }
}

/// What could be read; that it could not is a finding.
fn found<T>(read: Result<T>, findings: &mut Vec<String>) -> Option<T> {
    read.map_err(|error| findings.push(error.to_string())).ok()
}

async fn check_introductions(db: &impl ConnectionTrait, findings: &mut Vec<String>) -> Result<()> {
    let mut wrong = Findings::new(findings);
    let rows = introduction::Entity::find().order_by_asc(introduction::Column::Origin);
    let mut pages = rows.paginate(db, ROWS_PER_QUERY);
    while let Some(rows) = pages.fetch_and_next().await.attempting("read the introductions")? {
        for row in rows.iter().filter(|row| row.sha256 != Digest::of(&row.bundle).as_bytes()) {
            wrong.add(format!("the introduction of {} was changed; introduce that partner again", row.origin));
        }
    }
    Ok(())
}

async fn check_bodies(db: &impl ConnectionTrait, findings: &mut Vec<String>) -> Result<()> {
    let mut wrong = Findings::new(findings);
    let mut pages = body::Entity::find().order_by_asc(body::Column::Envelope).paginate(db, ROWS_PER_QUERY);
    while let Some(rows) = pages.fetch_and_next().await.attempting("read bodies")? {
        for row in rows {
            let digest = Digest::of(&row.bytes);
            let record = Envelope::from_fixed(&row.bytes).map_or(digest, |envelope| envelope.record_digest());
            if row.envelope != digest.as_bytes() {
                wrong.add(format!("the envelope {} was changed", hex(&row.envelope)));
            } else if row.record != record.as_bytes() {
                wrong.add(format!("the envelope {} is kept as that of another record", hex(&row.envelope)));
            }
        }
    }
    Ok(())
}

async fn check_blobs(db: &impl ConnectionTrait, findings: &mut Vec<String>) -> Result<()> {
    let mut wrong = Findings::new(findings);
    let mut pages = blob::Entity::find().order_by_asc(blob::Column::Sha256).paginate(db, ROWS_PER_QUERY);
    while let Some(rows) = pages.fetch_and_next().await.attempting("read blobs")? {
        for row in rows {
            if row.sha256 != Digest::of(&row.bytes).as_bytes() || row.size != column(row.bytes.len() as u64) {
                wrong.add(format!("the blob {} was changed", hex(&row.sha256)));
            }
        }
    }
    Ok(())
}

/// What is erased is not there.
async fn check_erased(db: &impl ConnectionTrait, findings: &mut Vec<String>) -> Result<()> {
    let mut wrong = Findings::new(findings);
    let there = Expr::cust("EXISTS (SELECT 1 FROM body WHERE body.envelope = erased.envelope)");
    let rows = erased::Entity::find().filter(there).order_by_asc(erased::Column::LogId);
    let mut pages = rows.order_by_asc(erased::Column::Envelope).paginate(db, ROWS_PER_QUERY);
    while let Some(rows) = pages.fetch_and_next().await.attempting("look for what is erased")? {
        for row in rows {
            // A log may have redacted, in an entry of its own, what is for another log: that stays.
            let body = bodies::body(db, &log::digest(&row.envelope)?).await?;
            let named = body.as_deref().and_then(bodies::record_for);
            let log = log_table::Entity::find_by_id(row.redacted_in).one(db).await.attempting("look for a log")?;
            let same = |(record, origin): (Digest, Origin)| {
                row.record == record.as_bytes() && log.is_some_and(|log| log.origin == origin.as_str())
            };
            if named.is_some_and(same) {
                wrong.add(format!("the envelope {} is erased and still there", hex(&row.envelope)));
            }
        }
    }
    Ok(())
}

/// The view as it is, and as it is computed anew in `scratch`.
async fn check_view(live: &Transaction, scratch: &Transaction, findings: &mut Vec<String>) -> Result<()> {
    match rebuild_all(scratch).await {
        Err(Error::Inconsistent(problem)) => {
            findings.push(problem);
            return Ok(());
        }
        rebuilt => rebuilt?,
    };
    let (live, rebuilt) = (table_digests(live).await?, table_digests(scratch).await?);
    for ((origin, table), _) in live.iter().filter(|(place, digest)| rebuilt.get(place) != Some(digest)) {
        let mend = "mend it with `chancery view rebuild`";
        findings.push(format!("the view of {origin} is not what its log says (table {table}); {mend}"));
    }
    Ok(())
}

fn hex(digest: &[u8]) -> String {
    Digest::from_slice(digest).map_or_else(|_| "of no digest".to_owned(), |digest| digest.to_string())
}

/// Findings of one kind, as many as help.
pub(super) struct Findings<'f> {
    all: &'f mut Vec<String>,
    room: usize,
}

impl<'f> Findings<'f> {
    pub fn new(all: &'f mut Vec<String>) -> Self {
        Self { all, room: FINDINGS_MAX }
    }

    pub fn add(&mut self, finding: String) {
        if self.room > 0 {
            self.room -= 1;
            self.all.push(finding);
        }
    }
}
