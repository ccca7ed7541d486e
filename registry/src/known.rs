//! Who is known: the nations whose charter a log held or an introduction shows, and the keys that they
//! name to cosign.
//!
//! An introduction proves itself by many signatures, and a charter proves that its keys are held. So
//! what was read is remembered until a charter or an introduction changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chancery_schema::digest::Digest;
use chancery_schema::log::note::VerifierKey;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::record::{Charter, Kind, Record};
use chancery_schema::roster::Roster;
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, QuerySelect};

use crate::entity::introduction;
use crate::error::Attempting;
use crate::log::{self, digest, note_keys};
use crate::view::{self, Introduced};
use crate::{Core, NationSummary, Result};

/// A key that may cosign, and what its testimony means.
#[derive(Clone, Debug)]
pub(crate) struct Cosigner {
    /// Name and key.
    pub key: VerifierKey,
    /// Whose charter names it.
    pub nation: Nation,
    /// Whether it says that every entry is held, or only that the tree was seen.
    pub held: bool,
}

/// Who is known.
pub(crate) struct Known {
    basis: Basis,
    introduced: BTreeMap<String, Seen>,
    /// The nations of all logs that have a charter, then those that were only introduced. Size,
    /// ownership and accreditation are for the reader to fill in; the number is that of the log.
    pub nations: Vec<(Option<i64>, NationSummary)>,
    /// Their witnesses and mirrors, in that order.
    pub cosigners: Arc<Vec<Cosigner>>,
}

/// An introduction by the digest of its bundle; nothing where the bundle does not hold.
type Seen = (Digest, Option<Arc<Introduced>>);

/// What all of that depends on, and nothing else: which charter is in force in which log, and which
/// bundle introduces which log.
#[derive(PartialEq)]
struct Basis {
    charters: Vec<(i64, i64, Vec<u8>)>,
    introductions: Vec<(String, Vec<u8>)>,
}

/// What was last looked up.
pub(crate) type Cache = Mutex<Option<Arc<Known>>>;

/// Who is known, as `db` sees it.
pub(crate) async fn known(core: &Core, db: &impl ConnectionTrait) -> Result<Arc<Known>> {
    let basis = Basis::read(db).await?;
    let last = core.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(last) = last.as_ref().filter(|last| last.basis == basis) {
        return Ok(Arc::clone(last));
    }
    let known = Arc::new(Known::look_up(db, basis, last.as_deref()).await?);
    *core.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
    Ok(known)
}

impl Known {
    /// How the nation with this fingerprint introduced its log.
    pub fn introduced(&self, origin: &Origin, fingerprint: &Digest) -> Option<&Arc<Introduced>> {
        let (_, introduced) = self.introduced.get(origin.as_str())?;
        introduced.as_ref().filter(|introduced| introduced.introduction.fingerprint == *fingerprint)
    }

    /// The witnesses and mirrors of all nations known.
    pub fn cosigners(&self) -> &[Cosigner] {
        &self.cosigners
    }

    /// Whose cosigner has this name.
    pub fn nation_of(&self, name: &str) -> Option<&Nation> {
        let cosigner = self.cosigners.iter().find(|cosigner| cosigner.key.name() == name);
        cosigner.map(|cosigner| &cosigner.nation)
    }

    async fn look_up(db: &impl ConnectionTrait, basis: Basis, last: Option<&Self>) -> Result<Self> {
        let mut known = Self { basis, introduced: BTreeMap::new(), nations: Vec::new(), cosigners: Arc::default() };
        let mut cosigners = Vec::new();
        for held in log::all(db).await? {
            if let Some(roster) = view::roster(db, &held.log).await? {
                let records = view::standing(db, &held.log, Kind::Charter).await?.into_iter();
                let charters = records.filter_map(|(_, record)| match record {
                    Record::Charter(charter) => Some(*charter),
                    _ => None,
                });
                known.take(Some(held.log.id), &roster, &charters.collect::<Vec<_>>(), &mut cosigners)?;
            }
        }
        for (origin, sha256) in &known.basis.introductions {
            let sha256 = digest(sha256)?;
            let before = last.and_then(|last| last.introduced.get(origin)).filter(|(before, _)| *before == sha256);
            let seen = match before {
                Some(seen) => seen.clone(),
                None => (sha256, read(db, origin).await?),
            };
            known.introduced.insert(origin.clone(), seen);
        }
        let introduced: Vec<_> = known.introduced.values().filter_map(|(_, introduced)| introduced.clone()).collect();
        for introduced in introduced {
            known.take(None, &introduced.roster, &introduced.charters, &mut cosigners)?;
        }
        known.cosigners = Arc::new(cosigners);
        Ok(known)
    }

    /// Takes in a nation, unless its log was before its introduction; and those of its cosigners that
    /// are new. What a nation cosigned stays cosigned when a later charter names another key, so the keys
    /// of all its charters count, those of the one in force first.
    fn take(
        &mut self,
        log_id: Option<i64>,
        roster: &Roster,
        charters: &[Charter],
        cosigners: &mut Vec<Cosigner>,
    ) -> Result<()> {
        if !self.nations.iter().any(|(_, nation)| nation.fingerprint == roster.fingerprint) {
            self.nations.push((log_id, view::summary(roster, &note_keys(roster, &roster.charter)?)));
        }
        for charter in charters.iter().rev() {
            let keys = note_keys(roster, charter)?;
            for (key, held) in [(keys.witness, false), (keys.mirror, true)] {
                if !cosigners.iter().any(|known| known.key == key) {
                    cosigners.push(Cosigner { key, nation: roster.nation.clone(), held });
                }
            }
        }
        Ok(())
    }
}

impl Basis {
    async fn read(db: &impl ConnectionTrait) -> Result<Self> {
        let introductions = introduction::Entity::find()
            .select_only()
            .columns([introduction::Column::Origin, introduction::Column::Sha256])
            .order_by_asc(introduction::Column::Origin)
            .into_tuple()
            .all(db)
            .await
            .attempting("ask for the introductions")?;
        Ok(Self { charters: view::charters(db).await?, introductions })
    }
}

async fn read(db: &impl ConnectionTrait, origin: &str) -> Result<Option<Arc<Introduced>>> {
    let row = introduction::Entity::find_by_id(origin).one(db).await.attempting("read an introduction")?;
    Ok(row.and_then(|row| view::read_introduction(&row.bundle).ok()).map(Arc::new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;
    use chancery_schema::time::Timestamp;
    use chancery_tests::database::{statement, url};

    #[tokio::test]
    async fn nothing_is_verified_again_until_something_changes() {
        let folder = tempfile::tempdir().unwrap();
        let url = url(folder.path());
        let clock = Arc::new(|| Timestamp::from_unix_seconds(1_795_521_600).unwrap());
        let registry = Registry::open(&url, None, clock).await.unwrap();
        let ask = async || known(&registry.core, registry.core.store.read()).await.unwrap();
        let (first, second) = (ask().await, ask().await);
        assert!(Arc::ptr_eq(&first, &second));

        for (sha256, count) in [("00", 1), ("01", 1)] {
            let before = ask().await;
            let row = format!("'fr.example.org/log', x'{}', x'', 0", sha256.repeat(32));
            let writing = registry.core.store.write().await.unwrap();
            writing.execute_unprepared("DELETE FROM introduction").await.unwrap();
            let insert = statement(&format!("INSERT INTO introduction VALUES ({row})"));
            writing.execute_unprepared(&insert).await.unwrap();
            writing.commit().await.unwrap();
            let after = ask().await;
            assert!(!Arc::ptr_eq(&before, &after), "another bundle within the same second");
            assert_eq!((after.introduced.len(), after.cosigners().len()), (count, 0), "it introduces nobody");
            assert!(Arc::ptr_eq(&after, &ask().await));
        }
    }
}
