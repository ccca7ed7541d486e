//! Successions of logs: which new log takes the place of which old one, in the eyes of this node. Two may claim
//! to; one is accepted, that of the own log or of an accredited partner, and only if it takes up no earlier
//! than where this node saw the old one.

use chancery_schema::digest::Digest;
use chancery_schema::limits::SUCCESSIONS_MAX;
use chancery_schema::log::checkpoint::{Checkpoint, SignedCheckpoint};
use chancery_schema::log::note::VerifierKey;
use chancery_schema::log::tree::{EMPTY_ROOT, verify_consistency};
use chancery_schema::name::Origin;
use chancery_schema::record::LogSuccession;
use chancery_schema::succession::{Seen, accepts};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};

use crate::entity::log as log_table;
use crate::error::Attempting;
use crate::ground::{is_contradicted, root_at};
use crate::known::known;
use crate::log::{self, Held};
use crate::view::Follows;
use crate::{Core, Error, Registry, Result, Succession, partners, view};

impl Registry {
    /// The successions that this node accepts: that of the own log, and those of partners with an accreditation
    /// in force.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn successions(&self) -> Result<Vec<Succession>> {
        let db = self.core.store.snapshot().await?;
        accepted(&self.core, &db).await
    }

    /// What has to be proven before [`Registry::accept`] can accept an introduction: of each earlier log that
    /// is held shorter than its base, what is held of it, and the base.
    ///
    /// # Errors
    /// When the database fails or the introduction does not hold.
    pub async fn unproven(&self, introduction: &[u8]) -> Result<Vec<(Checkpoint, Checkpoint)>> {
        let introduced = view::read_introduction(introduction)?;
        let db = self.core.store.snapshot().await?;
        let mut unproven = Vec::new();
        for link in introduced.chain() {
            let Some(old) = log::find(&db, &link.old.roster.origin).await? else { continue };
            let from = provable(&old, is_contradicted(&db, &old.log.origin).await?);
            let (_, base) = opened(link.said)?;
            if from.size > 0 && from.size < base.checkpoint().size {
                unproven.push((from, base.checkpoint().clone()));
            }
        }
        Ok(unproven)
    }

    /// Of an introduction whose log took the place of others: whether this node may accept that, by what it holds
    /// and has cosigned of each of them. `proofs` lead from what [`Registry::unproven`] answers to the bases.
    /// Answers the successions, the newest first; none where the log follows no other.
    ///
    /// # Errors
    /// When the database fails, the introduction does not hold, or a succession may not be accepted.
    pub async fn accept(&self, introduction: &[u8], proofs: &[(Origin, Vec<Digest>)]) -> Result<Vec<Succession>> {
        let introduced = view::read_introduction(introduction)?;
        let db = self.core.store.snapshot().await?;
        let others = accepted(&self.core, &db).await?;
        let (origin, fingerprint) = (&introduced.introduction.origin, introduced.introduction.fingerprint);
        if let Some(other) = others.iter().find(|other| other.predecessor_fingerprint == fingerprint) {
            return Err(refuse(format!("{} has taken the place of {origin} here; it is recognised", other.origin)));
        }
        let accredited = partners::accreditations(&db, self.core.now()).await?;
        let mut successions = Vec::new();
        for link in introduced.chain() {
            let old = &link.old.roster;
            let mut same = others.iter().filter(|other| other.predecessor_fingerprint == old.fingerprint);
            if let Some(other) = same.find(|other| other.fingerprint != link.fingerprint) {
                let hint = "end that accreditation first, if the nation's officers say that it is not theirs";
                let problem = format!("{} has taken the place of {} here already", other.origin, old.origin);
                return Err(refuse(format!("{problem}; {hint}")));
            }
            let known = accredited.iter().find(|it| it.partner_log == old.origin).map(|it| it.fingerprint);
            let held = log::find(&db, &old.origin).await?;
            let known = known.into_iter().chain(held.as_ref().and_then(|held| held.fingerprint));
            if let Some(other) = known.into_iter().find(|known| *known != old.fingerprint) {
                let (origin, told) = (&old.origin, old.fingerprint);
                let problem = format!("it tells of a log {origin} with the fingerprint {told}, and the one known here");
                return Err(refuse(format!("{problem} has {other}; ask the nation's officers which is theirs")));
            }
            let mut succession = told(link.origin, link.fingerprint, link.said)?;
            if let Some(held) = held {
                let proof = proofs.iter().find(|(origin, _)| *origin == old.origin);
                succession.beyond = judge(&db, &held, &link, proof.map_or(&[], |(_, proof)| proof)).await?;
            }
            successions.push(succession);
        }
        Ok(successions)
    }

    /// A log that came before the own one and is not held up to its base: begins a mirror of it, which grows to
    /// the base and no further. Answers the log, and the base as a signed note; none when all are held.
    ///
    /// # Errors
    /// When the database fails, or another log has its name.
    pub async fn begin_former(&self) -> Result<Option<(Origin, String)>> {
        let writing = self.core.store.write().await?;
        let db = &*writing;
        let mut after = log::own(db).await?.ok_or(Error::ReadOnly)?;
        for _ in 0..SUCCESSIONS_MAX {
            let Some(said) = said(db, &after).await? else { break };
            let (key, base) = opened(&said)?;
            if let Some(old) = former(db, &said).await? {
                if old.size >= base.checkpoint().size {
                    ends_with(db, &old, &said, &[]).await?;
                    after = old;
                    continue;
                }
                return Ok(Some((old.log.origin, said.base)));
            }
            let origin = base.checkpoint().origin.clone();
            if log::find(db, &origin).await?.is_some() {
                return Err(Error::Invalid(format!("another log of the name {origin} is held already")));
            }
            let row = log_table::ActiveModel {
                origin: Set(origin.to_string()),
                nation: Set(after.log.nation.to_string()),
                own: Set(false),
                log_vkey: Set(key.to_string()),
                fingerprint: Set(Some(said.fingerprint.as_bytes().to_vec())),
                size: Set(0),
                root: Set(EMPTY_ROOT.as_bytes().to_vec()),
                head_note: Set(None),
                pending_note: Set(Some(said.base.clone())),
                ..log_table::ActiveModel::default()
            };
            log_table::Entity::insert(row).exec_without_returning(db).await.attempting("found a mirror")?;
            writing.commit().await?;
            return Ok(Some((origin, said.base)));
        }
        Ok(None)
    }
}

fn refuse(problem: impl std::fmt::Display) -> Error {
    Error::Invalid(format!("failed to accept the new log: {problem}"))
}

/// By what is held of the earlier log, whether a new one may take its place; answers how many entries known here are
/// beyond the base.
async fn judge(db: &impl ConnectionTrait, old: &Held, link: &Follows<'_>, proof: &[Digest]) -> Result<u64> {
    let (_, base) = opened(link.said)?;
    let base = base.checkpoint();
    let two_histories = is_contradicted(db, &old.log.origin).await?;
    let from = provable(old, two_histories);
    // A checkpoint that was shown and is not held yet.
    let shown = [&old.pending, &old.witnessed].into_iter().flatten().map(SignedCheckpoint::checkpoint);
    let shown = shown.filter(|shown| shown.size == base.size).map(|shown| shown.root).find(|root| *root != base.root);
    let root = if base.size <= old.size {
        root_at(db, old, base.size).await?
    } else if shown.is_some() && !two_histories {
        shown
    } else if 0 < from.size
        && from.size <= base.size
        && verify_consistency(from.size, &from.root, base.size, &base.root, proof).is_ok()
    {
        Some(base.root)
    } else {
        None
    };
    let seen = Seen { size: provable(old, false).size, root, two_histories };
    let beyond = accepts(base, &seen).map_err(refuse)?;
    ends_with(db, old, link.said, &link.old.charters).await?;
    Ok(beyond)
}

/// That a succession names the last charter below its base that is held of the earlier log. Roots that were rotated
/// out could else found a log by leaving out the charters that came after them. Where less is held than the base,
/// the last one held must be among those `shown`.
async fn ends_with(db: &impl ConnectionTrait, old: &Held, said: &LogSuccession, shown: &[Digest]) -> Result<()> {
    let (_, base) = opened(said)?;
    let size = base.checkpoint().size;
    let Some((index, last)) = view::charters_before(db, &old.log, size).await?.pop() else { return Ok(()) };
    let is_named = if old.size >= size { last == said.charter } else { shown.contains(&last) };
    if is_named {
        return Ok(());
    }
    Err(refuse(format!(
        "it leaves out the charter {last}, which is entry {index} of {}: its roots may have been replaced by that; ask \
         the nation's officers",
        old.log.origin
    )))
}

/// The successions that this node accepts, each with those before it.
async fn accepted(core: &Core, db: &impl ConnectionTrait) -> Result<Vec<Succession>> {
    let mut successions = Vec::new();
    let mut at = log::own(db).await?;
    for _ in 0..SUCCESSIONS_MAX {
        let Some(held) = at else { break };
        let (Some(fingerprint), Some(said)) = (held.fingerprint, said(db, &held).await?) else { break };
        successions.push(told(&held.log.origin, fingerprint, &said)?);
        at = former(db, &said).await?;
    }
    let known = known(core, db).await?;
    for accredited in partners::accreditations(db, core.now()).await? {
        let introduced = known.introduced(&accredited.partner_log, &accredited.fingerprint);
        for link in introduced.iter().flat_map(|introduced| introduced.chain()) {
            successions.push(told(link.origin, link.fingerprint, link.said)?);
        }
    }
    Ok(successions)
}

/// What a held log says that it succeeds.
pub(crate) async fn said(db: &impl ConnectionTrait, held: &Held) -> Result<Option<LogSuccession>> {
    view::log_succession(db, &held.log).await
}

/// The log that a succession names, if it is held.
pub(crate) async fn former(db: &impl ConnectionTrait, said: &LogSuccession) -> Result<Option<Held>> {
    let Ok((_, base)) = said.open() else { return Ok(None) };
    let held = log::find(db, &base.checkpoint().origin).await?;
    Ok(held.filter(|held| held.fingerprint == Some(said.fingerprint)))
}

/// The largest checkpoint of a mirror that was cosigned, or is held; of a log with two histories, the one held, for
/// the one cosigned may be of the other.
fn provable(held: &Held, two_histories: bool) -> Checkpoint {
    let witnessed = held.witnessed.as_ref().filter(|_| !two_histories);
    let known = held.head.iter().chain(witnessed).map(SignedCheckpoint::checkpoint);
    let largest = known.max_by_key(|checkpoint| checkpoint.size).cloned();
    largest.unwrap_or_else(|| Checkpoint { origin: held.log.origin.clone(), size: 0, root: EMPTY_ROOT })
}

/// The key of the earlier log, and the base.
fn opened(said: &LogSuccession) -> Result<(VerifierKey, SignedCheckpoint)> {
    said.open().map_err(|invalid| Error::Inconsistent(format!("a succession cannot be read: {invalid}")))
}

fn told(origin: &Origin, fingerprint: Digest, said: &LogSuccession) -> Result<Succession> {
    let (_, base) = opened(said)?;
    Ok(Succession {
        origin: origin.clone(),
        fingerprint,
        predecessor: base.checkpoint().origin.clone(),
        predecessor_fingerprint: said.fingerprint,
        base: base.checkpoint().size,
        base_note: said.base.clone(),
        reason: said.reason.to_string(),
        beyond: 0,
    })
}
