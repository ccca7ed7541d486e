//! The row of a log: whose it is, what is held of it, and the keys its charter names.

use chancery_schema::digest::Digest;
use chancery_schema::log::checkpoint::{self, SignedCheckpoint};
use chancery_schema::log::note::VerifierKey;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::record::{Charter, NoteKeys};
use chancery_schema::roster::Roster;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entity::log;
use crate::error::Attempting;
use crate::{Error, Result};

/// Which log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Log {
    /// Its row.
    pub id: i64,
    /// Its name.
    pub origin: Origin,
    /// The nation it claims to speak for.
    pub nation: Nation,
    /// Whether it is the node's own.
    pub own: bool,
}

/// A log and what is held of it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// Which log.
    pub log: Log,
    /// Signs its checkpoints.
    pub key: VerifierKey,
    /// The record digest of its first charter; none before the own log has one.
    pub fingerprint: Option<Digest>,
    /// Entries held.
    pub size: u64,
    /// Root hash over them.
    pub root: Digest,
    /// The newest checkpoint that is held in full.
    pub head: Option<SignedCheckpoint>,
    /// The checkpoint that is pulled towards.
    pub pending: Option<SignedCheckpoint>,
    /// The checkpoint that the own witness cosigned last, with its line; it may be larger than what is held.
    pub witnessed: Option<SignedCheckpoint>,
}

impl Held {
    /// Reads a row.
    pub fn from_row(row: &log::Model) -> Result<Self> {
        let broken = |what: &str| Error::Inconsistent(format!("the {what} of the log {} cannot be read", row.origin));
        let key: VerifierKey = row.log_vkey.parse().map_err(|_| broken("key"))?;
        let open = |note: &Option<String>, what: &str| -> Result<Option<SignedCheckpoint>> {
            let opened = note.as_ref().map(|note| checkpoint::open(note.as_bytes(), &key)).transpose();
            opened.map_err(|_| broken(what))
        };
        let fingerprint = row.fingerprint.as_deref().map(digest).transpose()?;
        Ok(Self {
            head: open(&row.head_note, "head")?,
            pending: open(&row.pending_note, "pending checkpoint")?,
            witnessed: open(&row.witnessed_note, "witnessed checkpoint")?,
            fingerprint,
            size: size(row.size)?,
            root: digest(&row.root)?,
            log: Log {
                id: row.id,
                own: row.own,
                nation: row.nation.parse().map_err(|_| broken("nation"))?,
                origin: row.origin.parse().map_err(|_| broken("origin"))?,
            },
            key,
        })
    }

    /// The size of the newest checkpoint that is held in full.
    pub fn head_size(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.checkpoint().size)
    }
}

/// The log with this origin, if anything of it is held.
pub(crate) async fn find(db: &impl ConnectionTrait, origin: &Origin) -> Result<Option<Held>> {
    let row = log::Entity::find().filter(log::Column::Origin.eq(origin.as_str())).one(db).await;
    row.attempting("read a log")?.as_ref().map(Held::from_row).transpose()
}

/// The own log; none in an archive that was never opened with an identity.
pub(crate) async fn own(db: &impl ConnectionTrait) -> Result<Option<Held>> {
    let row = log::Entity::find().filter(log::Column::Own.eq(true)).one(db).await;
    row.attempting("read the own log")?.as_ref().map(Held::from_row).transpose()
}

/// The own log's name, even where nothing else of its row can be read.
pub(crate) async fn own_origin(db: &impl ConnectionTrait) -> Result<Option<Origin>> {
    let names = log::Entity::find().select_only().column(log::Column::Origin).filter(log::Column::Own.eq(true));
    let name: Option<String> = names.into_tuple().one(db).await.attempting("ask for the own log")?;
    let broken = |_| Error::Inconsistent("the name of the own log cannot be read".to_owned());
    name.map(|name| name.parse().map_err(broken)).transpose()
}

/// All logs, the own one first, then by origin.
pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Held>> {
    let rows = log::Entity::find().order_by_desc(log::Column::Own).order_by_asc(log::Column::Origin).all(db).await;
    rows.attempting("read the logs")?.iter().map(Held::from_row).collect()
}

/// The keys that sign notes for the nation of `roster` by one of its charters.
pub(crate) fn note_keys(roster: &Roster, charter: &Charter) -> Result<NoteKeys> {
    let keys = charter.note_keys(&roster.nation, &roster.origin);
    keys.map_err(|invalid| Error::Inconsistent(format!("a charter of {}: {invalid}", roster.nation)))
}

/// A digest from a column.
pub(crate) fn digest(bytes: &[u8]) -> Result<Digest> {
    Digest::from_slice(bytes).map_err(|_| Error::Inconsistent("a digest in the database is not 32 bytes".into()))
}

/// A size or index from a column.
pub(crate) fn size(value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| Error::Inconsistent("a size in the database is negative".into()))
}

/// A size or index for a column. Sizes of logs fit: see `chancery_schema::log::tree::SIZE_MAX`.
pub(crate) fn column(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
