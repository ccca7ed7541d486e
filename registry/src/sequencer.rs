//! The sequencer: the one task that gives records their place in the own log.
//!
//! It gathers submissions for at most [`bounds::BATCH_WAIT`], decides on each in the order they came,
//! and commits all that are admitted under one new checkpoint: entries, bodies, tiles, view and head
//! in one transaction. Only then it answers. A crash at any moment leaves all of that or nothing; who
//! got no answer asks again.
//!
//! Every process that has the nation's keys runs this task, and the one that holds the lease sequences:
//! what was submitted to it, and what others handed over. Three things keep two sequencers apart: the
//! lease, which is checked in each transaction; the write lock of that transaction; and the head, which
//! moves only from the size and root that were read. What keeps it from signing on an older database is
//! the guard.
//!
//! The lease is looked at beside the sequencing and not between two batches, for a batch may have to wait
//! until others have written. Should the task end by a defect, nobody answers for it, and another process
//! takes over.

use std::sync::Arc;
use std::time::Duration;

use chancery_schema::admission::Submission;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, timeout_at};

use crate::batch::{Batch, Written};
use crate::handover::{self, Answer, Handed};
use crate::lease::{LOOK, Lease, Tenure};
use crate::{Admission, Core, Error, Result, bounds, guard};

/// How long to wait when the database did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// What the sequencer is asked.
pub(crate) enum Request {
    /// To admit a record; the answer is [`Error::NotSequencer`] where another process sequences.
    Admit(Box<Submission>, oneshot::Sender<Result<Admission>>),
    /// To let go of the lease and end.
    Resign(oneshot::Sender<()>),
}

/// A submission, and where its answer goes.
type Asked = (Submission, oneshot::Sender<Result<Admission>>);

/// Takes the lease if it is free, and starts the sequencer. It ends when it is asked to, or nobody can
/// submit any more and everything is answered.
pub(crate) async fn spawn(core: &Arc<Core>) -> Result<mpsc::Sender<Request>> {
    let (sender, requests) = mpsc::channel(bounds::SUBMISSIONS);
    let lease = Lease::ask(&core.store, core.now()).await?;
    core.tenure.send_replace(lease.tenure());
    let sequencer = Sequencer { core: Arc::clone(core), requests, resigning: None };
    tokio::spawn(run(lease, sequencer));
    Ok(sender)
}

async fn run(mut lease: Lease, mut sequencer: Sequencer) {
    let core = Arc::clone(&sequencer.core);
    let _led = Led(&core);
    tokio::select! {
        () = sequencer.run() => {}
        () = keep(&mut lease, &core) => {}
    }
    core.tenure.send_replace(None);
    if let Err(error) = lease.resign(&core.store).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "failed to let go of the lease");
    }
    if let Some(done) = sequencer.resigning {
        // Whoever asked may have stopped waiting.
        let _ = done.send(());
    }
}

/// However the task ends, this process does not sequence any more.
struct Led<'c>(&'c Core);

impl Drop for Led<'_> {
    fn drop(&mut self) {
        self.0.tenure.send_replace(None);
    }
}

/// Looks at the lease for ever, and says who holds it.
async fn keep(lease: &mut Lease, core: &Core) {
    let mut looks = every(LOOK);
    loop {
        looks.tick().await;
        let looked = lease.look(&core.store).await;
        let held = lease.tenure();
        core.tenure.send_if_modified(|tenure| (*tenure != held).then(|| *tenure = held).is_some());
        if let Err(error) = looked {
            pause("failed to see who sequences", &error).await;
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

struct Sequencer {
    core: Arc<Core>,
    requests: mpsc::Receiver<Request>,
    /// Whom to tell that it has ended, once it was asked to.
    resigning: Option<oneshot::Sender<()>>,
}

impl Sequencer {
    async fn run(&mut self) {
        let mut looks = every(LOOK);
        while self.resigning.is_none() {
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(Request::Admit(submission, answer)) => self.admit((*submission, answer)).await,
                    Some(Request::Resign(done)) => self.resigning = Some(done),
                    None => break,
                },
                _ = looks.tick() => self.look().await,
            }
        }
    }

    /// Looks for what was handed over, where this process sequences.
    async fn look(&mut self) {
        if self.tenure().is_err() {
            return;
        }
        match handover::waiting(self.core.store.read()).await {
            Ok(handed) if handed.is_empty() => {}
            Ok(handed) => self.take(handed).await,
            Err(error) => pause("failed to see what was handed over", &error).await,
        }
    }

    fn tenure(&self) -> Result<Tenure> {
        self.core.tenure.borrow().clone().ok_or(Error::NotSequencer)
    }

    /// Sequences a submission and those that follow it soon.
    async fn admit(&mut self, first: Asked) {
        let (submissions, answers): (Vec<_>, Vec<_>) = self.gather(first).await.into_iter().unzip();
        let written = match self.commit(submissions, &[]).await {
            Ok(written) => written.answers(self.core.store.read()).await,
            Err(error) => Err(error),
        };
        let outcomes = match written {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(error) => {
                if !matches!(error, Error::NotSequencer) {
                    tracing::error!(error = &error as &dyn std::error::Error, "failed to sequence a batch");
                }
                vec![Err(error); answers.len()]
            }
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A caller that went away asks again, and gets the first receipt.
            let _ = answer.send(outcome);
        }
    }

    /// Sequences what was handed over. When that fails, it is tried again one by one, so that one which
    /// cannot be sequenced keeps none of the others; and that one is answered too, or it would come again
    /// for ever.
    async fn take(&mut self, handed: Vec<Handed>) {
        match self.commit(Vec::new(), &handed).await {
            // Whoever sequences now takes it.
            Ok(_) | Err(Error::NotSequencer) => return,
            Err(error) => pause("failed to sequence what was handed over; it is tried again", &error).await,
        }
        for handed in handed {
            let taken = match self.commit(Vec::new(), std::slice::from_ref(&handed)).await {
                Ok(_) => Ok(()),
                Err(Error::NotSequencer) => return,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "failed to sequence a submission");
                    self.fail(&handed).await
                }
            };
            if let Err(error) = taken {
                return pause("failed to answer what was handed over", &error).await;
            }
        }
    }

    async fn fail(&self, handed: &Handed) -> Result<()> {
        let writing = self.core.store.write_first().await?;
        self.tenure()?.check(&*writing).await?;
        handover::answer(&*writing, &self.core, handed.id, &Answer::Failed).await?;
        writing.commit().await
    }

    /// The next batch: the first submission, and those that follow it soon.
    async fn gather(&mut self, first: Asked) -> Vec<Asked> {
        let mut bytes = first.0.envelope.payload().len();
        let mut batch = vec![first];
        let deadline = Instant::now() + bounds::BATCH_WAIT;
        while batch.len() < bounds::BATCH_ENTRIES && bytes < bounds::BATCH_BYTES {
            match timeout_at(deadline, self.requests.recv()).await {
                Ok(Some(Request::Admit(submission, answer))) => {
                    bytes += submission.envelope.payload().len();
                    batch.push((*submission, answer));
                }
                Ok(Some(Request::Resign(done))) => {
                    // What was gathered comes first.
                    self.resigning = Some(done);
                    break;
                }
                _ => break,
            }
        }
        batch
    }

    /// Decides on a batch and commits what is admitted, with the answers to what was handed over.
    async fn commit(&mut self, submissions: Vec<Submission>, handed: &[Handed]) -> Result<Written> {
        let writing = self.core.store.write_first().await?;
        self.tenure()?.check(&*writing).await?;
        let mut batch = Batch::begin(&self.core, &*writing).await?;
        guard::check(&self.core, &*writing, batch.held()).await?;
        for submission in submissions {
            batch.submit(&*writing, submission).await?;
        }
        // Another process may have answered since they were read.
        let unanswered = handover::unanswered(&*writing, handed).await?;
        for Handed { id, submission } in handed.iter().filter(|handed| unanswered.contains(&handed.id)) {
            let answer = match submission {
                Ok(submission) => batch.submit(&*writing, submission.clone()).await?,
                Err(refusal) => Answer::Refused(refusal.clone()),
            };
            handover::answer(&*writing, &self.core, *id, &answer).await?;
        }
        if !handed.is_empty() {
            handover::drop_late(&*writing, &self.core).await?;
        }
        let written = batch.write(&*writing).await?;
        writing.commit().await?;
        if let Some(head) = written.head() {
            // Before anyone is told of it: should the database be lost, nothing else is signed in its place.
            let remembered = guard::remember(&self.core, head).await;
            self.core.ring(&head.checkpoint().origin, head.checkpoint().size, true);
            remembered?;
        }
        Ok(written)
    }
}

/// Says what failed, and waits: what failed at once would fail again at once.
async fn pause(what: &str, error: &Error) {
    tracing::error!(error = error as &dyn std::error::Error, "{what}");
    sleep(PAUSE).await;
}
