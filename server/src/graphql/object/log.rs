//! A log that is held, and who has cosigned it.

use async_graphql::{Context, ID, Object, Result};
use chancery_registry::{CosignatureSeen, Head};

use super::model::unknown_nation;
use super::{Nation, Standing};
use crate::graphql::error::OrFault as _;
use crate::graphql::id::GlobalId;
use crate::graphql::page::{cost, count};
use crate::graphql::request::{nation_of, registry, spend};
use crate::graphql::scalar::{Count, DateTime, Digest};

/// A log that this node keeps or mirrors, at the newest checkpoint that it holds in full.
#[derive(Clone)]
pub struct Log(pub Head);

/// A log that this node keeps or mirrors, at the newest checkpoint that it holds in full.
#[Object]
impl Log {
    /// The id, for `node` and `nodes`.
    pub async fn id(&self) -> ID {
        GlobalId::Log(self.0.origin.clone()).to_id()
    }

    /// Its name.
    async fn origin(&self) -> &str {
        self.0.origin.as_str()
    }

    /// The nation it claims to speak for.
    async fn nation(&self, ctx: &Context<'_>) -> Result<Nation> {
        nation_of(ctx, &self.0.origin).await?.map(Nation).ok_or_else(|| unknown_nation(&self.0.origin))
    }

    /// Whether it is this node's own.
    async fn own(&self) -> bool {
        self.0.own
    }

    /// Entries.
    async fn size(&self) -> Count {
        Count(self.0.size)
    }

    /// The root hash of its tree (RFC 6962).
    async fn root(&self) -> Digest {
        Digest(self.0.root)
    }

    /// The signed checkpoint with the cosignatures known (C2SP tlog-checkpoint).
    async fn checkpoint(&self, ctx: &Context<'_>) -> Result<&str> {
        spend(ctx, self.0.note.len()).await?;
        Ok(&self.0.note)
    }

    /// How far this checkpoint has come.
    #[graphql(complexity = 5)]
    async fn standing(&self, ctx: &Context<'_>) -> Result<Standing> {
        Standing::of(ctx, &self.0.origin, None).await
    }

    /// Cosignatures on this checkpoint.
    #[graphql(complexity = "5 + cost(first, child_complexity)")]
    async fn cosignatures(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most how many, 1 to 100; 20 when not given.")] first: Option<i32>,
    ) -> Result<Vec<Cosignature>> {
        let first = count(first)?;
        let seen = registry(ctx)?.cosignatures(&self.0.origin, None).await.or_fault()?;
        Ok(seen.into_iter().take(first as usize).map(Cosignature).collect())
    }
}

/// A nation's testimony that it has seen a checkpoint, or holds all that it covers (C2SP tlog-cosignature).
pub struct Cosignature(pub CosignatureSeen);

/// A nation's testimony that it has seen a checkpoint, or holds all that it covers (C2SP tlog-cosignature).
#[Object]
impl Cosignature {
    /// Whose log was cosigned.
    async fn origin(&self) -> &str {
        self.0.origin.as_str()
    }

    /// At which size.
    async fn size(&self) -> Count {
        Count(self.0.size)
    }

    /// The name of the cosigner's key.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The code of the cosigner's nation.
    async fn nation(&self) -> &str {
        self.0.nation.as_str()
    }

    /// Whether it says that every entry is held, or only that the tree was seen.
    async fn held(&self) -> bool {
        self.0.held
    }

    /// When, by the cosigner's clock.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// The line of the signed note.
    async fn line(&self) -> &str {
        &self.0.line
    }
}
