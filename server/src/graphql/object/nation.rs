//! A nation, as its log presents it.

use async_graphql::{Context, ID, Object, Result};
use chancery_registry::{ModelFilter, ModelOrder, NationSummary, Succession};

use super::{Evidence, LocalText, Log, LogSuccession, Record, local_texts};
use crate::graphql::error::OrFault as _;
use crate::graphql::id::GlobalId;
use crate::graphql::page::{ModelConnection, answered, cost, page};
use crate::graphql::request::{heads, registry, successions};
use crate::graphql::scalar::{Count, Digest};
use crate::language::nearest;

/// A nation as its log presents it. Its code is a claim; what identifies it is its fingerprint.
#[derive(Clone)]
pub struct Nation(pub NationSummary);

/// A nation as its log presents it. Its code is a claim; what identifies it is its fingerprint.
#[Object]
impl Nation {
    /// The id, for `node` and `nodes`.
    pub async fn id(&self) -> ID {
        GlobalId::Nation(self.0.origin.clone()).to_id()
    }

    /// The code it claims: ISO 3166-1 alpha-2, EU, UN, or XA to XZ (not XK) for other unions.
    async fn code(&self) -> &str {
        self.0.nation.as_str()
    }

    /// The name of its log.
    async fn origin(&self) -> &str {
        self.0.origin.as_str()
    }

    /// The digest of its first charter. Compare it with the nation itself, by voice or on paper.
    async fn fingerprint(&self) -> Digest {
        Digest(self.0.fingerprint)
    }

    /// What it calls itself in this language; if it does not say, in English, or in its first language.
    async fn display_name(&self, language: Option<String>) -> String {
        let found = nearest(&self.0.display_name, language.as_deref());
        found.map_or_else(|| self.0.nation.to_string(), |(_, text)| text.to_owned())
    }

    /// What it calls itself, in every language it gives.
    async fn display_names(&self, ctx: &Context<'_>) -> Result<Vec<LocalText>> {
        local_texts(ctx, &self.0.display_name).await
    }

    /// Whether this node is its own.
    async fn own(&self) -> bool {
        self.0.own
    }

    /// Whether this node's nation accredits it.
    async fn accredited(&self) -> bool {
        self.0.accredited
    }

    /// Entries of its log that this node holds.
    async fn size(&self) -> Count {
        Count(self.0.size)
    }

    /// The key of its log, as C2SP writes verifier keys.
    async fn log_key(&self) -> &str {
        &self.0.log_vkey
    }

    /// The key with which it cosigns what it has seen.
    async fn witness_key(&self) -> &str {
        &self.0.witness_vkey
    }

    /// The key with which it cosigns what it holds.
    async fn mirror_key(&self) -> &str {
        &self.0.mirror_vkey
    }

    /// Its charter in force; null while it is not held.
    #[graphql(complexity = "3 + child_complexity")]
    async fn charter(&self, ctx: &Context<'_>) -> Result<Option<Record>> {
        Ok(registry(ctx)?.record(&self.0.charter).await.or_fault()?.map(Record))
    }

    /// The version of its charter in force: 1 for the first.
    async fn charter_version(&self) -> Count {
        Count(self.0.charter_version)
    }

    /// Its log; null while nothing of it is held.
    async fn log(&self, ctx: &Context<'_>) -> Result<Option<Log>> {
        Ok(heads(ctx).await?.iter().find(|head| head.origin == self.0.origin).cloned().map(Log))
    }

    /// That its log has signed two histories; null where nothing of the kind is known.
    #[graphql(complexity = "3 + child_complexity")]
    async fn evidence(&self, ctx: &Context<'_>) -> Result<Option<Evidence>> {
        Ok(registry(ctx)?.contradiction(&self.0.origin).await.or_fault()?.map(Evidence))
    }

    /// The log that took the place of its log, as this node accepts it; null while none did. Another node may
    /// accept another.
    #[graphql(complexity = "3 + child_complexity")]
    async fn successor(&self, ctx: &Context<'_>) -> Result<Option<LogSuccession>> {
        let successions = successions(ctx).await?;
        let ours = |it: &&Succession| it.predecessor_fingerprint == self.0.fingerprint;
        Ok(successions.iter().find(ours).cloned().map(LogSuccession))
    }

    /// The log whose place its log took, as this node accepts it; null where it took none.
    #[graphql(complexity = "3 + child_complexity")]
    async fn predecessor(&self, ctx: &Context<'_>) -> Result<Option<LogSuccession>> {
        let successions = successions(ctx).await?;
        let ours = |it: &&Succession| it.fingerprint == self.0.fingerprint;
        Ok(successions.iter().find(ours).cloned().map(LogSuccession))
    }

    /// The models under its code, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn models(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most how many, 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "After this cursor of an earlier page.")] after: Option<String>,
    ) -> Result<ModelConnection> {
        let filter = ModelFilter { nation: Some(self.0.nation.clone()), ..ModelFilter::default() };
        let page = page(first, after)?;
        let models = answered(registry(ctx)?.models(&filter, ModelOrder::Newest, &page).await)?;
        Ok(ModelConnection::new(models, page.after.is_some()))
    }
}
