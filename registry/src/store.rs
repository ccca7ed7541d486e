//! The database: one writer, a few readers.
//!
//! `SQLite` has one writer at a time. All writing of a process goes through one connection and one
//! queue, and each transaction takes the write lock when it begins, so that it never fails half way
//! because another process wrote in between. Readers see the last commit and wait for nobody.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::Attempting;
use crate::{Error, Result, log};

/// Reader connections: a page of the portal and a few partners ask at once, on few cores. Whoever
/// holds a snapshot asks for no second connection, so they never wait for each other in a circle.
const READERS: u32 = 8;

/// How long another process may hold the write lock: longer than it takes to rebuild a large view.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// The connections to one database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    url: String,
    readers: DatabaseConnection,
    writer: Arc<Mutex<Writer>>,
}

/// The one connection that writes; none while the next writer must open it anew.
type Writer = Option<DatabaseConnection>;

/// A write transaction; what [`Store::write`] gives. Dropped without [`Writing::commit`] it leaves
/// nothing behind.
///
/// A transaction that did not end well takes its connection with it. On a full disk even rolling back
/// can fail, and whoever wrote next would write into a transaction that nothing ever commits.
pub(crate) struct Writing {
    /// None once it has ended.
    transaction: Option<DatabaseTransaction>,
    turn: OwnedMutexGuard<Writer>,
}

impl Store {
    /// Opens the database at `url` (`sqlite:PATH`) and brings its tables up to date.
    pub async fn open(url: &str) -> Result<Self> {
        let path = url
            .strip_prefix("sqlite:")
            .filter(|path| !path.contains(":memory:"))
            .ok_or_else(|| Error::Invalid("failed to open the archive: its address is not sqlite:PATH".to_owned()))?;
        let url = if path.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") };
        let writer = connect(&url, 1, false).await.attempting("open the database")?;
        chancery_migrations::run(&writer).await.attempting("bring the tables up to date")?;
        let readers = connect(&url, READERS, true).await.attempting("open the database for reading")?;
        Ok(Self { url, readers, writer: Arc::new(Mutex::new(Some(writer))) })
    }

    /// For queries. Two queries may see two commits; ask [`Store::snapshot`] when that matters.
    pub fn read(&self) -> &DatabaseConnection {
        &self.readers
    }

    /// For queries that must see one commit.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction> {
        self.readers.begin().await.attempting("begin reading")
    }

    /// Two transactions that see one commit: a snapshot; and one in a database of its own, on disk only
    /// while it is open, where the view can be computed a second time. That one has the empty tables of
    /// the view, and behind them the archive, to read: a name is looked for in the view's own first.
    /// Keeps others from writing for the moment that both begin to read, and not after.
    pub async fn snapshot_and_scratch(&self) -> Result<(DatabaseTransaction, DatabaseTransaction)> {
        let snapshot = self.snapshot().await?;
        let scratch = self.scratch().await.attempting("open a database to compute the view in")?;
        let scratch = scratch.begin().await.attempting("begin to compute the view")?;
        // A transaction sees what was there when it first reads, and nobody writes between the two.
        let writing = self.write().await?;
        log::own_origin(&snapshot).await?;
        log::own_origin(&scratch).await?;
        drop(writing);
        Ok((snapshot, scratch))
    }

    async fn scratch(&self) -> std::result::Result<DatabaseConnection, DbErr> {
        let scratch = open("sqlite:?mode=rwc", 1, |options| options.foreign_keys(false)).await?;
        chancery_migrations::run_view(&scratch).await?;
        let archive = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let archive = self.readers.query_one_raw(Statement::from_string(DbBackend::Sqlite, archive)).await?;
        let path: String = archive.ok_or_else(|| DbErr::RecordNotFound("main".to_owned()))?.try_get("", "file")?;
        let uri = format!("file:{}?mode=ro", uri_path(&path));
        let attach = Statement::from_sql_and_values(DbBackend::Sqlite, "ATTACH ? AS archive", [uri.into()]);
        scratch.execute_raw(attach).await?;
        Ok(scratch)
    }

    /// Waits for its turn and begins to write.
    pub async fn write(&self) -> Result<Writing> {
        let mut turn = Arc::clone(&self.writer).lock_owned().await;
        let writer = match turn.take() {
            Some(writer) => writer,
            None => connect(&self.url, 1, false).await.attempting("open the database")?,
        };
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = writer.begin_with_options(immediate).await.attempting("begin writing")?;
        *turn = Some(writer);
        Ok(Writing { transaction: Some(transaction), turn })
    }
}

impl Writing {
    /// Makes everything durable at once.
    pub async fn commit(mut self) -> Result<()> {
        let transaction = self.transaction.take().expect("a transaction ends once");
        let ended = transaction.commit().await.attempting("commit");
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
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        self.transaction.as_ref().expect("a transaction in use has not ended")
    }
}

async fn connect(
    url: &str,
    connections: u32,
    query_only: bool,
) -> std::result::Result<DatabaseConnection, sea_orm::DbErr> {
    open(url, connections, move |options| {
        let options = options.pragma("journal_mode", "WAL").pragma("synchronous", "FULL");
        options.pragma("query_only", if query_only { "ON" } else { "OFF" }).foreign_keys(true)
    })
    .await
}

async fn open(
    url: &str,
    connections: u32,
    set: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions + Send + Sync + 'static,
) -> std::result::Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).acquire_timeout(BUSY_TIMEOUT).sqlx_logging(false);
    options.map_sqlx_sqlite_opts(move |options| set(options).busy_timeout(BUSY_TIMEOUT));
    Database::connect(options).await
}

/// A path as it stands in a URI.
fn uri_path(path: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(byte);
    let encode = |byte: &u8| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    path.as_bytes().iter().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sea_orm::{EntityTrait, PaginatorTrait};

    use super::*;
    use crate::entity::lease;

    #[tokio::test]
    async fn two_see_one_commit_and_keep_nobody_from_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100% sure?");
        std::fs::create_dir(&path).unwrap();
        let url = format!("sqlite:{}/chancery.db", path.display()).replace('%', "%25").replace('?', "%3F");
        let store = Store::open(&url).await.unwrap();
        let (snapshot, scratch) = store.snapshot_and_scratch().await.unwrap();

        let writing = tokio::time::timeout(Duration::from_secs(5), store.write()).await.expect("its turn").unwrap();
        writing.execute_unprepared("INSERT INTO lease VALUES ('sequencer', 'process 1', 0, 1)").await.unwrap();
        writing.commit().await.unwrap();
        let leases = async |db: &DatabaseTransaction| lease::Entity::find().count(db).await.unwrap();
        assert_eq!((leases(&snapshot).await, leases(&scratch).await), (0, 0));
        assert_eq!(lease::Entity::find().count(store.read()).await.unwrap(), 1);

        assert!(scratch.execute_unprepared("DELETE FROM lease").await.is_err(), "the archive is there to read");
        let row = "INSERT INTO delegation VALUES (1, 1, x'00', '')";
        scratch.execute_unprepared(row).await.unwrap();
        scratch.commit().await.unwrap();
        let delegations = "SELECT * FROM delegation";
        let delegations = Statement::from_string(DbBackend::Sqlite, delegations);
        assert!(store.read().query_all_raw(delegations).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_committed_after_a_full_disk_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("chancery.db").display())).await.unwrap();
        for attempt in 0..3 {
            let writing = store.write().await.unwrap();
            writing.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
            let much = "INSERT INTO blob VALUES (randomblob(32), 1000000, zeroblob(1000000), 0, 0)";
            assert!(writing.execute_unprepared(much).await.is_err(), "attempt {attempt}: the disk is full");
            // Whether the commit is tried or not: the transaction has ended badly.
            if attempt == 1 {
                let _ = writing.commit().await;
            }
        }
        let writing = store.write().await.unwrap();
        writing.execute_unprepared("INSERT INTO lease VALUES ('sequencer', 'process 1', 0, 1)").await.unwrap();
        writing.commit().await.unwrap();
        assert_eq!(lease::Entity::find().count(store.read()).await.unwrap(), 1);
    }
}
