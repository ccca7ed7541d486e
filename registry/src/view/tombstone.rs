//! What the view shows of a record whose body is erased: what its redaction says of it, and no more. The rows are
//! the same where the body was held once and where it never was.

use chancery_schema::digest::Digest;
use chancery_schema::log::entry::Entry;
use chancery_schema::record::{Kind, Record, Redaction};
use chancery_schema::roster::Standing;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    Related,
};

use super::entity::{found, model, model_language, model_license, record};
use super::judge::{reopen, roster};
use super::verdict::{MISSING, admitted, joined, of_ended};
use super::{card, project, weigh};
use crate::entity::body;
use crate::error::Attempting;
use crate::log::{Log, column, digest};
use crate::{FoundAs, Result, bodies};

/// Cards whose bodies are in memory at once.
const CARDS_PER_QUERY: u64 = 64;

/// Writes the rows of a record that was never seen.
pub(super) async fn write(db: &impl ConnectionTrait, log: &Log, entry: &Entry, redaction: &Redaction) -> Result<()> {
    let row = row(db, log, entry.envelope(), redaction).await?;
    record::Entity::insert(row).exec_without_returning(db).await.attempting("write a redacted record to the view")?;
    write_names(db, log, entry.envelope(), redaction).await?;
    let (index, Some(version)) = (column(redaction.index), &redaction.version) else { return Ok(()) };
    let urn = urn(log, redaction);
    let before = card::current(db, log, &urn, version.as_str()).await?;
    let (current, since) = (before.is_none(), before.as_ref().map_or(index, |before| before.since));
    let row = card_row(log, redaction, current, since);
    model::Entity::insert(row).exec_without_returning(db).await.attempting("write a redacted card to the view")?;
    weigh::cards(db, log, (&urn, version.as_str()), before.map_or(index, |before| before.idx)).await
}

/// Takes away what the view copied from a record that is now redacted.
pub(super) async fn bury(db: &impl ConnectionTrait, log: &Log, redaction: &Redaction) -> Result<()> {
    let place = (log.id, column(redaction.index));
    let before = record::Entity::find_by_id(place).one(db).await.attempting("read a record to redact it")?;
    let Some(before) = before else { return Ok(()) };
    let envelope = digest(&before.envelope)?;
    let row = row(db, log, envelope, redaction).await?;
    record::Entity::update(row).exec_without_returning(db).await.attempting("redact a record in the view")?;
    clear_names(db, log.id, place.1).await?;
    write_names(db, log, envelope, redaction).await?;
    repetitions(db, log, redaction).await?;
    if redaction.kind == Kind::License {
        forget_license(db, log, &redaction.redacts).await?;
    }
    let card = model::Entity::find_by_id(place).one(db).await.attempting("read a card to redact it")?;
    if let (Some(card), Some(version)) = (card, &redaction.version) {
        let row = card_row(log, redaction, card.current, card.since);
        model::Entity::update(row).exec_without_returning(db).await.attempting("redact a card in the view")?;
        weigh::cards(db, log, (&card.urn, version.as_str()), 0).await?;
    }
    Ok(())
}

async fn row(
    db: &impl ConnectionTrait,
    log: &Log,
    envelope: Digest,
    redaction: &Redaction,
) -> Result<record::ActiveModel> {
    let Redaction { kind, redacts, scope, index, signers, .. } = redaction;
    let standing = roster(db, log).await?.map(|roster| roster.standing(*kind, *index, redacts, signers));
    let standing = standing.unwrap_or(Standing::Stands);
    let (verdict, code, reason) = of_ended(standing, Some(Kind::Redaction));
    Ok(record::ActiveModel {
        log_id: Set(log.id),
        idx: Set(column(*index)),
        envelope: Set(envelope.as_bytes().to_vec()),
        digest: Set(Some(redacts.as_bytes().to_vec())),
        kind: Set(kind.as_str().to_owned()),
        verdict: Set(verdict.to_owned()),
        code: Set(code.map(str::to_owned)),
        reason: Set(reason),
        superseded_by: Set(None),
        scope: Set(Some(scope.clone())),
        at: Set(0),
        signers: Set(joined(signers)),
    })
}

async fn write_names(db: &impl ConnectionTrait, log: &Log, envelope: Digest, redaction: &Redaction) -> Result<()> {
    let kind = redaction.kind.as_str();
    let names = [(FoundAs::Envelope, envelope), (FoundAs::Record, redaction.redacts)];
    let names = names.map(|(what, digest)| (what, digest, kind.to_owned())).to_vec();
    project::write_found(db, log, redaction.index, names).await
}

/// The languages and licenses of a card, and the digests that a record names.
async fn clear_names(db: &impl ConnectionTrait, log_id: i64, index: i64) -> Result<()> {
    let attempted = "take away what the view copied from a record";
    let rows = found::Entity::delete_many().filter(found::Column::LogId.eq(log_id));
    rows.filter(found::Column::Idx.eq(index)).exec(db).await.attempting(attempted)?;
    let rows = model_language::Entity::delete_many().filter(model_language::Column::LogId.eq(log_id));
    rows.filter(model_language::Column::Idx.eq(index)).exec(db).await.attempting(attempted)?;
    let rows = model_license::Entity::delete_many().filter(model_license::Column::LogId.eq(log_id));
    rows.filter(model_license::Column::Idx.eq(index)).exec(db).await.attempting(attempted)?;
    Ok(())
}

/// A record may have been entered again, there or in another log, where it counts for nothing: with its body
/// gone nobody can say why, so every node shows these entries as missing. Of what is for another log this one
/// says nothing.
async fn repetitions(db: &impl ConnectionTrait, log: &Log, redaction: &Redaction) -> Result<()> {
    let repeated: Vec<(i64, i64, Vec<u8>, String)> = record::Entity::find()
        .select_only()
        .columns([record::Column::LogId, record::Column::Idx, record::Column::Envelope, record::Column::Kind])
        .filter(record::Column::Digest.eq(redaction.redacts.as_bytes().to_vec()))
        .filter(admitted().not())
        .into_tuple()
        .all(db)
        .await
        .attempting("look for repetitions of a record")?;
    for (log_id, index, envelope, kind) in repeated {
        let body = bodies::body(db, &digest(&envelope)?).await?;
        let named = body.as_deref().and_then(bodies::record_for);
        if named != Some((redaction.redacts, log.origin.clone())) {
            continue;
        }
        clear_names(db, log_id, index).await?;
        let name = found::ActiveModel {
            log_id: Set(log_id),
            idx: Set(index),
            place: Set(0),
            digest: Set(envelope),
            what: Set(super::what::word(FoundAs::Envelope).to_owned()),
            name: Set(kind),
        };
        found::Entity::insert(name).exec_without_returning(db).await.attempting("redact a record in the view")?;
        let update = record::Entity::update_many()
            .col_expr(record::Column::Digest, Expr::value(None::<Vec<u8>>))
            .col_expr(record::Column::Verdict, Expr::value(MISSING))
            .col_expr(record::Column::Code, Expr::value(None::<String>))
            .col_expr(record::Column::Reason, Expr::value(None::<String>))
            .col_expr(record::Column::At, Expr::value(0_i64))
            .filter(record::Column::LogId.eq(log_id))
            .filter(record::Column::Idx.eq(index));
        update.exec(db).await.attempting("redact a record in the view")?;
    }
    Ok(())
}

/// What the cards under a license say of it, from their own bodies alone.
async fn forget_license(db: &impl ConnectionTrait, log: &Log, license: &Digest) -> Result<()> {
    let mut after = -1;
    loop {
        let cards: Vec<(i64, Vec<u8>)> = model::Entity::find()
            .select_only()
            .column(model::Column::Idx)
            .column(body::Column::Bytes)
            .join(JoinType::InnerJoin, <model::Entity as Related<record::Entity>>::to())
            .join(JoinType::InnerJoin, super::body_of_record())
            .filter(model::Column::LogId.eq(log.id))
            .filter(model::Column::Idx.gt(after))
            .filter(model::Column::LicenseRecord.eq(license.as_bytes().to_vec()))
            .order_by_asc(model::Column::Idx)
            .limit(CARDS_PER_QUERY)
            .into_tuple()
            .all(db)
            .await
            .attempting("read the cards under a license")?;
        let Some((last, _)) = cards.last() else { return Ok(()) };
        after = *last;
        for (index, bytes) in cards {
            if let (_, Record::ModelCard(card)) = reopen(&log.origin, &bytes)? {
                card::forget_license(db, log, index, &card).await?;
            }
        }
    }
}

/// `urn:chancery:<nation>:<org>:<name>`.
fn urn(log: &Log, redaction: &Redaction) -> String {
    format!("urn:chancery:{}:{}", log.nation, redaction.scope)
}

fn card_row(log: &Log, redaction: &Redaction, current: bool, since: i64) -> model::ActiveModel {
    let (org, name) = redaction.scope.split_once(':').unwrap_or((&redaction.scope, ""));
    let version = redaction.version.as_ref().map_or_else(String::new, ToString::to_string);
    model::ActiveModel {
        log_id: Set(log.id),
        idx: Set(column(redaction.index)),
        card: Set(redaction.redacts.as_bytes().to_vec()),
        current: Set(current),
        ended: Set(true),
        since: Set(since),
        at: Set(0),
        urn: Set(urn(log, redaction)),
        version: Set(version.clone()),
        nation: Set(log.nation.to_string()),
        org: Set(org.to_owned()),
        name: Set(name.to_owned()),
        display_name: Set("{}".to_owned()),
        languages: Set("[]".to_owned()),
        license: Set(None),
        license_record: Set(None),
        weights: Set(Vec::new()),
        search: Set(card::fold(&[org, name, &version].join("\n"))),
    }
}
