//! Pages: a stretch of a list, and cursors that continue it however the list grows.

use chancery_schema::base64;

use crate::{Error, Page, Result};

/// Items of one page.
const FIRST_MAX: u32 = 100;

/// How many items a page may have.
pub(super) fn first(page: &Page) -> u64 {
    u64::from(page.first.clamp(1, FIRST_MAX))
}

/// The place of an item in a list: when its signer says it was signed, and its entry. It never
/// changes, so a list that grows is walked without gaps and without repeating.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub at: i64,
    pub log_id: i64,
    pub idx: i64,
}

impl Place {
    /// The place as text that means nothing to anyone else.
    pub fn to_cursor(self) -> String {
        base64::encode(format!("{}.{}.{}", self.at, self.log_id, self.idx).as_bytes())
    }

    /// After which place a page begins.
    pub fn after(page: &Page) -> Result<Option<Self>> {
        let Some(cursor) = &page.after else { return Ok(None) };
        let wrong =
            || Error::Invalid("failed to continue the list: this archive did not give such a cursor".to_owned());
        Self::from_cursor(cursor).map(Some).ok_or_else(wrong)
    }

    fn from_cursor(cursor: &str) -> Option<Self> {
        let text = String::from_utf8(base64::decode(cursor).ok()?).ok()?;
        let mut numbers = text.split('.').map(|number| number.parse::<i64>().ok());
        let place = Self { at: numbers.next()??, log_id: numbers.next()??, idx: numbers.next()?? };
        (numbers.next().is_none() && place.to_cursor() == cursor).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let place = Place { at: 1_795_521_600, log_id: 2, idx: 40 };
        let page = |after: &str| Page { first: 500, after: Some(after.to_owned()) };
        assert_eq!(Place::after(&page(&place.to_cursor())).unwrap(), Some(place));
        for wrong in ["", "x", &base64::encode(b"1.2"), &base64::encode(b"1.2.3.4"), &base64::encode(b"1.2.+3")] {
            assert!(Place::after(&page(wrong)).is_err(), "{wrong}");
        }
        assert_eq!(first(&page("")), 100);
    }
}
