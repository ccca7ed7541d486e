//! A record in a log, with all that is needed to check it.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chancery_registry::{self as registry, RecordSummary};
use chancery_schema::envelope::Envelope;

use super::model::unknown_nation;
use super::{Cosignature, End, Erasure, Nation, Standing};
use crate::graphql::error::OrFault as _;
use crate::graphql::id::GlobalId;
use crate::graphql::page::{cost, count};
use crate::graphql::request::{nation_of, registry, spend, successions};
use crate::graphql::scalar::{Base64, Count, DateTime, Digest};

/// Ends of one record, and nations that mirror a log, roughly, when the cost of a question is estimated.
const ENDS_GUESS: usize = 2;
const NATIONS_GUESS: usize = 20;

/// A record in a log. `envelope`, `entry` and `proof` let anyone check it without trusting this node.
#[derive(Clone)]
pub struct Record(pub RecordSummary);

/// How a record in a log is judged. Nodes judge alike: the decision is the same function everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum VerdictState {
    /// It counts.
    Valid,
    /// A later record took its place.
    Superseded,
    /// Its nation no longer stands by it; `ends` says why. It stays readable.
    Withdrawn,
    /// Its body is erased, here as everywhere; `ends` says who asked for it, and why.
    Redacted,
    /// A key that it rests on was compromised, and its nation has not affirmed it; `reason` says which.
    Contested,
    /// It does not count; `code` and `reason` say why.
    Void,
    /// This node's version does not know its kind.
    Unknown,
    /// Its body is not held here, so it cannot be judged.
    Missing,
}

/// The verdict on a record.
#[derive(SimpleObject)]
pub struct Verdict {
    /// In one word.
    state: VerdictState,
    /// Why it does not count, for programs.
    code: Option<&'static str>,
    /// Why it does not count, or is contested, for people.
    reason: Option<String>,
    /// The record that took its place.
    superseded_by: Option<Digest>,
}

/// A record in a log. `envelope`, `entry` and `proof` let anyone check it without trusting this node.
#[Object]
impl Record {
    /// The id, for `node` and `nodes`.
    pub async fn id(&self) -> ID {
        GlobalId::Record(self.0.origin.clone(), self.0.index).to_id()
    }

    /// The SHA-256 of what was signed, by which records name each other; null while the body is not held.
    async fn digest(&self) -> Option<Digest> {
        self.0.digest.map(Digest)
    }

    /// What kind of record it is, such as `model-card`.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// In which log it stands.
    async fn origin(&self) -> &str {
        self.0.origin.as_str()
    }

    /// Whose log that is.
    async fn nation(&self, ctx: &Context<'_>) -> Result<Nation> {
        nation_of(ctx, &self.0.origin).await?.map(Nation).ok_or_else(|| unknown_nation(&self.0.origin))
    }

    /// Whether its log goes on without it: a new log has taken the place of this one, from an earlier entry on,
    /// as this node accepts it. Its verdict stays; that it is the nation's word, the nation has taken back.
    #[graphql(complexity = 3)]
    async fn beyond_base(&self, ctx: &Context<'_>) -> Result<bool> {
        let Some(nation) = nation_of(ctx, &self.0.origin).await? else { return Ok(false) };
        let successions = successions(ctx).await?;
        let mut ours = successions.iter().filter(|it| it.predecessor_fingerprint == nation.fingerprint);
        Ok(ours.any(|it| self.0.index >= it.base))
    }

    /// At which position, from 0.
    async fn index(&self) -> Count {
        Count(self.0.index)
    }

    /// The SHA-256 of the envelope's bytes, which the log's entry names.
    async fn envelope_digest(&self) -> Digest {
        Digest(self.0.envelope)
    }

    /// The signed envelope (DSSE), as JSON text in its fixed form; null while the body is not held.
    #[graphql(complexity = 5)]
    async fn envelope(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.body(ctx).await?.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// What was signed (an in-toto statement), as JSON text; null while the body is not held.
    #[graphql(complexity = 5)]
    async fn payload(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let envelope = self.body(ctx).await?.and_then(|bytes| Envelope::parse(&bytes).ok());
        Ok(envelope.and_then(|envelope| String::from_utf8(envelope.payload().to_vec()).ok()))
    }

    /// The log's entry: the bytes whose hash is a leaf of the tree.
    #[graphql(complexity = 3)]
    async fn entry(&self, ctx: &Context<'_>) -> Result<Option<Base64>> {
        let end = self.0.index.saturating_add(1);
        let entries = registry(ctx)?.entries(&self.0.origin, self.0.index, end).await.or_fault()?;
        Ok(entries.into_iter().next().map(Base64))
    }

    /// The proof that the entry is in the log (C2SP tlog-proof): hashes, checkpoint and cosignatures.
    #[graphql(complexity = 5)]
    async fn proof(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let proof = registry(ctx)?.proof(&self.0.origin, self.0.index).await.or_fault()?;
        spend(ctx, proof.as_ref().map_or(0, String::len)).await?;
        Ok(proof)
    }

    /// How this node judges it.
    async fn verdict(&self) -> Verdict {
        Verdict::of(&self.0.verdict)
    }

    /// When its signer says that it was signed. A claim.
    async fn issued_at(&self) -> Option<DateTime> {
        self.0.issued_at.map(DateTime)
    }

    /// The ids of the keys whose signatures count.
    async fn signers(&self) -> Vec<Digest> {
        self.0.signers.iter().copied().map(Digest).collect()
    }

    /// How far the checkpoints that cover it have come.
    #[graphql(complexity = 5)]
    async fn standing(&self, ctx: &Context<'_>) -> Result<Standing> {
        Standing::of(ctx, &self.0.origin, Some(self.0.index)).await
    }

    /// Cosignatures on checkpoints that cover it.
    #[graphql(complexity = "5 + cost(first, child_complexity)")]
    async fn cosignatures(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most how many, 1 to 100; 20 when not given.")] first: Option<i32>,
    ) -> Result<Vec<Cosignature>> {
        let first = count(first)?;
        let seen = registry(ctx)?.cosignatures(&self.0.origin, Some(self.0.index)).await.or_fault()?;
        Ok(seen.into_iter().take(first as usize).map(Cosignature).collect())
    }

    /// What ended it, withdrawals and redactions, in log order: each with what it says.
    #[graphql(complexity = "5 + ENDS_GUESS * child_complexity")]
    async fn ends(&self, ctx: &Context<'_>) -> Result<Vec<End>> {
        let Some(digest) = &self.0.digest else { return Ok(Vec::new()) };
        let ends = registry(ctx)?.ends(&self.0.origin, digest).await.or_fault()?;
        Ok(ends.into_iter().map(End).collect())
    }

    /// Who says that its body is gone from their node; null unless it is redacted.
    #[graphql(complexity = "5 + NATIONS_GUESS * child_complexity")]
    async fn erasure(&self, ctx: &Context<'_>) -> Result<Option<Erasure>> {
        let Some(digest) = self.0.digest.filter(|_| self.0.verdict == registry::Verdict::Redacted) else {
            return Ok(None);
        };
        Ok(registry(ctx)?.erasure(&self.0.origin, &digest).await.or_fault()?.map(Erasure))
    }

    /// The path, on this node, of a file with the record and all its proof; null while the body is not held.
    async fn bundle(&self) -> Option<String> {
        self.0.digest.map(|digest| format!("/bundle/{digest}"))
    }
}

impl Record {
    async fn body(&self, ctx: &Context<'_>) -> Result<Option<Vec<u8>>> {
        let body = registry(ctx)?.envelope(&self.0.origin, self.0.index).await.or_fault()?;
        spend(ctx, body.as_ref().map_or(0, Vec::len)).await?;
        Ok(body)
    }
}

impl Verdict {
    fn of(verdict: &registry::Verdict) -> Self {
        let bare = |state| Self { state, code: None, reason: None, superseded_by: None };
        match verdict {
            registry::Verdict::Valid => bare(VerdictState::Valid),
            registry::Verdict::Superseded { by } => {
                Self { superseded_by: Some(Digest(*by)), ..bare(VerdictState::Superseded) }
            }
            registry::Verdict::Withdrawn => bare(VerdictState::Withdrawn),
            registry::Verdict::Redacted => bare(VerdictState::Redacted),
            registry::Verdict::Contested(reason) => {
                Self { reason: Some(reason.clone()), ..bare(VerdictState::Contested) }
            }
            registry::Verdict::Void(refusal) => Self {
                code: Some(refusal.code.as_str()),
                reason: Some(refusal.reason.clone()),
                ..bare(VerdictState::Void)
            },
            registry::Verdict::Unknown => bare(VerdictState::Unknown),
            registry::Verdict::Missing => bare(VerdictState::Missing),
        }
    }
}
