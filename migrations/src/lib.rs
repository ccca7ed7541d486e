//! How the tables came to be: each step once, in order, never changed after its release.
//!
//! - In scope: the tables of the ground state, which nobody can recompute, and of the view, which
//!   the archive fills again from the ground state.
//! - Out of scope: what the rows mean, and every query (see `chancery-registry`).
//!
//! Only types that `SQLite` and `PostgreSQL` both have: digests and bytes are blobs, counts and
//! times (POSIX seconds) are 64-bit integers, notes are text.

mod column;
mod m20261124_000001_ground;
mod m20261124_000002_view;
mod m20261125_000003_contradiction;
mod m20261125_000004_submission;
mod m20261125_000005_witness;
mod m20261125_000006_revocation;
mod m20261125_000007_evidence;
mod m20261125_000008_ending;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, IsolationLevel, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};

/// Brings an archive's tables up to date, all steps or none; durable when it returns, and safe to repeat.
/// Of processes that start at once the second waits for the first, and finds everything done.
///
/// # Errors
/// When the database fails, or was written by a newer version.
pub async fn run(database: &DatabaseConnection) -> Result<(), DbErr> {
    let mode = Some(SqliteTransactionMode::Immediate);
    // Whoever waited for the first must see what it did.
    let level = (database.get_database_backend() == DbBackend::Postgres).then_some(IsolationLevel::ReadCommitted);
    let options =
        TransactionOptions { isolation_level: level, sqlite_transaction_mode: mode, ..TransactionOptions::default() };
    let transaction = database.begin_with_options(options).await?;
    if database.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({STEPS})")).await?;
    }
    Migrator::up(&transaction, None).await?;
    transaction.commit().await
}

/// The number of the lock under which `PostgreSQL` takes steps: "chancery" in ASCII.
const STEPS: i64 = 0x6368_616e_6365_7279;

/// The tables of the ground state. Every other table is the view's.
const GROUND: [&str; 13] = [
    "erased",
    "submission",
    "contradiction",
    "lease",
    "introduction",
    "cosignature",
    "checkpoint",
    "tile",
    "missing",
    "blob",
    "body",
    "entry",
    "log",
];

/// The tables of the view.
const VIEW: [&str; 10] = [
    "record",
    "nation",
    "delegation",
    "revocation",
    "ending",
    "erasure_receipt",
    "model",
    "model_language",
    "model_license",
    "found",
];

/// Makes the tables of the view once more, empty, where they hide those of the archive: on `SQLite` in a
/// database that is empty, to which the archive is then attached; on `PostgreSQL` as temporary tables of
/// a connection to the archive.
///
/// # Errors
/// When the database fails.
pub async fn run_view(database: &DatabaseConnection) -> Result<(), DbErr> {
    if database.get_database_backend() == DbBackend::Postgres {
        for name in VIEW {
            let copy = format!("CREATE TEMPORARY TABLE {name} (LIKE {name} INCLUDING ALL)");
            database.execute_unprepared(&copy).await?;
        }
        return Ok(());
    }
    run(database).await?;
    let manager = SchemaManager::new(database);
    for name in GROUND {
        manager.drop_table(Table::drop().table(name).to_owned()).await?;
    }
    Ok(())
}

/// The names of the tables that are there, whoever made them.
///
/// # Errors
/// When the database fails.
pub async fn tables(database: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let sql = match database.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = current_schema()"
        }
        _ => "SELECT name FROM sqlite_master WHERE type = 'table'",
    };
    let rows = database.query_all_raw(Statement::from_string(database.get_database_backend(), sql)).await?;
    rows.iter().map(|row| row.try_get("", "name")).collect()
}

/// Every step so far.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261124_000001_ground::Migration),
            Box::new(m20261124_000002_view::Migration),
            Box::new(m20261125_000003_contradiction::Migration),
            Box::new(m20261125_000004_submission::Migration),
            Box::new(m20261125_000005_witness::Migration),
            Box::new(m20261125_000006_revocation::Migration),
            Box::new(m20261125_000007_evidence::Migration),
            Box::new(m20261125_000008_ending::Migration),
        ]
    }
}
