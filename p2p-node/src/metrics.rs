//! What the node measures of itself, in Prometheus' text format.

use std::sync::{Arc, Mutex, PoisonError};

use chancery_registry::{SyncProgress, SyncState};
use libp2p::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Which log.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfLog {
    nation: String,
    origin: String,
}

/// The measures. Clones share them.
#[derive(Clone)]
pub struct Measures {
    registry: Arc<Mutex<Registry>>,
    partners: Gauge,
    complaints: Counter,
    setbacks: Counter,
    behind: Family<OfLog, Gauge>,
    frozen: Family<OfLog, Gauge>,
}

impl Measures {
    /// Takes the registry in which libp2p measures already, and adds ours.
    pub fn new(mut registry: Registry) -> (Self, Metrics) {
        let libp2p = Metrics::new(&mut registry);
        let measures = Self {
            registry: Arc::default(),
            partners: Gauge::default(),
            complaints: Counter::default(),
            setbacks: Counter::default(),
            behind: Family::default(),
            frozen: Family::default(),
        };
        let ours = registry.sub_registry_with_prefix("chancery_exchange");
        ours.register("partners_connected", "Partners' nodes that are connected", measures.partners.clone());
        ours.register("complaints", "What partners sent that is provably wrong", measures.complaints.clone());
        ours.register(
            "setbacks",
            "Exchanges that did not work, as happens between honest partners",
            measures.setbacks.clone(),
        );
        ours.register(
            "entries_behind",
            "Entries that partners have shown and the mirror lacks",
            measures.behind.clone(),
        );
        ours.register("frozen", "1 for a log that contradicts itself", measures.frozen.clone());
        (Self { registry: Arc::new(Mutex::new(registry)), ..measures }, libp2p)
    }

    /// Everything in Prometheus' text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a string does not fail.
        let _ = encode(&mut text, &registry);
        text
    }

    /// How many partners' nodes are connected.
    pub fn connected(&self, count: usize) {
        self.partners.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A partner did what no honest one does.
    pub fn complaint(&self) {
        self.complaints.inc();
    }

    /// Something did not work, here or there.
    pub fn setback(&self) {
        self.setbacks.inc();
    }

    /// How the exchange about a log stands.
    pub fn sync(&self, state: &SyncState) {
        let log = OfLog { nation: state.partner.to_string(), origin: state.origin.to_string() };
        let (behind, frozen) = match &state.progress {
            SyncProgress::CatchingUp { held, shown } => (shown.saturating_sub(*held), false),
            SyncProgress::Frozen { .. } => (0, true),
            SyncProgress::Synchronised | SyncProgress::Stale { .. } => (0, false),
        };
        self.behind.get_or_create(&log).set(i64::try_from(behind).unwrap_or(i64::MAX));
        self.frozen.get_or_create(&log).set(i64::from(frozen));
    }
}
