//! A version of a model.

use async_graphql::{Context, ID, Object, Result};
use chancery_registry::ModelSummary;

use super::{LocalText, Nation, Record, local_texts};
use crate::graphql::error::{ErrorCode, Fault, OrFault as _};
use crate::graphql::id::GlobalId;
use crate::graphql::page::{cost, count};
use crate::graphql::request::{nation_of, registry};
use crate::language::nearest;

/// A version of a model, as its card describes it.
#[derive(Clone)]
pub struct Model(pub ModelSummary);

/// A version of a model, as its card describes it.
#[Object]
impl Model {
    /// The id, for `node` and `nodes`.
    pub async fn id(&self) -> ID {
        GlobalId::Model(self.0.urn.clone(), self.0.version.clone()).to_id()
    }

    /// Its name: `urn:chancery:<nation>:<org>:<name>`.
    async fn urn(&self) -> &str {
        &self.0.urn
    }

    /// The version.
    async fn version(&self) -> &str {
        &self.0.version
    }

    /// Whether its card was withdrawn or redacted: the version is nobody's again.
    async fn ended(&self) -> bool {
        self.0.ended
    }

    /// Whose log the card is in.
    async fn nation(&self, ctx: &Context<'_>) -> Result<Nation> {
        let nation = nation_of(ctx, &self.0.card.origin).await?;
        nation.map(Nation).ok_or_else(|| unknown_nation(&self.0.card.origin))
    }

    /// Who publishes it.
    async fn org(&self) -> &str {
        &self.0.org
    }

    /// The last part of its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What people call it in this language; if the card does not say, in English, or in its first language.
    async fn display_name(&self, language: Option<String>) -> String {
        let found = nearest(&self.0.display_name, language.as_deref());
        found.map_or_else(|| self.0.name.clone(), |(_, text)| text.to_owned())
    }

    /// What people call it, in every language the card gives.
    async fn display_names(&self, ctx: &Context<'_>) -> Result<Vec<LocalText>> {
        local_texts(ctx, &self.0.display_name).await
    }

    /// The languages it knows, as BCP 47 tags.
    async fn languages(&self) -> &[String] {
        &self.0.languages
    }

    /// What its license is called: an SPDX expression, a title, or as declared.
    async fn license(&self) -> Option<&str> {
        self.0.license.as_deref()
    }

    /// The record of its license; null when the card names none or it is not held.
    #[graphql(complexity = "3 + child_complexity")]
    async fn license_record(&self, ctx: &Context<'_>) -> Result<Option<Record>> {
        let Some(digest) = &self.0.license_record else { return Ok(None) };
        Ok(registry(ctx)?.record(digest).await.or_fault()?.map(Record))
    }

    /// The records of its weights that are held, in the order of the card.
    #[graphql(complexity = "cost(first, 1 + child_complexity)")]
    async fn weights(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most how many, 1 to 100; 20 when not given.")] first: Option<i32>,
    ) -> Result<Vec<Record>> {
        let first = count(first)? as usize;
        let mut records = Vec::new();
        for digest in self.0.weights.iter().take(first) {
            records.extend(registry(ctx)?.record(digest).await.or_fault()?.map(Record));
        }
        Ok(records)
    }

    /// The record of its card.
    async fn card(&self) -> Record {
        Record(self.0.card.clone())
    }

    /// Its versions, newest first, those that have ended after the others.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most how many, 1 to 100; 20 when not given.")] first: Option<i32>,
    ) -> Result<Vec<Self>> {
        let first = count(first)?;
        let versions = registry(ctx)?.versions(&self.0.urn).await.or_fault()?;
        Ok(versions.into_iter().take(first as usize).map(Self).collect())
    }
}

/// A record in a log of which no nation is known: the view contradicts itself.
pub fn unknown_nation(origin: &chancery_schema::name::Origin) -> async_graphql::Error {
    tracing::error!(log.origin = %origin, "The view shows a record of a log whose nation it does not show");
    Fault::new(ErrorCode::Internal, "the archive did not answer; the node's operator finds out why").into()
}
