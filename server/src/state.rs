//! What all requests share.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chancery_registry::{Clock, Registry, Result};
use chancery_schema::digest::Digest;
use chancery_schema::name::Origin;
use tokio::sync::Semaphore;

use crate::MetricsText;
use crate::graphql::{self, Schema};
use crate::limits::{GRAPHQL_AT_ONCE, TRANSFERS_AT_ONCE};
use crate::metrics::Metrics;

/// What all requests share.
pub struct State {
    /// The archive.
    pub registry: Registry,
    /// The clock.
    pub clock: Clock,
    /// The GraphQL schema over the archive.
    pub schema: Schema,
    /// The server's own counters.
    pub metrics: Metrics,
    /// Metrics of other rooms.
    pub other_metrics: Vec<MetricsText>,
    /// One permit for each GraphQL request executed.
    pub graphql: Semaphore,
    /// One permit for each blob, bundle or envelope in memory.
    pub transfers: Semaphore,
    /// Logs by the SHA-256 of their origin, as mirrors are addressed.
    logs: Mutex<BTreeMap<Digest, Origin>>,
}

impl State {
    /// State around an archive.
    pub fn new(registry: Registry, clock: Clock, other_metrics: Vec<MetricsText>) -> Self {
        Self {
            schema: graphql::schema(registry.clone()),
            registry,
            clock,
            metrics: Metrics::default(),
            other_metrics,
            graphql: Semaphore::new(GRAPHQL_AT_ONCE),
            transfers: Semaphore::new(TRANSFERS_AT_ONCE),
            logs: Mutex::default(),
        }
    }

    /// The node's own log; none before its first entry.
    ///
    /// # Errors
    /// When the archive fails.
    pub async fn own_log(&self) -> Result<Option<Origin>> {
        Ok(self.registry.heads().await?.into_iter().find(|head| head.own).map(|head| head.origin))
    }

    /// The log whose origin has this digest; none when it is not held.
    ///
    /// # Errors
    /// When the archive fails.
    pub async fn log_named(&self, origin: &Digest) -> Result<Option<Origin>> {
        if let Some(known) = self.known_log(origin) {
            return Ok(Some(known));
        }
        let heads = self.registry.heads().await?;
        let named = heads.into_iter().map(|head| (Digest::of(head.origin.as_str().as_bytes()), head.origin));
        *self.logs.lock().unwrap_or_else(PoisonError::into_inner) = named.collect();
        Ok(self.known_log(origin))
    }

    fn known_log(&self, origin: &Digest) -> Option<Origin> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).get(origin).cloned()
    }
}
