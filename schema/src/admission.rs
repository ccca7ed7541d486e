//! Admission: the one decision whether a record counts.
//!
//! A pure function of the envelope, the state of its log at that position, and a policy. A nation's
//! own node asks it before it appends; a partner asks it for every entry that it mirrors, with the
//! state of that log, and gets the same answer. Only [`decide`] makes an [`Admitted`], and only an
//! [`Admitted`] can be appended.
//!
//! Validity in time is judged by the record's own `issuedAt`, in log order, so that every mirror
//! judges alike however late it joins; a nation's own node also holds `issuedAt` and the key's
//! validity against its clock, so nobody signs into the past with an expired key.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::envelope::{Envelope, EnvelopeError};
use crate::key::{Algorithm, PublicKey, Role};
use crate::limits::{CLOCK_SKEW_SECONDS, REVOCATIONS_MAX};
use crate::log::entry::Entry;
use crate::name::{Nation, Origin};
use crate::record::{Charter, Delegation, Header, Kind, Record, RecordError, Revocation};
use crate::roster::{Roster, Standing};
use crate::statement::Statement;
use crate::time::Timestamp;

/// A record that was read and is well formed, but not yet judged.
#[derive(Clone, PartialEq, Debug)]
pub struct Submission {
    /// The envelope, in its fixed form from here on.
    pub envelope: Envelope,
    /// The record's digest.
    pub digest: Digest,
    /// What every predicate begins with.
    pub header: Header,
    /// The body.
    pub record: Record,
}

impl Submission {
    /// Reads an envelope as it arrived.
    ///
    /// # Errors
    /// With the reason, when it is not a well-formed record of a known kind.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::open(Envelope::parse(bytes)?)
    }

    /// Reads the record of an entry from the body that lies beside it.
    ///
    /// # Errors
    /// With the reason, when the body is not the entry's, or not a well-formed record of a known kind.
    pub fn of_entry(entry: &Entry, body: &[u8]) -> Result<Self, Refusal> {
        let envelope = Envelope::from_fixed(body)?;
        if envelope.digest() != entry.envelope() {
            return Err(refuse(Code::Malformed, "the body is not the one that the entry names"));
        }
        let statement = Statement::parse(envelope.payload()).map_err(RecordError::from)?;
        if statement.kind != entry.kind() {
            let reason = format!("the entry says {} and the record is a {}", entry.kind(), statement.kind);
            return Err(refuse(Code::Malformed, reason));
        }
        Self::open(envelope)
    }

    /// Reads the record in an envelope.
    ///
    /// # Errors
    /// With the reason, when it is not a well-formed record of a known kind.
    pub fn open(envelope: Envelope) -> Result<Self, Refusal> {
        let statement = Statement::parse(envelope.payload()).map_err(RecordError::from)?;
        let (header, record) = Record::read(&statement)?;
        Ok(Self { digest: envelope.record_digest(), envelope, header, record })
    }
}

impl Roster {
    /// The key `keyid`, when it may sign `submission` at this position; the reason, when not.
    fn authority(&self, keyid: &Digest, position: u64, submission: &Submission) -> Result<PublicKey, Refusal> {
        let kind = submission.record.kind();
        let header = &submission.header;
        if let Standing::Void { key, from } = self.signature(keyid, position, &submission.digest) {
            let whose = if key == *keyid { "" } else { "its registrar's " };
            let reason = format!("the key {keyid} is not trusted: {whose}key {key} is revoked from entry {from} on");
            return Err(refuse(Code::KeyRevoked, reason));
        }
        if let Some((role, record)) = self.charter.keys().find(|(_, record)| record.keyid == *keyid) {
            let key = record
                .open(&self.nation, &self.origin, role)
                .map_err(|error| refuse(Code::KeyUnknown, error.to_string()))?;
            return if kind.signers().contains(&role) {
                Ok(key)
            } else {
                Err(refuse(Code::KeyNotAuthorised, format!("a {} key cannot sign a {kind}", role.as_str())))
            };
        }
        let delegation = self
            .delegation(keyid)
            .ok_or_else(|| refuse(Code::KeyUnknown, format!("the key {keyid} is not delegated by {}", self.nation)))?;
        let role = delegation.role;
        if !kind.signers().contains(&role) || !delegation.kinds.iter().any(|may| *may == kind) {
            return Err(refuse(
                Code::KeyNotAuthorised,
                format!("the {} key of {} may not sign a {kind}", role.as_str(), delegation.holder),
            ));
        }
        if let Some(scope) = submission.record.scope().filter(|scope| !delegation.covers(scope)) {
            return Err(refuse(
                Code::KeyNotAuthorised,
                format!("the key of {} may not speak of {scope}", delegation.holder),
            ));
        }
        if !(delegation.valid_from..=delegation.valid_until).contains(&header.issued_at) {
            return Err(refuse(
                Code::KeyExpired,
                format!(
                    "the key of {} is valid from {} until {}, and the record says it was issued at {}",
                    delegation.holder, delegation.valid_from, delegation.valid_until, header.issued_at
                ),
            ));
        }
        let key = delegation
            .key
            .open(&self.nation, &self.origin, role)
            .map_err(|error| refuse(Code::KeyUnknown, error.to_string()))?;
        Ok(key)
    }
}

/// A record that was admitted to a log, as later ones refer to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entered {
    /// Its kind.
    pub kind: Kind,
    /// Of what it speaks, for a publisher's record; see [`crate::record::Body::scope`].
    pub scope: Option<String>,
    /// Its position.
    pub index: u64,
    /// The key ids whose signatures count.
    pub signers: BTreeSet<Digest>,
}

/// What the decision needs to know of the log at the record's position.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct State {
    /// The keys; none before the first charter.
    pub roster: Option<Roster>,
    /// How many entries stand before it.
    pub position: u64,
    /// Of the records that the submission refers to, and of itself, those that were admitted to this log.
    pub records: BTreeMap<Digest, Entered>,
    /// Of the submission's model version, as [`version`] calls it, the cards in log order.
    pub cards: BTreeMap<String, Vec<Digest>>,
}

impl State {
    /// The state after a record was admitted: the whole log's, when this is done with each.
    pub fn apply(&mut self, admitted: &Admitted) {
        let Submission { digest, record, .. } = &admitted.submission;
        match &mut self.roster {
            Some(roster) => roster.apply(self.position, admitted),
            none => *none = Roster::found(admitted),
        }
        let (kind, scope, signers) = (record.kind(), record.scope(), admitted.signers.clone());
        self.records.insert(*digest, Entered { kind, scope, index: self.position, signers });
        if let Some(version) = version(record) {
            self.cards.entry(version).or_default().push(*digest);
        }
        self.position += 1;
    }

    /// The card that now stands for a version: the newest whose keys were trusted.
    #[must_use]
    pub fn current_card(&self, version: &str) -> Option<Digest> {
        let cards = self.cards.get(version).into_iter().flatten();
        cards.rev().find(|card| self.records.get(card).is_none_or(|entered| self.counts(card, entered))).copied()
    }

    /// Whether the keys that signed a record of this log were trusted where it stands, as is known by now.
    fn counts(&self, record: &Digest, Entered { kind, index, signers, .. }: &Entered) -> bool {
        let standing = self.roster.as_ref().map(|roster| roster.standing(*kind, *index, record, signers));
        !matches!(standing, Some(Standing::Void { .. }))
    }
}

/// The model version that a card speaks of: `<org>:<name>@<version>`.
#[must_use]
pub fn version(record: &Record) -> Option<String> {
    let Record::ModelCard(card) = record else { return None };
    Some(format!("{}:{}@{}", card.org, card.name, card.version))
}

/// Whose log it is, and what else is asked there.
#[derive(Clone, PartialEq, Debug)]
pub enum Policy {
    /// The node's own log: clocks and blobs count too.
    Own {
        /// The nation that the node serves.
        nation: Nation,
        /// Its log.
        origin: Origin,
        /// The node's clock.
        now: Timestamp,
        /// Of the blobs that the submission names, those that the node holds, with their sizes.
        blobs: BTreeMap<Digest, u64>,
    },
    /// A mirror of the log `origin`: the entries decide alone.
    Mirror {
        /// Whose log it is.
        origin: Origin,
    },
}

/// A record that may be appended to the log whose state was asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Admitted {
    submission: Submission,
    signers: BTreeSet<Digest>,
    standing: Standing,
    by_roots: bool,
}

impl Admitted {
    /// The record.
    #[must_use]
    pub const fn submission(&self) -> &Submission {
        &self.submission
    }

    /// The key ids whose signatures count, ascending.
    #[must_use]
    pub const fn signers(&self) -> &BTreeSet<Digest> {
        &self.signers
    }

    /// Whether roots signed it, and nobody else.
    #[must_use]
    pub const fn by_roots(&self) -> bool {
        self.by_roots
    }

    /// How far its keys are trusted as it is admitted; never [`Standing::Void`]. Later revocations may change it.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }
}

/// Why a record was not admitted, in one word for programs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "Code::meaning says what each means")]
pub enum Code {
    Malformed,
    TooLarge,
    KindUnknown,
    WrongLog,
    CharterMissing,
    CharterNotNext,
    KeyUnknown,
    KeyNotAuthorised,
    KeyExpired,
    KeyRevoked,
    PositionAhead,
    SignatureInvalid,
    ThresholdNotMet,
    AlgorithmMissing,
    CharterExpired,
    AlreadyEntered,
    IssuedInFuture,
    ReferenceUnknown,
    ReferenceForeign,
    ReferenceVoid,
    BlobMissing,
    VersionTaken,
    SupersedesUnknown,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 23] = [
        Self::Malformed,
        Self::TooLarge,
        Self::KindUnknown,
        Self::WrongLog,
        Self::CharterMissing,
        Self::CharterNotNext,
        Self::KeyUnknown,
        Self::KeyNotAuthorised,
        Self::KeyExpired,
        Self::KeyRevoked,
        Self::PositionAhead,
        Self::SignatureInvalid,
        Self::ThresholdNotMet,
        Self::AlgorithmMissing,
        Self::CharterExpired,
        Self::AlreadyEntered,
        Self::IssuedInFuture,
        Self::ReferenceUnknown,
        Self::ReferenceForeign,
        Self::ReferenceVoid,
        Self::BlobMissing,
        Self::VersionTaken,
        Self::SupersedesUnknown,
    ];

    /// The code's one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too-large",
            Self::KindUnknown => "kind-unknown",
            Self::WrongLog => "wrong-log",
            Self::CharterMissing => "charter-missing",
            Self::CharterNotNext => "charter-not-next",
            Self::KeyUnknown => "key-unknown",
            Self::KeyNotAuthorised => "key-not-authorised",
            Self::KeyExpired => "key-expired",
            Self::KeyRevoked => "key-revoked",
            Self::PositionAhead => "position-ahead",
            Self::SignatureInvalid => "signature-invalid",
            Self::ThresholdNotMet => "threshold-not-met",
            Self::AlgorithmMissing => "algorithm-missing",
            Self::CharterExpired => "charter-expired",
            Self::AlreadyEntered => "already-entered",
            Self::IssuedInFuture => "issued-in-future",
            Self::ReferenceUnknown => "reference-unknown",
            Self::ReferenceForeign => "reference-foreign",
            Self::ReferenceVoid => "reference-void",
            Self::BlobMissing => "blob-missing",
            Self::VersionTaken => "version-taken",
            Self::SupersedesUnknown => "supersedes-unknown",
        }
    }

    /// The code called `word`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}

/// Why a record was not admitted: data, with a reason that a person can read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{reason} ({})", code.as_str())]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people.
    pub reason: String,
}

fn refuse(code: Code, reason: impl Into<String>) -> Refusal {
    Refusal { code, reason: reason.into() }
}

impl From<EnvelopeError> for Refusal {
    fn from(error: EnvelopeError) -> Self {
        let code = if error == EnvelopeError::TooLarge { Code::TooLarge } else { Code::Malformed };
        refuse(code, error.to_string())
    }
}

impl From<RecordError> for Refusal {
    fn from(error: RecordError) -> Self {
        let code = if matches!(error, RecordError::UnknownKind(_)) { Code::KindUnknown } else { Code::Malformed };
        refuse(code, error.to_string())
    }
}

/// Decides whether `submission` counts in a log that stands as `state` says.
///
/// # Errors
/// With the reason, when it does not.
pub fn decide(submission: Submission, state: &State, policy: &Policy) -> Result<Admitted, Refusal> {
    for_this_log(&submission, state, policy)?;
    if state.records.contains_key(&submission.digest) {
        return Err(refuse(Code::AlreadyEntered, "it stands in this log already; entered again it changes nothing"));
    }
    let signers = match (&submission.record, &state.roster) {
        (Record::Charter(charter), Some(roster)) => {
            follows(charter, roster)?;
            let signers = chartered(&submission, charter, Some(&roster.charter))?;
            algorithms_signed(&roster.charter)?;
            signers
        }
        (Record::Charter(_), None) if state.position > 0 => {
            let reason = format!("a log begins with its nation's charter; this one stands at {}", state.position);
            return Err(refuse(Code::CharterMissing, reason));
        }
        (Record::Charter(charter), None) if charter.version != 1 => {
            return Err(refuse(Code::CharterMissing, "a log begins with version 1 of its nation's charter"));
        }
        (Record::Charter(charter), None) => chartered(&submission, charter, None)?,
        (_, None) => return Err(refuse(Code::CharterMissing, "a log begins with its nation's charter")),
        (_, Some(roster)) => authorised(&submission, roster, state.position, policy)?,
    };
    let kind = submission.record.kind();
    references_stand(&submission, state)?;
    if let Policy::Own { now, blobs, .. } = policy {
        submission.record.validate_new(&submission.header).map_err(|invalid| RecordError::of(kind, invalid))?;
        if submission.header.issued_at > now.plus_seconds(CLOCK_SKEW_SECONDS) {
            let reason = format!("the record says it was issued at {}, later than {now}", submission.header.issued_at);
            return Err(refuse(Code::IssuedInFuture, reason));
        }
        if let Record::Charter(charter) = &submission.record
            && *now > charter.expires
        {
            let reason = format!("the charter ends at {}, which is past; propose one that lasts", charter.expires);
            return Err(refuse(Code::CharterExpired, reason));
        }
        for blob in submission.record.blobs() {
            if blobs.get(&blob.sha256) != Some(&blob.size_bytes) {
                let reason = format!("upload the blob {} of {} bytes first", blob.sha256, blob.size_bytes);
                return Err(refuse(Code::BlobMissing, reason));
            }
        }
    }
    let standing = |roster: &Roster| roster.standing(kind, state.position, &submission.digest, &signers);
    let standing = state.roster.as_ref().map_or(Standing::Stands, standing);
    let by_roots = kind == Kind::Charter || state.roster.as_ref().is_some_and(|roster| roster.by_roots(&signers));
    Ok(Admitted { submission, signers, standing, by_roots })
}

/// The record names this nation and this log.
fn for_this_log(submission: &Submission, state: &State, policy: &Policy) -> Result<(), Refusal> {
    let header = &submission.header;
    let nation = state.roster.as_ref().map(|roster| &roster.nation);
    let (nation, origin) = match policy {
        Policy::Own { nation, origin, .. } => (Some(nation), origin),
        Policy::Mirror { origin } => (nation, origin),
    };
    if header.log != *origin || nation.is_some_and(|nation| header.nation != *nation) {
        let nation = nation.map_or_else(String::new, |nation| format!(" of {nation}"));
        let reason = format!("it is for the log {} of {}, not for {origin}{nation}", header.log, header.nation);
        return Err(refuse(Code::WrongLog, reason));
    }
    Ok(())
}

/// A charter follows the one in force and no other, whether or not that one has expired: a nation that
/// overslept must be able to go on. It leaves the log its key, and its nation's notes their names.
fn follows(charter: &Charter, roster: &Roster) -> Result<(), Refusal> {
    let (in_force, digest) = (&roster.charter, roster.charter_digest);
    if charter.version.checked_sub(1) != Some(in_force.version) || charter.previous != Some(digest) {
        let reason = format!(
            "version {} of the charter is in force, with the digest {digest}; the one to follow has the version after \
             it and names that digest in `previous`",
            in_force.version
        );
        return Err(refuse(Code::CharterNotNext, reason));
    }
    let kept = [
        ("key for its log", charter.log_key.keyid == in_force.log_key.keyid),
        ("name for its witness", charter.witness.name == in_force.witness.name),
        ("name for its mirror", charter.mirror.name == in_force.mirror.name),
    ];
    if let Some((what, _)) = kept.iter().find(|(_, same)| !same) {
        let reason = format!("the charter has another {what} than the one in force; that cannot change by charter");
        return Err(refuse(Code::WrongLog, reason));
    }
    // Whoever revokes is never below whom it revokes, nor was.
    for (role, key) in charter.keys() {
        let (keyid, role) = (key.keyid, role.as_str());
        if roster.revocations.contains_key(&keyid) {
            let reason = format!("the {role} key {keyid} of the charter is revoked; appoint another one");
            return Err(refuse(Code::KeyRevoked, reason));
        }
        if roster.delegations.contains_key(&keyid) {
            let reason =
                format!("the {role} key {keyid} of the charter was delegated in this log; appoint another one");
            return Err(refuse(Code::KeyNotAuthorised, reason));
        }
    }
    Ok(())
}

/// A charter is signed by its own roots, and by those of the charter before if there is one: of each as
/// many distinct ones as it asks for. A root of both counts for both; a signature of any other key, or
/// one that does not hold, refuses the charter.
fn chartered(
    submission: &Submission,
    charter: &Charter,
    before: Option<&Charter>,
) -> Result<BTreeSet<Digest>, Refusal> {
    let charters = || before.into_iter().chain([charter]);
    let mut signers = BTreeSet::new();
    for keyid in submission.envelope.key_ids() {
        let root = charters().flat_map(|charter| &charter.roots).find(|root| root.keyid == keyid);
        let root = root.ok_or_else(|| refuse(Code::KeyUnknown, format!("the key {keyid} is not a root")))?;
        let opened = root.open(&submission.header.nation, &submission.header.log, Role::Root);
        let key = opened.map_err(|error| refuse(Code::KeyUnknown, error.to_string()))?;
        signature_holds(submission, &keyid, &key)?;
        signers.insert(keyid);
    }
    let short: Vec<String> = charters()
        .filter(|charter| charter.signed_by(&signers) < charter.threshold)
        .map(|charter| {
            let (version, signed, threshold) = (charter.version, charter.signed_by(&signers), charter.threshold);
            format!("{signed} of {threshold} roots of version {version} signed")
        })
        .collect();
    if short.is_empty() { Ok(signers) } else { Err(refuse(Code::ThresholdNotMet, short.join(", and "))) }
}

fn signature_holds(submission: &Submission, keyid: &Digest, key: &PublicKey) -> Result<(), Refusal> {
    if submission.envelope.verified_by(key) {
        return Ok(());
    }
    Err(refuse(Code::SignatureInvalid, format!("the signature of the key {keyid} does not hold")))
}

/// Every key that this version opens is of Ed25519, so it has signed with nothing else.
fn algorithms_signed(charter: &Charter) -> Result<(), Refusal> {
    match charter.algorithms.iter().find(|needed| **needed != Algorithm::Ed25519) {
        None => Ok(()),
        Some(missing) => {
            Err(refuse(Code::AlgorithmMissing, format!("the charter requires a signature with {missing} too")))
        }
    }
}

/// Every signature holds and is by a key with authority for this record: none is decoration.
fn authorised(
    submission: &Submission,
    roster: &Roster,
    position: u64,
    policy: &Policy,
) -> Result<BTreeSet<Digest>, Refusal> {
    let (issued_at, end) = (submission.header.issued_at, roster.charter.expires);
    if issued_at > end {
        let reason = format!("the charter expired at {end}, and the record says it was issued at {issued_at}");
        return Err(refuse(Code::CharterExpired, reason));
    }
    if matches!(policy, Policy::Own { now, .. } if *now > end) {
        return Err(refuse(Code::CharterExpired, format!("the charter expired at {end}")));
    }
    let mut signers = BTreeSet::new();
    for keyid in submission.envelope.key_ids() {
        let key = roster.authority(&keyid, position, submission)?;
        signature_holds(submission, &keyid, &key)?;
        let expired = match (policy, roster.delegation(&keyid)) {
            (Policy::Own { now, .. }, Some(delegation)) => *now > delegation.valid_until,
            _ => false,
        };
        if expired {
            return Err(refuse(Code::KeyExpired, format!("the key {keyid} is no longer valid")));
        }
        signers.insert(keyid);
    }
    if signers.is_empty() {
        return Err(refuse(Code::ThresholdNotMet, "nobody signed it"));
    }
    match &submission.record {
        Record::Delegation(delegation) => may_delegate(delegation, submission, roster, position)?,
        Record::Revocation(revocation) => may_revoke(revocation, &signers, roster, position)?,
        _ => {}
    }
    algorithms_signed(&roster.charter)?;
    Ok(signers)
}

/// A key of the charter is not delegated too, and one that was revoked is not trusted again.
fn may_delegate(
    delegation: &Delegation,
    submission: &Submission,
    roster: &Roster,
    position: u64,
) -> Result<(), Refusal> {
    let keyid = &delegation.key.keyid;
    if let Some((role, _)) = roster.charter.keys().find(|(_, key)| key.keyid == *keyid) {
        let reason = format!("the key {keyid} is the {} key of the charter; delegate another one", role.as_str());
        return Err(refuse(Code::KeyNotAuthorised, reason));
    }
    match roster.own_standing(keyid, position, &submission.digest) {
        Standing::Void { .. } => {
            Err(refuse(Code::KeyRevoked, format!("the key {keyid} is revoked; delegate another one")))
        }
        _ => Ok(()),
    }
}

/// A registrar revokes what registrars delegated. Whatever else is revoked, and what is affirmed, is for as
/// many roots as the charter asks for; their own keys and the node's end with the next charter.
fn may_revoke(
    revocation: &Revocation,
    signers: &BTreeSet<Digest>,
    roster: &Roster,
    position: u64,
) -> Result<(), Refusal> {
    let keyid = &revocation.key;
    let role = |keyid: &Digest| roster.charter.keys().find(|(_, key)| key.keyid == *keyid).map(|(role, _)| role);
    let roots = signers.iter().filter(|signer| role(signer) == Some(Role::Root)).count();
    if roots > 0 && roots < signers.len() {
        return Err(refuse(Code::KeyNotAuthorised, "roots and registrars do not revoke together"));
    }
    if roots > 0 && (roots as u64) < roster.charter.threshold {
        return Err(refuse(Code::ThresholdNotMet, format!("{roots} of {} roots signed", roster.charter.threshold)));
    }
    if let Some(role) = role(keyid).filter(|role| *role != Role::Registrar) {
        let reason = format!("the {} key {keyid} is not revoked; the next charter leaves it out", role.as_str());
        return Err(refuse(Code::KeyNotAuthorised, reason));
    }
    if role(keyid).is_none() && !roster.delegations.contains_key(keyid) {
        let reason = format!("the key {keyid} is neither a registrar's nor delegated in this log");
        return Err(refuse(Code::KeyUnknown, reason));
    }
    let before = roster.revocations.get(keyid).into_iter().flatten();
    let before = before.filter(|it| it.by_roots == (roots > 0) && it.signed.body.affirms.is_empty()).count();
    if before >= REVOCATIONS_MAX && revocation.affirms.is_empty() {
        let reason =
            format!("the key {keyid} is revoked {before} times already; one more changes nothing for the better");
        return Err(refuse(Code::KeyRevoked, reason));
    }
    if roots == 0 && !roster.delegations.contains_key(keyid) {
        let reason = format!("no registrar delegated the key {keyid}; a registrar's key is revoked by the roots");
        return Err(refuse(Code::KeyNotAuthorised, reason));
    }
    if roots == 0 && !revocation.affirms.is_empty() {
        return Err(refuse(Code::KeyNotAuthorised, "only the roots affirm what a compromised key signed"));
    }
    match revocation.since.filter(|since| *since > position) {
        Some(since) => {
            let reason = format!("it revokes from entry {since} on, and itself stands before that, at {position}");
            Err(refuse(Code::PositionAhead, reason))
        }
        None => Ok(()),
    }
}

/// What the record refers to is in the log, and a version is described once at a time.
fn references_stand(submission: &Submission, state: &State) -> Result<(), Refusal> {
    for (kind, digest) in submission.record.references() {
        let entered = state.records.get(&digest).filter(|entered| entered.kind == kind);
        match entered {
            None => {
                let reason = format!("no {kind} {digest} is in this log; publish it first");
                return Err(refuse(Code::ReferenceUnknown, reason));
            }
            Some(entered) if !state.counts(&digest, entered) => {
                let reason = format!("the {kind} {digest} does not count, for its key was revoked; publish another");
                return Err(refuse(Code::ReferenceVoid, reason));
            }
            Some(_) => {}
        }
    }
    let Record::ModelCard(card) = &submission.record else { return Ok(()) };
    let scope = submission.record.scope();
    let foreign =
        card.weights.iter().find(|weights| state.records.get(weights).is_some_and(|entered| entered.scope != scope));
    if let Some(weights) = foreign {
        let reason = format!("the weights {weights} are not of {}", scope.unwrap_or_default());
        return Err(refuse(Code::ReferenceForeign, reason));
    }
    let current = version(&submission.record).and_then(|version| state.current_card(&version));
    match (current, card.supersedes) {
        (current, supersedes) if current == supersedes => Ok(()),
        (Some(current), None) => {
            let reason = format!("this version has the card {current}; name it in `supersedes`, or choose a version");
            Err(refuse(Code::VersionTaken, reason))
        }
        (_, Some(supersedes)) => {
            let reason = format!("{supersedes} is not the card that now stands for this version");
            Err(refuse(Code::SupersedesUnknown, reason))
        }
        (None, None) => Ok(()),
    }
}
