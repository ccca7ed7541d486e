//! The evidence: a log has signed two checkpoints that cannot both be of one history.
//!
//! It proves itself. Whoever knows the log's key need trust neither who reports it nor where it was found.
//! A checkpoint that is merely old is no evidence, and neither is a proof that nobody gave.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Header, Invalid, Kind};
use crate::digest::Digest;
use crate::log::checkpoint::{self, Checkpoint, CheckpointError, SignedCheckpoint};
use crate::log::note::{NoteError, VerifierKey};
use crate::log::tree::{self, HashReader, ProofError};
use crate::statement::Subject;

/// Two histories of one log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The log's key as C2SP signed-note writes it; its name is the log's origin.
    pub accused: String,
    /// The checkpoint with fewer entries, as a signed note; of two with as many, either.
    pub earlier: String,
    /// The other one.
    pub later: String,
    /// Where the later one has more entries: that it begins otherwise than the earlier one says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Prefix>,
}

/// How the later tree begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Prefix {
    /// The root of its first entries, as many as the earlier checkpoint has.
    pub root: Digest,
    /// The consistency proof (RFC 6962) from there to the later checkpoint.
    pub proof: Vec<Digest>,
}

/// A log that is proven to have two histories. Only [`Evidence::verify`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Equivocation {
    log: VerifierKey,
    earlier: Checkpoint,
    later: Checkpoint,
}

/// Why something is no evidence.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoEvidence {
    /// The key cannot be read.
    #[error("is no verifier key of a log")]
    Accused(#[source] NoteError),
    /// The first note is no checkpoint that the log signed.
    #[error("is no checkpoint of the accused log")]
    Earlier(#[source] CheckpointError),
    /// The second note is none.
    #[error("is no checkpoint of the accused log")]
    Later(#[source] CheckpointError),
    /// The two notes are in the wrong order.
    #[error("has fewer entries than the earlier checkpoint; exchange the two")]
    Order,
    /// Both are of one tree.
    #[error("has the entries of the earlier checkpoint and its root, so both are of one history")]
    Same,
    /// A proof that nothing needs.
    #[error("is needed only where the later checkpoint has more entries; leave it out")]
    Unneeded,
    /// No proof that the trees differ.
    #[error("is missing, and without it the earlier checkpoint may be merely old")]
    Unproven,
    /// The log has grown, as it should.
    #[error("is the root of the earlier checkpoint, so the log has merely grown")]
    Grown,
    /// The proof does not hold.
    #[error("does not lead to the later checkpoint")]
    Proof(#[source] ProofError),
}

impl NoEvidence {
    /// The place (RFC 6901), within the predicate.
    #[must_use]
    pub const fn pointer(&self) -> &'static str {
        match self {
            Self::Accused(_) => "/accused",
            Self::Earlier(_) => "/earlier",
            Self::Later(_) | Self::Order | Self::Same => "/later",
            Self::Unneeded | Self::Unproven => "/prefix",
            Self::Grown => "/prefix/root",
            Self::Proof(_) => "/prefix/proof",
        }
    }
}

impl Evidence {
    /// Puts together what is held against a log: two checkpoints, the smaller first, and the hashes of the
    /// later one's tree. `None` when they prove nothing, or the hashes are not held.
    #[must_use]
    pub fn of(
        log: &VerifierKey,
        (earlier, later): (&SignedCheckpoint, &SignedCheckpoint),
        reader: &dyn HashReader,
    ) -> Option<Self> {
        let (from, to) = (earlier.checkpoint().size, later.checkpoint().size);
        let prefix = if from == to {
            None
        } else {
            Some(Prefix { root: tree::root(reader, from)?, proof: tree::consistency_proof(reader, from, to)? })
        };
        let (earlier, later) = (earlier.to_string(), later.to_string());
        let evidence = Self { accused: log.to_string(), earlier, later, prefix };
        evidence.verify().is_ok().then_some(evidence)
    }

    /// Judges the evidence by itself: whether the key has signed two histories. Whose key it is, the caller
    /// has to know.
    ///
    /// # Errors
    /// With the reason why it is none.
    pub fn verify(&self) -> Result<Equivocation, NoEvidence> {
        let log: VerifierKey = self.accused.parse().map_err(NoEvidence::Accused)?;
        let open = |note: &str| checkpoint::open(note.as_bytes(), &log).map(|signed| signed.checkpoint().clone());
        let earlier = open(&self.earlier).map_err(NoEvidence::Earlier)?;
        let later = open(&self.later).map_err(NoEvidence::Later)?;
        if earlier.size > later.size {
            return Err(NoEvidence::Order);
        }
        if earlier == later {
            return Err(NoEvidence::Same);
        }
        match &self.prefix {
            Some(_) if earlier.size == later.size => return Err(NoEvidence::Unneeded),
            None if earlier.size < later.size => return Err(NoEvidence::Unproven),
            Some(Prefix { root, .. }) if *root == earlier.root => return Err(NoEvidence::Grown),
            Some(Prefix { root, proof }) => {
                tree::verify_consistency(earlier.size, root, later.size, &later.root, proof)
                    .map_err(NoEvidence::Proof)?;
            }
            None => {}
        }
        Ok(Equivocation { log, earlier, later })
    }
}

impl Equivocation {
    /// The log, and the key that signed both.
    #[must_use]
    pub fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// The smaller checkpoint. The histories part within its entries.
    #[must_use]
    pub fn earlier(&self) -> &Checkpoint {
        &self.earlier
    }

    /// The other checkpoint.
    #[must_use]
    pub fn later(&self) -> &Checkpoint {
        &self.later
    }
}

impl Body for Evidence {
    const KIND: Kind = Kind::Evidence;

    fn validate(&self, _: &Header) -> Result<(), Invalid> {
        let invalid = |error: NoEvidence| {
            let cause = std::error::Error::source(&error);
            let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            Invalid::at(error.pointer(), format!("{error}{cause}"))
        };
        self.verify().map(drop).map_err(invalid)
    }

    fn subjects(&self, _: &Header) -> Vec<Subject> {
        let subject = |name, note: &str| Subject::new(name, Digest::of(note.as_bytes()));
        vec![subject("earlier", &self.earlier), subject("later", &self.later)]
    }
}
