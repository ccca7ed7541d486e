//! Every log that is held, the own one and the mirrors: heads, tiles, entries, proofs, packages.

use chancery_schema::digest::Digest;
use chancery_schema::frame::{Frame, Package};
use chancery_schema::limits::{BUNDLE_BYTES_MAX, PACKAGE_BYTES_MAX, PACKAGE_ENTRIES_MAX};
use chancery_schema::log::checkpoint::{self, SignedCheckpoint};
use chancery_schema::log::proof::Proof;
use chancery_schema::log::tile::{Tile, WIDTH_MAX};
use chancery_schema::log::tree;
use chancery_schema::name::Origin;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::broadcast;

use crate::entity::{checkpoint as checkpoint_table, entry};
use crate::error::Attempting;
use crate::log::{Held, column, digest, size};
use crate::{Error, Head, LogChanged, Registry, Result, bodies, cosignatures, hashes, log, own};

impl Registry {
    /// The one signal: a log now has a size, or a checkpoint another cosignature. A hint; a reader
    /// that lags asks [`Registry::heads`].
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<LogChanged> {
        self.core.signal.subscribe()
    }

    /// The heads of all logs held, the own one first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn heads(&self) -> Result<Vec<Head>> {
        let db = self.core.store.snapshot().await?;
        let mut heads = Vec::new();
        for held in log::all(&db).await? {
            heads.extend(head(&db, &held).await?);
        }
        Ok(heads)
    }

    /// The head of one log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&self, origin: &Origin) -> Result<Option<Head>> {
        let db = self.core.store.snapshot().await?;
        match log::find(&db, origin).await? {
            Some(held) => head(&db, &held).await,
            None => Ok(None),
        }
    }

    /// A tile of hashes of a log (C2SP tlog-tiles).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tile(&self, origin: &Origin, tile: &Tile) -> Result<Option<Vec<u8>>> {
        let db = self.core.store.read();
        let Some(held) = log::find(db, origin).await? else { return Ok(None) };
        let within = tile.level < 8 && (1..=WIDTH_MAX).contains(&tile.width) && tile.hashes().is_some();
        if within { hashes::tile(db, held.log.id, *tile).await } else { Ok(None) }
    }

    /// The bytes of entries `start..end` (at most 256) of a log, fewer where the log ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entries(&self, origin: &Origin, start: u64, end: u64) -> Result<Vec<Vec<u8>>> {
        let db = self.core.store.read();
        let Some(held) = log::find(db, origin).await? else { return Ok(Vec::new()) };
        let end = end.min(start.saturating_add(PACKAGE_ENTRIES_MAX));
        Ok(rows(db, &held, start, end).await?.into_iter().map(|row| row.bytes).collect())
    }

    /// A consistency proof from size `old` to size `new`; none when the log is smaller.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn consistency(&self, origin: &Origin, old: u64, new: u64) -> Result<Option<Vec<Digest>>> {
        let db = self.core.store.read();
        let Some(held) = log::find(db, origin).await?.filter(|held| new <= held.size) else { return Ok(None) };
        hashes::read(db, held.log.id, new, |reader| tree::consistency_proof(reader, old, new)).await
    }

    /// An inclusion proof of entry `index` in the tree of `size`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inclusion(&self, origin: &Origin, index: u64, size: u64) -> Result<Option<Vec<Digest>>> {
        let db = self.core.store.read();
        let Some(held) = log::find(db, origin).await?.filter(|held| size <= held.size) else { return Ok(None) };
        hashes::read(db, held.log.id, size, |reader| tree::inclusion_proof(reader, index, size)).await
    }

    /// The C2SP tlog-proof of entry `index` with the cosignatures known, under the checkpoint that most
    /// other nations' cosigners have signed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn proof(&self, origin: &Origin, index: u64) -> Result<Option<String>> {
        let db = self.core.store.snapshot().await?;
        let Some(held) = log::find(&db, origin).await? else { return Ok(None) };
        Ok(proof(&db, &held, index).await?.map(|proof| proof.to_string()))
    }

    /// The package that begins at `start`, proven against `tree_size`, and the frames of the bodies
    /// and blobs that belong to its entries (`Missing` for those not held); none past the end.
    /// At most [`chancery_schema::limits::PACKAGE_BYTES_MAX`] in all, unless one entry alone is more;
    /// what even then does not fit is `Missing` and fetched by its digest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn package(&self, origin: &Origin, start: u64, tree_size: u64) -> Result<Option<(Package, Vec<Frame>)>> {
        let db = self.core.store.snapshot().await?;
        let Some(held) = log::find(&db, origin).await? else { return Ok(None) };
        if start >= tree_size || tree_size > held.size {
            return Ok(None);
        }
        let end = tree_size.min((start / PACKAGE_ENTRIES_MAX + 1) * PACKAGE_ENTRIES_MAX);
        let (entries, frames) = fill(&db, rows(&db, &held, start, end).await?).await?;
        let (first, end) = (start - start % PACKAGE_ENTRIES_MAX, start + entries.len() as u64);
        let proof = hashes::read(&db, held.log.id, tree_size, |reader| {
            tree::subtree_consistency_proof(reader, first, end, tree_size)
        });
        let missing = || Error::Inconsistent(format!("hashes of the log {origin} are missing"));
        let proof = proof.await?.ok_or_else(missing)?;
        Ok(Some((Package { origin: origin.clone(), start, tree_size, entries, proof }, frames)))
    }

    /// The envelope or blob with this digest, as a frame.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn piece(&self, digest: &Digest) -> Result<Option<Frame>> {
        let db = self.core.store.read();
        if let Some(body) = bodies::body(db, digest).await? {
            return Ok(Some(Frame::Envelope(body)));
        }
        Ok(bodies::blob(db, digest).await?.map(Frame::Blob))
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        bodies::blob(self.core.store.read(), digest).await
    }
}

/// The checkpoint of a log at a size, as the log signed it.
pub(crate) async fn checkpoint(db: &impl ConnectionTrait, held: &Held, size: u64) -> Result<Option<SignedCheckpoint>> {
    let row = checkpoint_table::Entity::find_by_id((held.log.id, column(size))).one(db).await;
    let Some(row) = row.attempting("read a checkpoint")? else { return Ok(None) };
    let broken = |_| Error::Inconsistent(format!("the checkpoint of {} at {size} does not hold", held.log.origin));
    checkpoint::open(row.note.as_bytes(), &held.key).map(Some).map_err(broken)
}

/// The checkpoint under which to prove entries up to `index`, with its cosignatures: of all that cover
/// it, the one that most other nations' cosigners have signed; among those the newest.
pub(crate) async fn best_checkpoint(
    db: &impl ConnectionTrait,
    held: &Held,
    index: u64,
) -> Result<Option<SignedCheckpoint>> {
    let Some(best) = best_size(db, held, index).await? else { return Ok(None) };
    match checkpoint(db, held, best).await? {
        Some(signed) => cosignatures::dress(db, held, &signed).await.map(Some),
        None => Ok(None),
    }
}

/// The size of [`best_checkpoint`]. Of each number of cosigners that any checkpoint has, the most
/// first, the newest checkpoint is looked at: one step into an index each, and there are never more
/// numbers than cosigners.
async fn best_size(db: &impl ConnectionTrait, held: &Held, index: u64) -> Result<Option<u64>> {
    if held.head_size() <= index {
        return Ok(None);
    }
    let mut fewer_than = i64::MAX;
    loop {
        let newest: Option<(i64, i64)> = checkpoint_table::Entity::find()
            .select_only()
            .columns([checkpoint_table::Column::Cosigners, checkpoint_table::Column::Size])
            .filter(checkpoint_table::Column::LogId.eq(held.log.id))
            .filter(checkpoint_table::Column::Cosigners.lt(fewer_than))
            .order_by_desc(checkpoint_table::Column::Cosigners)
            .order_by_desc(checkpoint_table::Column::Size)
            .into_tuple()
            .one(db)
            .await
            .attempting("compare checkpoints")?;
        let Some((cosigners, newest)) = newest else { return Ok(None) };
        if newest > column(index) {
            return size(newest).map(Some);
        }
        fewer_than = cosigners;
    }
}

/// The proof of entry `index` under [`best_checkpoint`].
pub(crate) async fn proof(db: &impl ConnectionTrait, held: &Held, index: u64) -> Result<Option<Proof>> {
    let Some(signed) = best_checkpoint(db, held, index).await? else { return Ok(None) };
    Ok(own::prove(db, held, &signed, &[index]).await?.pop())
}

/// The leaf hashes of entries `start..end`.
pub(crate) async fn leaves(db: &impl ConnectionTrait, held: &Held, start: u64, end: u64) -> Result<Vec<Digest>> {
    rows(db, held, start, end).await?.iter().map(|row| digest(&row.leaf)).collect()
}

async fn head(db: &impl ConnectionTrait, held: &Held) -> Result<Option<Head>> {
    let Some(signed) = &held.head else { return Ok(None) };
    Ok(Some(Head {
        origin: held.log.origin.clone(),
        nation: held.log.nation.clone(),
        own: held.log.own,
        size: signed.checkpoint().size,
        root: signed.checkpoint().root,
        note: cosignatures::dress(db, held, signed).await?.to_string(),
    }))
}

pub(crate) async fn rows(db: &impl ConnectionTrait, held: &Held, start: u64, end: u64) -> Result<Vec<entry::Model>> {
    let rows = entry::Entity::find()
        .filter(entry::Column::LogId.eq(held.log.id))
        .filter(entry::Column::Idx.gte(column(start)))
        .filter(entry::Column::Idx.lt(column(end)))
        .order_by_asc(entry::Column::Idx)
        .all(db)
        .await;
    rows.attempting("read entries")
}

/// As many entries as fit a package with the frames of their bodies and blobs, one at least.
async fn fill(db: &impl ConnectionTrait, rows: Vec<entry::Model>) -> Result<(Vec<Vec<u8>>, Vec<Frame>)> {
    let (mut entries, mut frames, mut bytes) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        let first = entries.is_empty();
        if !first && bytes + row.bytes.len() > PACKAGE_BYTES_MAX {
            break;
        }
        let room = if first { usize::try_from(BUNDLE_BYTES_MAX).unwrap_or(usize::MAX) } else { PACKAGE_BYTES_MAX };
        let room = room.saturating_sub(bytes + row.bytes.len());
        let envelope = row.envelope.as_deref().map(digest).transpose()?;
        let (more, taken) = match envelope {
            Some(envelope) => match beside(db, &envelope, room, first).await? {
                Some(fitting) => fitting,
                None => break,
            },
            None => (Vec::new(), 0),
        };
        bytes += taken + row.bytes.len();
        entries.push(row.bytes);
        frames.extend(more);
    }
    Ok((entries, frames))
}

/// The frames of a body and of the blobs it names, and their bytes; `None` when they do not fit into
/// `room`. Where they are `due`, a blob that does not fit is `Missing`.
async fn beside(
    db: &impl ConnectionTrait,
    envelope: &Digest,
    room: usize,
    due: bool,
) -> Result<Option<(Vec<Frame>, usize)>> {
    let Some(body) = bodies::body(db, envelope).await? else {
        return Ok(Some((vec![Frame::Missing(*envelope)], 0)));
    };
    let blobs = bodies::blobs_named(&body);
    let held = bodies::held_blobs(db, &blobs).await?;
    let mut bytes = body.len();
    let mut frames = vec![Frame::Envelope(body)];
    for blob in blobs.iter().map(|blob| blob.sha256) {
        let length = held.get(&blob).and_then(|length| usize::try_from(*length).ok());
        let fits = length.is_some_and(|length| bytes + length <= room);
        if length.is_some() && !fits && !due {
            return Ok(None);
        }
        match bodies::blob(db, &blob).await?.filter(|_| fits) {
            Some(content) => {
                bytes += content.len();
                frames.push(Frame::Blob(content));
            }
            None => frames.push(Frame::Missing(blob)),
        }
    }
    Ok((due || bytes <= room).then_some((frames, bytes)))
}
