//! The door of a node: GraphQL, the log over HTTP, and the pages that people open.
//!
//! - In scope: HTTP, TLS, GraphQL, what a request may cost, and what an answer may show.
//! - Out of scope: deciding anything. Resolvers translate; the archive and the schema decide.
//!   This is the only room that knows `actix-web` and `async-graphql`.
//!
//! A publisher is known by the signatures in the envelope, so there are no accounts, cookies or
//! sessions, and nothing that another site could ride on.

mod accept;
mod blob;
mod client;
mod explorer;
mod graphql;
mod headers;
mod heads;
mod health;
mod held;
mod incoming;
mod language;
mod limits;
mod log;
mod metrics;
mod page;
mod pool;
mod portal;
mod record;
mod reply;
mod route;
mod serve;
mod state;
mod summary;
mod tls;
mod witness;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

pub use crate::graphql::sdl;
pub use crate::serve::Server;

/// Metrics of another room, in the text of Prometheus or `OpenMetrics`.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// Where to listen, and as what.
#[derive(Clone)]
pub struct Config {
    /// The address; port 0 takes a free one, which [`Server::address`] tells.
    pub http: SocketAddr,
    /// Whether a reverse proxy stands in front and speaks TLS.
    pub behind_proxy: bool,
    /// Certificate and key, when this server speaks TLS itself.
    pub tls: Option<Tls>,
    /// What `/metrics` shows besides the server's own.
    pub metrics: Vec<MetricsText>,
}

/// Files in PEM form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tls {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Plain HTTP would leave the machine.
    #[error(
        "plain HTTP on {0} would be readable by others; give a certificate and key, \
         listen on 127.0.0.1, or say behind_proxy when a reverse proxy speaks TLS"
    )]
    PlainHttp(SocketAddr),
    /// The address is taken, or not ours.
    #[error("failed to listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A file of TLS was not read.
    #[error("failed to read the {what} in {}", path.display())]
    Pem {
        /// Certificate or key.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// The certificate and its key cannot be used.
    #[error("failed to use the certificate in {}; check that the key belongs to it", path.display())]
    Certificate {
        /// Where the certificate is.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}
