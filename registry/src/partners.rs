//! Partners: whom the own nation accredits, and how they introduced themselves.

use std::sync::Arc;

use chancery_schema::digest::Digest;
use chancery_schema::key::Role;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::record::{Accreditation, Endpoint, Kind, Record, Scope};
use chancery_schema::time::Timestamp;
use chancery_schema::word::Word;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};

use crate::entity::introduction;
use crate::error::Attempting;
use crate::known::known;
use crate::log::{self, Held};
use crate::view::{self, Introduced, Trusted};
use crate::{Core, Error, Introduction, Partner, PartnerEndpoint, Registry, Result, SyncState, bounds};

/// An accreditation in force, and the introduction of the nation that it recognises, if there is one.
pub(crate) struct Accredited {
    /// The newest accreditation.
    pub accreditation: Accreditation,
    /// How the partner introduced itself; its fingerprint is the accredited one.
    pub introduced: Option<Arc<Introduced>>,
}

impl Registry {
    /// Keeps a partner's introduction: a bundle with its charter and endpoints, so that its node can
    /// be found before its log is mirrored. Trust comes from the accreditation, not from this.
    ///
    /// # Errors
    /// When the database fails or the bundle is not an introduction.
    pub async fn introduce(&self, bundle: &[u8]) -> Result<Introduction> {
        let introduced = view::read_introduction(bundle)?.introduction;
        let writing = self.core.store.write().await?;
        self.may_introduce(&*writing, &introduced).await?;
        let row = introduction::ActiveModel {
            origin: Set(introduced.origin.to_string()),
            sha256: Set(Digest::of(bundle).as_bytes().to_vec()),
            bundle: Set(bundle.to_vec()),
            received_at: Set(self.core.now().unix_seconds()),
        };
        let place = OnConflict::column(introduction::Column::Origin)
            .update_columns([
                introduction::Column::Sha256,
                introduction::Column::Bundle,
                introduction::Column::ReceivedAt,
            ])
            .to_owned();
        let kept = introduction::Entity::insert(row).on_conflict(place).exec_without_returning(&*writing).await;
        kept.attempting("keep an introduction")?;
        writing.commit().await?;
        Ok(introduced)
    }

    /// The own nation's introduction as a bundle: its charter and endpoints with their proofs.
    ///
    /// # Errors
    /// When the database fails or the log is empty.
    pub async fn introduction(&self) -> Result<Vec<u8>> {
        let db = self.core.store.snapshot().await?;
        let empty =
            || Error::Invalid("failed to introduce this nation: its log is empty; admit its charter first".into());
        let own = log::own(&db).await?.filter(|own| own.size > 0).ok_or_else(empty)?;
        let known = known(&self.core, &db).await?;
        view::write_introduction(&db, &known, &own).await
    }

    /// The partners: nations with an accreditation in force in the own log, with what is known of
    /// where they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn partners(&self) -> Result<Vec<Partner>> {
        let db = self.core.store.snapshot().await?;
        let mut partners = Vec::new();
        for accredited in in_force(&self.core, &db).await? {
            partners.push(partner(&db, accredited).await?);
        }
        Ok(partners)
    }

    /// Says how the exchange with a partner about a log stands. Kept in memory.
    pub fn set_sync_state(&self, state: SyncState) {
        let mut states = self.core.sync.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let key = (state.partner.clone(), state.origin.clone());
        if states.len() < bounds::SYNC_STATES || states.contains_key(&key) {
            states.insert(key, state);
        }
    }

    /// How the exchange with each partner about each log stands.
    #[must_use]
    pub fn sync_states(&self) -> Vec<SyncState> {
        self.core.sync.lock().unwrap_or_else(std::sync::PoisonError::into_inner).values().cloned().collect()
    }

    /// Nobody introduces himself over an accredited nation's name, nor over the own one.
    async fn may_introduce(&self, db: &impl ConnectionTrait, introduced: &Introduction) -> Result<()> {
        let origin = &introduced.origin;
        if log::own(db).await?.is_some_and(|own| own.log.origin == *origin) {
            return Err(Error::Invalid(format!("{origin} is this archive's own log; it needs no introduction")));
        }
        let accredited = accreditations(db, self.core.now()).await?;
        let accredited = accredited.into_iter().find(|accreditation| accreditation.partner_log == *origin);
        if let Some(other) = accredited.filter(|other| other.fingerprint != introduced.fingerprint) {
            let known = other.fingerprint;
            let reason = format!("{origin} is accredited with the fingerprint {known}, not {}", introduced.fingerprint);
            return Err(Error::Invalid(format!(
                "failed to keep an introduction: {reason}; end that accreditation first"
            )));
        }
        Ok(())
    }
}

/// What the own nation recognises the nation of a mirror for; nothing without an accreditation in
/// force of its very fingerprint.
pub(crate) async fn scopes(db: &impl ConnectionTrait, held: &Held, now: Timestamp) -> Result<Vec<Scope>> {
    let accreditations = accreditations(db, now).await?;
    let same = |accreditation: &Accreditation| {
        accreditation.partner_log == held.log.origin && Some(accreditation.fingerprint) == held.fingerprint
    };
    Ok(accreditations.iter().find(|it| same(it)).map_or_else(Vec::new, known_scopes))
}

/// What a partner is recognised for, as far as this version knows the words.
pub(crate) fn known_scopes(accreditation: &Accreditation) -> Vec<Scope> {
    accreditation.scopes.iter().filter_map(Word::known).copied().collect()
}

/// The accreditation in force of the log `origin`, if there is one.
pub(crate) async fn find(core: &Core, db: &impl ConnectionTrait, origin: &Origin) -> Result<Option<Accredited>> {
    let accredited = in_force(core, db).await?;
    Ok(accredited.into_iter().find(|accredited| accredited.accreditation.partner_log == *origin))
}

/// Every accreditation in force.
async fn in_force(core: &Core, db: &impl ConnectionTrait) -> Result<Vec<Accredited>> {
    let known = known(core, db).await?;
    let accredited = accreditations(db, core.now()).await?.into_iter().map(|accreditation| {
        let introduced = known.introduced(&accreditation.partner_log, &accreditation.fingerprint).cloned();
        Accredited { accreditation, introduced }
    });
    Ok(accredited.collect())
}

/// Of each fingerprint the newest accreditation in the own log, unless it ends it or has ended.
pub(crate) async fn accreditations(db: &impl ConnectionTrait, now: Timestamp) -> Result<Vec<Accreditation>> {
    let Some(own) = log::own(db).await? else { return Ok(Vec::new()) };
    let mut newest: Vec<Accreditation> = Vec::new();
    for (trusted, record) in view::standing(db, &own.log, Kind::Accreditation).await? {
        if let Record::Accreditation(accreditation) = record {
            newest.retain(|older| older.fingerprint != accreditation.fingerprint);
            // One that is contested lets nobody in, and may have ended the one before.
            if trusted == Trusted::Fully {
                newest.push(*accreditation);
            }
        }
    }
    newest.retain(|it| !it.scopes.is_empty() && it.valid_until.is_none_or(|until| now <= until));
    Ok(newest)
}

async fn partner(db: &impl ConnectionTrait, accredited: Accredited) -> Result<Partner> {
    let Accredited { accreditation, introduced } = accredited;
    let scopes = known_scopes(&accreditation);
    let origin = accreditation.partner_log;
    let mirror = log::find(db, &origin).await?.filter(|held| held.fingerprint == Some(accreditation.fingerprint));
    let mut log_vkey = mirror.as_ref().map(|held| held.key.to_string());
    let mut endpoints = Vec::new();
    if let Some(held) = &mirror {
        for (trusted, record) in view::standing(db, &held.log, Kind::Endpoint).await? {
            if let (Trusted::Fully, Record::Endpoint(endpoint)) = (trusted, record) {
                newer(&mut endpoints, where_it_is(&held.log.nation, &origin, &endpoint));
            }
        }
    }
    if let Some(introduced) = introduced {
        log_vkey = log_vkey.or_else(|| Some(introduced.log_key.to_string()));
        if endpoints.is_empty() {
            let nation = &introduced.introduction.nation;
            introduced.endpoints.iter().for_each(|it| newer(&mut endpoints, where_it_is(nation, &origin, it)));
        }
    }
    Ok(Partner {
        nation: accreditation.partner,
        fingerprint: accreditation.fingerprint,
        scopes,
        valid_until: accreditation.valid_until,
        origin,
        log_vkey,
        endpoints,
    })
}

/// A later endpoint with the same key takes the place of the earlier one.
fn newer(endpoints: &mut Vec<PartnerEndpoint>, endpoint: Option<PartnerEndpoint>) {
    if let Some(endpoint) = endpoint {
        endpoints.retain(|older| older.transport_key != endpoint.transport_key);
        endpoints.push(endpoint);
    }
}

fn where_it_is(nation: &Nation, origin: &Origin, endpoint: &Endpoint) -> Option<PartnerEndpoint> {
    let key = endpoint.key.open(nation, origin, Role::Transport).ok()?;
    Some(PartnerEndpoint {
        transport_key: *key.as_bytes(),
        addresses: endpoint.addresses.clone(),
        url: endpoint.url.clone(),
    })
}
