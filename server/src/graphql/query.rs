//! Everything that can be asked.

use std::fmt::Display;
use std::str::FromStr;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use chancery_registry as registry;
use chancery_schema::log::entry::Entry;
use chancery_schema::name::{self, Origin};

use super::error::{ErrorCode, Fault, OrFault as _};
use super::id::GlobalId;
use super::object::{Found, Log, Model, Nation, Node, Partner, Record};
use super::page::{ModelConnection, RecordConnection, answered, cost, count, page};
use super::request::{heads, nation_of, nations, registry};
use super::scalar::Digest;

/// Ids in one question.
const IDS_MAX: usize = 20;

/// Logs and nations, roughly, when the cost of a question is estimated. Where there are more, the bounds
/// that are counted hold.
const NATIONS_GUESS: usize = 20;

/// Everything that can be asked. Each answer can be checked without trusting this node.
pub struct Query;

/// Which models. What is not given does not restrict.
#[derive(InputObject)]
pub struct ModelFilter {
    /// Under this nation's code.
    nation: Option<String>,
    /// With these words in names, texts, tags or publisher.
    text: Option<String>,
    /// That know this language, or a variety of it: a BCP 47 tag.
    language: Option<String>,
    /// Under this license: an SPDX expression, as declared, or the digest of its record.
    license: Option<String>,
    /// Whose versions have all ended, by withdrawal or redaction; or, when false, of which one has not.
    ended: Option<bool>,
}

/// In which order models are listed.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "registry::ModelOrder")]
pub enum ModelOrder {
    /// The newest version first.
    Newest,
    /// From A to Z by name; those of one name by publisher, and then by log.
    Name,
}

/// Everything that can be asked. Each answer can be checked without trusting this node.
#[Object]
impl Query {
    /// What an id stands for; null when it is not held here.
    #[graphql(complexity = "5 + child_complexity")]
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        by_id(ctx, &id).await
    }

    /// What each id stands for, at most 20 of them.
    #[graphql(complexity = "ids.len().min(IDS_MAX) * (5 + child_complexity)")]
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        if ids.len() > IDS_MAX {
            return Err(bad(format!("{} ids are more than {IDS_MAX}; ask for less at a time", ids.len())));
        }
        let mut nodes = Vec::with_capacity(ids.len());
        for id in &ids {
            nodes.push(by_id(ctx, id).await?);
        }
        Ok(nodes)
    }

    /// Every nation of whose log something is held, or that was introduced, by code.
    #[graphql(complexity = "NATIONS_GUESS * child_complexity")]
    async fn nations(&self, ctx: &Context<'_>) -> Result<Vec<Nation>> {
        Ok(nations(ctx).await?.iter().cloned().map(Nation).collect())
    }

    /// All that claim this code. More than one is a dispute, which this node shows and does not settle.
    async fn nation(&self, ctx: &Context<'_>, code: String) -> Result<Vec<Nation>> {
        let code: name::Nation = read("code", &code)?;
        Ok(nations(ctx).await?.iter().filter(|nation| nation.nation == code).cloned().map(Nation).collect())
    }

    /// Models, each by the version that was published last and has not ended; by its last one where all have.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn models(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most how many, 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "After this cursor of an earlier page, in the same order.")] after: Option<String>,
        #[graphql(desc = "Only these.")] filter: Option<ModelFilter>,
        #[graphql(desc = "In this order.", default_with = "Some(ModelOrder::Newest)")] order: Option<ModelOrder>,
    ) -> Result<ModelConnection> {
        let filter = filter.map(registry::ModelFilter::try_from).transpose()?.unwrap_or_default();
        let page = page(first, after)?;
        let order = order.map(registry::ModelOrder::from).unwrap_or_default();
        let models = answered(registry(ctx)?.models(&filter, order, &page).await)?;
        Ok(ModelConnection::new(models, page.after.is_some()))
    }

    /// One version of a model, the newest that has not ended when none is given; null when it is not held.
    async fn model(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "`urn:chancery:<nation>:<org>:<name>`.")] urn: String,
        #[graphql(desc = "The version; the newest when not given.")] version: Option<String>,
    ) -> Result<Option<Model>> {
        model(ctx, &urn, version.as_deref()).await
    }

    /// Records of one log or of all, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn records(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most how many, 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "After this cursor of an earlier page.")] after: Option<String>,
        #[graphql(desc = "Of this log.")] origin: Option<String>,
        #[graphql(desc = "Of this kind, such as `model-card`.")] kind: Option<String>,
    ) -> Result<RecordConnection> {
        let origin: Option<Origin> = origin.map(|origin| read("origin", &origin)).transpose()?;
        let page = page(first, after)?;
        let records = answered(registry(ctx)?.records(origin.as_ref(), kind.as_deref(), &page).await)?;
        Ok(RecordConnection::new(records, page.after.is_some()))
    }

    /// The record with this digest; null when it is not held.
    async fn record(&self, ctx: &Context<'_>, digest: Digest) -> Result<Option<Record>> {
        Ok(registry(ctx)?.record(&digest.0).await.or_fault()?.map(Record))
    }

    /// Everything that has this digest: records, envelopes, weights files, manifests, blobs, keys.
    #[graphql(complexity = "5 + cost(first, child_complexity)")]
    async fn lookup(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to look for, a SHA-256.")] digest: Digest,
        #[graphql(desc = "At most how many, 1 to 100; 20 when not given. What counts comes first.")] first: Option<i32>,
    ) -> Result<Vec<Found>> {
        let first = count(first)?;
        let found = registry(ctx)?.lookup(&digest.0).await.or_fault()?;
        Ok(found.into_iter().take(first as usize).map(Found::from).collect())
    }

    /// The logs that are kept or mirrored here, the own one first.
    #[graphql(complexity = "NATIONS_GUESS * child_complexity")]
    async fn logs(&self, ctx: &Context<'_>) -> Result<Vec<Log>> {
        Ok(heads(ctx).await?.iter().cloned().map(Log).collect())
    }

    /// The log with this name; null when it is not held.
    async fn log(&self, ctx: &Context<'_>, origin: String) -> Result<Option<Log>> {
        log(ctx, &read("origin", &origin)?).await
    }

    /// The nations that this node's nation recognises, and how the exchange with them stands.
    #[graphql(complexity = "NATIONS_GUESS * child_complexity")]
    async fn partners(&self, ctx: &Context<'_>) -> Result<Vec<Partner>> {
        Ok(registry(ctx)?.partners().await.or_fault()?.into_iter().map(Partner).collect())
    }
}

impl TryFrom<ModelFilter> for registry::ModelFilter {
    type Error = async_graphql::Error;

    fn try_from(filter: ModelFilter) -> Result<Self> {
        let ModelFilter { nation, text, language, license, ended } = filter;
        let nation = nation.map(|nation| read("nation", &nation)).transpose()?;
        Ok(Self { nation, text, language, license, ended })
    }
}

async fn by_id(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    let Some(id) = GlobalId::read(id) else { return Err(bad("this is no id of ours".to_owned())) };
    Ok(match id {
        GlobalId::Nation(origin) => nation_of(ctx, &origin).await?.map(Nation).map(Node::from),
        GlobalId::Log(origin) => log(ctx, &origin).await?.map(Node::from),
        GlobalId::Model(urn, version) => model(ctx, &urn, Some(&version)).await?.map(Node::from),
        GlobalId::Record(origin, index) => record_at(ctx, &origin, index).await?.map(Node::from),
    })
}

async fn log(ctx: &Context<'_>, origin: &Origin) -> Result<Option<Log>> {
    Ok(heads(ctx).await?.iter().find(|head| head.origin == *origin).cloned().map(Log))
}

async fn model(ctx: &Context<'_>, urn: &str, version: Option<&str>) -> Result<Option<Model>> {
    let versions = registry(ctx)?.versions(urn).await.or_fault()?;
    Ok(versions.into_iter().find(|model| version.is_none_or(|version| model.version == version)).map(Model))
}

/// The record at a position: its entry names the envelope, by which it is found.
async fn record_at(ctx: &Context<'_>, origin: &Origin, index: u64) -> Result<Option<Record>> {
    let entries = registry(ctx)?.entries(origin, index, index.saturating_add(1)).await;
    let entry = match entries {
        Err(registry::Error::UnknownLog(_)) => None,
        entries => entries.or_fault()?.first().and_then(|entry| Entry::parse(entry).ok()),
    };
    let Some(entry) = entry else { return Ok(None) };
    let found = registry(ctx)?.lookup(&entry.envelope()).await.or_fault()?;
    let mut records = found.into_iter().map(|found| found.record);
    Ok(records.find(|record| record.origin == *origin && record.index == index).map(Record))
}

fn read<T: FromStr<Err: Display>>(argument: &str, text: &str) -> Result<T> {
    text.parse().map_err(|error: T::Err| bad(format!("{argument}: {error}")))
}

fn bad(message: String) -> async_graphql::Error {
    Fault::new(ErrorCode::BadInput, message).into()
}
