//! A log that took the place of another of its nation.

use async_graphql::Object;
use chancery_registry::Succession;

use crate::graphql::scalar::{Count, Digest};

/// A new log that goes on where an earlier log of its nation ends; the roots of both have signed it.
pub struct LogSuccession(pub Succession);

/// A new log that goes on where an earlier log of its nation ends; the roots of both have signed it.
#[Object]
impl LogSuccession {
    /// The new log.
    async fn origin(&self) -> &str {
        self.0.origin.as_str()
    }

    /// The digest of the new log's first charter.
    async fn fingerprint(&self) -> Digest {
        Digest(self.0.fingerprint)
    }

    /// The earlier log.
    async fn predecessor_origin(&self) -> &str {
        self.0.predecessor.as_str()
    }

    /// The digest of the earlier log's first charter.
    async fn predecessor_fingerprint(&self) -> Digest {
        Digest(self.0.predecessor_fingerprint)
    }

    /// How many entries of the earlier log stand; those after them are not the nation's word any more.
    async fn base_size(&self) -> Count {
        Count(self.0.base)
    }

    /// The checkpoint of these entries as a signed note, with the cosignatures that the record carries.
    async fn base(&self) -> &str {
        &self.0.base_note
    }

    /// Why the earlier log ended: `planned`, `key-lost`, `key-compromised`, `two-histories`, or another word.
    async fn reason(&self) -> &str {
        &self.0.reason
    }
}
