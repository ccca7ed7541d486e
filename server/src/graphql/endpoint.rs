//! GraphQL over HTTP, our own reading of <https://graphql.github.io/graphql-over-http/draft/>.
//!
//! POST carries any operation as `application/json`; GET carries queries. The answer's media type is
//! the one that was asked for, and decides what the status code means.

use actix_web::http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, RETRY_AFTER, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, ServerError, Value};
use futures::StreamExt as _;
use serde_json::json;

use super::accept::{MediaType, is_utf8, negotiate};
use super::error::{ErrorCode, Fault, with_code};
use super::limits;
use super::params::Params;
use super::request::Shared;
use crate::limits::{GRAPHQL_BODY_BYTES_MAX, GRAPHQL_TIME_MAX, QUERY_STRING_BYTES_MAX};
use crate::state::State;

/// `/graphql`.
pub async fn endpoint(state: Data<State>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let accept: Vec<&str> = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok()).collect();
    let Some(media_type) = negotiate(Some(&accept.join(","))) else {
        let message = "accept application/json or application/graphql-response+json";
        return refusal(MediaType::Json, &Fault::new(ErrorCode::NotAcceptable, message));
    };
    match answer(&state, &request, payload).await {
        Ok(response) => executed(media_type, response),
        Err(fault) => refusal(media_type, &fault),
    }
}

/// Reads the request and executes it.
async fn answer(state: &State, request: &HttpRequest, payload: Payload) -> Result<Response, Fault> {
    let params = match *request.method() {
        Method::POST => {
            check_body_type(request)?;
            Params::from_json(&collect(request, payload).await?)?
        }
        Method::GET => {
            let text = request.query_string();
            bound(text.len(), QUERY_STRING_BYTES_MAX, "query string")?;
            Params::from_query_string(text)?
        }
        _ => return Err(Fault::new(ErrorCode::MethodNotAllowed, "send a GraphQL request by POST, or a query by GET")),
    };
    let document = limits::read(&params.query)?;
    let operation = limits::operation_type(&document, params.operation_name.as_deref());
    if request.method() == Method::GET && operation.is_some_and(|operation| operation != OperationType::Query) {
        return Err(Fault::new(ErrorCode::MethodNotAllowed, "only queries go by GET; send this operation by POST"));
    }
    let _permit = state.graphql.try_acquire().map_err(|_| {
        Fault::new(ErrorCode::Busy, "too many others are served at this moment; try again in a few seconds")
    })?;
    let mut prepared = Request::new(params.query).variables(params.variables).data(Shared::new(&state.registry));
    prepared.operation_name = params.operation_name;
    prepared.set_parsed_query(document);
    let executed = tokio::time::timeout(GRAPHQL_TIME_MAX, state.schema.execute(prepared)).await;
    executed.map_err(|_| Fault::new(ErrorCode::Timeout, "the answer took too long; ask for less at a time"))
}

/// Only JSON in UTF-8, uncompressed: other sites' forms cannot send it, and it has one size.
fn check_body_type(request: &HttpRequest) -> Result<(), Fault> {
    let fault =
        || Fault::new(ErrorCode::UnsupportedMediaType, "send the request as application/json in UTF-8, uncompressed");
    let header = |name: HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    if header(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(fault());
    }
    let mut parts = header(CONTENT_TYPE).unwrap_or_default().split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json"));
    let charset_fits = parts
        .filter_map(|part| part.split_once('='))
        .all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || is_utf8(value));
    if is_json && charset_fits { Ok(()) } else { Err(fault()) }
}

async fn collect(request: &HttpRequest, mut payload: Payload) -> Result<Vec<u8>, Fault> {
    let announced = request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
    bound(announced.unwrap_or(0), GRAPHQL_BODY_BYTES_MAX, "body")?;
    let mut body: Vec<u8> = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Fault::new(ErrorCode::BadRequest, "the body ended too early"))?;
        bound(body.len() + chunk.len(), GRAPHQL_BODY_BYTES_MAX, "body")?;
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn bound(size: usize, max: usize, what: &str) -> Result<(), Fault> {
    if size <= max {
        return Ok(());
    }
    Err(Fault::new(ErrorCode::TooLarge, format!("the {what} has more than {max} bytes")))
}

/// What was executed, or refused by the executor before it began.
fn executed(media_type: MediaType, response: Response) -> HttpResponse {
    let errors: Vec<ServerError> = response.errors.into_iter().map(with_code).collect();
    let began = response.data != Value::Null || errors.iter().any(|error| !error.path.is_empty());
    let status = if began || media_type == MediaType::Json { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let body = match (began, errors.is_empty()) {
        (true, true) => json!({ "data": response.data }),
        (true, false) => json!({ "errors": errors, "data": response.data }),
        (false, _) => json!({ "errors": errors }),
    };
    written(status, media_type, &body)
}

/// A request that was not executed.
fn refusal(media_type: MediaType, fault: &Fault) -> HttpResponse {
    // Under `application/json`, a document that is refused for itself is answered with success.
    let status = match fault.code {
        ErrorCode::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        ErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Timeout | ErrorCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::ParseFailed | ErrorCode::LimitExceeded if media_type == MediaType::Json => StatusCode::OK,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = written(status, media_type, &json!({ "errors": [ServerError::from(fault.clone())] }));
    let extra = match fault.code {
        ErrorCode::MethodNotAllowed => Some((ALLOW, "GET, POST")),
        ErrorCode::Busy => Some((RETRY_AFTER, "3")),
        _ => None,
    };
    if let Some((name, value)) = extra {
        response.headers_mut().insert(name, actix_web::http::header::HeaderValue::from_static(value));
    }
    response
}

fn written(status: StatusCode, media_type: MediaType, body: &serde_json::Value) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, media_type.as_str()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((VARY, "accept"))
        .body(body.to_string())
}
