//! Succession: whether a new log takes the place of an old one of the same nation. What both say tells that to
//! anyone; whether it takes up where the old one was left, only those can tell who mirrored it.
//!
//! Two new logs may follow one old log, for whoever has its roots can sign twice. Which of them is right, the
//! signatures do not say: each partner accepts one, no smaller than what it cosigned, and no second one.

use std::collections::BTreeSet;

use crate::admission::{Policy, State, Submission, decide};
use crate::digest::Digest;
use crate::envelope::Envelope;
use crate::limits::SUCCESSIONS_MAX;
use crate::log::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::name::Nation;
use crate::record::{Charter, LogSuccession, Record};
use crate::roster::Roster;

/// Why a log does not follow another, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct DoesNotFollow {
    /// Which rule is broken.
    pub rule: Rule,
    /// How.
    pub reason: String,
}

/// What is asked of a succession.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// The charters of the earlier logs hold, the oldest log first, and there are not too many.
    Former,
    /// Both logs are of one nation.
    Nation,
    /// The succession names the key, the first and the last charter of the earlier log.
    Predecessor,
    /// The roots of the new log's first charter are those of the earlier log's last one.
    Roots,
    /// The base is a checkpoint of the earlier log.
    Base,
    /// The base is no smaller than what was seen of the earlier log, unless that has two histories.
    BaseSmaller,
    /// The base is of the history that was seen.
    BaseForeign,
    /// The base is no larger than what is held or proven.
    BaseUnproven,
}

impl Rule {
    /// Its word, as vectors have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Former => "former",
            Self::Nation => "nation",
            Self::Predecessor => "predecessor",
            Self::Roots => "roots",
            Self::Base => "base",
            Self::BaseSmaller => "base-smaller",
            Self::BaseForeign => "base-foreign",
            Self::BaseUnproven => "base-unproven",
        }
    }
}

fn broken<T>(rule: Rule, reason: impl Into<String>) -> Result<T, DoesNotFollow> {
    Err(DoesNotFollow { rule, reason: reason.into() })
}

/// A log that another took the place of.
#[derive(Clone, PartialEq, Debug)]
pub struct FormerLog {
    /// Its first charter.
    pub first: Charter,
    /// Its keys by its charters alone: what was delegated and revoked, only the whole log has.
    pub roster: Roster,
    /// The record digests of its charters, in log order.
    pub charters: Vec<Digest>,
    /// What it took the place of itself.
    pub succession: Option<LogSuccession>,
}

/// Reads logs that came before, the oldest first: of each the envelopes of all its charters in log order, and
/// after the first one its log succession if it has one. Each must follow the one before it.
///
/// # Errors
/// When a record does not count where it stands, there are too many logs, or one does not follow.
pub fn read_former(envelopes: &[Envelope]) -> Result<Vec<FormerLog>, DoesNotFollow> {
    let mut logs: Vec<FormerLog> = Vec::new();
    let mut state = State::default();
    for envelope in envelopes {
        let wrong =
            |problem: String| DoesNotFollow { rule: Rule::Former, reason: format!("an earlier log: {problem}") };
        let submission = Submission::open(envelope.clone()).map_err(|refusal| wrong(refusal.to_string()))?;
        if matches!(&submission.record, Record::Charter(charter) if charter.version == 1) {
            state = State::default();
        }
        let policy = Policy::Mirror { origin: submission.header.log.clone() };
        let policy = match &state.roster {
            Some(roster) => Policy::Mirror { origin: roster.origin.clone() },
            None => policy,
        };
        let admitted = decide(submission, &state, &policy).map_err(|refusal| wrong(refusal.to_string()))?;
        let is_first = state.roster.is_none();
        state.apply(&admitted);
        let Some(roster) = state.roster.clone() else { return broken(Rule::Former, "an earlier log has no charter") };
        match (&admitted.submission().record, logs.last_mut()) {
            (Record::Charter(charter), _) if is_first => {
                if logs.len() >= SUCCESSIONS_MAX {
                    return broken(Rule::Former, format!("there are more than {SUCCESSIONS_MAX} earlier logs"));
                }
                let charters = vec![roster.charter_digest];
                logs.push(FormerLog { first: (**charter).clone(), roster, charters, succession: None });
            }
            (Record::Charter(_), Some(log)) => {
                log.charters.push(roster.charter_digest);
                log.roster = roster;
            }
            (Record::LogSuccession(succession), Some(log)) => log.succession = Some((**succession).clone()),
            (other, _) => {
                return broken(Rule::Former, format!("an earlier log is told by charters, not by a {}", other.kind()));
            }
        }
    }
    let mut older: Option<&FormerLog> = None;
    for log in &logs {
        match (older, &log.succession) {
            (Some(older), Some(succession)) => {
                follows(&log.roster.nation, &log.first, succession, &older.roster)?;
            }
            (Some(older), None) => {
                let (log, older) = (&log.roster.origin, &older.roster.origin);
                return broken(Rule::Former, format!("the log {log} does not say that it follows {older}"));
            }
            (None, _) => {}
        }
        older = Some(log);
    }
    Ok(logs)
}

/// Whether the log of `nation` that begins with the charter `first` and says `succession`, both admitted there,
/// follows the one whose charters made `old`. Answers the base.
///
/// # Errors
/// With the rule that is broken.
pub fn follows(
    nation: &Nation,
    first: &Charter,
    succession: &LogSuccession,
    old: &Roster,
) -> Result<SignedCheckpoint, DoesNotFollow> {
    if *nation != old.nation {
        return broken(Rule::Nation, format!("the new log is of {nation}, and the earlier one of {}", old.nation));
    }
    let opened = old.charter.note_keys(&old.nation, &old.origin);
    let log_key = opened.map_err(|invalid| DoesNotFollow { rule: Rule::Predecessor, reason: invalid.to_string() })?.log;
    let (key, base) =
        succession.open().map_err(|invalid| DoesNotFollow { rule: Rule::Base, reason: invalid.to_string() })?;
    let said = [
        ("key", key == log_key),
        ("fingerprint", succession.fingerprint == old.fingerprint),
        ("last charter", succession.charter == old.charter_digest),
    ];
    if let Some((what, _)) = said.iter().find(|(_, same)| !same) {
        let reason = format!("the succession names another {what} than the log {} has", old.origin);
        return broken(Rule::Predecessor, reason);
    }
    let roots = |charter: &Charter| charter.roots.iter().map(|root| root.keyid).collect::<BTreeSet<Digest>>();
    let algorithms = |charter: &Charter| charter.algorithms.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let same = [
        ("roots", roots(first) == roots(&old.charter)),
        ("threshold", first.threshold == old.charter.threshold),
        ("algorithms", algorithms(first) == algorithms(&old.charter)),
    ];
    if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
        let version = old.charter.version;
        let reason = format!(
            "the first charter of the new log has other {what} than version {version} of the charter of {}; \
             succeed first, and change them by the next charter",
            old.origin
        );
        return broken(Rule::Roots, reason);
    }
    Ok(base)
}

/// What somebody who mirrored the earlier log knows of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    /// The size of the largest checkpoint that they hold or have cosigned; 0 when nothing was ever mirrored.
    pub size: u64,
    /// The root of what they hold or were shown at the size of the base, or of a tree that was proven to have grown
    /// from what they hold.
    pub root: Option<Digest>,
    /// Whether the log is proven to have two histories.
    pub two_histories: bool,
}

/// Whether somebody who has `seen` the earlier log may accept a new one with this base. Answers how many of the
/// entries that they know are beyond it, and so are not the nation's word any more.
///
/// # Errors
/// With the rule that is broken, in words for whoever has to decide.
pub fn accepts(base: &Checkpoint, seen: &Seen) -> Result<u64, DoesNotFollow> {
    let Checkpoint { origin, size, root } = base;
    if seen.root.is_some_and(|held| held != *root) {
        let reason = format!(
            "the new log goes on from a history of {origin} that this node has not seen: at {size} entries it has \
             another root; do not accept it, and ask the nation's officers"
        );
        return broken(Rule::BaseForeign, reason);
    }
    if *size < seen.size && !seen.two_histories {
        let reason = format!(
            "the new log goes on from {size} entries of {origin}, and this node has cosigned {}: {} entries would be \
             given up; do not accept it, and ask the nation's officers for a larger base",
            seen.size,
            seen.size - size
        );
        return broken(Rule::BaseSmaller, reason);
    }
    if seen.root.is_none() && seen.size > 0 {
        let reason = format!(
            "the new log goes on from {size} entries of {origin}, and nothing proves that they continue the {} known \
             here; name the new node's address, which can prove it",
            seen.size
        );
        return broken(Rule::BaseUnproven, reason);
    }
    Ok(seen.size.saturating_sub(*size))
}
