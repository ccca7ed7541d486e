//! The redaction: the body of a record is erased wherever it lies, and its entry stays in the log.
//!
//! Whoever joins later never sees the record. So the redaction says of it what others rest on: a mirror that
//! holds the body compares, and one that does not has the same verdicts on all other records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Body, Header, Invalid, Kind, Texts, check_distinct, check_ending, check_known, check_lines, check_version,
};
use crate::digest::Digest;
use crate::limits::SIGNATURES_MAX;
use crate::name::Name;
use crate::statement::Subject;
use crate::word::Word;

/// Why a body is erased.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedactionReason {
    /// It says something about a person.
    PersonalData,
    /// It gives away a secret, such as a password.
    Secret,
    /// It helps to do harm.
    Safety,
    /// Somebody else has rights in it.
    Rights,
    /// A law or a court asks for it.
    Law,
    /// As its statement says.
    Other,
}

impl RedactionReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [Self::PersonalData, Self::Secret, Self::Safety, Self::Rights, Self::Law, Self::Other];

    /// The reason's one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PersonalData => "personal-data",
            Self::Secret => "secret",
            Self::Safety => "safety",
            Self::Rights => "rights",
            Self::Law => "law",
            Self::Other => "other",
        }
    }
}

/// One record's erasure. What is erased does not come back, whatever becomes of the key that signed this.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Redaction {
    /// The record's kind: model-card, weights or license.
    pub kind: Kind,
    /// The record's digest.
    pub redacts: Digest,
    /// Of what the record speaks, as `<org>:<name>`.
    pub scope: String,
    /// The record's position in the log.
    pub index: u64,
    /// The version of which a model card speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Name>,
    /// The ids of the keys that signed the record, ascending.
    pub signers: Vec<Digest>,
    /// Why.
    pub reason: Word<RedactionReason>,
    /// More about it, for people, and nothing of what is erased: a line in each language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Texts>,
}

impl Body for Redaction {
    const KIND: Kind = Kind::Redaction;

    fn validate(&self, _: &Header) -> Result<(), Invalid> {
        check_ending(self.kind, &self.scope)?;
        if (self.kind == Kind::ModelCard) != self.version.is_some() {
            return Err(Invalid::at("/version", "is for a model card, which needs it"));
        }
        if let Some(version) = &self.version {
            check_version("/version", version)?;
        }
        check_distinct("/signers", &self.signers)?;
        if self.signers.is_empty() || self.signers.len() > SIGNATURES_MAX || !self.signers.is_sorted() {
            let problem = format!("are 1 to {SIGNATURES_MAX} ids of keys, in ascending order");
            return Err(Invalid::at("/signers", problem));
        }
        self.statement.as_ref().map_or(Ok(()), |statement| check_lines("/statement", statement))
    }

    fn validate_new(&self, _: &Header) -> Result<(), Invalid> {
        check_known("/reason", &self.reason)
    }

    fn subjects(&self, _: &Header) -> Vec<Subject> {
        vec![Subject::new(self.scope.as_str(), self.redacts)]
    }

    fn references(&self) -> Vec<(Kind, Digest)> {
        vec![(self.kind, self.redacts)]
    }

    fn scope(&self) -> Option<String> {
        Some(self.scope.clone())
    }
}
