//! The database: one writer, a few readers.
//!
//! All writing of a process goes through one connection and one queue, and each transaction takes the
//! database's write lock when it begins, so that processes write one after the other. Readers see the
//! last commit and wait for nobody. What differs between `SQLite` and `PostgreSQL` stands in their files.
//!
//! A process has at most ten connections: the readers, the writer, and one for the lease; and one more
//! while it checks the archive.

mod postgres;
mod sqlite;
mod timed;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use chancery_schema::name::Origin;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};
use tokio::sync::{Mutex, OwnedMutexGuard};

use self::timed::{Timed, within};
use crate::error::Attempting;
use crate::{Error, Result, log};

/// Reader connections: a page of the portal and a few partners ask at once, on few cores. Whoever
/// holds a snapshot asks for no second connection, so they never wait for each other in a circle.
const READERS: u32 = 8;

/// How long another process may hold the write lock: longer than it takes to rebuild a large view.
const TURN: Duration = Duration::from_mins(1);

/// How long a statement may take, and a wait for the write lock in it. A server that is gone without a
/// word would else be waited for as long as the operating system likes.
const ANSWER: Duration = Duration::from_mins(2);

/// How long it may take to write the database's files anew: as long as to copy them, however slow the disk.
const SCRUB: Duration = Duration::from_mins(30);

/// The same for the lease, whose statements change one row and wait for nobody.
const PROMPT: Duration = Duration::from_secs(1);

/// The connections to one database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    database: Database,
    readers: Timed<DatabaseConnection>,
    /// Who would write stands here, and at most one of them before the writer.
    line: Arc<Mutex<()>>,
    writer: Arc<Mutex<Own>>,
    aside: Arc<Mutex<Own>>,
}

/// A transaction of the archive, to read from or to write in.
pub(crate) type Transaction = Timed<DatabaseTransaction>;

/// Which database, by the address that its driver reads.
#[derive(Clone, Debug)]
enum Database {
    Sqlite(String),
    Postgres(String),
}

/// A connection that one at a time uses; none while the next one must open it anew.
type Own = Option<DatabaseConnection>;

/// A write transaction; what [`Store::write`] gives. Dropped without [`Writing::commit`] it leaves
/// nothing behind.
///
/// A transaction that did not end well takes its connection with it. On a full disk even rolling back
/// can fail, and whoever wrote next would write into a transaction that nothing ever commits.
pub(crate) struct Writing {
    /// None once it has ended.
    transaction: Option<Transaction>,
    turn: OwnedMutexGuard<Own>,
}

/// The connection for the lease; what [`Store::aside`] gives. One that was not kept is let go of.
pub(crate) struct Aside {
    connection: Timed<DatabaseConnection>,
    place: OwnedMutexGuard<Own>,
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH` or `postgres://…`) and brings its tables up to date.
    pub async fn open(url: &str) -> Result<Self> {
        let database = Database::at(url)?;
        let writer = database.connect(1, true).await.attempting(database.opening())?;
        chancery_migrations::run(&writer).await.attempting("bring the tables up to date")?;
        database.prepare(&writer).await.attempting("bring the tables up to date")?;
        let readers = database.connect(READERS, false).await.attempting("open the database for reading")?;
        let (readers, writer) = (Timed::new(readers, ANSWER), Arc::new(Mutex::new(Some(writer))));
        Ok(Self { database, readers, line: Arc::default(), writer, aside: Arc::default() })
    }

    /// For queries. Two queries may see two commits; ask [`Store::snapshot`] when that matters.
    pub fn read(&self) -> &Timed<DatabaseConnection> {
        &self.readers
    }

    /// For queries that must see one commit.
    ///
    /// Begins in a task of its own: when whoever asked goes away in that moment, the driver of `PostgreSQL`
    /// puts a connection back in which a transaction has begun, and does not know it.
    pub async fn snapshot(&self) -> Result<Transaction> {
        let (database, readers) = (self.database.clone(), self.readers.inner().clone());
        let begun = tokio::spawn(async move { within(ANSWER, database.snapshot(&readers)).await }).await;
        let begun = begun.map_err(|error| DbErr::Custom(error.to_string())).flatten().attempting("begin reading")?;
        Ok(Timed::new(begun, ANSWER))
    }

    /// Two transactions that see one commit: a snapshot; and one where the view can be computed a second
    /// time, which has the empty tables of the view, and behind them the archive, to read. Keeps others
    /// from writing for the moment that both begin to read, and not after.
    pub async fn snapshot_and_scratch(&self) -> Result<(Transaction, Transaction)> {
        let snapshot = self.snapshot().await?;
        let scratch = self.database.scratch(self.readers.inner()).await;
        let scratch = scratch.attempting("make room to compute the view in")?;
        let scratch = self.database.snapshot(&scratch).await.attempting("begin to compute the view")?;
        let scratch = Timed::new(scratch, ANSWER);
        // A transaction sees what was there when it first reads, and nobody writes between the two.
        let writing = self.write().await?;
        log::own_origin(&snapshot).await?;
        log::own_origin(&scratch).await?;
        drop(writing);
        Ok((snapshot, scratch))
    }

    /// Waits for its turn and begins to write.
    pub async fn write(&self) -> Result<Writing> {
        let line = self.line.lock().await;
        let turn = Arc::clone(&self.writer).lock_owned().await;
        drop(line);
        self.begin(turn).await
    }

    /// Begins to write before those of this process who stand in line. For the sequencer, for whom all of
    /// them wait in the end.
    pub async fn write_first(&self) -> Result<Writing> {
        let turn = Arc::clone(&self.writer).lock_owned().await;
        self.begin(turn).await
    }

    /// Begins in a task of its own: when whoever asked goes away meanwhile, its place among the processes
    /// is not left to a connection that nobody reads from any more.
    async fn begin(&self, mut turn: OwnedMutexGuard<Own>) -> Result<Writing> {
        let database = self.database.clone();
        let begun = tokio::spawn(async move {
            let writer = database.take(&mut turn).await.attempting(database.opening())?;
            let transaction = within(ANSWER, database.begin(&writer)).await.attempting("begin writing")?;
            *turn = Some(writer);
            Ok(Writing { transaction: Some(Timed::new(transaction, ANSWER)), turn })
        });
        begun.await.map_err(|error| DbErr::Custom(error.to_string())).attempting("begin writing")?
    }

    /// Makes sure that nothing that was deleted is left in the database's files. Keeps this process from writing
    /// as long as it takes, and others from what it has to lock.
    pub async fn scrub(&self) -> Result<()> {
        let mut turn = Arc::clone(&self.writer).lock_owned().await;
        let writer = self.database.take(&mut turn).await.attempting(self.database.opening())?;
        within(SCRUB, self.database.scrub(&writer)).await.attempting("scrub what was erased from the database")?;
        *turn = Some(writer);
        Ok(())
    }

    /// A connection that nobody else uses, for what must wait neither for readers nor for writers.
    pub async fn aside(&self) -> Result<Aside> {
        let mut place = Arc::clone(&self.aside).lock_owned().await;
        let connection = within(PROMPT, self.database.take(&mut place)).await.attempting(self.database.opening())?;
        Ok(Aside { connection: Timed::new(connection, PROMPT), place })
    }
}

/// Checks an address of a database, and asks nothing of it.
///
/// # Errors
/// When it is neither `sqlite:PATH` nor `postgres://HOST/NAME`, or says what belongs elsewhere. The error
/// does not repeat it: a password may stand there by mistake.
pub fn check_address(url: &str) -> Result<()> {
    Database::at(url).map(drop)
}

/// What is in a database, before anything is made there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Contents {
    /// Nothing.
    Empty,
    /// Tables, and not those of an archive.
    Foreign,
    /// An archive, with the own log of it; none where nobody opened it with an identity.
    Archive(Option<Origin>),
}

/// Looks what is in the database at `url`, and changes nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn look(url: &str) -> Result<Contents> {
    let database = Database::at(url)?;
    let reader = database.connect(1, false).await.attempting(database.opening())?;
    let tables = chancery_migrations::tables(&reader).await.attempting("look what is in the database")?;
    if tables.is_empty() {
        return Ok(Contents::Empty);
    }
    if !["log", "entry", "body"].iter().all(|ours| tables.iter().any(|table| table == ours)) {
        return Ok(Contents::Foreign);
    }
    Ok(Contents::Archive(log::own_origin(&reader).await?))
}

impl Database {
    fn at(url: &str) -> Result<Self> {
        let refuse = |problem: &str| Error::Invalid(format!("failed to find the database: {problem}"));
        if let Some(url) = postgres::url(url) {
            return url.map(Self::Postgres).map_err(refuse);
        }
        let unknown = || refuse("its address is neither sqlite:PATH nor postgres://HOST/NAME");
        sqlite::url(url).map(Self::Sqlite).ok_or_else(unknown)
    }

    /// What is attempted when it is opened.
    fn opening(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "open the database",
            Self::Postgres(_) => "reach the database; check that its server runs, and its address, user and password",
        }
    }

    async fn connect(&self, connections: u32, writes: bool) -> std::result::Result<DatabaseConnection, DbErr> {
        match self {
            // What a driver needs to connect is large, and many wait for a connection that is there already.
            Self::Sqlite(url) => Box::pin(sqlite::connect(url, connections, writes)).await,
            Self::Postgres(url) => Box::pin(postgres::connect(url, connections, writes)).await,
        }
    }

    /// The connection that was left there, or a new one.
    async fn take(&self, place: &mut Own) -> std::result::Result<DatabaseConnection, DbErr> {
        match place.take() {
            Some(connection) => Ok(connection),
            None => self.connect(1, true).await,
        }
    }

    async fn prepare(&self, writer: &DatabaseConnection) -> std::result::Result<(), DbErr> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => postgres::prepare(writer).await,
        }
    }

    async fn begin(&self, writer: &DatabaseConnection) -> std::result::Result<DatabaseTransaction, DbErr> {
        match self {
            Self::Sqlite(_) => sqlite::begin(writer).await,
            Self::Postgres(_) => postgres::begin(writer).await,
        }
    }

    async fn scrub(&self, writer: &DatabaseConnection) -> std::result::Result<(), DbErr> {
        match self {
            Self::Sqlite(_) => sqlite::scrub(writer).await,
            Self::Postgres(_) => postgres::scrub(writer).await,
        }
    }

    async fn snapshot(&self, connection: &DatabaseConnection) -> std::result::Result<DatabaseTransaction, DbErr> {
        match self {
            Self::Sqlite(_) => connection.begin().await,
            Self::Postgres(_) => postgres::snapshot(connection).await,
        }
    }

    async fn scratch(&self, archive: &DatabaseConnection) -> std::result::Result<DatabaseConnection, DbErr> {
        match self {
            Self::Sqlite(_) => sqlite::scratch(archive).await,
            Self::Postgres(url) => postgres::scratch(url).await,
        }
    }
}

impl Writing {
    /// Makes everything durable at once.
    pub async fn commit(mut self) -> Result<()> {
        let transaction = self.transaction.take().expect("a transaction ends once");
        let ended = within(ANSWER, transaction.into_inner().commit()).await.attempting("commit");
        if ended.is_err() {
            *self.turn = None;
        }
        ended
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.transaction.take().is_some() {
            *self.turn = None;
        }
    }
}

impl Deref for Writing {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        self.transaction.as_ref().expect("a transaction in use has not ended")
    }
}

impl Aside {
    /// Leaves the connection to the next one: everything that was asked was answered.
    pub fn keep(mut self) {
        *self.place = Some(self.connection.into_inner());
    }
}

impl Deref for Aside {
    type Target = Timed<DatabaseConnection>;

    fn deref(&self) -> &Timed<DatabaseConnection> {
        &self.connection
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chancery_tests::database::{is_postgres, statement, url};
    use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, Statement};

    use super::*;
    use crate::entity::blob;

    const ONE: &str = "INSERT INTO blob VALUES (x'01', 0, x'', true, 0)";

    async fn write(store: &Store, sql: &str) {
        let writing = tokio::time::timeout(Duration::from_secs(5), store.write()).await.expect("its turn").unwrap();
        writing.execute_unprepared(&statement(sql)).await.unwrap();
        writing.commit().await.unwrap();
    }

    #[tokio::test]
    async fn two_see_one_commit_and_keep_nobody_from_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100% sure?");
        std::fs::create_dir(&path).unwrap();
        let store = Store::open(&url(&path)).await.unwrap();
        let (snapshot, scratch) = store.snapshot_and_scratch().await.unwrap();

        write(&store, ONE).await;
        let blobs = async |db: &Transaction| blob::Entity::find().count(db).await.unwrap();
        assert_eq!((blobs(&snapshot).await, blobs(&scratch).await), (0, 0));
        assert_eq!(blob::Entity::find().count(store.read()).await.unwrap(), 1);

        let row = "INSERT INTO delegation VALUES (1, 1, x'00', x'00', x'00', '')";
        scratch.execute_unprepared(&statement(row)).await.unwrap();
        assert!(scratch.execute_unprepared("DELETE FROM blob").await.is_err(), "the archive is there to read");
        let delegations = Statement::from_string(scratch.get_database_backend(), "SELECT * FROM delegation");
        assert!(store.read().query_all_raw(delegations).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn whoever_reads_may_take_its_time_and_whoever_writes_may_not() {
        if !is_postgres() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&url(folder.path())).await.unwrap();
        let (snapshot, scratch) = store.snapshot_and_scratch().await.unwrap();
        let writing = store.write().await.unwrap();
        tokio::time::sleep(Duration::from_secs(6)).await;
        for db in [&snapshot, &scratch] {
            assert_eq!(blob::Entity::find().count(db).await.unwrap(), 0);
        }
        assert!(writing.execute_unprepared(&statement(ONE)).await.is_err(), "it held the lock and did nothing");
        drop(writing);
        write(&store, ONE).await;
    }

    #[tokio::test]
    async fn nobody_writes_where_there_is_no_turn_to_wait_for() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&url(folder.path())).await.unwrap();
        write(&store, "DELETE FROM lease").await;
        assert_eq!(store.write().await.is_err(), is_postgres());
    }

    #[tokio::test]
    async fn readers_write_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&url(folder.path())).await.unwrap();
        assert!(store.read().execute_unprepared(&statement(ONE)).await.is_err());
        assert!(store.snapshot().await.unwrap().execute_unprepared(&statement(ONE)).await.is_err());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn whoever_goes_away_while_it_begins_leaves_nothing_begun() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&url(folder.path())).await.unwrap();
        drop(store.snapshot().await.unwrap());
        for microseconds in (0..600).step_by(3) {
            let asking: Vec<_> = (1..READERS)
                .map(|_| {
                    let asked = store.clone();
                    tokio::spawn(async move { asked.snapshot().await.map(drop) })
                })
                .collect();
            // The clock of the runtime is too coarse for a moment like this.
            std::thread::sleep(Duration::from_micros(microseconds));
            for asking in asking {
                asking.abort();
                let _ = asking.await;
            }
            // By then its connection is back.
            tokio::time::sleep(Duration::from_millis(2)).await;
            blob::Entity::find().count(store.read()).await.unwrap();
            for _ in 0..READERS {
                blob::Entity::find().count(&store.snapshot().await.unwrap()).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn whoever_goes_away_while_it_waits_leaves_nobody_waiting() {
        if !is_postgres() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let one = Store::open(&url(folder.path())).await.unwrap();
        let other = Store::open(&url(folder.path())).await.unwrap();
        let writing = one.write().await.unwrap();
        for _ in 0..20 {
            let _ = tokio::time::timeout(Duration::from_millis(50), other.write()).await;
        }
        let count = "SELECT count(*) AS waiting FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let row = one.read().query_one_raw(Statement::from_string(DbBackend::Postgres, count)).await.unwrap();
        assert_eq!(row.unwrap().try_get::<i64>("", "waiting").unwrap(), 1);
        writing.commit().await.unwrap();
        write(&other, ONE).await;
    }

    #[tokio::test]
    async fn a_statement_that_is_not_answered_fails() {
        if !is_postgres() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&url(folder.path())).await.unwrap();
        let aside = store.aside().await.unwrap();
        let late = aside.execute_unprepared("SELECT pg_sleep(60)").await.unwrap_err();
        assert!(late.to_string().contains("did not answer within 1 second"), "{late}");
        drop(aside);
        store.aside().await.unwrap().execute_unprepared("SELECT 1").await.unwrap();
    }

    #[tokio::test]
    async fn whoever_writes_keeps_the_other_processes_waiting_and_then_they_see_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let one = Store::open(&url(folder.path())).await.unwrap();
        let other = Store::open(&url(folder.path())).await.unwrap();
        let writing = one.write().await.unwrap();
        let second = tokio::spawn(async move {
            let writing = other.write().await.unwrap();
            blob::Entity::find().count(&*writing).await.unwrap()
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!second.is_finished(), "two write at once");
        writing.execute_unprepared(&statement(ONE)).await.unwrap();
        writing.commit().await.unwrap();
        assert_eq!(second.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn processes_that_start_at_once_make_the_tables_once() {
        let folder = tempfile::tempdir().unwrap();
        let url = url(folder.path());
        let open = || {
            let url = url.clone();
            tokio::spawn(async move { Store::open(&url).await })
        };
        for opened in [open(), open(), open(), open()] {
            let store = opened.await.unwrap().unwrap();
            assert_eq!(blob::Entity::find().count(store.read()).await.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn what_is_committed_after_a_full_disk_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&url(folder.path())).await.unwrap();
        for attempt in 0..3 {
            let writing = store.write().await.unwrap();
            let fills = match store.read().get_database_backend() {
                DbBackend::Sqlite => {
                    writing.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
                    "INSERT INTO blob VALUES (randomblob(32), 1000000, zeroblob(1000000), false, 0)"
                }
                // Its disk is another machine's: a statement that fails leaves the transaction in the same state.
                _ => "SELECT 1 / 0",
            };
            assert!(writing.execute_unprepared(fills).await.is_err(), "attempt {attempt}");
            // Whether the commit is tried or not: the transaction has ended badly.
            if attempt == 1 {
                let _ = writing.commit().await;
            }
        }
        write(&store, ONE).await;
        assert_eq!(blob::Entity::find().count(store.read()).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_server_that_lets_all_connections_go_is_asked_again() {
        if !is_postgres() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&url(folder.path())).await.unwrap();
        let gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        for _ in 0..3 {
            let writing = store.write().await.unwrap();
            let _ = store.read().execute_unprepared(gone).await;
            assert!(writing.execute_unprepared(&statement(ONE)).await.is_err(), "its connection is gone");
            drop(writing);
            assert_eq!(blob::Entity::find().count(store.read()).await.unwrap(), 0);
        }
        write(&store, ONE).await;
    }
}
