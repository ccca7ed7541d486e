//! A pouch as the other side of a bulk stream: the entries that a pull asks for, as a partner's node would
//! send them.

use std::io::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use chancery_schema::frame::Frame;
use futures::{AsyncRead, AsyncWrite};

use super::PouchError;
use super::volumes::{Contents, Pouch, Section};
use crate::bulk::Wanted;

/// Bodies and blobs with one package, in bytes: fewer than a pull takes. What is more is asked for by its
/// digest.
const BODIES_BYTES_MAX: usize = 32 << 20;

/// What is still to be read, and what was not read of the last frame.
pub(super) struct Feed<'p> {
    contents: Contents<'p>,
    wanted: &'p Wanted,
    /// The entry that comes next.
    next: u64,
    /// Bytes beside the package that is sent; none while one is passed over.
    beside: Option<usize>,
    frames: u64,
    through: bool,
    bytes: Vec<u8>,
    given: usize,
}

impl<'p> Feed<'p> {
    pub fn new(pouch: &'p Pouch, section: &Section, wanted: &'p Wanted) -> Self {
        Self {
            contents: pouch.contents_from(section.begins),
            wanted,
            next: wanted.start,
            beside: None,
            frames: 0,
            through: false,
            bytes: Vec::new(),
            given: 0,
        }
    }

    fn next(&mut self) -> Result<Frame, PouchError> {
        while self.next < self.wanted.size || self.beside.is_some() {
            let Some((_, frame)) = self.contents.next()? else { break };
            match frame {
                Frame::Package(package) if package.origin != self.wanted.origin => break,
                Frame::Package(mut package) => {
                    let end = package.start + package.entries.len() as u64;
                    self.beside = None;
                    if end <= self.next {
                        continue;
                    }
                    // The proof is of all entries since the multiple of 256, so it proves the later ones as well.
                    let held = usize::try_from(self.next.saturating_sub(package.start)).unwrap_or(usize::MAX);
                    package.entries.drain(..held.min(package.entries.len()));
                    (package.start, self.next, self.beside) = (package.start.max(self.next), end, Some(0));
                    return Ok(Frame::Package(package));
                }
                Frame::Envelope(ref bytes) | Frame::Blob(ref bytes) => {
                    let Some(beside) = &mut self.beside else { continue };
                    if *beside + bytes.len() <= BODIES_BYTES_MAX {
                        *beside += bytes.len();
                        return Ok(frame);
                    }
                }
                Frame::Checkpoint(_) if self.next >= self.wanted.size => break,
                _ => {}
            }
        }
        self.through = true;
        Ok(Frame::End(self.frames))
    }
}

impl AsyncRead for Feed<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<std::io::Result<usize>> {
        if self.given == self.bytes.len() && !self.through {
            let frame = self.next().map_err(Error::other)?;
            (self.bytes, self.given, self.frames) = (frame.to_bytes(), 0, self.frames + 1);
        }
        let count = buffer.len().min(self.bytes.len() - self.given);
        buffer[..count].copy_from_slice(&self.bytes[self.given..self.given + count]);
        self.given += count;
        Poll::Ready(Ok(count))
    }
}

/// The question is known: it is what this was made for.
impl AsyncWrite for Feed<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
