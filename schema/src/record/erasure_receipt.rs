//! The erasure receipt: a node says that it has erased what a redaction asks for. Whoever has not is seen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Header, Invalid, Kind};
use crate::digest::Digest;
use crate::name::Origin;
use crate::statement::Subject;

/// One node's word that a body, and the blobs that no other record names, are gone from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasureReceipt {
    /// The log in which the record stood, and the redaction stands; it may be another nation's.
    pub redacted_log: Origin,
    /// The record's position in that log.
    pub index: u64,
    /// The digest of the record that is gone.
    pub record: Digest,
    /// The digest of the redaction.
    pub redaction: Digest,
}

impl Body for ErasureReceipt {
    const KIND: Kind = Kind::ErasureReceipt;

    fn validate(&self, _: &Header) -> Result<(), Invalid> {
        if self.record == self.redaction {
            return Err(Invalid::at("/redaction", "is the record that is gone"));
        }
        Ok(())
    }

    fn subjects(&self, _: &Header) -> Vec<Subject> {
        vec![Subject::new(self.redacted_log.as_str(), self.record), Subject::new("redaction", self.redaction)]
    }
}
