//! The one write: handing a signed record to the log.

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chancery_registry::{Admission, Receipt};
use chancery_schema::admission::Refusal;

use super::error::OrFault as _;
use super::object::Record;
use super::request::registry;
use super::scalar::{Count, Digest};

/// What can be handed in. Who may is said by the signatures inside.
pub struct Mutation;

/// What `publish` takes.
#[derive(InputObject)]
pub struct PublishInput {
    /// The signed envelope (DSSE), as JSON text. Blobs that it names are put at `/blob/<sha256>` before.
    envelope: String,
}

/// What became of the record.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum PublishStatus {
    /// It is now in the log.
    Admitted,
    /// It was in the log before; `proof` is again its receipt.
    AlreadyAdmitted,
    /// It is not in the log; `code` and `reason` say why.
    Refused,
}

/// The answer of `publish`. A refusal is an answer, not an error.
#[derive(SimpleObject)]
pub struct PublishPayload {
    /// What became of the record.
    status: PublishStatus,
    /// The record, when it is in the log.
    record: Option<Record>,
    /// Its digest.
    digest: Option<Digest>,
    /// The name of the log.
    origin: Option<String>,
    /// Its position there.
    index: Option<Count>,
    /// The receipt (C2SP tlog-proof): the log has signed a checkpoint that covers the record.
    proof: Option<String>,
    /// Why it was refused, for programs.
    code: Option<&'static str>,
    /// Why it was refused, for people.
    reason: Option<String>,
}

/// What can be handed in. Who may is said by the signatures inside.
#[Object]
impl Mutation {
    /// Hands a signed record to this node's log. Answers when it is durable there, or says why it is refused.
    #[graphql(complexity = "20 + child_complexity")]
    async fn publish(&self, ctx: &Context<'_>, input: PublishInput) -> Result<PublishPayload> {
        match registry(ctx)?.admit(input.envelope.as_bytes()).await.or_fault()? {
            Admission::Admitted(receipt) => admitted(ctx, receipt).await,
            Admission::Refused(refusal) => Ok(refused(refusal)),
        }
    }
}

async fn admitted(ctx: &Context<'_>, receipt: Receipt) -> Result<PublishPayload> {
    let record = registry(ctx)?.record(&receipt.record).await.or_fault()?;
    Ok(PublishPayload {
        status: if receipt.again { PublishStatus::AlreadyAdmitted } else { PublishStatus::Admitted },
        record: record.map(Record),
        digest: Some(Digest(receipt.record)),
        origin: Some(receipt.origin.to_string()),
        index: Some(Count(receipt.index)),
        proof: Some(receipt.proof),
        code: None,
        reason: None,
    })
}

fn refused(refusal: Refusal) -> PublishPayload {
    PublishPayload {
        status: PublishStatus::Refused,
        record: None,
        digest: None,
        origin: None,
        index: None,
        proof: None,
        code: Some(refusal.code.as_str()),
        reason: Some(refusal.reason),
    }
}
