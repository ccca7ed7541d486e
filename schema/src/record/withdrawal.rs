//! The withdrawal: a nation no longer stands by a record. It stays readable, and says that it has ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Header, Invalid, Kind, Texts, check_ending, check_known, check_lines};
use crate::digest::Digest;
use crate::statement::Subject;
use crate::word::Word;

/// Why a record is withdrawn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawalReason {
    /// It is not offered or kept up any more.
    Retired,
    /// Another one takes its place.
    Replaced,
    /// It says something that is not so.
    Error,
    /// What it describes is not safe to use.
    Safety,
    /// Somebody else has rights in it.
    Rights,
    /// A law or a court asks for it.
    Law,
    /// As its statement says.
    Other,
}

impl WithdrawalReason {
    /// Every reason.
    pub const ALL: [Self; 7] =
        [Self::Retired, Self::Replaced, Self::Error, Self::Safety, Self::Rights, Self::Law, Self::Other];

    /// The reason's one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retired => "retired",
            Self::Replaced => "replaced",
            Self::Error => "error",
            Self::Safety => "safety",
            Self::Rights => "rights",
            Self::Law => "law",
            Self::Other => "other",
        }
    }
}

/// One record's end. It is not taken back, and the version that a withdrawn card spoke of is nobody's again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Withdrawal {
    /// The record's kind: model-card, weights or license.
    pub kind: Kind,
    /// The record's digest.
    pub withdraws: Digest,
    /// Of what the record speaks, as `<org>:<name>`.
    pub scope: String,
    /// Why.
    pub reason: Word<WithdrawalReason>,
    /// More about it, for people: a line in each language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Texts>,
}

impl Body for Withdrawal {
    const KIND: Kind = Kind::Withdrawal;

    fn validate(&self, _: &Header) -> Result<(), Invalid> {
        check_ending(self.kind, &self.scope)?;
        self.statement.as_ref().map_or(Ok(()), |statement| check_lines("/statement", statement))
    }

    fn validate_new(&self, _: &Header) -> Result<(), Invalid> {
        check_known("/reason", &self.reason)
    }

    fn subjects(&self, _: &Header) -> Vec<Subject> {
        vec![Subject::new(self.scope.as_str(), self.withdraws)]
    }

    fn references(&self) -> Vec<(Kind, Digest)> {
        vec![(self.kind, self.withdraws)]
    }

    fn scope(&self) -> Option<String> {
        Some(self.scope.clone())
    }
}
