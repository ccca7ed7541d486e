//! A body that keeps its place until it is sent, and does not stay for those who do not read it.

use std::io::{Error, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use tokio::task::AbortHandle;

use crate::limits::{SMALL_BYTES, TRANSFER_GRACE, pace};

/// What is held for as long as the body is.
pub trait Guard: Send + 'static {
    /// Keeps what a body of so many bytes needs, and lets the rest go.
    fn weighs(&mut self, bytes: usize);
}

/// The body of an answer that keeps `guard` until it is sent, or the client was too slow.
pub fn body(bytes: Vec<u8>, mut guard: impl Guard) -> BoxBody {
    if bytes.len() <= SMALL_BYTES {
        return BoxBody::new(bytes);
    }
    guard.weighs(bytes.len());
    let patience = pace(TRANSFER_GRACE, bytes.len() as u64);
    BoxBody::new(Held::new(bytes, guard, patience))
}

struct Held {
    rest: Arc<Mutex<Option<Rest>>>,
    /// Bytes that the client still waits for.
    left: usize,
    /// Takes the rest away when the time is over: who does not read does not ask for more either.
    timer: AbortHandle,
}

struct Rest {
    bytes: Bytes,
    _guard: Box<dyn Guard>,
}

impl Guard for () {
    fn weighs(&mut self, _: usize) {}
}

impl<A: Guard, B: Guard> Guard for (A, B) {
    fn weighs(&mut self, bytes: usize) {
        self.0.weighs(bytes);
        self.1.weighs(bytes);
    }
}

impl<A: Guard> Guard for Option<A> {
    fn weighs(&mut self, bytes: usize) {
        if let Some(guard) = self {
            guard.weighs(bytes);
        }
    }
}

impl Held {
    fn new(bytes: Vec<u8>, guard: impl Guard, patience: Duration) -> Self {
        let left = bytes.len();
        let rest = Arc::new(Mutex::new(Some(Rest { bytes: bytes.into(), _guard: Box::new(guard) })));
        let timer = tokio::spawn(take_away(Arc::downgrade(&rest), patience)).abort_handle();
        Self { rest, left, timer }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

async fn take_away(rest: Weak<Mutex<Option<Rest>>>, patience: Duration) {
    tokio::time::sleep(patience).await;
    if let Some(rest) = rest.upgrade() {
        rest.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl MessageBody for Held {
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut held = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rest) = held.as_mut() else {
            return Poll::Ready(Some(Err(Error::new(ErrorKind::TimedOut, "the client reads too slowly"))));
        };
        let chunk = rest.bytes.split_to(rest.bytes.len().min(SMALL_BYTES));
        if rest.bytes.is_empty() {
            held.take();
        }
        drop(held);
        self.left -= chunk.len();
        Poll::Ready(Some(Ok(chunk)))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    impl Guard for Arc<()> {
        fn weighs(&mut self, _: usize) {}
    }

    #[tokio::test]
    async fn a_body_comes_whole_and_lets_go_with_its_last_bytes() {
        let guard = Arc::new(());
        let bytes: Vec<u8> = (0..200_000_u32).map(|i| i.to_le_bytes()[0]).collect();
        let mut held = Held::new(bytes.clone(), Arc::clone(&guard), Duration::from_mins(1));
        assert!(matches!(held.size(), BodySize::Sized(200_000)));
        assert_eq!(Arc::strong_count(&guard), 2);
        assert_eq!(to_bytes(&mut held).await.unwrap(), bytes);
        assert_eq!(Arc::strong_count(&guard), 1, "the place is held although all is sent");
    }

    #[tokio::test]
    async fn a_body_that_nobody_reads_lets_go_when_its_time_is_over() {
        let guard = Arc::new(());
        let held = Held::new(vec![0; 200_000], Arc::clone(&guard), Duration::from_millis(10));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(Arc::strong_count(&guard), 1);
        assert!(to_bytes(held).await.is_err());
    }
}
