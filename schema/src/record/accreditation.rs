//! The accreditation: a nation recognises another by its fingerprint (letters of credence).
//! It takes effect for the nation that signs it, and for no one else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Header, Invalid, Kind, check_all_known, check_assigned, check_distinct};
use crate::digest::Digest;
use crate::name::{Nation, Origin};
use crate::statement::Subject;
use crate::time::Timestamp;
use crate::word::Word;

/// What the partner is recognised for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Its log is mirrored.
    Mirror,
    /// Its log is cosigned.
    Cosign,
    /// Licenses may be exchanged with it.
    Exchange,
}

/// How much of a partner's log is mirrored; beyond it the mirror stops and says so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// Entries in a day.
    pub entries_per_day: u64,
    /// Bytes of envelopes and blobs in a day.
    pub bytes_per_day: u64,
}

/// The newest accreditation of a fingerprint replaces the ones before; one without scopes ends it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accreditation {
    /// The code under which the partner is recognised.
    pub partner: Nation,
    /// The record digest of the partner's first charter.
    pub fingerprint: Digest,
    /// The origin of the partner's log.
    pub partner_log: Origin,
    /// What for.
    pub scopes: Vec<Word<Scope>>,
    /// How much; without it, what the protocol allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// Until when; without it, until it is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

impl Body for Accreditation {
    const KIND: Kind = Kind::Accreditation;

    fn validate(&self, header: &Header) -> Result<(), Invalid> {
        check_distinct("/scopes", &self.scopes)?;
        if self.partner_log == header.log {
            return Err(Invalid::at("/partnerLog", "is the nation's own log"));
        }
        if self.partner == header.nation {
            return Err(Invalid::at("/partner", "is the nation's own code"));
        }
        if self.valid_until.is_some_and(|until| until <= header.issued_at) {
            return Err(Invalid::at("/validUntil", "must be later than issuedAt"));
        }
        Ok(())
    }

    fn validate_new(&self, _: &Header) -> Result<(), Invalid> {
        check_all_known("/scopes", &self.scopes)?;
        check_assigned("/partner", [&self.partner])
    }

    fn subjects(&self, _: &Header) -> Vec<Subject> {
        vec![Subject::new(self.partner_log.as_str(), self.fingerprint)]
    }
}
