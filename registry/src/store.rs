//! The database: one writer, a few readers.
//!
//! `SQLite` has one writer at a time. All writing of a process goes through one connection and one
//! queue, and each transaction takes the write lock when it begins, so that it never fails half way
//! because another process wrote in between. Readers see the last commit and wait for nobody.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::Attempting;
use crate::{Error, Result};

/// Reader connections: a page of the portal and a few partners ask at once, on few cores. Whoever
/// holds a snapshot asks for no second connection, so they never wait for each other in a circle.
const READERS: u32 = 8;

/// How long another process may hold the write lock: longer than it takes to rebuild a large view.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// The connections to one database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
    queue: Arc<Mutex<()>>,
}

/// A write transaction; what [`Store::write`] gives. Dropped without [`Writing::commit`] it leaves
/// nothing behind.
pub(crate) struct Writing {
    // Fields drop in order: the transaction ends before the next writer's turn.
    transaction: DatabaseTransaction,
    _turn: OwnedMutexGuard<()>,
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
        Ok(Self { writer, readers, queue: Arc::default() })
    }

    /// For queries. Two queries may see two commits; ask [`Store::snapshot`] when that matters.
    pub fn read(&self) -> &DatabaseConnection {
        &self.readers
    }

    /// For queries that must see one commit.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction> {
        self.readers.begin().await.attempting("begin reading")
    }

    /// Waits for its turn and begins to write.
    pub async fn write(&self) -> Result<Writing> {
        let turn = Arc::clone(&self.queue).lock_owned().await;
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.writer.begin_with_options(immediate).await.attempting("begin writing")?;
        Ok(Writing { transaction, _turn: turn })
    }
}

impl Writing {
    /// Makes everything durable at once.
    pub async fn commit(self) -> Result<()> {
        self.transaction.commit().await.attempting("commit")
    }
}

impl Deref for Writing {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.transaction
    }
}

async fn connect(
    url: &str,
    connections: u32,
    query_only: bool,
) -> std::result::Result<DatabaseConnection, sea_orm::DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).acquire_timeout(BUSY_TIMEOUT).sqlx_logging(false);
    options.map_sqlx_sqlite_opts(move |options| {
        let options = options.pragma("journal_mode", "WAL").pragma("synchronous", "FULL");
        let options = options.pragma("query_only", if query_only { "ON" } else { "OFF" });
        options.foreign_keys(true).busy_timeout(BUSY_TIMEOUT)
    });
    Database::connect(options).await
}
