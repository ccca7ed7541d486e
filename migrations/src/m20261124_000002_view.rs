//! The view: what people see, computed from the ground state and dropped whenever it is computed
//! again. Every row belongs to one entry of one log and depends on nothing outside that log.

use sea_orm_migration::prelude::*;

use crate::column::{big, bytes, flag, index, table, text, to_log};

/// The tables of the view.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261124_000002_view"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [record(), nation(), delegation(), model(), model_language(), model_license(), found()] {
            manager.create_table(table).await?;
        }
        for (name, table, columns) in INDEXES {
            manager.create_index(index(name, table, columns)).await?;
        }
        Ok(())
    }
}

/// Name, table, columns.
const INDEXES: &[(&str, &str, &[&str])] = &[
    ("record_by_digest", "record", &["digest"]),
    ("record_by_time", "record", &["at", "log_id", "idx"]),
    ("record_by_kind", "record", &["kind", "at", "log_id", "idx"]),
    ("model_by_version", "model", &["urn", "version"]),
    ("model_by_time", "model", &["current", "at", "log_id", "idx"]),
    ("found_by_digest", "found", &["digest"]),
];

/// One row for each entry: how its record is judged. `digest` is the record's, none while nothing can
/// be read; `code` and `reason` tell why it is void; `scope` is the model or the terms that it speaks of;
/// `at` is its `issuedAt`, or 0; `signers` are the key ids whose signatures count, 32 bytes each.
fn record() -> TableCreateStatement {
    of_entry("record")
        .col(bytes("envelope"))
        .col(ColumnDef::new("digest").blob())
        .col(text("kind"))
        .col(text("verdict"))
        .col(ColumnDef::new("code").text())
        .col(ColumnDef::new("reason").text())
        .col(ColumnDef::new("superseded_by").blob())
        .col(ColumnDef::new("scope").text())
        .col(big("at"))
        .col(bytes("signers"))
        .primary_key(Index::create().col("log_id").col("idx"))
        .to_owned()
}

/// Whom a log speaks for: the charter in force, as JSON, and the record digest of the first.
fn nation() -> TableCreateStatement {
    of_entry("nation")
        .col(text("nation"))
        .col(bytes("fingerprint"))
        .col(text("charter"))
        .primary_key(Index::create().col("log_id"))
        .to_owned()
}

/// The newest delegation of each key, as JSON.
fn delegation() -> TableCreateStatement {
    of_entry("delegation")
        .col(bytes("keyid"))
        .col(text("body"))
        .primary_key(Index::create().col("log_id").col("keyid"))
        .to_owned()
}

/// One row for each valid model card. `card` is its record digest; `since` the index of the version's
/// first card; `display_name` and `languages` are JSON; `weights` are record digests, 32 bytes each;
/// `search` is what words are looked for in, in lower case.
fn model() -> TableCreateStatement {
    of_entry("model")
        .col(bytes("card"))
        .col(flag("current"))
        .col(big("since"))
        .col(big("at"))
        .col(text("urn"))
        .col(text("version"))
        .col(text("nation"))
        .col(text("org"))
        .col(text("name"))
        .col(text("display_name"))
        .col(text("languages"))
        .col(ColumnDef::new("license").text())
        .col(ColumnDef::new("license_record").blob())
        .col(bytes("weights"))
        .col(text("search"))
        .primary_key(Index::create().col("log_id").col("idx"))
        .to_owned()
}

/// The language tags of a card, in lower case.
fn model_language() -> TableCreateStatement {
    of_entry("model_language")
        .col(text("tag"))
        .primary_key(Index::create().col("log_id").col("idx").col("tag"))
        .to_owned()
}

/// By what names the license of a card is known, in lower case: SPDX expression, as declared, digest.
fn model_license() -> TableCreateStatement {
    of_entry("model_license")
        .col(text("name"))
        .primary_key(Index::create().col("log_id").col("idx").col("name"))
        .to_owned()
}

/// Every digest that a record has or names: `what` it is the digest of, and what that is called.
/// `place` counts them within the record.
fn found() -> TableCreateStatement {
    of_entry("found")
        .col(big("place"))
        .col(bytes("digest"))
        .col(text("what"))
        .col(text("name"))
        .primary_key(Index::create().col("log_id").col("idx").col("place"))
        .to_owned()
}

/// A table whose rows belong to an entry.
fn of_entry(name: &'static str) -> TableCreateStatement {
    table(name).col(big("log_id")).col(big("idx")).foreign_key(&mut to_log(name)).to_owned()
}
