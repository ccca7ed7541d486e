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

/// A predicate type is this, the kind, `:v` and the version.
pub const PREDICATE_PREFIX: &str = "urn:chancery:predicate:";

/// The version of every predicate type that this version writes and reads.
pub const VERSION: u32 = 1;

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
    /// The version of the predicate type.
    pub version: u32,
    /// What it says.
    pub predicate: Value,
}

/// Why a payload is not a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not JSON that reads in one way.
    #[error("the statement is {0}")]
    Json(json::NotStrict),
    /// A member is missing or malformed.
    #[error("the statement's {0} is missing or malformed")]
    Member(&'static str),
}

impl From<json::NotStrict> for StatementError {
    fn from(error: json::NotStrict) -> Self {
        Self::Json(error)
    }
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
        let predicate_type = statement.get("predicateType").and_then(Value::as_str).and_then(read_predicate_type);
        let (kind, version) = predicate_type.ok_or(StatementError::Member("predicateType"))?;
        let kind = kind.to_owned();
        let source = statement.get_mut("subject").map(Value::take).unwrap_or_default();
        let subject = Vec::<Subject>::deserialize(&source).map_err(|_| StatementError::Member("subject"))?;
        if json::differs(&source, &json!(subject)).is_some() || !(1..=LIST_ITEMS_MAX).contains(&subject.len()) {
            return Err(StatementError::Member("subject"));
        }
        let predicate = statement.get_mut("predicate").map(Value::take).filter(Value::is_object);
        let predicate = predicate.ok_or(StatementError::Member("predicate"))?;
        Ok(Self { subject, kind, version, predicate })
    }

    /// Writes the payload that will be signed.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        let statement = json!({
            "_type": STATEMENT_TYPE,
            "subject": self.subject,
            "predicateType": format!("{PREDICATE_PREFIX}{}:v{}", self.kind, self.version),
            "predicate": self.predicate,
        });
        statement.to_string().into_bytes()
    }
}

/// Kind and version in one of our predicate types: `[a-z][a-z-]{0,31}`, and a number from 1 on without
/// leading zeros.
fn read_predicate_type(text: &str) -> Option<(&str, u32)> {
    let (kind, version) = text.strip_prefix(PREDICATE_PREFIX)?.rsplit_once(":v")?;
    let well_formed = kind.len() <= 32
        && kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let version = version.parse().ok().filter(|number: &u32| *number >= 1 && number.to_string() == version)?;
    well_formed.then_some((kind, version))
}
