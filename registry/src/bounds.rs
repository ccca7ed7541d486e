//! Bounds of the archive that are not part of the protocol, each with its reason; one that matters in
//! one place only stands there.

use std::time::Duration;

/// Submissions that wait for the sequencer. Each is at most an envelope; when so many wait, asking
/// waits too.
pub(crate) const SUBMISSIONS: usize = 256;

/// Submissions under one checkpoint: a package of bulk exchange.
pub(crate) const BATCH_ENTRIES: usize = 256;

/// Bytes of envelopes under one checkpoint: a transaction that a small machine writes within a second.
pub(crate) const BATCH_BYTES: usize = 16 << 20;

/// How long the first submission of a batch waits for others.
pub(crate) const BATCH_WAIT: Duration = Duration::from_millis(50);

/// Signals that a slow listener may be behind before it must ask for the heads.
pub(crate) const SIGNALS: usize = 256;

/// Blobs that no record names yet, in bytes together: sixteen of the largest. Nobody signs for them,
/// so this is what a stranger can make a node hold.
pub(crate) const UNNAMED_BLOB_BYTES: u64 = 256 << 20;

/// Blobs that no record names yet, in number: each costs a row, however small it is.
pub(crate) const UNNAMED_BLOBS: usize = 4096;

/// How long a blob waits for the record that names it, in seconds.
pub(crate) const UNNAMED_BLOB_SECONDS: i64 = 3600;

/// Cosignature lines in one message: every nation's witness and mirror.
pub(crate) const COSIGNATURE_LINES: usize = 512;

/// Bodies whose arrival is judged in one transaction, and digests asked for at once.
pub(crate) const MISSING: u64 = 4096;

/// Exchanges whose state is remembered: every nation about every nation's log would be more than
/// memory should hold; partners times logs of a large federation is not.
pub(crate) const SYNC_STATES: usize = 1 << 16;
