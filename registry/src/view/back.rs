//! Taking the view of a log back to where it stood before an entry.
//!
//! Rows of later entries go, and what they did to earlier records is weighed again without them.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use super::entity::{delegation, found, model, model_language, model_license, nation, record, revocation};
use super::rebuild::{INDEX, LOG, column_of};
use super::weigh;
use crate::Result;
use crate::error::Attempting;
use crate::log::{Log, column};

/// Takes the view of a log back to its first `first` entries.
pub(super) async fn back_to(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<()> {
    let (versions, revoked) = (versions_since(db, log, first).await?, revoked_since(db, log, first).await?);
    drop_rows::<record::Entity>(db, log, first).await?;
    drop_rows::<nation::Entity>(db, log, first).await?;
    drop_rows::<delegation::Entity>(db, log, first).await?;
    drop_rows::<revocation::Entity>(db, log, first).await?;
    drop_rows::<model::Entity>(db, log, first).await?;
    drop_rows::<model_language::Entity>(db, log, first).await?;
    drop_rows::<model_license::Entity>(db, log, first).await?;
    drop_rows::<found::Entity>(db, log, first).await?;
    if first == 0 {
        return Ok(());
    }
    if revoked {
        weigh::again(db, log).await?;
    }
    for (urn, version) in versions {
        weigh::cards(db, log, (&urn, &version), 0).await?;
    }
    Ok(())
}

async fn drop_rows<E: EntityTrait>(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<()> {
    let rows = E::delete_many().filter(column_of::<E>(LOG).eq(log.id));
    let rows = rows.filter(column_of::<E>(INDEX).gte(column(first))).exec(db).await;
    rows.attempting("clear a table of the view").map(|_| ())
}

/// The model versions that have a newer card since.
async fn versions_since(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<Vec<(String, String)>> {
    let versions = model::Entity::find()
        .select_only()
        .columns([model::Column::Urn, model::Column::Version])
        .distinct()
        .filter(model::Column::LogId.eq(log.id))
        .filter(model::Column::Idx.gte(column(first)))
        .into_tuple()
        .all(db)
        .await;
    versions.attempting("read cards")
}

/// Whether a revocation since reached back to what stays.
async fn revoked_since(db: &impl ConnectionTrait, log: &Log, first: u64) -> Result<bool> {
    let later = revocation::Entity::find().filter(revocation::Column::LogId.eq(log.id));
    let later = later.filter(revocation::Column::Idx.gte(column(first))).count(db).await;
    Ok(later.attempting("ask for revocations")? > 0)
}
