//! The own witness: the one place where it cosigns, whichever way it was asked.
//!
//! Follows C2SP tlog-witness <https://c2sp.org/tlog-witness>, `add-checkpoint`; the texts and the decision
//! are in [`chancery_schema::log::witness`].
//! In scope: its memory. Comparing, remembering and cosigning are one transaction that holds the write
//! lock, and no line leaves before it is durable; so of many requests at once none rolls another back.
//! Out of scope: HTTP and libp2p, which both end here; what the mirror cosigns (see `cosign.rs`).
//!
//! The witness says *I saw this tree grow from the one before*: its checkpoint may be ahead of the mirror.
//! Whatever is held must agree with it, and the mirror's key waits until every entry is held.

use std::error::Error as StdError;

use chancery_schema::digest::Digest;
use chancery_schema::log::checkpoint::{self, SignedCheckpoint};
use chancery_schema::log::cosignature::{self, Cosignature};
use chancery_schema::log::note::{KeyType, Signature, VerifierKey, verifier_key};
use chancery_schema::log::tree;
use chancery_schema::log::witness::{Decision, Refusal, Request, decide};
use chancery_schema::name::Origin;
use chancery_schema::record::Scope;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use tracing::{error, warn};

use crate::entity::log as log_table;
use crate::error::Attempting;
use crate::log::Held;
use crate::{Core, Error, Registry, Result, append, batch, cosignatures, ground, hashes, log, mirror, partners};

/// How long a line answers for its checkpoint, in seconds: anyone may ask again for what the log has
/// signed, and nobody is made to write for it more often.
const REPEAT_SECONDS: u64 = 60;

/// A log that the witness serves: that of a partner accredited for it.
struct Served {
    key: VerifierKey,
    /// None before anything of it was kept.
    held: Option<Held>,
}

impl Registry {
    /// Answers a request to cosign a checkpoint of a partner's log (C2SP tlog-witness, `add-checkpoint`):
    /// the line of the own witness, durable when it returns, or why there is none. Safe to repeat.
    ///
    /// A checkpoint that contradicts what the log signed before is kept as proof of two histories. One that
    /// is merely not proven may be nobody's fault but the asker's: it is told to the operator.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_checkpoint(&self, request: &Request) -> Result<std::result::Result<Signature, Refusal>> {
        let unknown = Ok(Err(Refusal::UnknownLog));
        let (Ok(origin), Ok(identity)) = (request.origin().parse::<Origin>(), self.core.identity()) else {
            return unknown;
        };
        // Before the write lock is asked for: what nobody signed must not keep others from writing.
        let db = self.core.store.snapshot().await?;
        let Some(served) = served(&self.core, &db, &origin).await? else { return unknown };
        let signed = match judge(&db, &served, request).await? {
            Ok(signed) => signed,
            Err(refusal) if refusal.disagrees() => {
                let proof = evidence(&db, &served, request).await?;
                drop(db);
                self.keep_evidence(&origin, proof).await?;
                return Ok(Err(refusal));
            }
            Err(refusal) => return Ok(Err(refusal)),
        };
        let witness = verifier_key(identity.witness.0.as_str(), KeyType::Cosignature, &*identity.witness.1)?;
        if let Some(line) = said_lately(&self.core, &served, &signed, &witness) {
            return Ok(Ok(line));
        }
        drop(db);

        let writing = self.core.store.write().await?;
        // Others may have written in between.
        let Some(served) = self::served(&self.core, &*writing, &origin).await? else { return unknown };
        let signed = match judge(&*writing, &served, request).await? {
            Ok(signed) => signed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let held = match served.held {
            Some(held) => held,
            None => mirror::found(&self.core, &*writing, &origin).await?,
        };
        let cosignature = remember(&*writing, &self.core, &held, &signed).await?;
        writing.commit().await?;
        if signed.checkpoint().size == held.head_size() {
            self.core.ring(&origin, held.head_size(), false);
        }
        Ok(Ok(cosignature.to_line()))
    }

    async fn keep_evidence(&self, origin: &Origin, evidence: Evidence) -> Result<()> {
        match evidence {
            Evidence::Known => Ok(()),
            Evidence::Proof(note) => {
                error!(log.origin = %origin, "A log has two histories; nothing more is taken of it");
                match self.keep_contradiction(origin, &[note]).await {
                    // In between the log grew past what it was compared with.
                    Err(Error::DoesNotContinue { .. }) => Ok(()),
                    kept => kept,
                }
            }
            Evidence::Unproven(note) => {
                warn!(log.origin = %origin, checkpoint.note = note, "A checkpoint was shown without a proof that its log grew to it");
                Ok(())
            }
        }
    }
}

/// The witness's cosignature on the head of a mirror; none where it has seen more than that, or where the
/// head does not continue what it cosigned: then the proof of two histories is kept. The caller commits.
pub(crate) async fn testify(
    db: &impl ConnectionTrait,
    core: &Core,
    mirror: &Held,
    head: &SignedCheckpoint,
) -> Result<Option<Signature>> {
    let (id, size) = (mirror.log.id, head.checkpoint().size);
    let old = mirror.seen().map_or(0, |(size, _)| size);
    if old > size {
        return Ok(None);
    }
    let proof = hashes::read(db, id, size, |reader| tree::consistency_proof(reader, old, size)).await?;
    let missing = || Error::Inconsistent(format!("hashes of the log {} are missing", mirror.log.origin));
    let request = Request { old, proof: proof.ok_or_else(missing)?, note: head.note().clone() };
    let served = Served { key: mirror.key.clone(), held: Some(mirror.clone()) };
    match (judge(db, &served, &request).await?, &mirror.witnessed) {
        (Ok(signed), _) => Ok(Some(remember(db, core, mirror, &signed).await?.to_line())),
        (Err(refusal), Some(witnessed)) if refusal.disagrees() => {
            if let Some((earlier, later)) = ground::against_held(db, mirror, witnessed).await? {
                ground::write_contradiction(db, core, mirror, (&earlier, &later)).await?;
                error!(log.origin = %mirror.log.origin, "A log has two histories; nothing more is taken of it");
            }
            Ok(None)
        }
        (Err(_), _) => Ok(None),
    }
}

impl Held {
    /// Size and root of what the witness cosigned last; where it never did, of what is held in full.
    fn seen(&self) -> Option<(u64, Digest)> {
        let seen = self.witnessed.as_ref().or(self.head.as_ref())?.checkpoint();
        Some((seen.size, seen.root))
    }
}

async fn served(core: &Core, db: &impl ConnectionTrait, origin: &Origin) -> Result<Option<Served>> {
    if let Some(held) = log::find(db, origin).await? {
        let scopes = partners::scopes(db, &held, core.now()).await?;
        let serves = !held.log.own && scopes.contains(&Scope::Cosign);
        return Ok(serves.then(|| Served { key: held.key.clone(), held: Some(held) }));
    }
    let partner = partners::find(core, db, origin).await?;
    let partner = partner.filter(|it| partners::known_scopes(&it.accreditation).contains(&Scope::Cosign));
    let introduced = partner.and_then(|partner| partner.introduced);
    Ok(introduced.map(|introduced| Served { key: introduced.log_key.clone(), held: None }))
}

/// The decision of the specification. Besides, nothing is cosigned that disagrees with what is held, in
/// packages beyond the head too, or with the checkpoint that is pulled towards; nor anything of a log that is known to have two histories.
async fn judge(
    db: &impl ConnectionTrait,
    served: &Served,
    request: &Request,
) -> Result<std::result::Result<SignedCheckpoint, Refusal>> {
    let seen = served.held.as_ref().and_then(Held::seen);
    let signed = match decide(seen, request, Some(&served.key)) {
        Decision::Cosign(signed) => signed,
        Decision::Refuse(refusal) => return Ok(Err(refusal)),
    };
    if let Some(held) = &served.held {
        let root = ground::root_at(db, held, signed.checkpoint().size).await?;
        let agrees = root.is_none_or(|root| root == signed.checkpoint().root)
            && !held.pending.as_ref().is_some_and(|pending| ground::contradict(pending, &signed));
        if !agrees || ground::is_contradicted(db, &held.log.origin).await? {
            return Ok(Err(Refusal::Unprocessable));
        }
    }
    Ok(Ok(signed))
}

/// Cosigns a checkpoint that was decided on, and remembers it. The caller commits before the line leaves.
async fn remember(
    db: &impl ConnectionTrait,
    core: &Core,
    held: &Held,
    signed: &SignedCheckpoint,
) -> Result<Cosignature> {
    let cosignature = batch::cosign(signed, &core.identity()?.witness, core)?;
    let broken = |error: &dyn StdError| Error::Inconsistent(format!("a checkpoint cannot be kept: {error}"));
    let bare = mirror::bare(signed, &held.key).map_err(|error| broken(&error))?;
    let mut cosigned = bare.clone();
    cosigned.add(cosignature.to_line()).map_err(|error| broken(&error))?;
    let note = Expr::value(cosigned.to_string());
    let update = log_table::Entity::update_many().col_expr(log_table::Column::WitnessedNote, note);
    let update = update.filter(log_table::Column::Id.eq(held.log.id)).exec(db).await;
    update.attempting("remember a witnessed checkpoint")?;
    if (1..=held.size).contains(&signed.checkpoint().size) {
        append::write_checkpoint(db, held.log.id, &bare).await?;
        cosignatures::keep(db, held.log.id, &cosignature, false, core.now()).await?;
    }
    Ok(cosignature)
}

/// The line on this very checkpoint, if it is a fresh one.
fn said_lately(core: &Core, served: &Served, signed: &SignedCheckpoint, witness: &VerifierKey) -> Option<Signature> {
    let last = served.held.as_ref()?.witnessed.as_ref()?;
    let said = cosignature::verify_all(last, [witness]).ok()?.pop()?;
    let now = u64::try_from(core.now().unix_seconds()).ok()?;
    let fresh = now.checked_sub(said.timestamp()).is_some_and(|age| age < REPEAT_SECONDS);
    (fresh && last.checkpoint() == signed.checkpoint()).then(|| said.to_line())
}

/// What a checkpoint says of its log that was not proven.
enum Evidence {
    /// Two histories, as is known.
    Known,
    /// Two histories: it contradicts what was cosigned or is held.
    Proof(String),
    /// Nothing yet.
    Unproven(String),
}

async fn evidence(db: &impl ConnectionTrait, served: &Served, request: &Request) -> Result<Evidence> {
    let signed = checkpoint::open(request.note.to_string().as_bytes(), &served.key);
    let bare = signed.and_then(|signed| mirror::bare(&signed, &served.key));
    let bare = bare.map_err(|error| Error::Inconsistent(error.to_string()))?;
    let note = bare.to_string();
    let Some(held) = &served.held else { return Ok(Evidence::Unproven(note)) };
    if ground::is_contradicted(db, &held.log.origin).await? {
        return Ok(Evidence::Known);
    }
    let proven = ground::against_held(db, held, &bare).await?.is_some();
    Ok(if proven { Evidence::Proof(note) } else { Evidence::Unproven(note) })
}
