//! Withdrawals and redactions: what ended which record, which bodies were erased, and who says so.

use sea_orm_migration::prelude::*;

use crate::column::{big, bytes, flag, index, table, text, to_log};

/// The tables of what has ended and is erased.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261125_000008_ending"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// `model.ended`: whether the card was withdrawn or redacted.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [ending(), erasure_receipt(), erased()] {
            manager.create_table(table).await?;
        }
        for (name, table, columns) in INDEXES {
            manager.create_index(index(name, table, columns)).await?;
        }
        let ended = flag("ended").default(false).to_owned();
        manager.alter_table(Table::alter().table("model").add_column(ended).to_owned()).await
    }
}

/// Name, table, columns.
const INDEXES: &[(&str, &str, &[&str])] = &[
    ("ending_by_record", "ending", &["log_id", "ended"]),
    ("ending_by_kind", "ending", &["log_id", "kind", "idx"]),
    ("erasure_receipt_by_redaction", "erasure_receipt", &["redaction"]),
    ("erased_by_record", "erased", &["record", "redacted_in"]),
    ("erased_by_scrubbed", "erased", &["scrubbed"]),
];

/// The view's: one row for each withdrawal or redaction that counts, whatever became of its keys. `record` is
/// its own digest, `ended` and `ended_idx` are the record that it ends, `body` is what it says, as JSON.
fn ending() -> TableCreateStatement {
    table("ending")
        .col(big("log_id"))
        .col(big("idx"))
        .foreign_key(&mut to_log("ending"))
        .col(bytes("record"))
        .col(text("kind"))
        .col(bytes("ended"))
        .col(big("ended_idx"))
        .col(bytes("signers"))
        .col(text("body"))
        .primary_key(Index::create().col("log_id").col("idx"))
        .to_owned()
}

/// The view's: one row for each receipt of an erasure that counts. `of_log` and `of_idx` say where the record
/// stood, `erased` and `redaction` are digests of records.
fn erasure_receipt() -> TableCreateStatement {
    table("erasure_receipt")
        .col(big("log_id"))
        .col(big("idx"))
        .foreign_key(&mut to_log("erasure_receipt"))
        .col(text("of_log"))
        .col(big("of_idx"))
        .col(bytes("erased"))
        .col(bytes("redaction"))
        .primary_key(Index::create().col("log_id").col("idx"))
        .to_owned()
}

/// Ground state: the envelopes of entries of a log that are erased and not taken again, with the record in each,
/// and the log whose redaction asks for it, `redacted_in`: this one, unless the entry only repeats a record of that
/// one. `scrubbed` when nothing of it is left in the database's files either.
fn erased() -> TableCreateStatement {
    table("erased")
        .col(big("log_id"))
        .foreign_key(&mut to_log("erased"))
        .col(bytes("envelope"))
        .col(bytes("record"))
        .col(big("redacted_in"))
        .col(flag("scrubbed"))
        .primary_key(Index::create().col("log_id").col("envelope"))
        .to_owned()
}
