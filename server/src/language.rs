//! The languages of the pages: the six of the United Nations.

use crate::accept::read_quality;

/// A language of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Language(&'static str);

const LANGUAGES: [&str; 6] = ["en", "ar", "zh", "fr", "ru", "es"];

impl Language {
    /// English, which stands for any language that is not spoken here.
    pub const ENGLISH: Self = Self("en");

    /// The language with this tag.
    pub fn of(tag: &str) -> Option<Self> {
        LANGUAGES.into_iter().find(|language| *language == tag).map(Self)
    }

    /// The most wanted by the values of `Accept-Language` (RFC 9110 §12.5.4), whose ranges may name
    /// a variety; English when none is spoken here.
    pub fn preferred(accept: &str) -> Self {
        let mut best = (0, Self::ENGLISH);
        for (quality, language) in accept.split(',').filter_map(range) {
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }

    /// The tag.
    pub const fn tag(self) -> &'static str {
        self.0
    }

    /// The direction of its script.
    pub fn direction(self) -> &'static str {
        if self.0 == "ar" { "rtl" } else { "ltr" }
    }
}

fn range(text: &str) -> Option<(u16, Language)> {
    let (tag, parameter) = text.split_once(';').unwrap_or((text, "q=1"));
    let quality = read_quality(parameter.trim().strip_prefix("q=")?.trim())?;
    let primary = tag.trim().split('-').next()?.to_ascii_lowercase();
    Some((quality, Language::of(&primary)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_most_wanted_that_is_spoken_here() {
        for (accept, expected) in [
            ("", "en"),
            ("fr", "fr"),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"),
            ("de, ZH-Hant;q=0.3", "zh"),
            ("en;q=0.2, ar;q=0.9", "ar"),
            ("es, ru", "es"),
            ("ru;q=0, es;q=0.001", "es"),
            ("de;q=1, *", "en"),
            ("ar;q=nonsense, sw", "en"),
        ] {
            assert_eq!(Language::preferred(accept).tag(), expected, "{accept}");
        }
        assert_eq!((Language::of("ar").unwrap().direction(), Language::of("de")), ("rtl", None));
    }
}
