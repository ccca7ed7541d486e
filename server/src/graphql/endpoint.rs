//! GraphQL over HTTP, our own reading of <https://graphql.github.io/graphql-over-http/draft/>.
//!
//! POST carries any operation as `application/json`; GET carries queries. The answer's media type is
//! the one that was asked for, and decides what the status code means.

use std::sync::Arc;

use actix_web::http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use async_graphql::parser::types::OperationType;
use async_graphql::{PathSegment, Request, Response, ServerError, Value};
use serde::Serialize;

use super::error::{ErrorCode, Fault, with_code};
use super::limits;
use super::params::Params;
use super::request::Shared;
use crate::accept::{MediaType, is_utf8, negotiate, values};
use crate::held;
use crate::incoming::{self, Cut};
use crate::limits::{BODY_GRACE, GRAPHQL_BODY_BYTES_MAX, GRAPHQL_TIME_MAX, QUERY_STRING_BYTES_MAX};
use crate::pool::Place;
use crate::state::State;

/// What was executed, and all that its answer keeps until it is sent.
struct Answered {
    response: Response,
    guard: Kept,
}

/// The request's own place, and one for a large answer.
type Kept = Option<(Place, Option<Place>)>;

/// A response as it is written: the members that it has.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

/// `/graphql`.
pub async fn endpoint(state: Data<State>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let Some(media_type) = negotiate(Some(&values(&request, ACCEPT))) else {
        let message = "accept application/json or application/graphql-response+json";
        return refusal(MediaType::Json, &Fault::new(ErrorCode::NotAcceptable, message));
    };
    match answer(&state, &request, payload).await {
        Ok(answered) => executed(media_type, answered),
        Err(fault) => refusal(media_type, &fault),
    }
}

/// Reads the request and executes it. The place is taken before the body is read, and kept with the answer.
async fn answer(state: &State, request: &HttpRequest, payload: Payload) -> Result<Answered, Fault> {
    check_head(request)?;
    let client = state.client(request);
    let busy = "too many others are served at this moment; try again in a few seconds";
    let place = state.graphql.enter(client).await.ok_or_else(|| Fault::new(ErrorCode::Busy, busy))?;
    let params = params(request, payload).await?;
    let shared = Arc::new(Shared::new(state, client));
    let response = execute(state, request, params, Arc::clone(&shared)).await?;
    let large = Arc::into_inner(shared).and_then(Shared::into_place);
    Ok(Answered { response, guard: Some((place, large)) })
}

async fn params(request: &HttpRequest, payload: Payload) -> Result<Params, Fault> {
    match *request.method() {
        Method::GET => Params::from_query_string(request.query_string()),
        _ => Params::from_json(&collect(payload).await?),
    }
}

async fn execute(state: &State, request: &HttpRequest, params: Params, shared: Arc<Shared>) -> Result<Response, Fault> {
    let document = limits::read(&params.query)?;
    let operation = limits::operation_type(&document, params.operation_name.as_deref());
    if request.method() == Method::GET && operation.is_some_and(|operation| operation != OperationType::Query) {
        return Err(Fault::new(ErrorCode::MethodNotAllowed, "only queries go by GET; send this operation by POST"));
    }
    let mut prepared = Request::new(params.query).variables(params.variables).data(shared);
    prepared.operation_name = params.operation_name;
    prepared.set_parsed_query(document);
    let executed = tokio::time::timeout(GRAPHQL_TIME_MAX, state.schema.execute(prepared)).await;
    executed.map_err(|_| too_late(operation))
}

/// Whoever published does not know whether the record is in the log; asking again tells.
fn too_late(operation: Option<OperationType>) -> Fault {
    let advice = match operation {
        Some(OperationType::Mutation) => {
            "the record may be in the log or not; publish it again: that does no harm, it is entered once"
        }
        _ => "ask for less at a time",
    };
    Fault::new(ErrorCode::Timeout, format!("the answer took too long; {advice}"))
}

/// What can be refused before anything more is read.
fn check_head(request: &HttpRequest) -> Result<(), Fault> {
    match *request.method() {
        Method::POST => {
            check_body_type(request)?;
            let announced = incoming::announced(request).and_then(|length| usize::try_from(length).ok());
            bound(announced.unwrap_or(0), GRAPHQL_BODY_BYTES_MAX, "body")
        }
        Method::GET => bound(request.query_string().len(), QUERY_STRING_BYTES_MAX, "query string"),
        _ => Err(Fault::new(ErrorCode::MethodNotAllowed, "send a GraphQL request by POST, or a query by GET")),
    }
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

async fn collect(payload: Payload) -> Result<Vec<u8>, Fault> {
    incoming::collect(payload, GRAPHQL_BODY_BYTES_MAX, BODY_GRACE).await.map_err(|cut| match cut {
        Cut::Short => Fault::new(ErrorCode::BadRequest, "the body ended too early"),
        Cut::Large => too_large(GRAPHQL_BODY_BYTES_MAX, "body"),
        Cut::Slow => Fault::new(ErrorCode::Timeout, "the body came too slowly; nothing was executed, send it again"),
    })
}

fn bound(size: usize, max: usize, what: &str) -> Result<(), Fault> {
    if size <= max { Ok(()) } else { Err(too_large(max, what)) }
}

fn too_large(max: usize, what: &str) -> Fault {
    Fault::new(ErrorCode::TooLarge, format!("the {what} has more than {max} bytes"))
}

/// What was executed, or refused by the executor before it began.
fn executed(media_type: MediaType, Answered { mut response, guard }: Answered) -> HttpResponse {
    if response.errors.iter().any(|error| is_left_out(error, &response.data)) {
        response.data = Value::Null;
    }
    let errors: Vec<ServerError> = response.errors.into_iter().map(with_code).collect();
    let began = response.data != Value::Null || errors.iter().any(|error| !error.path.is_empty());
    let passing = response.data == Value::Null && !errors.is_empty() && errors.iter().all(is_busy);
    let status = match (media_type, began) {
        (MediaType::Json, _) => StatusCode::OK,
        _ if passing => StatusCode::SERVICE_UNAVAILABLE,
        (_, true) => StatusCode::OK,
        (_, false) => StatusCode::BAD_REQUEST,
    };
    let mut answer = written(status, media_type, &errors, began.then_some(&response.data), guard);
    if passing {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("3"));
    }
    answer
}

/// Whether a field that cannot be null failed at the top: there async-graphql leaves it out, where no data
/// at all may be answered (GraphQL, *Handling Execution Errors*), since clients do not expect it to be absent.
fn is_left_out(error: &ServerError, data: &Value) -> bool {
    match (error.path.first(), data) {
        (Some(PathSegment::Field(field)), Value::Object(fields)) => !fields.contains_key(field.as_str()),
        _ => false,
    }
}

fn is_busy(error: &ServerError) -> bool {
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    code == Some(&Value::from(ErrorCode::Busy.as_str()))
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
    let mut response = written(status, media_type, &[ServerError::from(fault.clone())], None, None);
    let extra = match fault.code {
        ErrorCode::MethodNotAllowed => Some((ALLOW, "GET, POST")),
        ErrorCode::Busy | ErrorCode::Timeout => Some((RETRY_AFTER, "3")),
        _ => None,
    };
    if let Some((name, value)) = extra {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn written(
    status: StatusCode,
    media_type: MediaType,
    errors: &[ServerError],
    data: Option<&Value>,
    guard: Kept,
) -> HttpResponse {
    let body = serde_json::to_vec(&Written { errors, data }).expect("texts, numbers, lists and objects are written");
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, media_type.as_str()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((VARY, "accept"))
        .body(held::body(body, guard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_published_in_vain_is_told_to_publish_again() {
        let publish = too_late(Some(OperationType::Mutation));
        assert!(publish.message.contains("publish it again") && !publish.message.contains("less"), "{publish:?}");
        let query = too_late(Some(OperationType::Query));
        assert!(query.message.contains("ask for less at a time"), "{query:?}");
    }

    #[test]
    fn what_is_busy_is_answered_so_that_clients_come_again() {
        let busy = || {
            let mut error = ServerError::from(Fault::new(ErrorCode::Busy, "later"));
            error.path = vec![async_graphql::PathSegment::Field("publish".to_owned())];
            let mut response = Response::new(Value::Null);
            response.errors = vec![error];
            Answered { response, guard: None }
        };
        for (media_type, status) in [(MediaType::GraphqlResponse, 503), (MediaType::Json, 200)] {
            let answer = executed(media_type, busy());
            assert_eq!((answer.status().as_u16(), answer.headers().contains_key(RETRY_AFTER)), (status, true));
        }
    }
}
