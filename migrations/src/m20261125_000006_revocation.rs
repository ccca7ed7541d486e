//! Revocations; and of each key every delegation, for a revocation may reach back to before the newest.

use sea_orm_migration::prelude::*;

use crate::column::{big, bytes, flag, index, table, text, to_log};

/// The tables of what is delegated and revoked.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261125_000006_revocation"
    }
}

/// The delegations that are there go on as they are, with who signed them.
const KEEP: &str = "INSERT INTO delegation (log_id, idx, keyid, record, signers, body) \
    SELECT old.log_id, old.idx, old.keyid, record.digest, record.signers, old.body \
    FROM delegation_before AS old JOIN record ON record.log_id = old.log_id AND record.idx = old.idx";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let rename = Table::rename().table("delegation", "delegation_before").to_owned();
        manager.rename_table(rename).await?;
        manager.create_table(of_key("delegation")).await?;
        manager.create_index(index("delegation_by_key", "delegation", &["log_id", "keyid"])).await?;
        manager.create_table(of_key("revocation").col(flag("by_roots")).to_owned()).await?;
        manager.create_index(index("revocation_by_key", "revocation", &["log_id", "keyid"])).await?;
        manager.get_connection().execute_unprepared(KEEP).await?;
        manager.drop_table(Table::drop().table("delegation_before").to_owned()).await
    }
}

/// What was said of a key: the record's digest, who signed it (32 bytes each), and its body as JSON. A revocation
/// is by the roots, or by registrars.
fn of_key(name: &'static str) -> TableCreateStatement {
    table(name)
        .col(big("log_id"))
        .col(big("idx"))
        .foreign_key(&mut to_log(name))
        .col(bytes("keyid"))
        .col(bytes("record"))
        .col(bytes("signers"))
        .col(text("body"))
        .primary_key(Index::create().col("log_id").col("idx"))
        .to_owned()
}
