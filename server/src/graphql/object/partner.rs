//! A nation that is recognised, and how the exchange with it stands.

use async_graphql::{Context, Enum, Object, SimpleObject};
use chancery_registry::{self as registry, PartnerEndpoint, SyncProgress};
use chancery_schema::record;

use crate::graphql::request::sync_states;
use crate::graphql::scalar::{Count, DateTime, Digest};

/// A nation with an accreditation in force.
pub struct Partner(pub registry::Partner);

/// What a nation is recognised for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "record::Scope")]
pub enum Scope {
    /// Its log is mirrored.
    Mirror,
    /// Its log is cosigned.
    Cosign,
    /// Licenses may be exchanged with it.
    Exchange,
}

/// One node of a partner.
#[derive(SimpleObject)]
pub struct Endpoint {
    /// Where it is reached by other nodes, as multiaddresses.
    addresses: Vec<String>,
    /// Where people open it.
    url: Option<String>,
}

/// How far the exchange with a partner is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum SyncStatus {
    /// Everything the partner has shown is held.
    Synchronised,
    /// `held` of `shown` entries are held.
    CatchingUp,
    /// Nothing was heard since `since`, or ever.
    Stale,
    /// The log contradicts itself; nothing more is taken. `reason` says how.
    Frozen,
}

/// How the exchange with a partner about its log stands.
#[derive(SimpleObject)]
pub struct SyncState {
    /// Whether a connection is open.
    connected: bool,
    /// In one word.
    state: SyncStatus,
    /// Entries held, while catching up.
    held: Option<Count>,
    /// Entries the partner has shown, while catching up.
    shown: Option<Count>,
    /// Since when nothing was heard, when stale.
    since: Option<DateTime>,
    /// Why it is frozen.
    reason: Option<String>,
    /// When the partner was last heard.
    last_heard: Option<DateTime>,
}

/// A nation with an accreditation in force.
#[Object]
impl Partner {
    /// The code under which it is recognised.
    async fn nation(&self) -> &str {
        self.0.nation.as_str()
    }

    /// The name of its log.
    async fn origin(&self) -> &str {
        self.0.origin.as_str()
    }

    /// The fingerprint that is recognised.
    async fn fingerprint(&self) -> Digest {
        Digest(self.0.fingerprint)
    }

    /// What it is recognised for.
    async fn scopes(&self) -> Vec<Scope> {
        self.0.scopes.iter().copied().map(Scope::from).collect()
    }

    /// Until when.
    async fn valid_until(&self) -> Option<DateTime> {
        self.0.valid_until.map(DateTime)
    }

    /// Its nodes.
    async fn endpoints(&self) -> Vec<Endpoint> {
        self.0.endpoints.iter().map(Endpoint::from).collect()
    }

    /// How the exchange about its log stands; null before the first attempt.
    async fn sync(&self, ctx: &Context<'_>) -> Option<SyncState> {
        let states = sync_states(ctx);
        let own = |state: &registry::SyncState| state.partner == self.0.nation && state.origin == self.0.origin;
        states.into_iter().find(own).map(SyncState::from)
    }
}

impl From<&PartnerEndpoint> for Endpoint {
    fn from(endpoint: &PartnerEndpoint) -> Self {
        Self { addresses: endpoint.addresses.clone(), url: endpoint.url.clone() }
    }
}

impl From<registry::SyncState> for SyncState {
    fn from(state: registry::SyncState) -> Self {
        let bare = |status| Self {
            connected: state.connected,
            state: status,
            held: None,
            shown: None,
            since: None,
            reason: None,
            last_heard: state.last_heard.map(DateTime),
        };
        match state.progress {
            SyncProgress::Synchronised => bare(SyncStatus::Synchronised),
            SyncProgress::CatchingUp { held, shown } => {
                Self { held: Some(Count(held)), shown: Some(Count(shown)), ..bare(SyncStatus::CatchingUp) }
            }
            SyncProgress::Stale { since } => Self { since: since.map(DateTime), ..bare(SyncStatus::Stale) },
            SyncProgress::Frozen { reason } => Self { reason: Some(reason), ..bare(SyncStatus::Frozen) },
        }
    }
}
