//! Records: the kinds of statement that nations sign.
//!
//! Every predicate is one JSON object of two parts: the [`Header`], the same for all kinds, and a
//! body, one Rust type for each kind. Members that a type does not know stay in the signed payload,
//! byte for byte.

mod accreditation;
mod charter;
mod delegation;
mod endpoint;
mod erasure_receipt;
mod evidence;
mod license;
mod log_succession;
mod model_card;
mod redaction;
mod revocation;
mod text;
mod weights;
mod withdrawal;

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::accreditation::*;
pub use self::charter::*;
pub use self::delegation::*;
pub use self::endpoint::*;
pub use self::erasure_receipt::*;
pub use self::evidence::*;
pub use self::license::*;
pub use self::log_succession::*;
pub use self::model_card::*;
pub use self::redaction::*;
pub use self::revocation::*;
pub use self::text::*;
pub use self::weights::*;
pub use self::withdrawal::*;
use crate::base64;
use crate::digest::Digest;
use crate::json;
use crate::key::Role;
use crate::limits::LIST_ITEMS_MAX;
use crate::name::{Nation, Origin};
use crate::statement::{Statement, StatementError, Subject, VERSION};
use crate::time::Timestamp;

/// The kinds of record that this version reads. Others are kept, mirrored and shown as unknown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A nation's own keys.
    Charter,
    /// A key that may speak for the nation.
    Delegation,
    /// A key that is not trusted any more.
    Revocation,
    /// Where the nation's node can be reached.
    Endpoint,
    /// Another nation is recognised.
    Accreditation,
    /// A log has two histories.
    Evidence,
    /// What a model is.
    ModelCard,
    /// The files of a model and their digests.
    Weights,
    /// The terms on which a model may be used.
    License,
    /// A nation no longer stands by a record.
    Withdrawal,
    /// The body of a record is erased.
    Redaction,
    /// A node has erased a body.
    ErasureReceipt,
    /// A log takes the place of an earlier one.
    LogSuccession,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Charter,
        Self::Delegation,
        Self::Revocation,
        Self::Endpoint,
        Self::Accreditation,
        Self::Evidence,
        Self::ModelCard,
        Self::Weights,
        Self::License,
        Self::Withdrawal,
        Self::Redaction,
        Self::ErasureReceipt,
        Self::LogSuccession,
    ];

    /// The kind's one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charter => "charter",
            Self::Delegation => "delegation",
            Self::Revocation => "revocation",
            Self::Endpoint => "endpoint",
            Self::Accreditation => "accreditation",
            Self::Evidence => "evidence",
            Self::ModelCard => "model-card",
            Self::Weights => "weights",
            Self::License => "license",
            Self::Withdrawal => "withdrawal",
            Self::Redaction => "redaction",
            Self::ErasureReceipt => "erasure-receipt",
            Self::LogSuccession => "log-succession",
        }
    }

    /// The kind called `word`, when this version knows it.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The roles whose keys may sign this kind.
    #[must_use]
    pub const fn signers(self) -> &'static [Role] {
        match self {
            Self::Charter | Self::LogSuccession => &[Role::Root],
            Self::Delegation => &[Role::Registrar],
            Self::Revocation => &[Role::Registrar, Role::Root],
            Self::Endpoint | Self::Evidence | Self::ErasureReceipt => &[Role::Registrar, Role::Node],
            Self::Accreditation => &[Role::Exchange],
            Self::ModelCard | Self::Weights | Self::License => &[Role::Publisher],
            Self::Withdrawal | Self::Redaction => &[Role::Registrar, Role::Publisher],
        }
    }

    /// Whether records of this kind may be withdrawn, and redacted. Keys, and what nations say of each other,
    /// never are: verdicts rest on them.
    #[must_use]
    pub const fn may_end(self) -> bool {
        matches!(self, Self::ModelCard | Self::Weights | Self::License)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Sixteen random bytes in base64: records reveal nothing guessable by their digest, and no two are
/// the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// Takes 16 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl Serialize for Nonce {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Nonce {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = base64::decode(&text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("expected 16 random bytes in base64"))
    }
}

impl JsonSchema for Nonce {
    fn schema_name() -> Cow<'static, str> {
        "Nonce".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Sixteen random bytes in base64.",
            "pattern": "^[A-Za-z0-9+/]{21}[AQgw]==$"
        })
    }
}

/// What every predicate begins with: it binds the signature to a nation and to its log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// Sixteen random bytes.
    pub nonce: Nonce,
    /// For which nation the signer speaks.
    pub nation: Nation,
    /// The origin of the log that this record is for.
    pub log: Origin,
    /// When the signer says it was signed: a claim.
    pub issued_at: Timestamp,
    /// The nations that are addressed, where the record is not for everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Vec<Nation>>,
}

/// Bytes beside the record: too large for it, named by their digest, mirrored with it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlobRef {
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    /// How many bytes.
    pub size_bytes: u64,
    /// What they are (RFC 6838).
    pub media_type: String,
}

/// What a body says wrongly, with the JSON pointer of the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {problem}")]
pub struct Invalid {
    /// Where (RFC 6901), within the predicate.
    pub pointer: String,
    /// What is wrong and how to mend it.
    pub problem: String,
}

impl Invalid {
    /// A problem at a place.
    pub fn at(pointer: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), problem: problem.into() }
    }
}

/// The body of one kind of record.
pub trait Body: Serialize + DeserializeOwned + JsonSchema {
    /// The kind whose body this is.
    const KIND: Kind;

    /// Checks what the types cannot say: bounds, and that the parts agree.
    ///
    /// # Errors
    /// With the place and the remedy.
    fn validate(&self, header: &Header) -> Result<(), Invalid>;

    /// Checks what is asked of a new record besides, by its own nation's node: whatever rests on tables
    /// that change with the years, such as Unicode's or the list of nations. Mirrors do not ask it, so
    /// that all judge alike for ever.
    ///
    /// # Errors
    /// With the place and the remedy.
    fn validate_new(&self, _header: &Header) -> Result<(), Invalid> {
        Ok(())
    }

    /// The subjects that the statement must have, exactly.
    fn subjects(&self, header: &Header) -> Vec<Subject>;

    /// The blobs that belong to the record.
    fn blobs(&self) -> Vec<BlobRef> {
        Vec::new()
    }

    /// The records of the same log that must come before this one, with their kinds.
    fn references(&self) -> Vec<(Kind, Digest)> {
        Vec::new()
    }

    /// The path below `urn:chancery:<nation>` for which a publisher's key needs authority.
    fn scope(&self) -> Option<String> {
        None
    }
}

/// A record's body, of a kind that this version knows.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "each variant is named after its type")]
pub enum Record {
    Charter(Box<Charter>),
    Delegation(Box<Delegation>),
    Revocation(Box<Revocation>),
    Endpoint(Box<Endpoint>),
    Accreditation(Box<Accreditation>),
    Evidence(Box<Evidence>),
    ModelCard(Box<ModelCard>),
    Weights(Box<Weights>),
    License(Box<License>),
    Withdrawal(Box<Withdrawal>),
    Redaction(Box<Redaction>),
    ErasureReceipt(Box<ErasureReceipt>),
    LogSuccession(Box<LogSuccession>),
}

/// Calls a method of [`Body`] on whichever body a record has.
macro_rules! each_body {
    ($record:expr, $body:ident => $call:expr) => {
        match $record {
            Record::Charter($body) => $call,
            Record::Delegation($body) => $call,
            Record::Revocation($body) => $call,
            Record::Endpoint($body) => $call,
            Record::Accreditation($body) => $call,
            Record::Evidence($body) => $call,
            Record::ModelCard($body) => $call,
            Record::Weights($body) => $call,
            Record::License($body) => $call,
            Record::Withdrawal($body) => $call,
            Record::Redaction($body) => $call,
            Record::ErasureReceipt($body) => $call,
            Record::LogSuccession($body) => $call,
        }
    };
}

/// Why a statement is not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The payload is not a statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The predicate is not what its kind asks for.
    #[error("the {kind} is not well formed: {invalid}")]
    Predicate {
        /// Of which kind it claims to be.
        kind: String,
        /// Where and why.
        invalid: Invalid,
    },
    /// A newer version's kind, perhaps.
    #[error("records of kind `{0}` are unknown to this version")]
    UnknownKind(String),
    /// The statement speaks of other bytes than its predicate.
    #[error("the subjects of the statement are not those of its predicate")]
    Subjects,
}

impl RecordError {
    /// What is wrong with the predicate of a record.
    #[must_use]
    pub fn of(kind: Kind, invalid: Invalid) -> Self {
        Self::Predicate { kind: kind.as_str().to_owned(), invalid }
    }
}

impl Record {
    /// Reads header and body of a statement and checks that its parts agree.
    ///
    /// # Errors
    /// When the kind is unknown, or the predicate or the subjects are not as the kind asks.
    pub fn read(statement: &Statement) -> Result<(Header, Self), RecordError> {
        let Some(kind) = Kind::from_word(&statement.kind).filter(|_| statement.version == VERSION) else {
            return Err(RecordError::UnknownKind(format!("{}:v{}", statement.kind, statement.version)));
        };
        let wrong = |invalid| RecordError::of(kind, invalid);
        let header: Header = from_value(&statement.predicate).map_err(wrong)?;
        if header.audience.as_ref().is_some_and(|audience| audience.len() > LIST_ITEMS_MAX) {
            return Err(wrong(Invalid::at("/audience", "too many nations")));
        }
        let record = match kind {
            Kind::Charter => from_value(&statement.predicate).map(Self::Charter),
            Kind::Delegation => from_value(&statement.predicate).map(Self::Delegation),
            Kind::Revocation => from_value(&statement.predicate).map(Self::Revocation),
            Kind::Endpoint => from_value(&statement.predicate).map(Self::Endpoint),
            Kind::Accreditation => from_value(&statement.predicate).map(Self::Accreditation),
            Kind::Evidence => from_value(&statement.predicate).map(Self::Evidence),
            Kind::ModelCard => from_value(&statement.predicate).map(Self::ModelCard),
            Kind::Weights => from_value(&statement.predicate).map(Self::Weights),
            Kind::License => from_value(&statement.predicate).map(Self::License),
            Kind::Withdrawal => from_value(&statement.predicate).map(Self::Withdrawal),
            Kind::Redaction => from_value(&statement.predicate).map(Self::Redaction),
            Kind::ErasureReceipt => from_value(&statement.predicate).map(Self::ErasureReceipt),
            Kind::LogSuccession => from_value(&statement.predicate).map(Self::LogSuccession),
        };
        let record = record.map_err(wrong)?;
        each_body!(&record, body => body.validate(&header)).map_err(wrong)?;
        if each_body!(&record, body => body.subjects(&header)) != statement.subject {
            return Err(RecordError::Subjects);
        }
        Ok((header, record))
    }

    /// As [`Record::read`], with what is asked of a new record; see [`Body::validate_new`].
    ///
    /// # Errors
    /// As [`Record::read`], and when something in it is not for a new record.
    pub fn read_new(statement: &Statement) -> Result<(Header, Self), RecordError> {
        let (header, record) = Self::read(statement)?;
        record.validate_new(&header).map_err(|invalid| RecordError::of(record.kind(), invalid))?;
        Ok((header, record))
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Charter(_) => Kind::Charter,
            Self::Delegation(_) => Kind::Delegation,
            Self::Revocation(_) => Kind::Revocation,
            Self::Endpoint(_) => Kind::Endpoint,
            Self::Accreditation(_) => Kind::Accreditation,
            Self::Evidence(_) => Kind::Evidence,
            Self::ModelCard(_) => Kind::ModelCard,
            Self::Weights(_) => Kind::Weights,
            Self::License(_) => Kind::License,
            Self::Withdrawal(_) => Kind::Withdrawal,
            Self::Redaction(_) => Kind::Redaction,
            Self::ErasureReceipt(_) => Kind::ErasureReceipt,
            Self::LogSuccession(_) => Kind::LogSuccession,
        }
    }

    /// See [`Body::validate_new`]; the nations of the header, too, are asked to be nations.
    ///
    /// # Errors
    /// With the place and the remedy.
    pub fn validate_new(&self, header: &Header) -> Result<(), Invalid> {
        check_assigned("/nation", [&header.nation])?;
        check_assigned("/audience", header.audience.iter().flatten())?;
        each_body!(self, body => body.validate_new(header))
    }

    /// See [`Body::blobs`].
    #[must_use]
    pub fn blobs(&self) -> Vec<BlobRef> {
        each_body!(self, body => body.blobs())
    }

    /// See [`Body::references`].
    #[must_use]
    pub fn references(&self) -> Vec<(Kind, Digest)> {
        each_body!(self, body => body.references())
    }

    /// The kind of the record that this one ends, when it is a withdrawal or a redaction.
    #[must_use]
    pub fn ends(&self) -> Option<Kind> {
        match self {
            Self::Withdrawal(withdrawal) => Some(withdrawal.kind),
            Self::Redaction(redaction) => Some(redaction.kind),
            _ => None,
        }
    }

    /// See [`Body::scope`].
    #[must_use]
    pub fn scope(&self) -> Option<String> {
        each_body!(self, body => body.scope())
    }
}

/// Makes the payload of a record from a draft: the body's JSON object, whatever members it has.
/// What the header says goes before what the draft says.
///
/// # Errors
/// When the draft is not a body of this kind.
pub fn payload(kind: Kind, header: &Header, draft: &Map<String, Value>) -> Result<Vec<u8>, RecordError> {
    let Ok(Value::Object(mut predicate)) = serde_json::to_value(header) else {
        unreachable!("a header is written as a JSON object");
    };
    for (member, value) in draft {
        predicate.entry(member).or_insert_with(|| value.clone());
    }
    let predicate = Value::Object(predicate);
    let subject = subjects(kind, header, &predicate)?;
    let payload = Statement { subject, kind: kind.as_str().to_owned(), version: VERSION, predicate }.to_payload();
    Record::read(&Statement::parse(&payload)?)?;
    Ok(payload)
}

fn subjects(kind: Kind, header: &Header, predicate: &Value) -> Result<Vec<Subject>, RecordError> {
    fn of<B: Body>(header: &Header, predicate: &Value) -> Result<Vec<Subject>, Invalid> {
        let body: B = from_value(predicate)?;
        body.validate(header)?;
        Ok(body.subjects(header))
    }
    let subjects = match kind {
        Kind::Charter => of::<Charter>(header, predicate),
        Kind::Delegation => of::<Delegation>(header, predicate),
        Kind::Revocation => of::<Revocation>(header, predicate),
        Kind::Endpoint => of::<Endpoint>(header, predicate),
        Kind::Accreditation => of::<Accreditation>(header, predicate),
        Kind::Evidence => of::<Evidence>(header, predicate),
        Kind::ModelCard => of::<ModelCard>(header, predicate),
        Kind::Weights => of::<Weights>(header, predicate),
        Kind::License => of::<License>(header, predicate),
        Kind::Withdrawal => of::<Withdrawal>(header, predicate),
        Kind::Redaction => of::<Redaction>(header, predicate),
        Kind::ErasureReceipt => of::<ErasureReceipt>(header, predicate),
        Kind::LogSuccession => of::<LogSuccession>(header, predicate),
    };
    subjects.map_err(|invalid| RecordError::of(kind, invalid))
}

/// Reads a type and, when that fails, says at which place.
fn from_value<T: Serialize + DeserializeOwned>(value: &Value) -> Result<T, Invalid> {
    let read: T = serde_path_to_error::deserialize(value).map_err(|error| {
        use serde_path_to_error::Segment::{Enum, Map, Seq, Unknown};
        let steps = error.path().iter().map(|segment| match segment {
            Seq { index } => format!("/{index}"),
            Map { key } => format!("/{}", json::escaped(key)),
            Enum { .. } | Unknown => String::new(),
        });
        let pointer: String = steps.collect();
        Invalid::at(pointer, error.into_inner().to_string())
    })?;
    let written = serde_json::to_value(&read).map_err(|error| Invalid::at("", error.to_string()))?;
    match json::differs(value, &written) {
        Some(pointer) => Err(Invalid::at(pointer, "has another form than its type is written in")),
        None => Ok(read),
    }
}

/// The predicate of one kind as JSON Schema describes it: header and body in one object.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Predicate<B> {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    body: B,
}

/// The JSON Schema (draft 2020-12) of a kind's predicate.
#[must_use]
pub fn json_schema(kind: Kind) -> Value {
    fn of<B: Body>() -> Value {
        let mut schema = schemars::schema_for!(Predicate<B>);
        schema.insert("$id".to_owned(), format!("urn:chancery:predicate:{}:v1", B::KIND).into());
        schema.insert("title".to_owned(), B::KIND.as_str().into());
        schema.to_value()
    }
    match kind {
        Kind::Charter => of::<Charter>(),
        Kind::Delegation => of::<Delegation>(),
        Kind::Revocation => of::<Revocation>(),
        Kind::Endpoint => of::<Endpoint>(),
        Kind::Accreditation => of::<Accreditation>(),
        Kind::Evidence => of::<Evidence>(),
        Kind::ModelCard => of::<ModelCard>(),
        Kind::Weights => of::<Weights>(),
        Kind::License => of::<License>(),
        Kind::Withdrawal => of::<Withdrawal>(),
        Kind::Redaction => of::<Redaction>(),
        Kind::ErasureReceipt => of::<ErasureReceipt>(),
        Kind::LogSuccession => of::<LogSuccession>(),
    }
}
