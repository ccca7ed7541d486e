//! A log in memory: a nation's envelopes, its tree, and all that is signed over it.

#![allow(clippy::missing_panics_doc, reason = "fixtures: what cannot fail is said where it is expected")]

use chancery_schema::bundle::{Bundle, FORMAT, Header, LoggedRecord, Purpose};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint::{self, Checkpoint, SignedCheckpoint};
use chancery_schema::log::cosignature;
use chancery_schema::log::entry::Entry;
use chancery_schema::log::note::{self, KeyType, VerifierKey};
use chancery_schema::log::proof::Proof;
use chancery_schema::log::tree::{self, MemoryTree};
use chancery_schema::statement::Statement;

use super::nation::{Nation, day};

/// A nation's log, oldest record first.
pub struct History {
    /// Whose it is.
    pub nation: Nation,
    /// What was entered.
    pub envelopes: Vec<Envelope>,
    /// The tree of its entries.
    pub tree: MemoryTree,
}

impl History {
    /// A log that begins with the nation's charter and lets a publisher speak.
    #[must_use]
    pub fn found(code: &str) -> Self {
        let mut nation = Nation::new(code);
        let first = [nation.charter(), nation.publisher()];
        let mut history = Self { nation, envelopes: Vec::new(), tree: MemoryTree::new() };
        for envelope in first {
            history.push(envelope);
        }
        history
    }

    /// Enters an envelope.
    pub fn push(&mut self, envelope: Envelope) {
        self.tree.push(entry_of(&envelope).leaf_hash());
        self.envelopes.push(envelope);
    }

    /// How many entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The entry at `index`.
    #[must_use]
    pub fn entry(&self, index: usize) -> Entry {
        entry_of(&self.envelopes[index])
    }

    /// The key that signs the log's checkpoints.
    #[must_use]
    pub fn log_key(&self) -> VerifierKey {
        let key = self.nation.key(Role::Log, 0);
        note::verifier_key(self.nation.origin.as_str(), KeyType::Ed25519, &key).expect("an origin is a name")
    }

    /// The checkpoint of the first `size` entries, signed by the log.
    #[must_use]
    pub fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        let root = tree::root(&self.tree, size).expect("the tree has so many entries");
        let checkpoint = Checkpoint { origin: self.nation.origin.clone(), size, root };
        checkpoint::sign(checkpoint, &self.nation.key(Role::Log, 0)).expect("a key in memory signs")
    }

    /// The same, cosigned by the witnesses of `partners`, each a second after the one before.
    #[must_use]
    pub fn cosigned(&self, size: u64, partners: &[&Nation]) -> SignedCheckpoint {
        let mut checkpoint = self.checkpoint(size);
        for (time, partner) in (day().unix_seconds().cast_unsigned()..).zip(partners) {
            let key = partner.key(Role::Witness, 0);
            let line =
                cosignature::sign(&checkpoint, &witness_name(partner), time, &key).expect("a key in memory signs");
            checkpoint.add(line.to_line()).expect("a few lines fit");
        }
        checkpoint
    }

    /// The proof that entry `index` stands under `checkpoint`.
    #[must_use]
    pub fn proof(&self, index: usize, checkpoint: &SignedCheckpoint) -> Proof {
        Proof::new(&self.tree, index as u64, checkpoint).expect("the entry stands under the checkpoint")
    }

    /// A bundle of the records at `indexes`, about the last of them.
    #[must_use]
    pub fn bundle(&self, indexes: &[usize], checkpoint: &SignedCheckpoint) -> Bundle {
        let logged = |index: &usize| LoggedRecord {
            envelope: self.envelopes[*index].clone(),
            proof: self.proof(*index, checkpoint).to_string(),
        };
        let about = indexes.last().map(|index| self.envelopes[*index].record_digest());
        Bundle {
            header: Header {
                format: FORMAT.to_owned(),
                purpose: Purpose::Bundle,
                nation: self.nation.code.clone(),
                log: self.nation.origin.clone(),
                record: about.expect("a bundle is about a record"),
            },
            former: Vec::new(),
            records: indexes.iter().map(logged).collect(),
            blobs: std::collections::BTreeMap::new(),
        }
    }

    /// The nation's fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.envelopes[0].record_digest()
    }
}

/// The name on a nation's cosignatures.
#[must_use]
pub fn witness_name(nation: &Nation) -> String {
    format!("{}/witness", nation.origin)
}

/// The key by which a nation's cosignatures are known.
#[must_use]
pub fn witness_key(nation: &Nation) -> VerifierKey {
    let key = nation.key(Role::Witness, 0);
    note::verifier_key(&witness_name(nation), KeyType::Cosignature, &key).expect("an origin is a name")
}

/// The entry that stands for an envelope in a log.
#[must_use]
pub fn entry_of(envelope: &Envelope) -> Entry {
    let statement = Statement::parse(envelope.payload()).expect("a signed record is a statement");
    Entry::new(&statement.kind, envelope.digest()).expect("a kind of a statement is a kind")
}
