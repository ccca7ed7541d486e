//! Asking the view for nations, their keys, and who cosigned.

use std::collections::BTreeMap;
use std::sync::Arc;

use chancery_schema::admission::Roster;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::time::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::introduction::read_introduction;
use super::judge::roster;
use crate::entity::{cosignature, introduction};
use crate::error::Attempting;
use crate::log::{self, column, note_keys, size};
use crate::{CosignatureSeen, Error, NationSummary, Registry, Result, partners};

/// Cosignatures that are shown of one log: of a few checkpoints every nation's.
const COSIGNATURES_MAX: u64 = 1000;

impl Registry {
    /// The keys of a log's nation, as the log now stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn roster(&self, origin: &Origin) -> Result<Option<Arc<Roster>>> {
        let db = self.core.store.snapshot().await?;
        match log::find(&db, origin).await? {
            Some(held) => Ok(roster(&db, &held.log).await?.map(Arc::new)),
            None => Ok(None),
        }
    }

    /// Every nation of whose log something is held or introduced, by code, the own one first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nations(&self) -> Result<Vec<NationSummary>> {
        let db = self.core.store.snapshot().await?;
        let now = self.core.now();
        let mut nations = Vec::new();
        for held in log::all(&db).await? {
            if let Some(roster) = roster(&db, &held.log).await? {
                let accredited = !partners::scopes(&db, &held, now).await?.is_empty();
                nations.push(summary(&roster, held.log.own, accredited, held.size)?);
            }
        }
        for row in introduction::Entity::find().all(&db).await.attempting("read the introductions")? {
            let Ok(introduced) = read_introduction(&row.bundle) else { continue };
            if nations.iter().any(|nation| nation.fingerprint == introduced.roster.fingerprint) {
                continue;
            }
            let partner = partners::find(&db, &introduced.roster.origin, now).await?;
            let fingerprint = partner.map(|partner| partner.accreditation.fingerprint);
            nations.push(summary(&introduced.roster, false, fingerprint == Some(introduced.roster.fingerprint), 0)?);
        }
        nations.sort_by_key(|nation| (!nation.own, nation.nation.clone(), nation.origin.clone()));
        Ok(nations)
    }

    /// The cosignatures known on checkpoints of a log that cover entry `index`, or on its head; the
    /// newest first, at most 1000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cosignatures(&self, origin: &Origin, index: Option<u64>) -> Result<Vec<CosignatureSeen>> {
        let db = self.core.store.snapshot().await?;
        let Some(held) = log::find(&db, origin).await? else { return Ok(Vec::new()) };
        let rows = cosignature::Entity::find().filter(cosignature::Column::LogId.eq(held.log.id));
        let rows = match index {
            Some(index) => rows.filter(cosignature::Column::Size.gt(column(index))),
            None => rows.filter(cosignature::Column::Size.eq(column(held.head_size()))),
        };
        let rows = rows.order_by_desc(cosignature::Column::Size).order_by_asc(cosignature::Column::At);
        let rows = rows.limit(COSIGNATURES_MAX).all(&db).await.attempting("read cosignatures")?;
        let nations = cosigners(&db).await?;
        let seen = rows.into_iter().filter_map(|row| {
            let nation = nations.get(&row.name)?.clone();
            Some((row, nation))
        });
        seen.map(|(row, nation)| {
            let at = Timestamp::from_unix_seconds(row.at);
            Ok(CosignatureSeen {
                origin: origin.clone(),
                size: size(row.size)?,
                name: row.name,
                nation,
                held: row.held,
                at: at.map_err(|_| Error::Inconsistent("the time of a cosignature cannot be read".to_owned()))?,
                line: row.line,
            })
        })
        .collect()
    }
}

/// Whose cosigners have which names: of logs held before those only introduced.
async fn cosigners(db: &impl ConnectionTrait) -> Result<BTreeMap<String, Nation>> {
    let mut rosters = Vec::new();
    for row in introduction::Entity::find().all(db).await.attempting("read the introductions")? {
        rosters.extend(read_introduction(&row.bundle).ok().map(|introduced| introduced.roster));
    }
    for held in log::all(db).await? {
        rosters.extend(roster(db, &held.log).await?);
    }
    let names = rosters.into_iter().flat_map(|Roster { nation, charter, .. }| {
        [charter.witness.name, charter.mirror.name].map(|name| (name.to_string(), nation.clone()))
    });
    Ok(names.collect())
}

fn summary(roster: &Roster, own: bool, accredited: bool, size: u64) -> Result<NationSummary> {
    let keys = note_keys(roster)?;
    let names = roster.charter.display_name.iter();
    Ok(NationSummary {
        nation: roster.nation.clone(),
        origin: roster.origin.clone(),
        fingerprint: roster.fingerprint,
        display_name: names.map(|(language, name)| (language.to_string(), name.clone())).collect(),
        own,
        accredited,
        size,
        log_vkey: keys.log.to_string(),
        witness_vkey: keys.witness.to_string(),
        mirror_vkey: keys.mirror.to_string(),
        charter: roster.fingerprint,
    })
}
