//! Text for people, in their languages, and the bounds that every body shares.

use std::collections::{BTreeMap, BTreeSet};

use super::{BlobRef, Invalid, Kind};
use crate::limits::{BLOB_BYTES_MAX, LINE_BYTES_MAX, LIST_ITEMS_MAX, TEXT_BYTES_MAX};
use crate::name::{Language, Name, Nation};
use crate::word::Word;

/// The same text in several languages.
pub type Texts = BTreeMap<Language, String>;

/// Checks one line of text: not only spaces (U+0020), bounded, no control characters (General Category Cc).
///
/// # Errors
/// With the place and the remedy.
pub fn check_line(pointer: &str, text: &str) -> Result<(), Invalid> {
    if text.trim_matches(' ').is_empty() {
        return Err(Invalid::at(pointer, "is empty"));
    }
    if text.len() > LINE_BYTES_MAX {
        return Err(Invalid::at(pointer, format!("is longer than {LINE_BYTES_MAX} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::at(pointer, "has control characters; write one line"));
    }
    Ok(())
}

/// Checks lines in several languages, at least one.
///
/// # Errors
/// With the place and the remedy.
pub fn check_lines(pointer: &str, texts: &Texts) -> Result<(), Invalid> {
    if texts.is_empty() {
        return Err(Invalid::at(pointer, "has no language; give at least one"));
    }
    check_count(pointer, texts.len(), LIST_ITEMS_MAX)?;
    texts.iter().try_for_each(|(language, text)| check_line(&format!("{pointer}/{language}"), text))
}

/// Checks long texts in several languages, possibly none.
///
/// # Errors
/// With the place and the remedy.
pub fn check_texts(pointer: &str, texts: &Texts) -> Result<(), Invalid> {
    check_count(pointer, texts.len(), LIST_ITEMS_MAX)?;
    match texts.iter().find(|(_, text)| text.len() > TEXT_BYTES_MAX) {
        Some((language, _)) => {
            Err(Invalid::at(format!("{pointer}/{language}"), format!("is longer than {TEXT_BYTES_MAX} bytes")))
        }
        None => Ok(()),
    }
}

/// Checks the length of a list.
///
/// # Errors
/// With the place and the bound.
pub fn check_count(pointer: &str, count: usize, max: usize) -> Result<(), Invalid> {
    if count > max {
        Err(Invalid::at(pointer, format!("has {count} items; at most {max} are allowed")))
    } else {
        Ok(())
    }
}

/// Checks that no item of a list stands twice, and that there are not too many.
///
/// # Errors
/// With the place and the remedy.
pub fn check_distinct<T: Ord>(pointer: &str, items: &[T]) -> Result<(), Invalid> {
    let mut seen = BTreeSet::new();
    check_count(pointer, items.len(), LIST_ITEMS_MAX)?;
    match items.iter().position(|item| !seen.insert(item)) {
        Some(index) => Err(Invalid::at(format!("{pointer}/{index}"), "stands twice")),
        None => Ok(()),
    }
}

/// Checks the name of a version: `latest` means the newest, and is nobody's name.
///
/// # Errors
/// With the place and the remedy.
pub fn check_version(pointer: &str, version: &Name) -> Result<(), Invalid> {
    if version.as_str() == "latest" {
        return Err(Invalid::at(pointer, "is `latest`, which always means the newest; give the version a name"));
    }
    Ok(())
}

/// Checks that a word is one that this version knows, so that a slip is not signed for ever.
///
/// # Errors
/// With the place and the remedy.
pub fn check_known<T>(pointer: &str, word: &Word<T>) -> Result<(), Invalid> {
    match word {
        Word::Known(_) => Ok(()),
        Word::Other(word) => Err(Invalid::at(pointer, format!("`{word}` is not a word that this version knows"))),
    }
}

/// [`check_known`] for each of a list.
///
/// # Errors
/// With the place and the remedy.
pub fn check_all_known<T>(pointer: &str, words: &[Word<T>]) -> Result<(), Invalid> {
    words.iter().enumerate().try_for_each(|(index, word)| check_known(&format!("{pointer}/{index}"), word))
}

/// Checks that nation codes are in use, as codes go today.
///
/// # Errors
/// With the place and the remedy.
pub fn check_assigned<'a>(pointer: &str, nations: impl IntoIterator<Item = &'a Nation>) -> Result<(), Invalid> {
    match nations.into_iter().find(|nation| !nation.is_assigned()) {
        Some(nation) => Err(Invalid::at(pointer, format!("{nation} is not a code of ISO 3166-1, EU, UN, or XA to XZ"))),
        None => Ok(()),
    }
}

/// Checks what a record says of another one that it ends.
///
/// # Errors
/// With the place and the remedy.
pub(super) fn check_ending(kind: Kind, scope: &str) -> Result<(), Invalid> {
    if !kind.may_end() {
        return Err(Invalid::at("/kind", format!("is {kind}, and such records are neither withdrawn nor redacted")));
    }
    match scope.split_once(':') {
        Some((org, name)) if org.parse::<Name>().is_ok() && name.parse::<Name>().is_ok() => Ok(()),
        _ => Err(Invalid::at("/scope", "is not <org>:<name>")),
    }
}

/// Checks every item of a list, and that there are not too many.
///
/// # Errors
/// With the place and the remedy.
pub fn check_each<T>(
    pointer: &str,
    items: &[T],
    check: impl Fn(&str, &T) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    check_count(pointer, items.len(), LIST_ITEMS_MAX)?;
    items.iter().enumerate().try_for_each(|(index, item)| check(&format!("{pointer}/{index}"), item))
}

/// Checks a list of lines, possibly none.
///
/// # Errors
/// With the place and the remedy.
pub fn check_line_list(pointer: &str, lines: &[String]) -> Result<(), Invalid> {
    check_each(pointer, lines, |pointer, line| check_line(pointer, line))
}

/// Checks the shape of a URI: a scheme and something after it, and nothing that a browser would run.
///
/// # Errors
/// With the place and the remedy.
pub fn check_uri(pointer: &str, uri: &str) -> Result<(), Invalid> {
    check_line(pointer, uri)?;
    let wrong = || Invalid::at(pointer, "is not a URI, such as https://example.org/model");
    let (scheme, rest) = uri.split_once(':').ok_or_else(wrong)?;
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
    if !named || rest.is_empty() || uri.contains(|c: char| " <>\"\\^`{|}".contains(c)) {
        return Err(wrong());
    }
    if ["javascript", "data", "vbscript"].iter().any(|word| scheme.eq_ignore_ascii_case(word)) {
        return Err(Invalid::at(pointer, format!("{scheme}: is not an address of anything")));
    }
    Ok(())
}

/// Checks the size and the media type of a blob.
///
/// # Errors
/// With the place and the remedy.
pub fn check_blob(pointer: &str, blob: &BlobRef) -> Result<(), Invalid> {
    if !(1..=BLOB_BYTES_MAX).contains(&blob.size_bytes) {
        return Err(Invalid::at(
            format!("{pointer}/sizeBytes"),
            format!("is not between 1 and {BLOB_BYTES_MAX} bytes"),
        ));
    }
    check_media_type(&format!("{pointer}/mediaType"), &blob.media_type)
}

/// Checks the shape of a media type (RFC 6838 §4.2), parameters included.
///
/// # Errors
/// With the place and the remedy.
pub fn check_media_type(pointer: &str, text: &str) -> Result<(), Invalid> {
    check_line(pointer, text)?;
    let (essence, _parameters) = text.split_once(';').unwrap_or((text, ""));
    let name = |part: &str| {
        (1..=127).contains(&part.len())
            && part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    match essence.trim_end_matches(' ').split_once('/') {
        Some((kind, subtype)) if name(kind) && name(subtype) => Ok(()),
        _ => Err(Invalid::at(pointer, "is not a media type, such as text/markdown")),
    }
}

/// Embeddings, overrides and isolates (Unicode Standard Annex 9); marks are part of ordinary text.
pub(crate) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
