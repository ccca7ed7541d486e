//! The view: what people see, computed from the ground state and dropped whenever it is computed again.
//!
//! [`judge`] says how an entry counts, [`project`] writes that down, [`weigh`] says what becomes of it when
//! a key is revoked or something ends it, [`tombstone`] what is left of it when it is redacted, [`rebuild`] does
//! all of it again, from any entry on. The rest asks: nations, models, records, digests, and the bundles that prove them.

mod back;
mod bundle;
mod card;
mod check;
mod check_log;
mod claims;
mod ends;
mod entity;
mod introduction;
mod judge;
mod models;
mod nations;
mod page;
mod project;
mod rebuild;
mod records;
mod succession;
mod tombstone;
mod verdict;
mod weigh;
mod what;

use sea_orm::{EntityTrait, Related, RelationDef};

pub(crate) use self::bundle::charters_before;
pub(crate) use self::ends::{erased_for_nothing, names_blob, unerased, unreceipted};
pub(crate) use self::introduction::{Follows, Introduced, read_introduction, write_introduction};
pub(crate) use self::judge::{Judged, Trusted, roster, standing, standing_from, state};
pub(crate) use self::nations::{charters, names_cosigner, summary};
pub(crate) use self::project::project;
pub(crate) use self::rebuild::rebuild_from;
pub(crate) use self::succession::log_succession;
use crate::entity::body;

/// From a digest to the record that it stands in.
impl Related<entity::record::Entity> for entity::found::Entity {
    fn to() -> RelationDef {
        let place = (entity::found::Column::LogId, entity::found::Column::Idx);
        let record = (entity::record::Column::LogId, entity::record::Column::Idx);
        Self::belongs_to(entity::record::Entity).from(place).to(record).into()
    }
}

/// From the charter in force to its record.
impl Related<entity::record::Entity> for entity::nation::Entity {
    fn to() -> RelationDef {
        let place = (entity::nation::Column::LogId, entity::nation::Column::Idx);
        let record = (entity::record::Column::LogId, entity::record::Column::Idx);
        Self::belongs_to(entity::record::Entity).from(place).to(record).into()
    }
}

/// From a withdrawal or redaction to its record.
impl Related<entity::record::Entity> for entity::ending::Entity {
    fn to() -> RelationDef {
        let place = (entity::ending::Column::LogId, entity::ending::Column::Idx);
        let record = (entity::record::Column::LogId, entity::record::Column::Idx);
        Self::belongs_to(entity::record::Entity).from(place).to(record).into()
    }
}

/// From the receipt of an erasure to its record.
impl Related<entity::record::Entity> for entity::erasure_receipt::Entity {
    fn to() -> RelationDef {
        let place = (entity::erasure_receipt::Column::LogId, entity::erasure_receipt::Column::Idx);
        let record = (entity::record::Column::LogId, entity::record::Column::Idx);
        Self::belongs_to(entity::record::Entity).from(place).to(record).into()
    }
}

/// From a card to its record.
impl Related<entity::record::Entity> for entity::model::Entity {
    fn to() -> RelationDef {
        let place = (entity::model::Column::LogId, entity::model::Column::Idx);
        let record = (entity::record::Column::LogId, entity::record::Column::Idx);
        Self::belongs_to(entity::record::Entity).from(place).to(record).into()
    }
}

/// From a row of the view to the body of its record.
fn body_of_record() -> RelationDef {
    let (envelope, body) = (entity::record::Column::Envelope, body::Column::Envelope);
    entity::record::Entity::belongs_to(body::Entity).from(envelope).to(body).into()
}
