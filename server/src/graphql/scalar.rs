//! Scalars of our own: text and numbers with a rule.
//!
//! Each reads only what it writes. They are carried as text, except [`Count`].

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chancery_schema::time::Timestamp;
use chancery_schema::{base64, digest};

/// A SHA-256 digest: 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(pub digest::Digest);

/// A point in time, to the second, UTC: `2026-11-24T12:00:00Z` (RFC 3339).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DateTime(pub Timestamp);

/// Bytes in base64, standard alphabet, padded (RFC 4648, section 4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Base64(pub Vec<u8>);

/// A whole number from 0 to 9007199254740991 (2^53 - 1), which every JSON reader reads exactly.
/// `Int` would end at 2147483647.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count(pub u64);

/// A SHA-256 digest: 64 lowercase hexadecimal digits.
#[Scalar(name = "Digest", specified_by_url = "https://csrc.nist.gov/pubs/fips/180-4/upd1/final")]
impl ScalarType for Digest {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(text(&value)?.parse().map_err(InputValueError::custom)?))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A point in time, to the second, UTC: `2026-11-24T12:00:00Z` (RFC 3339).
#[Scalar(name = "DateTime", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(text(&value)?.parse().map_err(InputValueError::custom)?))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Bytes in base64, standard alphabet, padded (RFC 4648, section 4).
#[Scalar(name = "Base64", specified_by_url = "https://www.rfc-editor.org/rfc/rfc4648#section-4")]
impl ScalarType for Base64 {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(base64::decode(text(&value)?).map_err(InputValueError::custom)?))
    }

    fn to_value(&self) -> Value {
        Value::String(base64::encode(&self.0))
    }
}

/// A whole number from 0 to 9007199254740991 (2^53 - 1), which every JSON reader reads exactly.
/// `Int` would end at 2147483647.
#[Scalar(name = "Count", specified_by_url = "https://www.rfc-editor.org/rfc/rfc7493#section-2.2")]
impl ScalarType for Count {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::Number(number) => {
                let number = number.as_u64().filter(|number| *number <= chancery_schema::limits::JSON_INTEGER_MAX);
                number.map(Self).ok_or_else(|| InputValueError::custom("not a whole number below 2^53"))
            }
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(self.0.into())
    }
}

/// The text of a value. Its own type appears in the message only where the value is not text.
fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("expected text, found {other}")),
    }
}
