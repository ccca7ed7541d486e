//! Checking one log: that its hashes, checkpoints and cosignatures belong to its entries.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::log::checkpoint::{SignedCheckpoint, open as read};
use chancery_schema::log::cosignature::verify;
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::Signature;
use chancery_schema::log::tile::tiles_at;
use chancery_schema::log::tree::{self, MemoryTree, leaf_hash};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::check::Findings;
use crate::entity::{checkpoint, cosignature, entry};
use crate::error::Attempting;
use crate::known::Cosigner;
use crate::log::{Held, column, size};
use crate::{Result, hashes};

/// Entries, checkpoints or cosignatures in memory at once.
const ENTRIES_PER_QUERY: u64 = 4096;

/// Checks one log. The head's signature was checked when it was read.
pub(super) async fn check_log(
    db: &impl ConnectionTrait,
    held: &Held,
    cosigners: &[Cosigner],
    findings: &mut Vec<String>,
) -> Result<()> {
    if let Some(tree) = check_entries(db, held, findings).await? {
        check_tiles(db, held, &tree, findings).await?;
        check_checkpoints(db, held, &tree, findings).await?;
    }
    check_held(db, held, findings).await?;
    check_cosignatures(db, held, cosigners, findings).await
}

/// The tree of the entries; none where they do not lead to the root, so nothing else can be compared.
async fn check_entries(
    db: &impl ConnectionTrait,
    held: &Held,
    findings: &mut Vec<String>,
) -> Result<Option<MemoryTree>> {
    let origin = &held.log.origin;
    let mut tree = MemoryTree::new();
    let mut wrong = Findings::new(findings);
    loop {
        let rows = entry::Entity::find()
            .filter(entry::Column::LogId.eq(held.log.id))
            .filter(entry::Column::Idx.gte(column(tree.size())))
            .order_by_asc(entry::Column::Idx)
            .limit(ENTRIES_PER_QUERY)
            .all(db)
            .await
            .attempting("read entries")?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let index = tree.size();
            if size(row.idx)? != index {
                wrong.add(format!("entry {index} of {origin} is missing"));
                return Ok(None);
            }
            let leaf = leaf_hash(&row.bytes);
            if row.leaf != leaf.as_bytes() {
                wrong.add(format!("entry {index} of {origin} does not have the leaf hash that is kept"));
            }
            let envelope = Entry::parse(&row.bytes).ok().map(|entry| entry.envelope().as_bytes().to_vec());
            if row.envelope != envelope {
                wrong.add(format!("entry {index} of {origin} does not name the envelope that is kept"));
            }
            tree.push(leaf);
        }
    }
    if (tree.size(), tree.root()) != (held.size, held.root) {
        wrong.add(format!("the {} entries of {origin} do not lead to its root at size {}", tree.size(), held.size));
        return Ok(None);
    }
    if held.head.as_ref().is_some_and(|head| head.checkpoint().size == held.size && head.checkpoint().root != held.root)
    {
        wrong.add(format!("the head of {origin} has another root than its entries"));
    }
    Ok(Some(tree))
}

async fn check_tiles(
    db: &impl ConnectionTrait,
    held: &Held,
    tree: &MemoryTree,
    findings: &mut Vec<String>,
) -> Result<()> {
    let mut wrong = Findings::new(findings);
    for tile in tiles_at(held.size) {
        if hashes::tile(db, held.log.id, tile).await? != tile.read(tree) {
            wrong.add(format!("{} of {} does not hold the hashes of its entries", tile.path(), held.log.origin));
        }
    }
    Ok(())
}

/// Every checkpoint is signed by the log and of its entries, and its cosigners are counted.
async fn check_checkpoints(
    db: &impl ConnectionTrait,
    held: &Held,
    tree: &MemoryTree,
    findings: &mut Vec<String>,
) -> Result<()> {
    let mut wrong = Findings::new(findings);
    let counts = cosigners(db, held).await?;
    let rows = checkpoint::Entity::find().filter(checkpoint::Column::LogId.eq(held.log.id));
    let mut pages = rows.order_by_asc(checkpoint::Column::Size).paginate(db, ENTRIES_PER_QUERY);
    while let Some(rows) = pages.fetch_and_next().await.attempting("read checkpoints")? {
        for row in rows {
            let place = format!("the checkpoint of {} at size {}", held.log.origin, row.size);
            let signed = read(row.note.as_bytes(), &held.key).ok();
            let signed = signed.filter(|signed| column(signed.checkpoint().size) == row.size);
            match signed.map(|signed| signed.checkpoint().clone()) {
                None => wrong.add(format!("{place} is not what the log signed")),
                Some(it) if tree::root(tree, it.size) != Some(it.root) => {
                    wrong.add(format!("{place} has another root than its entries"));
                }
                Some(_) if counts.get(&row.size).copied().unwrap_or(0) != row.cosigners => {
                    wrong.add(format!("{place} does not have the number of cosigners that is kept"));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

/// How many names of other nations have cosigned, by size.
async fn cosigners(db: &impl ConnectionTrait, held: &Held) -> Result<BTreeMap<i64, i64>> {
    let counts: Vec<(i64, i64)> = cosignature::Entity::find()
        .select_only()
        .column(cosignature::Column::Size)
        .column_as(Expr::col(cosignature::Column::Name).count_distinct(), "names")
        .filter(cosignature::Column::LogId.eq(held.log.id))
        .filter(cosignature::Column::Own.eq(false))
        .group_by(cosignature::Column::Size)
        .into_tuple()
        .all(db)
        .await
        .attempting("count cosigners")?;
    Ok(counts.into_iter().collect())
}

/// Every body that an entry names is held, or known to be missing or erased.
async fn check_held(db: &impl ConnectionTrait, held: &Held, findings: &mut Vec<String>) -> Result<()> {
    let nowhere = "NOT EXISTS (SELECT 1 FROM body WHERE body.envelope = entry.envelope) AND NOT EXISTS (SELECT 1 FROM \
                   missing WHERE missing.log_id = entry.log_id AND missing.digest = entry.envelope) AND NOT EXISTS (SELECT \
                   1 FROM erased WHERE erased.log_id = entry.log_id AND erased.envelope = entry.envelope)";
    let lost: Vec<i64> = entry::Entity::find()
        .select_only()
        .column(entry::Column::Idx)
        .filter(entry::Column::LogId.eq(held.log.id))
        .filter(entry::Column::Envelope.is_not_null())
        .filter(Expr::cust(nowhere))
        .order_by_asc(entry::Column::Idx)
        .limit(ENTRIES_PER_QUERY)
        .into_tuple()
        .all(db)
        .await
        .attempting("look for lost envelopes")?;
    let mut wrong = Findings::new(findings);
    for index in lost {
        wrong.add(format!("the envelope of entry {index} of {} is lost", held.log.origin));
    }
    Ok(())
}

/// Every cosignature of a cosigner that is known holds.
async fn check_cosignatures(
    db: &impl ConnectionTrait,
    held: &Held,
    cosigners: &[Cosigner],
    findings: &mut Vec<String>,
) -> Result<()> {
    let mut wrong = Findings::new(findings);
    let rows = cosignature::Entity::find().filter(cosignature::Column::LogId.eq(held.log.id));
    let mut pages = rows.order_by_asc(cosignature::Column::Id).paginate(db, ENTRIES_PER_QUERY);
    while let Some(rows) = pages.fetch_and_next().await.attempting("read cosignatures")? {
        let sizes = rows.iter().map(|row| row.size).collect::<BTreeSet<_>>();
        let notes = notes(db, held, sizes).await?;
        for row in rows {
            if !notes.get(&row.size).is_some_and(|signed| holds(&row, signed, cosigners)) {
                let place = format!("{} on {} at size {}", row.name, held.log.origin, row.size);
                wrong.add(format!("the cosignature of {place} does not hold"));
            }
        }
    }
    Ok(())
}

/// Whether a line is one of the name that it is kept under, and holds if its key is known.
fn holds(row: &cosignature::Model, signed: &SignedCheckpoint, cosigners: &[Cosigner]) -> bool {
    let Ok(line) = Signature::parse(&row.line) else { return false };
    let cosigner = cosigners.iter().find(|cosigner| cosigner.key.claims(&line));
    let verified = cosigner.map(|cosigner| verify(signed.checkpoint(), &line, &cosigner.key));
    line.name() == row.name
        && verified.is_none_or(|verified| verified.is_ok_and(|seen| column(seen.timestamp()) == row.at))
}

async fn notes(
    db: &impl ConnectionTrait,
    held: &Held,
    sizes: BTreeSet<i64>,
) -> Result<BTreeMap<i64, SignedCheckpoint>> {
    let mut notes = BTreeMap::new();
    for row in sizes {
        let row = checkpoint::Entity::find_by_id((held.log.id, row)).one(db).await.attempting("read a checkpoint")?;
        let Some(row) = row else { continue };
        notes.extend(read(row.note.as_bytes(), &held.key).ok().map(|signed| (row.size, signed)));
    }
    Ok(notes)
}
