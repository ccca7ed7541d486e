//! Cosignature lines: keeping those that hold, and showing them on a checkpoint.

use std::collections::BTreeSet;
use std::sync::Arc;

use chancery_schema::limits::CLOCK_SKEW_SECONDS;
use chancery_schema::log::checkpoint::SignedCheckpoint;
use chancery_schema::log::cosignature::{self, Cosignature};
use chancery_schema::log::note::Signature;
use chancery_schema::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::entity::{checkpoint as checkpoint_table, cosignature as table};
use crate::error::Attempting;
pub(crate) use crate::known::Cosigner;
use crate::log::{Held, column};
use crate::{Core, Error, Result, view};

/// The witnesses and mirrors in all charters of all logs held and of all introductions. Opens a
/// snapshot, so whoever holds one asks [`crate::known::known`] instead.
pub(crate) async fn known(core: &Core) -> Result<Arc<Vec<Cosigner>>> {
    let db = core.store.snapshot().await?;
    Ok(Arc::clone(&crate::known::known(core, &db).await?.cosigners))
}

/// Verifies lines on a checkpoint and keeps those that hold and were not known; answers how many.
/// Lines of other keys, and lines that do not hold, are passed over.
pub(crate) async fn take<'l>(
    db: &impl ConnectionTrait,
    log_id: i64,
    signed: &SignedCheckpoint,
    lines: impl IntoIterator<Item = &'l Signature>,
    cosigners: &[Cosigner],
    now: Timestamp,
) -> Result<usize> {
    let mut new = 0;
    for line in lines {
        let Some(cosigner) = cosigners.iter().find(|cosigner| cosigner.key.claims(line)) else { continue };
        let Ok(cosignature) = cosignature::verify(signed.checkpoint(), line, &cosigner.key) else { continue };
        new += usize::from(keep(db, log_id, &cosignature, cosigner.held, now).await?);
    }
    Ok(new)
}

/// Keeps a cosignature that holds; answers whether it was new.
///
/// Of one cosigner on one checkpoint the earliest and the latest are kept: the one is ground state
/// (the clock rule asks since when an entry is public), the other tells how fresh the head is. A line from
/// the future, by the clock here, tells nothing yet, and gives way to one that is not: whose clock was wrong
/// is fresh again once it is right.
pub(crate) async fn keep(
    db: &impl ConnectionTrait,
    log_id: i64,
    cosignature: &Cosignature,
    held: bool,
    now: Timestamp,
) -> Result<bool> {
    let (size, at) = (cosignature.checkpoint().size, column(cosignature.timestamp()));
    // Past the year 9999 it is no time that anyone could be shown.
    if Timestamp::from_unix_seconds(at).is_err() {
        return Ok(false);
    }
    let known: Vec<table::Model> = of(log_id, size)
        .filter(table::Column::Name.eq(cosignature.name()))
        .order_by_asc(table::Column::At)
        .all(db)
        .await
        .attempting("read cosignatures")?;
    let (first, last) = (known.first().map(|row| row.at), known.last().map(|row| row.at));
    let replaces_last = last.is_none_or(|last| freshness(last, now) < freshness(at, now));
    // With one line known, a second stands beside it.
    let is_second = known.len() == 1 && first != Some(at);
    if first.is_some_and(|first| first <= at) && !replaces_last && !is_second {
        return Ok(false);
    }
    // With two at hand the new one is earlier or fresher than both, and takes the place of one.
    if let [first, last] = &known[..] {
        let replaced = if at < first.at { first.id } else { last.id };
        table::Entity::delete_by_id(replaced).exec(db).await.attempting("replace a cosignature")?;
    }
    let own = match known.first() {
        Some(before) => before.own,
        None => view::names_cosigner(db, log_id, cosignature.name()).await?,
    };
    let row = table::ActiveModel {
        log_id: Set(log_id),
        size: Set(column(size)),
        name: Set(cosignature.name().to_owned()),
        held: Set(held),
        own: Set(own),
        at: Set(at),
        line: Set(cosignature.to_line().to_string()),
        ..table::ActiveModel::default()
    };
    let line =
        OnConflict::columns([table::Column::LogId, table::Column::Size, table::Column::Line]).do_nothing().to_owned();
    let kept = table::Entity::insert(row).on_conflict(line).exec_without_returning(db).await;
    let new = kept.attempting("keep a cosignature")? > 0;
    if new && known.is_empty() && !own {
        count(db, log_id, size).await?;
    }
    Ok(new)
}

/// In which order lines tell how fresh a head is: those from the future come before all others, the nearest last.
fn freshness(at: i64, now: Timestamp) -> (bool, i64) {
    let is_past = at <= now.plus_seconds(CLOCK_SKEW_SECONDS).unix_seconds();
    (is_past, if is_past { at } else { at.saturating_neg() })
}

/// One more name of another nation stands under a checkpoint.
async fn count(db: &impl ConnectionTrait, log_id: i64, size: u64) -> Result<()> {
    let more = Expr::col(checkpoint_table::Column::Cosigners).add(1);
    let update = checkpoint_table::Entity::update_many().col_expr(checkpoint_table::Column::Cosigners, more);
    let update = update.filter(checkpoint_table::Column::LogId.eq(log_id));
    let update = update.filter(checkpoint_table::Column::Size.eq(column(size))).exec(db).await;
    update.attempting("count a cosigner").map(|_| ())
}

/// The newest line of `name` on the checkpoint of a log at `size`.
pub(crate) async fn newest(db: &impl ConnectionTrait, log_id: i64, size: u64, name: &str) -> Result<Option<String>> {
    let row = of(log_id, size).filter(table::Column::Name.eq(name)).order_by_desc(table::Column::At).one(db).await;
    Ok(row.attempting("read a cosignature")?.map(|row| row.line))
}

/// The checkpoint with a line of each cosigner known, its newest: as many as a note takes, those
/// that came first before the others.
pub(crate) async fn dress(
    db: &impl ConnectionTrait,
    held: &Held,
    signed: &SignedCheckpoint,
) -> Result<SignedCheckpoint> {
    let rows = of(held.log.id, signed.checkpoint().size).order_by_asc(table::Column::Id).all(db).await;
    let rows = rows.attempting("read cosignatures")?;
    let mut dressed = signed.clone();
    let mut shown = BTreeSet::new();
    for row in &rows {
        let newest = rows.iter().filter(|other| other.name == row.name).max_by_key(|other| other.at);
        let Some(newest) = newest.filter(|_| shown.insert(&row.name)) else { continue };
        let line = Signature::parse(&newest.line);
        let line = line.map_err(|_| Error::Inconsistent("a cosignature in the database cannot be read".to_owned()))?;
        if dressed.add(line).is_err() {
            break;
        }
    }
    Ok(dressed)
}

fn of(log_id: i64, size: u64) -> sea_orm::Select<table::Entity> {
    table::Entity::find().filter(table::Column::LogId.eq(log_id)).filter(table::Column::Size.eq(column(size)))
}
