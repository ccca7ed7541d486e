//! Logs over HTTP, for any client of the formats that we follow.
//!
//! C2SP tlog-tiles <https://c2sp.org/tlog-tiles>: `/log/checkpoint` and `/log/tile/…` for the own log.
//! A partner's log lies alike under `/mirror/<hex SHA-256 of its origin>/`.

use actix_web::http::header::{self, EntityTag, Header as _, IfNoneMatch};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use chancery_schema::digest::Digest;
use chancery_schema::log::tile::{Bundle, Tile, encode_entries};
use chancery_schema::name::Origin;

use crate::record::digest;
use crate::reply::{Cache, Failure, bytes};
use crate::state::State;

const NO_LOG: Failure = Failure::NotFound("no such log is held here");
const NO_TILE: Failure = Failure::NotFound("no tree of this log has this tile; see its checkpoint");

/// `GET /log/checkpoint`.
pub async fn own_checkpoint(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, Failure> {
    checkpoint(&state, &own(&state).await?, &request).await
}

/// `GET /log/tile/<path>`.
pub async fn own_tile(state: Data<State>, path: Path<String>) -> Result<HttpResponse, Failure> {
    tile(&state, &own(&state).await?, &path).await
}

/// `GET /mirror/<origin>/checkpoint`.
pub async fn mirror_checkpoint(
    state: Data<State>,
    origin: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    checkpoint(&state, &mirror(&state, &origin).await?, &request).await
}

/// `GET /mirror/<origin>/tile/<path>`.
pub async fn mirror_tile(state: Data<State>, path: Path<(String, String)>) -> Result<HttpResponse, Failure> {
    let (origin, path) = path.into_inner();
    tile(&state, &mirror(&state, &origin).await?, &path).await
}

async fn own(state: &State) -> Result<Origin, Failure> {
    Ok(state.heads.own().await?.ok_or(NO_LOG)?.origin)
}

async fn mirror(state: &State, origin: &str) -> Result<Origin, Failure> {
    state.log_named(&digest(origin)?).await?.ok_or(NO_LOG)
}

/// Who asks often says what it holds, and is answered only what is new.
async fn checkpoint(state: &State, origin: &Origin, request: &HttpRequest) -> Result<HttpResponse, Failure> {
    let note = state.heads.of(origin).await?.ok_or(NO_LOG)?.note;
    // Weak: compressed or not, it is the same checkpoint.
    let tag = EntityTag::new_weak(Digest::of(note.as_bytes()).to_string());
    let mut response = if is_held(request, &tag) {
        HttpResponse::NotModified().insert_header((header::CACHE_CONTROL, "no-cache")).finish()
    } else {
        bytes("text/plain; charset=utf-8", Cache::Never, note)
    };
    if let Ok(tag) = tag.to_string().parse() {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn is_held(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(held)) => held.iter().any(|held| held.weak_eq(tag)),
        Err(_) => false,
    }
}

/// Hashes or entries. Neither ever changes, full or partial: the address says how many.
async fn tile(state: &State, origin: &Origin, path: &str) -> Result<HttpResponse, Failure> {
    let path = format!("tile/{path}");
    let bad = |error: chancery_schema::log::tile::TileError| Failure::Bad(error.to_string());
    let body = if path.starts_with("tile/entries/") {
        entries(state, origin, Bundle::parse_path(&path).map_err(bad)?).await?
    } else {
        state.registry.tile(origin, &Tile::parse_path(&path).map_err(bad)?).await?
    };
    Ok(bytes("application/octet-stream", Cache::Immutable, body.ok_or(NO_TILE)?))
}

async fn entries(state: &State, origin: &Origin, bundle: Bundle) -> Result<Option<Vec<u8>>, Failure> {
    let Some(range) = bundle.entries() else { return Ok(None) };
    let entries = state.registry.entries(origin, range.start, range.end).await?;
    if entries.len() != usize::from(bundle.width) {
        return Ok(None);
    }
    let encoded = encode_entries(entries.iter().map(Vec::as_slice));
    encoded.map(Some).map_err(|error| {
        let error = &error as &dyn std::error::Error;
        tracing::error!(log.origin = %origin, error, "Failed to write a bundle of entries");
        Failure::Internal
    })
}
