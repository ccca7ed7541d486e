//! Checking the archive: everything that can be computed is computed again and compared.

use chancery_schema::digest::Digest;
use chancery_schema::log::entry::Entry;
use chancery_schema::log::tile::tiles_at;
use chancery_schema::log::tree::{MemoryTree, leaf_hash};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::rebuild::{rebuild_all, view_digest};
use crate::entity::{blob, body, entry, log as log_table};
use crate::error::Attempting;
use crate::log::{Held, column, size};
use crate::{Error, Registry, Result, hashes};

/// Rows whose bytes are in memory at once: 16 of the largest blobs are 256 MiB.
const ROWS_PER_QUERY: u64 = 16;

/// Entries in memory at once.
const ENTRIES_PER_QUERY: u64 = 4096;

/// Findings of one kind that are told: more do not help to mend it.
const FINDINGS_MAX: usize = 20;

impl Registry {
    /// Checks the archive: every hash, head and count, and that the view is what a rebuilt one would
    /// be. Answers findings, none when all is well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check(&self) -> Result<Vec<String>> {
        // The view is rebuilt in a transaction that is then dropped.
        let writing = self.core.store.write().await?;
        let db = &*writing;
        let mut findings = Vec::new();
        let rows = log_table::Entity::find().order_by_asc(log_table::Column::Id).all(db).await;
        for row in rows.attempting("read the logs")? {
            match Held::from_row(&row) {
                Ok(held) => check_log(db, &held, &mut findings).await?,
                Err(error) => findings.push(error.to_string()),
            }
        }
        check_bodies(db, &mut findings).await?;
        check_blobs(db, &mut findings).await?;
        if findings.is_empty() {
            let live = view_digest(db).await?;
            let rebuilt = match rebuild_all(db).await {
                Ok(_) => Some(view_digest(db).await?),
                Err(Error::Inconsistent(problem)) => {
                    findings.push(problem);
                    None
                }
                Err(error) => return Err(error),
            };
            if rebuilt.is_some_and(|rebuilt| rebuilt != live) {
                findings.push("the view is not what the logs say; mend it with `chancery view rebuild`".to_owned());
            }
        }
        Ok(findings)
    }
}

/// Entries, leaf hashes, tiles and root of one log. The head's signature was checked when it was read.
async fn check_log(db: &impl ConnectionTrait, held: &Held, findings: &mut Vec<String>) -> Result<()> {
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
                return Ok(());
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
        return Ok(());
    }
    if held.head.as_ref().is_some_and(|head| head.checkpoint().size == held.size && head.checkpoint().root != held.root)
    {
        wrong.add(format!("the head of {origin} has another root than its entries"));
    }
    for tile in tiles_at(held.size) {
        if hashes::tile(db, held.log.id, tile).await? != tile.read(&tree) {
            wrong.add(format!("{} of {origin} does not hold the hashes of its entries", tile.path()));
        }
    }
    Ok(())
}

async fn check_bodies(db: &impl ConnectionTrait, findings: &mut Vec<String>) -> Result<()> {
    let mut wrong = Findings::new(findings);
    let mut pages = body::Entity::find().order_by_asc(body::Column::Envelope).paginate(db, ROWS_PER_QUERY);
    while let Some(rows) = pages.fetch_and_next().await.attempting("read bodies")? {
        for row in rows {
            if row.envelope != Digest::of(&row.bytes).as_bytes() {
                wrong.add(format!("the envelope {} was changed", hex(&row.envelope)));
            }
        }
    }
    Ok(())
}

async fn check_blobs(db: &impl ConnectionTrait, findings: &mut Vec<String>) -> Result<()> {
    let mut wrong = Findings::new(findings);
    let mut pages = blob::Entity::find().order_by_asc(blob::Column::Sha256).paginate(db, ROWS_PER_QUERY);
    while let Some(rows) = pages.fetch_and_next().await.attempting("read blobs")? {
        for row in rows {
            if row.sha256 != Digest::of(&row.bytes).as_bytes() {
                wrong.add(format!("the blob {} was changed", hex(&row.sha256)));
            }
        }
    }
    Ok(())
}

fn hex(digest: &[u8]) -> String {
    Digest::from_slice(digest).map_or_else(|_| "of no digest".to_owned(), |digest| digest.to_string())
}

/// Findings of one kind, as many as help.
struct Findings<'f> {
    all: &'f mut Vec<String>,
    room: usize,
}

impl<'f> Findings<'f> {
    fn new(all: &'f mut Vec<String>) -> Self {
        Self { all, room: FINDINGS_MAX }
    }

    fn add(&mut self, finding: String) {
        if self.room > 0 {
            self.room -= 1;
            self.all.push(finding);
        }
    }
}
