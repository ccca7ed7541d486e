//! What the API shows, one file for each noun. Resolvers translate; they decide nothing.

mod end;
mod evidence;
mod found;
mod log;
mod model;
mod nation;
mod partner;
mod record;
mod standing;
mod succession;

use async_graphql::{Context, ID, Interface, Result};

pub use self::end::{End, Erasure};
pub use self::evidence::Evidence;
pub use self::found::Found;
pub use self::log::{Cosignature, Log};
pub use self::model::Model;
pub use self::nation::Nation;
pub use self::partner::Partner;
pub use self::record::Record;
pub use self::standing::Standing;
pub use self::succession::LogSuccession;
use super::request::spend;

/// What has an id. The id means the same thing on every nation's node.
#[derive(Interface)]
#[expect(clippy::large_enum_variant, reason = "one is made for each id, and goes at once")]
#[graphql(field(name = "id", ty = "ID", desc = "The id, for `node` and `nodes`."))]
pub enum Node {
    /// A nation.
    Nation(Nation),
    /// A version of a model.
    Model(Model),
    /// A record in a log.
    Record(Record),
    /// A log.
    Log(Log),
}

/// A text and its language.
#[derive(async_graphql::SimpleObject)]
pub struct LocalText {
    /// BCP 47 tag, such as `fr` or `pt-BR`.
    pub language: String,
    /// The text.
    pub text: String,
}

/// All texts, each with its language.
///
/// # Errors
/// When the answer has more than one may.
pub async fn local_texts(ctx: &Context<'_>, texts: &[(String, String)]) -> Result<Vec<LocalText>> {
    spend(ctx, texts.iter().map(|(language, text)| language.len() + text.len()).sum()).await?;
    Ok(texts.iter().map(|(language, text)| LocalText { language: language.clone(), text: text.clone() }).collect())
}
