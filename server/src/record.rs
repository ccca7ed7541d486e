//! Records as files: an envelope, a bundle with all its proof, the node's introduction.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::web::{Data, Path};
use chancery_schema::digest::Digest;

use crate::reply::{Cache, Failure, bytes};
use crate::state::State;

const NO_RECORD: Failure = Failure::NotFound("no such record is held here");

/// `GET /record/<digest>`: the envelope in its fixed form.
pub async fn envelope(state: Data<State>, path: Path<String>) -> Result<HttpResponse, Failure> {
    let digest = digest(&path)?;
    let _permit = state.transfers.try_acquire().map_err(|_| Failure::Busy)?;
    let record = state.registry.record(&digest).await?.ok_or(NO_RECORD)?;
    let envelope = state.registry.envelope(&record.origin, record.index).await?.ok_or(NO_RECORD)?;
    Ok(bytes("application/json", Cache::Never, envelope))
}

/// `GET /bundle/<digest>`: a `.chancery` file.
pub async fn bundle(state: Data<State>, path: Path<String>) -> Result<HttpResponse, Failure> {
    let digest = digest(&path)?;
    let _permit = state.transfers.try_acquire().map_err(|_| Failure::Busy)?;
    let bundle = state.registry.bundle(&digest).await?.ok_or(NO_RECORD)?;
    Ok(attachment(bundle, &format!("{digest}.chancery")))
}

/// `GET /introduction`: the own charter and endpoints with their proofs, for a partner to take in.
pub async fn introduction(state: Data<State>) -> Result<HttpResponse, Failure> {
    if state.own_log().await?.is_none() {
        return Err(Failure::NotFound("this node keeps no log of its own"));
    }
    Ok(attachment(state.registry.introduction().await?, "introduction.chancery"))
}

/// Reads a digest in an address.
///
/// # Errors
/// When it is not 64 lowercase hexadecimal digits.
pub fn digest(text: &str) -> Result<Digest, Failure> {
    text.parse().map_err(|_| Failure::Bad("expected a SHA-256 digest: 64 lowercase hexadecimal digits".to_owned()))
}

fn attachment(body: Vec<u8>, name: &str) -> HttpResponse {
    let mut response = bytes("application/octet-stream", Cache::Never, body);
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}
