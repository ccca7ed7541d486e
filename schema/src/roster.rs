//! The roster: the keys of a nation as its log stands at some position, and how far each is trusted.
//!
//! Within one log order beats clocks. A revocation names a position, and what a key signed counts as far
//! as it stands before that: nobody with a stolen key can sign into the past, for an entry cannot be put
//! before others that were cosigned. What is shown without its position counts as later than any
//! revocation.
//!
//! A delegated key is worth what its delegation is worth, and that what the registrar is who signed it.
//! Registrars are revoked by the roots alone, and the roots by the next charter.

use std::collections::{BTreeMap, BTreeSet};

use crate::admission::Admitted;
use crate::digest::Digest;
use crate::name::{Nation, Origin};
use crate::record::{Charter, Delegation, Reason, Record, Revocation};

/// The keys of a nation as its log stands at some position.
#[derive(Clone, PartialEq, Debug)]
pub struct Roster {
    /// The nation that the log claims to speak for.
    pub nation: Nation,
    /// The log.
    pub origin: Origin,
    /// The record digest of the first charter.
    pub fingerprint: Digest,
    /// The charter in force.
    pub charter: Charter,
    /// Its record digest, which the next charter names.
    pub charter_digest: Digest,
    /// The delegations by key id, each key's in log order.
    pub delegations: BTreeMap<Digest, Vec<Signed<Delegation>>>,
    /// The revocations by key id, each key's in log order.
    pub revocations: BTreeMap<Digest, Vec<Signed<Revocation>>>,
}

/// A record that counts, where it stands and who signed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed<B> {
    /// Its position in the log.
    pub index: u64,
    /// Its digest.
    pub record: Digest,
    /// The key ids that signed it.
    pub signers: BTreeSet<Digest>,
    /// What it says.
    pub body: B,
}

/// How far a signature is trusted, or a record for the sake of its signatures; more trust is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// Not at all: this key was not trusted from this position on.
    Void {
        /// The key, which may be that of the registrar who let the signer speak.
        key: Digest,
        /// The position.
        from: u64,
    },
    /// Perhaps: others may have used this key, and the roots have not affirmed the record.
    Contested {
        /// The key, which may be that of the registrar who let the signer speak.
        key: Digest,
    },
    /// In full.
    Stands,
}

impl Roster {
    /// The roster that a first charter founds.
    #[must_use]
    pub fn found(admitted: &Admitted) -> Option<Self> {
        let submission = admitted.submission();
        let Record::Charter(charter) = &submission.record else { return None };
        Some(Self {
            nation: submission.header.nation.clone(),
            origin: submission.header.log.clone(),
            fingerprint: submission.digest,
            charter: (**charter).clone(),
            charter_digest: submission.digest,
            delegations: BTreeMap::new(),
            revocations: BTreeMap::new(),
        })
    }

    /// What a record that was admitted at `index` changes in the roster.
    pub fn apply(&mut self, index: u64, admitted: &Admitted) {
        let (record, signers) = (admitted.submission().digest, admitted.signers().clone());
        match &admitted.submission().record {
            Record::Charter(charter) => (self.charter, self.charter_digest) = ((**charter).clone(), record),
            Record::Delegation(delegation) => {
                let body = (**delegation).clone();
                self.delegations.entry(body.key.keyid).or_default().push(Signed { index, record, signers, body });
            }
            Record::Revocation(revocation) => {
                let body = (**revocation).clone();
                self.revocations.entry(body.key).or_default().push(Signed { index, record, signers, body });
            }
            _ => {}
        }
    }

    /// The newest delegation of a key; it has replaced those before.
    #[must_use]
    pub fn delegation(&self, keyid: &Digest) -> Option<&Delegation> {
        self.delegations.get(keyid)?.last().map(|signed| &signed.body)
    }

    /// How the record `record`, which was admitted at `index`, stands: as its best signature.
    #[must_use]
    pub fn standing<'k>(&self, index: u64, record: &Digest, signers: impl IntoIterator<Item = &'k Digest>) -> Standing {
        let signatures = signers.into_iter().map(|keyid| self.signature(keyid, index, record));
        signatures.max().unwrap_or(Standing::Stands)
    }

    /// How far the signature of `keyid` on `record`, which stands at `index`, is trusted: no further than
    /// the key, and no further than the delegation that let it speak there.
    #[must_use]
    pub fn signature(&self, keyid: &Digest, index: u64, record: &Digest) -> Standing {
        let delegations = self.delegations.get(keyid).into_iter().flatten();
        let delegation = delegations.take_while(|delegation| delegation.index < index).last();
        let delegated = delegation.map_or(Standing::Stands, |it| self.standing(it.index, &it.record, &it.signers));
        delegated.min(self.own_standing(keyid, index, record))
    }

    /// The same for the key alone, whoever delegated it.
    pub(crate) fn own_standing(&self, keyid: &Digest, index: u64, record: &Digest) -> Standing {
        let revocations = self.revocations.get(keyid).into_iter().flatten();
        // What a thief of a registrar's key revoked is not.
        let revocations =
            revocations.filter(|it| !matches!(self.standing(it.index, &it.record, &it.signers), Standing::Void { .. }));
        let (mut from, mut contested, mut affirmed) = (None::<u64>, false, false);
        for Signed { index, body, .. } in revocations {
            let since = body.since.unwrap_or(*index);
            from = Some(from.map_or(since, |from| from.min(since)));
            contested |= body.reason == Reason::CompromisedUnknown;
            affirmed |= body.affirms.contains(record);
        }
        match from {
            Some(from) if index >= from => Standing::Void { key: *keyid, from },
            Some(_) if contested && !affirmed => Standing::Contested { key: *keyid },
            _ => Standing::Stands,
        }
    }
}
