//! That a log has two histories.

use async_graphql::{Context, Object, Result};
use chancery_registry::Contradiction;

use crate::graphql::request::spend;
use crate::graphql::scalar::DateTime;

/// That a log has signed two histories. Nothing more is taken of it, and nothing is cosigned.
pub struct Evidence(pub Contradiction);

/// That a log has signed two histories. Nothing more is taken of it, and nothing is cosigned.
#[Object]
impl Evidence {
    /// The smaller of two checkpoints that cannot both be true, as a signed note.
    async fn earlier(&self, ctx: &Context<'_>) -> Result<&str> {
        spend(ctx, self.0.earlier.len()).await?;
        Ok(&self.0.earlier)
    }

    /// The other one.
    async fn later(&self, ctx: &Context<'_>) -> Result<&str> {
        spend(ctx, self.0.later.len()).await?;
        Ok(&self.0.later)
    }

    /// Since when this node knows.
    async fn found_at(&self) -> DateTime {
        DateTime(self.0.found_at)
    }

    /// The body of a record of kind `evidence`, as JSON, which proves it to anyone who knows the log's key;
    /// null where that needs entries which this node does not hold.
    async fn proof(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(evidence) = &self.0.evidence else { return Ok(None) };
        let proof = serde_json::to_string(evidence)?;
        spend(ctx, proof.len()).await?;
        Ok(Some(proof))
    }
}
