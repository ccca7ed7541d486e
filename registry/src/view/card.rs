//! Model cards in the view: how they are listed and what they are found by.

use std::collections::BTreeSet;

use chancery_schema::admission::Submission;
use chancery_schema::record::{License, ModelCard, Record, Texts};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::entity::{model, model_language, model_license, record};
use super::judge;
use super::verdict::{REDACTED, admitted, joined};
use crate::entity::body;
use crate::error::Attempting;
use crate::log::{Log, column, size};
use crate::{Error, Result};

/// Writes the rows of a card that counts. Answers the index of the card that it supersedes.
pub(super) async fn write(
    db: &impl ConnectionTrait,
    log: &Log,
    index: u64,
    submission: &Submission,
    card: &ModelCard,
) -> Result<Option<i64>> {
    let urn = card.model_id(&submission.header).to_string();
    let before = current(db, log, &urn, card.version.as_str()).await?;
    let license = license(db, log, card).await?;
    let row = model::ActiveModel {
        log_id: Set(log.id),
        idx: Set(column(index)),
        card: Set(submission.digest.as_bytes().to_vec()),
        current: Set(before.is_none()),
        ended: Set(false),
        since: Set(before.as_ref().map_or(column(index), |before| before.since)),
        at: Set(submission.header.issued_at.unix_seconds()),
        urn: Set(urn),
        version: Set(card.version.to_string()),
        nation: Set(submission.header.nation.to_string()),
        org: Set(card.org.to_string()),
        name: Set(card.name.to_string()),
        display_name: Set(serde_json::json!(card.display_name).to_string()),
        languages: Set(serde_json::json!(card.languages.iter().map(|it| &it.tag).collect::<Vec<_>>()).to_string()),
        license: Set(license_label(card, license.as_ref())),
        license_record: Set(card.license.map(|digest| digest.as_bytes().to_vec())),
        weights: Set(joined(&card.weights)),
        search: Set(search_text(card)),
    };
    model::Entity::insert(row).exec_without_returning(db).await.attempting("write a card to the view")?;
    write_languages(db, log, index, card).await?;
    write_licenses(db, log, index, card, license.as_ref()).await?;
    Ok(before.map(|before| before.idx))
}

/// The row of the card that stands for a version of a model.
pub(super) async fn current(
    db: &impl ConnectionTrait,
    log: &Log,
    urn: &str,
    version: &str,
) -> Result<Option<model::Model>> {
    let row = model::Entity::find()
        .filter(model::Column::LogId.eq(log.id))
        .filter(model::Column::Urn.eq(urn))
        .filter(model::Column::Version.eq(version))
        .filter(model::Column::Current.eq(true))
        .one(db)
        .await;
    row.attempting("look for the card of a version")
}

/// Says of a card's license what the card itself says: the license is redacted.
pub(super) async fn forget_license(db: &impl ConnectionTrait, log: &Log, index: i64, card: &ModelCard) -> Result<()> {
    let update = model::Entity::update_many()
        .col_expr(model::Column::License, Expr::value(license_label(card, None)))
        .filter(model::Column::LogId.eq(log.id))
        .filter(model::Column::Idx.eq(index));
    update.exec(db).await.attempting("redact the license of a card in the view")?;
    let names = model_license::Entity::delete_many().filter(model_license::Column::LogId.eq(log.id));
    let names = names.filter(model_license::Column::Idx.eq(index)).exec(db).await;
    names.attempting("redact the license of a card in the view")?;
    write_licenses(db, log, size(index)?, card, None).await
}

/// Text as it is searched: without case.
pub(super) fn fold(text: &str) -> String {
    kept(&text.to_lowercase())
}

/// Text as every database keeps it: U+0000, which `PostgreSQL` does not, becomes U+FFFD. What is asked
/// for is written so too, and then finds nothing else.
pub(super) fn kept(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

async fn write_languages(db: &impl ConnectionTrait, log: &Log, index: u64, card: &ModelCard) -> Result<()> {
    let tags: BTreeSet<String> = card.languages.iter().map(|language| fold(language.tag.as_str())).collect();
    if tags.is_empty() {
        return Ok(());
    }
    let rows = tags.into_iter().map(|tag| model_language::ActiveModel {
        log_id: Set(log.id),
        idx: Set(column(index)),
        tag: Set(tag),
    });
    let written = model_language::Entity::insert_many(rows).exec_without_returning(db).await;
    written.attempting("write the languages of a card to the view").map(|_| ())
}

async fn write_licenses(
    db: &impl ConnectionTrait,
    log: &Log,
    index: u64,
    card: &ModelCard,
    license: Option<&License>,
) -> Result<()> {
    let spdx = license.and_then(|license| license.spdx.as_deref()).map(fold);
    let declared = card.declared_license.as_deref().map(fold);
    let record = card.license.map(|digest| digest.to_string());
    let names: BTreeSet<String> = [spdx, declared, record].into_iter().flatten().collect();
    if names.is_empty() {
        return Ok(());
    }
    let rows = names.into_iter().map(|name| model_license::ActiveModel {
        log_id: Set(log.id),
        idx: Set(column(index)),
        name: Set(name),
    });
    let written = model_license::Entity::insert_many(rows).exec_without_returning(db).await;
    written.attempting("write the licenses of a card to the view").map(|_| ())
}

/// The license record that a card names; it stands earlier in the same log. None where that is redacted.
async fn license(db: &impl ConnectionTrait, log: &Log, card: &ModelCard) -> Result<Option<License>> {
    let Some(digest) = card.license else { return Ok(None) };
    let row: Option<(String, Option<Vec<u8>>)> = record::Entity::find()
        .select_only()
        .column(record::Column::Verdict)
        .column(body::Column::Bytes)
        .join(sea_orm::JoinType::LeftJoin, super::body_of_record())
        .filter(record::Column::LogId.eq(log.id))
        .filter(record::Column::Digest.eq(digest.as_bytes().to_vec()))
        .filter(admitted())
        .into_tuple()
        .one(db)
        .await
        .attempting("read the license of a card")?;
    let absent = || Error::Inconsistent(format!("the license {digest} of a card in {} is not held", log.origin));
    let (verdict, bytes) = row.ok_or_else(absent)?;
    if verdict == REDACTED {
        return Ok(None);
    }
    match judge::reopen(&log.origin, &bytes.ok_or_else(absent)?)? {
        (_, Record::License(license)) => Ok(Some(*license)),
        _ => Err(absent()),
    }
}

/// What its license is called: SPDX expression, title (in English if there is one), or as declared.
fn license_label(card: &ModelCard, license: Option<&License>) -> Option<String> {
    let Some(license) = license else { return card.declared_license.clone() };
    let english = license.title.iter().find(|(language, _)| language.as_str() == "en");
    let title = english.or_else(|| license.title.iter().next()).map(|(_, title)| title.clone());
    license.spdx.clone().or(title)
}

/// Everything that words are looked for in: names, texts, tags and publisher, a line each.
fn search_text(card: &ModelCard) -> String {
    let texts = |texts: &Texts| texts.values().cloned().collect::<Vec<_>>();
    let names = [card.org.to_string(), card.name.to_string(), card.version.to_string()];
    let words = [&card.legal_name, &card.library, &card.declared_license].into_iter().flatten().cloned();
    let lines = names.into_iter().chain(words);
    let lines = lines.chain(texts(&card.display_name)).chain(card.tasks.clone()).chain(card.tags.clone());
    fold(&lines.chain(texts(&card.text)).collect::<Vec<_>>().join("\n"))
}
