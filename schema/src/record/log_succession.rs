//! The log succession: a nation's log takes the place of an earlier one of the same nation, whose key was lost
//! or which has two histories. It is the second entry of the new log, and signed by the roots.
//!
//! It continues from a checkpoint of the earlier log, no smaller than any that partners cosigned; what the
//! earlier log has beyond it is not the nation's word any more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Header, Invalid, Kind, Texts, check_known, check_lines};
use crate::digest::Digest;
use crate::log::checkpoint::{self, SignedCheckpoint};
use crate::log::note::VerifierKey;
use crate::statement::Subject;
use crate::word::Word;

/// Why a log ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SuccessionReason {
    /// The nation wants another key or another name for its log.
    Planned,
    /// Nobody has its key any more.
    KeyLost,
    /// Others may have its key.
    KeyCompromised,
    /// Its key has signed two histories.
    TwoHistories,
}

/// What the log takes the place of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogSuccession {
    /// The earlier log's key as C2SP signed-note writes it; its name is the earlier log's origin.
    pub predecessor: String,
    /// The record digest of the earlier log's first charter.
    pub fingerprint: Digest,
    /// The record digest of the earlier log's last charter, whose roots are those of the new log's first one.
    pub charter: Digest,
    /// The checkpoint from which the new log goes on, as a signed note, with the cosignatures that are known.
    pub base: String,
    /// The record digest of the first charter of the log that this record stands in. The roots sign it with the
    /// rest, so that what they signed for one log cannot be put into another.
    pub successor: Digest,
    /// Why.
    pub reason: Word<SuccessionReason>,
    /// More about it, for people: a line in each language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Texts>,
}

impl LogSuccession {
    /// The earlier log's key, and the checkpoint from which the new log goes on.
    ///
    /// # Errors
    /// With the place and the remedy.
    pub fn open(&self) -> Result<(VerifierKey, SignedCheckpoint), Invalid> {
        let wrong = |pointer: &str, error: &dyn std::fmt::Display| Invalid::at(pointer, error.to_string());
        let key: VerifierKey = self.predecessor.parse().map_err(|error| wrong("/predecessor", &error))?;
        let base = checkpoint::open(self.base.as_bytes(), &key).map_err(|error| wrong("/base", &error))?;
        Ok((key, base))
    }
}

impl Body for LogSuccession {
    const KIND: Kind = Kind::LogSuccession;

    fn validate(&self, header: &Header) -> Result<(), Invalid> {
        let (key, base) = self.open()?;
        if *key.name() == *header.log.as_str() {
            return Err(Invalid::at("/predecessor", "has the name of the new log; choose another origin"));
        }
        if base.checkpoint().size == 0 {
            return Err(Invalid::at("/base", "has no entries, so there is nothing to succeed"));
        }
        self.statement.as_ref().map_or(Ok(()), |statement| check_lines("/statement", statement))
    }

    fn validate_new(&self, _: &Header) -> Result<(), Invalid> {
        check_known("/reason", &self.reason)
    }

    fn subjects(&self, _: &Header) -> Vec<Subject> {
        vec![Subject::new("predecessor", self.fingerprint), Subject::new("base", Digest::of(self.base.as_bytes()))]
    }
}
