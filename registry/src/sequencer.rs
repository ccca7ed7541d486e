//! The sequencer: the one task that gives records their place in the own log.
//!
//! It gathers submissions for at most [`bounds::BATCH_WAIT`], decides on each in the order they came,
//! and commits all that are admitted under one new checkpoint: entries, bodies, tiles, view and head
//! in one transaction. Only then it answers. A crash at any moment leaves all of that or nothing; who
//! got no answer asks again.
//!
//! Three things keep two sequencers apart: a lease, held while there is work; the write lock of the
//! transaction; and the head, which moves only from the size and root that were read.

use std::sync::Arc;
use std::time::Duration;

use chancery_schema::admission::Submission;
use chancery_schema::log::checkpoint::Checkpoint;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::batch::Batch;
use crate::entity::lease;
use crate::error::Attempting;
use crate::log::Held;
use crate::store::Writing;
use crate::{Admission, Core, Error, Result, bounds};

/// The lease's name; there may be others.
const LEASE: &str = "sequencer";

/// How often to ask whether another process has let go of the lease.
const LEASE_POLL: Duration = Duration::from_millis(200);

/// A submission on its way to the sequencer, with where to send the answer.
pub(crate) struct Request {
    submission: Submission,
    answer: oneshot::Sender<Result<Admission>>,
}

impl Request {
    /// A submission, and where its answer will be.
    pub fn new(submission: Submission) -> (Self, oneshot::Receiver<Result<Admission>>) {
        let (answer, receiver) = oneshot::channel();
        (Self { submission, answer }, receiver)
    }
}

/// Starts the sequencer. It ends when nobody can submit any more and everything is answered.
pub(crate) fn spawn(core: &Arc<Core>) -> mpsc::Sender<Request> {
    let (sender, requests) = mpsc::channel(bounds::SUBMISSIONS);
    let sequencer = Sequencer { core: Arc::clone(core), requests, epoch: None, high: None };
    tokio::spawn(sequencer.run());
    sender
}

struct Sequencer {
    core: Arc<Core>,
    requests: mpsc::Receiver<Request>,
    /// The lease's epoch while it is ours.
    epoch: Option<i64>,
    /// The newest checkpoint that this sequencer signed.
    high: Option<Checkpoint>,
}

impl Sequencer {
    async fn run(mut self) {
        while let Some(requests) = self.gather().await {
            let (submissions, answers): (Vec<_>, Vec<_>) =
                requests.into_iter().map(|request| (request.submission, request.answer)).unzip();
            let outcomes = match self.commit(submissions).await {
                Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "failed to sequence a batch");
                    vec![Err(error); answers.len()]
                }
            };
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // A caller that went away asks again, and gets the first receipt.
                let _ = answer.send(outcome);
            }
        }
    }

    /// The next batch: the first submission, and those that follow it soon. `None` at the end.
    async fn gather(&mut self) -> Option<Vec<Request>> {
        let first = self.requests.recv().await?;
        let mut bytes = first.submission.envelope.payload().len();
        let mut batch = vec![first];
        let deadline = Instant::now() + bounds::BATCH_WAIT;
        while batch.len() < bounds::BATCH_ENTRIES && bytes < bounds::BATCH_BYTES {
            let Ok(Some(request)) = timeout_at(deadline, self.requests.recv()).await else { break };
            bytes += request.submission.envelope.payload().len();
            batch.push(request);
        }
        Some(batch)
    }

    /// Decides on a batch and commits what is admitted; answers in the order of the submissions.
    async fn commit(&mut self, submissions: Vec<Submission>) -> Result<Vec<Admission>> {
        let (writing, epoch) = self.begin().await?;
        let mut batch = Batch::begin(&self.core, &*writing).await?;
        self.not_behind(batch.held())?;
        for submission in submissions {
            batch.submit(&*writing, submission).await?;
        }
        let written = batch.write(&*writing).await?;
        // Also when nothing was admitted: the lease may have ended with this batch.
        writing.commit().await?;
        self.epoch = Some(epoch);
        if let Some(head) = written.head() {
            self.core.ring(&head.origin, head.size, true);
            self.high = Some(head);
        }
        written.answers(self.core.store.read()).await
    }

    /// A sequencer signs nothing smaller than, or beside, what it signed before.
    fn not_behind(&self, held: &Held) -> Result<()> {
        match &self.high {
            Some(high) if held.size < high.size || (held.size == high.size && held.root != high.root) => {
                Err(Error::Inconsistent(format!(
                    "the own log was signed with {} entries and has another head now",
                    high.size
                )))
            }
            _ => Ok(()),
        }
    }

    /// Begins a transaction that has the lease. Waits while another process has it, until the lease
    /// would have ended.
    async fn begin(&self) -> Result<(Writing, i64)> {
        let patience = Duration::from_secs(bounds::LEASE_SECONDS.unsigned_abs());
        let deadline = Instant::now() + patience;
        loop {
            let writing = self.core.store.write().await?;
            match self.lease(&*writing).await {
                Ok(epoch) => return Ok((writing, epoch)),
                Err(Error::NotSequencer) if Instant::now() < deadline => drop(writing),
                Err(error) => return Err(error),
            }
            tokio::time::sleep(LEASE_POLL).await;
        }
    }

    /// Takes or renews the lease within a transaction; answers its epoch, which grows whenever the
    /// lease changes hands. It ends with the transaction unless more submissions wait.
    async fn lease(&self, db: &impl ConnectionTrait) -> Result<i64> {
        let now = self.core.now().unix_seconds();
        let found = lease::Entity::find_by_id(LEASE).one(db).await.attempting("read the lease")?;
        let epoch = match found {
            Some(found) if self.epoch == Some(found.epoch) => found.epoch,
            Some(found) if counts(found.until, now) => return Err(Error::NotSequencer),
            Some(found) => found.epoch + 1,
            None => 1,
        };
        let until = if self.requests.is_empty() { now } else { now + bounds::LEASE_SECONDS };
        let row = lease::ActiveModel {
            name: Set(LEASE.to_owned()),
            holder: Set(format!("process {}", std::process::id())),
            until: Set(until),
            epoch: Set(epoch),
        };
        let place = OnConflict::column(lease::Column::Name)
            .update_columns([lease::Column::Holder, lease::Column::Until, lease::Column::Epoch])
            .to_owned();
        lease::Entity::insert(row).on_conflict(place).exec_without_returning(db).await.attempting("take the lease")?;
        Ok(epoch)
    }
}

/// Whether a lease that ends at `until` still keeps others away. One that ends later than any lease
/// could was taken by a clock that stood ahead, and must not lock everyone out until that time comes.
fn counts(until: i64, now: i64) -> bool {
    now < until && until <= now + bounds::LEASE_SECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_keeps_others_away_only_as_long_as_one_can_last() {
        let now = 1_795_521_600;
        for (until, expected) in [(-1, false), (0, false), (1, true), (30, true), (31, false), (86_400, false)] {
            assert_eq!(counts(now + until, now), expected, "{until}");
        }
    }
}
