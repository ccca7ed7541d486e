//! The ground state: logs with their entries, bodies, blobs, tiles, checkpoints and cosignatures.

use sea_orm_migration::prelude::*;

use crate::column::{big, bytes, flag, index, table, text, to_log};

/// The tables of the ground state.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261124_000001_ground"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables =
            [log(), entry(), body(), blob(), missing(), tile(), checkpoint(), cosignature(), introduction(), lease()];
        for table in tables {
            manager.create_table(table).await?;
        }
        for (name, table, columns) in INDEXES {
            manager.create_index(index(name, table, columns)).await?;
        }
        manager
            .create_index(index("cosignature_line", "cosignature", &["log_id", "size", "line"]).unique().take())
            .await
    }
}

/// Name, table, columns.
const INDEXES: &[(&str, &str, &[&str])] = &[
    ("entry_by_envelope", "entry", &["envelope"]),
    ("body_by_record", "body", &["record"]),
    ("blob_by_waiting", "blob", &["named", "received_at"]),
    ("missing_by_place", "missing", &["log_id", "idx", "digest"]),
    ("checkpoint_by_cosigners", "checkpoint", &["log_id", "cosigners", "size"]),
];

/// One row for each log: the own one and the mirrors. `size` and `root` are what is held; `head_note`
/// is the newest checkpoint that is held in full, `pending_note` the one that a mirror pulls towards.
fn log() -> TableCreateStatement {
    table("log")
        .col(big("id").auto_increment().primary_key())
        .col(text("origin").unique_key())
        .col(text("nation"))
        .col(flag("own"))
        .col(text("log_vkey"))
        .col(ColumnDef::new("fingerprint").blob())
        .col(big("size"))
        .col(bytes("root"))
        .col(ColumnDef::new("head_note").text())
        .col(ColumnDef::new("pending_note").text())
        .to_owned()
}

/// The leaves: bytes as they were entered, the leaf hash, and the digest of the envelope they name; none
/// where the entry is of a form that this version does not read.
fn entry() -> TableCreateStatement {
    table("entry")
        .col(big("log_id"))
        .col(big("idx"))
        .col(bytes("bytes"))
        .col(bytes("leaf"))
        .col(ColumnDef::new("envelope").blob())
        .primary_key(Index::create().col("log_id").col("idx"))
        .foreign_key(&mut to_log("entry"))
        .to_owned()
}

/// Envelopes in their fixed form, whichever logs name them, and the record in each.
fn body() -> TableCreateStatement {
    table("body").col(bytes("envelope").primary_key()).col(bytes("record")).col(bytes("bytes")).to_owned()
}

/// What records name by SHA-256. A blob that no record names yet waits an hour from `received_at`.
fn blob() -> TableCreateStatement {
    table("blob")
        .col(bytes("sha256").primary_key())
        .col(big("size"))
        .col(bytes("bytes"))
        .col(flag("named"))
        .col(big("received_at"))
        .to_owned()
}

/// Bodies and blobs that entries of a mirror name and that have not arrived: the first entry that
/// names each.
fn missing() -> TableCreateStatement {
    table("missing")
        .col(big("log_id"))
        .col(bytes("digest"))
        .col(big("idx"))
        .primary_key(Index::create().col("log_id").col("digest"))
        .foreign_key(&mut to_log("missing"))
        .to_owned()
}

/// Hashes in tiles of at most 256 (C2SP tlog-tiles). The last tile of a level grows.
fn tile() -> TableCreateStatement {
    table("tile")
        .col(big("log_id"))
        .col(ColumnDef::new("level").integer().not_null())
        .col(big("idx"))
        .col(bytes("bytes"))
        .primary_key(Index::create().col("log_id").col("level").col("idx"))
        .foreign_key(&mut to_log("tile"))
        .to_owned()
}

/// Checkpoints as their log signed them, without cosignatures. `cosigners` counts the names of other
/// nations that have cosigned it, so that the best is found without reading them all.
fn checkpoint() -> TableCreateStatement {
    table("checkpoint")
        .col(big("log_id"))
        .col(big("size"))
        .col(text("note"))
        .col(big("cosigners"))
        .primary_key(Index::create().col("log_id").col("size"))
        .foreign_key(&mut to_log("checkpoint"))
        .to_owned()
}

/// Verified cosignature lines. The first that cover an entry tell since when it is public: ground
/// state, never pruned. `own` are those of the log's own nation, which prove nothing to others.
fn cosignature() -> TableCreateStatement {
    table("cosignature")
        .col(big("id").auto_increment().primary_key())
        .col(big("log_id"))
        .col(big("size"))
        .col(text("name"))
        .col(flag("held"))
        .col(flag("own"))
        .col(big("at"))
        .col(text("line"))
        .foreign_key(&mut to_log("cosignature"))
        .to_owned()
}

/// Bundles with the charter and endpoints of partners whose log may not be mirrored yet, and the
/// SHA-256 of each, which tells whether it was verified before.
fn introduction() -> TableCreateStatement {
    table("introduction")
        .col(text("origin").primary_key())
        .col(bytes("sha256"))
        .col(bytes("bundle"))
        .col(big("received_at"))
        .to_owned()
}

/// Who may sequence. The epoch grows with every change of holder and fences the one before.
fn lease() -> TableCreateStatement {
    table("lease").col(text("name").primary_key()).col(text("holder")).col(big("until")).col(big("epoch")).to_owned()
}
