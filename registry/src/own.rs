//! The own log: submitting records and blobs to it.

use chancery_schema::admission::Submission;
use chancery_schema::digest::Digest;
use chancery_schema::key::SignError;
use chancery_schema::limits::BLOB_BYTES_MAX;
use chancery_schema::log::checkpoint::{self, SignedCheckpoint};
use chancery_schema::log::note::{self, KeyType, VerifierKey};
use chancery_schema::log::proof::Proof;
use chancery_schema::log::tree::EMPTY_ROOT;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use tokio::sync::oneshot;

use crate::entity::{body, checkpoint as checkpoint_table, entry, log as log_table};
use crate::error::Attempting;
use crate::handover::{Answer, hand_over};
use crate::log::{self, Held, column, digest, size};
use crate::sequencer::Request;
use crate::store::Store;
use crate::{Admission, BlobOutcome, Error, Identity, Receipt, Registry, Result, batch, bodies, bounds, hashes};

impl Registry {
    /// Admits a record to the own log, or says why not. Answers only once the record is durable
    /// under a signed checkpoint. The same record again, in whatever envelope, gives the first receipt.
    /// Where another process sequences, it is handed over to that one. Safe to cancel: the record is then
    /// either admitted or not, and asking again tells.
    ///
    /// # Errors
    /// When the database fails, or the archive has no identity.
    pub async fn admit(&self, envelope: &[u8]) -> Result<Admission> {
        let submissions = self.submissions.as_ref().ok_or(Error::ReadOnly)?;
        let submission = match Submission::read(envelope) {
            Ok(submission) => submission,
            Err(refusal) => return Ok(Admission::Refused(refusal)),
        };
        let held = log::own(self.core.store.read()).await?.ok_or(Error::ReadOnly)?;
        if let Some(receipt) = first_receipt(self.core.store.read(), &held, &submission.digest).await? {
            return Ok(Admission::Admitted(receipt));
        }
        let (record, bytes) = (submission.digest, submission.envelope.to_bytes());
        if self.core.leads() {
            let (answer, answered) = oneshot::channel();
            let stopped = || Error::Invalid("the sequencer has stopped; restart the node".to_owned());
            submissions.send(Request::Admit(Box::new(submission), answer)).await.map_err(|_| stopped())?;
            match answered.await.map_err(|_| stopped())? {
                Err(Error::NotSequencer) => {}
                answer => return answer,
            }
        } else if let Some(refusal) = batch::refusal(&self.core, submission).await? {
            return Ok(Admission::Refused(refusal));
        }
        match hand_over(&self.core, &bytes).await? {
            Answer::Refused(refusal) => Ok(Admission::Refused(refusal)),
            Answer::Failed => Err(self.doubt().await?.map_or(Error::Unsequenced, Error::Doubtful)),
            Answer::Admitted { again } => {
                let held = log::own(self.core.store.read()).await?.ok_or(Error::ReadOnly)?;
                self.core.ring(&held.log.origin, held.head_size(), true);
                let lost = || Error::Inconsistent("a record that was admitted is not there".to_owned());
                let receipt = first_receipt(self.core.store.read(), &held, &record).await?.ok_or_else(lost)?;
                Ok(Admission::Admitted(Receipt { again, ..receipt }))
            }
        }
    }

    /// Whether this process sequences: of all that use one archive, one does.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.core.leads()
    }

    /// Waits until this process begins to sequence, ends to, or has done both.
    pub async fn lead_changed(&self) {
        // Whoever would send it lives as long as the registry.
        let _ = self.core.tenure.subscribe().changed().await;
    }

    /// Ends when the sequencer of this process has ended: by a defect, for who resigns waits for it.
    pub async fn sequencer_ended(&self) {
        match &self.submissions {
            Some(submissions) => submissions.closed().await,
            None => std::future::pending().await,
        }
    }

    /// Lets go of the sequencing before the process ends, so that another one need not wait for it.
    pub async fn resign(&self) {
        let Some(submissions) = &self.submissions else { return };
        let (done, ended) = oneshot::channel();
        if submissions.send(Request::Resign(done)).await.is_ok() {
            // Whether it was told so or the sequencer is gone: it has ended.
            let _ = ended.await;
        }
    }

    /// Keeps a blob until a record names it. Those that no record names are dropped after an hour, and
    /// the oldest of them earlier where others need the room. Nobody is shown one before a record names it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_blob(&self, digest: Digest, bytes: Vec<u8>) -> Result<BlobOutcome> {
        let length = bytes.len() as u64;
        if length > BLOB_BYTES_MAX {
            return Ok(BlobOutcome::TooLarge);
        }
        if Digest::of(&bytes) != digest {
            return Ok(BlobOutcome::WrongDigest);
        }
        let now = self.core.now();
        let writing = self.core.store.write().await?;
        bodies::drop_late(&*writing, now.plus_seconds(-bounds::UNNAMED_BLOB_SECONDS)).await?;
        if !bodies::holds_blob(&*writing, &digest, now).await? {
            bodies::make_room(&*writing, length).await?;
            bodies::keep_blob(&*writing, &digest, bytes, false, now).await?;
        }
        writing.commit().await?;
        Ok(BlobOutcome::Kept)
    }
}

/// Makes the database the archive of `identity`, unless it is another's.
///
/// # Errors
/// When the database belongs to another log, or to this one under another key.
pub(crate) async fn claim(store: &Store, identity: &Identity) -> Result<()> {
    let key = log_key(identity)?;
    let writing = store.write().await?;
    let found = match log::own(&*writing).await? {
        Some(own) => Some(own),
        None => log::find(&*writing, &identity.origin).await?,
    };
    if let Some(found) = found {
        let same = found.log.own && found.log.origin == identity.origin && found.log.nation == identity.nation;
        if same && found.key == key {
            return Ok(());
        }
        let whose = format!("the log {} of {} with the key {}", found.log.origin, found.log.nation, found.key);
        return Err(Error::Invalid(format!("failed to open the archive: its database belongs to {whose}")));
    }
    let row = log_table::ActiveModel {
        origin: Set(identity.origin.to_string()),
        nation: Set(identity.nation.to_string()),
        own: Set(true),
        log_vkey: Set(key.to_string()),
        fingerprint: Set(None),
        size: Set(0),
        root: Set(EMPTY_ROOT.as_bytes().to_vec()),
        head_note: Set(None),
        pending_note: Set(None),
        ..log_table::ActiveModel::default()
    };
    log_table::Entity::insert(row).exec_without_returning(&*writing).await.attempting("found the own log")?;
    writing.commit().await
}

/// The key of the own log as C2SP writes it.
pub(crate) fn log_key(identity: &Identity) -> std::result::Result<VerifierKey, SignError> {
    note::verifier_key(identity.origin.as_str(), KeyType::Ed25519, &*identity.log)
}

/// Where in a log the record with this digest first stands, and in which envelope.
pub(crate) async fn position(db: &impl ConnectionTrait, log_id: i64, record: &Digest) -> Result<Option<(u64, Digest)>> {
    // Of how many envelopes there are others decide, whose logs are mirrored here.
    let envelopes = body::Entity::find()
        .select_only()
        .column(body::Column::Envelope)
        .filter(body::Column::Record.eq(record.as_bytes().to_vec()))
        .into_query();
    let entries = entry::Entity::find().filter(entry::Column::LogId.eq(log_id));
    let entries = entries.filter(entry::Column::Envelope.in_subquery(envelopes));
    let first = entries.order_by_asc(entry::Column::Idx).one(db).await;
    let Some(first) = first.attempting("look for a record")? else { return Ok(None) };
    let unnamed = || Error::Inconsistent("an entry was found by an envelope that it does not name".to_owned());
    Ok(Some((size(first.idx)?, digest(first.envelope.as_deref().ok_or_else(unnamed)?)?)))
}

/// The receipt that a record in the own log was first given; `None` when it is not there.
pub(crate) async fn first_receipt(db: &impl ConnectionTrait, held: &Held, record: &Digest) -> Result<Option<Receipt>> {
    let Some((index, envelope)) = position(db, held.log.id, record).await? else { return Ok(None) };
    let row = checkpoint_table::Entity::find()
        .filter(checkpoint_table::Column::LogId.eq(held.log.id))
        .filter(checkpoint_table::Column::Size.gt(column(index)))
        .order_by_asc(checkpoint_table::Column::Size)
        .one(db)
        .await
        .attempting("read the checkpoint of a receipt")?;
    let broken = || Error::Inconsistent(format!("entry {index} of the own log has no checkpoint that holds"));
    let signed = checkpoint::open(row.ok_or_else(broken)?.note.as_bytes(), &held.key).map_err(|_| broken())?;
    let proofs = prove(db, held, &signed, &[index]).await?;
    Ok(proofs.into_iter().next().map(|proof| receipt(held, *record, envelope, &proof, true)))
}

/// Proofs of several entries under one checkpoint of the log.
pub(crate) async fn prove(
    db: &impl ConnectionTrait,
    held: &Held,
    signed: &SignedCheckpoint,
    indexes: &[u64],
) -> Result<Vec<Proof>> {
    let proofs = hashes::read(db, held.log.id, signed.checkpoint().size, |reader| {
        indexes.iter().map(|index| Proof::new(reader, *index, signed)).collect::<Option<Vec<_>>>()
    });
    let missing = || Error::Inconsistent(format!("hashes of the log {} are missing", held.log.origin));
    proofs.await?.ok_or_else(missing)
}

/// A receipt as it is given to a publisher.
pub(crate) fn receipt(held: &Held, record: Digest, envelope: Digest, proof: &Proof, again: bool) -> Receipt {
    let (origin, index) = (held.log.origin.clone(), proof.index());
    Receipt { record, origin, index, envelope, proof: proof.to_string(), again }
}
