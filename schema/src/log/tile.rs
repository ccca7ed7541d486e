//! Tiles: the tree and its entries in pieces that never change.
//!
//! Follows C2SP tlog-tiles <https://c2sp.org/tlog-tiles>: tiles are eight levels high, a full tile
//! holds 256 hashes, a bundle holds the entries under a tile of level 0.
//! In scope: which tiles a tree has, their paths and bytes, bundles of entries, reading hashes back.
//! Out of scope: serving and storing them. We never prune.

use std::ops::Range;

use crate::digest::Digest;
use crate::log::checkpoint::decimal;
use crate::log::tree::{self, HashReader, SIZE_MAX};

/// Hashes of a full tile, entries of a full bundle.
pub const WIDTH_MAX: u16 = 256;

/// The highest level in a path (C2SP tlog-tiles). Trees up to [`SIZE_MAX`] end at level 7.
pub const LEVEL_MAX: u8 = 63;

/// Levels that a tree of at most [`SIZE_MAX`] leaves has.
const LEVELS: u8 = 8;
const HASH_BYTES: usize = 32;
const HEIGHT: u32 = 8;

/// A tile: hashes `[256 · index, 256 · index + width)` of its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Each level is eight levels of the tree; 0 holds leaf hashes.
    pub level: u8,
    /// Which tile of its level.
    pub index: u64,
    /// How many hashes, 1 to 256; less than 256 is a partial tile.
    pub width: u16,
}

/// A bundle: entries `[256 · index, 256 · index + width)` of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bundle {
    /// Which bundle.
    pub index: u64,
    /// How many entries, 1 to 256.
    pub width: u16,
}

/// Why a path or the bytes of a tile or bundle are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not the one path of any tile or bundle.
    #[error("not the path of a tile, such as tile/0/x001/067 or tile/entries/067.p/5")]
    Path,
    /// An entry that two bytes of length cannot carry.
    #[error("an entry is longer than 65,535 bytes")]
    LongEntry,
    /// The bytes end inside an entry, or hold more or fewer entries than promised.
    #[error("the bundle does not hold {expected} whole entries")]
    Entries {
        /// What the path promised.
        expected: u16,
    },
}

impl Tile {
    /// The path, such as `tile/0/x001/x234/067.p/5`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, index_path(self.index, self.width))
    }

    /// Reads [`Tile::path`].
    ///
    /// # Errors
    /// When `path` is anything else: a tile has one path.
    pub fn parse_path(path: &str) -> Result<Self, TileError> {
        let (level, rest) = path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or(TileError::Path)?;
        let level = decimal(level).and_then(|level| u8::try_from(level).ok()).ok_or(TileError::Path)?;
        let (index, width) = parse_index_path(rest).ok_or(TileError::Path)?;
        if level > LEVEL_MAX {
            return Err(TileError::Path);
        }
        Ok(Self { level, index, width })
    }

    /// The tile's bytes, 32 for each hash; `None` when a hash is not held or no tree has this tile.
    #[must_use]
    pub fn read(&self, reader: &dyn HashReader) -> Option<Vec<u8>> {
        if self.level >= LEVELS {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::from(self.width) * HASH_BYTES);
        for index in self.hashes()? {
            bytes.extend_from_slice(reader.hash(HEIGHT * u32::from(self.level), index)?.as_bytes());
        }
        Some(bytes)
    }

    /// Which hashes of its level the tile holds; `None` when no tree is so large.
    #[must_use]
    pub fn hashes(&self) -> Option<Range<u64>> {
        covered(self.index, self.width)
    }
}

impl Bundle {
    /// The path, such as `tile/entries/x001/x234/067.p/5`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/entries/{}", index_path(self.index, self.width))
    }

    /// Reads [`Bundle::path`].
    ///
    /// # Errors
    /// When `path` is anything else: a bundle has one path.
    pub fn parse_path(path: &str) -> Result<Self, TileError> {
        let rest = path.strip_prefix("tile/entries/").ok_or(TileError::Path)?;
        let (index, width) = parse_index_path(rest).ok_or(TileError::Path)?;
        Ok(Self { index, width })
    }

    /// Which entries of the log the bundle holds; `None` when no log is so long.
    #[must_use]
    pub fn entries(&self) -> Option<Range<u64>> {
        covered(self.index, self.width)
    }

    /// Reads [`encode_entries`], exactly as many entries as the bundle is wide.
    ///
    /// # Errors
    /// When the bytes hold more, fewer, or a broken entry.
    pub fn decode<'a>(&self, mut bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, TileError> {
        let wrong = TileError::Entries { expected: self.width };
        let mut entries = Vec::with_capacity(usize::from(self.width));
        for _ in 0..self.width {
            let (length, rest) = bytes.split_first_chunk().ok_or(wrong)?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (entry, rest) = rest.split_at_checked(length).ok_or(wrong)?;
            entries.push(entry);
            bytes = rest;
        }
        if bytes.is_empty() { Ok(entries) } else { Err(wrong) }
    }
}

/// The bytes of a bundle: for each entry its length (two bytes, big-endian) and itself.
///
/// # Errors
/// When an entry is longer than 65,535 bytes.
pub fn encode_entries<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, TileError> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).map_err(|_| TileError::LongEntry)?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// How wide the partial tile at the end of `level` is in a tree of `size` leaves; 0 means none.
#[must_use]
pub fn partial_width(level: u8, size: u64) -> u16 {
    split(hashes_at(level, size)).1
}

/// All tiles of a tree of `size` leaves, level by level, partial ones at the end of theirs.
pub fn tiles_at(size: u64) -> impl Iterator<Item = Tile> {
    new_tiles(0, size)
}

/// The tiles that a tree has at size `new` and did not have at size `old`.
pub fn new_tiles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    (0..LEVELS).flat_map(move |level| {
        let grown = hashes_at(level, old) < hashes_at(level, new);
        let range = indexes(hashes_at(level, old), if grown { hashes_at(level, new) } else { 0 });
        range.map(move |(index, width)| Tile { level, index, width })
    })
}

/// The bundles that a log has at size `new` and did not have at size `old`.
pub fn new_bundles(old: u64, new: u64) -> impl Iterator<Item = Bundle> {
    let range = indexes(old, if old < new { new } else { 0 });
    range.map(|(index, width)| Bundle { index, width })
}

/// A tree read from its tiles. It believes what it reads: verify against a root.
pub struct TileReader<F> {
    size: u64,
    fetch: F,
}

impl<F: Fn(Tile) -> Option<Vec<u8>>> TileReader<F> {
    /// Reads the tree of `size` leaves from tiles that `fetch` answers, each with the width it has
    /// at that size.
    pub fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch }
    }
}

impl<F: Fn(Tile) -> Option<Vec<u8>>> HashReader for TileReader<F> {
    fn hash(&self, level: u32, index: u64) -> Option<Digest> {
        let tile_level = u8::try_from(level / HEIGHT).ok().filter(|level| *level < LEVELS)?;
        let below = level % HEIGHT;
        let first = index.checked_mul(1 << below)?;
        let (tile_index, offset) = split(first);
        let (full, partial) = split(hashes_at(tile_level, self.size));
        let width = if tile_index < full { WIDTH_MAX } else { partial };
        if tile_index > full || offset >= width {
            return None;
        }
        let bytes = (self.fetch)(Tile { level: tile_level, index: tile_index, width })?;
        if bytes.len() != usize::from(width) * HASH_BYTES {
            return None;
        }
        let bytes = bytes.get(usize::from(offset) * HASH_BYTES..)?.get(..HASH_BYTES << below)?;
        let mut row = bytes.chunks(HASH_BYTES).map(Digest::from_slice).collect::<Result<Vec<_>, _>>().ok()?;
        while row.len() > 1 {
            row = row.chunks_exact(2).map(|pair| tree::node_hash(&pair[0], &pair[1])).collect();
        }
        row.pop()
    }
}

/// How many hashes of `level` a tree of `size` leaves has.
fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(HEIGHT * u32::from(level)).unwrap_or(0)
}

/// The pieces of 256 between two lengths, with the partial one at the end.
fn indexes(old: u64, new: u64) -> impl Iterator<Item = (u64, u16)> {
    let (full, partial) = split(new);
    let whole = (split(old).0..full).map(|index| (index, WIDTH_MAX));
    whole.chain((partial > 0).then_some((full, partial)))
}

/// In which piece of 256 a position lies, and where in it.
fn split(position: u64) -> (u64, u16) {
    (position >> HEIGHT, u16::from(position.to_le_bytes()[0]))
}

fn covered(index: u64, width: u16) -> Option<Range<u64>> {
    let start = index.checked_mul(u64::from(WIDTH_MAX))?;
    let end = start.checked_add(u64::from(width)).filter(|end| *end <= SIZE_MAX)?;
    Some(start..end)
}

/// Groups of three digits, all but the last marked `x`; then `.p/` and the width, unless full.
fn index_path(index: u64, width: u16) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width == WIDTH_MAX { path } else { format!("{path}.p/{width}") }
}

fn parse_index_path(path: &str) -> Option<(u64, u16)> {
    let (groups, width) = match path.split_once(".p/") {
        Some((groups, width)) => (groups, u16::try_from(decimal(width)?).ok()?),
        None => (path, WIDTH_MAX),
    };
    let mut index: u64 = 0;
    for group in groups.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let value = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok())??;
        index = index.checked_mul(1000)?.checked_add(value)?;
    }
    let one_path = index_path(index, width) == path;
    (one_path && (1..=WIDTH_MAX).contains(&width) && index <= SIZE_MAX).then_some((index, width))
}
