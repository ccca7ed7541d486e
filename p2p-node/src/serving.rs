//! Serving streams of entries: to each partner its share, and to whoever comes too many a word.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chancery_registry::Registry;
use futures::StreamExt as _;
use libp2p::PeerId;
use libp2p_stream::IncomingStreams;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{debug, error, info};

use crate::bulk;

/// Streams that are served at once: each holds a package in memory.
const SERVED_MAX: usize = 16;

/// Streams that one partner is served at once.
const PER_PEER_MAX: usize = 2;

/// Streams that are refused at once. Whoever comes beyond that hears nothing.
const REFUSED_MAX: usize = 32;

/// Takes streams as they come; the library drops those that are not taken at once.
pub async fn serve(mut streams: IncomingStreams, registry: Registry) {
    let places = Places::default();
    let refusals = Arc::new(Semaphore::new(REFUSED_MAX));
    let mut served = JoinSet::new();
    loop {
        let (peer, stream) = tokio::select! {
            next = streams.next() => match next {
                Some(next) => next,
                None => return,
            },
            Some(ended) = served.join_next() => {
                if let Err(error) = ended {
                    error!(%error, "Serving a pull failed; this is a bug");
                }
                continue;
            }
        };
        if let Some(place) = places.take(peer) {
            let registry = registry.clone();
            served.spawn(async move {
                if let Err(error) = bulk::serve(stream, &registry).await {
                    info!(%peer, %error, "A pull by a partner ended early");
                }
                drop(place);
            });
        } else if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
            served.spawn(async move {
                if let Err(error) = bulk::refuse(stream, "busy").await {
                    debug!(%peer, %error, "A refusal did not arrive");
                }
                drop(permit);
            });
        }
    }
}

/// Who is being served.
#[derive(Clone, Default)]
struct Places(Arc<Mutex<BTreeMap<PeerId, usize>>>);

/// A place that is given back when it is dropped, whatever became of the stream.
struct Place {
    places: Places,
    peer: PeerId,
}

impl Places {
    fn take(&self, peer: PeerId) -> Option<Place> {
        let mut served = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (served.values().sum::<usize>(), served.get(&peer).copied().unwrap_or(0));
        if all >= SERVED_MAX || own >= PER_PEER_MAX {
            return None;
        }
        served.insert(peer, own + 1);
        Some(Place { places: self.clone(), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut served = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = served.get_mut(&self.peer) {
            *count -= 1;
        }
        served.retain(|_, count| *count > 0);
    }
}
