//! Every address of the server.

use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, FromRequest, Handler, HttpResponse, Resource, Responder, ResponseError as _};

use crate::limits::{REQUEST_TIME_MAX, UPLOAD_TIME_MAX};
use crate::reply::Failure;
use crate::{blob, explorer, graphql, health, log, metrics, page, portal, record, witness};

/// Adds every address; any other answers 404, a wrong method 405.
pub fn all(config: &mut ServiceConfig) {
    config
        .service(timed(resource("/", portal::home)))
        .service(timed(resource("/page.css", page::style)))
        .service(timed(web::resource("/graphql").to(graphql::endpoint)))
        .service(timed(resource("/graphql/schema", graphql::schema_text)))
        .service(timed(resource("/graphiql", explorer::index)))
        .service(timed(resource("/graphiql/{file}", explorer::file)))
        .service(resource("/blob/{digest}", blob::get).put(blob::put).wrap(from_fn(in_time_of_upload)))
        .service(timed(resource("/record/{digest}", record::record)))
        .service(timed(resource("/record/{digest}/envelope", record::envelope)))
        .service(timed(resource("/envelope/{digest}", record::envelope_named)))
        .service(timed(resource("/bundle/{digest}", record::bundle)))
        .service(timed(resource("/introduction", record::introduction)))
        .service(timed(resource("/log/checkpoint", log::own_checkpoint)))
        .service(timed(resource("/log/tile/{path:.*}", log::own_tile)))
        .service(timed(resource("/mirror/{origin}/checkpoint", log::mirror_checkpoint)))
        .service(timed(resource("/mirror/{origin}/tile/{path:.*}", log::mirror_tile)))
        .service(timed(web::resource("/witness/add-checkpoint").post(witness::add_checkpoint)))
        .service(timed(resource("/health", health::health)))
        .service(timed(resource("/metrics", metrics::page)))
        .service(timed(resource("/assets/{file:.*}", portal::asset)))
        .service(timed(resource("/{language:en|ar|zh|fr|ru|es}", portal::front)))
        .service(timed(resource("/{language:en|ar|zh|fr|ru|es}/{page:.*}", portal::page)))
        .default_service(web::to(nothing));
}

/// Something to read, by GET or HEAD.
fn resource<H, Args>(path: &str, handler: H) -> Resource
where
    H: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    web::resource(path).get(handler.clone()).head(handler)
}

/// The resource, with an end to requests that take too long. Only here, after routing, may the
/// request be held a second time to answer in its place.
fn timed(
    resource: Resource,
) -> Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + 'static>,
        Error = Error,
        InitError = (),
    >,
> {
    resource.wrap(from_fn(in_time))
}

async fn in_time(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    within(REQUEST_TIME_MAX, request, next).await
}

async fn in_time_of_upload(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    within(UPLOAD_TIME_MAX, request, next).await
}

async fn within(
    time: Duration,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let held = request.request().clone();
    match tokio::time::timeout(time, next.call(request)).await {
        Ok(answer) => answer.map(ServiceResponse::map_into_left_body),
        Err(_) => Ok(ServiceResponse::new(held, Failure::TooSlow.error_response()).map_into_right_body()),
    }
}

async fn nothing() -> Result<HttpResponse, Failure> {
    Err(Failure::NotFound("nothing has this address; / says what does"))
}
