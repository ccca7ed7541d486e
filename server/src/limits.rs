//! What one client may ask of the server over HTTP. The bounds of a GraphQL document stand in
//! `graphql/limits.rs`.

use std::time::Duration;

use chancery_schema::limits::{BUNDLE_BYTES_MAX, ENVELOPE_BYTES_MAX};

/// The body of a GraphQL request: the largest envelope as a JSON string, and the document.
pub const GRAPHQL_BODY_BYTES_MAX: usize = ENVELOPE_BYTES_MAX + (256 << 10);

/// The query string of a GET: what browsers and proxies carry.
pub const QUERY_STRING_BYTES_MAX: usize = 16 << 10;

/// How long a GraphQL request may take once it is read.
pub const GRAPHQL_TIME_MAX: Duration = Duration::from_secs(10);

/// How long any request but an upload may take.
pub const REQUEST_TIME_MAX: Duration = Duration::from_mins(2);

/// How long an upload may take: the largest blob at [`PACE_BYTES_PER_SECOND`], and to store it.
pub const UPLOAD_TIME_MAX: Duration = Duration::from_mins(6);

/// The slowest that a body may come or go, on average. A body that is slower holds what others wait for.
pub const PACE_BYTES_PER_SECOND: u64 = 64 << 10;

/// How far a blob, up or down, may be behind its pace.
pub const TRANSFER_GRACE: Duration = Duration::from_secs(10);

/// How far the body of a GraphQL request may be behind its pace.
pub const BODY_GRACE: Duration = Duration::from_secs(3);

/// How long a request waits for a place among those that are served, before it is told to come again.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How long the head of a request may take to arrive.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// How long an open connection may stay silent between requests.
pub const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long requests that began may still take when the server stops, in seconds.
pub const SHUTDOWN_SECONDS: u64 = 5;

/// Connections of one worker.
pub const CONNECTIONS_MAX: usize = 4096;

/// GraphQL requests read and executed at once: in all, and of one client. A body is read only with a
/// place, so bodies of 1.25 MiB are at most 80 MiB. A large answer needs a place of [`DOWNLOADS`] too.
pub const GRAPHQL: (usize, usize) = (64, 16);

/// Blobs that come in at once: in all, and of one client. With 16 MiB each, at most 256 MiB.
pub const UPLOADS: (usize, usize) = (16, 2);

/// Requests to cosign at once: in all, and of one client. They write one after the other anyway, and a body
/// is at most 134 KiB.
pub const WITNESS: (usize, usize) = (16, 4);

/// Blobs, bundles, envelopes and large GraphQL answers that are read at once: in all, and for one client.
/// Each has room for the largest bundle until its size is known, and then as much as it needs until it
/// is sent: together at most 512 MiB, of one client 128 MiB.
pub const DOWNLOADS: (usize, usize) = (8, 2);

/// What one of [`ROOM`] is, in bytes.
pub const ROOM_BYTES: usize = 1 << 20;

/// The room of one of [`DOWNLOADS`]: a bundle of 64 MiB.
pub const ROOM: usize = 64;

/// An answer that is not larger keeps no place while it is sent: the connection's buffer takes it.
pub const SMALL_BYTES: usize = 64 << 10;

/// Workers. Answers wait for the archive, not for the processor.
pub const WORKERS: usize = 2;

/// How old the heads may be that are shown, when another process has changed them. What this process
/// changes is shown at once.
pub const HEADS_AGE_MAX: Duration = Duration::from_secs(1);

const _: () = assert!(BUNDLE_BYTES_MAX == (ROOM * ROOM_BYTES) as u64, "the largest bundle fits");

/// How long `bytes` of a body may take.
pub fn pace(grace: Duration, bytes: u64) -> Duration {
    grace + Duration::from_millis(bytes.saturating_mul(1000) / PACE_BYTES_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use chancery_schema::limits::BLOB_BYTES_MAX;

    use super::*;

    #[test]
    fn a_body_has_the_grace_and_then_its_pace() {
        assert_eq!(pace(TRANSFER_GRACE, 0), Duration::from_secs(10));
        assert_eq!(pace(TRANSFER_GRACE, 64 << 10), Duration::from_secs(11));
        assert!(pace(TRANSFER_GRACE, BLOB_BYTES_MAX) < UPLOAD_TIME_MAX);
        assert!(pace(BODY_GRACE, GRAPHQL_BODY_BYTES_MAX as u64) < Duration::from_secs(30));
    }
}
