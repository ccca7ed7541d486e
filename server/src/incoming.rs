//! The body of a request, read within its bound and at its pace.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Payload;
use futures::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use crate::limits::pace;

/// Why a body was not read to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// The connection broke, or the body is not what it should be.
    Short,
    /// It has more bytes than it may.
    Large,
    /// It fell behind its pace.
    Slow,
}

/// How large the body says that it is.
pub fn announced(request: &HttpRequest) -> Option<u64> {
    request.headers().get("content-length")?.to_str().ok()?.parse().ok()
}

/// Reads a body of at most `max` bytes. It must never be further behind its pace than `grace`.
///
/// # Errors
/// When it is not read to its end, and why.
pub async fn collect(mut payload: Payload, max: usize, grace: Duration) -> Result<Vec<u8>, Cut> {
    let begun = Instant::now();
    let mut body: Vec<u8> = Vec::new();
    loop {
        let deadline = begun + pace(grace, body.len() as u64);
        let chunk = match timeout_at(deadline, payload.next()).await {
            Err(_) => return Err(Cut::Slow),
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) => chunk.map_err(|_| Cut::Short)?,
        };
        if body.len() + chunk.len() > max {
            return Err(Cut::Large);
        }
        body.extend_from_slice(&chunk);
    }
}
