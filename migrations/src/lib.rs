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

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

/// Brings an archive's tables up to date; durable when it returns, and safe to repeat.
///
/// # Errors
/// When the database fails, or was written by a newer version.
pub async fn run(database: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(database, None).await
}

/// The tables of the ground state. Every other table is the view's.
const GROUND: [&str; 11] = [
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

/// Makes the tables of the view alone, in a database that is empty: where an archive that is attached
/// to it can compute its view a second time.
///
/// # Errors
/// When the database fails.
pub async fn run_view(database: &DatabaseConnection) -> Result<(), DbErr> {
    run(database).await?;
    let manager = SchemaManager::new(database);
    for name in GROUND {
        manager.drop_table(Table::drop().table(name).to_owned()).await?;
    }
    Ok(())
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
        ]
    }
}
