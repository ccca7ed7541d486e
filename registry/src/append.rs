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
use crate::log::{Held, Log, column};
use crate::{Error, Result, hashes};

/// Levels of tiles that any log can have.
const LEVELS: u8 = 8;
/// Levels of the tree in one level of tiles.
const HEIGHT: u32 = 8;
/// Rows in one statement: databases bound its parameters.
const ROWS_PER_STATEMENT: usize = 256;

/// A log that grows within one transaction. Nothing is written before [`Appender::write`].
pub(crate) struct Appender {
    log: Log,
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
        let log = held.log.clone();
        Ok(Self { log, size_before: size, root_before: held.root, frontier, tiles, entries: Vec::new() })
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
            log_id: Set(self.log.id),
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
        self.swap_head(db, head).await?;
        for rows in self.entries.chunks(ROWS_PER_STATEMENT) {
            let rows = rows.to_vec();
            entry::Entity::insert_many(rows).exec_without_returning(db).await.attempting("append entries")?;
        }
        if let Some(head) = head {
            write_checkpoint(db, self.log.id, head).await?;
        }
        write_tiles(db, self.log.id, self.tiles).await
    }

    /// Moves the size, and the head if there is one: from what they were at [`Appender::begin`] alone.
    async fn swap_head(&self, db: &impl ConnectionTrait, head: Option<&SignedCheckpoint>) -> Result<()> {
        let (size, root) = (self.size(), self.root());
        let mut update = log::Entity::update_many()
            .col_expr(log::Column::Size, Expr::value(column(size)))
            .col_expr(log::Column::Root, Expr::value(root.as_bytes().to_vec()));
        if let Some(head) = head {
            update = update
                .col_expr(log::Column::HeadNote, Expr::value(head.to_string()))
                .col_expr(log::Column::PendingNote, Expr::value(None::<String>));
        }
        let moved = update
            .filter(log::Column::Id.eq(self.log.id))
            .filter(log::Column::Size.eq(column(self.size_before)))
            .filter(log::Column::Root.eq(self.root_before.as_bytes().to_vec()))
            .exec(db)
            .await
            .attempting("move the head of a log")?;
        if moved.rows_affected == 1 { Ok(()) } else { Err(overtaken(&self.log)) }
    }
}

/// Someone else moved the log in between: another sequencer the own one, another package a mirror.
fn overtaken(log: &Log) -> Error {
    let problem = "it has grown in the meantime; go on from where it is now".to_owned();
    if log.own { Error::NotSequencer } else { Error::DoesNotContinue { origin: log.origin.clone(), problem } }
}

/// Keeps a checkpoint of a log that is held in full.
pub(crate) async fn write_checkpoint(db: &impl ConnectionTrait, log_id: i64, signed: &SignedCheckpoint) -> Result<()> {
    let row = checkpoint::ActiveModel {
        log_id: Set(log_id),
        size: Set(column(signed.checkpoint().size)),
        note: Set(signed.to_string()),
        cosigners: Set(0),
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

#[cfg(test)]
mod tests {
    use chancery_schema::key::{SignError, Signer};
    use chancery_schema::log::note::{KeyType, verifier_key};
    use chancery_schema::log::tree::EMPTY_ROOT;
    use sea_orm::PaginatorTrait;

    use super::*;
    use crate::log::find;
    use crate::store::Store;

    struct Key;

    impl Signer for Key {
        fn public_key(&self) -> [u8; 32] {
            ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes()
        }

        fn sign(&self, _: &[u8]) -> std::result::Result<[u8; 64], SignError> {
            Err(SignError("nothing is signed here".to_owned()))
        }
    }

    async fn log_of(store: &Store, name: &str, own: bool) -> Held {
        let row = log::ActiveModel {
            origin: Set(name.to_owned()),
            nation: Set("FR".to_owned()),
            own: Set(own),
            log_vkey: Set(verifier_key(name, KeyType::Ed25519, &Key).unwrap().to_string()),
            fingerprint: Set(None),
            size: Set(0),
            root: Set(EMPTY_ROOT.as_bytes().to_vec()),
            head_note: Set(None),
            pending_note: Set(None),
            ..log::ActiveModel::default()
        };
        let writing = store.write().await.unwrap();
        log::Entity::insert(row).exec_without_returning(&*writing).await.unwrap();
        let held = find(&*writing, &name.parse().unwrap()).await.unwrap().unwrap();
        writing.commit().await.unwrap();
        held
    }

    /// Two that began at the same head: the first moves it, and the second writes nothing.
    #[tokio::test]
    async fn a_head_is_moved_only_from_where_it_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&chancery_tests::database::url(folder.path())).await.unwrap();
        let own = log_of(&store, "fr.example.org/chancery", true).await;
        let mirror = log_of(&store, "ke.example.org/chancery", false).await;
        for held in [&own, &mirror] {
            let (mut first, mut second) = (begin(&store, held).await, begin(&store, held).await);
            first.push(b"one".to_vec());
            second.push(b"other".to_vec());
            let writing = store.write().await.unwrap();
            first.write(&*writing, None).await.unwrap();
            writing.commit().await.unwrap();

            let writing = store.write().await.unwrap();
            let error = second.write(&*writing, None).await.unwrap_err();
            let expected = match &error {
                Error::NotSequencer => held.log.own,
                Error::DoesNotContinue { .. } => !held.log.own,
                _ => false,
            };
            assert!(expected, "{error}");
            let entries = entry::Entity::find().filter(entry::Column::LogId.eq(held.log.id));
            assert_eq!(entries.count(&*writing).await.unwrap(), 1);
        }
    }

    async fn begin(store: &Store, held: &Held) -> Appender {
        Appender::begin(store.read(), held).await.unwrap()
    }
}
