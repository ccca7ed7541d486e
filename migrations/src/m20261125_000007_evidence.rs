//! What proves two histories to others: ground state, for it may have come from a partner's log.

use sea_orm_migration::prelude::*;

/// The proof beside a contradiction.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261125_000007_evidence"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// `contradiction.evidence`: the body of a record of kind `evidence`, as JSON. None where the two notes
    /// do not prove themselves, or were found before this step.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let evidence = ColumnDef::new("evidence").text().to_owned();
        manager.alter_table(Table::alter().table("contradiction").add_column(evidence).to_owned()).await
    }
}
