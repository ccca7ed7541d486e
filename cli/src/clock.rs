//! The wall clock and the operating system's randomness: read here and nowhere else.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use chancery_schema::time::Timestamp;

use crate::output::Outcome;

/// The present second. A clock set before 1970 or after 9999 reads as 1970, which every record refuses
/// and `chancery doctor` names.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> Timestamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok()).unwrap_or_default()
}

/// `N` bytes that nobody can guess.
///
/// # Errors
/// When the operating system gives none.
#[expect(clippy::disallowed_methods, reason = "the one place that reads randomness")]
pub fn random_bytes<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("failed to read randomness from the operating system")?;
    Ok(bytes)
}
