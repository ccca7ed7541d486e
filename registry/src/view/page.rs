//! Pages: a stretch of a list, and cursors that continue it however the list grows.

use chancery_schema::base64;
use chancery_schema::name::Name;

use crate::{Error, Page, Result};

/// Items of one page.
const FIRST_MAX: u32 = 100;

/// How many items a page may have.
pub(super) fn first(page: &Page) -> u64 {
    u64::from(page.first.clamp(1, FIRST_MAX))
}

/// A place in a list as text, which means nothing to anyone else. A place never changes, so a list
/// that grows is walked without gaps and without repeating; and the places of one order do not read
/// as those of another.
pub(super) trait Cursor: Sized {
    fn to_text(&self) -> String;

    fn from_text(text: &str) -> Option<Self>;

    fn to_cursor(&self) -> String {
        base64::encode(self.to_text().as_bytes())
    }

    /// After which place a page begins.
    fn after(page: &Page) -> Result<Option<Self>> {
        let Some(cursor) = &page.after else { return Ok(None) };
        let text = base64::decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let place = text.and_then(|text| Self::from_text(&text).filter(|place| place.to_text() == text));
        let wrong = "failed to continue the list: this archive did not give such a cursor for a list in this order";
        place.map(Some).ok_or_else(|| Error::Invalid(wrong.to_owned()))
    }
}

/// The place of an item in a list by time: when its signer says it was signed, and its entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub at: i64,
    pub log_id: i64,
    pub idx: i64,
}

impl Cursor for Place {
    fn to_text(&self) -> String {
        format!("{}.{}.{}", self.at, self.log_id, self.idx)
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| number.parse::<i64>().ok());
        let place = Self { at: numbers.next()??, log_id: numbers.next()??, idx: numbers.next()?? };
        numbers.next().is_none().then_some(place)
    }
}

/// The place of a model in a list by name. Its entry is no part of it: a model stays in its place when
/// it gets a newer version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct NamePlace {
    pub name: String,
    pub org: String,
    pub log_id: i64,
}

impl Cursor for NamePlace {
    fn to_text(&self) -> String {
        format!("{}/{}/{}", self.name, self.org, self.log_id)
    }

    fn from_text(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let [name, org, log_id] = parts[..] else { return None };
        let name_of = |text: &str| text.parse().ok().map(|name: Name| name.to_string());
        Some(Self { name: name_of(name)?, org: name_of(org)?, log_id: log_id.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(after: &str) -> Page {
        Page { first: 500, after: Some(after.to_owned()) }
    }

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let place = Place { at: 1_795_521_600, log_id: 2, idx: 40 };
        assert_eq!(Place::after(&page(&place.to_cursor())).unwrap(), Some(place));
        for wrong in ["", "x", &base64::encode(b"1.2"), &base64::encode(b"1.2.3.4"), &base64::encode(b"1.2.+3")] {
            assert!(Place::after(&page(wrong)).is_err(), "{wrong}");
        }
        let place = NamePlace { name: "umoja-7b.v1".to_owned(), org: "lab_2".to_owned(), log_id: 2 };
        assert_eq!(NamePlace::after(&page(&place.to_cursor())).unwrap(), Some(place));
        for wrong in ["a/2", "a/b/c/2", "a/b/+2", "A/b/2", "a//2", "a\0/b/2"] {
            assert!(NamePlace::after(&page(&base64::encode(wrong.as_bytes()))).is_err(), "{wrong}");
        }
        assert_eq!(first(&page("")), 100);
    }

    #[test]
    fn a_cursor_of_one_order_continues_no_list_in_another() {
        let by_time = Place { at: 3, log_id: 2, idx: 1 };
        let by_name = NamePlace { name: "3.2.1".to_owned(), org: "2".to_owned(), log_id: 1 };
        let error = NamePlace::after(&page(&by_time.to_cursor())).unwrap_err();
        assert!(error.to_string().contains("for a list in this order"), "{error}");
        assert!(Place::after(&page(&by_name.to_cursor())).is_err());
    }
}
