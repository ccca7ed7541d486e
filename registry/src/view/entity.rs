//! The tables of the view as `SeaORM` knows them. `chancery-migrations` says what each column means.

/// How a record is judged.
pub mod record {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "record")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub log_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        pub envelope: Vec<u8>,
        pub digest: Option<Vec<u8>>,
        pub kind: String,
        pub verdict: String,
        pub code: Option<String>,
        pub reason: Option<String>,
        pub superseded_by: Option<Vec<u8>>,
        pub scope: Option<String>,
        pub at: i64,
        pub signers: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Whom a log speaks for.
pub mod nation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "nation")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub log_id: i64,
        pub idx: i64,
        pub nation: String,
        pub fingerprint: Vec<u8>,
        pub charter: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The newest delegation of a key.
pub mod delegation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "delegation")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub log_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        pub keyid: Vec<u8>,
        pub record: Vec<u8>,
        pub signers: Vec<u8>,
        pub body: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A key that is not trusted any more.
pub mod revocation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "revocation")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub log_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        pub keyid: Vec<u8>,
        pub record: Vec<u8>,
        pub signers: Vec<u8>,
        pub body: String,
        pub by_roots: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A withdrawal or a redaction that counts.
pub mod ending {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "ending")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub log_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        pub record: Vec<u8>,
        pub kind: String,
        pub ended: Vec<u8>,
        pub ended_idx: i64,
        pub signers: Vec<u8>,
        pub body: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A node's word that a record is erased.
pub mod erasure_receipt {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "erasure_receipt")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub log_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        pub of_log: String,
        pub of_idx: i64,
        pub erased: Vec<u8>,
        pub redaction: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A model card that counts, or of which that is known.
pub mod model {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "model")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub log_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        pub card: Vec<u8>,
        pub current: bool,
        pub ended: bool,
        pub since: i64,
        pub at: i64,
        pub urn: String,
        pub version: String,
        pub nation: String,
        pub org: String,
        pub name: String,
        pub display_name: String,
        pub languages: String,
        pub license: Option<String>,
        pub license_record: Option<Vec<u8>>,
        pub weights: Vec<u8>,
        pub search: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A language of a card.
pub mod model_language {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "model_language")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub log_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub tag: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A name of a card's license.
pub mod model_license {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "model_license")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub log_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A digest that a record has or names.
pub mod found {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "found")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub log_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub idx: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: i64,
        pub digest: Vec<u8>,
        pub what: String,
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
