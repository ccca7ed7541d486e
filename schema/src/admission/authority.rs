//! Authority: who may sign what, at its place in the log.

use std::collections::BTreeSet;

use super::refusal::refuse;
use super::{Code, Policy, Refusal, Submission};
use crate::digest::Digest;
use crate::key::{Algorithm, PublicKey, Role};
use crate::limits::REVOCATIONS_MAX;
use crate::record::{Charter, Delegation, LogSuccession, Record, Revocation};
use crate::roster::{Roster, Standing};

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
        let ends = submission.record.ends();
        if let Some(ended) = ends.filter(|ended| !delegation.kinds.iter().any(|may| may == ended)) {
            return Err(refuse(
                Code::KeyNotAuthorised,
                format!("the key of {} may sign no {ended}, and so ends none", delegation.holder),
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

/// A charter follows the one in force and no other, whether or not that one has expired: a nation that
/// overslept must be able to go on. It leaves the log its key, and its nation's notes their names.
pub(super) fn follows(charter: &Charter, roster: &Roster) -> Result<(), Refusal> {
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
pub(super) fn chartered(
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
pub(super) fn algorithms_signed(charter: &Charter) -> Result<(), Refusal> {
    match charter.algorithms.iter().find(|needed| **needed != Algorithm::Ed25519) {
        None => Ok(()),
        Some(missing) => {
            Err(refuse(Code::AlgorithmMissing, format!("the charter requires a signature with {missing} too")))
        }
    }
}

/// Every signature holds and is by a key with authority for this record: none is decoration.
pub(super) fn authorised(
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
        Record::LogSuccession(succession) => may_succeed(succession, &signers, roster, position)?,
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

/// A log says what it succeeds before anything else, by as many roots as its charter asks for, who signed it for
/// this log and no other.
fn may_succeed(
    succession: &LogSuccession,
    signers: &BTreeSet<Digest>,
    roster: &Roster,
    position: u64,
) -> Result<(), Refusal> {
    let (signed, threshold) = (roster.charter.signed_by(signers), roster.charter.threshold);
    if signed < threshold {
        return Err(refuse(Code::ThresholdNotMet, format!("{signed} of {threshold} roots signed")));
    }
    if position != 1 {
        let reason = format!("a log says what it succeeds in its second entry, and this one has {position} already");
        return Err(refuse(Code::SuccessionMisplaced, reason));
    }
    if succession.successor != roster.fingerprint {
        let reason = format!(
            "it was signed for the log whose first charter is {}, and this one's is {}; propose it again, beside this \
             charter",
            succession.successor, roster.fingerprint
        );
        return Err(refuse(Code::SuccessionMisplaced, reason));
    }
    Ok(())
}
