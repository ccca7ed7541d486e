//! Exchange with partner nations: the only room that knows libp2p.
//!
//! - In scope: who may connect, what partners' nodes say to each other, pulling and serving logs.
//! - Out of scope: whether a record counts, what is held, what is shown: the archive's.
//!
//! [`sync`] decides; the event loop carries it out.

mod archive;
mod behaviour;
mod bulk;
mod contact;
mod event_loop;
mod metrics;
mod partner;
pub mod pouch;
pub mod protocol;
mod serving;
pub mod sync;
mod work;

use chancery_registry::{Clock, Registry};
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::event_loop::EventLoop;
use crate::metrics::Measures;

/// What a node needs to know.
pub struct Config {
    /// The 32 secret bytes of the transport key.
    pub transport_seed: Zeroizing<[u8; 32]>,
    /// Multiaddresses to listen on.
    pub listen: Vec<String>,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not an address.
    #[error("{0} is not a multiaddress, such as /ip4/0.0.0.0/tcp/8421")]
    Address(String),
    /// The key.
    #[error("the transport key is not an Ed25519 key")]
    Key,
    /// The operating system.
    #[error("failed to start the exchange: {0}")]
    Start(String),
    /// The archive.
    #[error("failed to read the partners")]
    Archive(#[from] chancery_registry::Error),
}

/// A running node. Dropped without [`Node::shutdown`] it ends at its next event.
pub struct Node {
    addresses: watch::Receiver<Vec<Multiaddr>>,
    measures: Measures,
    stop: std::sync::Mutex<Option<oneshot::Sender<()>>>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Node {
    /// Starts a node and returns when it listens. Partners are read from the archive, and read again
    /// whenever a log grows.
    ///
    /// # Errors
    /// When it cannot listen, or the archive fails.
    pub async fn start(config: Config, registry: Registry, clock: Clock) -> Result<Self, Error> {
        let mut secret = config.transport_seed;
        let identity = Keypair::ed25519_from_bytes(secret.as_mut_slice()).map_err(|_| Error::Key)?;
        let mut metrics = prometheus_client::registry::Registry::default();
        let mut swarm = behaviour::swarm(identity, &mut metrics)?;
        let (measures, libp2p) = Measures::new(metrics);
        for address in &config.listen {
            let parsed: Multiaddr = address.parse().map_err(|_| Error::Address(address.clone()))?;
            swarm.listen_on(parsed).map_err(|error| Error::Start(format!("{address}: {error}")))?;
        }
        let (stop, stopped) = oneshot::channel();
        let (heard, addresses) = watch::channel(Vec::new());
        let event_loop = EventLoop::new(swarm, registry, clock, measures.clone(), libp2p, heard).await?;
        let task = tokio::spawn(event_loop.run(stopped));
        let mut node = Self { addresses, measures, stop: Some(stop).into(), task: Some(task).into() };
        node.listening(config.listen.len()).await?;
        Ok(node)
    }

    /// Waits until every address is listened on.
    async fn listening(&mut self, count: usize) -> Result<(), Error> {
        let ready = self.addresses.wait_for(|addresses| addresses.len() >= count);
        let heard = tokio::time::timeout(std::time::Duration::from_secs(10), ready).await;
        heard
            .is_ok_and(|ready| ready.is_ok())
            .then_some(())
            .ok_or_else(|| Error::Start("no address is listened on".to_owned()))
    }

    /// Where the node listens.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        self.addresses.borrow().iter().map(ToString::to_string).collect()
    }

    /// What it measures of itself, in Prometheus' text format.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        self.measures.text()
    }

    /// Closes every connection; returns when the node has ended. What was being written is written.
    pub async fn shutdown(&self) {
        let stop = self.stop.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(stop) = stop {
            // It may have ended already.
            let _ = stop.send(());
        }
        if let Some(task) = self.task.lock().await.take() {
            let _ = task.await;
        }
    }
}
