//! What a log said and when partners saw it: checkpoints that others cosigned, and two that contradict
//! each other.
//!
//! The first cosigned checkpoints that cover an entry tell since when it is public (the clock rule), so
//! they must reach whoever joins late, and must be the same everywhere. A partner hands them on in
//! bulk; they are taken only where the hashes held lead to the same root.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::digest::Digest;
use chancery_schema::log::checkpoint::{self, Checkpoint, SignedCheckpoint};
use chancery_schema::log::cosignature::{self, Cosignature};
use chancery_schema::log::note::{Note, Signature};
use chancery_schema::log::tree;
use chancery_schema::name::Origin;
use chancery_schema::record::{Evidence, Kind, Record};
use chancery_schema::time::Timestamp;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tracing::error;

use crate::entity::{checkpoint as checkpoint_table, contradiction, cosignature as cosignature_table};
use crate::error::Attempting;
use crate::known::{Cosigner, known};
use crate::log::{self, Held, Log, column};
use crate::{Core, Error, Registry, Result, append, bounds, cosignatures, hashes, mirror, view};

/// What became of checkpoints that a partner handed on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ground {
    /// They agree with what is held; so many cosignatures were new.
    Kept(usize),
    /// The log signed this one, and what is held has another root at its size. Nothing was kept.
    Contradicts {
        /// The signed note.
        note: String,
        /// The root of what is held.
        held: Digest,
    },
}

/// Two checkpoints of one log that cannot both be of one history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contradiction {
    /// The log that signed both.
    pub origin: Origin,
    /// The smaller one, or the one known first.
    pub earlier: String,
    /// The other one.
    pub later: String,
    /// When it came to be known here.
    pub found_at: Timestamp,
    /// What proves it to anyone who knows the log's key; none where that needs entries that are not held.
    pub evidence: Option<Evidence>,
}

impl Registry {
    /// The checkpoints of a log with sizes in `(after, up_to]` that cosigners of other nations have
    /// cosigned, as signed notes with the earliest line of each; smallest first, at most `limit` of
    /// them and never more than 256.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ground(&self, origin: &Origin, after: u64, up_to: u64, limit: u64) -> Result<Vec<String>> {
        let db = self.core.store.snapshot().await?;
        let Some(held) = log::find(&db, origin).await? else { return Ok(Vec::new()) };
        let foreign = cosignature_table::Column::Own.eq(false);
        let of_log = cosignature_table::Entity::find().filter(cosignature_table::Column::LogId.eq(held.log.id));
        let sizes: Vec<i64> = of_log
            .clone()
            .select_only()
            .column(cosignature_table::Column::Size)
            .distinct()
            .filter(cosignature_table::Column::Size.gt(column(after)))
            .filter(cosignature_table::Column::Size.lte(column(up_to)))
            .filter(foreign.clone())
            .order_by_asc(cosignature_table::Column::Size)
            .limit(limit.min(GROUND_MAX))
            .into_tuple()
            .all(&db)
            .await
            .attempting("ask which checkpoints are cosigned")?;
        let rows = of_log
            .filter(cosignature_table::Column::Size.is_in(sizes.iter().copied()))
            .filter(foreign)
            .order_by_asc(cosignature_table::Column::At)
            .order_by_asc(cosignature_table::Column::Id)
            .all(&db)
            .await
            .attempting("read cosignatures")?;
        let notes = notes(&db, &held, &sizes).await?;
        notes.into_iter().map(|(size, note)| dress(note, rows.iter().filter(|row| row.size == size))).collect()
    }

    /// Takes checkpoints that a partner handed on, with their cosignatures: each must be signed by the
    /// log, be no larger than what is held, and have the root that is held at its size; each line of a
    /// known cosigner must hold. Lines of others are passed over, and so are those that are not earlier
    /// than the ones known.
    ///
    /// # Errors
    /// When the database fails, or one is not so ([`Error::DoesNotContinue`]): then nothing is kept.
    pub async fn keep_ground(&self, origin: &Origin, notes: &[String]) -> Result<Ground> {
        let db = self.core.store.snapshot().await?;
        let known = known(&self.core, &db).await?;
        let held = log::find(&db, origin).await?.ok_or_else(|| Error::UnknownLog(origin.clone()))?;
        let mut new = Vec::new();
        for note in notes {
            let signed = open(&held, note)?;
            if let Some(other) = other_root(&db, &held, signed.checkpoint()).await? {
                return Ok(Ground::Contradicts { note: note.clone(), held: other });
            }
            let (cosignatures, wrong) = earlier(&db, &held, &signed, &known.cosigners).await?;
            if let Some(wrong) = wrong {
                return Err(wrong);
            }
            if !cosignatures.is_empty() {
                new.push((mirror::bare(&signed, &held.key).map_err(|error| refuse(&held, &error))?, cosignatures));
            }
        }
        // Whoever holds a snapshot asks for no second connection.
        drop(db);
        if new.is_empty() { Ok(Ground::Kept(0)) } else { self.write_ground(&held, &new).await.map(Ground::Kept) }
    }

    /// Compares a checkpoint that partners showed with what is held: answers the root that is held at its
    /// size, none where fewer entries are. Where it is the same, the cosignatures that hold are kept,
    /// earlier ones than are known. The others are passed over: several partners' lines stand on one
    /// note, and what one of them made up takes nothing from the rest.
    ///
    /// # Errors
    /// When the database fails, or the log has not signed it ([`Error::DoesNotContinue`]).
    pub async fn compare(&self, origin: &Origin, note: &str) -> Result<Option<Digest>> {
        let db = self.core.store.snapshot().await?;
        let known = known(&self.core, &db).await?;
        let held = log::find(&db, origin).await?.ok_or_else(|| Error::UnknownLog(origin.clone()))?;
        let signed = open(&held, note)?;
        let root = root_at(&db, &held, signed.checkpoint().size).await?;
        if root == Some(signed.checkpoint().root) {
            let (cosignatures, _) = earlier(&db, &held, &signed, &known.cosigners).await?;
            // Whoever holds a snapshot asks for no second connection.
            drop(db);
            if !cosignatures.is_empty() {
                let bare = mirror::bare(&signed, &held.key).map_err(|error| refuse(&held, &error))?;
                self.write_ground(&held, &[(bare, cosignatures)]).await?;
            }
        }
        Ok(root)
    }

    async fn write_ground(&self, held: &Held, new: &[(SignedCheckpoint, Vec<Seen>)]) -> Result<usize> {
        let writing = self.core.store.write().await?;
        let mut kept = 0;
        for (signed, cosignatures) in new {
            append::write_checkpoint(&*writing, held.log.id, signed).await?;
            kept += keep(&*writing, &self.core, held, cosignatures).await?;
        }
        writing.commit().await?;
        if new.iter().any(|(signed, _)| signed.checkpoint().size == held.head_size()) {
            self.core.ring(&held.log.origin, held.head_size(), false);
        }
        Ok(kept)
    }

    /// The root of the first `size` entries of a log; none where fewer are held.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn root_at(&self, origin: &Origin, size: u64) -> Result<Option<Digest>> {
        let db = self.core.store.snapshot().await?;
        match log::find(&db, origin).await? {
            Some(held) => root_at(&db, &held, size).await,
            None => Ok(None),
        }
    }

    /// Keeps the proof that a log has two histories: one or two notes that it signed. One note is held
    /// against the head and the pending checkpoint of the mirror, and what was cosigned last. Durable when it returns; of a log
    /// the first proof is kept.
    ///
    /// # Errors
    /// When the database fails, or the notes prove nothing of that kind ([`Error::DoesNotContinue`]).
    pub async fn keep_contradiction(&self, origin: &Origin, notes: &[String]) -> Result<()> {
        let writing = self.core.store.write().await?;
        let held = match log::find(&*writing, origin).await? {
            Some(held) => held,
            None => mirror::found(&self.core, &*writing, origin).await?,
        };
        let signed: Vec<_> = notes.iter().map(|note| open(&held, note)).collect::<Result<_>>()?;
        let pair = match &signed[..] {
            [one] => against_held(&*writing, &held, one).await?,
            [one, two] => contradict(one, two).then(|| (one.clone(), two.clone())),
            _ => None,
        };
        let (earlier, later) = pair.ok_or_else(|| refuse(&held, &"the notes do not contradict each other"))?;
        write_contradiction(&*writing, &self.core, &held, (&earlier, &later)).await?;
        writing.commit().await
    }

    /// The logs of which two histories are known, with the proof.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contradictions(&self) -> Result<Vec<Contradiction>> {
        contradictions(self.core.store.read()).await
    }

    /// The proof that a log has two histories, if it is known to have.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contradiction(&self, origin: &Origin) -> Result<Option<Contradiction>> {
        let row = contradiction::Entity::find_by_id(origin.as_str()).one(self.core.store.read()).await;
        row.attempting("read the proofs of two histories")?.map(read).transpose()
    }

    /// The evidence that the own log does not hold yet, once for each accused key: for the node's key to sign
    /// and [`Registry::admit`] to enter, which is how every partner comes to know of it. Nothing where
    /// another process sequences: that one does it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unreported(&self) -> Result<Vec<Evidence>> {
        if !self.core.leads() {
            return Ok(Vec::new());
        }
        let db = self.core.store.snapshot().await?;
        let mut evidence: Vec<Evidence> = contradictions(&db).await?.into_iter().filter_map(|it| it.evidence).collect();
        if let Some(own) = log::own(&db).await?.filter(|_| !evidence.is_empty()) {
            let records = view::standing(&db, &own.log, Kind::Evidence).await?.into_iter();
            let reported: BTreeSet<String> = records.filter_map(|(_, record)| accused(record)).collect();
            evidence.retain(|it| !reported.contains(&it.accused));
        }
        Ok(evidence)
    }
}

fn accused(record: Record) -> Option<String> {
    match record {
        Record::Evidence(evidence) => Some(evidence.accused),
        _ => None,
    }
}

async fn contradictions(db: &impl ConnectionTrait) -> Result<Vec<Contradiction>> {
    let rows = contradiction::Entity::find().order_by_asc(contradiction::Column::Origin);
    let rows = rows.all(db).await.attempting("read the proofs of two histories")?;
    rows.into_iter().map(read).collect()
}

fn read(row: contradiction::Model) -> Result<Contradiction> {
    let broken = || Error::Inconsistent("a proof of two histories in the database cannot be read".to_owned());
    let evidence = row.evidence.as_deref().map(serde_json::from_str).transpose();
    Ok(Contradiction {
        origin: row.origin.parse().map_err(|_| broken())?,
        earlier: row.earlier,
        later: row.later,
        found_at: Timestamp::from_unix_seconds(row.found_at).map_err(|_| broken())?,
        evidence: evidence.map_err(|_| broken())?,
    })
}

/// Checkpoints that are read at once, each of which may be a note of the largest size.
const GROUND_MAX: u64 = 256;

/// A cosignature that holds, and whether it says that every entry is held.
pub(crate) type Seen = (Cosignature, bool);

/// Those of `lines` that known cosigners made on a checkpoint. Lines of other keys, and lines that do
/// not hold, are passed over. Needs no database, so nobody waits while signatures are verified.
pub(crate) fn verified(checkpoint: &Checkpoint, lines: &[Signature], cosigners: &[Cosigner]) -> Vec<Seen> {
    let lines = lines.iter().filter_map(|line| {
        let cosigner = cosigners.iter().find(|cosigner| cosigner.key.claims(line))?;
        Some((cosignature::verify(checkpoint, line, &cosigner.key).ok()?, cosigner.held))
    });
    lines.collect()
}

/// Keeps those that were not known; answers how many.
async fn keep(db: &impl ConnectionTrait, core: &Core, held: &Held, seen: &[Seen]) -> Result<usize> {
    let mut kept = 0;
    for (cosignature, all_held) in seen {
        kept += usize::from(cosignatures::keep(db, held.log.id, cosignature, *all_held, core.now()).await?);
    }
    Ok(kept)
}

fn refuse(held: &Held, problem: &dyn std::fmt::Display) -> Error {
    Error::DoesNotContinue { origin: held.log.origin.clone(), problem: problem.to_string() }
}

/// A checkpoint that the log has signed.
fn open(held: &Held, note: &str) -> Result<SignedCheckpoint> {
    checkpoint::open(note.as_bytes(), &held.key).map_err(|error| refuse(held, &error))
}

/// The root that is held at the size of a checkpoint, where it is another one.
async fn other_root(db: &impl ConnectionTrait, held: &Held, shown: &Checkpoint) -> Result<Option<Digest>> {
    let ours = root_at(db, held, shown.size).await?;
    let larger = || refuse(held, &format!("a checkpoint has {} entries, and {} are held", shown.size, held.size));
    Ok(Some(ours.ok_or_else(larger)?).filter(|ours| *ours != shown.root))
}

pub(crate) async fn root_at(db: &impl ConnectionTrait, held: &Held, size: u64) -> Result<Option<Digest>> {
    if size > held.size {
        return Ok(None);
    }
    hashes::read(db, held.log.id, size, |reader| tree::root(reader, size)).await
}

/// The cosignatures on a checkpoint that come before every one that is known of the same cosigner, and
/// what is wrong with the first line that claims a known cosigner and does not hold.
/// What is known already is not verified again: whoever looks for gaps shows much that is known.
async fn earlier(
    db: &impl ConnectionTrait,
    held: &Held,
    signed: &SignedCheckpoint,
    cosigners: &[Cosigner],
) -> Result<(Vec<Seen>, Option<Error>)> {
    let rows = cosignature_table::Entity::find()
        .filter(cosignature_table::Column::LogId.eq(held.log.id))
        .filter(cosignature_table::Column::Size.eq(column(signed.checkpoint().size)))
        .all(db)
        .await
        .attempting("read cosignatures")?;
    let (mut earlier, mut wrong) = (Vec::new(), None);
    for line in signed.note().signatures().iter().take(bounds::COSIGNATURE_LINES) {
        let Some(cosigner) = cosigners.iter().find(|cosigner| cosigner.key.claims(line)) else { continue };
        let text = line.to_string();
        if rows.iter().any(|row| row.line == text) {
            continue;
        }
        let seen = match cosignature::verify(signed.checkpoint(), line, &cosigner.key) {
            Ok(seen) => seen,
            Err(error) => {
                wrong.get_or_insert_with(|| refuse(held, &error));
                continue;
            }
        };
        let at = column(seen.timestamp());
        if rows.iter().filter(|row| row.name == seen.name()).all(|row| at < row.at) {
            earlier.push((seen, cosigner.held));
        }
    }
    Ok((earlier, wrong))
}

/// The checkpoints at these sizes as the log signed them.
async fn notes(db: &impl ConnectionTrait, held: &Held, sizes: &[i64]) -> Result<BTreeMap<i64, Note>> {
    let rows = checkpoint_table::Entity::find()
        .filter(checkpoint_table::Column::LogId.eq(held.log.id))
        .filter(checkpoint_table::Column::Size.is_in(sizes.iter().copied()))
        .all(db)
        .await
        .attempting("read checkpoints")?;
    let broken = |_| Error::Inconsistent(format!("a checkpoint of {} cannot be read", held.log.origin));
    rows.into_iter().map(|row| Ok((row.size, Note::parse(row.note.as_bytes()).map_err(broken)?))).collect()
}

/// A note with the first line of each name, as many as it takes.
fn dress<'r>(mut note: Note, rows: impl Iterator<Item = &'r cosignature_table::Model>) -> Result<String> {
    let mut names = Vec::new();
    for row in rows {
        if names.contains(&&row.name) {
            continue;
        }
        let broken = |_| Error::Inconsistent("a cosignature in the database cannot be read".to_owned());
        if note.add(Signature::parse(&row.line).map_err(broken)?).is_err() {
            break;
        }
        names.push(&row.name);
    }
    Ok(note.to_string())
}

/// Whether two checkpoints of a log say by themselves that it has two histories.
pub(crate) fn contradict(one: &SignedCheckpoint, two: &SignedCheckpoint) -> bool {
    let (one, two) = (one.checkpoint(), two.checkpoint());
    one.size == two.size && one.root != two.root
}

/// Keeps a proof of two histories, the first of each log, with what proves it to others where that is held.
pub(crate) async fn write_contradiction(
    db: &impl ConnectionTrait,
    core: &Core,
    held: &Held,
    (earlier, later): (&SignedCheckpoint, &SignedCheckpoint),
) -> Result<()> {
    let bare = |signed| mirror::bare(signed, &held.key).map_err(|error| refuse(held, &error));
    let (first, second) = (bare(earlier)?, bare(later)?);
    let evidence =
        hashes::read(db, held.log.id, held.size, |reader| Evidence::of(&held.key, (&first, &second), reader));
    let (origin, evidence) = (&held.log.origin, evidence.await?);
    write(db, core, origin, (earlier.to_string(), later.to_string()), evidence.as_ref()).await
}

async fn write(
    db: &impl ConnectionTrait,
    core: &Core,
    origin: &Origin,
    (earlier, later): (String, String),
    evidence: Option<&Evidence>,
) -> Result<()> {
    let evidence = evidence.map(serde_json::to_string).transpose();
    let row = contradiction::ActiveModel {
        origin: Set(origin.to_string()),
        earlier: Set(earlier),
        later: Set(later),
        found_at: Set(core.now().unix_seconds()),
        evidence: Set(evidence.map_err(|error| Error::Inconsistent(error.to_string()))?),
    };
    let place = OnConflict::column(contradiction::Column::Origin).do_nothing().to_owned();
    let kept = contradiction::Entity::insert(row).on_conflict(place).exec_without_returning(db).await;
    kept.attempting("keep a proof of two histories").map(|_| ())
}

/// Takes the evidence that a log brought from entry `first` on: what it proves of a log that is held counts
/// as if it had been found here. Of a log that is not held, and of the own one, nothing is kept.
pub(crate) async fn heed(db: &impl ConnectionTrait, core: &Core, log: &Log, first: u64) -> Result<()> {
    for (_, record) in view::standing_from(db, log, Kind::Evidence, first).await? {
        let Record::Evidence(evidence) = record else { continue };
        let Ok(proven) = evidence.verify() else { continue };
        let origin = &proven.earlier().origin;
        let accused = log::find(db, origin).await?.filter(|held| !held.log.own && held.key == *proven.log());
        if accused.is_none() || is_contradicted(db, origin).await? {
            continue;
        }
        write(db, core, origin, (evidence.earlier.clone(), evidence.later.clone()), Some(&evidence)).await?;
        error!(log.origin = %origin, reporter = %log.nation, "A log has two histories; nothing more is taken of it");
    }
    Ok(())
}

/// Whether a log is known to have two histories.
pub(crate) async fn is_contradicted(db: &impl ConnectionTrait, origin: &Origin) -> Result<bool> {
    let row = contradiction::Entity::find_by_id(origin.as_str()).one(db).await;
    row.attempting("read the proofs of two histories").map(|row| row.is_some())
}

/// The checkpoint of a mirror that another one contradicts, and that one, the smaller first.
pub(crate) async fn against_held(
    db: &impl ConnectionTrait,
    held: &Held,
    shown: &SignedCheckpoint,
) -> Result<Option<(SignedCheckpoint, SignedCheckpoint)>> {
    let known = [&held.head, &held.pending, &held.witnessed].into_iter().flatten();
    if let Some(same) = known.clone().find(|known| contradict(known, shown)) {
        return Ok(Some((same.clone(), shown.clone())));
    }
    // What is held leads to these, and nobody knows yet whether to the one that was cosigned.
    let known = [&held.head, &held.pending].into_iter().flatten();
    let Some(larger) = known.clone().find(|known| known.checkpoint().size > shown.checkpoint().size) else {
        return Ok(None);
    };
    // The entries held lead to the larger one, and not to the one shown.
    let other = shown.checkpoint().size <= held.size && other_root(db, held, shown.checkpoint()).await?.is_some();
    Ok(other.then(|| (shown.clone(), larger.clone())))
}
