//! Refusals: why a record does not count, for programs and for people.

use serde::{Deserialize, Serialize};

use crate::envelope::EnvelopeError;
use crate::record::RecordError;

/// Why a record was not admitted, in one word for programs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "Code::meaning says what each means")]
pub enum Code {
    Malformed,
    TooLarge,
    KindUnknown,
    WrongLog,
    CharterMissing,
    CharterNotNext,
    KeyUnknown,
    KeyNotAuthorised,
    KeyExpired,
    KeyRevoked,
    PositionAhead,
    SignatureInvalid,
    ThresholdNotMet,
    AlgorithmMissing,
    CharterExpired,
    AlreadyEntered,
    IssuedInFuture,
    ReferenceUnknown,
    ReferenceForeign,
    ReferenceVoid,
    BlobMissing,
    VersionTaken,
    SupersedesUnknown,
    ReferenceEnded,
    VersionEnded,
    SuccessionMisplaced,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 26] = [
        Self::Malformed,
        Self::TooLarge,
        Self::KindUnknown,
        Self::WrongLog,
        Self::CharterMissing,
        Self::CharterNotNext,
        Self::KeyUnknown,
        Self::KeyNotAuthorised,
        Self::KeyExpired,
        Self::KeyRevoked,
        Self::PositionAhead,
        Self::SignatureInvalid,
        Self::ThresholdNotMet,
        Self::AlgorithmMissing,
        Self::CharterExpired,
        Self::AlreadyEntered,
        Self::IssuedInFuture,
        Self::ReferenceUnknown,
        Self::ReferenceForeign,
        Self::ReferenceVoid,
        Self::BlobMissing,
        Self::VersionTaken,
        Self::SupersedesUnknown,
        Self::ReferenceEnded,
        Self::VersionEnded,
        Self::SuccessionMisplaced,
    ];

    /// The code's one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too-large",
            Self::KindUnknown => "kind-unknown",
            Self::WrongLog => "wrong-log",
            Self::CharterMissing => "charter-missing",
            Self::CharterNotNext => "charter-not-next",
            Self::KeyUnknown => "key-unknown",
            Self::KeyNotAuthorised => "key-not-authorised",
            Self::KeyExpired => "key-expired",
            Self::KeyRevoked => "key-revoked",
            Self::PositionAhead => "position-ahead",
            Self::SignatureInvalid => "signature-invalid",
            Self::ThresholdNotMet => "threshold-not-met",
            Self::AlgorithmMissing => "algorithm-missing",
            Self::CharterExpired => "charter-expired",
            Self::AlreadyEntered => "already-entered",
            Self::IssuedInFuture => "issued-in-future",
            Self::ReferenceUnknown => "reference-unknown",
            Self::ReferenceForeign => "reference-foreign",
            Self::ReferenceVoid => "reference-void",
            Self::BlobMissing => "blob-missing",
            Self::VersionTaken => "version-taken",
            Self::SupersedesUnknown => "supersedes-unknown",
            Self::ReferenceEnded => "reference-ended",
            Self::VersionEnded => "version-ended",
            Self::SuccessionMisplaced => "succession-misplaced",
        }
    }

    /// The code called `word`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}

/// Why a record was not admitted: data, with a reason that a person can read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{reason} ({})", code.as_str())]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people.
    pub reason: String,
}

pub(super) fn refuse(code: Code, reason: impl Into<String>) -> Refusal {
    Refusal { code, reason: reason.into() }
}

impl From<EnvelopeError> for Refusal {
    fn from(error: EnvelopeError) -> Self {
        let code = if error == EnvelopeError::TooLarge { Code::TooLarge } else { Code::Malformed };
        refuse(code, error.to_string())
    }
}

impl From<RecordError> for Refusal {
    fn from(error: RecordError) -> Self {
        let code = if matches!(error, RecordError::UnknownKind(_)) { Code::KindUnknown } else { Code::Malformed };
        refuse(code, error.to_string())
    }
}
