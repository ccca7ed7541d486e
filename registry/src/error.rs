//! What can fail in the archive.

use chancery_schema::name::Origin;
use sea_orm::DbErr;

use crate::guard::Doubt;

/// The world failing, or the archive contradicting itself.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The database did not do what was asked.
    #[error("failed to {attempted}")]
    Database {
        /// What was attempted.
        attempted: &'static str,
        /// Why it failed.
        source: sea_orm::DbErr,
    },
    /// The database holds what cannot be.
    #[error("the archive contradicts itself: {0}; restore it from a backup or from a partner's mirror")]
    Inconsistent(String),
    /// The log is not held here.
    #[error("no log {0} is held here")]
    UnknownLog(Origin),
    /// What was given does not continue what is held.
    #[error("the package does not continue the mirror of {origin}: {problem}")]
    DoesNotContinue {
        /// Whose log.
        origin: Origin,
        /// Why.
        problem: String,
    },
    /// The archive was opened without keys.
    #[error("this archive was opened for reading only")]
    ReadOnly,
    /// Another process should sequence this log, and did not in time: a passing state.
    #[error("the process that sequences this log does not answer; another one will take its place, so try again")]
    NotSequencer,
    /// The process that sequences tried twice, and failed.
    #[error("the process that sequences this log failed to enter the record, and its own log says why; try again")]
    Unsequenced,
    /// What is held may be older than what was signed.
    #[error("nothing is signed: {0}")]
    Doubtful(#[from] Doubt),
    /// The mark was not read or written.
    #[error(
        "failed to {attempted} the high-water mark: {problem}; see that it can be written where it is, and that the disk is not full"
    )]
    Mark {
        /// What was attempted.
        attempted: &'static str,
        /// Why it failed.
        problem: String,
    },
    /// A key's device did not sign.
    #[error(transparent)]
    Sign(#[from] chancery_schema::key::SignError),
    /// What was given is not what the call needs.
    #[error("{0}")]
    Invalid(String),
}

/// Says what was attempted when the database fails: `query.await.attempting("read the head")?`.
pub(crate) trait Attempting<T> {
    /// The error says "failed to" and then `attempted`.
    fn attempting(self, attempted: &'static str) -> Result<T, Error>;
}

impl<T> Attempting<T> for Result<T, DbErr> {
    fn attempting(self, attempted: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Database { attempted, source })
    }
}
