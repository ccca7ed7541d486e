//! The hashes of a log, read from its tiles.
//!
//! The schema asks for hashes one by one and does not wait; a database makes one wait. Which tiles a
//! computation touches depends on sizes alone, so it runs twice: first over blank tiles to learn
//! which it wants, then over the true ones.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::log::tile::{Tile, TileReader};
use chancery_schema::log::tree::HashReader;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};

use crate::Result;
use crate::entity::tile;
use crate::error::Attempting;
use crate::log::column;

/// Tiles asked for in one query: databases bound the terms of a condition.
const TILES_PER_QUERY: usize = 100;

/// Runs `compute` over the hashes of the first `size` entries of a log; `None` when it answers so or
/// a tile is not held. `compute` runs twice, the first time over hashes that are all zero.
pub(crate) async fn read<T>(
    db: &impl ConnectionTrait,
    log_id: i64,
    size: u64,
    compute: impl Fn(&dyn HashReader) -> Option<T>,
) -> Result<Option<T>> {
    let wanted = wanted(size, &compute);
    let held = fetch(db, log_id, &wanted).await?;
    Ok(compute(&TileReader::new(size, |tile| cut(held.get(&(tile.level, tile.index))?, tile))))
}

/// The bytes of one tile; `None` when it is not held, or not yet so wide.
pub(crate) async fn tile(db: &impl ConnectionTrait, log_id: i64, wanted: Tile) -> Result<Option<Vec<u8>>> {
    let held = fetch(db, log_id, &BTreeSet::from([wanted])).await?;
    Ok(held.get(&(wanted.level, wanted.index)).and_then(|bytes| cut(bytes, wanted)))
}

/// The tiles that `compute` touches. Nothing about hashes is asked of its answer, so it is let go.
fn wanted<T>(size: u64, compute: &impl Fn(&dyn HashReader) -> Option<T>) -> BTreeSet<Tile> {
    let wanted = RefCell::new(BTreeSet::new());
    let _ = compute(&TileReader::new(size, |tile: Tile| {
        wanted.borrow_mut().insert(tile);
        Some(vec![0; usize::from(tile.width) * 32])
    }));
    wanted.into_inner()
}

/// The bytes of those tiles that are held, by level and index, as wide as they now are.
async fn fetch(
    db: &impl ConnectionTrait,
    log_id: i64,
    wanted: &BTreeSet<Tile>,
) -> Result<BTreeMap<(u8, u64), Vec<u8>>> {
    let mut held = BTreeMap::new();
    let wanted: Vec<&Tile> = wanted.iter().collect();
    for tiles in wanted.chunks(TILES_PER_QUERY) {
        let any = tiles.iter().fold(Condition::any(), |any, tile| {
            let place = Condition::all().add(tile::Column::Level.eq(i32::from(tile.level)));
            any.add(place.add(tile::Column::Idx.eq(column(tile.index))))
        });
        let rows = tile::Entity::find().filter(tile::Column::LogId.eq(log_id)).filter(any).all(db).await;
        for row in rows.attempting("read tiles")? {
            let place = (u8::try_from(row.level).unwrap_or(u8::MAX), row.idx.unsigned_abs());
            held.insert(place, row.bytes);
        }
    }
    Ok(held)
}

/// A tile as wide as it was asked for. Hashes are never replaced, so a narrow tile is the beginning
/// of a wide one.
fn cut(bytes: &[u8], tile: Tile) -> Option<Vec<u8>> {
    bytes.get(..usize::from(tile.width) * 32).map(<[u8]>::to_vec)
}
