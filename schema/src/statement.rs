//! in-toto statements: what a record says, and about which bytes.
//!
//! Follows <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::digest::Digest;
use crate::json;
use crate::limits::LIST_ITEMS_MAX;

/// The type of every statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// A predicate type is this, the kind, and [`PREDICATE_SUFFIX`].
pub const PREDICATE_PREFIX: &str = "urn:chancery:predicate:";

/// The version that ends our predicate types.
pub const PREDICATE_SUFFIX: &str = ":v1";

/// Bytes that a statement is about, named by their digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// What the bytes are called.
    pub name: String,
    /// SHA-256 of the bytes.
    pub digest: SubjectDigest,
}

/// The digests of a subject: ours carry SHA-256.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SubjectDigest {
    /// SHA-256.
    pub sha256: Digest,
}

impl Subject {
    /// The subject called `name` whose bytes have the digest `sha256`.
    #[must_use]
    pub fn new(name: impl Into<String>, sha256: Digest) -> Self {
        Self { name: name.into(), digest: SubjectDigest { sha256 } }
    }
}

/// A statement, read but not verified.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// What it is about; at least one.
    pub subject: Vec<Subject>,
    /// The kind of record: the predicate type without prefix and version.
    pub kind: String,
    /// What it says.
    pub predicate: Value,
}

/// Why a payload is not a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not JSON that reads in one way.
    #[error("the statement is {0}")]
    Json(#[from] json::NotStrict),
    /// A member is missing or malformed.
    #[error("the statement's {0} is missing or malformed")]
    Member(&'static str),
}

impl Statement {
    /// Reads a payload. Unknown members are kept in the payload and ignored here.
    ///
    /// # Errors
    /// When the payload is ambiguous or not a statement of one of our predicate types.
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        let mut statement = json::parse(payload)?;
        if statement.get("_type").and_then(Value::as_str) != Some(STATEMENT_TYPE) {
            return Err(StatementError::Member("_type"));
        }
        let kind = statement.get("predicateType").and_then(Value::as_str).and_then(kind_of_predicate_type);
        let kind = kind.ok_or(StatementError::Member("predicateType"))?.to_owned();
        let subject = statement.get_mut("subject").map(Value::take).unwrap_or_default();
        let subject: Vec<Subject> = serde_json::from_value(subject).map_err(|_| StatementError::Member("subject"))?;
        if !(1..=LIST_ITEMS_MAX).contains(&subject.len()) {
            return Err(StatementError::Member("subject"));
        }
        let predicate = statement.get_mut("predicate").map(Value::take).filter(Value::is_object);
        let predicate = predicate.ok_or(StatementError::Member("predicate"))?;
        Ok(Self { subject, kind, predicate })
    }

    /// Writes the payload that will be signed.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        let statement = json!({
            "_type": STATEMENT_TYPE,
            "subject": self.subject,
            "predicateType": format!("{PREDICATE_PREFIX}{}{PREDICATE_SUFFIX}", self.kind),
            "predicate": self.predicate,
        });
        statement.to_string().into_bytes()
    }
}

/// The kind in one of our predicate types: `[a-z][a-z-]{0,31}`.
fn kind_of_predicate_type(text: &str) -> Option<&str> {
    let kind = text.strip_prefix(PREDICATE_PREFIX)?.strip_suffix(PREDICATE_SUFFIX)?;
    let well_formed = kind.len() <= 32
        && kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    well_formed.then_some(kind)
}
