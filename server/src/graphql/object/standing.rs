//! How far a checkpoint has come.

use async_graphql::{Context, Enum, Result, SimpleObject};
use chancery_registry as registry;
use chancery_schema::name::Origin;

use super::model::unknown_nation;
use crate::graphql::error::OrFault as _;
use crate::graphql::request::registry;
use crate::graphql::scalar::{Count, DateTime};

/// How far checkpoints have come, in one word: the furthest.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum StandingState {
    /// The log has signed, and no other nation has cosigned.
    Signed,
    /// Witnesses of other nations have seen it grow from what they had seen before.
    Witnessed,
    /// Mirrors of other nations hold every entry.
    Mirrored,
}

/// How far checkpoints have come, as this node sees it. Whether that is enough, the policy of each reader says:
/// only what has its quorum is final.
#[derive(SimpleObject)]
pub struct Standing {
    /// In one word.
    state: StandingState,
    /// Since when it is so, by the clock of who cosigned first; null while only signed.
    since: Option<DateTime>,
    /// How many other nations' witnesses have cosigned.
    witnessed: Count,
    /// How many other nations' mirrors have cosigned.
    mirrored: Count,
    /// How many other nations this node knows, which could cosign.
    known: Count,
    /// When the log's own nation last cosigned: its heartbeat, every ten minutes.
    heartbeat: Option<DateTime>,
    /// Since when the heartbeat is too old to say what the newest checkpoint is; null while it is fresh.
    stale_since: Option<DateTime>,
}

impl Standing {
    /// Of the checkpoints of a log that cover an entry, or of its head.
    ///
    /// # Errors
    /// When the archive fails.
    pub async fn of(ctx: &Context<'_>, origin: &Origin, index: Option<u64>) -> Result<Self> {
        let standing = registry(ctx)?.standing(origin, index).await.or_fault()?;
        standing.map(Self::from).ok_or_else(|| unknown_nation(origin))
    }
}

impl From<registry::Standing> for Standing {
    fn from(standing: registry::Standing) -> Self {
        let registry::Standing { witnessed, mirrored, known, heartbeat, stale_since } = standing;
        let (state, cosigned) = if !mirrored.is_empty() {
            (StandingState::Mirrored, &mirrored)
        } else if !witnessed.is_empty() {
            (StandingState::Witnessed, &witnessed)
        } else {
            (StandingState::Signed, &witnessed)
        };
        Self {
            state,
            since: cosigned.iter().map(|(_, since)| DateTime(*since)).min_by_key(|since| since.0),
            witnessed: Count(witnessed.len() as u64),
            mirrored: Count(mirrored.len() as u64),
            known: Count(known),
            heartbeat: heartbeat.map(DateTime),
            stale_since: stale_since.map(DateTime),
        }
    }
}
