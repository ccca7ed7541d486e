//! Rebuilding the own log from a partner's mirror: after its database was lost, or an old backup of it
//! restored. Like a mirror it grows by packages that prove themselves against a checkpoint of the own key.

use chancery_schema::digest::Digest;
use chancery_schema::frame::{Frame, Package};
use chancery_schema::log::checkpoint;
use chancery_schema::log::tree::verify_consistency;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::entity::log as log_table;
use crate::error::Attempting;
use crate::{Error, MirrorState, Registry, Result, guard, log, mirror};

impl Registry {
    /// What is held of the own log.
    ///
    /// # Errors
    /// When the database fails, or nobody ever opened it with an identity.
    pub async fn own_log(&self) -> Result<MirrorState> {
        let db = self.core.store.snapshot().await?;
        let held = log::own(&db).await?.ok_or(Error::ReadOnly)?;
        mirror::state(&db, &held).await
    }

    /// Begins to rebuild the own log up to a larger checkpoint of it that a partner shows, once `proof` has
    /// shown that it leads there from what is held. Durable when it returns; nothing is signed until
    /// [`Registry::recover`] has reached it.
    ///
    /// # Errors
    /// When the database fails, or the checkpoint is not so ([`Error::DoesNotContinue`]).
    pub async fn recover_to(&self, note: &str, proof: &[Digest]) -> Result<()> {
        let writing = self.core.store.write().await?;
        let held = log::own(&*writing).await?.ok_or(Error::ReadOnly)?;
        let refuse = |problem: String| Error::DoesNotContinue { origin: held.log.origin.clone(), problem };
        let signed = checkpoint::open(note.as_bytes(), &held.key).map_err(|error| refuse(error.to_string()))?;
        let (size, root) = (signed.checkpoint().size, signed.checkpoint().root);
        if size <= held.size {
            return Err(refuse(format!("the checkpoint has {size} entries, and {} are held", held.size)));
        }
        let unproven = |error| {
            let fault = "that partner is at fault, or the log has signed two histories";
            refuse(format!("nothing proves that {} entries grew to the {size} shown: {error}; {fault}", held.size))
        };
        verify_consistency(held.size, &held.root, size, &root, proof).map_err(unproven)?;
        let update = log_table::Entity::update_many().col_expr(log_table::Column::PendingNote, Expr::value(note));
        let update = update.filter(log_table::Column::Id.eq(held.log.id)).exec(&*writing).await;
        update.attempting("keep the checkpoint to recover")?;
        writing.commit().await
    }

    /// Appends a proven package to the own log, as [`Registry::extend`] does to a mirror. An empty log takes
    /// none that does not begin with a charter of the keys that this archive was opened with.
    ///
    /// # Errors
    /// As [`Registry::extend`], and when the mark cannot be written.
    pub async fn recover(&self, package: &Package, bodies: &[Frame]) -> Result<MirrorState> {
        self.core.identity()?;
        let (state, reached) = mirror::grow(&self.core, package, bodies, true).await?;
        if let Some(reached) = reached {
            guard::remember(&self.core, &reached).await?;
        }
        self.core.ring(&package.origin, state.size, true);
        Ok(state)
    }
}
