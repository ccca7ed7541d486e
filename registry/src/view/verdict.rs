//! Verdicts as the view keeps them, and records as it shows them.

use std::collections::BTreeMap;

use chancery_schema::admission::{Code, Refusal};
use chancery_schema::digest::Digest;
use chancery_schema::record::Kind;
use chancery_schema::roster::Standing;
use chancery_schema::time::Timestamp;
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ColumnTrait, ConnectionTrait};

use super::entity::record;
use crate::log::{self, Log, digest, size};
use crate::{Error, RecordSummary, Result, Verdict};

/// It counts.
pub(super) const VALID: &str = "valid";
/// A later record took its place.
pub(super) const SUPERSEDED: &str = "superseded";
/// Its nation no longer stands by it.
pub(super) const WITHDRAWN: &str = "withdrawn";
/// Its body is erased. Its code says so where its keys are not trusted either.
pub(super) const REDACTED: &str = "redacted";
/// A key that it rests on was compromised, and the roots have not affirmed it.
pub(super) const CONTESTED: &str = "contested";
/// It does not count.
pub(super) const VOID: &str = "void";
/// Of a kind this version does not know.
pub(super) const UNKNOWN: &str = "unknown";
/// Its body is not held.
pub(super) const MISSING: &str = "missing";

/// The logs by their rows, to say whose a record is.
pub(super) struct Logs(BTreeMap<i64, Log>);

impl Logs {
    pub async fn read(db: &impl ConnectionTrait) -> Result<Self> {
        Ok(Self(log::all(db).await?.into_iter().map(|held| (held.log.id, held.log)).collect()))
    }

    pub fn get(&self, log_id: i64) -> Result<&Log> {
        self.0.get(&log_id).ok_or_else(|| Error::Inconsistent("the view has a row of a log that is not held".into()))
    }

    /// A record as it is shown.
    pub fn summary(&self, row: record::Model) -> Result<RecordSummary> {
        let log = self.get(row.log_id)?;
        Ok(RecordSummary {
            digest: row.digest.as_deref().map(digest).transpose()?,
            origin: log.origin.clone(),
            nation: log.nation.clone(),
            index: size(row.idx)?,
            envelope: digest(&row.envelope)?,
            verdict: verdict(&row)?,
            issued_at: (row.at > 0).then(|| Timestamp::from_unix_seconds(row.at).ok()).flatten(),
            signers: digests(&row.signers)?,
            kind: row.kind,
        })
    }
}

/// The rows of records that were admitted, whatever became of them: only those have signers that count.
pub(super) fn admitted() -> SimpleExpr {
    record::Column::Signers.ne(Vec::<u8>::new())
}

/// A standing as the view keeps it: the verdict, its code and its reason.
pub(super) fn of_standing(standing: Standing) -> (&'static str, Option<&'static str>, Option<String>) {
    match standing {
        Standing::Stands => (VALID, None, None),
        Standing::Contested { key } => {
            let reason = format!("the key {key} was compromised, nobody knows since when");
            (CONTESTED, None, Some(reason))
        }
        Standing::Void { key, from } => {
            let reason = format!("the key {key} is not trusted from entry {from} on");
            (VOID, Some(Code::KeyRevoked.as_str()), Some(reason))
        }
    }
}

/// The same of a record that may have ended: redacted before void before contested before withdrawn.
pub(super) fn of_ended(standing: Standing, end: Option<Kind>) -> (&'static str, Option<&'static str>, Option<String>) {
    let (verdict, code, reason) = of_standing(standing);
    match end {
        Some(Kind::Redaction) => (REDACTED, code, reason),
        Some(_) if standing == Standing::Stands => (WITHDRAWN, None, None),
        _ => (verdict, code, reason),
    }
}

/// Digests one after the other, as a column keeps them.
pub(super) fn joined<'a>(digests: impl IntoIterator<Item = &'a Digest>) -> Vec<u8> {
    digests.into_iter().flat_map(Digest::as_bytes).copied().collect()
}

/// Reads [`joined`].
pub(super) fn digests(bytes: &[u8]) -> Result<Vec<Digest>> {
    bytes.chunks(32).map(digest).collect()
}

fn verdict(row: &record::Model) -> Result<Verdict> {
    let broken = || Error::Inconsistent("a verdict in the view cannot be read".to_owned());
    Ok(match row.verdict.as_str() {
        VALID => Verdict::Valid,
        SUPERSEDED => Verdict::Superseded { by: digest(row.superseded_by.as_deref().ok_or_else(broken)?)? },
        WITHDRAWN => Verdict::Withdrawn,
        REDACTED => Verdict::Redacted,
        CONTESTED => Verdict::Contested(row.reason.clone().unwrap_or_default()),
        VOID => {
            let code = row.code.as_deref().and_then(Code::from_word).ok_or_else(broken)?;
            Verdict::Void(Refusal { code, reason: row.reason.clone().unwrap_or_default() })
        }
        UNKNOWN => Verdict::Unknown,
        MISSING => Verdict::Missing,
        _ => return Err(broken()),
    })
}
