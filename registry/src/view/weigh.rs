//! Weighing records again: what a revocation takes from those that came before it, what ended them, and which
//! card of a version stands.

use std::collections::BTreeSet;

use chancery_schema::digest::Digest;
use chancery_schema::record::{Kind, Reason, Revocation};
use chancery_schema::roster::Standing;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, Related};

use super::ends;
use super::entity::{model, record};
use super::judge::roster;
use super::records::position;
use super::verdict::{CONTESTED, REDACTED, SUPERSEDED, VALID, VOID, WITHDRAWN, admitted, digests, of_ended};
use crate::Result;
use crate::error::Attempting;
use crate::log::{Log, column, digest, size};

/// Records that are weighed at once.
const RECORDS_PER_QUERY: u64 = 4096;

/// Whether a revocation changes how earlier records stand.
pub(super) fn reaches_back(revocation: &Revocation) -> bool {
    match revocation.reason {
        Reason::Retired | Reason::Lost => false,
        Reason::CompromisedSince | Reason::CompromisedUnknown => true,
    }
}

/// What the view knows of a record that was admitted: its index, kind, digest, signers and verdict.
type Row = (i64, String, Option<Vec<u8>>, Vec<u8>, String);

/// The same of a card: its index and digest, whether it stands for its version, verdict and code, and what
/// replaced it.
type Card = (i64, Vec<u8>, bool, String, Option<String>, Option<Vec<u8>>);

/// Weighs every record of a log again. All of them, for whoever lets others sign, and revoke, may be revoked.
pub(super) async fn again(db: &impl ConnectionTrait, log: &Log) -> Result<()> {
    let Some(roster) = roster(db, log).await? else { return Ok(()) };
    let ends = ends::of_log(db, log).await?;
    let (mut after, mut versions) = (-1, BTreeSet::new());
    loop {
        let rows: Vec<Row> = record::Entity::find()
            .select_only()
            .columns([record::Column::Idx, record::Column::Kind, record::Column::Digest])
            .columns([record::Column::Signers, record::Column::Verdict])
            .filter(record::Column::LogId.eq(log.id))
            .filter(record::Column::Idx.gt(after))
            .filter(admitted())
            .filter(record::Column::Kind.ne(Kind::Charter.as_str()))
            .order_by_asc(record::Column::Idx)
            .limit(RECORDS_PER_QUERY)
            .into_tuple()
            .all(db)
            .await
            .attempting("read records to weigh them again")?;
        let Some((last, ..)) = rows.last() else { break };
        after = *last;
        for (index, kind, record, signers, verdict) in rows {
            let (Some(kind), Some(record)) = (Kind::from_word(&kind), record) else { continue };
            let record = digest(&record)?;
            let standing = roster.standing(kind, size(index)?, &record, &digests(&signers)?);
            let end = ends.get(&record).and_then(|ends| roster.end(ends)).map(|end| end.kind);
            let end = if verdict == REDACTED { Some(Kind::Redaction) } else { end };
            let stood = [VALID, SUPERSEDED].contains(&verdict.as_str());
            // One that is contested or void may be so for another key than before.
            if standing != Standing::Stands || end.is_some() || !stood {
                write(db, log, index, standing, end).await?;
                versions.extend(version_of(db, log, index).await?);
            }
        }
    }
    for (urn, version) in versions {
        cards(db, log, (&urn, &version), 0).await?;
    }
    Ok(())
}

/// Weighs one record again, for something has ended it.
pub(super) async fn one(db: &impl ConnectionTrait, log: &Log, record: &Digest) -> Result<()> {
    let (Some(roster), Some(index)) = (roster(db, log).await?, position(db, log, record).await?) else {
        return Ok(());
    };
    let row = record::Entity::find_by_id((log.id, column(index))).one(db).await.attempting("read what has ended")?;
    let Some((row, kind)) = row.and_then(|row| Kind::from_word(&row.kind).map(|kind| (row, kind))) else {
        return Ok(());
    };
    let ends = ends::of_records(db, log, [record.as_bytes().to_vec()]).await?;
    let end = ends.get(record).and_then(|ends| roster.end(ends)).map(|end| end.kind);
    // One whose body is gone is judged by a redaction that comes later in the log.
    let end = if row.verdict == REDACTED { Some(Kind::Redaction) } else { end };
    let standing = roster.standing(kind, index, record, &digests(&row.signers)?);
    write(db, log, row.idx, standing, end).await?;
    if let Some((urn, version)) = version_of(db, log, row.idx).await? {
        cards(db, log, (&urn, &version), 0).await?;
    }
    Ok(())
}

async fn write(db: &impl ConnectionTrait, log: &Log, index: i64, standing: Standing, end: Option<Kind>) -> Result<()> {
    let ended = model::Entity::update_many().col_expr(model::Column::Ended, Expr::value(end.is_some()));
    let ended = ended.filter(model::Column::LogId.eq(log.id)).filter(model::Column::Idx.eq(index)).exec(db).await;
    ended.attempting("say whether a card has ended")?;
    let (verdict, code, reason) = of_ended(standing, end);
    let update = record::Entity::update_many()
        .col_expr(record::Column::Verdict, Expr::value(verdict))
        .col_expr(record::Column::Code, Expr::value(code.map(str::to_owned)))
        .col_expr(record::Column::Reason, Expr::value(reason))
        .col_expr(record::Column::SupersededBy, Expr::value(None::<Vec<u8>>))
        .filter(record::Column::LogId.eq(log.id))
        .filter(record::Column::Idx.eq(index));
    update.exec(db).await.attempting("weigh a record again").map(|_| ())
}

/// The model version that entry `index` is a card of.
async fn version_of(db: &impl ConnectionTrait, log: &Log, index: i64) -> Result<Option<(String, String)>> {
    let row = model::Entity::find_by_id((log.id, index)).one(db).await.attempting("look for a card")?;
    Ok(row.map(|row| (row.urn, row.version)))
}

/// Says of the cards of a version, from entry `from` on, whether they stand for it: the newest that is not
/// void does, and takes the place of the one before.
pub(super) async fn cards(db: &impl ConnectionTrait, log: &Log, (urn, version): (&str, &str), from: i64) -> Result<()> {
    let rows: Vec<Card> = model::Entity::find()
        .select_only()
        .columns([model::Column::Idx, model::Column::Card, model::Column::Current])
        .columns([record::Column::Verdict, record::Column::Code, record::Column::SupersededBy])
        .join(JoinType::InnerJoin, <model::Entity as Related<record::Entity>>::to())
        .filter(model::Column::LogId.eq(log.id))
        .filter(model::Column::Idx.gte(from))
        .filter(model::Column::Urn.eq(urn))
        .filter(model::Column::Version.eq(version))
        .order_by_desc(model::Column::Idx)
        .into_tuple()
        .all(db)
        .await
        .attempting("read the cards of a version")?;
    let mut next: Option<Vec<u8>> = None;
    for (index, card, current, verdict, code, superseded_by) in rows {
        // Of one that is redacted the code says whether it is void besides.
        let void = verdict == VOID || code.is_some();
        let stands = !void && next.is_none();
        if stands != current {
            let update = model::Entity::update_many().col_expr(model::Column::Current, Expr::value(stands));
            let update = update.filter(model::Column::LogId.eq(log.id)).filter(model::Column::Idx.eq(index));
            update.exec(db).await.attempting("set a card aside, or back")?;
        }
        let by = if void || [CONTESTED, REDACTED].contains(&verdict.as_str()) { None } else { next.clone() };
        if by != superseded_by {
            let verdict = match &by {
                _ if verdict == WITHDRAWN => WITHDRAWN,
                Some(_) => SUPERSEDED,
                None => VALID,
            };
            let update = record::Entity::update_many()
                .col_expr(record::Column::Verdict, Expr::value(verdict))
                .col_expr(record::Column::SupersededBy, Expr::value(by))
                .filter(record::Column::LogId.eq(log.id))
                .filter(record::Column::Idx.eq(index));
            update.exec(db).await.attempting("mark a card as superseded, or not")?;
        }
        if !void {
            next = Some(card);
        }
    }
    Ok(())
}
