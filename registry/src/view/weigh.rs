//! Weighing records again: what a revocation takes from those that came before it, and which card of a
//! version stands.

use std::collections::BTreeSet;

use chancery_schema::record::{Kind, Reason, Revocation};
use chancery_schema::roster::Standing;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, Related};

use super::entity::{model, record};
use super::judge::roster;
use super::verdict::{CONTESTED, SUPERSEDED, VALID, VOID, admitted, digests, of_standing};
use crate::Result;
use crate::error::Attempting;
use crate::log::{Log, digest, size};

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

/// The same of a card: its index and digest, whether it stands for its version, verdict, and what replaced it.
type Card = (i64, Vec<u8>, bool, String, Option<Vec<u8>>);

/// Weighs every record of a log again. All of them, for whoever lets others sign, and revoke, may be revoked.
pub(super) async fn again(db: &impl ConnectionTrait, log: &Log) -> Result<()> {
    let Some(roster) = roster(db, log).await? else { return Ok(()) };
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
            let standing = roster.standing(kind, size(index)?, &digest(&record)?, &digests(&signers)?);
            let stood = [VALID, SUPERSEDED].contains(&verdict.as_str());
            // One that is contested or void may be so for another key than before.
            if standing != Standing::Stands || !stood {
                write(db, log, index, standing).await?;
                versions.extend(version_of(db, log, index).await?);
            }
        }
    }
    for (urn, version) in versions {
        cards(db, log, (&urn, &version), 0).await?;
    }
    Ok(())
}

async fn write(db: &impl ConnectionTrait, log: &Log, index: i64, standing: Standing) -> Result<()> {
    let (verdict, code, reason) = of_standing(standing);
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
        .column(record::Column::Verdict)
        .column(record::Column::SupersededBy)
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
    for (index, card, current, verdict, superseded_by) in rows {
        let void = verdict == VOID;
        let stands = !void && next.is_none();
        if stands != current {
            let update = model::Entity::update_many().col_expr(model::Column::Current, Expr::value(stands));
            let update = update.filter(model::Column::LogId.eq(log.id)).filter(model::Column::Idx.eq(index));
            update.exec(db).await.attempting("set a card aside, or back")?;
        }
        let by = if void || verdict == CONTESTED { None } else { next.clone() };
        if by != superseded_by {
            let verdict = if by.is_some() { SUPERSEDED } else { VALID };
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
