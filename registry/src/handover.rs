//! Handing submissions over, from a process that does not sequence to the one that does: through the
//! database, where they wait for an answer.

use std::time::Duration;

use chancery_schema::admission::{Refusal, Submission};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::entity::submission;
use crate::error::Attempting;
use crate::{Core, Error, Result, bounds};

/// How often to look for the answer.
const LOOK: Duration = Duration::from_millis(25);

/// How long to wait for it: several times as long as it takes another process to become the sequencer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Submissions that wait at once.
const WAITING_MAX: u64 = bounds::SUBMISSIONS as u64;

/// How long an answer is kept that nobody takes away, in seconds: who asked has given up long before.
const ANSWER_SECONDS: i64 = 600;

/// What the sequencer says of a submission.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Answer {
    /// It is in the log: whether it was before.
    Admitted { again: bool },
    /// It is not, and this is why.
    Refused(Refusal),
    /// The sequencer could not tell.
    Failed,
}

/// A submission that was handed over.
#[derive(Debug)]
pub(crate) struct Handed {
    pub id: i64,
    /// As this version reads it, which may be another one than that of the process which took it.
    pub submission: std::result::Result<Submission, Refusal>,
}

/// Hands a submission over and waits for the answer. Safe to cancel: it is then decided all the same.
pub(crate) async fn hand_over(core: &Core, envelope: &[u8]) -> Result<Answer> {
    let deadline = Instant::now() + PATIENCE;
    let id = loop {
        match insert(core, envelope).await? {
            Some(id) => break id,
            None if Instant::now() > deadline => return Err(Error::NotSequencer),
            None => sleep(LOOK).await,
        }
    };
    loop {
        let row = submission::Entity::find_by_id(id).one(core.store.read()).await;
        let gone = || Error::Inconsistent("a submission that was handed over is gone".to_owned());
        if let Some(answer) = row.attempting("read the answer to a submission")?.ok_or_else(gone)?.answer {
            let broken = |_| Error::Inconsistent("the answer to a submission cannot be read".to_owned());
            let answer = serde_json::from_str(&answer).map_err(broken)?;
            remove(core, id).await?;
            return Ok(answer);
        }
        if Instant::now() > deadline {
            return Err(Error::NotSequencer);
        }
        sleep(LOOK).await;
    }
}

/// None while too many wait.
async fn insert(core: &Core, envelope: &[u8]) -> Result<Option<i64>> {
    let writing = core.store.write().await?;
    let unanswered = submission::Entity::find().filter(submission::Column::AnsweredAt.is_null());
    if unanswered.count(&*writing).await.attempting("count what waits for the sequencer")? >= WAITING_MAX {
        return Ok(None);
    }
    let row = submission::ActiveModel {
        envelope: Set(envelope.to_vec()),
        answer: Set(None),
        answered_at: Set(None),
        ..submission::ActiveModel::default()
    };
    let id = submission::Entity::insert(row).exec(&*writing).await.attempting("hand a submission over")?;
    writing.commit().await?;
    Ok(Some(id.last_insert_id))
}

async fn remove(core: &Core, id: i64) -> Result<()> {
    let writing = core.store.write().await?;
    submission::Entity::delete_by_id(id).exec(&*writing).await.attempting("take the answer to a submission")?;
    writing.commit().await
}

/// What was handed over and waits, the first of it.
pub(crate) async fn waiting(db: &impl ConnectionTrait) -> Result<Vec<Handed>> {
    let rows = submission::Entity::find()
        .filter(submission::Column::AnsweredAt.is_null())
        .order_by_asc(submission::Column::Id)
        .limit(bounds::BATCH_ENTRIES as u64)
        .all(db)
        .await
        .attempting("read what was handed over")?;
    let mut bytes = 0;
    let handed = rows.into_iter().take_while(|row| {
        let first = bytes == 0;
        bytes += row.envelope.len();
        first || bytes <= bounds::BATCH_BYTES
    });
    Ok(handed.map(|row| Handed { id: row.id, submission: Submission::read(&row.envelope) }).collect())
}

/// Answers a submission, and lets go of answers that nobody took away.
pub(crate) async fn answer(db: &impl ConnectionTrait, core: &Core, id: i64, answer: &Answer) -> Result<()> {
    let now = core.now().unix_seconds();
    let text = serde_json::to_string(answer).map_err(|error| Error::Inconsistent(error.to_string()))?;
    let update = submission::Entity::update_many()
        .col_expr(submission::Column::Answer, Expr::value(text))
        .col_expr(submission::Column::AnsweredAt, Expr::value(now))
        .filter(submission::Column::Id.eq(id));
    update.exec(db).await.attempting("answer a submission")?;
    let late = submission::Column::AnsweredAt.lt(now - ANSWER_SECONDS);
    let late = submission::Entity::delete_many().filter(late).exec(db).await;
    late.attempting("let go of old answers").map(|_| ())
}
