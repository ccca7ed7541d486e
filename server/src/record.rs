//! Records as files: an envelope, a bundle with all its proof, the node's introduction.

use actix_web::http::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_DISPOSITION, HeaderValue, VARY};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use chancery_schema::digest::Digest;
use chancery_schema::frame::Frame;

use crate::accept::{prefers_page, values};
use crate::language::Language;
use crate::pool::Place;
use crate::reply::{Cache, Failure, held, see_other};
use crate::state::State;

const NO_RECORD: Failure = Failure::NotFound("no such record is held here");

/// On what the answer of a record's address depends.
const CHOSEN_BY: &str = "accept, accept-language";

/// `GET /record/<digest>`: for a program the envelope, for a person the page about it.
pub async fn record(state: Data<State>, path: Path<String>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    if prefers_page(&values(&request, ACCEPT)) {
        let digest = digest(&path)?;
        let language = Language::preferred(&values(&request, ACCEPT_LANGUAGE));
        return Ok(see_other(&format!("/{}/record/{digest}", language.tag()), CHOSEN_BY));
    }
    let mut response = envelope(state, path, request).await?;
    response.headers_mut().insert(VARY, HeaderValue::from_static(CHOSEN_BY));
    Ok(response)
}

/// `GET /record/<digest>/envelope`: the envelope in its fixed form, for everyone.
pub async fn envelope(state: Data<State>, path: Path<String>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let digest = digest(&path)?;
    let place = state.download(&request).await?;
    let record = state.registry.record(&digest).await?.ok_or(NO_RECORD)?;
    let envelope = state.registry.envelope(&record.origin, record.index).await?.ok_or(NO_RECORD)?;
    Ok(held("application/json", Cache::Nowhere, envelope, place))
}

/// `GET /envelope/<digest>`: an envelope by its own digest, as entries of logs name it.
pub async fn envelope_named(
    state: Data<State>,
    path: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let digest = digest(&path)?;
    let place = state.download(&request).await?;
    match state.registry.piece(&digest).await? {
        Some(Frame::Envelope(envelope)) => Ok(held("application/json", Cache::Nowhere, envelope, place)),
        _ => Err(Failure::NotFound("no such envelope is held here")),
    }
}

/// `GET /bundle/<digest>`: a `.chancery` file.
pub async fn bundle(state: Data<State>, path: Path<String>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let digest = digest(&path)?;
    let place = state.download(&request).await?;
    let bundle = state.registry.bundle(&digest).await?.ok_or(NO_RECORD)?;
    Ok(attachment(bundle, &format!("{digest}.chancery"), place))
}

/// `GET /introduction`: the own charter and endpoints with their proofs, for a partner to take in.
/// It is put together for each, so it needs a place like any bundle.
pub async fn introduction(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    if state.heads.own().await?.is_none() {
        return Err(Failure::NotFound("this node keeps no log of its own"));
    }
    let place = state.download(&request).await?;
    Ok(attachment(state.registry.introduction().await?, "introduction.chancery", place))
}

/// Reads a digest in an address.
///
/// # Errors
/// When it is not 64 lowercase hexadecimal digits.
pub fn digest(text: &str) -> Result<Digest, Failure> {
    text.parse().map_err(|_| Failure::Bad("expected a SHA-256 digest: 64 lowercase hexadecimal digits".to_owned()))
}

fn attachment(body: Vec<u8>, name: &str, place: Place) -> HttpResponse {
    let mut response = held("application/octet-stream", Cache::Nowhere, body, place);
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}
