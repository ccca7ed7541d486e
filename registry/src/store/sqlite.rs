//! `SQLite`: the archive is one file of this machine.

use std::time::Duration;

use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

/// How long another process may hold the write lock.
const BUSY_TIMEOUT: Duration = super::TURN;

/// How often to try to empty the write-ahead log, and the pause after each time.
const LOOKS: u32 = 8;
const LOOK: Duration = Duration::from_millis(250);

/// The address of a file that is made when it is not there; none where `url` names no file.
pub(super) fn url(url: &str) -> Option<String> {
    let path = url.strip_prefix("sqlite:").filter(|path| !path.contains(":memory:"))?;
    Some(if path.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") })
}

/// How often to try again to open a file that another process has just made, and how long to wait.
const RETRIES: u32 = 100;
const RETRY: Duration = Duration::from_millis(50);

/// Opens that many connections, which may write or not.
///
/// Where two turn a new file to its write-ahead log at once, one is told that it is locked, whatever the
/// timeout; so it tries again.
pub(super) async fn connect(url: &str, connections: u32, writes: bool) -> Result<DatabaseConnection, DbErr> {
    for _ in 0..RETRIES {
        match connect_once(url, connections, writes).await {
            Err(error) if error.to_string().contains("database is locked") => tokio::time::sleep(RETRY).await,
            opened => return opened,
        }
    }
    connect_once(url, connections, writes).await
}

async fn connect_once(url: &str, connections: u32, writes: bool) -> Result<DatabaseConnection, DbErr> {
    open(url, connections, move |options| {
        let options = options.pragma("journal_mode", "WAL").pragma("synchronous", "FULL");
        // What is deleted is overwritten at once, as far as it did not move before.
        let options = options.pragma("secure_delete", "ON");
        options.pragma("query_only", if writes { "OFF" } else { "ON" }).foreign_keys(true)
    })
    .await
}

/// Begins to write: the lock is taken at once, so that a transaction never fails half way because
/// another process wrote in between.
pub(super) async fn begin(writer: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    writer.begin_with_options(immediate).await
}

/// Writes the file anew without what was deleted: copies of rows stay behind where they were moved between
/// pages. Then empties the write-ahead log, which has older pages.
pub(super) async fn scrub(writer: &DatabaseConnection) -> Result<(), DbErr> {
    writer.execute_unprepared("VACUUM").await?;
    // Whoever still reads the older pages is waited for, rather than all be written once more.
    let mut looks = 1;
    while is_busy(writer).await? {
        if looks == LOOKS {
            return Err(DbErr::Custom("others still read the write-ahead log".to_owned()));
        }
        looks += 1;
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Whether others read the write-ahead log, so that it cannot be emptied.
async fn is_busy(writer: &DatabaseConnection) -> Result<bool, DbErr> {
    let checkpoint = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
    let answer = writer.query_one_raw(checkpoint).await?;
    let busy: i32 = answer.ok_or_else(|| DbErr::RecordNotFound("wal_checkpoint".to_owned()))?.try_get("", "busy")?;
    Ok(busy != 0)
}

/// A database of its own, on disk only while it is open, with the empty tables of the view, and behind
/// them the archive, to read: a name is looked for in the view's own first.
pub(super) async fn scratch(archive: &DatabaseConnection) -> Result<DatabaseConnection, DbErr> {
    let scratch = open("sqlite:?mode=rwc", 1, |options| options.foreign_keys(false)).await?;
    chancery_migrations::run_view(&scratch).await?;
    let file = "SELECT file FROM pragma_database_list WHERE name = 'main'";
    let file = archive.query_one_raw(Statement::from_string(DbBackend::Sqlite, file)).await?;
    let path: String = file.ok_or_else(|| DbErr::RecordNotFound("main".to_owned()))?.try_get("", "file")?;
    let uri = format!("file:{}?mode=ro", uri_path(&path));
    let attach = Statement::from_sql_and_values(DbBackend::Sqlite, "ATTACH ? AS archive", [uri.into()]);
    scratch.execute_raw(attach).await?;
    Ok(scratch)
}

async fn open(
    url: &str,
    connections: u32,
    set: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions + Send + Sync + 'static,
) -> Result<DatabaseConnection, DbErr> {
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
