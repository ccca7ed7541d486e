//! Reading the volumes of a pouch, a frame at a time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use chancery_schema::digest::{Digest, Hasher};
use chancery_schema::frame::{Decoder, Frame, FrameError, HEAD_BYTES, payload_bytes};
use chancery_schema::limits::{ENVELOPE_BYTES_MAX, FRAME_BYTES_MAX};
use chancery_schema::log::checkpoint::Checkpoint;
use chancery_schema::log::note::Note;
use chancery_schema::name::Origin;
use chancery_schema::pouch::Seal;

use super::{PouchError, refuse};

/// Bytes hashed at once.
const PIECE_BYTES: usize = 64 << 10;

/// The volumes of one pouch, as many as were given. Every byte of them is one that the header names; who
/// sealed that is not verified.
#[derive(Debug)]
pub struct Pouch {
    /// The header.
    pub seal: Seal,
    /// By number, from 0 on.
    volumes: BTreeMap<usize, Given>,
}

#[derive(Debug)]
struct Given {
    path: PathBuf,
    /// Where the contents begin.
    begins: u64,
    bytes: u64,
}

/// Where a frame begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    volume: usize,
    offset: u64,
}

/// A log in a pouch, as the pouch says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// The log.
    pub origin: Origin,
    /// Its head, as a signed note.
    pub head: String,
    /// The entries that the head covers.
    pub size: u64,
    /// The first entry that travels; none where the head travels alone.
    pub start: Option<u64>,
    /// Where the frames after the head begin.
    pub(super) begins: Place,
}

impl Pouch {
    /// Reads the headers of volumes, in any order, and hashes the contents.
    ///
    /// # Errors
    /// When a file is not a volume, was changed, is given twice, or belongs to another pouch.
    pub fn open(paths: &[PathBuf]) -> Result<Self, PouchError> {
        let mut pouch: Option<Self> = None;
        for path in paths {
            let (seal, digest, file) = read_volume(path)?;
            let number = seal.volumes.iter().position(|volume| *volume == digest);
            let name = path.display().to_string();
            let Some(number) = number else { return refuse(format!("{name} was changed or cut on the way")) };
            let pouch = pouch.get_or_insert_with(|| Self { seal: seal.clone(), volumes: BTreeMap::new() });
            if pouch.seal != seal {
                return refuse(format!("{name} is a volume of another pouch than {}", paths[0].display()));
            }
            if let Some(twice) = pouch.volumes.insert(number, file) {
                return refuse(format!("{name} and {} are the same volume", twice.path.display()));
            }
        }
        pouch.map_or_else(|| refuse("no volume was given"), Ok)
    }

    /// The numbers, from 1 on, of the volumes that were not given.
    #[must_use]
    pub fn missing(&self) -> Vec<usize> {
        (0..self.seal.volumes.len()).filter(|number| !self.volumes.contains_key(number)).map(|it| it + 1).collect()
    }

    /// The bytes of all volumes given.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.volumes.values().map(|file| file.bytes).sum()
    }

    /// The logs in it, as it says itself.
    ///
    /// # Errors
    /// When the frames cannot be read.
    pub fn sections(&self) -> Result<Vec<Section>, PouchError> {
        let mut sections: Vec<Section> = Vec::new();
        let mut contents = self.contents()?;
        while let Some((_, frame)) = contents.next()? {
            match (frame, sections.last_mut()) {
                (Frame::Checkpoint(note), last) => {
                    let (checkpoint, note) = read_note(note)?;
                    if last.is_none_or(|last| last.origin != checkpoint.origin) {
                        let Checkpoint { origin, size, .. } = checkpoint;
                        sections.push(Section { origin, head: note, size, start: None, begins: contents.place });
                    }
                }
                (Frame::Package(package), Some(last)) => last.start = last.start.or(Some(package.start)),
                _ => {}
            }
        }
        Ok(sections)
    }

    /// All frames of all volumes, headers and ends apart.
    pub(super) fn contents(&self) -> Result<Contents<'_>, PouchError> {
        if let missing @ [_, ..] = &self.missing()[..] {
            let numbers: Vec<String> = missing.iter().map(ToString::to_string).collect();
            let all = self.seal.volumes.len();
            return refuse(format!("of its {all} volumes number {} was not given; give all", numbers.join(", ")));
        }
        let offset = self.volumes.get(&0).map_or(0, |file| file.begins);
        Ok(Contents { pouch: self, place: Place { volume: 0, offset }, file: None, frames: Some(1) })
    }

    /// The frames from a place on.
    pub(super) fn contents_from(&self, place: Place) -> Contents<'_> {
        Contents { pouch: self, place, file: None, frames: None }
    }

    /// Where each envelope and blob is.
    pub(super) fn pieces(&self) -> Result<BTreeMap<Digest, Place>, PouchError> {
        let mut pieces = BTreeMap::new();
        let mut contents = self.contents()?;
        while let Some((place, frame)) = contents.next()? {
            if let Frame::Envelope(bytes) | Frame::Blob(bytes) = frame {
                pieces.insert(Digest::of(&bytes), place);
            }
        }
        Ok(pieces)
    }
}

/// Frames one after the other. Holds one at a time.
pub(super) struct Contents<'p> {
    pouch: &'p Pouch,
    /// Where the next frame begins.
    pub place: Place,
    file: Option<BufReader<File>>,
    /// How many frames of this volume came, the header too; none where not from its beginning.
    frames: Option<u64>,
}

impl Contents<'_> {
    /// The next frame and where it begins; none after the last volume's end.
    pub fn next(&mut self) -> Result<Option<(Place, Frame)>, PouchError> {
        loop {
            let Some(Given { path, bytes, .. }) = self.pouch.volumes.get(&self.place.volume) else { return Ok(None) };
            let failed = |source| PouchError::Read { path: path.clone(), source };
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(open_at(path, self.place.offset).map_err(failed)?),
            };
            let name = path.display();
            let Some((frame, length)) = read_frame(file, path, FRAME_BYTES_MAX)? else {
                return refuse(format!("{name} has no end, so it was cut"));
            };
            let place = self.place;
            self.place.offset += length;
            let Frame::End(count) = frame else {
                self.frames = self.frames.map(|frames| frames + 1);
                return Ok(Some((place, frame)));
            };
            if self.frames.is_some_and(|frames| frames != count) || self.place.offset != *bytes {
                return refuse(format!("{name} does not end where it says"));
            }
            let volume = place.volume + 1;
            let offset = self.pouch.volumes.get(&volume).map_or(0, |file| file.begins);
            (self.place, self.file, self.frames) = (Place { volume, offset }, None, Some(1));
        }
    }
}

/// The header of a volume, the digest of what follows it, and where that is.
fn read_volume(path: &Path) -> Result<(Seal, Digest, Given), PouchError> {
    let failed = |source| PouchError::Read { path: path.to_owned(), source };
    let name = path.display();
    if !path.metadata().map_err(failed)?.is_file() {
        return refuse(format!("{name} is not a file"));
    }
    let mut file = open_at(path, 0).map_err(failed)?;
    let Some((frame, begins)) = read_frame(&mut file, path, ENVELOPE_BYTES_MAX)? else {
        return refuse(format!("{name} is empty"));
    };
    let Frame::Header(header) = frame else { return refuse(format!("{name} does not begin with a header")) };
    let seal = Seal::read(&header).map_err(|error| PouchError::Refused(format!("{name}: {error}")))?;
    let (mut hasher, mut bytes, mut buffer) = (Hasher::default(), begins, vec![0; PIECE_BYTES]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            count => {
                hasher.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
    Ok((seal, hasher.finish(), Given { path: path.to_owned(), begins, bytes }))
}

fn open_at(path: &Path, offset: u64) -> std::io::Result<BufReader<File>> {
    let mut file = BufReader::new(File::open(path)?);
    file.seek(SeekFrom::Start(offset))?;
    Ok(file)
}

/// The next frame of a file and its length, with a payload of at most `bytes_max`; none at the end.
fn read_frame(file: &mut BufReader<File>, path: &Path, bytes_max: usize) -> Result<Option<(Frame, u64)>, PouchError> {
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::UnexpectedEof => PouchError::Refused(format!("{} was cut", path.display())),
        _ => PouchError::Read { path: path.to_owned(), source },
    };
    let wrong = |error| PouchError::Refused(format!("{}: {error}", path.display()));
    let mut head = [0; HEAD_BYTES];
    match file.read(&mut head[..1]).map_err(failed)? {
        0 => return Ok(None),
        _ => file.read_exact(&mut head[1..]).map_err(failed)?,
    }
    let length = payload_bytes(&head).map_err(wrong)?;
    if length > bytes_max {
        return Err(wrong(FrameError::TooLong(length)));
    }
    let mut payload = vec![0; length];
    file.read_exact(&mut payload).map_err(failed)?;
    let mut decoder = Decoder::default();
    decoder.push(&head);
    decoder.push(&payload);
    let frame = decoder.next_frame().map_err(wrong)?;
    Ok(frame.map(|frame| (frame, (HEAD_BYTES + payload.len()) as u64)))
}

/// A checkpoint that a frame holds, believing nothing yet.
pub(super) fn read_note(note: Vec<u8>) -> Result<(Checkpoint, String), PouchError> {
    let checkpoint = Note::parse(&note).ok().and_then(|note| Checkpoint::parse(note.text()).ok());
    match (checkpoint, String::from_utf8(note)) {
        (Some(checkpoint), Ok(note)) => Ok((checkpoint, note)),
        _ => refuse("a checkpoint in it cannot be read"),
    }
}
