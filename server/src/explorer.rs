//! `GraphiQL` from files inside the binary. Nothing is loaded from elsewhere.

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::web::Path;
use rust_embed::RustEmbed;

use crate::headers::EXPLORER;
use crate::reply::Failure;

/// What `make explore` builds. A server built without it says so.
#[derive(RustEmbed)]
#[folder = "../web/explore/dist"]
#[allow_missing = true]
struct Built;

const NOT_BUILT: &str = "GraphiQL was not built into this server. Build it, then the server again:\n\n    \
    make explore\n\nThe API itself answers at /graphql; its schema is at /graphql/schema.\n";

/// `GET /graphiql`.
pub async fn index() -> HttpResponse {
    match read("index.html") {
        Some(response) => response,
        None => HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body(NOT_BUILT),
    }
}

/// `GET /graphiql/<file>`.
pub async fn file(name: Path<String>) -> Result<HttpResponse, Failure> {
    read(&name).ok_or(Failure::NotFound("no such file of GraphiQL"))
}

fn read(name: &str) -> Option<HttpResponse> {
    let media_type = match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        _ => return None,
    };
    let file = Built::get(name)?;
    let mut response = HttpResponse::Ok();
    response.content_type(media_type);
    response.insert_header(("cache-control", "no-cache"));
    response.insert_header((CONTENT_SECURITY_POLICY, EXPLORER));
    Some(response.body(file.data.into_owned()))
}
