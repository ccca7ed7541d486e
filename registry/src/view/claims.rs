//! What the redactions of a log say of records whose bodies are gone, before it is known whether they count.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::admission::Submission;
use chancery_schema::log::entry::Entry;
use chancery_schema::record::{Kind, Record, Redaction};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::{ending, record};
use super::verdict::MISSING;
use super::{ends, records};
use crate::entity::entry;
use crate::error::Attempting;
use crate::log::{Log, column, size};
use crate::{Result, bodies};

/// Entries that are looked through at once.
const ENTRIES_PER_QUERY: u64 = 4096;

/// How often a stretch is computed again because redactions of one record turned out to be false: only a
/// nation that writes such into its own log is in the way of its own record.
const PASSES_MAX: usize = 8;

/// The redactions of a stretch of a log, by the entry of which each speaks, in log order.
pub(super) struct Claims {
    first: u64,
    of: BTreeMap<u64, Vec<(u64, Redaction)>>,
    /// Those by which a record was judged: the record's entry, and the redaction's.
    used: BTreeSet<(u64, u64)>,
    passes: usize,
}

impl Claims {
    /// Those from entry `first` on. Begins earlier where a redaction speaks of an earlier record whose body is
    /// not held, and where one from there on has erased an earlier record: it may not count any more.
    pub async fn read(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<Self> {
        let mut claims = Self { first, of: BTreeMap::new(), used: BTreeSet::new(), passes: 0 };
        let mut until = None;
        loop {
            let start = claims.first;
            claims.add(db, log, start, until).await?;
            for index in ends::redacted(db, log, start).await? {
                claims.first = claims.first.min(index);
            }
            let earlier: Vec<u64> = claims.of.range(..start).map(|(index, _)| *index).collect();
            for index in earlier {
                if is_missing(db, log, index).await? {
                    claims.first = claims.first.min(index);
                    break;
                }
            }
            if claims.first == start {
                return Ok(claims);
            }
            until = Some(start);
        }
    }

    /// From which entry on the view is to be computed.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// What speaks of an entry whose body is not held. Nothing where the record is in the log already: it stands
    /// where it was admitted.
    pub async fn of(
        &mut self,
        db: &impl ConnectionTrait,
        log: &Log,
        index: u64,
        entry: &Entry,
    ) -> Result<Option<&Redaction>> {
        let claims = self.of.get(&index).into_iter().flatten();
        let mut claims = claims.filter(|(_, redaction)| redaction.kind.as_str() == entry.kind());
        let Some((place, redaction)) = claims.next() else { return Ok(None) };
        if records::position(db, log, &redaction.redacts).await?.is_some() {
            return Ok(None);
        }
        self.used.insert((index, *place));
        Ok(Some(redaction))
    }

    /// Whether every redaction by which a record was judged counted at its own turn; those that did not are
    /// put aside.
    pub async fn all_hold(&mut self, db: &impl ConnectionTrait, log: &Log) -> Result<bool> {
        self.passes += 1;
        let mut all = true;
        for (index, place) in std::mem::take(&mut self.used) {
            let row = ending::Entity::find_by_id((log.id, column(place))).one(db).await;
            if row.attempting("read a redaction")?.is_some() {
                continue;
            }
            all = false;
            if self.passes >= PASSES_MAX {
                self.of.remove(&index);
            } else if let Some(claims) = self.of.get_mut(&index) {
                claims.retain(|(it, _)| *it != place);
            }
        }
        Ok(all)
    }

    async fn add(&mut self, db: &impl ConnectionTrait, log: &Log, first: u64, until: Option<u64>) -> Result<()> {
        let mut next = column(first);
        loop {
            let rows = entry::Entity::find()
                .filter(entry::Column::LogId.eq(log.id))
                .filter(entry::Column::Idx.gte(next))
                .filter(entry::Column::Idx.lt(until.map_or(i64::MAX, column)))
                .order_by_asc(entry::Column::Idx)
                .limit(ENTRIES_PER_QUERY)
                .all(db)
                .await
                .attempting("look for redactions")?;
            let Some(last) = rows.last() else { break };
            next = last.idx + 1;
            for row in rows {
                let Ok(entry) = Entry::parse(&row.bytes) else { continue };
                if entry.kind() != Kind::Redaction.as_str() {
                    continue;
                }
                let (place, body) = (size(row.idx)?, bodies::body(db, &entry.envelope()).await?);
                let submission = body.and_then(|body| Submission::of_entry(&entry, &body).ok());
                if let Some(Record::Redaction(mut redaction)) = submission.map(|submission| submission.record)
                    && redaction.index < place
                {
                    // Many are in memory at once, and what they say to people is not asked here.
                    redaction.statement = None;
                    self.of.entry(redaction.index).or_default().push((place, *redaction));
                }
            }
        }
        for claims in self.of.values_mut() {
            claims.sort_by_key(|(place, _)| *place);
        }
        Ok(())
    }
}

async fn is_missing(db: &impl ConnectionTrait, log: &Log, index: u64) -> Result<bool> {
    let row = record::Entity::find_by_id((log.id, column(index))).one(db).await.attempting("read a record")?;
    Ok(row.is_some_and(|row| row.verdict == MISSING))
}
