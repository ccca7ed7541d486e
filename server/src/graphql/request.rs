//! What the resolvers of one request share, so that a list of records asks for its nations once.

use std::sync::Arc;

use async_graphql::{Context, Result};
use chancery_registry::{Head, NationSummary, Registry};
use chancery_schema::name::Origin;
use tokio::sync::OnceCell;

use super::error::OrFault as _;

/// Nations and heads, read at most once.
pub struct Shared {
    registry: Registry,
    nations: OnceCell<Arc<Vec<NationSummary>>>,
    heads: OnceCell<Arc<Vec<Head>>>,
}

impl Shared {
    /// Nothing is read yet.
    pub fn new(registry: &Registry) -> Self {
        Self { registry: registry.clone(), nations: OnceCell::new(), heads: OnceCell::new() }
    }
}

/// The archive.
pub fn registry<'a>(ctx: &Context<'a>) -> &'a Registry {
    ctx.data_unchecked::<Registry>()
}

/// Every nation, by code.
///
/// # Errors
/// When the archive fails.
pub async fn nations(ctx: &Context<'_>) -> Result<Arc<Vec<NationSummary>>> {
    let shared = ctx.data_unchecked::<Shared>();
    let read = || async { shared.registry.nations().await.map(Arc::new) };
    shared.nations.get_or_try_init(read).await.cloned().or_fault()
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
    let shared = ctx.data_unchecked::<Shared>();
    let read = || async { shared.registry.heads().await.map(Arc::new) };
    shared.heads.get_or_try_init(read).await.cloned().or_fault()
}
