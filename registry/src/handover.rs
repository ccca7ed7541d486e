//! Handing submissions over, from a process that does not sequence to the one that does: through the
//! database, where they wait for an answer.

use std::collections::BTreeSet;
use std::sync::Arc;
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
pub(crate) async fn hand_over(core: &Arc<Core>, envelope: &[u8]) -> Result<Answer> {
    let deadline = Instant::now() + PATIENCE;
    let id = loop {
        match insert(core, envelope).await? {
            Some(id) => break id,
            None if Instant::now() > deadline => return Err(Error::NotSequencer),
            None => sleep(LOOK).await,
        }
    };
    loop {
        if let Some(answer) = answer_to(core.store.read(), id).await? {
            // It is decided and durable; the row, should it stay, is let go of later.
            let core = Arc::clone(core);
            tokio::spawn(async move { remove(&core, id).await });
            return Ok(answer);
        }
        if Instant::now() > deadline {
            return Err(Error::NotSequencer);
        }
        sleep(LOOK).await;
    }
}

/// The answer alone: an envelope may be large, and is not read again for each look.
async fn answer_to(db: &impl ConnectionTrait, id: i64) -> Result<Option<Answer>> {
    let answer: Option<Option<String>> = submission::Entity::find_by_id(id)
        .select_only()
        .column(submission::Column::Answer)
        .into_tuple()
        .one(db)
        .await
        .attempting("read the answer to a submission")?;
    let broken = |_| Error::Inconsistent("the answer to a submission cannot be read".to_owned());
    // Answered long ago by another process's clock, and let go of.
    answer.ok_or(Error::NotSequencer)?.map(|answer| serde_json::from_str(&answer).map_err(broken)).transpose()
}

/// None while too many wait; whoever finds it so has kept nobody from writing.
async fn insert(core: &Core, envelope: &[u8]) -> Result<Option<i64>> {
    let unanswered = submission::Entity::find().filter(submission::Column::AnsweredAt.is_null());
    let unanswered = unanswered.count(core.store.read()).await;
    if unanswered.attempting("count what waits for the sequencer")? >= WAITING_MAX {
        return Ok(None);
    }
    let writing = core.store.write().await?;
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

/// What was handed over and waits, the first of it: as much as makes a batch.
pub(crate) async fn waiting(db: &impl ConnectionTrait) -> Result<Vec<Handed>> {
    let ids: Vec<i64> = submission::Entity::find()
        .select_only()
        .column(submission::Column::Id)
        .filter(submission::Column::AnsweredAt.is_null())
        .order_by_asc(submission::Column::Id)
        .limit(bounds::BATCH_ENTRIES as u64)
        .into_tuple()
        .all(db)
        .await
        .attempting("ask what was handed over")?;
    let (mut handed, mut bytes) = (Vec::new(), 0);
    for id in ids {
        let row = submission::Entity::find_by_id(id).one(db).await.attempting("read what was handed over")?;
        let Some(row) = row else { continue };
        bytes += row.envelope.len();
        handed.push(Handed { id, submission: Submission::read(&row.envelope) });
        if bytes >= bounds::BATCH_BYTES {
            break;
        }
    }
    Ok(handed)
}

/// Of these, those that nobody has answered yet.
pub(crate) async fn unanswered(db: &impl ConnectionTrait, handed: &[Handed]) -> Result<BTreeSet<i64>> {
    let ids: Vec<i64> = submission::Entity::find()
        .select_only()
        .column(submission::Column::Id)
        .filter(submission::Column::Id.is_in(handed.iter().map(|handed| handed.id)))
        .filter(submission::Column::AnsweredAt.is_null())
        .into_tuple()
        .all(db)
        .await
        .attempting("ask what was not answered yet")?;
    Ok(ids.into_iter().collect())
}

/// Answers a submission.
pub(crate) async fn answer(db: &impl ConnectionTrait, core: &Core, id: i64, answer: &Answer) -> Result<()> {
    let now = core.now().unix_seconds();
    let text = serde_json::to_string(answer).map_err(|error| Error::Inconsistent(error.to_string()))?;
    let update = submission::Entity::update_many()
        // If it was admitted, it lies with the other bodies; if not, nobody needs it.
        .col_expr(submission::Column::Envelope, Expr::value(Vec::<u8>::new()))
        .col_expr(submission::Column::Answer, Expr::value(text))
        .col_expr(submission::Column::AnsweredAt, Expr::value(now))
        .filter(submission::Column::Id.eq(id))
        // The first answer stands: a commit may have been durable although it seemed to fail.
        .filter(submission::Column::AnsweredAt.is_null());
    update.exec(db).await.attempting("answer a submission").map(|_| ())
}

/// Lets go of answers that nobody took away.
pub(crate) async fn drop_late(db: &impl ConnectionTrait, core: &Core) -> Result<()> {
    let late = submission::Column::AnsweredAt.lt(core.now().unix_seconds() - ANSWER_SECONDS);
    let late = submission::Entity::delete_many().filter(late).exec(db).await;
    late.attempting("let go of old answers").map(|_| ())
}
