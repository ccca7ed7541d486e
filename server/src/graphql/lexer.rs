//! A scan of a document's tokens, before any parser sees it.
//!
//! The parser is recursive, so nesting is bounded here, and the scan is linear, so a document that is
//! too long costs nothing more. Follows the lexical grammar of <https://spec.graphql.org/October2021/#sec-Language>
//! far enough to tell strings and comments from the rest; the parser judges the rest.

use super::error::{ErrorCode, Fault};

/// What a document consists of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tokens {
    /// Names, numbers, strings and punctuators.
    pub count: usize,
    /// The deepest nesting of brackets of all three kinds.
    pub nesting: usize,
    /// Directives.
    pub directives: usize,
}

/// Counts the tokens of `text`.
///
/// # Errors
/// When a string does not end.
pub fn scan(text: &str) -> Result<Tokens, Fault> {
    let (mut tokens, mut open) = (Tokens::default(), 0_usize);
    let mut rest = text.as_bytes();
    while let [first, ..] = rest {
        let length = match first {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => {
                rest = &rest[1..];
                continue;
            }
            b'#' => {
                rest = &rest[span(rest, |c| !matches!(c, b'\r' | b'\n'))..];
                continue;
            }
            b'"' => string(rest).ok_or_else(|| Fault::new(ErrorCode::ParseFailed, "a string has no end"))?,
            c if is_word(*c) => span(rest, is_word),
            _ => 1,
        };
        match first {
            b'{' | b'[' | b'(' => open += 1,
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            b'@' => tokens.directives += 1,
            _ => {}
        }
        tokens.nesting = tokens.nesting.max(open);
        tokens.count += 1;
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// Bytes of names and numbers.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.')
}

/// How many bytes from the front satisfy `keep`.
fn span(bytes: &[u8], keep: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !keep(*byte)).unwrap_or(bytes.len())
}

/// The length of the string at the front, with its quotes.
fn string(bytes: &[u8]) -> Option<usize> {
    let (quote, block) = if bytes.starts_with(b"\"\"\"") { (&b"\"\"\""[..], true) } else { (&b"\""[..], false) };
    let mut at = quote.len();
    loop {
        let rest = bytes.get(at..)?;
        match rest {
            [b'\\', b'"', b'"', b'"', ..] if block => at += 4,
            [b'\\', _, ..] if !block => at += 2,
            [b'\r' | b'\n', ..] if !block => return None,
            _ if rest.starts_with(quote) => return Some(at + quote.len()),
            [] => return None,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, count: usize, nesting: usize, directives: usize) {
        assert_eq!(scan(text), Ok(Tokens { count, nesting, directives }), "{text}");
    }

    #[test]
    fn tokens_nesting_and_directives_are_counted() {
        check("", 0, 0, 0);
        check("{ a }", 3, 1, 0);
        check("{ a, b # c { d\n e }", 5, 1, 0);
        check("query Q($x: [Int!]! = [1, -2.5e3]) @a { b(c: $x) @b(if: true) }", 35, 2, 2);
        check(r#"{ a(b: "}{ \" [[", c: """ " \""" {{{ """) }"#, 11, 2, 0);
        check(r#"{ a(b: "") }"#, 8, 2, 0);
    }

    #[test]
    fn a_string_without_end_is_no_document() {
        for text in ["{ a(b: \"", "\"\n[[[[\"", "\"\"\" \\\"\"\" ", "\"\\", "\"\"\"\""] {
            assert!(scan(text).is_err(), "{text:?}");
        }
    }
}
