//! Strict JSON: what two parsers could read differently is refused.
//!
//! I-JSON (RFC 7493 §2) and stricter, but for noncharacters, which are let stand: no duplicate keys, no number but an integer of at most 2^53 − 1
//! in its plain form (so no fraction, no exponent, no `-0`), no lone surrogates, no byte order mark,
//! no bytes after the value, and bounded nesting. Signed bytes are never written again from what was
//! read; this module only decides whether they can be read in one way.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::limits::{JSON_DEPTH_MAX, JSON_INTEGER_MAX};

/// Text that is not strict JSON, with the place where reading stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not strict JSON: {0}")]
pub struct NotStrict(String);

/// Reads one value from `bytes`.
///
/// # Errors
/// When `bytes` are not UTF-8, not JSON, or readable in more than one way.
pub fn parse(bytes: &[u8]) -> Result<Value, NotStrict> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let not_strict = |error: serde_json::Error| NotStrict(error.to_string());
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(not_strict)?;
    deserializer.end().map_err(not_strict)?;
    Ok(value)
}

/// Where `source` has another shape than the type that was read from it: `read` is what that type writes.
/// Readers are lenient where languages differ (a list for an object, an object for a word); a value must
/// be written as it is read. Members that the type does not know are let stand. The place is a JSON
/// pointer (RFC 6901).
#[must_use]
pub fn differs(source: &Value, read: &Value) -> Option<String> {
    match (source, read) {
        (Value::Object(source), Value::Object(read)) => read.iter().find_map(|(member, read)| {
            let place = differs(source.get(member)?, read)?;
            Some(format!("/{}{place}", escaped(member)))
        }),
        (Value::Array(source), Value::Array(read)) if source.len() == read.len() => {
            let mut items = source.iter().zip(read).enumerate();
            items.find_map(|(index, (source, read))| Some(format!("/{index}{}", differs(source, read)?)))
        }
        _ => (source != read).then(String::new),
    }
}

/// A member's name as JSON pointers write it (RFC 6901, section 3).
pub(crate) fn escaped(member: &str) -> String {
    member.replace('~', "~0").replace('/', "~1")
}

/// Reads one value at a given depth.
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth < JSON_DEPTH_MAX {
            Ok(self.depth + 1)
        } else {
            Err(E::custom(format_args!("nested deeper than {JSON_DEPTH_MAX}")))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value <= JSON_INTEGER_MAX {
            Ok(value.into())
        } else {
            Err(E::custom("an integer past 2^53 - 1; write it as a string"))
        }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() <= JSON_INTEGER_MAX {
            Ok(value.into())
        } else {
            Err(E::custom("an integer past 2^53 - 1; write it as a string"))
        }
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value, E> {
        Err(E::custom("a number that is not a plain integer; write it as a string"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict { depth })? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(Strict { depth })?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key {key:?} stands twice")));
            }
            map.insert(key, value);
        }
        Ok(map.into())
    }
}
