//! How the tables came to be: each step once, in order, never changed after its release.
//!
//! - In scope: the tables of the ground state, which nobody can recompute, and of the view, which
//!   the archive fills again from the ground state.
//! - Out of scope: what the rows mean, and every query (see `chancery-registry`).
//!
//! Only types that `SQLite` and `PostgreSQL` both have: digests and bytes are blobs, counts and
//! times (POSIX seconds) are 64-bit integers, notes are text.

mod ground;
mod view;

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseConnection;

/// Brings an archive's tables up to date; durable when it returns, and safe to repeat.
///
/// # Errors
/// When the database fails, or was written by a newer version.
pub async fn run(database: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(database, None).await
}

/// Every step so far.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(ground::Migration), Box::new(view::Migration)]
    }
}
