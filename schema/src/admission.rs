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

mod authority;
mod refusal;

use std::collections::{BTreeMap, BTreeSet};

use self::authority::{algorithms_signed, authorised, chartered, follows};
use self::refusal::refuse;
pub use self::refusal::{Code, Refusal};
use crate::digest::Digest;
use crate::envelope::Envelope;
use crate::limits::CLOCK_SKEW_SECONDS;
use crate::log::entry::Entry;
use crate::name::{Nation, Origin};
use crate::record::{Header, Kind, ModelCard, Record, RecordError, Redaction};
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
    /// What withdrew it, or redacted it, in log order.
    pub ends: Vec<End>,
}

/// A withdrawal or a redaction that was admitted, as the record that it ends knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// Which of the two it is.
    pub kind: Kind,
    /// Its position.
    pub index: u64,
    /// Its digest.
    pub record: Digest,
    /// The key ids whose signatures on it count.
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
        let (kind, index, signers) = (record.kind(), self.position, admitted.signers.clone());
        if let Record::Withdrawal(_) | Record::Redaction(_) = record {
            for (_, ended) in record.references() {
                if let Some(entered) = self.records.get_mut(&ended) {
                    entered.ends.push(End { kind, index, record: *digest, signers: signers.clone() });
                }
            }
        }
        self.records.insert(*digest, Entered { kind, scope: record.scope(), index, signers, ends: Vec::new() });
        if let Some(version) = version(record) {
            self.cards.entry(version).or_default().push(*digest);
        }
        self.position += 1;
    }

    /// The state after a record whose body is erased and was not seen: what its redaction, later in the log, says
    /// of it as far as others rest on it. Whether the redaction counts is to be asked when its turn comes.
    pub fn remember(&mut self, redaction: &Redaction) {
        let Redaction { kind, redacts: record, scope, index, signers, .. } = redaction;
        let signers = signers.iter().copied().collect();
        let entered = Entered { kind: *kind, scope: Some(scope.clone()), index: *index, signers, ends: Vec::new() };
        self.records.insert(*record, entered);
        if let Some(version) = redacted_version(redaction) {
            self.cards.entry(version).or_default().push(*record);
        }
        self.position = *index + 1;
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

    /// What ended a record, as is known by now.
    #[must_use]
    pub fn end(&self, record: &Digest) -> Option<&End> {
        self.roster.as_ref()?.end(&self.records.get(record)?.ends)
    }
}

/// The model version that a card speaks of: `<org>:<name>@<version>`.
#[must_use]
pub fn version(record: &Record) -> Option<String> {
    let Record::ModelCard(card) = record else { return None };
    Some(format!("{}:{}@{}", card.org, card.name, card.version))
}

/// The model version that a redacted card spoke of.
#[must_use]
pub fn redacted_version(redaction: &Redaction) -> Option<String> {
    redaction.version.as_ref().map(|version| format!("{}@{version}", redaction.scope))
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

/// What the record refers to is in the log, and a version is described once at a time.
fn references_stand(submission: &Submission, state: &State) -> Result<(), Refusal> {
    let ends = matches!(submission.record, Record::Withdrawal(_) | Record::Redaction(_));
    for (kind, digest) in submission.record.references() {
        let Some(entered) = state.records.get(&digest).filter(|entered| entered.kind == kind) else {
            let reason = format!("no {kind} {digest} is in this log; publish it first");
            return Err(refuse(Code::ReferenceUnknown, reason));
        };
        if ends {
            may_end(submission, (&digest, entered), state)?;
        } else if !state.counts(&digest, entered) {
            let reason = format!("the {kind} {digest} does not count, for its key was revoked; publish another");
            return Err(refuse(Code::ReferenceVoid, reason));
        } else if let Some(End { kind: how, .. }) = state.end(&digest) {
            let reason = format!("the {kind} {digest} has ended by a {how}; publish another");
            return Err(refuse(Code::ReferenceEnded, reason));
        }
    }
    if let Record::ModelCard(card) = &submission.record { describes(card, submission, state) } else { Ok(()) }
}

/// What ends a record speaks of it truly, and has not ended it before.
fn may_end(submission: &Submission, (digest, entered): (&Digest, &Entered), state: &State) -> Result<(), Refusal> {
    if submission.record.scope() != entered.scope {
        let scope = entered.scope.as_deref().unwrap_or_default();
        return Err(refuse(Code::ReferenceForeign, format!("the record {digest} speaks of {scope}")));
    }
    let already = |how: &str| refuse(Code::ReferenceEnded, format!("the record {digest} is {how} already"));
    let Record::Redaction(redaction) = &submission.record else {
        return match state.end(digest).map(|end| end.kind) {
            Some(Kind::Redaction) => Err(already("redacted")),
            Some(_) => Err(already("withdrawn")),
            None => Ok(()),
        };
    };
    if entered.ends.iter().any(|end| end.kind == Kind::Redaction) {
        return Err(already("redacted"));
    }
    let version = redacted_version(redaction);
    let version = version.is_none_or(|it| state.cards.get(&it).is_some_and(|cards| cards.contains(digest)));
    if redaction.index != entered.index || !entered.signers.iter().eq(&redaction.signers) || !version {
        let reason = format!("the record {digest} stands at another place, or has another version or other signers");
        return Err(refuse(Code::ReferenceForeign, reason));
    }
    Ok(())
}

/// A card describes its own model's weights, and a version that has no other card, or none but the one that
/// it supersedes.
fn describes(card: &ModelCard, submission: &Submission, state: &State) -> Result<(), Refusal> {
    let scope = submission.record.scope();
    let foreign =
        card.weights.iter().find(|weights| state.records.get(weights).is_some_and(|entered| entered.scope != scope));
    if let Some(weights) = foreign {
        let reason = format!("the weights {weights} are not of {}", scope.unwrap_or_default());
        return Err(refuse(Code::ReferenceForeign, reason));
    }
    let current = version(&submission.record).and_then(|version| state.current_card(&version));
    if let Some(End { kind, .. }) = current.and_then(|current| state.end(&current)) {
        let reason = format!("this version has ended by a {kind}, and is nobody's again; choose another version");
        return Err(refuse(Code::VersionEnded, reason));
    }
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
