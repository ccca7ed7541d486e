//! Every address of the server.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, HttpResponse, Resource, ResponseError as _};

use crate::limits::REQUEST_TIME_MAX;
use crate::reply::Failure;
use crate::{blob, explorer, graphql, health, log, metrics, page, record};

/// Adds every address; any other answers 404, a wrong method 405.
pub fn all(config: &mut ServiceConfig) {
    config
        .service(timed(web::resource("/").get(page::home)))
        .service(timed(web::resource("/page.css").get(page::style)))
        .service(timed(web::resource("/graphql").to(graphql::endpoint)))
        .service(timed(web::resource("/graphql/schema").get(graphql::schema_text)))
        .service(timed(web::resource("/graphiql").get(explorer::index)))
        .service(timed(web::resource("/graphiql/{file}").get(explorer::file)))
        .service(timed(web::resource("/blob/{digest}").get(blob::get).put(blob::put)))
        .service(timed(web::resource("/record/{digest}").get(record::envelope)))
        .service(timed(web::resource("/bundle/{digest}").get(record::bundle)))
        .service(timed(web::resource("/introduction").get(record::introduction)))
        .service(timed(web::resource("/log/checkpoint").get(log::own_checkpoint)))
        .service(timed(web::resource("/log/tile/{path:.*}").get(log::own_tile)))
        .service(timed(web::resource("/mirror/{origin}/checkpoint").get(log::mirror_checkpoint)))
        .service(timed(web::resource("/mirror/{origin}/tile/{path:.*}").get(log::mirror_tile)))
        .service(timed(web::resource("/health").get(health::health)))
        .service(timed(web::resource("/metrics").get(metrics::page)))
        .default_service(web::to(nothing));
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
    let held = request.request().clone();
    match tokio::time::timeout(REQUEST_TIME_MAX, next.call(request)).await {
        Ok(answer) => answer.map(ServiceResponse::map_into_left_body),
        Err(_) => Ok(ServiceResponse::new(held, Failure::TooSlow.error_response()).map_into_right_body()),
    }
}

async fn nothing() -> Result<HttpResponse, Failure> {
    Err(Failure::NotFound("nothing has this address; / says what does"))
}
