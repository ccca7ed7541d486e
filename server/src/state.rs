//! What all requests share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpRequest;
use chancery_registry::{Clock, Registry, Result};
use chancery_schema::digest::Digest;
use chancery_schema::name::Origin;

use crate::client::Client;
use crate::graphql::{self, Schema};
use crate::heads::Heads;
use crate::limits::{DOWNLOADS, GRAPHQL, ROOM, UPLOADS, WITNESS};
use crate::metrics::Metrics;
use crate::pool::{Place, Pool};
use crate::reply::Failure;
use crate::{Config, MetricsText};

/// What all requests share.
pub struct State {
    /// The archive.
    pub registry: Registry,
    /// The clock.
    pub clock: Clock,
    /// The heads of all logs.
    pub heads: Arc<Heads>,
    /// The GraphQL schema.
    pub schema: Schema,
    /// The server's own counters.
    pub metrics: Metrics,
    /// Metrics of other rooms.
    pub other_metrics: Vec<MetricsText>,
    /// Places of GraphQL requests.
    pub graphql: Pool,
    /// Places of blobs that come in.
    pub uploads: Pool,
    /// Places of requests to cosign.
    pub witness: Pool,
    /// Places of all that is large and goes out.
    pub downloads: Arc<Pool>,
    behind_proxy: bool,
    /// Logs by the SHA-256 of their origin, as mirrors are addressed.
    logs: Mutex<BTreeMap<Digest, Origin>>,
}

impl State {
    /// State around an archive.
    pub fn new(registry: Registry, clock: Clock, config: &Config) -> Self {
        Self {
            schema: graphql::schema(),
            heads: Arc::new(Heads::new(registry.clone())),
            registry,
            clock,
            metrics: Metrics::default(),
            other_metrics: config.metrics.clone(),
            graphql: Pool::new(GRAPHQL),
            uploads: Pool::new(UPLOADS),
            witness: Pool::new(WITNESS),
            downloads: Arc::new(Pool::with_room(DOWNLOADS, ROOM)),
            behind_proxy: config.behind_proxy,
            logs: Mutex::default(),
        }
    }

    /// Whoever sent the request.
    pub fn client(&self, request: &HttpRequest) -> Client {
        Client::of(request, self.behind_proxy)
    }

    /// A place to send something large.
    ///
    /// # Errors
    /// When none is free in time.
    pub async fn download(&self, request: &HttpRequest) -> std::result::Result<Place, Failure> {
        self.downloads.enter(self.client(request)).await.ok_or(Failure::Busy)
    }

    /// The log whose origin has this digest; none when it is not held.
    ///
    /// # Errors
    /// When the archive fails.
    pub async fn log_named(&self, origin: &Digest) -> Result<Option<Origin>> {
        if let Some(known) = self.known_log(origin) {
            return Ok(Some(known));
        }
        let heads = self.heads.all().await?;
        let named = heads.iter().map(|head| (Digest::of(head.origin.as_str().as_bytes()), head.origin.clone()));
        *self.logs.lock().unwrap_or_else(PoisonError::into_inner) = named.collect();
        Ok(self.known_log(origin))
    }

    fn known_log(&self, origin: &Digest) -> Option<Origin> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).get(origin).cloned()
    }
}
