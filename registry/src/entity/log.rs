//! A log that is held: the own one or a mirror.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub origin: String,
    pub nation: String,
    pub own: bool,
    pub log_vkey: String,
    pub fingerprint: Option<Vec<u8>>,
    pub size: i64,
    pub root: Vec<u8>,
    pub head_note: Option<String>,
    pub pending_note: Option<String>,
    pub witnessed_note: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
