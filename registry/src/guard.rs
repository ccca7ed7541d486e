//! The own-head guard: nothing is signed that is smaller than, or beside, what was signed before.
//!
//! A database may be older than what was signed last: a backup that was restored, a standby that lagged.
//! So the newest checkpoint of the own log is remembered outside of it too, as a [`Mark`], and what
//! partners show of the log is compared with what is held.

use std::sync::{Arc, PoisonError};

use chancery_schema::digest::Digest;
use chancery_schema::log::checkpoint::{self, SignedCheckpoint};
use sea_orm::ConnectionTrait;

use crate::log::{self, Held};
use crate::{Core, Error, Registry, Result, ground, mirror, partners};

/// Where the newest checkpoint of the own log is remembered, outside the database and its backup.
pub trait Mark: Send + Sync {
    /// The note that was written last; none where none ever was.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self) -> std::io::Result<Option<String>>;

    /// Remembers a note in place of the one before. Durable when it returns; whole or not at all.
    ///
    /// # Errors
    /// When it is not kept.
    fn write(&self, note: &str) -> std::io::Result<()>;
}

/// A mark that threads may share.
pub type SharedMark = Arc<dyn Mark>;

/// Why nothing is signed for the own log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Doubt {
    /// More was signed than is held.
    #[error(
        "{known} entries of this log were signed and {held} are held here; stop the node and fetch the others from a partner's node with `chancery recover`"
    )]
    Behind {
        /// Entries held.
        held: u64,
        /// Entries signed.
        known: u64,
    },
    /// What was signed does not lead to what is held.
    #[error(
        "this log has signed two histories: what was signed with {known} entries is not what is held; keep both, and speak to the partners' officers"
    )]
    Beside {
        /// Entries of the other history.
        known: u64,
    },
    /// A recovery has begun and not ended.
    #[error("the recovery of this log has not ended; stop the node and run `chancery recover` again")]
    Unfinished,
    /// Nobody says what was signed last.
    #[error(
        "the node's high-water mark is missing, so nobody knows what was signed last; it signs once a partner has shown what it holds of this log, or after `chancery recover`"
    )]
    Unmarked,
}

/// A checkpoint that was signed, and what is held at its size.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Known {
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Digest,
    /// The root that is held at its size; none where fewer entries are.
    pub held: Option<Digest>,
}

/// What the decision rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Facts {
    /// Entries held.
    pub held: u64,
    /// Whether a recovery has begun and not ended.
    pub unfinished: bool,
    /// Whether two histories of the log were proven before.
    pub contradicted: bool,
    /// Whether it should be known what was signed last, and is not.
    pub unmarked: bool,
    /// What was signed, as far as the mark, this process and partners say.
    pub known: Vec<Known>,
}

/// Whether the own log may be signed on; if not, why.
pub(crate) fn decide(facts: &Facts) -> Option<Doubt> {
    let beside = facts.known.iter().find(|known| known.held.is_some_and(|held| held != known.root));
    if let Some(known) = beside {
        return Some(Doubt::Beside { known: known.size });
    }
    if facts.contradicted {
        return Some(Doubt::Beside { known: facts.held });
    }
    if facts.unfinished {
        return Some(Doubt::Unfinished);
    }
    let largest = facts.known.iter().map(|known| known.size).max().unwrap_or(0);
    if largest > facts.held {
        return Some(Doubt::Behind { held: facts.held, known: largest });
    }
    facts.unmarked.then_some(Doubt::Unmarked)
}

impl Registry {
    /// Why nothing is signed for the own log; none where it may be.
    ///
    /// # Errors
    /// When the database or the mark cannot be read.
    pub async fn doubt(&self) -> Result<Option<Doubt>> {
        let mark = self.core.identity.as_ref().and_then(|identity| identity.mark.as_ref());
        self.doubt_by(mark).await
    }

    /// As [`Registry::doubt`], for an archive that was opened without an identity.
    ///
    /// # Errors
    /// As [`Registry::doubt`].
    pub async fn doubt_by(&self, mark: Option<&SharedMark>) -> Result<Option<Doubt>> {
        let db = self.core.store.snapshot().await?;
        match log::own(&db).await? {
            Some(held) => ask(&self.core, &db, &held, mark).await,
            None => Ok(None),
        }
    }

    /// Takes a head of the own log that a partner shows. One that is larger than what is held is
    /// remembered in the mark; one beside it is kept as the proof of two histories. Answers why nothing
    /// is signed after that, if so.
    ///
    /// # Errors
    /// When the database or the mark fails, or the log has not signed it ([`Error::DoesNotContinue`]).
    pub async fn hear(&self, note: &str) -> Result<Option<Doubt>> {
        let db = self.core.store.snapshot().await?;
        let held = log::own(&db).await?.ok_or(Error::ReadOnly)?;
        let refuse = |problem: String| Error::DoesNotContinue { origin: held.log.origin.clone(), problem };
        let signed = checkpoint::open(note.as_bytes(), &held.key).map_err(|error| refuse(error.to_string()))?;
        let (size, root) = (signed.checkpoint().size, signed.checkpoint().root);
        let ours = ground::root_at(&db, &held, size).await?;
        // Whoever holds a snapshot asks for no second connection.
        drop(db);
        let mark = self.core.identity.as_ref().and_then(|identity| identity.mark.as_ref());
        let known = [read(&held, mark).await?, self.core.seen()];
        let differs = |known: &SignedCheckpoint| known.checkpoint().size == size && known.checkpoint().root != root;
        if ours.is_some_and(|ours| ours != root) {
            self.keep_contradiction(&held.log.origin, &[note.to_owned()]).await?;
        } else if let Some(other) = known.into_iter().flatten().find(differs) {
            self.keep_contradiction(&held.log.origin, &[other.to_string(), note.to_owned()]).await?;
        } else {
            let bare = mirror::bare(&signed, &held.key).map_err(|error| refuse(error.to_string()))?;
            remember(&self.core, &bare).await?;
        }
        self.doubt().await
    }
}

/// Refuses where the own log must not be signed on. What could not be written into the mark before is
/// written now, so nothing is signed while it cannot be.
pub(crate) async fn check(core: &Core, db: &impl ConnectionTrait, held: &Held) -> Result<()> {
    let mark = core.identity()?.mark.as_ref();
    if let Some(doubt) = ask(core, db, held, mark).await? {
        return Err(doubt.into());
    }
    let seen = core.seen();
    match &seen {
        Some(seen) => write(core, seen).await,
        None => Ok(()),
    }
}

/// Gathers the facts and decides.
pub(crate) async fn ask(
    core: &Core,
    db: &impl ConnectionTrait,
    held: &Held,
    mark: Option<&SharedMark>,
) -> Result<Option<Doubt>> {
    let (marked, seen) = (read(held, mark).await?, core.seen());
    let nobody_says = mark.is_some() && marked.is_none() && seen.is_none() && held.size > 0;
    let mut known = Vec::new();
    for signed in [marked, seen].into_iter().flatten() {
        let (size, root) = (signed.checkpoint().size, signed.checkpoint().root);
        known.push(Known { size, root, held: ground::root_at(db, held, size).await? });
    }
    Ok(decide(&Facts {
        held: held.size,
        unfinished: held.pending.is_some(),
        contradicted: ground::is_contradicted(db, &held.log.origin).await?,
        // A log that nobody mirrors was seen by nobody.
        unmarked: nobody_says && !partners::accreditations(db, core.now()).await?.is_empty(),
        known,
    }))
}

/// Remembers a checkpoint that the own log signed, unless a larger one is: in this process, and in the mark.
pub(crate) async fn remember(core: &Core, signed: &SignedCheckpoint) -> Result<()> {
    core.see(signed);
    write(core, signed).await
}

async fn write(core: &Core, signed: &SignedCheckpoint) -> Result<()> {
    let Some(mark) = core.identity.as_ref().and_then(|identity| identity.mark.clone()) else { return Ok(()) };
    let (size, note) = (signed.checkpoint().size, signed.to_string());
    let written = tokio::task::spawn_blocking(move || match mark.read()? {
        Some(before) if size_of(&before).is_some_and(|before| before >= size) => Ok(()),
        _ => mark.write(&note),
    });
    written.await.map_err(|error| failed("write", &error))?.map_err(|error| failed("write", &error))
}

/// The checkpoint in the mark. One that the own log has not signed is as good as none.
async fn read(held: &Held, mark: Option<&SharedMark>) -> Result<Option<SignedCheckpoint>> {
    let Some(mark) = mark.cloned() else { return Ok(None) };
    let read = tokio::task::spawn_blocking(move || mark.read()).await.map_err(|error| failed("read", &error))?;
    let note = read.map_err(|error| failed("read", &error))?;
    Ok(note.and_then(|note| checkpoint::open(note.as_bytes(), &held.key).ok()))
}

fn size_of(note: &str) -> Option<u64> {
    let note = chancery_schema::log::note::Note::parse(note.as_bytes()).ok()?;
    checkpoint::Checkpoint::parse(note.text()).ok().map(|checkpoint| checkpoint.size)
}

fn failed(attempted: &'static str, error: &dyn std::fmt::Display) -> Error {
    Error::Mark { attempted, problem: error.to_string() }
}

impl Core {
    /// The newest checkpoint of the own log that this process has signed or seen.
    fn seen(&self) -> Option<SignedCheckpoint> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn see(&self, signed: &SignedCheckpoint) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref().is_none_or(|seen| seen.checkpoint().size < signed.checkpoint().size) {
            *seen = Some(signed.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(held: u64, known: &[(u64, &str, Option<&str>)]) -> Facts {
        let root = |text: &str| Digest::of(text.as_bytes());
        let known =
            known.iter().map(|(size, signed, held)| Known { size: *size, root: root(signed), held: held.map(root) });
        Facts { held, unfinished: false, contradicted: false, unmarked: false, known: known.collect() }
    }

    #[test]
    fn what_was_signed_decides_whether_more_is() {
        let behind = |held, known| Some(Doubt::Behind { held, known });
        for (facts, expected) in [
            (facts(5, &[]), None),
            (facts(5, &[(5, "a", Some("a"))]), None),
            (facts(9, &[(5, "a", Some("a")), (9, "b", Some("b"))]), None),
            (facts(5, &[(6, "a", None)]), behind(5, 6)),
            (facts(5, &[(4, "a", Some("a")), (7, "b", None), (6, "c", None)]), behind(5, 7)),
            (facts(0, &[(1, "a", None)]), behind(0, 1)),
            (facts(5, &[(5, "a", Some("b"))]), Some(Doubt::Beside { known: 5 })),
            (facts(9, &[(12, "c", None), (5, "a", Some("b"))]), Some(Doubt::Beside { known: 5 })),
            (Facts { contradicted: true, ..facts(5, &[]) }, Some(Doubt::Beside { known: 5 })),
            (Facts { unfinished: true, ..facts(5, &[(9, "a", None)]) }, Some(Doubt::Unfinished)),
            (Facts { unmarked: true, ..facts(5, &[]) }, Some(Doubt::Unmarked)),
        ] {
            assert_eq!(decide(&facts), expected, "{facts:?}");
        }
    }
}
