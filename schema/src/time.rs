//! Points in time, to the second, always UTC.
//!
//! Text is RFC 3339 in one form only, `2026-11-24T12:00:00Z`: one instant, one text.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Seconds since 1970-01-01T00:00:00Z, never negative and never past the year 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(i64);

/// Text or a number that is not a [`Timestamp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time: expected the form 2026-11-24T12:00:00Z, between 1970 and 9999")]
pub struct NotATime;

impl Timestamp {
    const MAX: i64 = 253_402_300_799; // 9999-12-31T23:59:59Z

    /// Takes seconds since 1970.
    ///
    /// # Errors
    /// When the time is before 1970 or after 9999.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, NotATime> {
        if (0..=Self::MAX).contains(&seconds) { Ok(Self(seconds)) } else { Err(NotATime) }
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }

    /// This time moved by `seconds`, kept between 1970 and 9999.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds).clamp(0, Self::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = OffsetDateTime::from_unix_timestamp(self.0).map_err(|_| fmt::Error)?;
        f.write_str(&time.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| NotATime)?;
        let time = Self::from_unix_seconds(time.unix_timestamp())?;
        if time.to_string() == text { Ok(time) } else { Err(NotATime) }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A time to the second, UTC (RFC 3339).",
            "format": "date-time",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instant_has_one_text() {
        let time: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        assert_eq!(time.unix_seconds(), 1_795_521_600);
        for other in [
            "2026-11-24T12:00:00.0Z",
            "2026-11-24T12:00:00+00:00",
            "2026-11-24t12:00:00z",
            "2026-11-24T13:00:00+01:00",
            "1969-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
        ] {
            assert_eq!(other.parse::<Timestamp>(), Err(NotATime), "{other}");
        }
    }
}
