//! Blobs: what is too large for an envelope, named by its SHA-256.

use std::time::Duration;

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use chancery_registry::BlobOutcome;
use chancery_schema::limits::BLOB_BYTES_MAX;

use crate::incoming::{self, Cut};
use crate::limits::TRANSFER_GRACE;
use crate::record::digest;
use crate::reply::{Cache, Failure, held};
use crate::state::State;

/// `PUT /blob/<digest>`: keeps a blob until a record names it. Putting it again does no harm.
pub async fn put(
    state: Data<State>,
    path: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Failure> {
    let digest = digest(&path)?;
    if incoming::announced(&request).is_some_and(|length| length > BLOB_BYTES_MAX) {
        return Err(too_large());
    }
    let _place = state.uploads.enter(state.client(&request)).await.ok_or(Failure::Busy)?;
    let body = collect(payload, TRANSFER_GRACE).await?;
    match state.registry.put_blob(digest, body).await? {
        BlobOutcome::Kept => Ok(HttpResponse::Created().finish()),
        BlobOutcome::WrongDigest => Err(Failure::Bad(format!("the bytes do not have the digest {digest}"))),
        BlobOutcome::TooLarge => Err(too_large()),
    }
}

/// `GET /blob/<digest>`.
pub async fn get(state: Data<State>, path: Path<String>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let digest = digest(&path)?;
    let place = state.download(&request).await?;
    let blob = state.registry.blob(&digest).await?.ok_or(Failure::NotFound("no such blob is held here"))?;
    Ok(held("application/octet-stream", Cache::Nowhere, blob, place))
}

async fn collect(payload: Payload, grace: Duration) -> Result<Vec<u8>, Failure> {
    let max = usize::try_from(BLOB_BYTES_MAX).unwrap_or(usize::MAX);
    incoming::collect(payload, max, grace).await.map_err(|cut| match cut {
        Cut::Short => Failure::Bad("the body ended too early".to_owned()),
        Cut::Large => too_large(),
        Cut::Slow => Failure::TooSlow,
    })
}

fn too_large() -> Failure {
    Failure::TooLarge(format!("a blob has at most {BLOB_BYTES_MAX} bytes"))
}
