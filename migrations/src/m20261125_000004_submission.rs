//! Submissions on their way from one process to the one that sequences, and a lease that needs no clock.

use sea_orm_migration::prelude::*;

use crate::column::{big, bytes, index, table, text};

/// The table of submissions; the lease anew.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261125_000004_submission"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Nobody holds a lease while the tables are brought up to date.
        manager.drop_table(Table::drop().table("lease").to_owned()).await?;
        manager.create_table(lease()).await?;
        manager.create_table(submission()).await?;
        manager.create_index(index("submission_by_answer", "submission", &["answered_at", "id"])).await
    }
}

/// Who has which part. `holder` is for people, and empty when nobody has it. The epoch grows with every
/// change of holder and fences the one before. Others count up `knock`; a holder that lives makes `answer`
/// the same.
fn lease() -> TableCreateStatement {
    table("lease")
        .col(text("name").primary_key())
        .col(text("holder"))
        .col(big("epoch"))
        .col(big("knock"))
        .col(big("answer"))
        .to_owned()
}

/// Envelopes that a process which does not sequence hands over to the one that does. `answer` is JSON,
/// and written in the transaction that admits the record; who asked takes it away.
fn submission() -> TableCreateStatement {
    table("submission")
        .col(big("id").auto_increment().primary_key())
        .col(bytes("envelope"))
        .col(ColumnDef::new("answer").text())
        .col(ColumnDef::new("answered_at").big_integer())
        .to_owned()
}
