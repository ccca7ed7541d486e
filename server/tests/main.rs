//! The server as its users meet it: over HTTP, on a real archive.
#![expect(clippy::unwrap_used, reason = "what a helper expects, its test expects")]

mod audit;
mod blob;
mod explorer;
mod http;
mod limits;
mod log;
mod node;
mod portal;
mod publish;
mod query;
mod schema;
mod tls;
mod witness;
