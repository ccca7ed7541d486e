//! What a pouch asks of the archive before anything of it is taken in, and whoever makes one.

use chancery_schema::digest::Digest;
use chancery_schema::log::checkpoint;
use chancery_schema::log::cosignature;
use chancery_schema::log::tree::Frontier;
use chancery_schema::name::Origin;
use chancery_schema::record::{BlobRef, Kind, Record};
use chancery_schema::roster::Roster;

use crate::known::known;
use crate::view::{self, Trusted};
use crate::{Registry, Result, bodies, hashes, log, partners};

/// The blobs that the record in an envelope's fixed form names, in the order in which they follow it on
/// the wire; none when it cannot be read.
#[must_use]
pub fn blobs_named(envelope: &[u8]) -> Vec<BlobRef> {
    bodies::blobs_named(envelope)
}

impl Registry {
    /// The right edge of the first `size` entries of a log; none where fewer are held.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn frontier(&self, origin: &Origin, size: u64) -> Result<Option<Frontier>> {
        let db = self.core.store.snapshot().await?;
        match log::find(&db, origin).await?.filter(|held| size <= held.size) {
            Some(held) => hashes::read(&db, held.log.id, size, |reader| Frontier::read(reader, size)).await,
            None => Ok(None),
        }
    }

    /// The keys of an accredited partner: as its log stands here, and as it introduced itself, which may
    /// be later. Empty where neither is known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rosters(&self, origin: &Origin) -> Result<Vec<Roster>> {
        let db = self.core.store.snapshot().await?;
        let Some(accredited) = partners::find(&self.core, &db, origin).await? else { return Ok(Vec::new()) };
        let fingerprint = accredited.accreditation.fingerprint;
        let held = match log::find(&db, origin).await?.filter(|held| held.fingerprint == Some(fingerprint)) {
            Some(held) => view::roster(&db, &held.log).await?,
            None => None,
        };
        let introduced = accredited.introduced.map(|introduced| introduced.roster.clone());
        Ok(held.into_iter().chain(introduced).collect())
    }

    /// The envelope that entry 0 of an accredited partner's log must name: that of the charter with which
    /// it introduced itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_envelope(&self, origin: &Origin) -> Result<Option<Digest>> {
        let db = self.core.store.snapshot().await?;
        let accredited = partners::find(&self.core, &db, origin).await?;
        Ok(accredited.and_then(|partner| partner.introduced).map(|introduced| introduced.charter.0))
    }

    /// The logs that the nation of a mirrored log recognises, as far as its log is held.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recognised_by(&self, origin: &Origin) -> Result<Vec<Origin>> {
        let db = self.core.store.snapshot().await?;
        let Some(held) = log::find(&db, origin).await? else { return Ok(Vec::new()) };
        let now = self.core.now();
        let mut recognised = Vec::new();
        for (trusted, record) in view::standing(&db, &held.log, Kind::Accreditation).await? {
            let (Trusted::Fully, Record::Accreditation(it)) = (trusted, record) else { continue };
            recognised.retain(|origin| *origin != it.partner_log);
            if !it.scopes.is_empty() && it.valid_until.is_none_or(|until| now <= until) {
                recognised.push(it.partner_log);
            }
        }
        Ok(recognised)
    }

    /// The name on the first cosignature line of a checkpoint that claims a known cosigner and does not
    /// hold; none where all hold. The note must be a checkpoint that its log signed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn wrong_line(&self, signed: &checkpoint::SignedCheckpoint) -> Result<Option<String>> {
        let db = self.core.store.snapshot().await?;
        let known = known(&self.core, &db).await?;
        let wrong = signed.note().signatures().iter().find(|line| {
            let cosigner = known.cosigners().iter().find(|cosigner| cosigner.key.claims(line));
            cosigner.is_some_and(|cosigner| cosignature::verify(signed.checkpoint(), line, &cosigner.key).is_err())
        });
        Ok(wrong.map(|line| line.name().to_owned()))
    }
}
