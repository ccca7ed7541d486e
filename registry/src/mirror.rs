//! Mirrors of partners' logs: each grows by packages that prove themselves against a checkpoint which
//! its log has signed. What is refused leaves the mirror as it was.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::admission::{Policy, State, Submission, decide};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::frame::{Frame, Package};
use chancery_schema::limits::PACKAGE_ENTRIES_MAX;
use chancery_schema::log::checkpoint::{self, SignedCheckpoint};
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::{Note, VerifierKey};
use chancery_schema::log::tree::EMPTY_ROOT;
use chancery_schema::name::Origin;
use chancery_schema::record::Record;
use chancery_schema::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::append::Appender;
use crate::entity::log as log_table;
use crate::error::Attempting;
use crate::log::{self, Held};
use crate::partners::{self, Accredited};
use crate::{
    Core, Error, MirrorState, Registry, Result, batch, bodies, bounds, cosignatures, erase, ground, logs, view,
};

impl Registry {
    /// What is held of a partner's log: size, root, the pending checkpoint, and the leaf hashes
    /// after the last multiple of 256. An accredited partner of which nothing is held yet has size 0.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mirror(&self, origin: &Origin) -> Result<Option<MirrorState>> {
        let db = self.core.store.snapshot().await?;
        if let Some(held) = log::find(&db, origin).await? {
            return if held.log.own { Ok(None) } else { state(&db, &held).await.map(Some) };
        }
        let accredited = partners::find(&self.core, &db, origin).await?;
        Ok(accredited.and_then(|partner| partner.introduced).map(|introduced| MirrorState {
            origin: origin.clone(),
            log_vkey: introduced.log_key.to_string(),
            size: 0,
            root: EMPTY_ROOT,
            pending: None,
            tail: Vec::new(),
        }))
    }

    /// Keeps a checkpoint that was proven consistent with what is held, as the one to pull towards;
    /// durable when it returns. Refuses a smaller one.
    ///
    /// # Errors
    /// When the database fails or the log is not mirrored.
    pub async fn set_pending(&self, origin: &Origin, note: &str) -> Result<()> {
        let writing = self.core.store.write().await?;
        let held = match log::find(&*writing, origin).await? {
            Some(held) if !held.log.own => held,
            Some(_) => return Err(Error::UnknownLog(origin.clone())),
            None => found(&self.core, &*writing, origin).await?,
        };
        let refuse = |problem: String| Error::DoesNotContinue { origin: origin.clone(), problem };
        let signed = checkpoint::open(note.as_bytes(), &held.key).map_err(|error| refuse(error.to_string()))?;
        let (size, root) = (signed.checkpoint().size, signed.checkpoint().root);
        let shown = held.pending.as_ref().map_or(held.size, |pending| pending.checkpoint().size);
        if size < shown {
            return Err(refuse(format!("the checkpoint has {size} entries, fewer than the {shown} known before")));
        }
        let known = held.pending.as_ref().filter(|pending| pending.checkpoint().size == size);
        let known = known.map(|pending| pending.checkpoint().root).or((size == held.size).then_some(held.root));
        if known.is_some_and(|known| known != root) {
            return Err(refuse(format!("the checkpoint at {size} has another root than the one known before")));
        }
        if size > shown {
            let update = log_table::Entity::update_many().col_expr(log_table::Column::PendingNote, Expr::value(note));
            let update = update.filter(log_table::Column::Id.eq(held.log.id)).exec(&*writing).await;
            update.attempting("keep a pending checkpoint")?;
        }
        writing.commit().await
    }

    /// Appends a proven package to a mirror with whatever bodies and blobs came with it, judges each
    /// record, projects the view, and moves the mirror's size, all in one transaction. A body that an
    /// earlier entry waited for has now arrived, so judging begins there. Bodies that no entry names
    /// are ignored. When the size reaches the pending checkpoint's, that becomes the head.
    ///
    /// # Errors
    /// When the database fails, or the package does not continue the mirror (then nothing is written).
    pub async fn extend(&self, package: &Package, bodies: &[Frame]) -> Result<MirrorState> {
        let (state, _) = grow(&self.core, package, bodies, false).await?;
        self.core.ring(&package.origin, state.size, true);
        Ok(state)
    }

    /// Takes bodies and blobs that entries of a mirror name and that had not arrived; others are
    /// ignored. Judges the log anew from the first entry whose body came, since later records may rest
    /// on it: once for all of them, so whoever has many passes them together. Answers how many were kept.
    ///
    /// # Errors
    /// When the database fails or the log is not held.
    pub async fn add_bodies(&self, origin: &Origin, bodies: &[Frame]) -> Result<usize> {
        let writing = self.core.store.write().await?;
        let db = &*writing;
        let held = log::find(db, origin).await?.ok_or_else(|| Error::UnknownLog(origin.clone()))?;
        let Arrived { bodies, blobs } = Arrived::read(bodies);
        let (mut kept, mut first, mut refused) = (0, None::<u64>, false);
        for (digest, body) in &bodies {
            if erase::is_erased(db, &held.log, digest, Some(body)).await? {
                // Nobody waits for it from now on.
                refused = true;
                continue;
            }
            if let Some(index) = bodies::arrive(db, &held.log, digest).await? {
                bodies::keep_body(db, digest, body).await?;
                miss_blobs(db, &held, index, body).await?;
                (kept, first) = (kept + 1, Some(first.map_or(index, |first| first.min(index))));
            }
        }
        for (digest, blob) in blobs {
            if bodies::arrive(db, &held.log, &digest).await?.is_some() {
                bodies::keep_blob(db, &digest, blob, true, self.core.now()).await?;
                kept += 1;
            }
        }
        if let Some(first) = first {
            view::rebuild_from(db, &held.log, first).await?;
            erase::follow(db, &held.log).await?;
            ground::heed(db, &self.core, &held.log, first).await?;
        }
        if kept > 0 || refused {
            writing.commit().await?;
        }
        if kept > 0 {
            self.core.ring(origin, held.size, false);
        }
        Ok(kept)
    }

    /// Bodies and blobs that entries of a mirror name and that are not held: the first in log order,
    /// at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missing(&self, origin: &Origin, limit: u64) -> Result<Vec<Digest>> {
        let missing = self.missing_after(origin, None, limit).await?;
        Ok(missing.into_iter().map(|(_, digest)| digest).collect())
    }

    /// Bodies and blobs that are not held, each with the first entry that names it, in log order: those
    /// after `after`, at most `limit`. Whoever goes on from the last answer asks for everything in turn,
    /// also where a partner never has what is asked first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missing_after(
        &self,
        origin: &Origin,
        after: Option<(u64, Digest)>,
        limit: u64,
    ) -> Result<Vec<(u64, Digest)>> {
        let db = self.core.store.read();
        match log::find(db, origin).await? {
            Some(held) => bodies::missing(db, &held.log, after, limit.min(bounds::MISSING)).await,
            None => Ok(Vec::new()),
        }
    }
}

/// Appends a package to a mirror, or to the own log where that is recovered. Answers also the checkpoint
/// that was pulled towards, when it is reached.
pub(crate) async fn grow(
    core: &Core,
    package: &Package,
    bodies: &[Frame],
    own: bool,
) -> Result<(MirrorState, Option<SignedCheckpoint>)> {
    let cosigners = cosignatures::known(core).await?;
    let writing = core.store.write().await?;
    let db = &*writing;
    let unknown = || Error::UnknownLog(package.origin.clone());
    let held = log::find(db, &package.origin).await?.filter(|held| held.log.own == own).ok_or_else(unknown)?;
    let pending = continues(db, &held, package).await?;

    let mut appender = Appender::begin(db, &held).await?;
    let mut arrived = Arrived::read(bodies);
    if held.size == 0 && own {
        own_charter(core, db, &held, package.entries.first(), &arrived).await?;
    } else if held.size == 0 {
        let (envelope, body) = first_charter(core, db, &held, package.entries.first(), &arrived).await?;
        arrived.bodies.insert(envelope, body);
    }
    let mut first = package.start;
    for bytes in &package.entries {
        let index = appender.push(bytes.clone());
        if let Ok(entry) = Entry::parse(bytes) {
            first = first.min(arrived.store(db, &held, index, &entry, core.now()).await?);
        }
    }
    let reached = reached(&held, &appender, &pending)?;
    appender.write(db, reached.as_ref()).await?;
    view::rebuild_from(db, &held.log, first).await?;
    erase::follow(db, &held.log).await?;
    ground::heed(db, core, &held.log, first).await?;
    if let Some(head) = &reached {
        cosignatures::take(db, held.log.id, head, pending.note().signatures(), &cosigners, core.now()).await?;
    }
    let now_held = log::find(db, &package.origin).await?.ok_or_else(unknown)?;
    let state = state(db, &now_held).await?;
    writing.commit().await?;
    Ok((state, reached))
}

/// What came along with a package, by digest.
struct Arrived {
    bodies: BTreeMap<Digest, Vec<u8>>,
    blobs: BTreeMap<Digest, Vec<u8>>,
}

impl Arrived {
    /// Sorts frames; those too large for what they are count as missing.
    fn read(frames: &[Frame]) -> Self {
        let (mut bodies, mut blobs) = (BTreeMap::new(), BTreeMap::new());
        for frame in frames {
            match frame {
                Frame::Envelope(body) if bodies::may_be_body(body) => {
                    bodies.insert(Digest::of(body), body.clone());
                }
                Frame::Blob(blob) if bodies::may_be_blob(blob) => {
                    blobs.insert(Digest::of(blob), blob.clone());
                }
                _ => {}
            }
        }
        Self { bodies, blobs }
    }

    /// Keeps the body of an entry and the blobs it names, and remembers which are missing. Answers the
    /// first entry that is to be judged anew: this one, or an earlier one that waited for the same body.
    async fn store(
        &self,
        db: &impl ConnectionTrait,
        held: &Held,
        index: u64,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<u64> {
        let digest = entry.envelope();
        if erase::is_erased(db, &held.log, &digest, self.bodies.get(&digest).map(Vec::as_slice)).await? {
            return Ok(index);
        }
        let body = match self.bodies.get(&digest) {
            Some(body) => {
                bodies::keep_body(db, &digest, body).await?;
                Some(body.clone())
            }
            None => bodies::body(db, &digest).await?,
        };
        let Some(body) = body else {
            bodies::miss(db, held.log.id, &digest, index).await?;
            return Ok(index);
        };
        let waited = bodies::arrive(db, &held.log, &digest).await?;
        for blob in bodies::blobs_named(&body) {
            if let Some(bytes) = self.blobs.get(&blob.sha256) {
                bodies::keep_blob(db, &blob.sha256, bytes.clone(), true, now).await?;
            }
        }
        miss_blobs(db, held, index, &body).await?;
        Ok(waited.unwrap_or(index))
    }
}

/// Marks the blobs of a body as named, and remembers those that are missing; the others have arrived,
/// should an earlier record have waited for them.
async fn miss_blobs(db: &impl ConnectionTrait, held: &Held, index: u64, body: &[u8]) -> Result<()> {
    let named = bodies::blobs_named(body);
    let here = bodies::held_blobs(db, &named).await?;
    bodies::name_blobs(db, here.keys().copied()).await?;
    let missing: BTreeSet<Digest> =
        named.iter().map(|blob| blob.sha256).filter(|blob| !here.contains_key(blob)).collect();
    for blob in &missing {
        bodies::miss(db, held.log.id, blob, index).await?;
    }
    for blob in here.keys() {
        bodies::arrive(db, &held.log, blob).await?;
    }
    Ok(())
}

/// Checks that a package follows what is held and leads to the pending checkpoint; answers that.
async fn continues(db: &impl ConnectionTrait, held: &Held, package: &Package) -> Result<SignedCheckpoint> {
    let refuse = |problem: String| Error::DoesNotContinue { origin: package.origin.clone(), problem };
    let pending = held.pending.clone().ok_or_else(|| refuse("no checkpoint is pulled towards".to_owned()))?;
    let target = pending.checkpoint();
    if package.start != held.size {
        return Err(refuse(format!("it begins at {} and {} entries are held", package.start, held.size)));
    }
    if package.tree_size != target.size {
        return Err(refuse(format!("it is proven at {} and not at the pending {}", package.tree_size, target.size)));
    }
    let before = package.start % PACKAGE_ENTRIES_MAX;
    if package.entries.is_empty() || before + package.entries.len() as u64 > PACKAGE_ENTRIES_MAX {
        return Err(refuse("it is empty or crosses a multiple of 256".to_owned()));
    }
    let tail = tail(db, held).await?;
    package.verify(&tail, &target.root).map_err(|error| refuse(error.to_string()))?;
    Ok(pending)
}

/// The first entry of a log must be the charter that was accredited; its body is known from the
/// introduction.
async fn first_charter(
    core: &Core,
    db: &impl ConnectionTrait,
    held: &Held,
    first: Option<&Vec<u8>>,
    arrived: &Arrived,
) -> Result<(Digest, Vec<u8>)> {
    let partner = partners::find(core, db, &held.log.origin).await?;
    let named = first.and_then(|bytes| Entry::parse(bytes).ok()).map(|entry| entry.envelope());
    if let (None, Some(named)) = (&partner, named)
        && let Some(body) = arrived.bodies.get(&named)
        && Envelope::from_fixed(body).is_ok_and(|charter| Some(charter.record_digest()) == held.fingerprint)
    {
        // A log that came before the own one; nobody accredits it.
        return Ok((named, body.clone()));
    }
    // Without one nobody can say how the log must begin, so it does not begin.
    let introduced = partner.and_then(|partner| partner.introduced);
    let introduced = introduced.ok_or_else(|| Error::UnknownLog(held.log.origin.clone()))?;
    let (envelope, body) = introduced.charter.clone();
    if named != Some(envelope) {
        let problem = "it does not begin with the charter that was accredited".to_owned();
        return Err(Error::DoesNotContinue { origin: held.log.origin.clone(), problem });
    }
    Ok((envelope, body))
}

/// The own log must begin with a charter that its roots signed and that names the keys of this archive; the
/// record digest of it is the nation's fingerprint.
async fn own_charter(
    core: &Core,
    db: &impl ConnectionTrait,
    held: &Held,
    first: Option<&Vec<u8>>,
    arrived: &Arrived,
) -> Result<()> {
    let refuse = |problem: String| Error::DoesNotContinue { origin: held.log.origin.clone(), problem };
    let envelope = first.and_then(|bytes| Entry::parse(bytes).ok()).map(|entry| entry.envelope());
    let body = envelope.and_then(|envelope| arrived.bodies.get(&envelope));
    let body = body.ok_or_else(|| refuse("the charter, with which it begins, did not come along".to_owned()))?;
    let submission = Submission::read(body).map_err(|refusal| refuse(refusal.to_string()))?;
    let policy = Policy::Mirror { origin: held.log.origin.clone() };
    let charter = decide(submission, &State::default(), &policy).map_err(|refusal| refuse(refusal.to_string()))?;
    let charter = charter.submission();
    match &charter.record {
        Record::Charter(named) => match batch::names_other_keys(named, core.identity()?)? {
            None => batch::set_fingerprint(db, held.log.id, &charter.digest).await,
            Some(refusal) => Err(refuse(refusal.to_string())),
        },
        _ => Err(refuse("it does not begin with a charter".to_owned())),
    }
}

/// The pending checkpoint as head, without cosignatures, if the mirror has reached it.
fn reached(held: &Held, appender: &Appender, pending: &SignedCheckpoint) -> Result<Option<SignedCheckpoint>> {
    let target = pending.checkpoint();
    if appender.size() < target.size {
        return Ok(None);
    }
    let refuse = |problem: String| Error::DoesNotContinue { origin: held.log.origin.clone(), problem };
    if appender.root() != target.root {
        return Err(refuse("with it the mirror has another root than the pending checkpoint".to_owned()));
    }
    bare(pending, &held.key).map(Some).map_err(|error| refuse(error.to_string()))
}

/// A checkpoint with its log's signature alone.
pub(crate) fn bare(
    signed: &SignedCheckpoint,
    key: &VerifierKey,
) -> std::result::Result<SignedCheckpoint, checkpoint::CheckpointError> {
    let lines = signed.note().signatures().iter().filter(|line| key.claims(line)).cloned().collect();
    checkpoint::open(Note::new(signed.note().text(), lines)?.to_string().as_bytes(), key)
}

/// Makes the row of a log of which nothing was held: that of an accredited, introduced partner.
pub(crate) async fn found(core: &Core, db: &impl ConnectionTrait, origin: &Origin) -> Result<Held> {
    let unknown = || Error::UnknownLog(origin.clone());
    let Accredited { accreditation, introduced } = partners::find(core, db, origin).await?.ok_or_else(unknown)?;
    let introduced = introduced.ok_or_else(unknown)?;
    let row = log_table::ActiveModel {
        origin: Set(origin.to_string()),
        nation: Set(introduced.introduction.nation.to_string()),
        own: Set(false),
        log_vkey: Set(introduced.log_key.to_string()),
        fingerprint: Set(Some(accreditation.fingerprint.as_bytes().to_vec())),
        size: Set(0),
        root: Set(EMPTY_ROOT.as_bytes().to_vec()),
        head_note: Set(None),
        pending_note: Set(None),
        ..log_table::ActiveModel::default()
    };
    log_table::Entity::insert(row).exec_without_returning(db).await.attempting("found a mirror")?;
    // Others may have proven something of it before anything of it was held.
    for other in log::all(db).await? {
        ground::heed(db, core, &other.log, 0).await?;
    }
    log::find(db, origin).await?.ok_or_else(unknown)
}

pub(crate) async fn state(db: &impl ConnectionTrait, held: &Held) -> Result<MirrorState> {
    Ok(MirrorState {
        origin: held.log.origin.clone(),
        log_vkey: held.key.to_string(),
        size: held.size,
        root: held.root,
        pending: held.pending.as_ref().map(ToString::to_string),
        tail: tail(db, held).await?,
    })
}

/// The leaf hashes after the last multiple of 256.
async fn tail(db: &impl ConnectionTrait, held: &Held) -> Result<Vec<Digest>> {
    logs::leaves(db, held, held.size - held.size % PACKAGE_ENTRIES_MAX, held.size).await
}
