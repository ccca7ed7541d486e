//! Words of lists that later versions may lengthen.
//!
//! What is signed today is read for ever, and by programs older than it. A word that this version does
//! not know is kept and shown, and grants nothing, but the record stands. Closed lists are few, each with
//! its reason: roles, which proofs of possession bind, and the algorithm of keys that must be opened at
//! once: a charter's log, witness and mirror keys, and a node's transport key.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::NAME_CHARS_MAX;

/// A word that this version knows, or another: 1 to 64 of a-z, 0-9 and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Word<T> {
    /// One of those listed in `T`.
    Known(T),
    /// One of a later version.
    Other(String),
}

impl<T> Word<T> {
    /// The word, when this version knows it.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(word) => Some(word),
            Self::Other(_) => None,
        }
    }
}

impl<T> From<T> for Word<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: PartialEq> PartialEq<T> for Word<T> {
    fn eq(&self, other: &T) -> bool {
        self.known() == Some(other)
    }
}

/// Shows the word as it is written.
impl<T: Serialize> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(word) => word.serialize(f),
            Self::Other(word) => f.write_str(word),
        }
    }
}

impl<T: Serialize> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(word) => word.serialize(serializer),
            Self::Other(word) => serializer.serialize_str(word),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
        if let Ok(word) = T::deserialize(known) {
            return Ok(Self::Known(word));
        }
        let is_word = (1..=NAME_CHARS_MAX).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if is_word { Ok(Self::Other(text)) } else { Err(serde::de::Error::custom("is not a word of a-z, 0-9 and '-'")) }
    }
}

impl<T: JsonSchema> JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("WordOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let known = generator.subschema_for::<T>();
        schemars::json_schema!({
            "anyOf": [
                known,
                { "type": "string", "pattern": "^[a-z0-9-]{1,64}$", "description": "A word of a later version." }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Fruit {
        Apple,
        DragonFruit,
    }

    #[test]
    fn a_word_of_a_later_version_is_kept() {
        let words: Vec<Word<Fruit>> = serde_json::from_str(r#"["apple","dragon-fruit","sea-pear"]"#).unwrap();
        assert_eq!(words[0], Fruit::Apple);
        assert_eq!(words[1].known(), Some(&Fruit::DragonFruit));
        assert_eq!(words[2], Word::Other("sea-pear".to_owned()));
        assert_eq!(serde_json::to_string(&words).unwrap(), r#"["apple","dragon-fruit","sea-pear"]"#);
        assert_eq!(words.iter().map(ToString::to_string).collect::<Vec<_>>(), ["apple", "dragon-fruit", "sea-pear"]);
    }

    #[test]
    fn what_is_no_word_is_refused() {
        for text in [r#""""#, r#""Apple""#, r#""a b""#, "1", "null", r#"{"apple":null}"#, r#"["apple"]"#] {
            assert!(serde_json::from_str::<Word<Fruit>>(text).is_err(), "{text}");
        }
        let long = format!("{:?}", "a".repeat(65));
        assert!(serde_json::from_str::<Word<Fruit>>(&long).is_err());
    }
}
