//! Which media type to answer in (RFC 9110 §12.5.1, GraphQL over HTTP §4.3).

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

/// The media types of a GraphQL response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MediaType {
    /// `application/json`: what a client gets that asks for nothing else.
    Json,
    /// `application/graphql-response+json`: HTTP status codes then speak of the request.
    GraphqlResponse,
}

impl MediaType {
    /// The value of `Content-Type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }
}

/// Chooses by the values of `Accept`; none when neither type fits.
/// At equal quality the more exact range wins, then the type made for GraphQL if it was named.
pub fn negotiate(accept: Option<&str>) -> Option<MediaType> {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return Some(MediaType::Json) };
    let ranges: Vec<Range<'_>> = accept.split(',').filter_map(Range::read).collect();
    let json = preference(&ranges, "application", "json");
    let graphql = preference(&ranges, "application", "graphql-response+json");
    match (json.is_wanted(), graphql.is_wanted()) {
        (false, false) => None,
        (false, true) => Some(MediaType::GraphqlResponse),
        (true, true) if graphql > json || (graphql == json && graphql.exactness == EXACT) => {
            Some(MediaType::GraphqlResponse)
        }
        (true, _) => Some(MediaType::Json),
    }
}

/// Whether a page for people is wanted rather than JSON for programs, as browsers say it.
pub fn prefers_page(accept: &str) -> bool {
    let ranges: Vec<Range<'_>> = accept.split(',').filter_map(Range::read).collect();
    preference(&ranges, "text", "html") > preference(&ranges, "application", "json")
}

/// All values of a header that is a list.
pub fn values(request: &HttpRequest, name: HeaderName) -> String {
    let values: Vec<&str> = request.headers().get_all(name).filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

const EXACT: u8 = 2;

/// How much a type is wanted: quality in thousandths, then how exactly it was named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Preference {
    quality: u16,
    exactness: u8,
}

impl Preference {
    const fn is_wanted(self) -> bool {
        self.quality > 0
    }
}

/// The preference for `<kind>/<subtype>`: that of the most exact range that matches.
fn preference(ranges: &[Range<'_>], kind: &str, subtype: &str) -> Preference {
    let matching = ranges.iter().filter_map(|range| {
        let exactness = match (range.kind.eq_ignore_ascii_case(kind), range.kind, range.subtype) {
            (true, _, named) if named.eq_ignore_ascii_case(subtype) => EXACT,
            (true, _, "*") => 1,
            (_, "*", "*") => 0,
            _ => return None,
        };
        Some((exactness, range.quality))
    });
    matching.max().map_or(Preference::default(), |(exactness, quality)| Preference { quality, exactness })
}

/// One media range of `Accept`.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    quality: u16,
}

impl<'a> Range<'a> {
    /// Reads a range; none for one that we could not answer in, such as another charset.
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut quality = 1000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = read_quality(value.trim())?,
                "charset" if !is_utf8(value) => return None,
                _ => {}
            }
        }
        Some(Self { kind, subtype, quality })
    }
}

/// Whether a charset parameter names UTF-8.
pub fn is_utf8(charset: &str) -> bool {
    matches!(charset.trim().trim_matches('"').to_ascii_lowercase().as_str(), "utf-8" | "utf8")
}

/// Reads `0.5` as 500. More than three decimals, or more than one, is no quality.
pub fn read_quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::MediaType::{GraphqlResponse, Json};
    use super::*;

    #[test]
    fn the_media_type_follows_what_the_client_accepts() {
        for (accept, expected) in [
            (None, Some(Json)),
            (Some(""), Some(Json)),
            (Some("*/*"), Some(Json)),
            (Some("application/*"), Some(Json)),
            (Some("application/json"), Some(Json)),
            (Some("application/json; charset=utf-8"), Some(Json)),
            (Some("application/graphql-response+json"), Some(GraphqlResponse)),
            (
                Some("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"),
                Some(GraphqlResponse),
            ),
            (Some("application/json, application/graphql-response+json"), Some(GraphqlResponse)),
            (Some("application/graphql-response+json;q=0.5, application/json;q=0.9"), Some(Json)),
            (Some("application/graphql-response+json;q=0.9, application/json;q=0.5"), Some(GraphqlResponse)),
            (Some("application/json, */*"), Some(Json)),
            (Some("application/graphql-response+json, */*;q=0.1"), Some(GraphqlResponse)),
            (Some("application/json;q=0, */*"), Some(GraphqlResponse)),
            (Some("*/*;q=0"), None),
            (Some("text/html"), None),
            (Some("text/html, application/xml;q=0.9, */*;q=0.8"), Some(Json)),
            (Some("application/json; charset=iso-8859-1"), None),
            (Some("application/json;q=2"), None),
            (Some("APPLICATION/JSON"), Some(Json)),
            (Some("nonsense"), None),
        ] {
            assert_eq!(negotiate(accept), expected, "{accept:?}");
        }
    }
    #[test]
    fn browsers_prefer_a_page_and_programs_do_not() {
        for (accept, page) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", true),
            ("text/html", true),
            ("text/*", true),
            ("text/html;q=0.5, application/json;q=0.4", true),
            ("text/html, application/json", false),
            ("text/html;q=0.4, application/json", false),
            ("text/html;q=0, */*", false),
            ("application/json", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(prefers_page(accept), page, "{accept}");
        }
    }
}
