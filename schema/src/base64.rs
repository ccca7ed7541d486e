//! The one way we write base64 (RFC 4648 §4: standard alphabet, padded, no stray bits),
//! and the two ways we read it.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Bytes that are not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not base64 in the standard alphabet with padding")]
pub struct NotBase64;

/// Standard alphabet, padded.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads exactly what [`encode`] writes: one text for each byte string.
///
/// # Errors
/// When `text` is anything else.
pub fn decode(text: &str) -> Result<Vec<u8>, NotBase64> {
    STANDARD.decode(text).map_err(|_| NotBase64)
}

/// Reads the standard or the URL-safe alphabet, as DSSE asks of a verifier.
///
/// # Errors
/// When `text` is neither.
pub fn decode_either(text: &str) -> Result<Vec<u8>, NotBase64> {
    decode(text).or_else(|_| URL_SAFE.decode(text).map_err(|_| NotBase64))
}
