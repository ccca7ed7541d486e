//! What the own witness cosigned last of each log: nobody can compute it again, so it is ground state.

use sea_orm_migration::prelude::*;

/// The memory of the witness.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261125_000005_witness"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// `log.witnessed_note`: the checkpoint with the witness's line. None where it never cosigned, or only
    /// before this step: then it was the head.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let note = ColumnDef::new("witnessed_note").text().to_owned();
        manager.alter_table(Table::alter().table("log").add_column(note).to_owned()).await
    }
}
