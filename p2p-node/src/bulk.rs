//! Entries in bulk: `/chancery/bulk/1`, one stream for each pull.
//!
//! The puller sends a header frame that says which entries of which log it wants, proven in which
//! tree. The other side streams packages, each followed by the envelopes and blobs of its entries; then
//! the checkpoints that partners cosigned on the way; and an end frame. Where it cannot, it answers
//! with a header frame that says why. The server keeps no state: to resume is to ask again from where
//! one stands.

use std::time::Duration;

use chancery_registry::{Error, Ground, Registry};
use chancery_schema::digest::Digest;
use chancery_schema::frame::{Decoder, Frame, Package};
use chancery_schema::json;
use chancery_schema::limits::{BLOBS_PER_RECORD_MAX, NOTE_BYTES_MAX, PACKAGE_ENTRIES_MAX};
use chancery_schema::log::checkpoint::Checkpoint;
use chancery_schema::log::note::Note;
use chancery_schema::name::Origin;
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::StreamProtocol;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::sync::Failure;

/// The protocol's name.
pub const BULK: StreamProtocol = StreamProtocol::new("/chancery/bulk/1");

/// How long the other side may be silent: disks and links are slow, but not this slow.
const SILENCE: Duration = Duration::from_secs(30);

/// How long one package or page may be waited for, before its bytes are counted.
const GRACE: Duration = Duration::from_mins(1);

/// How much comes in a second of waiting beyond that: the slowest link that any nation has.
const BYTES_PER_SECOND_MIN: u64 = 16 << 10;

/// How long a partner may take to say what it wants.
const QUESTION: Duration = Duration::from_secs(10);

/// Bodies and blobs with one package, in bytes. An honest server puts no more beside an entry, however
/// much its record names: the rest is asked for by its digest.
const BODIES_BYTES_MAX: usize = 64 << 20;

/// Frames after one package: a body for each entry, and the blobs of each.
const BODIES_MAX: u64 = PACKAGE_ENTRIES_MAX * (1 + BLOBS_PER_RECORD_MAX as u64);

/// Cosigned checkpoints in one pull. The next one goes on after the last.
const GROUND_MAX: usize = 4096;

/// The same in bytes, one note more apart.
const GROUND_BYTES_MAX: usize = 16 << 20;

/// Cosigned checkpoints that are read or kept at once.
const GROUND_AT_ONCE: u64 = 256;

/// Bytes read or written at once.
const PIECE_BYTES: usize = 64 << 10;

/// What a puller wants.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Which log.
    pub origin: Origin,
    /// The first entry.
    pub start: u64,
    /// The tree in which all are proven, and where to stop.
    pub size: u64,
    /// After which size cosigned checkpoints are wanted; after `start` where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<u64>,
}

/// Why there is nothing to stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Refused {
    /// One word for programs: `busy` or `not-held`.
    refused: String,
}

/// Why a stream ended early.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// The link.
    #[error("the stream broke: {0}")]
    Stream(#[from] std::io::Error),
    /// The clock.
    #[error("the partner was silent for {} seconds", SILENCE.as_secs())]
    Silent,
    /// The clock, over a longer time.
    #[error("the partner sends less than {} KiB a second", BYTES_PER_SECOND_MIN >> 10)]
    Slow,
    /// No end frame.
    #[error("the stream ended before it was through")]
    Cut,
    /// The partner's answer.
    #[error("the partner answers: {0}")]
    Refused(String),
    /// This node's wish.
    #[error("it was told to stop")]
    Stopped,
    /// The frames.
    #[error("the partner sent what is not a frame: {0}")]
    Frame(#[from] chancery_schema::frame::FrameError),
    /// Their order.
    #[error("the partner sent {0}")]
    Order(&'static str),
    /// What the archive does not take.
    #[error("{}", reason(.0))]
    Unproven(Error),
    /// The archive.
    #[error("{}", reason(.0))]
    Archive(#[from] Error),
}

/// Whose fault it is.
impl From<BulkError> for Failure {
    fn from(error: BulkError) -> Self {
        let reason = error.to_string();
        match error {
            BulkError::Frame(_) | BulkError::Order(_) | BulkError::Unproven(_) => Self::Wrong(reason),
            BulkError::Archive(_) => Self::Ours(reason),
            _ => Self::Unable(reason),
        }
    }
}

fn reason(error: &Error) -> String {
    let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    format!("{error}{cause}")
}

/// What a pull found on the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// A package is durable: the mirror's size and root.
    Extended(u64, Digest),
    /// The log signed this note, and the mirror has another root at its size.
    Contradicted(String, Digest),
}

/// A pull: where the packages go, and whom to tell.
pub struct Pull<'r, F> {
    /// What was asked for.
    pub wanted: &'r Wanted,
    /// Where it is kept.
    pub registry: &'r Registry,
    /// Told of all news.
    pub tell: F,
    /// Ends the pull between two frames.
    pub stop: oneshot::Receiver<()>,
}

/// What came and is not yet kept.
#[derive(Default)]
struct Arrived {
    next: u64,
    waiting: Option<(Package, Vec<Frame>)>,
    bodies_bytes: usize,
    notes: Vec<String>,
    notes_count: usize,
    notes_bytes: usize,
    /// The size of the last checkpoint.
    last: Option<u64>,
}

impl<F, T> Pull<'_, (mpsc::Sender<T>, F)>
where
    F: Fn(News) -> T,
{
    /// Pulls what is wanted and keeps each package as it is proven, then the checkpoints. Answers the
    /// size of the last one: more may follow after it.
    ///
    /// # Errors
    /// When the stream breaks, or what came was refused. What was written before stays.
    pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut stream: S) -> Result<Option<u64>, BulkError> {
        let question = serde_json::to_vec(self.wanted).map_err(std::io::Error::from)?;
        write(&mut stream, &Frame::Header(question)).await?;
        in_time(stream.flush()).await?;
        let mut frames = Frames::new(&mut stream);
        let mut arrived = Arrived { next: self.wanted.start, ..Arrived::default() };
        loop {
            let frame = tokio::select! {
                frame = frames.next() => frame?,
                _ = &mut self.stop => return Err(BulkError::Stopped),
            };
            match frame {
                Frame::Package(package) => {
                    self.keep(&mut arrived).await?;
                    arrived.package(package, self.wanted)?;
                    frames.begin();
                }
                Frame::Envelope(_) | Frame::Blob(_) | Frame::Missing(_) => arrived.body(frame)?,
                Frame::Checkpoint(note) => {
                    self.keep(&mut arrived).await?;
                    arrived.note(note, self.wanted)?;
                    if arrived.notes.len() as u64 >= GROUND_AT_ONCE {
                        self.keep_ground(&mut arrived).await?;
                        frames.begin();
                    }
                }
                Frame::End(_) => {
                    self.keep(&mut arrived).await?;
                    self.keep_ground(&mut arrived).await?;
                    let whole = arrived.next == self.wanted.size;
                    return whole.then_some(arrived.last).ok_or(BulkError::Order("fewer entries than it showed"));
                }
                Frame::Header(answer) => return Err(refusal(&answer)),
                Frame::Proof(_) | Frame::Former(_) => return Err(BulkError::Order("a frame that has no place here")),
            }
        }
    }

    /// Keeps the package that came, now that its bodies are here.
    async fn keep(&self, arrived: &mut Arrived) -> Result<(), BulkError> {
        let Some((package, bodies)) = arrived.waiting.take() else { return Ok(()) };
        arrived.next += package.entries.len() as u64;
        match self.registry.extend(&package, &bodies).await {
            Ok(state) => self.say(News::Extended(state.size, state.root)).await,
            Err(error) => return Err(self.blame(error, &package).await),
        }
        Ok(())
    }

    /// A package that does not continue the mirror is the partner's fault, unless the mirror is no
    /// longer where it was when the package was asked for.
    async fn blame(&self, error: Error, package: &Package) -> BulkError {
        let state = self.registry.mirror(&package.origin).await.ok().flatten();
        let as_asked = state.is_some_and(|state| state.size == package.start && state.pending.is_some());
        match error {
            Error::DoesNotContinue { .. } if as_asked => BulkError::Unproven(error),
            error => BulkError::Archive(error),
        }
    }

    async fn keep_ground(&self, arrived: &mut Arrived) -> Result<(), BulkError> {
        let notes = std::mem::take(&mut arrived.notes);
        if notes.is_empty() {
            return Ok(());
        }
        match self.registry.keep_ground(&self.wanted.origin, &notes).await {
            Ok(Ground::Kept(_)) => {}
            Ok(Ground::Contradicts { note, held }) => self.say(News::Contradicted(note, held)).await,
            Err(error @ Error::DoesNotContinue { .. }) => return Err(BulkError::Unproven(error)),
            Err(error) => return Err(BulkError::Archive(error)),
        }
        Ok(())
    }

    async fn say(&self, news: News) {
        let (listener, event) = &self.tell;
        // Whoever listens may have gone; what was written stays.
        let _ = listener.send(event(news)).await;
    }
}

impl Arrived {
    fn package(&mut self, package: Package, wanted: &Wanted) -> Result<(), BulkError> {
        let asked = package.origin == wanted.origin && package.start == self.next && package.tree_size == wanted.size;
        if !asked || self.last.is_some() {
            return Err(BulkError::Order("another package than was asked for"));
        }
        self.bodies_bytes = 0;
        self.waiting = Some((package, Vec::new()));
        Ok(())
    }

    fn body(&mut self, frame: Frame) -> Result<(), BulkError> {
        let Some((_, bodies)) = &mut self.waiting else { return Err(BulkError::Order("a body before its entry")) };
        if let Frame::Envelope(bytes) | Frame::Blob(bytes) = &frame {
            self.bodies_bytes += bytes.len();
        }
        bodies.push(frame);
        if bodies.len() as u64 > BODIES_MAX || self.bodies_bytes > BODIES_BYTES_MAX {
            return Err(BulkError::Order("more bodies than a package has"));
        }
        Ok(())
    }

    /// A checkpoint: after all packages, and larger than the one before.
    fn note(&mut self, note: Vec<u8>, wanted: &Wanted) -> Result<(), BulkError> {
        let after = self.last.unwrap_or(wanted.ground.unwrap_or(wanted.start));
        let size = size_of(&note).filter(|size| *size > after && *size <= wanted.size && self.next == wanted.size);
        let (Some(size), Ok(text)) = (size, String::from_utf8(note)) else {
            return Err(BulkError::Order("another checkpoint than was asked for"));
        };
        self.last = Some(size);
        self.notes_count += 1;
        self.notes_bytes += text.len();
        if self.notes_count > GROUND_MAX || self.notes_bytes > GROUND_BYTES_MAX + NOTE_BYTES_MAX {
            return Err(BulkError::Order("more checkpoints than one pull has"));
        }
        self.notes.push(text);
        Ok(())
    }
}

fn size_of(note: &[u8]) -> Option<u64> {
    Checkpoint::parse(Note::parse(note).ok()?.text()).ok().map(|checkpoint| checkpoint.size)
}

fn refusal(answer: &[u8]) -> BulkError {
    let refused: Option<Refused> = json::parse(answer).ok().and_then(|value| serde_json::from_value(value).ok());
    let known = refused.filter(|refused| matches!(refused.refused.as_str(), "busy" | "not-held"));
    known.map_or(BulkError::Order("a frame that has no place here"), |refused| BulkError::Refused(refused.refused))
}

/// Answers one puller.
///
/// # Errors
/// When the stream breaks or the question is none.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, registry: &Registry) -> Result<(), BulkError> {
    let mut frames = Frames::new(&mut stream);
    let question = tokio::time::timeout(QUESTION, frames.next()).await.map_err(|_| BulkError::Silent)??;
    let Frame::Header(question) = question else { return Err(BulkError::Order("no question")) };
    let wanted: Option<Wanted> = json::parse(&question).ok().and_then(|value| serde_json::from_value(value).ok());
    let wanted = wanted.ok_or(BulkError::Order("a question that cannot be read"))?;
    if !holds(registry, &wanted).await? {
        return refuse(stream, "not-held").await;
    }
    let mut sent = 0;
    send_entries(&mut stream, registry, &wanted, &mut sent).await?;
    send_ground(&mut stream, registry, &wanted, &mut sent).await?;
    write(&mut stream, &Frame::End(sent)).await?;
    in_time(stream.close()).await
}

/// Answers a puller that there is nothing for it, in one word.
///
/// # Errors
/// When the stream breaks.
pub async fn refuse<S: AsyncWrite + Unpin>(mut stream: S, word: &str) -> Result<(), BulkError> {
    let refused = serde_json::to_vec(&Refused { refused: word.to_owned() }).map_err(std::io::Error::from)?;
    write(&mut stream, &Frame::Header(refused)).await?;
    in_time(stream.close()).await
}

/// Whether the tree that is asked for is held: a root can be told of it.
async fn holds(registry: &Registry, wanted: &Wanted) -> Result<bool, BulkError> {
    Ok(wanted.start <= wanted.size && registry.root_at(&wanted.origin, wanted.size).await?.is_some())
}

async fn send_entries<S: AsyncWrite + Unpin>(
    stream: &mut S,
    registry: &Registry,
    wanted: &Wanted,
    sent: &mut u64,
) -> Result<(), BulkError> {
    let mut next = wanted.start;
    while next < wanted.size {
        let Some((package, bodies)) = registry.package(&wanted.origin, next, wanted.size).await? else { break };
        next += package.entries.len() as u64;
        *sent += 1 + bodies.len() as u64;
        write(stream, &Frame::Package(package)).await?;
        for body in bodies {
            write(stream, &body).await?;
        }
    }
    Ok(())
}

/// Sends the checkpoints that partners cosigned, as many as one pull has.
async fn send_ground<S: AsyncWrite + Unpin>(
    stream: &mut S,
    registry: &Registry,
    wanted: &Wanted,
    sent: &mut u64,
) -> Result<(), BulkError> {
    let mut after = wanted.ground.unwrap_or(wanted.start);
    let (mut count, mut bytes) = (0, 0);
    while count < GROUND_MAX && bytes < GROUND_BYTES_MAX {
        let notes = registry.ground(&wanted.origin, after, wanted.size, GROUND_AT_ONCE).await?;
        let Some(last) = notes.last().and_then(|note| size_of(note.as_bytes())) else { break };
        for note in notes {
            if bytes >= GROUND_BYTES_MAX {
                break;
            }
            (count, bytes) = (count + 1, bytes + note.len());
            *sent += 1;
            write(stream, &Frame::Checkpoint(note.into_bytes())).await?;
        }
        after = last;
    }
    Ok(())
}

/// Writes a frame, as fast as the other side reads.
async fn write<S: AsyncWrite + Unpin>(stream: &mut S, frame: &Frame) -> Result<(), BulkError> {
    let mut pace = Pace::default();
    for piece in frame.to_bytes().chunks(PIECE_BYTES) {
        pace.wait(stream.write_all(piece)).await?;
        pace.bytes += piece.len() as u64;
    }
    Ok(())
}

/// Frames as they arrive.
struct Frames<'s, S> {
    stream: &'s mut S,
    decoder: Decoder,
    pace: Pace,
}

impl<'s, S: AsyncRead + Unpin> Frames<'s, S> {
    fn new(stream: &'s mut S) -> Self {
        Self { stream, decoder: Decoder::default(), pace: Pace::default() }
    }

    /// From now on the wait is counted anew: what came so far is kept.
    fn begin(&mut self) {
        self.pace = Pace::default();
    }

    async fn next(&mut self) -> Result<Frame, BulkError> {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(frame);
            }
            match self.pace.wait(self.stream.read(&mut buffer)).await? {
                0 => return Err(BulkError::Cut),
                count => {
                    self.pace.bytes += count as u64;
                    self.decoder.push(&buffer[..count]);
                }
            }
        }
    }
}

/// How long the other side was waited for, and for how much. Time that this node needs itself does not
/// count.
#[derive(Default)]
struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    async fn wait<T>(&mut self, io: impl Future<Output = std::io::Result<T>>) -> Result<T, BulkError> {
        let allowed = GRACE + Duration::from_secs(self.bytes / BYTES_PER_SECOND_MIN);
        let left = allowed.checked_sub(self.waited).ok_or(BulkError::Slow)?;
        let began = Instant::now();
        let late = if left < SILENCE { BulkError::Slow } else { BulkError::Silent };
        let done = tokio::time::timeout(left.min(SILENCE), io).await.map_err(|_| late)??;
        self.waited += began.elapsed();
        Ok(done)
    }
}

async fn in_time<T>(io: impl Future<Output = std::io::Result<T>>) -> Result<T, BulkError> {
    Ok(tokio::time::timeout(SILENCE, io).await.map_err(|_| BulkError::Silent)??)
}
