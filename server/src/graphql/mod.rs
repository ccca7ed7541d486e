//! The GraphQL API: one endpoint, one read of each document, one schema.

mod endpoint;
mod error;
mod id;
mod lexer;
mod limits;
mod mutation;
mod object;
mod page;
mod params;
mod query;
mod request;
mod scalar;

use actix_web::HttpResponse;
use async_graphql::{EmptySubscription, SDLExportOptions};

use crate::reply::{Cache, bytes};

pub use self::endpoint::endpoint;

/// What can be asked and done.
pub type Schema = async_graphql::Schema<query::Query, mutation::Mutation, EmptySubscription>;

/// The schema that requests are executed against. Each brings its archive along.
pub fn schema() -> Schema {
    builder().limit_complexity(limits::COMPLEXITY_MAX).finish()
}

/// The schema as text, as `schema/graphql/chancery.graphql` holds it.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().include_specified_by().prefer_single_line_descriptions();
    let text = builder().finish().sdl_with_options(options);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").replace('\t', "  ").trim().to_owned() + "\n"
}

/// `GET /graphql/schema`: the schema as text.
pub async fn schema_text() -> HttpResponse {
    bytes("text/plain; charset=utf-8", Cache::Never, sdl())
}

fn builder() -> async_graphql::SchemaBuilder<query::Query, mutation::Mutation, EmptySubscription> {
    Schema::build(query::Query, mutation::Mutation, EmptySubscription)
        .register_output_type::<object::Node>()
        .register_output_type::<error::ErrorCode>()
        .disable_suggestions()
}
