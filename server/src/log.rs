//! Logs over HTTP, for any client of the formats that we follow.
//!
//! C2SP tlog-tiles <https://c2sp.org/tlog-tiles>: `/log/checkpoint` and `/log/tile/…` for the own log.
//! A partner's log lies alike under `/mirror/<hex SHA-256 of its origin>/`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use chancery_schema::log::tile::{Bundle, Tile, WIDTH_MAX, encode_entries};
use chancery_schema::name::Origin;

use crate::record::digest;
use crate::reply::{Cache, Failure, bytes};
use crate::state::State;

const NO_LOG: Failure = Failure::NotFound("no such log is held here");
const NO_TILE: Failure = Failure::NotFound("no tree of this log has this tile; see its checkpoint");

/// `GET /log/checkpoint`.
pub async fn own_checkpoint(state: Data<State>) -> Result<HttpResponse, Failure> {
    checkpoint(&state, &own(&state).await?).await
}

/// `GET /log/tile/<path>`.
pub async fn own_tile(state: Data<State>, path: Path<String>) -> Result<HttpResponse, Failure> {
    tile(&state, &own(&state).await?, &path).await
}

/// `GET /mirror/<origin>/checkpoint`.
pub async fn mirror_checkpoint(state: Data<State>, origin: Path<String>) -> Result<HttpResponse, Failure> {
    checkpoint(&state, &mirror(&state, &origin).await?).await
}

/// `GET /mirror/<origin>/tile/<path>`.
pub async fn mirror_tile(state: Data<State>, path: Path<(String, String)>) -> Result<HttpResponse, Failure> {
    let (origin, path) = path.into_inner();
    tile(&state, &mirror(&state, &origin).await?, &path).await
}

async fn own(state: &State) -> Result<Origin, Failure> {
    state.own_log().await?.ok_or(NO_LOG)
}

async fn mirror(state: &State, origin: &str) -> Result<Origin, Failure> {
    state.log_named(&digest(origin)?).await?.ok_or(NO_LOG)
}

async fn checkpoint(state: &State, origin: &Origin) -> Result<HttpResponse, Failure> {
    let head = state.registry.head(origin).await?.ok_or(NO_LOG)?;
    Ok(bytes("text/plain; charset=utf-8", Cache::Never, head.note))
}

/// Hashes or entries. A full tile never changes; a partial one makes room for a wider.
async fn tile(state: &State, origin: &Origin, path: &str) -> Result<HttpResponse, Failure> {
    let path = format!("tile/{path}");
    let bad = |error: chancery_schema::log::tile::TileError| Failure::Bad(error.to_string());
    let (width, body) = if path.starts_with("tile/entries/") {
        let bundle = Bundle::parse_path(&path).map_err(bad)?;
        (bundle.width, entries(state, origin, bundle).await?)
    } else {
        let tile = Tile::parse_path(&path).map_err(bad)?;
        (tile.width, state.registry.tile(origin, &tile).await?)
    };
    let cache = if width == WIDTH_MAX { Cache::Immutable } else { Cache::Day };
    Ok(bytes("application/octet-stream", cache, body.ok_or(NO_TILE)?))
}

async fn entries(state: &State, origin: &Origin, bundle: Bundle) -> Result<Option<Vec<u8>>, Failure> {
    let Some(range) = bundle.entries() else { return Ok(None) };
    let entries = state.registry.entries(origin, range.start, range.end).await?;
    if entries.len() != usize::from(bundle.width) {
        return Ok(None);
    }
    let encoded = encode_entries(entries.iter().map(Vec::as_slice));
    encoded.map(Some).map_err(|error| {
        tracing::error!(log.origin = %origin, error = &error as &dyn std::error::Error, "Failed to write a bundle of entries");
        Failure::Internal
    })
}
