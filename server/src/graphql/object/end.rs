//! What ended a record, and who says that its body is gone.

use async_graphql::{Context, Object, Result};
use chancery_registry::{self as registry, Ending, RecordSummary};

use super::model::unknown_nation;
use super::{LocalText, Nation, Record, local_texts};
use crate::graphql::request::{nation_of, nations};
use crate::graphql::scalar::{Count, DateTime, Digest};

/// A withdrawal or a redaction of a record.
pub struct End(pub Ending);

/// A withdrawal or a redaction of a record.
#[Object]
impl End {
    /// Which of the two: `withdrawal` or `redaction`.
    async fn kind(&self) -> &str {
        self.0.kind.as_str()
    }

    /// Its own digest.
    async fn digest(&self) -> Option<Digest> {
        self.0.record.digest.map(Digest)
    }

    /// At which position of the log it stands.
    async fn index(&self) -> Count {
        Count(self.0.record.index)
    }

    /// When its signer says that it was signed. A claim.
    async fn issued_at(&self) -> Option<DateTime> {
        self.0.record.issued_at.map(DateTime)
    }

    /// Why, in one word, such as `retired` or `personal-data`; a later version may have more words.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// More about it, in every language it gives.
    async fn statement(&self, ctx: &Context<'_>) -> Result<Vec<LocalText>> {
        local_texts(ctx, &self.0.statement).await
    }

    /// The withdrawal or redaction itself, with its proof. A withdrawal that is void ends nothing; what a
    /// redaction erased stays erased.
    async fn record(&self) -> Record {
        Record(self.0.record.clone())
    }
}

/// Who says that the body of a redacted record is gone from their node.
pub struct Erasure(pub registry::Erasure);

/// Who says that the body of a redacted record is gone from their node.
#[Object]
impl Erasure {
    /// The receipts that are held here, by nation, the first of each.
    async fn receipts(&self) -> Vec<ErasureReceipt> {
        self.0.receipts.iter().cloned().map(ErasureReceipt).collect()
    }

    /// The log's own nation, and others that say they hold the log as far as the redaction, of which no receipt is
    /// held here.
    async fn silent(&self, ctx: &Context<'_>) -> Result<Vec<Nation>> {
        let known = nations(ctx).await?;
        let silent = known.iter().filter(|nation| self.0.silent.contains(&nation.nation));
        Ok(silent.cloned().map(Nation).collect())
    }
}

/// A node's signed word that a body is gone from it.
pub struct ErasureReceipt(RecordSummary);

/// A node's signed word that a body is gone from it.
#[Object]
impl ErasureReceipt {
    /// Whose node says so.
    async fn nation(&self, ctx: &Context<'_>) -> Result<Nation> {
        nation_of(ctx, &self.0.origin).await?.map(Nation).ok_or_else(|| unknown_nation(&self.0.origin))
    }

    /// When it says that it signed this. A claim.
    async fn issued_at(&self) -> Option<DateTime> {
        self.0.issued_at.map(DateTime)
    }

    /// The digest of the receipt, a record in that nation's log.
    async fn digest(&self) -> Option<Digest> {
        self.0.digest.map(Digest)
    }
}
