//! One batch of submissions, decided and written within one transaction.

use std::collections::BTreeSet;

use chancery_schema::admission::{Admitted, Code, Policy, Refusal, Submission, decide};
use chancery_schema::digest::Digest;
use chancery_schema::key::{PublicKey, SignError};
use chancery_schema::log::checkpoint::{self, Checkpoint, SignedCheckpoint};
use chancery_schema::log::cosignature;
use chancery_schema::log::entry::Entry;
use chancery_schema::name::Origin;
use chancery_schema::record::{Charter, Record};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::append::Appender;
use crate::entity::log as log_table;
use crate::error::Attempting;
use crate::guard::Doubt;
use crate::handover::Answer;
use crate::log::{self, Held};
use crate::view::{self, Judged};
use crate::{Admission, Core, Error, Identity, Result, SharedSigner, bodies, cosignatures, erase, own};

/// A batch within its transaction.
pub(crate) struct Batch<'c> {
    core: &'c Core,
    identity: &'c Identity,
    held: Held,
    appender: Appender,
    admitted: BTreeSet<Digest>,
    outcomes: Vec<Outcome>,
}

/// A batch that was written: what to answer once the transaction is durable.
pub(crate) struct Written {
    held: Held,
    /// The checkpoint over it; none when nothing was admitted.
    signed: Option<SignedCheckpoint>,
    outcomes: Vec<Outcome>,
}

/// What became of one submission.
enum Outcome {
    Refused(Refusal),
    /// Admitted in this batch: the record, its envelope, at an index.
    New(Digest, Digest, u64),
    /// In the log before, or earlier in this batch.
    Again(Digest),
}

impl<'c> Batch<'c> {
    /// Begins at the head of the own log.
    pub async fn begin(core: &'c Core, db: &impl ConnectionTrait) -> Result<Self> {
        let identity = core.identity()?;
        let gone = || Error::Inconsistent(format!("the own log {} is not in the database", identity.origin));
        let held = log::own(db).await?.filter(|held| held.log.origin == identity.origin).ok_or_else(gone)?;
        if held.pending.is_some() {
            return Err(Doubt::Unfinished.into());
        }
        if held.head_size() != held.size {
            return Err(Error::Inconsistent("the own log's size is not that of its head".to_owned()));
        }
        let appender = Appender::begin(db, &held).await?;
        Ok(Self { core, identity, held, appender, admitted: BTreeSet::new(), outcomes: Vec::new() })
    }

    /// The own log as it stood when the batch began.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// Decides on a submission, and gives it its place if it is admitted. Says what will be so once the
    /// batch is written.
    pub async fn submit(&mut self, db: &impl ConnectionTrait, submission: Submission) -> Result<Answer> {
        let outcome = self.outcome(db, submission).await?;
        let answer = match &outcome {
            Outcome::Refused(refusal) => Answer::Refused(refusal.clone()),
            Outcome::New(..) => Answer::Admitted { again: false },
            Outcome::Again(_) => Answer::Admitted { again: true },
        };
        self.outcomes.push(outcome);
        Ok(answer)
    }

    async fn outcome(&mut self, db: &impl ConnectionTrait, submission: Submission) -> Result<Outcome> {
        let record = submission.digest;
        if self.admitted.contains(&record) || own::position(db, self.held.log.id, &record).await?.is_some() {
            return Ok(Outcome::Again(record));
        }
        match self.decide(db, submission).await? {
            Ok(admitted) => {
                let envelope = admitted.submission().envelope.digest();
                Ok(Outcome::New(record, envelope, self.enter(db, &admitted).await?))
            }
            Err(refusal) => Ok(Outcome::Refused(refusal)),
        }
    }

    async fn decide(
        &self,
        db: &impl ConnectionTrait,
        submission: Submission,
    ) -> Result<std::result::Result<Admitted, Refusal>> {
        if let Record::Charter(charter) = &submission.record
            && let Some(refusal) = names_other_keys(charter, self.identity)?
        {
            return Ok(Err(refusal));
        }
        let state = view::state(db, &self.held.log, self.appender.size(), &submission).await?;
        let policy = Policy::Own {
            nation: self.identity.nation.clone(),
            origin: self.identity.origin.clone(),
            now: self.core.now(),
            blobs: bodies::held_blobs(db, &submission.record.blobs()).await?,
        };
        Ok(decide(submission, &state, &policy))
    }

    async fn enter(&mut self, db: &impl ConnectionTrait, admitted: &Admitted) -> Result<u64> {
        let submission = admitted.submission();
        let envelope = submission.envelope.digest();
        let entry = Entry::new(submission.record.kind().as_str(), envelope);
        let entry = entry.map_err(|error| Error::Inconsistent(error.to_string()))?;
        bodies::keep_body(db, &envelope, &submission.envelope.to_bytes()).await?;
        bodies::name_blobs(db, submission.record.blobs().iter().map(|blob| blob.sha256)).await?;
        let index = self.appender.push(entry.to_bytes());
        view::project(db, &self.held.log, index, &entry, &Judged::Admitted(admitted)).await?;
        if let Record::Redaction(_) = &submission.record {
            erase::follow(db, &self.held.log).await?;
        }
        self.admitted.insert(submission.digest);
        Ok(index)
    }

    /// Writes what was admitted under a new checkpoint, with the own witness's heartbeat. The caller
    /// commits.
    pub async fn write(self, db: &impl ConnectionTrait) -> Result<Written> {
        let Self { core, identity, held, appender, outcomes, .. } = self;
        if appender.size() == held.size {
            return Ok(Written { held, signed: None, outcomes });
        }
        let checkpoint = Checkpoint { origin: held.log.origin.clone(), size: appender.size(), root: appender.root() };
        let signed = checkpoint::sign(checkpoint, &*identity.log)?;
        appender.write(db, Some(&signed)).await?;
        if let Some(Outcome::New(charter, _, 0)) = outcomes.iter().find(|outcome| outcome.index() == Some(0)) {
            set_fingerprint(db, held.log.id, charter).await?;
        }
        let heartbeat = cosign(&signed, &identity.witness, core)?;
        cosignatures::keep(db, held.log.id, &heartbeat, false, core.now()).await?;
        Ok(Written { held, signed: Some(signed), outcomes })
    }
}

/// Why a submission would be refused as the log stands now; none when it would not. What nobody with
/// authority signed costs the sequencer nothing.
pub(crate) async fn refusal(core: &Core, submission: Submission) -> Result<Option<Refusal>> {
    let db = core.store.snapshot().await?;
    let batch = Batch::begin(core, &db).await?;
    if own::position(&db, batch.held.log.id, &submission.digest).await?.is_some() {
        return Ok(None);
    }
    Ok(batch.decide(&db, submission).await?.err())
}

impl Written {
    /// The new head, if the log grew.
    pub fn head(&self) -> Option<&SignedCheckpoint> {
        self.signed.as_ref()
    }

    /// What to answer, in the order of the submissions.
    pub async fn answers(self, db: &impl ConnectionTrait) -> Result<Vec<Admission>> {
        let indexes: Vec<u64> = self.outcomes.iter().filter_map(Outcome::index).collect();
        let mut proofs = match &self.signed {
            Some(signed) => own::prove(db, &self.held, signed, &indexes).await?.into_iter(),
            None => Vec::new().into_iter(),
        };
        let lost = || Error::Inconsistent("a record that was admitted has no proof".to_owned());
        let mut answers = Vec::with_capacity(self.outcomes.len());
        for outcome in self.outcomes {
            answers.push(match outcome {
                Outcome::Refused(refusal) => Admission::Refused(refusal),
                Outcome::New(record, envelope, _) => {
                    let proof = proofs.next().ok_or_else(lost)?;
                    Admission::Admitted(own::receipt(&self.held, record, envelope, &proof, false))
                }
                Outcome::Again(record) => {
                    let receipt = own::first_receipt(db, &self.held, &record).await?;
                    Admission::Admitted(receipt.ok_or_else(lost)?)
                }
            });
        }
        Ok(answers)
    }
}

impl Outcome {
    fn index(&self) -> Option<u64> {
        match self {
            Self::New(_, _, index) => Some(*index),
            Self::Refused(_) | Self::Again(_) => None,
        }
    }
}

/// A cosignature by `cosigner` at this moment.
pub(crate) fn cosign(
    signed: &SignedCheckpoint,
    (name, key): &(Origin, SharedSigner),
    core: &Core,
) -> Result<cosignature::Cosignature> {
    let now = u64::try_from(core.now().unix_seconds());
    let now = now.map_err(|_| Error::Invalid("failed to cosign: the clock stands before 1970".to_owned()))?;
    Ok(cosignature::sign(signed, name.as_str(), now, &**key)?)
}

/// A charter must name the keys that this node signs with, or nobody could verify its log.
pub(crate) fn names_other_keys(charter: &Charter, identity: &Identity) -> Result<Option<Refusal>> {
    let (witness, mirror) = (&charter.witness, &charter.mirror);
    let pairs = [
        ("log key", charter.log_key.keyid == key_id(&identity.log)?),
        ("witness", witness.name == identity.witness.0 && witness.key.keyid == key_id(&identity.witness.1)?),
        ("mirror", mirror.name == identity.mirror.0 && mirror.key.keyid == key_id(&identity.mirror.1)?),
    ];
    let other = pairs.iter().find(|(_, same)| !same);
    Ok(other.map(|(what, _)| Refusal {
        code: Code::WrongLog,
        reason: format!("the charter names another {what} than this node has; start the node with the charter's keys"),
    }))
}

fn key_id(signer: &SharedSigner) -> Result<Digest> {
    let key = PublicKey::from_bytes(&signer.public_key()).map_err(|error| SignError(error.to_string()))?;
    Ok(key.key_id())
}

pub(crate) async fn set_fingerprint(db: &impl ConnectionTrait, log_id: i64, charter: &Digest) -> Result<()> {
    let fingerprint = Expr::value(charter.as_bytes().to_vec());
    let update = log_table::Entity::update_many().col_expr(log_table::Column::Fingerprint, fingerprint);
    update.filter(log_table::Column::Id.eq(log_id)).exec(db).await.attempting("set the fingerprint").map(|_| ())
}
