//! Asking the view for nations, their keys, and who cosigned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chancery_schema::limits::{CLOCK_SKEW_SECONDS, STALE_SECONDS};
use chancery_schema::name::Origin;
use chancery_schema::record::{Charter, NoteKeys};
use chancery_schema::roster::Roster;
use chancery_schema::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::nation;
use super::judge::roster;
use crate::entity::cosignature;
use crate::error::Attempting;
use crate::known::known;
use crate::log::{self, Held, column, size};
use crate::{CosignatureSeen, Error, NationSummary, Registry, Result, Standing, partners};

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
        let known = known(&self.core, &db).await?;
        let accreditations = partners::accreditations(&db, self.core.now()).await?;
        let logs: BTreeMap<i64, Held> = log::all(&db).await?.into_iter().map(|held| (held.log.id, held)).collect();
        let nations = known.nations.iter().map(|(log_id, nation)| {
            let held = log_id.and_then(|log_id| logs.get(&log_id));
            let accredited = accreditations
                .iter()
                .find(|it| (&it.partner_log, &it.fingerprint) == (&nation.origin, &nation.fingerprint));
            NationSummary {
                own: held.is_some_and(|held| held.log.own),
                size: held.map_or(0, |held| held.size),
                accredited: accredited.is_some_and(|it| !partners::known_scopes(it).is_empty()),
                ..nation.clone()
            }
        });
        let mut nations: Vec<NationSummary> = nations.collect();
        nations.sort_by_key(|nation| (!nation.own, nation.nation.clone(), nation.origin.clone()));
        Ok(nations)
    }

    /// How far the checkpoints of a log that cover entry `index` have come together, or its head.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn standing(&self, origin: &Origin, index: Option<u64>) -> Result<Option<Standing>> {
        let db = self.core.store.snapshot().await?;
        let Some(held) = log::find(&db, origin).await? else { return Ok(None) };
        let covering = match index {
            Some(index) => cosignature::Column::Size.gt(column(index)),
            None => cosignature::Column::Size.eq(column(held.head_size())),
        };
        // What was signed in the future, by the clock here, says nothing of how fresh the log is.
        let not_later = cosignature::Column::At.lte(self.core.now().plus_seconds(CLOCK_SKEW_SECONDS).unix_seconds());
        let latest = Expr::case(not_later, Expr::col(cosignature::Column::At)).finally(Option::<i64>::None);
        let latest = Expr::expr(latest).max();
        let rows: Vec<(String, bool, bool, i64, Option<i64>)> = cosignature::Entity::find()
            .select_only()
            .columns([cosignature::Column::Name, cosignature::Column::Held, cosignature::Column::Own])
            .column_as(cosignature::Column::At.min(), "first")
            .column_as(latest, "last")
            .filter(cosignature::Column::LogId.eq(held.log.id))
            .filter(covering)
            .group_by(cosignature::Column::Name)
            .group_by(cosignature::Column::Held)
            .group_by(cosignature::Column::Own)
            .into_tuple()
            .all(&db)
            .await
            .attempting("count cosigners")?;
        let known = known(&self.core, &db).await?;
        let (mut witnessed, mut mirrored, mut heartbeat) = (BTreeMap::new(), BTreeMap::new(), None);
        for (name, all_held, own, first, last) in rows {
            if own {
                heartbeat = Ord::max(heartbeat, last.map(time).transpose()?);
            } else if let Some(nation) = known.nation_of(&name).filter(|nation| **nation != held.log.nation) {
                let since = if all_held { &mut mirrored } else { &mut witnessed };
                let (first, since) = (time(first)?, since.entry(nation.clone()));
                since.and_modify(|since: &mut Timestamp| *since = first.min(*since)).or_insert(first);
            }
        }
        let others = known.cosigners().iter().map(|cosigner| &cosigner.nation);
        let others: BTreeSet<_> = others.filter(|nation| **nation != held.log.nation).collect();
        let stale = heartbeat.map(|heartbeat| heartbeat.plus_seconds(STALE_SECONDS));
        Ok(Some(Standing {
            witnessed: witnessed.into_iter().collect(),
            mirrored: mirrored.into_iter().collect(),
            known: others.len() as u64,
            heartbeat,
            stale_since: stale.filter(|since| *since <= self.core.now()),
        }))
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
        let known = known(&self.core, &db).await?;
        let seen = rows.into_iter().filter_map(|row| {
            let nation = known.nation_of(&row.name)?.clone();
            Some((row, nation))
        });
        seen.map(|(row, nation)| {
            Ok(CosignatureSeen {
                origin: origin.clone(),
                size: size(row.size)?,
                name: row.name,
                nation,
                held: row.held,
                at: time(row.at)?,
                line: row.line,
            })
        })
        .collect()
    }
}

fn time(at: i64) -> Result<Timestamp> {
    let broken = |_| Error::Inconsistent("the time of a cosignature cannot be read".to_owned());
    Timestamp::from_unix_seconds(at).map_err(broken)
}

/// The charters in force: in which log, at which entry, and the fingerprint of its nation.
pub(crate) async fn charters(db: &impl ConnectionTrait) -> Result<Vec<(i64, i64, Vec<u8>)>> {
    let charters = nation::Entity::find()
        .select_only()
        .columns([nation::Column::LogId, nation::Column::Idx, nation::Column::Fingerprint])
        .order_by_asc(nation::Column::LogId)
        .into_tuple()
        .all(db)
        .await;
    charters.attempting("ask for the charters")
}

/// Whether the charter in force in a log names this cosigner: the log's own, whose word for it proves
/// nothing to others. So are all while no charter is known.
pub(crate) async fn names_cosigner(db: &impl ConnectionTrait, log_id: i64, name: &str) -> Result<bool> {
    let row = nation::Entity::find_by_id(log_id).one(db).await.attempting("read a charter")?;
    let Some(row) = row else { return Ok(true) };
    let broken = |_| Error::Inconsistent(format!("the charter of {} in the view cannot be read", row.nation));
    let charter: Charter = serde_json::from_str(&row.charter).map_err(broken)?;
    Ok([charter.witness.name.as_str(), charter.mirror.name.as_str()].contains(&name))
}

/// A nation as its charter presents it: a stranger of whose log nothing is held.
pub(crate) fn summary(roster: &Roster, keys: &NoteKeys) -> NationSummary {
    let names = roster.charter.display_name.iter();
    NationSummary {
        nation: roster.nation.clone(),
        origin: roster.origin.clone(),
        fingerprint: roster.fingerprint,
        display_name: names.map(|(language, name)| (language.to_string(), name.clone())).collect(),
        own: false,
        accredited: false,
        size: 0,
        log_vkey: keys.log.to_string(),
        witness_vkey: keys.witness.to_string(),
        mirror_vkey: keys.mirror.to_string(),
        charter: roster.charter_digest,
        charter_version: roster.charter.version,
    }
}
