//! The languages of the pages: the six of the United Nations; and which of somebody's texts suits a reader.

use crate::accept::read_quality;

/// A language of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// It stands for any language that is not spoken here.
    English,
    Arabic,
    Chinese,
    French,
    Russian,
    Spanish,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 6] = [Self::English, Self::Arabic, Self::Chinese, Self::French, Self::Russian, Self::Spanish];

    /// The language with this tag.
    pub fn of(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The most wanted by the values of `Accept-Language` (RFC 9110 §12.5.4), whose ranges may name
    /// a variety; English when none is spoken here.
    pub fn preferred(accept: &str) -> Self {
        let mut best = (0, Self::English);
        for (quality, language) in accept.split(',').filter_map(range) {
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }

    /// The tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Arabic => "ar",
            Self::Chinese => "zh",
            Self::French => "fr",
            Self::Russian => "ru",
            Self::Spanish => "es",
        }
    }

    /// The direction of its script.
    pub const fn direction(self) -> &'static str {
        match self {
            Self::Arabic => "rtl",
            Self::English | Self::Chinese | Self::French | Self::Russian | Self::Spanish => "ltr",
        }
    }
}

/// Of texts with their tags, the one in the language wanted, or in a variety of it; else in English; else the first.
pub fn nearest<'a>(texts: &'a [(String, String)], wanted: Option<&str>) -> Option<(&'a str, &'a str)> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let find = |wanted: &str| {
        let exact = texts.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(wanted));
        exact.or_else(|| texts.iter().find(|(tag, _)| primary(tag) == primary(wanted)))
    };
    let found = wanted.and_then(find).or_else(|| find("en")).or_else(|| texts.first());
    found.map(|(tag, text)| (tag.as_str(), text.as_str()))
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

    #[test]
    fn a_text_comes_in_the_language_wanted_or_the_nearest() {
        let texts = [("sw", "Mfano"), ("en", "Model"), ("pt-BR", "Modelo")];
        let texts = texts.map(|(language, text)| (language.to_owned(), text.to_owned()));
        for (wanted, expected) in [
            (None, ("en", "Model")),
            (Some("sw"), ("sw", "Mfano")),
            (Some("pt"), ("pt-BR", "Modelo")),
            (Some("PT-pt"), ("pt-BR", "Modelo")),
            (Some("fr"), ("en", "Model")),
            (Some(""), ("en", "Model")),
        ] {
            assert_eq!(nearest(&texts, wanted), Some(expected), "{wanted:?}");
        }
        assert_eq!(nearest(&texts[..1], None), Some(("sw", "Mfano")));
        assert_eq!(nearest(&[], Some("en")), None);
    }
}
