//! What one client may ask of the server over HTTP. The bounds of a GraphQL document stand in
//! `graphql/limits.rs`.

use std::time::Duration;

use chancery_schema::limits::ENVELOPE_BYTES_MAX;

/// The body of a GraphQL request: the largest envelope as a JSON string, and the document.
pub const GRAPHQL_BODY_BYTES_MAX: usize = ENVELOPE_BYTES_MAX + (256 << 10);

/// The query string of a GET: what browsers and proxies carry.
pub const QUERY_STRING_BYTES_MAX: usize = 16 << 10;

/// How long a GraphQL request may take.
pub const GRAPHQL_TIME_MAX: Duration = Duration::from_secs(10);

/// How long any request may take. Blobs come over slow lines.
pub const REQUEST_TIME_MAX: Duration = Duration::from_mins(2);

/// How long the head of a request may take to arrive.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// How long an open connection may stay silent between requests.
pub const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long requests that began may still take when the server stops, in seconds.
pub const SHUTDOWN_SECONDS: u64 = 5;

/// Connections of one worker.
pub const CONNECTIONS_MAX: usize = 4096;

/// GraphQL requests executed at once; with 1.25 MiB each, at most 80 MiB of bodies.
pub const GRAPHQL_AT_ONCE: usize = 64;

/// Blobs, bundles and envelopes in memory at once; with 64 MiB each, at most 512 MiB.
pub const TRANSFERS_AT_ONCE: usize = 8;

/// Workers. Answers wait for the archive, not for the processor.
pub const WORKERS: usize = 2;
