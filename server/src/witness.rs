//! The witness over HTTP, for logs and clients that follow C2SP tlog-witness
//! <https://c2sp.org/tlog-witness>: the submission prefix is `/witness`.
//!
//! Nobody is asked who they are: what counts is the log's signature on the checkpoint.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Data, Payload};
use chancery_schema::log::witness::{REQUEST_BYTES_MAX, Refusal, Request, format_answer};

use crate::incoming::{self, Cut};
use crate::limits::BODY_GRACE;
use crate::reply::{Cache, Failure, bytes};
use crate::state::State;

/// `POST /witness/add-checkpoint`.
pub async fn add_checkpoint(
    state: Data<State>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Failure> {
    if incoming::announced(&request).is_some_and(|length| length > REQUEST_BYTES_MAX as u64) {
        return Err(too_large());
    }
    let _place = state.witness.enter(state.client(&request)).await.ok_or(Failure::Busy)?;
    let body = incoming::collect(payload, REQUEST_BYTES_MAX, BODY_GRACE).await.map_err(|cut| match cut {
        Cut::Short => Failure::Bad("the body ended too early".to_owned()),
        Cut::Large => too_large(),
        Cut::Slow => Failure::TooSlow,
    })?;
    let request = Request::parse(&body).map_err(|error| Failure::Bad(format!("the request is {error}")))?;
    Ok(match state.registry.add_checkpoint(&request).await? {
        Ok(line) => bytes("text/plain; charset=utf-8", Cache::Never, format_answer(&[line])),
        Err(refusal) => refused(&refusal),
    })
}

fn refused(refusal: &Refusal) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let (media_type, body) = match refusal {
        Refusal::Conflict { size } | Refusal::OtherRoot { size } => ("text/x.tlog.size", format!("{size}\n")),
        other => ("text/plain; charset=utf-8", format!("{other}\n")),
    };
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(body)
}

fn too_large() -> Failure {
    Failure::TooLarge(format!("a request to cosign has at most {REQUEST_BYTES_MAX} bytes"))
}
