//! Packing logs into volumes. Holds one package at a time; what it reads was written before it began.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use chancery_registry::{Head, Registry};
use chancery_schema::digest::{Digest, Hasher};
use chancery_schema::frame::{Frame, HEAD_BYTES};
use chancery_schema::limits::{PACKAGE_ENTRIES_MAX, POUCH_VOLUMES_MAX};
use chancery_schema::name::{Nation, Origin};
use chancery_schema::pouch::Holding;

use super::PouchError;

/// Left in each volume for the header, whose length is known last: more than one that names every volume and
/// every log takes.
pub const HEADER_BYTES_MAX: u64 = 256 << 10;

/// An end frame.
const END_BYTES: u64 = HEAD_BYTES as u64 + 8;

/// Cosigned checkpoints that are read at once: a package has no more.
const COSIGNED_AT_ONCE: u64 = PACKAGE_ENTRIES_MAX;

/// What is packed.
#[derive(Clone, Debug)]
pub struct Export {
    /// For whom: a partner.
    pub nation: Nation,
    /// Its log.
    pub origin: Origin,
    /// What it holds, when it said so; otherwise what it cosigned tells.
    pub holds: Option<Vec<Holding>>,
    /// The entry of the own log from which to begin.
    pub since: Option<u64>,
    /// The bytes of one volume, at most.
    pub volume_bytes: u64,
}

/// The contents of a pouch, to be sealed.
#[derive(Debug)]
pub struct Packed {
    /// The volumes, without their header.
    pub volumes: Vec<Volume>,
    /// What this node holds of each log.
    pub holds: Vec<Holding>,
    /// Each log in it: its name, from where entries travel, and its size.
    pub logs: Vec<(Origin, Option<u64>, u64)>,
}

/// The contents of one volume.
#[derive(Debug)]
pub struct Volume {
    /// Where they were written, from its beginning.
    pub file: File,
    /// Their digest.
    pub digest: Digest,
    /// How many bytes.
    pub bytes: u64,
}

/// Packs the own log, the partner's own log's head, and the logs of others that it recognises. `file` gives
/// a file for each volume.
///
/// # Errors
/// When the disk or the archive fails, or a volume is too small.
pub async fn export(
    registry: &Registry,
    export: &Export,
    file: impl FnMut() -> std::io::Result<File>,
) -> Result<Packed, PouchError> {
    let recognised = registry.recognised_by(&export.origin).await?;
    let mut packer = Packer { file, volume_bytes: export.volume_bytes, done: Vec::new(), open: None };
    let (mut holds, mut logs) = (Vec::new(), Vec::new());
    for head in registry.heads().await?.into_iter().filter(|head| head.size > 0) {
        holds.push(Holding { log: head.origin.clone(), size: head.size });
        if head.origin == export.origin {
            packer.push(&Frame::Checkpoint(head.note.into_bytes()))?;
            logs.push((head.origin, None, head.size));
        } else if head.own || recognised.contains(&head.origin) {
            let known = known(registry, export, &head).await?;
            let start = (known < head.size).then_some(known - known % PACKAGE_ENTRIES_MAX);
            pack(registry, &head, start, &mut packer).await?;
            logs.push((head.origin, start, head.size));
        }
    }
    Ok(Packed { volumes: packer.finish()?, holds, logs })
}

/// How many entries of a log the partner holds, as far as is known.
async fn known(registry: &Registry, export: &Export, head: &Head) -> Result<u64, PouchError> {
    if let Some(since) = export.since.filter(|_| head.own) {
        return Ok(since.min(head.size));
    }
    if let Some(holds) = &export.holds {
        let said = holds.iter().find(|holding| holding.log == head.origin);
        return Ok(said.map_or(0, |said| said.size.min(head.size)));
    }
    let seen = registry.cosignatures(&head.origin, Some(0)).await?;
    let mirrored = seen.iter().filter(|seen| seen.held && seen.nation == export.nation).map(|seen| seen.size);
    Ok(mirrored.max().unwrap_or(0).min(head.size))
}

async fn pack<F: FnMut() -> std::io::Result<File>>(
    registry: &Registry,
    head: &Head,
    start: Option<u64>,
    packer: &mut Packer<F>,
) -> Result<(), PouchError> {
    packer.push(&Frame::Checkpoint(head.note.clone().into_bytes()))?;
    let mut next = start.unwrap_or(head.size);
    while next < head.size {
        let Some((package, bodies)) = registry.package(&head.origin, next, head.size).await? else { break };
        let end = next + package.entries.len() as u64;
        packer.push(&Frame::Package(package))?;
        for body in bodies {
            // What did not fit beside a package on the wire is asked for there; here it must come along.
            let piece = match &body {
                Frame::Missing(digest) => registry.piece(digest).await?,
                _ => None,
            };
            packer.push(&piece.unwrap_or(body))?;
        }
        for note in registry.ground(&head.origin, next, end, COSIGNED_AT_ONCE).await? {
            packer.push(&Frame::Checkpoint(note.into_bytes()))?;
        }
        next = end;
    }
    Ok(())
}

/// Puts frames into one volume after the other, none across two.
struct Packer<F> {
    file: F,
    volume_bytes: u64,
    done: Vec<Volume>,
    open: Option<Filling>,
}

struct Filling {
    file: BufWriter<File>,
    hasher: Hasher,
    bytes: u64,
    /// The header too.
    frames: u64,
}

impl<F: FnMut() -> std::io::Result<File>> Packer<F> {
    fn push(&mut self, frame: &Frame) -> Result<(), PouchError> {
        let bytes = frame.to_bytes();
        let around = HEADER_BYTES_MAX + END_BYTES;
        let needed = bytes.len() as u64 + around;
        if needed > self.volume_bytes {
            return Err(PouchError::Medium { needed, given: self.volume_bytes });
        }
        if self.open.as_ref().is_some_and(|open| open.bytes + needed > self.volume_bytes) {
            self.close()?;
        }
        let open = if let Some(open) = &mut self.open {
            open
        } else {
            let file = BufWriter::new((self.file)().map_err(PouchError::Write)?);
            self.open.insert(Filling { file, hasher: Hasher::default(), bytes: 0, frames: 1 })
        };
        open.write(&bytes)
    }

    fn close(&mut self) -> Result<(), PouchError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        if self.done.len() == POUCH_VOLUMES_MAX {
            return Err(PouchError::Volumes(POUCH_VOLUMES_MAX));
        }
        open.write(&Frame::End(open.frames).to_bytes())?;
        let file = open.file.into_inner().map_err(|error| PouchError::Write(error.into_error()))?;
        self.done.push(Volume { file, digest: open.hasher.finish(), bytes: open.bytes });
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Volume>, PouchError> {
        self.close()?;
        Ok(self.done)
    }
}

impl Filling {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PouchError> {
        self.hasher.update(bytes);
        (self.bytes, self.frames) = (self.bytes + bytes.len() as u64, self.frames + 1);
        self.file.write_all(bytes).map_err(PouchError::Write)
    }
}
