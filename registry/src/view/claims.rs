//! What the redactions of a log say of records whose bodies are gone, before it is known whether they count.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::admission::Submission;
use chancery_schema::digest::Digest;
use chancery_schema::key::{KeyRecord, Role};
use chancery_schema::log::entry::Entry;
use chancery_schema::record::{Kind, Record, Redaction};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::{ending, record};
use super::verdict::{MISSING, admitted};
use super::{ends, records};
use crate::entity::entry;
use crate::error::Attempting;
use crate::log::{Log, column, digest, size};
use crate::{Result, bodies};

/// Entries that are looked through at once.
const ENTRIES_PER_QUERY: u64 = 4096;

/// The redactions of a stretch of a log that are believed until their own turn: of each entry the first in log
/// order that a key which the log names for redactions signed. An honest log has no other; for one that has, its
/// record stays missing where it was never seen.
pub(super) struct Claims {
    first: u64,
    /// By the entry of which each speaks: where the redaction stands, and what it says.
    of: BTreeMap<u64, (u64, Redaction)>,
    /// Those by which a record was judged: the record's entry, and the redaction's.
    used: BTreeSet<(u64, u64)>,
    /// Whether some turned out to be false already.
    doubted: bool,
}

impl Claims {
    /// Those from entry `first` on. Begins earlier where the first redaction of an earlier record whose body is not
    /// held comes only now, and where one from there on has erased an earlier record: it may not count any more.
    pub async fn read(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<Self> {
        let mut claims = Self { first, of: BTreeMap::new(), used: BTreeSet::new(), doubted: false };
        let (mut keys, mut low, mut until) = (Keys::default(), first, None);
        loop {
            claims.add(db, log, (low, until), &mut keys).await?;
            let earlier = claims.earlier(db, log, low, 0).await?;
            if earlier == low {
                break;
            }
            (low, until) = (earlier, Some(low));
        }
        // What was said of it before was not believed then, and would not be now.
        loop {
            let earlier = claims.earlier(db, log, claims.first, first).await?;
            if earlier == claims.first {
                return Ok(claims);
            }
            claims.first = earlier;
        }
    }

    /// The earliest entry before `start` that is to be judged with it, for a redaction at `since` or later speaks
    /// of it and its body is not held, or one at `start` or later has erased it; `start` itself where none is.
    async fn earlier(&self, db: &impl ConnectionTrait, log: &Log, start: u64, since: u64) -> Result<u64> {
        let mut earliest = ends::redacted(db, log, start).await?.into_iter().fold(start, u64::min);
        for (index, _) in self.of.range(..start).filter(|(_, (place, _))| *place >= since) {
            if *index < earliest && is_missing(db, log, *index).await? {
                earliest = *index;
                break;
            }
        }
        Ok(earliest)
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
        let claim = self.of.get(&index).filter(|(_, redaction)| redaction.kind.as_str() == entry.kind());
        let Some((place, redaction)) = claim else { return Ok(None) };
        if records::position(db, log, &redaction.redacts).await?.is_some() {
            return Ok(None);
        }
        self.used.insert((index, *place));
        Ok(Some(redaction))
    }

    /// Whether every redaction by which a record was judged counted at its own turn. Those that did not are put
    /// aside, and the second time all that did not count: then the rest holds, for it did with more.
    pub async fn all_hold(&mut self, db: &impl ConnectionTrait, log: &Log) -> Result<bool> {
        let mut held = BTreeSet::new();
        let used = std::mem::take(&mut self.used);
        for (index, place) in &used {
            let row = ending::Entity::find_by_id((log.id, column(*place))).one(db).await;
            match row.attempting("read a redaction")? {
                Some(_) => _ = held.insert(*index),
                None => _ = self.of.remove(index),
            }
        }
        if held.len() == used.len() {
            return Ok(true);
        }
        if std::mem::replace(&mut self.doubted, true) {
            self.of.retain(|index, _| held.contains(index));
        }
        Ok(false)
    }

    async fn add(
        &mut self,
        db: &impl ConnectionTrait,
        log: &Log,
        (first, until): (u64, Option<u64>),
        keys: &mut Keys,
    ) -> Result<()> {
        let (mut next, mut redactions) = (column(first), Vec::new());
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
                match Kind::from_word(entry.kind()) {
                    Some(Kind::Redaction) => redactions.push((size(row.idx)?, entry)),
                    Some(Kind::Charter | Kind::Delegation) => keys.unread.push(entry),
                    _ => {}
                }
            }
        }
        if !redactions.is_empty() {
            keys.read(db, log).await?;
        }
        for (place, entry) in redactions {
            let Some(submission) = read(db, &entry).await? else { continue };
            let Record::Redaction(redaction) = &submission.record else { continue };
            let index = redaction.index;
            let earlier = self.of.get(&index).is_none_or(|(first, _)| place < *first);
            if index < place && earlier && keys.signed(log, &submission) {
                // Many are in memory at once, and what they say to people is not asked here.
                let redaction = Redaction { statement: None, ..(**redaction).clone() };
                self.of.insert(index, (place, redaction));
            }
        }
        Ok(())
    }
}

/// The keys that a log names for redactions: registrars, and those of delegations for it, whatever became of them.
#[derive(Default)]
struct Keys {
    known: BTreeMap<Digest, (Role, KeyRecord)>,
    /// Whether those that the view knows are among them.
    viewed: bool,
    /// Charters and delegations that may name more.
    unread: Vec<Entry>,
}

impl Keys {
    /// Reads what is not read yet.
    async fn read(&mut self, db: &impl ConnectionTrait, log: &Log) -> Result<()> {
        if !std::mem::replace(&mut self.viewed, true) {
            let rows: Vec<(String, Vec<u8>)> = record::Entity::find()
                .select_only()
                .columns([record::Column::Kind, record::Column::Envelope])
                .filter(record::Column::LogId.eq(log.id))
                .filter(record::Column::Kind.is_in([Kind::Charter.as_str(), Kind::Delegation.as_str()]))
                .filter(admitted())
                .into_tuple()
                .all(db)
                .await
                .attempting("look for the keys of a log")?;
            for (kind, envelope) in rows {
                self.unread.extend(Entry::new(&kind, digest(&envelope)?).ok());
            }
        }
        for entry in std::mem::take(&mut self.unread) {
            let named = self::read(db, &entry).await?;
            self.add(named.as_ref());
        }
        Ok(())
    }

    fn add(&mut self, named: Option<&Submission>) {
        match named.map(|named| &named.record) {
            Some(Record::Charter(charter)) => {
                let registrars = charter.registrars.iter();
                self.known.extend(registrars.map(|key| (key.keyid, (Role::Registrar, key.clone()))));
            }
            Some(Record::Delegation(delegation)) if delegation.kinds.iter().any(|kind| *kind == Kind::Redaction) => {
                self.known.insert(delegation.key.keyid, (delegation.role, delegation.key.clone()));
            }
            _ => {}
        }
    }

    /// Whether the signature of one of them is on a record, and holds.
    fn signed(&self, log: &Log, submission: &Submission) -> bool {
        submission.envelope.key_ids().filter_map(|keyid| self.known.get(&keyid)).any(|(role, key)| {
            let key = key.open(&log.nation, &log.origin, *role);
            key.is_ok_and(|key| submission.envelope.verified_by(&key))
        })
    }
}

/// The record of an entry, where its body is held and belongs to it.
async fn read(db: &impl ConnectionTrait, entry: &Entry) -> Result<Option<Submission>> {
    let body = bodies::body(db, &entry.envelope()).await?;
    Ok(body.and_then(|body| Submission::of_entry(entry, &body).ok()))
}

async fn is_missing(db: &impl ConnectionTrait, log: &Log, index: u64) -> Result<bool> {
    let row = record::Entity::find_by_id((log.id, column(index))).one(db).await.attempting("read a record")?;
    Ok(row.is_some_and(|row| row.verdict == MISSING))
}
