//! Successions of logs: which new log takes the place of which old one, in the eyes of this node. Two may claim
//! to; one is accepted, that of the own log or of an accredited partner, and only if it takes up no earlier
//! than where this node saw the old one.

use chancery_schema::digest::Digest;
use chancery_schema::log::checkpoint::Checkpoint;
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

    /// Of an introduction whose log took the place of another: whether this node may accept that, by what it
    /// holds and has cosigned of the old one. `proof` leads from [`Registry::seen`] to the base, where that is
    /// larger.
    ///
    /// # Errors
    /// When the database fails, the introduction does not hold, or the succession may not be accepted.
    pub async fn succession(&self, introduction: &[u8], proof: &[Digest]) -> Result<Option<Succession>> {
        let introduced = view::read_introduction(introduction)?;
        let refuse = |problem: String| Error::Invalid(format!("failed to accept the new log: {problem}"));
        let Some(said) = &introduced.succession else { return Ok(None) };
        let mut succession = told(&introduced.introduction.origin, introduced.introduction.fingerprint, said)?;
        let db = self.core.store.snapshot().await?;
        for other in accepted(&self.core, &db).await? {
            if other.predecessor_fingerprint == said.fingerprint && other.fingerprint != succession.fingerprint {
                let (origin, old) = (&other.origin, &other.predecessor);
                let hint = "end that accreditation first, if the nation's officers say that it is not theirs";
                return Err(refuse(format!("{origin} has taken the place of {old} here already; {hint}")));
            }
        }
        let (_, base) = said.open().map_err(|invalid| refuse(invalid.to_string()))?;
        let base = base.checkpoint();
        let Some(old) = former(&db, said).await? else { return Ok(Some(succession)) };
        let from = seen(&old);
        let root = if base.size <= old.size {
            root_at(&db, &old, base.size).await?
        } else if from.size <= base.size
            && verify_consistency(from.size, &from.root, base.size, &base.root, proof).is_ok()
        {
            Some(base.root)
        } else {
            None
        };
        let two_histories = is_contradicted(&db, &old.log.origin).await?;
        let seen = Seen { size: from.size, root, two_histories };
        succession.beyond = accepts(base, &seen).map_err(|refused| refuse(refused.to_string()))?;
        Ok(Some(succession))
    }

    /// The largest checkpoint of a mirrored log that is held or was cosigned; none where nothing of it is held.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seen(&self, origin: &Origin) -> Result<Option<Checkpoint>> {
        let db = self.core.store.snapshot().await?;
        let held = log::find(&db, origin).await?;
        Ok(held.as_ref().map(seen))
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
        while let Some(said) = said(db, &after).await? {
            let broken = |invalid: chancery_schema::record::Invalid| Error::Inconsistent(invalid.to_string());
            let (key, base) = said.open().map_err(broken)?;
            if let Some(old) = former(db, &said).await? {
                if old.size >= base.checkpoint().size {
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

/// The successions that this node accepts.
async fn accepted(core: &Core, db: &impl ConnectionTrait) -> Result<Vec<Succession>> {
    let mut successions = Vec::new();
    if let Some(own) = log::own(db).await?
        && let (Some(fingerprint), Some(said)) = (own.fingerprint, said(db, &own).await?)
    {
        successions.push(told(&own.log.origin, fingerprint, &said)?);
    }
    let known = known(core, db).await?;
    for accredited in partners::accreditations(db, core.now()).await? {
        let introduced = known.introduced(&accredited.partner_log, &accredited.fingerprint);
        if let Some(said) = introduced.and_then(|introduced| introduced.succession.as_ref()) {
            successions.push(told(&accredited.partner_log, accredited.fingerprint, said)?);
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

fn seen(held: &Held) -> Checkpoint {
    let held_head = held.head.as_ref().map(|head| head.checkpoint().clone());
    let witnessed = held.witnessed.as_ref().map(|witnessed| witnessed.checkpoint().clone());
    let largest = held_head.into_iter().chain(witnessed).max_by_key(|checkpoint| checkpoint.size);
    largest.unwrap_or_else(|| Checkpoint { origin: held.log.origin.clone(), size: 0, root: EMPTY_ROOT })
}

fn told(origin: &Origin, fingerprint: Digest, said: &LogSuccession) -> Result<Succession> {
    let broken = |invalid| Error::Inconsistent(format!("the succession of {origin} cannot be read: {invalid}"));
    let (_, base) = said.open().map_err(broken)?;
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
