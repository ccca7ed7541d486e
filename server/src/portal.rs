//! The portal's files inside the binary, and its pages as those read them who run no scripts.
//!
//! Every page of the portal has an address that names its language. The server writes into it what it
//! knows: about a record or a model a summary, elsewhere who this node is. Scripts, where they run,
//! put the portal in its place. Without a portal in the binary the same pages stand in a plain frame.

use std::borrow::Cow;

use actix_web::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

use crate::accept::values;
use crate::headers::{PAGE, PORTAL};
use crate::held::{self, Guard};
use crate::language::Language;
use crate::page::{self, Page, escape, plain};
use crate::reply::{Cache, Failure, bytes, see_other};
use crate::state::State;
use crate::summary;

/// What `npm run build` makes in `web`. A server built without it does without.
#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Built;

const NO_PAGE: Failure = Failure::NotFound("nothing has this address; / says what does");

/// Where the portal's page takes in what the server writes.
const PLACE: &str = "<!--content-->";

/// `GET /`: the front page in the reader's language.
pub async fn home(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    if index().is_some() {
        let language = Language::preferred(&values(&request, ACCEPT_LANGUAGE));
        return Ok(see_other(&format!("/{}", language.tag()), "accept-language"));
    }
    Ok(written(None, Language::English, &who(&state).await?, ()))
}

/// `GET /<language>`.
pub async fn front(state: Data<State>, language: Path<String>) -> Result<HttpResponse, Failure> {
    let language = Language::of(&language).ok_or(NO_PAGE)?;
    Ok(written(index().as_deref(), language, &who(&state).await?, ()))
}

/// `GET /<language>/<page>`.
pub async fn page(
    state: Data<State>,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (language, path) = path.into_inner();
    let language = Language::of(&language).ok_or(NO_PAGE)?;
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    // What a record says may be long: its page is sent like its envelope.
    let place = match parts[..] {
        ["record" | "model", ..] => Some(state.download(&request).await?),
        _ => None,
    };
    let page = match parts[..] {
        ["record", digest] => summary::record(&state, language, digest).await?,
        ["model", nation, org, name] => summary::model(&state, language, [nation, org, name], None).await?,
        ["model", nation, org, name, version] => {
            summary::model(&state, language, [nation, org, name], Some(version)).await?
        }
        _ => who(&state).await?,
    };
    Ok(written(index().as_deref(), language, &page, place))
}

/// `GET /assets/<file>`.
pub async fn asset(file: Path<String>) -> Result<HttpResponse, Failure> {
    let none = Failure::NotFound("no such file of the portal");
    let Some(media_type) = media_type(&file) else { return Err(none) };
    let Some(found) = Built::get(&format!("assets/{file}")) else { return Err(none) };
    let cache = if is_named_by_content(&file) { Cache::Immutable } else { Cache::Never };
    Ok(bytes(media_type, cache, found.data.into_owned()))
}

/// Media types of the portal's files. Whatever else lies there, such as source maps, is not served.
fn media_type(file: &str) -> Option<&'static str> {
    match file.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "json" => Some("application/json"),
        "woff2" => Some("font/woff2"),
        _ => None,
    }
}

/// Whether a name ends with a hash, as the bundler writes `index-B5c2xY_z.js`: only then its bytes stay.
fn is_named_by_content(file: &str) -> bool {
    let stem = file.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(stem, _)| stem);
    let hash = stem.len().checked_sub(9).and_then(|at| stem.get(at..)).and_then(|end| end.strip_prefix('-'));
    hash.is_some_and(|hash| hash.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-')))
}

/// The portal's page, when it is built in.
fn index() -> Option<String> {
    match Built::get("index.html")?.data {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(str::to_owned).ok(),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok(),
    }
}

async fn who(state: &State) -> Result<Page, Failure> {
    Ok(page::front(&state.registry.nations().await?))
}

/// The page in the portal's frame, which speaks `language`, or in a plain one; keeps `guard` until it is sent.
fn written(index: Option<&str>, language: Language, page: &Page, guard: impl Guard) -> HttpResponse {
    let (policy, spoken, text) = match index {
        Some(index) => (PORTAL, language.tag(), framed(index, language, page)),
        None => (PAGE, page.language.tag(), plain(page)),
    };
    HttpResponse::build(page.status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((CONTENT_LANGUAGE, spoken))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(held::body(text.into_bytes(), guard))
}

/// The portal's page with its language, its title and what the server writes for those without scripts.
fn framed(index: &str, language: Language, page: &Page) -> String {
    let spoken = |language: Language| format!("lang=\"{}\" dir=\"{}\"", language.tag(), language.direction());
    let tag = format!("<html {}>", spoken(language));
    let title = format!("<title>{} · Chancery</title>", escape(&page.title));
    let content = format!("<main {}>\n{}</main>", spoken(page.language), page.content);
    let index = replaced(index, "<html", ">", &tag);
    let index = replaced(&index, "<title>", "</title>", &title);
    replaced(&index, PLACE, "", &content)
}

/// The text with the first part from `begin` to `end` replaced; unchanged where there is none.
fn replaced(text: &str, begin: &str, end: &str, by: &str) -> String {
    let found = text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    found.map_or_else(|| text.to_owned(), |(before, after)| format!("{before}{by}{after}"))
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;

    use super::*;

    const INDEX: &str = "<!doctype html>\n<html lang=\"en\" dir=\"ltr\">\n<head><title>Chancery</title></head>\n\
        <body><div id=\"root\"><!--content--></div><script type=\"module\" src=\"/assets/index-B5c2xY_z.js\"></script>\
        </body></html>";

    fn page(tag: &str) -> Page {
        let language = Language::of(tag).unwrap();
        Page { status: StatusCode::OK, language, title: "<M> & co".to_owned(), content: "<h1>M</h1>\n".to_owned() }
    }

    #[test]
    fn a_page_stands_in_the_portals_frame_in_its_language() {
        for (tag, begin) in [("ar", "<main lang=\"ar\" dir=\"rtl\">"), ("en", "<main lang=\"en\" dir=\"ltr\">")] {
            let text = framed(INDEX, Language::Arabic, &page(tag));
            assert!(text.contains("<html lang=\"ar\" dir=\"rtl\">\n<head>"), "{text}");
            assert!(text.contains("<title>&lt;M&gt; &amp; co · Chancery</title>"), "{text}");
            assert!(text.contains(&format!("<div id=\"root\">{begin}\n<h1>M</h1>\n</main></div><script")), "{text}");
            assert!(!text.contains(PLACE), "{text}");
        }
        assert_eq!(framed("no frame", Language::English, &page("en")), "no frame");
    }

    #[test]
    fn scripts_run_only_in_the_portals_frame_and_each_frame_says_its_language() {
        for (index, policy, language) in [(Some(INDEX), PORTAL, "fr"), (None, PAGE, "ar")] {
            let response = written(index, Language::French, &page("ar"), ());
            assert_eq!(response.headers().get(CONTENT_SECURITY_POLICY).unwrap(), policy);
            assert_eq!(response.headers().get(CONTENT_LANGUAGE).unwrap(), language);
        }
        let text = plain(&page("ar"));
        assert!(text.contains("<html lang=\"ar\" dir=\"rtl\">"), "{text}");
        assert!(text.contains("<title>&lt;M&gt; &amp; co · Chancery</title>"), "{text}");
    }

    #[test]
    fn only_files_of_the_portal_are_served_and_only_hashed_names_are_kept() {
        for (file, expected, kept) in [
            ("index-B5c2xY_z.js", Some("text/javascript; charset=utf-8"), true),
            ("Model-a-c2xY-z.css", Some("text/css; charset=utf-8"), true),
            ("fonts/serif-01234567.woff2", Some("font/woff2"), true),
            ("seal.svg", Some("image/svg+xml"), false),
            ("fr.json", Some("application/json"), false),
            ("index-B5c2xY_z.js.map", None, false),
            ("index.html", None, false),
            ("js", None, false),
            ("é-B5c2xY.js", Some("text/javascript; charset=utf-8"), false),
        ] {
            assert_eq!((media_type(file), is_named_by_content(file)), (expected, kept), "{file}");
        }
    }
}
