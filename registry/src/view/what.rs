//! What a digest can be the digest of, as the view keeps it.

use crate::FoundAs;

const WORDS: [(FoundAs, &str); 8] = [
    (FoundAs::Record, "record"),
    (FoundAs::Envelope, "envelope"),
    (FoundAs::File, "file"),
    (FoundAs::ChunkRoot, "chunk-root"),
    (FoundAs::Manifest, "manifest"),
    (FoundAs::OmsRoot, "oms-root"),
    (FoundAs::Blob, "blob"),
    (FoundAs::Key, "key"),
];

/// The word for it.
pub(super) fn word(what: FoundAs) -> &'static str {
    WORDS.iter().find(|(known, _)| *known == what).map_or("", |(_, word)| word)
}

/// Reads [`word`].
pub(super) fn from_word(text: &str) -> Option<FoundAs> {
    WORDS.iter().find(|(_, word)| *word == text).map(|(what, _)| *what)
}
