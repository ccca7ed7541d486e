//! What a digest belongs to.

use async_graphql::{Enum, SimpleObject};
use chancery_registry as registry;

use super::Record;

/// What a digest is the digest of.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "registry::FoundAs")]
pub enum FoundAs {
    /// What was signed: a record.
    Record,
    /// A record's envelope.
    Envelope,
    /// A weights file, whole, as `sha256sum` prints it.
    File,
    /// A weights file, as a tree of chunks.
    ChunkRoot,
    /// A weights manifest.
    Manifest,
    /// A model's root in an `OpenSSF` model signature.
    OmsRoot,
    /// A blob.
    Blob,
    /// A public key.
    Key,
}

/// Something that has the digest looked up.
#[derive(SimpleObject)]
pub struct Found {
    /// As what it was found.
    what: FoundAs,
    /// What it is called there: a path, a title, a kind.
    name: String,
    /// In which record.
    record: Record,
}

impl From<registry::Found> for Found {
    fn from(found: registry::Found) -> Self {
        Self { what: found.what.into(), name: found.name, record: Record(found.record) }
    }
}
