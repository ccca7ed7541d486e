//! The ground state: logs with their entries, bodies, blobs, tiles, checkpoints and cosignatures.

use sea_orm_migration::prelude::*;

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
        for index in [entry_by_envelope(), body_by_record(), cosignature_line()] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

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

/// What records name by SHA-256. A blob that no record names yet waits an hour.
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

/// Checkpoints as their log signed them, without cosignatures.
fn checkpoint() -> TableCreateStatement {
    table("checkpoint")
        .col(big("log_id"))
        .col(big("size"))
        .col(text("note"))
        .primary_key(Index::create().col("log_id").col("size"))
        .foreign_key(&mut to_log("checkpoint"))
        .to_owned()
}

/// Verified cosignature lines. The first that cover an entry tell since when it is public: ground
/// state, never pruned.
fn cosignature() -> TableCreateStatement {
    table("cosignature")
        .col(big("id").auto_increment().primary_key())
        .col(big("log_id"))
        .col(big("size"))
        .col(text("name"))
        .col(flag("held"))
        .col(big("at"))
        .col(text("line"))
        .foreign_key(&mut to_log("cosignature"))
        .to_owned()
}

/// Bundles with the charter and endpoints of partners whose log may not be mirrored yet.
fn introduction() -> TableCreateStatement {
    table("introduction").col(text("origin").primary_key()).col(bytes("bundle")).col(big("received_at")).to_owned()
}

/// Who may sequence. The epoch grows with every change of holder and fences the one before.
fn lease() -> TableCreateStatement {
    table("lease").col(text("name").primary_key()).col(text("holder")).col(big("until")).col(big("epoch")).to_owned()
}

fn entry_by_envelope() -> IndexCreateStatement {
    Index::create().name("entry_by_envelope").table("entry").col("envelope").to_owned()
}

fn body_by_record() -> IndexCreateStatement {
    Index::create().name("body_by_record").table("body").col("record").to_owned()
}

fn cosignature_line() -> IndexCreateStatement {
    Index::create()
        .name("cosignature_line")
        .table("cosignature")
        .col("log_id")
        .col("size")
        .col("line")
        .unique()
        .to_owned()
}

pub(crate) fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).to_owned()
}

pub(crate) fn to_log(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, "log_id").to("log", "id").to_owned()
}

pub(crate) fn big(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().to_owned()
}

pub(crate) fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().to_owned()
}

pub(crate) fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().to_owned()
}

pub(crate) fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().to_owned()
}
