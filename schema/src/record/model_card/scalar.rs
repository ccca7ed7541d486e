//! Numbers and dates that JSON has no exact form for: checked text.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A [`Decimal`], in characters: 50 digits, a point, a sign and an exponent.
const DECIMAL_CHARS_MAX: usize = 64;

/// An exact number as text, such as `2.1e25`: past 2^53 no JSON number is read alike everywhere.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

/// A year, a month or a day: `2026`, `2026-11` or `2026-11-24` (ISO 8601).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(String);

/// Text that is neither of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct NotAScalar(&'static str);

impl Decimal {
    /// Compares by value: `1e3` equals `1000`.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (self.parts(), other.parts());
        match (mine.sign, theirs.sign) {
            (-1, -1) => theirs.magnitude().cmp(&mine.magnitude()),
            (1, 1) => mine.magnitude().cmp(&theirs.magnitude()),
            (mine, theirs) => mine.cmp(&theirs),
        }
    }

    /// This number times 10 to the power `exponent`, exactly.
    #[must_use]
    pub fn scaled(&self, exponent: i32) -> Option<Self> {
        let Parts { sign, digits, exponent: own } = self.parts();
        let sign = if sign < 0 { "-" } else { "" };
        let point = own.checked_add(exponent)?;
        let length = i32::try_from(digits.len()).ok()?;
        let text = match point {
            _ if digits.is_empty() => "0".to_owned(),
            1.. if point >= length && point <= 24 => {
                format!("{sign}{digits:0<width$}", width = usize::try_from(point).ok()?)
            }
            1..=24 => {
                let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
                format!("{sign}{whole}.{fraction}")
            }
            -24..=0 => format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-point).ok()?)),
            _ => {
                let (first, rest) = digits.split_at(1);
                let dot = if rest.is_empty() { "" } else { "." };
                format!("{sign}{first}{dot}{rest}e{}", point.checked_sub(1)?)
            }
        };
        text.parse().ok()
    }

    fn parts(&self) -> Parts {
        let (negative, text) = self.0.strip_prefix('-').map_or((false, self.0.as_str()), |rest| (true, rest));
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let exponent: i32 = exponent.parse().expect("at most three digits were checked");
        let digits = format!("{whole}{fraction}");
        let leading = digits.len() - digits.trim_start_matches('0').len();
        let small = |count: usize| i32::try_from(count).expect("at most 64 digits were checked");
        let exponent = exponent + small(whole.len()) - small(leading);
        let digits = digits.trim_matches('0').to_owned();
        let sign = if digits.is_empty() { 0 } else { 1 - 2 * i32::from(negative) };
        Parts { sign, digits, exponent }
    }
}

/// A number as sign × 0.digits × 10^exponent, without zeros at either end of the digits.
struct Parts {
    sign: i32,
    digits: String,
    exponent: i32,
}

impl Parts {
    fn magnitude(&self) -> (i32, &str) {
        (self.exponent, &self.digits)
    }
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?`
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    text.len() <= DECIMAL_CHARS_MAX
        && digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && digits(fraction)
        && digits(exponent)
        && exponent.len() <= 3
}

fn is_date(text: &str) -> bool {
    if !text.is_ascii() {
        return false;
    }
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        10 => text.to_owned(),
        _ => return false,
    };
    let format = time::macros::format_description!("[year repr:full]-[month]-[day]");
    text.starts_with(|c: char| c.is_ascii_digit()) && time::Date::parse(&whole, &format).is_ok()
}

/// Gives a checked text type its conversions, its JSON form and its JSON Schema.
macro_rules! text_form {
    ($name:ident, $check:path, $expected:literal, $pattern:literal) => {
        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAScalar;

            fn from_str(text: &str) -> Result<Self, NotAScalar> {
                if $check(text) { Ok(Self(text.to_owned())) } else { Err(NotAScalar($expected)) }
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
                    "maxLength": DECIMAL_CHARS_MAX,
                    "pattern": $pattern
                })
            }
        }
    };
}

text_form!(
    Decimal,
    is_decimal,
    "a decimal number in a string, such as \"2.1e25\"",
    r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$"
);
text_form!(Date, is_date, "a year, month or day, such as \"2026-11-24\"", r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$");

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
    fn decimals_and_dates_have_one_shape() {
        check::<Decimal>(
            &["0", "-0.5", "2.1e25", "7.3E+10", "1e-300", &"1".repeat(64)],
            &["", "-", "+1", "01", ".5", "1.", "1e", "1e1000", "1,5", "NaN", "1 ", "١", &"1".repeat(65)],
        );
        check::<Date>(
            &["2026", "2026-11", "2026-11-24", "2024-02-29"],
            &["", "26", "2026-13", "2026-02-29", "2026-11-24T00:00:00Z", "24-11-2026", "+202-01-01", "２０２６"],
        );
    }

    #[test]
    fn decimals_compare_by_value() {
        let ascending =
            ["-2e3", "-3", "-0.5", "0", "0.0009", "1e-2", "0.5", "9", "10", "1e25", "1.00000000000000001e25"];
        for (i, low) in ascending.iter().enumerate() {
            for (j, high) in ascending.iter().enumerate() {
                let (low, high): (Decimal, Decimal) = (low.parse().unwrap(), high.parse().unwrap());
                assert_eq!(low.compare(&high), i.cmp(&j), "{low} and {high}");
            }
        }
        for (one, other) in
            [("1000", "1e3"), ("0", "-0.00e5"), ("0.10", "1e-1"), ("10000000000000000000000000", "1e25")]
        {
            let (one, other): (Decimal, Decimal) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!(one.compare(&other), Ordering::Equal, "{one} and {other}");
        }
    }

    #[test]
    fn scaling_moves_the_point_exactly() {
        for (number, exponent, expected) in [
            ("123.12", -6, "0.00012312"),
            ("24700000000", -6, "24700"),
            ("1234567", -6, "1.234567"),
            ("0", -6, "0"),
            ("-5", 3, "-5000"),
            ("1.5e40", 2, "1.5e42"),
        ] {
            assert_eq!(number.parse::<Decimal>().unwrap().scaled(exponent).unwrap().as_str(), expected);
        }
    }
}
