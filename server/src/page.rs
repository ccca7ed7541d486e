//! The front page: who this node is. It says what the node says of itself, and no more.

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use chancery_registry::NationSummary;
use chancery_schema::digest::Digest;

use crate::language::{Language, nearest};

const STYLE: &str = include_str!("page.css");

const LINKS: [(&str, &str); 6] = [
    ("/graphiql", "Explore the API"),
    ("/graphql/schema", "The API's schema"),
    ("/log/checkpoint", "The newest checkpoint of its log"),
    ("/introduction", "Its introduction, for a partner's operator"),
    ("/health", "Health"),
    ("/metrics", "Metrics"),
];

/// What a page says, whatever frame it stands in.
pub struct Page {
    /// Whether it is what was looked for.
    pub status: StatusCode,
    /// The language of its words.
    pub language: Language,
    /// The title, as text.
    pub title: String,
    /// The content, as markup.
    pub content: String,
}

/// `GET /page.css`.
pub async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").insert_header((CACHE_CONTROL, "no-cache")).body(STYLE)
}

/// The front page. Its words are English.
pub fn front(nations: &[NationSummary]) -> Page {
    let language = Language::English;
    let own = nations.iter().find(|nation| nation.own);
    let (tag, title) = own.map_or((language.tag(), "A node"), |own| name(own, language));
    let mut page = format!(
        "<p>Chancery, a registry of foundation models between nations</p>\n<h1>{}</h1>\n",
        foreign(tag, "auto", title)
    );
    match own {
        Some(own) => identity(&mut page, own),
        None => page.push_str("<p>This node keeps no log of its own.</p>\n"),
    }
    page.push_str("<h2>Open</h2>\n<ul>\n");
    for (address, text) in LINKS {
        let _ = writeln!(page, "<li><a href=\"{address}\">{text}</a></li>");
    }
    page.push_str("</ul>\n");
    others(&mut page, nations, language);
    Page { status: StatusCode::OK, language, title: title.to_owned(), content: page }
}

/// The frame around a page where the portal is not built in.
pub fn plain(page: &Page) -> String {
    format!(
        "<!doctype html>\n<html lang=\"{}\" dir=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} · Chancery</title>\n<link rel=\"stylesheet\" href=\"/page.css\">\n</head>\n\
         <body>\n<main>\n{}</main>\n</body>\n</html>\n",
        page.language.tag(),
        page.language.direction(),
        escape(&page.title),
        page.content,
    )
}

fn identity(page: &mut String, own: &NationSummary) {
    let _ = write!(
        page,
        "<dl>\n<dt>Nation</dt><dd><code>{}</code></dd>\n<dt>Log</dt><dd><code>{}</code>, {} entries</dd>\n\
         <dt>Fingerprint</dt><dd><bdi dir=\"ltr\"><code>{}</code></bdi></dd>\n</dl>\n\
         <p>Compare the fingerprint with the nation itself, by voice or on paper, before you rely on it. \
         This page cannot prove that it is genuine; <code>chancery verify</code> can check any record offline.</p>\n",
        escape(own.nation.as_str()),
        escape(own.origin.as_str()),
        own.size,
        grouped(&own.fingerprint),
    );
}

fn others(page: &mut String, nations: &[NationSummary], language: Language) {
    let others: Vec<_> = nations.iter().filter(|nation| !nation.own).collect();
    if others.is_empty() {
        return;
    }
    page.push_str("<h2>Nations it knows</h2>\n<table>\n<tr><th scope=\"col\">Code</th><th scope=\"col\">Name</th>");
    page.push_str("<th scope=\"col\">Recognised</th><th scope=\"col\">Entries held</th></tr>\n");
    for nation in others {
        let recognised = if nation.accredited { "yes" } else { "no" };
        let code = escape(nation.nation.as_str());
        let (tag, name) = name(nation, language);
        let _ = writeln!(
            page,
            "<tr><td>{code}</td><td>{}</td><td>{recognised}</td><td>{}</td></tr>",
            foreign(tag, "auto", name),
            nation.size
        );
    }
    page.push_str("</table>\n");
}

/// What a nation calls itself, after the tag of the language in which it does: in this one, or the nearest.
pub fn name(nation: &NationSummary, language: Language) -> (&str, &str) {
    nearest(&nation.display_name, Some(language.tag())).unwrap_or(("", nation.nation.as_str()))
}

/// Text that is not the page's own, apart from the line around it: in its language, with no tag where
/// nobody says which that is, and in its direction.
pub fn foreign(tag: &str, direction: &str, text: &str) -> String {
    format!("<bdi lang=\"{}\" dir=\"{direction}\">{}</bdi>", escape(tag), escape(text))
}

/// Groups of four digits, for reading aloud.
fn grouped(digest: &Digest) -> String {
    let text = digest.to_string();
    let groups: Vec<&str> = (0..text.len()).step_by(4).filter_map(|at| text.get(at..at + 4)).collect();
    groups.join(" ")
}

/// Text as it stands in markup.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
