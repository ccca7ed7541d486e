//! The revocation: from some position of the log on, a key is not trusted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Header, Invalid, Kind, check_distinct};
use crate::digest::Digest;
use crate::statement::Subject;

/// Why a key is not trusted any more, which says what becomes of what it signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is not used any more. What it signed stays.
    Retired,
    /// Nobody has it any more. What it signed stays.
    Lost,
    /// Others may have used it from a position on. What it signed there is void, and what came before stays.
    CompromisedSince,
    /// Others may have used it, and nobody knows since when. All that it signed is contested until the
    /// roots affirm it.
    CompromisedUnknown,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Retired, Self::Lost, Self::CompromisedSince, Self::CompromisedUnknown];

    /// The reason's one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retired => "retired",
            Self::Lost => "lost",
            Self::CompromisedSince => "compromised-since",
            Self::CompromisedUnknown => "compromised-unknown",
        }
    }
}

/// One key's end. It is not taken back: whoever held the key asks for another one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revocation {
    /// The key's id.
    pub key: Digest,
    /// Why.
    pub reason: Reason,
    /// With `compromised-since`, the first position of the log at which the key is not trusted. Otherwise it
    /// is not trusted from this record's own position on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// With `compromised-unknown`, the digests of records that stand all the same, for which the roots vouch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affirms: Vec<Digest>,
}

impl Body for Revocation {
    const KIND: Kind = Kind::Revocation;

    fn validate(&self, _: &Header) -> Result<(), Invalid> {
        check_distinct("/affirms", &self.affirms)?;
        if (self.reason == Reason::CompromisedSince) != self.since.is_some() {
            return Err(Invalid::at("/since", "is for the reason compromised-since, which needs it"));
        }
        if self.reason != Reason::CompromisedUnknown && !self.affirms.is_empty() {
            return Err(Invalid::at("/affirms", "is for the reason compromised-unknown"));
        }
        Ok(())
    }

    fn subjects(&self, _: &Header) -> Vec<Subject> {
        vec![Subject::new("key", self.key)]
    }
}
