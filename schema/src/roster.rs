//! The roster: the keys of a nation as its log stands at some position, and how far each is trusted.
//!
//! Within one log order beats clocks. A revocation names a position, and what a key signed counts as far
//! as it stands before that: nobody with a stolen key can sign into the past, for an entry cannot be put
//! before others that were cosigned. What is shown without its position counts as later than any
//! revocation.
//!
//! A delegated key is worth what its delegation is worth, and that what the registrar is who signed it. As a
//! registrar a key is revoked by the roots alone; roots are not revoked, the next charter leaves them out.
//! So the question how something stands goes down two steps, and ends.

use std::collections::{BTreeMap, BTreeSet};

use crate::admission::{Admitted, End};
use crate::digest::Digest;
use crate::name::{Nation, Origin};
use crate::record::{Charter, Delegation, Kind, Reason, Record, Revocation};

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
    pub revocations: BTreeMap<Digest, Vec<Revoked>>,
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

/// A revocation that counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revoked {
    /// The record.
    pub signed: Signed<Revocation>,
    /// Whether the roots signed it, and not registrars.
    pub by_roots: bool,
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
                let by_roots = admitted.by_roots();
                let signed = Signed { index, record, signers, body };
                self.revocations.entry(signed.body.key).or_default().push(Revoked { signed, by_roots });
            }
            _ => {}
        }
    }

    /// The newest delegation of a key; it has replaced those before.
    #[must_use]
    pub fn delegation(&self, keyid: &Digest) -> Option<&Delegation> {
        self.delegations.get(keyid)?.last().map(|signed| &signed.body)
    }

    /// Whether these are roots of the charter in force; roots and registrars do not sign together.
    #[must_use]
    pub fn by_roots(&self, signers: &BTreeSet<Digest>) -> bool {
        self.charter.roots.iter().any(|root| signers.contains(&root.keyid))
    }

    /// How a record, which was admitted at `index`, stands: a charter as it is, another as its best signature.
    #[must_use]
    pub fn standing<'k>(
        &self,
        kind: Kind,
        index: u64,
        record: &Digest,
        signers: impl IntoIterator<Item = &'k Digest>,
    ) -> Standing {
        if kind == Kind::Charter {
            return Standing::Stands;
        }
        let signatures = signers.into_iter().map(|keyid| self.signature(keyid, index, record));
        signatures.max().unwrap_or(Standing::Stands)
    }

    /// How far the signature of `keyid` on `record`, which stands at `index`, is trusted: that of a delegated
    /// key no further than the key, and than the delegation that let it speak there.
    #[must_use]
    pub fn signature(&self, keyid: &Digest, index: u64, record: &Digest) -> Standing {
        let delegations = self.delegations.get(keyid).into_iter().flatten();
        let mut before =
            delegations.take_while(|delegation| delegation.index < index).collect::<Vec<_>>().into_iter().rev();
        let Some(newest) = before.next() else { return self.appointed(keyid, index, record) };
        let mut delegated = self.delegation_stands(newest);
        if let Standing::Void { .. } = delegated {
            // Whoever robbed a registrar takes nothing away with it that was given before.
            let older =
                before.filter(|older| older.body.includes(&newest.body)).map(|older| self.delegation_stands(older));
            delegated = older.max().unwrap_or(delegated).max(delegated);
        }
        delegated.min(self.own_standing(keyid, index, record))
    }

    /// What ended a record of which these are the ends: its redaction, whatever became of the keys that signed
    /// that, for what is erased does not come back; or the first withdrawal that is not void.
    #[must_use]
    pub fn end<'e>(&self, ends: &'e [End]) -> Option<&'e End> {
        let redaction = ends.iter().find(|end| end.kind == Kind::Redaction);
        redaction.or_else(|| {
            let standing = |end: &End| self.standing(end.kind, end.index, &end.record, &end.signers);
            ends.iter().find(|end| !matches!(standing(end), Standing::Void { .. }))
        })
    }

    fn delegation_stands(&self, delegation: &Signed<Delegation>) -> Standing {
        let Signed { index, record, signers, .. } = delegation;
        let signatures = signers.iter().map(|registrar| self.appointed(registrar, *index, record));
        signatures.max().unwrap_or(Standing::Stands)
    }

    /// How far a registrar's signature is trusted, by what the roots revoked.
    fn appointed(&self, keyid: &Digest, index: u64, record: &Digest) -> Standing {
        let revocations = self.revocations.get(keyid).into_iter().flatten();
        weighed(keyid, index, record, revocations.filter(|it| it.by_roots))
    }

    /// How far a delegated key itself is trusted, whoever delegated it.
    pub(crate) fn own_standing(&self, keyid: &Digest, index: u64, record: &Digest) -> Standing {
        let revocations = self.revocations.get(keyid).into_iter().flatten();
        // What a thief of a registrar's key revoked is not.
        let stands = |Revoked { signed, by_roots }: &&Revoked| {
            let mut registrars = signed.signers.iter();
            *by_roots
                || registrars
                    .any(|it| !matches!(self.appointed(it, signed.index, &signed.record), Standing::Void { .. }))
        };
        weighed(keyid, index, record, revocations.filter(stands))
    }
}

/// What these revocations leave of the trust in a key.
fn weighed<'r>(
    keyid: &Digest,
    index: u64,
    record: &Digest,
    revocations: impl Iterator<Item = &'r Revoked>,
) -> Standing {
    let (mut from, mut contested, mut affirmed) = (None::<u64>, false, false);
    for Revoked { signed: Signed { index, body, .. }, .. } in revocations {
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
