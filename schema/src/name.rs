//! Names: of nations, of logs, of organisations and their models.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::{NAME_CHARS_MAX, ORIGIN_BYTES_MAX};

/// ISO 3166-1 alpha-2 codes in use, and EU and UN, which that standard reserves for the two unions.
const NATIONS: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO \
    BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE \
    EG EH ER ES ET EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR \
    HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT \
    LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP \
    NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL \
    SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC \
    VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// A name that does not follow the rules of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct NotAName {
    text: String,
    expected: &'static str,
}

/// Declares a checked text type: its rule in words, as a pattern, and as a function.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $pattern:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<Self, NotAName> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    let text = text.chars().take(NAME_CHARS_MAX).collect();
                    Err(NotAName { text, expected: $expected })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": concat!("Text that is ", $expected, "."),
                    "pattern": $pattern
                })
            }
        }
    };
}

checked_text! {
    /// The code that a log claims to speak for: a claim, bound to a fingerprint by whoever trusts it.
    Nation,
    "a nation code: two capital letters, such as FR",
    "^[A-Z]{2}$",
    |text| matches!(text.as_bytes(), [b'A'..=b'Z', b'A'..=b'Z'])
}

impl Nation {
    /// Whether the code is in use today. Nations come and go: a record is not judged by this, only a
    /// new one asked for it.
    #[must_use]
    pub fn is_assigned(&self) -> bool {
        match self.0.as_bytes() {
            [b'X', last] => *last != b'K',
            _ => NATIONS.split_ascii_whitespace().any(|nation| nation == self.0),
        }
    }
}

checked_text! {
    /// The name of an organisation, a model, a version or a set of license terms.
    Name,
    "a name: 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
    "^[a-z0-9][a-z0-9._-]{0,63}$",
    |text| text.len() <= NAME_CHARS_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
}

checked_text! {
    /// The name of a log and of its key (C2SP tlog-checkpoint): a URL without scheme.
    Origin,
    "an origin: a URL without scheme in lower case, such as fr.example.org/chancery",
    "^[a-z0-9][a-z0-9._-]*(/(?!\\.{1,2}(/|$))[a-z0-9._-]+)*$",
    |text| text.len() <= ORIGIN_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.split('/').all(|part| {
            !matches!(part, "" | "." | "..")
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
        })
}

checked_text! {
    /// A language tag in the shape of BCP 47 (RFC 5646 §2.1), in one case only: the language small, a
    /// script of four letters like `Hant`, a region of two letters like `BR`, all else small.
    Language,
    "a language tag (BCP 47), such as fr, pt-BR or zh-Hant",
    "^[a-z]{2,8}(-([A-Z0-9]{2}|[A-Z][a-z]{3}|(?=[a-z]*[0-9])[a-z0-9]{4}|[a-z0-9]|[a-z0-9]{3}|[a-z0-9]{5,8}))*$",
    |text| text.len() <= NAME_CHARS_MAX && {
        let primary = text.split('-').next().unwrap_or_default();
        (2..=8).contains(&primary.len())
            && primary.chars().all(|c| c.is_ascii_alphabetic())
            && text.split('-').all(|part| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric()))
            && Language::in_one_case(text) == text
    }
}

impl Language {
    /// The tag in the one case in which it is written here.
    #[must_use]
    pub fn in_one_case(text: &str) -> String {
        let cased = text.split('-').enumerate().map(|(index, part)| match part.len() {
            4 if index > 0 && part.chars().all(|c| c.is_ascii_alphabetic()) => {
                part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase()
            }
            2 if index > 0 => part.to_ascii_uppercase(),
            _ => part.to_ascii_lowercase(),
        });
        cased.collect::<Vec<_>>().join("-")
    }
}

/// The identity of a model: `urn:chancery:<nation>:<org>:<name>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ModelId {
    /// Whose model it is.
    pub nation: Nation,
    /// Who publishes it.
    pub org: Name,
    /// What it is called.
    pub name: Name,
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:chancery:{}:{}:{}", self.nation, self.org, self.name)
    }
}

impl FromStr for ModelId {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let wrong = || NotAName {
            text: text.chars().take(4 * NAME_CHARS_MAX).collect(),
            expected: "a model, such as urn:chancery:FR:lab:name",
        };
        let rest = text.strip_prefix("urn:chancery:").ok_or_else(wrong)?;
        let parts: Vec<&str> = rest.split(':').collect();
        let [nation, org, name] = parts[..] else { return Err(wrong()) };
        Ok(Self { nation: nation.parse()?, org: org.parse()?, name: name.parse()? })
    }
}

impl Serialize for ModelId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ModelId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ModelId {
    fn schema_name() -> Cow<'static, str> {
        "ModelId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "The identity of a model.",
            "pattern": "^urn:chancery:[A-Z]{2}:[a-z0-9][a-z0-9._-]{0,63}:[a-z0-9][a-z0-9._-]{0,63}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(text.parse::<T>().is_ok(), "{text:?} should be taken");
        }
        for text in bad {
            assert!(text.parse::<T>().is_err(), "{text:?} should be refused");
        }
    }

    #[test]
    fn names_follow_their_rules() {
        check::<Nation>(&["FR", "KE", "EU", "UN", "XA", "ZZ"], &["fr", "F", "FRA", "F1", "ＦＲ", ""]);
        check::<Name>(&["a", "7b", "llm-2.0_x"], &["", "-a", "A", "a b", "é", &"a".repeat(65)]);
        check::<Origin>(
            &["fr.example.org/chancery", "node.local"],
            &["", "/a", "a/", "a//b", "a/../b", "a/.", "https://a", "a+b", "a b", "A.org"],
        );
        check::<Language>(
            &["fr", "pt-BR", "zh-Hant", "sr-Latn-RS", "quz", "es-419", "de-1996"],
            &["", "f", "fr-", "français", "fr_FR", "FR", "pt-br", "zh-hant", "zh-HANT"],
        );
        check::<ModelId>(
            &["urn:chancery:FR:lab:m"],
            &["urn:chancery:FR:lab", "urn:chancery:FR:lab:m:1", "urn:chancery:fr:lab:m", "chancery:FR:lab:m"],
        );
    }

    #[test]
    fn a_code_in_use_is_one_of_today() {
        let assigned = |code: &str| code.parse::<Nation>().unwrap().is_assigned();
        assert!(["FR", "KE", "EU", "UN", "XA", "XZ"].into_iter().all(assigned));
        assert!(!["XK", "ZZ", "QQ", "SU"].into_iter().any(assigned));
    }

    #[test]
    fn a_language_tag_has_one_case() {
        for (text, tag) in [("EN", "en"), ("pt-br", "pt-BR"), ("ZH-hANT-tw", "zh-Hant-TW"), ("ES-419", "es-419")] {
            assert_eq!(Language::in_one_case(text), tag);
        }
    }
}
