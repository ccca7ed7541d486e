//! Appending to a log: the one place where entries, tiles and the head of a log are written, for the
//! own log and for mirrors alike.

use std::collections::BTreeMap;

use chancery_schema::digest::Digest;
use chancery_schema::log::checkpoint::SignedCheckpoint;
use chancery_schema::log::entry::Entry;
use chancery_schema::log::tile::{Tile, WIDTH_MAX, partial_width};
use chancery_schema::log::tree::{Frontier, leaf_hash};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::entity::{checkpoint, entry, log, tile};
use crate::error::Attempting;
use crate::log::{Held, column};
use crate::{Error, Result, hashes};

/// Levels of tiles that any log can have.
const LEVELS: u8 = 8;
/// Levels of the tree in one level of tiles.
const HEIGHT: u32 = 8;
/// Rows in one statement: databases bound its parameters.
const ROWS_PER_STATEMENT: usize = 256;

/// A log that grows within one transaction. Nothing is written before [`Appender::write`].
pub(crate) struct Appender {
    log_id: i64,
    size_before: u64,
    root_before: Digest,
    frontier: Frontier,
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
    entries: Vec<entry::ActiveModel>,
}

impl Appender {
    /// Begins at the end of what is held.
    ///
    /// # Errors
    /// When the tiles do not lead to the root that the log's row names.
    pub async fn begin(db: &impl ConnectionTrait, held: &Held) -> Result<Self> {
        let (log_id, size) = (held.log.id, held.size);
        let frontier = hashes::read(db, log_id, size, |reader| Frontier::read(reader, size)).await?;
        let frontier = frontier.filter(|frontier| frontier.root() == held.root).ok_or_else(|| {
            Error::Inconsistent(format!("the tiles of the log {} do not lead to its root", held.log.origin))
        })?;
        let mut tiles = BTreeMap::new();
        for level in 0..LEVELS {
            let width = partial_width(level, size);
            if width > 0 {
                let index = size.checked_shr(HEIGHT * (u32::from(level) + 1)).unwrap_or(0);
                let bytes = hashes::tile(db, log_id, Tile { level, index, width }).await?;
                let torn = || Error::Inconsistent(format!("a tile of the log {} is not held", held.log.origin));
                tiles.insert((level, index), bytes.ok_or_else(torn)?);
            }
        }
        Ok(Self { log_id, size_before: size, root_before: held.root, frontier, tiles, entries: Vec::new() })
    }

    /// How many entries the log has now.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Its root now.
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// Appends an entry and answers its index. One of a form that this version does not read names no
    /// envelope here, and is part of the log like any other.
    pub fn push(&mut self, bytes: Vec<u8>) -> u64 {
        let index = self.frontier.size();
        let envelope = Entry::parse(&bytes).ok().map(|entry| entry.envelope().as_bytes().to_vec());
        let leaf = leaf_hash(&bytes);
        let tiles = &mut self.tiles;
        self.frontier.push_with(leaf, |level, position, hash| {
            if level.is_multiple_of(HEIGHT) {
                let tile_level = u8::try_from(level / HEIGHT).unwrap_or(u8::MAX);
                let tile = tiles.entry((tile_level, position / u64::from(WIDTH_MAX))).or_default();
                tile.extend_from_slice(hash.as_bytes());
            }
        });
        self.entries.push(entry::ActiveModel {
            log_id: Set(self.log_id),
            idx: Set(column(index)),
            bytes: Set(bytes),
            leaf: Set(leaf.as_bytes().to_vec()),
            envelope: Set(envelope),
        });
        index
    }

    /// Writes entries and tiles and moves the size: by compare-and-swap, so that whoever moved it in
    /// between is not overwritten. `head` becomes the head, if there is one, and is no longer pending.
    ///
    /// # Errors
    /// When the log is no longer as it was at [`Appender::begin`]; the caller drops the transaction.
    pub async fn write(self, db: &impl ConnectionTrait, head: Option<&SignedCheckpoint>) -> Result<()> {
        let (size, root) = (self.size(), self.root());
        for rows in self.entries.chunks(ROWS_PER_STATEMENT) {
            let rows = rows.to_vec();
            entry::Entity::insert_many(rows).exec_without_returning(db).await.attempting("append entries")?;
        }
        write_tiles(db, self.log_id, self.tiles).await?;
        let mut update = log::Entity::update_many()
            .col_expr(log::Column::Size, Expr::value(column(size)))
            .col_expr(log::Column::Root, Expr::value(root.as_bytes().to_vec()));
        if let Some(head) = head {
            write_checkpoint(db, self.log_id, head).await?;
            update = update
                .col_expr(log::Column::HeadNote, Expr::value(head.to_string()))
                .col_expr(log::Column::PendingNote, Expr::value(None::<String>));
        }
        let moved = update
            .filter(log::Column::Id.eq(self.log_id))
            .filter(log::Column::Size.eq(column(self.size_before)))
            .filter(log::Column::Root.eq(self.root_before.as_bytes().to_vec()))
            .exec(db)
            .await
            .attempting("move the head of a log")?;
        if moved.rows_affected == 1 { Ok(()) } else { Err(Error::NotSequencer) }
    }
}

/// Keeps a checkpoint of a log that is held in full.
pub(crate) async fn write_checkpoint(db: &impl ConnectionTrait, log_id: i64, signed: &SignedCheckpoint) -> Result<()> {
    let row = checkpoint::ActiveModel {
        log_id: Set(log_id),
        size: Set(column(signed.checkpoint().size)),
        note: Set(signed.to_string()),
    };
    let place = OnConflict::columns([checkpoint::Column::LogId, checkpoint::Column::Size]).do_nothing().to_owned();
    let written = checkpoint::Entity::insert(row).on_conflict(place).exec_without_returning(db).await;
    written.attempting("keep a checkpoint").map(|_| ())
}

async fn write_tiles(db: &impl ConnectionTrait, log_id: i64, tiles: BTreeMap<(u8, u64), Vec<u8>>) -> Result<()> {
    if tiles.is_empty() {
        return Ok(());
    }
    let rows = tiles.into_iter().map(|((level, index), bytes)| tile::ActiveModel {
        log_id: Set(log_id),
        level: Set(i32::from(level)),
        idx: Set(column(index)),
        bytes: Set(bytes),
    });
    let place = OnConflict::columns([tile::Column::LogId, tile::Column::Level, tile::Column::Idx])
        .update_column(tile::Column::Bytes)
        .to_owned();
    let written = tile::Entity::insert_many(rows).on_conflict(place).exec_without_returning(db).await;
    written.attempting("write tiles").map(|_| ())
}
