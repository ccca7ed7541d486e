//! The archive: a nation's own log, the mirrors of its partners' logs, and the view that people see.
//!
//! - In scope: admission in one transaction, sequencing, mirrors, cosignatures, blobs, queries.
//! - Out of scope: HTTP, GraphQL, libp2p. With the migrations, this is the only room that knows
//!   `SeaORM`; what it answers are its own plain types and those of the schema.
//!
//! Ground state are entries, bodies, blobs, checkpoints and cosignatures, what the witness cosigned last,
//! introductions, proofs of two histories, and what is erased. What is read of records is a view that [`Registry::rebuild_view`] drops and computes
//! again.
//!
//! What can be asked stands in one file for each subject: `own.rs`, `logs.rs`, `mirror.rs`,
//! `cosign.rs`, `witness.rs`, `clocks.rs`, `partners.rs`, `succession.rs`, `guard.rs`, `recover.rs`, `erase.rs`,
//! `pouch.rs`, and `view/`.

mod append;
mod batch;
mod bodies;
mod bounds;
mod clocks;
mod cosign;
mod cosignatures;
mod entity;
mod erase;
mod error;
mod ground;
mod guard;
mod handover;
mod hashes;
mod known;
mod lease;
mod log;
mod logs;
mod mirror;
mod own;
mod partners;
mod pouch;
mod recover;
mod sequencer;
mod store;
mod succession;
mod types;
mod view;
mod witness;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chancery_schema::key::Signer;
use chancery_schema::log::checkpoint::SignedCheckpoint;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::time::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};

use crate::lease::Tenure;
use crate::sequencer::Request;
use crate::store::Store;

pub use crate::clocks::{ClockAlarm, Clocks};
pub use crate::error::Error;
pub use crate::ground::{Contradiction, Ground};
pub use crate::guard::{Doubt, Mark, SharedMark};
pub use crate::pouch::blobs_named;
pub use crate::store::{Contents, check_address, look};
pub use crate::types::*;

/// A result of the archive.
pub type Result<T> = std::result::Result<T, Error>;

/// A signer that threads may share.
pub type SharedSigner = Arc<dyn Signer + Send + Sync>;

/// A clock. Tests bring their own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Whose archive it is: the nation, its log, and the three keys with which it signs notes.
#[derive(Clone)]
pub struct Identity {
    /// The nation.
    pub nation: Nation,
    /// Its log; the log key's name.
    pub origin: Origin,
    /// Signs checkpoints of the own log.
    pub log: SharedSigner,
    /// Cosigns what was seen: name and key.
    pub witness: (Origin, SharedSigner),
    /// Cosigns what is held: name and key.
    pub mirror: (Origin, SharedSigner),
    /// Remembers what was signed last, should the database be lost; without one, this process does.
    pub mark: Option<SharedMark>,
}

/// The archive. Cheap to clone; clones share one database and one sequencer, which ends with the
/// last of them.
#[derive(Clone)]
pub struct Registry {
    core: Arc<Core>,
    /// The way to the sequencer; none without an identity.
    submissions: Option<mpsc::Sender<Request>>,
}

/// What the archive and its sequencer share.
struct Core {
    store: Store,
    identity: Option<Identity>,
    clock: Clock,
    signal: broadcast::Sender<LogChanged>,
    sync: Mutex<BTreeMap<(Nation, Origin), SyncState>>,
    /// The own log; none where nobody ever opened this database with an identity.
    own: Option<Origin>,
    known: known::Cache,
    /// Since when this process sequences; none while it does not.
    tenure: watch::Sender<Option<Tenure>>,
    /// The newest checkpoint of the own log that this process has signed or seen.
    seen: Mutex<Option<SignedCheckpoint>>,
    /// What each partner was seen to sign last.
    heard: Mutex<BTreeMap<Nation, clocks::Heard>>,
}

impl Registry {
    /// Opens the database at `url` (`sqlite:PATH` or `postgres://…`), bringing its tables up to date.
    /// With an identity the archive can admit and cosign; without, it signs nothing, but still mirrors
    /// what proves itself and rebuilds its view. Of several processes with an identity one sequences, and
    /// the others hand over to it.
    ///
    /// # Errors
    /// When the database cannot be opened, or belongs to another nation's log.
    pub async fn open(url: &str, identity: Option<Identity>, clock: Clock) -> Result<Self> {
        let store = Store::open(url).await?;
        if let Some(identity) = &identity {
            own::claim(&store, identity).await?;
        }
        let own = log::own_origin(store.read()).await?;
        let (signal, _) = broadcast::channel(bounds::SIGNALS);
        let (sync, known, seen, heard) = (Mutex::default(), Mutex::default(), Mutex::default(), Mutex::default());
        let (tenure, _) = watch::channel(None);
        let core = Arc::new(Core { store, identity, clock, signal, sync, own, known, tenure, seen, heard });
        let submissions = match &core.identity {
            Some(_) => Some(sequencer::spawn(&core).await?),
            None => None,
        };
        Ok(Self { core, submissions })
    }

    /// The own log's name; none where nobody had opened this database with an identity. Asks nothing
    /// of the database.
    #[must_use]
    pub fn own_origin(&self) -> Option<&Origin> {
        self.core.own.as_ref()
    }
}

impl Core {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn identity(&self) -> Result<&Identity> {
        self.identity.as_ref().ok_or(Error::ReadOnly)
    }

    /// Whether this process sequences.
    fn leads(&self) -> bool {
        self.tenure.borrow().is_some()
    }

    /// Rings the signal. Nobody listening is no error.
    fn ring(&self, origin: &Origin, size: u64, grew: bool) {
        let _ = self.signal.send(LogChanged { origin: origin.clone(), size, grew });
    }
}
