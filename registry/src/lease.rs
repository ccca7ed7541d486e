//! The lease: of all processes that use one archive, one sequences and exchanges with partners.
//!
//! No clock is compared with another. A process that does not hold the lease knocks, and counts on its
//! own how long nobody answers; when that is too long, it takes the lease, and the epoch grows. The one
//! before notices at its next look, and can write nothing meanwhile: it asks for its tenure in each
//! transaction that sequences.
//!
//! Every change of the lease is one statement that changes the row if it is still as it was seen, on a
//! connection of its own: however many read and write, nobody waits for them to knock or to answer.

use std::time::Duration;

use chancery_schema::time::Timestamp;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use tokio::time::Instant;

use crate::entity::lease;
use crate::error::Attempting;
use crate::store::Store;
use crate::{Error, Result};

/// The lease's name.
const NAME: &str = "sequencer";

/// How long to wait between an answer and the next knock.
const REST: Duration = Duration::from_millis(500);

/// How long nobody may answer a knock: many times what a look takes.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often a process looks at the lease.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

/// A nation is without a sequencer for at most five seconds, of which one is left for the statements.
const _: () = assert!(REST.as_millis() + PATIENCE.as_millis() + 2 * LOOK.as_millis() <= 4000, "too slow");

/// The time for which one process holds the lease: by its name, and the epoch that began then. Both are
/// compared: a database that fell back to an older state could give an epoch twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tenure {
    holder: String,
    epoch: i64,
}

/// The lease as one process sees it.
#[derive(Debug)]
pub(crate) struct Lease {
    /// What this process calls itself.
    name: String,
    state: State,
}

#[derive(Debug)]
enum State {
    /// This process holds it, in this epoch.
    Held(i64),
    /// Another one does, and the next knock is due then.
    Due(Instant),
    /// This knock, under this epoch, was not answered since.
    Unanswered { epoch: i64, knock: i64, since: Instant },
}

impl Lease {
    /// Takes the lease if nobody holds it.
    pub async fn ask(store: &Store, now: Timestamp) -> Result<Self> {
        let row = lease::ActiveModel {
            name: Set(NAME.to_owned()),
            holder: Set(String::new()),
            epoch: Set(0),
            knock: Set(0),
            answer: Set(0),
        };
        let there = OnConflict::column(lease::Column::Name).do_nothing().to_owned();
        let aside = store.aside().await?;
        let made = lease::Entity::insert(row).on_conflict(there).exec_without_returning(&*aside).await;
        made.attempting("make room for the lease")?;
        aside.keep();
        let name = format!("process {} since {now}", std::process::id());
        let mut lease = Self { name, state: State::Due(Instant::now()) };
        let row = read_aside(store).await?;
        if !lease.take_free(store, &row).await? {
            tracing::info!(holder = row.holder, "Another process holds the lease");
        }
        Ok(lease)
    }

    /// The tenure of this process, as far as it knows; none while another one holds the lease.
    pub fn tenure(&self) -> Option<Tenure> {
        match self.state {
            State::Held(epoch) => Some(Tenure { holder: self.name.clone(), epoch }),
            State::Due(_) | State::Unanswered { .. } => None,
        }
    }

    /// Looks how things stand: answers whoever knocked, or knocks, or takes over.
    pub async fn look(&mut self, store: &Store) -> Result<()> {
        let row = match read_aside(store).await {
            Ok(row) => row,
            Err(error) => {
                // Where the database does not answer, nobody could have.
                if self.tenure().is_none() {
                    self.state = State::Due(Instant::now());
                }
                return Err(error);
            }
        };
        let now = Instant::now();
        match self.state {
            State::Held(epoch) if row.epoch == epoch && row.holder == self.name => {
                if row.knock > row.answer {
                    // Where it changed meanwhile, the next look answers.
                    swap(store, &row, lease::Model { answer: row.knock, ..row.clone() }).await?;
                }
            }
            State::Held(_) => {
                tracing::warn!(holder = row.holder, "Another process has taken the lease");
                self.state = State::Due(now + REST);
            }
            _ if row.holder.is_empty() => {
                self.take_free(store, &row).await?;
            }
            State::Due(due) if now < due => {}
            State::Due(_) => {
                let knocked = lease::Model { knock: row.knock + 1, ..row.clone() };
                if swap(store, &row, knocked).await? {
                    self.state = State::Unanswered { epoch: row.epoch, knock: row.knock + 1, since: Instant::now() };
                }
            }
            State::Unanswered { epoch, knock, .. } if row.epoch != epoch || row.answer >= knock => {
                self.state = State::Due(now + REST);
            }
            State::Unanswered { since, .. } if now.duration_since(since) <= PATIENCE => {}
            State::Unanswered { .. } => {
                if self.take(store, &row).await? {
                    tracing::warn!(holder = row.holder, "Took the lease from a process that does not answer");
                }
            }
        }
        Ok(())
    }

    /// Lets go, so that nobody need wait.
    pub async fn resign(&mut self, store: &Store) -> Result<()> {
        let Some(tenure) = self.tenure() else { return Ok(()) };
        self.state = State::Due(Instant::now());
        // Somebody may knock in the same moment.
        for _ in 0..3 {
            let row = read_aside(store).await?;
            if !tenure.is_of(&row) || swap(store, &row, lease::Model { holder: String::new(), ..row.clone() }).await? {
                break;
            }
        }
        Ok(())
    }

    async fn take_free(&mut self, store: &Store, row: &lease::Model) -> Result<bool> {
        Ok(row.holder.is_empty() && self.take(store, row).await?)
    }

    /// Takes the lease if it still is as it was seen: nobody answered or took it meanwhile.
    async fn take(&mut self, store: &Store, row: &lease::Model) -> Result<bool> {
        let epoch = row.epoch + 1;
        let taken = lease::Model { holder: self.name.clone(), epoch, knock: 0, answer: 0, ..row.clone() };
        let taken = swap(store, row, taken).await?;
        if taken {
            self.state = State::Held(epoch);
        }
        Ok(taken)
    }
}

impl Tenure {
    /// Checks within a transaction that it still lasts.
    ///
    /// # Errors
    /// [`Error::NotSequencer`] when it does not.
    pub async fn check(&self, db: &impl ConnectionTrait) -> Result<()> {
        if self.is_of(&read(db).await?) { Ok(()) } else { Err(Error::NotSequencer) }
    }

    fn is_of(&self, row: &lease::Model) -> bool {
        row.epoch == self.epoch && row.holder == self.holder
    }
}

async fn read(db: &impl ConnectionTrait) -> Result<lease::Model> {
    let row = lease::Entity::find_by_id(NAME).one(db).await.attempting("read the lease")?;
    row.ok_or_else(|| Error::Inconsistent("the row of the lease is gone".to_owned()))
}

async fn read_aside(store: &Store) -> Result<lease::Model> {
    let aside = store.aside().await?;
    let row = read(&*aside).await?;
    aside.keep();
    Ok(row)
}

/// Makes of the row `seen` the row `new`, if it still is as it was seen; whether it was.
async fn swap(store: &Store, seen: &lease::Model, new: lease::Model) -> Result<bool> {
    let update = lease::Entity::update_many()
        .col_expr(lease::Column::Holder, Expr::value(new.holder))
        .col_expr(lease::Column::Epoch, Expr::value(new.epoch))
        .col_expr(lease::Column::Knock, Expr::value(new.knock))
        .col_expr(lease::Column::Answer, Expr::value(new.answer))
        .filter(lease::Column::Name.eq(NAME))
        .filter(lease::Column::Holder.eq(&seen.holder))
        .filter(lease::Column::Epoch.eq(seen.epoch))
        .filter(lease::Column::Knock.eq(seen.knock))
        .filter(lease::Column::Answer.eq(seen.answer));
    let aside = store.aside().await?;
    let swapped = update.exec(&*aside).await.attempting("change the lease")?;
    aside.keep();
    Ok(swapped.rows_affected == 1)
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait as _;

    use super::*;

    async fn store(folder: &std::path::Path) -> Store {
        Store::open(&chancery_tests::database::url(folder)).await.unwrap()
    }

    async fn two(store: &Store) -> (Lease, Lease) {
        let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let (one, mut two) = (Lease::ask(store, now).await.unwrap(), Lease::ask(store, now).await.unwrap());
        two.name += "b";
        assert!(one.tenure().is_some() && two.tenure().is_none());
        (one, two)
    }

    /// Looks as often as a process does, for that long.
    async fn watch(lease: &mut Lease, store: &Store, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            lease.look(store).await.unwrap();
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Looks until it holds the lease; answers how long that took.
    async fn relieve(lease: &mut Lease, store: &Store) -> Duration {
        let began = Instant::now();
        while lease.tenure().is_none() {
            assert!(began.elapsed() < Duration::from_mins(1), "nobody took over");
            lease.look(store).await.unwrap();
            tokio::time::sleep(LOOK).await;
        }
        began.elapsed()
    }

    #[tokio::test]
    async fn a_holder_that_answers_keeps_the_lease() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let (mut one, mut two) = two(&store).await;
        let time = PATIENCE + REST * 2;
        tokio::join!(watch(&mut one, &store, time), watch(&mut two, &store, time));
        assert!(one.tenure().is_some() && two.tenure().is_none());
        one.resign(&store).await.unwrap();
        two.look(&store).await.unwrap();
        assert!(one.tenure().is_none() && two.tenure().is_some(), "it was let go");
    }

    #[tokio::test]
    async fn a_silent_holder_is_relieved_and_writes_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let (mut one, mut two) = two(&store).await;
        let tenure = one.tenure().unwrap();
        tenure.check(store.read()).await.unwrap();
        assert!(relieve(&mut two, &store).await > PATIENCE, "a holder has that long to answer");
        assert!(matches!(tenure.check(store.read()).await, Err(Error::NotSequencer)));
        let next = two.tenure().unwrap();
        next.check(store.read()).await.unwrap();
        one.look(&store).await.unwrap();
        assert!(one.tenure().is_none(), "and sees that it was relieved");
        one.resign(&store).await.unwrap();
        next.check(store.read()).await.unwrap();
    }

    #[tokio::test]
    async fn nobody_waits_for_those_who_read_and_write_to_answer_or_to_take_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        if store.read().get_database_backend() == sea_orm::DbBackend::Sqlite {
            return; // A file has one lock, and whoever writes holds it.
        }
        let (mut one, mut two) = two(&store).await;
        let mut readers = Vec::new();
        for _ in 0..8 {
            readers.push(store.snapshot().await.unwrap());
        }
        let busy = tokio::spawn({
            let store = store.clone();
            async move {
                loop {
                    let writing = store.write().await.unwrap();
                    for _ in 0..40 {
                        writing.execute_unprepared("SELECT pg_sleep(0.1)").await.unwrap();
                    }
                    writing.commit().await.unwrap();
                }
            }
        });
        let time = PATIENCE + REST * 2;
        tokio::join!(watch(&mut one, &store, time), watch(&mut two, &store, time));
        assert!(one.tenure().is_some() && two.tenure().is_none(), "a holder that lives was relieved");
        let took = relieve(&mut two, &store).await;
        assert!(took < Duration::from_secs(5), "{took:?}");
        busy.abort();
        drop(readers);
    }

    #[tokio::test]
    async fn an_epoch_that_comes_twice_is_not_that_of_two_processes() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let (one, _) = two(&store).await;
        let row = read_aside(&store).await.unwrap();
        let other = lease::Model { holder: "process 7".to_owned(), ..row.clone() };
        assert!(swap(&store, &row, other).await.unwrap());
        assert!(matches!(one.tenure().unwrap().check(store.read()).await, Err(Error::NotSequencer)));
    }
}
