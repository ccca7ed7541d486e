//! What the resolvers of one request share: what is read once for all of them, and what they may spend
//! together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{Context, Result};
use chancery_registry::{Head, NationSummary, Registry, Succession, SyncState};
use chancery_schema::name::Origin;
use tokio::sync::OnceCell;

use super::error::{ErrorCode, Fault, OrFault as _};
use super::limits::{ANSWER_BYTES_MAX, LARGE_BYTES, QUESTIONS_MAX};
use crate::client::Client;
use crate::heads::Heads;
use crate::pool::{Place, Pool};
use crate::state::State;

/// What the resolvers of one request share.
pub struct Shared {
    registry: Registry,
    heads: Arc<Heads>,
    nations: OnceCell<Arc<Vec<NationSummary>>>,
    successions: OnceCell<Arc<Vec<Succession>>>,
    budget: Budget,
}

/// What one request may still ask of the archive and have answered.
struct Budget {
    questions: AtomicUsize,
    bytes: AtomicUsize,
    /// A large answer is a download like others, and takes its place among them.
    place: OnceCell<Place>,
    places: Arc<Pool>,
    client: Client,
}

impl Shared {
    /// Nothing is read or spent yet.
    pub fn new(state: &State, client: Client) -> Self {
        let places = Arc::clone(&state.downloads);
        let budget = Budget {
            questions: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            place: OnceCell::new(),
            places,
            client,
        };
        let (registry, heads) = (state.registry.clone(), Arc::clone(&state.heads));
        Self { registry, heads, nations: OnceCell::new(), successions: OnceCell::new(), budget }
    }

    /// The place of a large answer.
    pub fn into_place(self) -> Option<Place> {
        self.budget.place.into_inner()
    }
}

impl Budget {
    /// One more question to the archive.
    fn ask(&self) -> Result<()> {
        let asked = self.questions.fetch_add(1, Ordering::Relaxed);
        if asked >= QUESTIONS_MAX {
            return Err(exceeded(format!("the request asks the archive more than {QUESTIONS_MAX} times")));
        }
        check(self.bytes.load(Ordering::Relaxed))
    }

    /// So many more bytes to answer.
    async fn spend(&self, bytes: usize) -> Result<()> {
        let spent = self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        check(spent)?;
        if spent > LARGE_BYTES {
            self.place.get_or_try_init(|| self.enter()).await?;
        }
        Ok(())
    }

    async fn enter(&self) -> std::result::Result<Place, Fault> {
        let place = self.places.enter(self.client).await;
        place.ok_or_else(|| Fault::new(ErrorCode::Busy, "too many large answers are sent; try again in a few seconds"))
    }
}

fn check(spent: usize) -> Result<()> {
    if spent <= ANSWER_BYTES_MAX {
        return Ok(());
    }
    Err(exceeded(format!("the answer has more than {ANSWER_BYTES_MAX} bytes of envelopes, payloads, proofs and names")))
}

fn exceeded(what: String) -> async_graphql::Error {
    Fault::new(ErrorCode::LimitExceeded, what + "; ask for less at a time").into()
}

fn shared<'a>(ctx: &Context<'a>) -> &'a Shared {
    ctx.data_unchecked::<Arc<Shared>>()
}

/// The archive, for one question.
///
/// # Errors
/// When the request has asked, or was answered, as much as one may.
pub fn registry<'a>(ctx: &Context<'a>) -> Result<&'a Registry> {
    let shared = shared(ctx);
    shared.budget.ask()?;
    Ok(&shared.registry)
}

/// How the exchanges with partners stand. They are in memory, so asking is free.
pub fn sync_states(ctx: &Context<'_>) -> Vec<SyncState> {
    shared(ctx).registry.sync_states()
}

/// Counts bytes that a record's signers, not this node, have chosen the number of.
///
/// # Errors
/// When the answer has more than one may, or is large and too many others are.
pub async fn spend(ctx: &Context<'_>, bytes: usize) -> Result<()> {
    shared(ctx).budget.spend(bytes).await
}

/// Every nation, by code.
///
/// # Errors
/// When the archive fails.
pub async fn nations(ctx: &Context<'_>) -> Result<Arc<Vec<NationSummary>>> {
    let shared = shared(ctx);
    let read = || async { shared.registry.nations().await.map(Arc::new) };
    shared.nations.get_or_try_init(read).await.cloned().or_fault()
}

/// Which log took the place of which, as this node accepts it.
///
/// # Errors
/// When the archive fails.
pub async fn successions(ctx: &Context<'_>) -> Result<Arc<Vec<Succession>>> {
    let shared = shared(ctx);
    let read = || async { shared.registry.successions().await.map(Arc::new) };
    shared.successions.get_or_try_init(read).await.cloned().or_fault()
}

/// The nation whose log this is.
///
/// # Errors
/// When the archive fails.
pub async fn nation_of(ctx: &Context<'_>, origin: &Origin) -> Result<Option<NationSummary>> {
    Ok(nations(ctx).await?.iter().find(|nation| nation.origin == *origin).cloned())
}

/// The heads of all logs, the own one first.
///
/// # Errors
/// When the archive fails.
pub async fn heads(ctx: &Context<'_>) -> Result<Arc<Vec<Head>>> {
    shared(ctx).heads.all().await.or_fault()
}
