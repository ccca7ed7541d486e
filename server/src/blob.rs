//! Blobs: what is too large for an envelope, named by its SHA-256.

use actix_web::web::{Bytes, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chancery_registry::BlobOutcome;
use chancery_schema::limits::BLOB_BYTES_MAX;
use futures::StreamExt as _;

use crate::record::digest;
use crate::reply::{Cache, Failure, bytes};
use crate::state::State;

/// `PUT /blob/<digest>`: keeps a blob until a record names it. Putting it again does no harm.
pub async fn put(
    state: Data<State>,
    path: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Failure> {
    let digest = digest(&path)?;
    if let Some(length) = announced(&request)
        && length > BLOB_BYTES_MAX
    {
        return Err(too_large());
    }
    let _permit = state.transfers.try_acquire().map_err(|_| Failure::Busy)?;
    let body = collect(payload).await?;
    match state.registry.put_blob(digest, body).await? {
        BlobOutcome::Kept => Ok(HttpResponse::Created().finish()),
        BlobOutcome::WrongDigest => Err(Failure::Bad(format!("the bytes do not have the digest {digest}"))),
        BlobOutcome::TooLarge => Err(too_large()),
        BlobOutcome::Busy => Err(Failure::Busy),
    }
}

/// `GET /blob/<digest>`.
pub async fn get(state: Data<State>, path: Path<String>) -> Result<HttpResponse, Failure> {
    let digest = digest(&path)?;
    let _permit = state.transfers.try_acquire().map_err(|_| Failure::Busy)?;
    let blob = state.registry.blob(&digest).await?.ok_or(Failure::NotFound("no such blob is held here"))?;
    Ok(bytes("application/octet-stream", Cache::Immutable, blob))
}

fn announced(request: &HttpRequest) -> Option<u64> {
    request.headers().get("content-length")?.to_str().ok()?.parse().ok()
}

async fn collect(mut payload: Payload) -> Result<Vec<u8>, Failure> {
    let mut body: Vec<u8> = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk: Bytes = chunk.map_err(|_| Failure::Bad("the body ended too early".to_owned()))?;
        if body.len() as u64 + chunk.len() as u64 > BLOB_BYTES_MAX {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn too_large() -> Failure {
    Failure::TooLarge(format!("a blob has at most {BLOB_BYTES_MAX} bytes"))
}
