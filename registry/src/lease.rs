//! The lease: of all processes that use one archive, one sequences and exchanges with partners.
//!
//! No clock is compared with another. A process that does not hold the lease knocks, and counts on its
//! own how long nobody answers; when that is too long, it takes the lease, and the epoch grows. The one
//! before notices at its next look, and can write nothing meanwhile: it asks for its epoch in each
//! transaction that sequences.

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
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

/// How long nobody may answer a knock: many times what a transaction takes.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often a process looks at the lease.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

/// A nation is without a sequencer for at most five seconds, of which one is left for the transactions.
const _: () = assert!(REST.as_millis() + PATIENCE.as_millis() + 2 * LOOK.as_millis() <= 4000, "too slow");

/// The lease as one process sees it.
#[derive(Debug)]
pub(crate) enum Lease {
    /// This process holds it.
    Held { epoch: i64 },
    /// Another one does.
    Elsewhere(Knock),
}

/// How a holder elsewhere is asked whether it lives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Knock {
    /// The next knock is due then.
    Due(Instant),
    /// This knock, under this epoch, was not answered since.
    Unanswered { epoch: i64, knock: i64, since: Instant },
}

impl Lease {
    /// Takes the lease if nobody holds it.
    pub async fn ask(store: &Store) -> Result<Self> {
        let writing = store.write().await?;
        if let Some(row) = read(&*writing).await?.filter(|row| !row.holder.is_empty()) {
            tracing::info!(holder = row.holder, "Another process holds the lease");
            return Ok(Self::Elsewhere(Knock::Due(Instant::now())));
        }
        let epoch = take(&*writing).await?;
        writing.commit().await?;
        Ok(Self::Held { epoch })
    }

    /// Whether this process holds it, as far as it knows.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held { .. })
    }

    /// Looks how things stand: answers whoever knocked, or knocks, or takes over.
    pub async fn look(&mut self, store: &Store) -> Result<()> {
        let row = match read(store.read()).await {
            Ok(row) => row,
            Err(error) => {
                // Where the database does not answer, nobody could have.
                if !self.is_held() {
                    *self = Self::Elsewhere(Knock::Due(Instant::now()));
                }
                return Err(error);
            }
        };
        let now = Instant::now();
        match (&*self, row) {
            (Self::Held { epoch }, Some(row)) if row.epoch == *epoch => {
                if row.knock > row.answer {
                    answer(store, &row).await?;
                }
            }
            (Self::Held { .. }, _) => {
                tracing::warn!("Another process has taken the lease");
                *self = Self::Elsewhere(Knock::Due(now + REST));
            }
            (Self::Elsewhere(_), None) => *self = Self::ask(store).await?,
            (Self::Elsewhere(_), Some(row)) if row.holder.is_empty() => *self = Self::ask(store).await?,
            (Self::Elsewhere(Knock::Due(due)), Some(row)) if now >= *due => {
                *self = Self::Elsewhere(knock(store, &row).await?);
            }
            (Self::Elsewhere(Knock::Due(_)), Some(_)) => {}
            (Self::Elsewhere(Knock::Unanswered { epoch, knock, since }), Some(row)) => {
                if row.epoch != *epoch || row.answer >= *knock {
                    *self = Self::Elsewhere(Knock::Due(now + REST));
                } else if now.duration_since(*since) > PATIENCE {
                    *self = take_over(store, (*epoch, *knock)).await?;
                }
            }
        }
        Ok(())
    }

    /// Lets go, so that nobody need wait.
    pub async fn resign(&mut self, store: &Store) -> Result<()> {
        let Self::Held { epoch } = *self else { return Ok(()) };
        *self = Self::Elsewhere(Knock::Due(Instant::now()));
        let writing = store.write().await?;
        let update = lease::Entity::update_many().col_expr(lease::Column::Holder, Expr::value(""));
        let update = update.filter(lease::Column::Name.eq(NAME)).filter(lease::Column::Epoch.eq(epoch));
        update.exec(&*writing).await.attempting("let go of the lease")?;
        writing.commit().await
    }

    /// Checks within a transaction that this process still holds the lease.
    ///
    /// # Errors
    /// [`Error::NotSequencer`] when it does not.
    pub async fn check(&self, db: &impl ConnectionTrait) -> Result<()> {
        let found = read(db).await?;
        match (self, found) {
            (Self::Held { epoch }, Some(row)) if row.epoch == *epoch => Ok(()),
            _ => Err(Error::NotSequencer),
        }
    }
}

async fn read(db: &impl ConnectionTrait) -> Result<Option<lease::Model>> {
    lease::Entity::find_by_id(NAME).one(db).await.attempting("read the lease")
}

/// Takes the lease within a transaction that found it free or its holder silent; answers the new epoch.
async fn take(db: &impl ConnectionTrait) -> Result<i64> {
    let epoch = read(db).await?.map_or(0, |row| row.epoch) + 1;
    let row = lease::ActiveModel {
        name: Set(NAME.to_owned()),
        holder: Set(format!("process {}", std::process::id())),
        epoch: Set(epoch),
        knock: Set(0),
        answer: Set(0),
    };
    let place = OnConflict::column(lease::Column::Name)
        .update_columns([lease::Column::Holder, lease::Column::Epoch, lease::Column::Knock, lease::Column::Answer])
        .to_owned();
    lease::Entity::insert(row).on_conflict(place).exec_without_returning(db).await.attempting("take the lease")?;
    Ok(epoch)
}

async fn knock(store: &Store, seen: &lease::Model) -> Result<Knock> {
    let writing = store.write().await?;
    let update = lease::Entity::update_many()
        .col_expr(lease::Column::Knock, Expr::col(lease::Column::Knock).add(1))
        .filter(lease::Column::Name.eq(NAME))
        .filter(lease::Column::Epoch.eq(seen.epoch));
    update.exec(&*writing).await.attempting("ask whether the sequencer lives")?;
    let row = read(&*writing).await?;
    writing.commit().await?;
    let since = Instant::now();
    Ok(row.map_or(Knock::Due(since), |row| Knock::Unanswered { epoch: row.epoch, knock: row.knock, since }))
}

async fn answer(store: &Store, seen: &lease::Model) -> Result<()> {
    let writing = store.write().await?;
    let update = lease::Entity::update_many()
        .col_expr(lease::Column::Answer, Expr::value(seen.knock))
        .filter(lease::Column::Name.eq(NAME))
        .filter(lease::Column::Epoch.eq(seen.epoch));
    update.exec(&*writing).await.attempting("answer that the sequencer lives")?;
    writing.commit().await
}

/// Takes the lease from a holder that did not answer, unless it does in the last moment.
async fn take_over(store: &Store, (epoch, knock): (i64, i64)) -> Result<Lease> {
    let asked = Instant::now();
    let writing = store.write().await?;
    // Whoever waited for its turn waited for one who writes, and so may the holder have.
    let waited = asked.elapsed() > REST;
    let silent = |row: &lease::Model| row.epoch == epoch && row.answer < knock;
    let Some(row) = read(&*writing).await?.filter(|row| silent(row) && !waited) else {
        return Ok(Lease::Elsewhere(Knock::Due(Instant::now())));
    };
    let epoch = take(&*writing).await?;
    writing.commit().await?;
    tracing::warn!(holder = row.holder, "Took the lease from a process that does not answer");
    Ok(Lease::Held { epoch })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn store(folder: &std::path::Path) -> Store {
        Store::open(&chancery_tests::database::url(folder)).await.unwrap()
    }

    /// Looks as often as a process does, for that long.
    async fn watch(lease: &mut Lease, store: &Store, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            lease.look(store).await.unwrap();
            tokio::time::sleep(LOOK).await;
        }
    }

    #[tokio::test]
    async fn a_holder_that_answers_keeps_the_lease() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let (mut one, mut two) = (Lease::ask(&store).await.unwrap(), Lease::ask(&store).await.unwrap());
        assert!(one.is_held() && !two.is_held());
        let time = PATIENCE + REST * 2;
        tokio::join!(watch(&mut one, &store, time), watch(&mut two, &store, time));
        assert!(one.is_held() && !two.is_held());
        one.resign(&store).await.unwrap();
        two.look(&store).await.unwrap();
        assert!(!one.is_held() && two.is_held(), "it was let go");
    }

    #[tokio::test]
    async fn a_silent_holder_is_relieved_and_writes_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let (mut one, mut two) = (Lease::ask(&store).await.unwrap(), Lease::ask(&store).await.unwrap());
        one.check(store.read()).await.unwrap();
        let began = Instant::now();
        while !two.is_held() {
            assert!(began.elapsed() < Duration::from_mins(1), "nobody took over");
            two.look(&store).await.unwrap();
            tokio::time::sleep(LOOK).await;
        }
        assert!(began.elapsed() > PATIENCE, "a holder has that long to answer");
        assert!(matches!(one.check(store.read()).await, Err(Error::NotSequencer)));
        two.check(store.read()).await.unwrap();
        one.look(&store).await.unwrap();
        assert!(!one.is_held(), "and sees that it was relieved");
        one.resign(&store).await.unwrap();
        two.check(store.read()).await.unwrap();
    }
}
