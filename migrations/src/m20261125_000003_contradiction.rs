//! Proof that a log has two histories. Nobody can compute it again, so it is ground state.

use sea_orm_migration::prelude::*;

use crate::column::{big, table, text};

/// The table of contradictions.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261125_000003_contradiction"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(contradiction()).await
    }
}

/// Two checkpoints that one log signed and that cannot both be true, the first found of each log, as
/// signed notes. The log need not be held any more.
fn contradiction() -> TableCreateStatement {
    table("contradiction")
        .col(text("origin").primary_key())
        .col(text("earlier"))
        .col(text("later"))
        .col(big("found_at"))
        .to_owned()
}
