//! The charter: a nation's own keys. The first one is entry 0 of the nation's log, and its record
//! digest is the nation's fingerprint.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Body, Header, Invalid, Kind, Texts, check_all_known, check_count, check_distinct, check_known, check_lines,
};
use crate::digest::Digest;
use crate::key::{Algorithm, KeyRecord, Role};
use crate::limits::{CHARTER_KEYS_MAX, CHARTER_VERSIONS_MAX};
use crate::log::note::{KeyType, VerifierKey};
use crate::name::{Nation, Origin};
use crate::statement::Subject;
use crate::time::Timestamp;
use crate::word::Word;

/// A nation's roots, and the keys they appoint.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Charter {
    /// 1 for the first; each later one is the one before plus 1.
    pub version: u64,
    /// The record digest of the charter before; absent in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// What the nation calls itself, in its languages.
    pub display_name: Texts,
    /// How many distinct roots must sign.
    pub threshold: u64,
    /// The officers' keys, kept offline.
    pub roots: Vec<KeyRecord>,
    /// Keys that delegate and revoke on the nation's behalf.
    pub registrars: Vec<KeyRecord>,
    /// The key that signs the log's checkpoints.
    pub log_key: KeyRecord,
    /// Who cosigns what was seen.
    pub witness: Cosigner,
    /// Who cosigns what is held.
    pub mirror: Cosigner,
    /// The algorithms that every record needs a signature of.
    pub algorithms: Vec<Word<Algorithm>>,
    /// Until when this charter may be relied on without a newer one.
    pub expires: Timestamp,
}

/// A key that cosigns checkpoints, under its own name (C2SP tlog-cosignature).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cosigner {
    /// The name on its cosignatures.
    pub name: Origin,
    /// Its key.
    pub key: KeyRecord,
}

impl Charter {
    /// Every key with its role.
    pub fn keys(&self) -> impl Iterator<Item = (Role, &KeyRecord)> {
        let roots = self.roots.iter().map(|key| (Role::Root, key));
        let registrars = self.registrars.iter().map(|key| (Role::Registrar, key));
        let online = [(Role::Log, &self.log_key), (Role::Witness, &self.witness.key), (Role::Mirror, &self.mirror.key)];
        roots.chain(registrars).chain(online)
    }

    /// How many distinct roots are among `signers`.
    #[must_use]
    pub fn signed_by(&self, signers: &BTreeSet<Digest>) -> u64 {
        self.roots.iter().map(|root| root.keyid).collect::<BTreeSet<_>>().intersection(signers).count() as u64
    }
}

/// The keys of a charter as C2SP notes use them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteKeys {
    /// Signs the log's checkpoints.
    pub log: VerifierKey,
    /// Cosigns what was seen.
    pub witness: VerifierKey,
    /// Cosigns what is held.
    pub mirror: VerifierKey,
}

impl Charter {
    /// The keys of the log, its witness and its mirror, under their names.
    ///
    /// # Errors
    /// When one of them does not open; in a charter that was validated, all do.
    pub fn note_keys(&self, nation: &Nation, log: &Origin) -> Result<NoteKeys, Invalid> {
        let key = |name: &Origin, key_type, record: &KeyRecord, role: Role| {
            let wrong = |problem: String| Invalid::at("", format!("the {} key: {problem}", role.as_str()));
            let public = record.open(nation, log, role).map_err(|error| wrong(error.to_string()))?;
            VerifierKey::new(name.as_str(), key_type, public).map_err(|error| wrong(error.to_string()))
        };
        Ok(NoteKeys {
            log: key(log, KeyType::Ed25519, &self.log_key, Role::Log)?,
            witness: key(&self.witness.name, KeyType::Cosignature, &self.witness.key, Role::Witness)?,
            mirror: key(&self.mirror.name, KeyType::Cosignature, &self.mirror.key, Role::Mirror)?,
        })
    }
}

impl Body for Charter {
    const KIND: Kind = Kind::Charter;

    fn validate(&self, header: &Header) -> Result<(), Invalid> {
        check_lines("/displayName", &self.display_name)?;
        check_count("/roots", self.roots.len(), CHARTER_KEYS_MAX)?;
        check_count("/registrars", self.registrars.len(), CHARTER_KEYS_MAX)?;
        if self.version == 0 || (self.version == 1) != self.previous.is_none() {
            return Err(Invalid::at("/version", "must be 1 without a previous charter, or more with one"));
        }
        if self.version > CHARTER_VERSIONS_MAX {
            return Err(Invalid::at("/version", format!("is more than {CHARTER_VERSIONS_MAX}; a log has no more")));
        }
        if self.threshold == 0 || self.threshold > self.roots.len() as u64 {
            return Err(Invalid::at("/threshold", "must be at least 1 and at most the number of roots"));
        }
        if self.registrars.is_empty() {
            return Err(Invalid::at("/registrars", "is empty; appoint at least one registrar"));
        }
        if self.algorithms.is_empty() {
            return Err(Invalid::at("/algorithms", "is empty; require at least one algorithm"));
        }
        check_distinct("/algorithms", &self.algorithms)?;
        if self.expires <= header.issued_at {
            return Err(Invalid::at("/expires", "must be later than issuedAt"));
        }
        if self.witness.name == self.mirror.name || self.witness.name == header.log || self.mirror.name == header.log {
            return Err(Invalid::at("/mirror/name", "the log, its witness and its mirror need three names"));
        }
        // Cosignatures are known by the names on them, so none may be another nation's.
        for (place, cosigner) in [("/witness/name", &self.witness), ("/mirror/name", &self.mirror)] {
            if !cosigner.name.as_str().strip_prefix(header.log.as_str()).is_some_and(|rest| rest.starts_with('/')) {
                return Err(Invalid::at(place, "must lie below the log's name, such as <log>/witness"));
            }
        }
        let mut seen = BTreeSet::new();
        for (role, key) in self.keys() {
            let place = format!("the {} key {}", role.as_str(), key.keyid);
            if !seen.insert(key.keyid) {
                return Err(Invalid::at("", format!("{place} has two places; every key has one")));
            }
            key.check(&header.nation, &header.log, role)
                .map_err(|error| Invalid::at("", format!("{place}: {error}")))?;
        }
        self.note_keys(&header.nation, &header.log).map(drop)
    }

    fn validate_new(&self, _: &Header) -> Result<(), Invalid> {
        check_all_known("/algorithms", &self.algorithms)?;
        self.keys().try_for_each(|(role, key)| check_known(&format!("/{}/alg", role.as_str()), &key.alg))
    }

    fn subjects(&self, header: &Header) -> Vec<Subject> {
        vec![Subject::new(header.log.as_str(), self.log_key.keyid)]
    }
}
