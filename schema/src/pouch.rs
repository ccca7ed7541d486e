//! The header of a diplomatic pouch: who sealed it, for whom, what the sender holds, and the digests of
//! its volumes.
//!
//! A pouch is one file or several, its **volumes**. Each is the header frame, the same in all of them, then
//! content frames, then an end frame. The header is a DSSE envelope around an in-toto statement whose
//! subjects are the volumes in their order: the SHA-256 of all bytes after the header frame. So one
//! signature binds every byte, and none of the volumes can be exchanged. It is no record: it is never
//! entered in a log.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::bundle::FORMAT;
use crate::digest::Digest;
use crate::envelope::{Envelope, EnvelopeError};
use crate::frame::Frame;
use crate::json;
use crate::key::{Role, SignError, Signer};
use crate::limits::{HEADS_MAX, POUCH_VOLUMES_MAX};
use crate::name::{Nation, Origin};
use crate::record::Header;
use crate::roster::{Roster, Standing};
use crate::statement::{Statement, StatementError, Subject, VERSION};

/// The word in the predicate type. It names no kind of record.
pub const KIND: &str = "pouch";

/// How much of a log the sender holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Holding {
    /// The log.
    pub log: Origin,
    /// Its entries.
    pub size: u64,
}

/// What the header says beside what every predicate begins with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Body {
    format: String,
    purpose: String,
    holds: Vec<Holding>,
}

/// A header: sealed, or read and not yet verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seal {
    envelope: Envelope,
    /// Whose pouch it is, since when, and for whom.
    pub header: Header,
    /// What the sender held of each log when it was sealed, its own first.
    pub holds: Vec<Holding>,
    /// The digest of each volume's bytes after the header frame, in order.
    pub volumes: Vec<Digest>,
}

/// Why bytes are not the header of a pouch, or whose it is cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not an envelope.
    #[error("its header is not that of a pouch: {0}")]
    Envelope(#[from] EnvelopeError),
    /// Not a statement.
    #[error("its header is not that of a pouch: {0}")]
    Statement(#[from] StatementError),
    /// The statement is of another kind, or a member is missing or malformed.
    #[error("its header is not that of a pouch: {0}")]
    Member(&'static str),
    /// Nobody knows the key.
    #[error(
        "it is sealed by the key {0}, which is no node's of {1}; ask for its introduction anew, should the node have a new key"
    )]
    UnknownKey(Digest, Nation),
    /// The key was not in force.
    #[error("it is sealed by the key {0} at a time for which {1} has not delegated it")]
    NotInForce(Digest, Nation),
    /// The key was revoked.
    #[error("it is sealed by the key {0}, which {1} has revoked; ask for a pouch that its new key seals")]
    Revoked(Digest, Nation),
    /// The signature is another's.
    #[error("the signature on its header does not hold")]
    Signature,
}

impl Seal {
    /// Seals volumes with these digests.
    ///
    /// # Errors
    /// When the key's device does not sign.
    ///
    /// # Panics
    /// When there are more volumes or holdings than a pouch has: who makes one keeps to the bounds.
    pub fn sign(
        header: Header,
        holds: Vec<Holding>,
        volumes: Vec<Digest>,
        node: &dyn Signer,
    ) -> Result<Self, SignError> {
        assert!((1..=POUCH_VOLUMES_MAX).contains(&volumes.len()) && holds.len() <= HEADS_MAX, "a pouch is bounded");
        let body = Body { format: FORMAT.to_owned(), purpose: KIND.to_owned(), holds: holds.clone() };
        let mut predicate = object(&header);
        predicate.extend(object(&body));
        let subject = volumes.iter().zip(1..).map(|(digest, number)| Subject::new(volume(number), *digest)).collect();
        let predicate = Value::Object(predicate);
        let statement = Statement { subject, kind: KIND.to_owned(), version: VERSION, predicate };
        let envelope = Envelope::sign(statement.to_payload(), &[node])?;
        Ok(Self { envelope, header, holds, volumes })
    }

    /// Reads the payload of a header frame. Who signed it, [`Seal::verify`] tells.
    ///
    /// # Errors
    /// When it is not the header of a pouch for one nation.
    pub fn read(bytes: &[u8]) -> Result<Self, SealError> {
        let envelope = Envelope::from_fixed(bytes)?;
        if envelope.key_ids().count() != 1 {
            return Err(SealError::Member("it has more than one signature"));
        }
        let Statement { subject, kind, version, predicate } = Statement::parse(envelope.payload())?;
        if (kind.as_str(), version) != (KIND, VERSION) {
            return Err(SealError::Member("the statement is of another kind"));
        }
        let header = Header::deserialize(&predicate).map_err(|_| SealError::Member("nonce, nation, log or time"))?;
        let body = Body::deserialize(&predicate).map_err(|_| SealError::Member("format, purpose or holds"))?;
        let known = json!(object(&header).into_iter().chain(object(&body)).collect::<Map<_, _>>());
        if json::differs(&predicate, &known).is_some()
            || (body.format.as_str(), body.purpose.as_str()) != (FORMAT, KIND)
        {
            return Err(SealError::Member("format or purpose"));
        }
        if header.audience.as_ref().is_none_or(|audience| audience.len() != 1) {
            return Err(SealError::Member("it is not addressed to one nation"));
        }
        let logs: BTreeSet<&Origin> = body.holds.iter().map(|holding| &holding.log).collect();
        if body.holds.len() > HEADS_MAX || logs.len() != body.holds.len() {
            return Err(SealError::Member("it holds too many logs, or one twice"));
        }
        let named = subject.iter().zip(1..).all(|(subject, number)| subject.name == volume(number));
        let volumes: Vec<Digest> = subject.iter().map(|subject| subject.digest.sha256).collect();
        if !named || volumes.iter().collect::<BTreeSet<_>>().len() != volumes.len() {
            return Err(SealError::Member("its subjects are not volumes"));
        }
        Ok(Self { envelope, header, holds: body.holds, volumes })
    }

    /// The nation to which the pouch is addressed.
    #[must_use]
    pub fn addressee(&self) -> Option<&Nation> {
        self.header.audience.iter().flatten().next()
    }

    /// The pouch's name: SHA-256 of the statement.
    #[must_use]
    pub fn id(&self) -> Digest {
        self.envelope.record_digest()
    }

    /// The frame with which every volume begins.
    #[must_use]
    pub fn to_frame(&self) -> Frame {
        Frame::Header(self.envelope.to_bytes())
    }

    /// Checks that a node of the sender sealed it, by what is known of the sender's keys: at least one of
    /// `rosters` must delegate the key for the time of sealing, and none have revoked it.
    ///
    /// # Errors
    /// When that is not so.
    pub fn verify(&self, rosters: &[Roster]) -> Result<(), SealError> {
        let Header { nation, log, issued_at, .. } = &self.header;
        let keyid = self.envelope.key_ids().next().ok_or(SealError::Signature)?;
        let of_sender = || rosters.iter().filter(|roster| (&roster.nation, &roster.origin) == (nation, log));
        let delegations = of_sender().filter_map(|roster| roster.delegation(&keyid));
        let delegations: Vec<_> = delegations.filter(|delegation| delegation.role == Role::Node).collect();
        let Some(first) = delegations.first() else { return Err(SealError::UnknownKey(keyid, nation.clone())) };
        if !delegations.iter().any(|it| (it.valid_from..=it.valid_until).contains(issued_at)) {
            return Err(SealError::NotInForce(keyid, nation.clone()));
        }
        // What stands in no log counts as later than any revocation.
        let stands = |roster: &Roster| roster.signature(&keyid, u64::MAX, &self.id()) == Standing::Stands;
        if !of_sender().all(stands) {
            return Err(SealError::Revoked(keyid, nation.clone()));
        }
        let key = first.key.open(nation, log, Role::Node).map_err(|_| SealError::Signature)?;
        if self.envelope.verified_by(&key) { Ok(()) } else { Err(SealError::Signature) }
    }
}

/// What the volume with this number, from 1 on, is called.
fn volume(number: u32) -> String {
    format!("volume-{number}")
}

fn object(value: &impl Serialize) -> Map<String, Value> {
    match json!(value) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
