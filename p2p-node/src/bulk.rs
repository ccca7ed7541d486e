//! Entries in bulk: `/chancery/bulk/1`, one stream for each pull.
//!
//! The puller sends a header frame that says which entries of which log it wants, proven in which
//! tree; the other side streams packages, each followed by the envelopes and blobs of its entries, and
//! an end frame. The server keeps no state: to resume is to ask again from where one stands.

use std::time::Duration;

use chancery_registry::Registry;
use chancery_schema::digest::Digest;
use chancery_schema::frame::{Decoder, Frame, Package};
use chancery_schema::json;
use chancery_schema::limits::{BLOBS_PER_RECORD_MAX, PACKAGE_ENTRIES_MAX};
use chancery_schema::name::Origin;
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use libp2p::StreamProtocol;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// The protocol's name.
pub const BULK: StreamProtocol = StreamProtocol::new("/chancery/bulk/1");

/// How long the other side may be silent: disks and links are slow, but not this slow.
const SILENCE: Duration = Duration::from_secs(30);

/// Bodies and blobs with one package, in bytes: what one record may have beside it, and an honest
/// partner sends no more.
const BODIES_BYTES_MAX: usize = 64 << 20;

/// Frames after one package: a body for each entry, and the blobs of each.
const BODIES_MAX: u64 = PACKAGE_ENTRIES_MAX * (1 + BLOBS_PER_RECORD_MAX as u64);

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

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
    /// The frames.
    #[error("the partner sent what is not a frame: {0}")]
    Frame(#[from] chancery_schema::frame::FrameError),
    /// Their order.
    #[error("the partner sent {0}")]
    Order(&'static str),
    /// The archive.
    #[error("{}", reason(.0))]
    Archive(#[from] chancery_registry::Error),
}

fn reason(error: &chancery_registry::Error) -> String {
    let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    format!("{error}{cause}")
}

/// Pulls what is wanted and writes each package as it is proven. `report` is told of each what
/// `extended` makes of the mirror's new size and root.
///
/// # Errors
/// When the stream breaks, or what came was refused. What was written before stays.
pub async fn pull<S: AsyncRead + AsyncWrite + Unpin, T>(
    mut stream: S,
    wanted: &Wanted,
    registry: &Registry,
    report: &mpsc::Sender<T>,
    extended: impl Fn(u64, Digest) -> T,
) -> Result<(), BulkError> {
    let question = serde_json::to_vec(wanted).map_err(std::io::Error::from)?;
    in_time(stream.write_all(&Frame::Header(question).to_bytes())).await?;
    in_time(stream.flush()).await?;
    let mut frames = Frames { stream: &mut stream, decoder: Decoder::default() };
    let mut next = wanted.start;
    let mut waiting: Option<(Package, Vec<Frame>)> = None;
    let mut bodies_bytes = 0;
    loop {
        let frame = frames.next().await?;
        if matches!(frame, Frame::Package(_) | Frame::End(_))
            && let Some((package, bodies)) = waiting.take()
        {
            next += package.entries.len() as u64;
            let state = registry.extend(&package, &bodies).await?;
            // Whoever listens may have gone; what was written stays.
            let _ = report.send(extended(state.size, state.root)).await;
        }
        match frame {
            Frame::Package(package) => {
                if package.origin != wanted.origin || package.start != next || package.tree_size != wanted.size {
                    return Err(BulkError::Order("another package than was asked for"));
                }
                bodies_bytes = 0;
                waiting = Some((package, Vec::new()));
            }
            Frame::Envelope(_) | Frame::Blob(_) | Frame::Missing(_) => {
                let Some((_, bodies)) = &mut waiting else {
                    return Err(BulkError::Order("a body before its entry"));
                };
                if let Frame::Envelope(bytes) | Frame::Blob(bytes) = &frame {
                    bodies_bytes += bytes.len();
                }
                bodies.push(frame);
                if bodies.len() as u64 > BODIES_MAX || bodies_bytes > BODIES_BYTES_MAX {
                    return Err(BulkError::Order("more bodies than a package has"));
                }
            }
            Frame::End(_) if next == wanted.size => return Ok(()),
            Frame::End(_) => return Err(BulkError::Order("fewer entries than it showed")),
            Frame::Header(_) | Frame::Checkpoint(_) | Frame::Proof(_) => {
                return Err(BulkError::Order("a frame that has no place here"));
            }
        }
    }
}

/// Answers one puller.
///
/// # Errors
/// When the stream breaks or the question is none.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, registry: &Registry) -> Result<(), BulkError> {
    let mut frames = Frames { stream: &mut stream, decoder: Decoder::default() };
    let Frame::Header(question) = frames.next().await? else {
        return Err(BulkError::Order("no question"));
    };
    let wanted: Option<Wanted> = json::parse(&question).ok().and_then(|value| serde_json::from_value(value).ok());
    let Wanted { origin, start, size } = wanted.ok_or(BulkError::Order("a question that cannot be read"))?;
    let (mut next, mut sent) = (start, 0_u64);
    while next < size {
        let Some((package, bodies)) = registry.package(&origin, next, size).await? else { break };
        next += package.entries.len() as u64;
        sent += 1 + bodies.len() as u64;
        in_time(stream.write_all(&Frame::Package(package).to_bytes())).await?;
        for body in bodies {
            in_time(stream.write_all(&body.to_bytes())).await?;
        }
    }
    in_time(stream.write_all(&Frame::End(sent).to_bytes())).await?;
    in_time(stream.close()).await
}

/// Frames as they arrive.
struct Frames<'s, S> {
    stream: &'s mut S,
    decoder: Decoder,
}

impl<S: AsyncRead + Unpin> Frames<'_, S> {
    async fn next(&mut self) -> Result<Frame, BulkError> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(frame);
            }
            match in_time(self.stream.read(&mut buffer)).await? {
                0 => return Err(BulkError::Order("less than it began; perhaps it is busy")),
                count => self.decoder.push(&buffer[..count]),
            }
        }
    }
}

async fn in_time<T>(io: impl Future<Output = std::io::Result<T>>) -> Result<T, BulkError> {
    Ok(tokio::time::timeout(SILENCE, io).await.map_err(|_| BulkError::Silent)??)
}
