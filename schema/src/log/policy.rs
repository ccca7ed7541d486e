//! Policies: which logs are known, and how many partners must have seen a checkpoint.
//!
//! Follows C2SP tlog-policy <https://c2sp.org/tlog-policy>. One item per line:
//!
//! ```text
//! log <vkey> [<url>]
//! witness <name> <vkey> [<url>]
//! group <name> all|any|<k> <member>...
//! quorum <name>|none
//! ```
//!
//! In scope: reading a policy, and asking it whether a checkpoint has its quorum.
//! Out of scope: which policy a nation adopts; opening checkpoints (see [`super::checkpoint::open`]).
//!
//! One deviation: the text must be UTF-8. C2SP allows any octets and recommends UTF-8.

use std::collections::{BTreeMap, BTreeSet};

use crate::log::checkpoint::{Checkpoint, SignedCheckpoint, decimal};
use crate::log::cosignature::{self, Cosignature};
use crate::log::note::{KeyType, NoteError, VerifierKey};
use crate::time::Timestamp;

/// Logs, witnesses and groups of one policy, each: every nation twice over.
pub const ITEMS_MAX: usize = 512;

/// A policy, in bytes.
pub const POLICY_BYTES_MAX: usize = 1 << 20;

/// What one party asks of a checkpoint before it believes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Member,
}

/// A known log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Its key; the key's name is the origin.
    pub key: VerifierKey,
    /// Where to find it.
    pub url: Option<String>,
}

/// A known cosigner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What this policy calls it.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// Where to find it.
    pub url: Option<String>,
}

/// Whether a checkpoint has been seen by enough partners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quorum {
    /// Enough have cosigned.
    Satisfied,
    /// Not enough; cosignatures of these witnesses (as the policy calls them) would count.
    Missing(Vec<String>),
}

/// Why a text is not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {reason}")]
pub struct PolicyError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: PolicyFault,
}

/// What is wrong with a line of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// The text as a whole.
    #[error("not lines of UTF-8 without control characters, each ended, of at most {POLICY_BYTES_MAX} bytes")]
    Text,
    /// A word that no line begins with, or a wrong number of words.
    #[error(
        "not one of: log <vkey> [<url>], witness <name> <vkey> [<url>], group <name> all|any|<k> <member>..., quorum <name>|none"
    )]
    Line,
    /// More than [`ITEMS_MAX`] of a kind.
    #[error("more than {ITEMS_MAX} logs, witnesses or groups")]
    TooMany,
    /// A key that cannot be read, or is for something else.
    #[error("not a verifier key of the right type: 1 for a log, 4 for a witness")]
    Key,
    /// The same public key, or the same name and key id, twice.
    #[error("the key stands in the policy already")]
    SameKey,
    /// `none`, or a name defined before.
    #[error("the name {0} is taken")]
    SameName(String),
    /// A name not defined on an earlier line.
    #[error("the name {0} is not defined on an earlier line")]
    UnknownName(String),
    /// A member counted twice.
    #[error("{0} is a member of a group already")]
    SecondMembership(String),
    /// A threshold that is zero, more than the members, or not a number.
    #[error("the threshold is not all, any, or a number from 1 to the number of members")]
    Threshold,
    /// No quorum, or two.
    #[error("a policy has exactly one quorum")]
    Quorum,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    threshold: usize,
    members: Vec<Member>,
}

/// A place in the list of witnesses or of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Witness(usize),
    Group(usize),
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// At the first line that is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        let whole = PolicyError { line: 1, reason: PolicyFault::Text };
        let text = str::from_utf8(text).ok().filter(|text| text.len() <= POLICY_BYTES_MAX).ok_or(whole.clone())?;
        let lines = text.strip_suffix('\n').ok_or(whole)?;
        let mut reader = Reader::default();
        let mut count = 0;
        for line in lines.split('\n') {
            count += 1;
            reader.line(line).map_err(|reason| PolicyError { line: count, reason })?;
        }
        let quorum = reader.quorum.ok_or(PolicyError { line: count, reason: PolicyFault::Quorum })?;
        Ok(Self { logs: reader.logs, witnesses: reader.witnesses, groups: reader.groups, quorum })
    }

    /// The known logs.
    #[must_use]
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The known witnesses.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether enough witnesses have seen exactly this checkpoint. Cosignatures of other checkpoints
    /// and of other keys do not count, nor does a second one of the same key.
    #[must_use]
    pub fn evaluate(&self, checkpoint: &Checkpoint, cosignatures: &[Cosignature]) -> Quorum {
        let seen = cosignatures.iter().filter(|seen| seen.checkpoint() == checkpoint);
        let keys: BTreeSet<&[u8; 32]> = seen.map(|seen| seen.key().public().as_bytes()).collect();
        let cosigned = |witness: &Witness| keys.contains(witness.key.public().as_bytes());

        let mut satisfied: BTreeSet<Member> = (0..)
            .zip(&self.witnesses)
            .filter(|(_, witness)| cosigned(witness))
            .map(|(i, _)| Member::Witness(i))
            .collect();
        for (i, group) in (0..).zip(&self.groups) {
            // Members stand on earlier lines, so they are decided by now.
            if group.members.iter().filter(|member| satisfied.contains(member)).count() >= group.threshold {
                satisfied.insert(Member::Group(i));
            }
        }
        if satisfied.contains(&self.quorum) {
            return Quorum::Satisfied;
        }
        let mut open = vec![self.quorum];
        let mut missing = Vec::new();
        while let Some(member) = open.pop() {
            match member {
                Member::Witness(i) => missing.extend(self.witnesses.get(i).map(|witness| witness.name.clone())),
                Member::Group(i) => {
                    let members = self.groups.get(i).into_iter().flat_map(|group| &group.members);
                    open.extend(members.rev().filter(|member| !satisfied.contains(member)));
                }
            }
        }
        Quorum::Missing(missing)
    }

    /// Since when these cosignatures of one checkpoint satisfy the policy, by the clock of the one that made
    /// it enough; none where they do not, or nobody is asked for.
    #[must_use]
    pub fn since(&self, cosignatures: &[Cosignature]) -> Option<Timestamp> {
        let mut by_time = cosignatures.to_vec();
        by_time.sort_by_key(Cosignature::timestamp);
        let first = by_time.first()?.checkpoint();
        let enough =
            |count: &usize| by_time.get(..*count).is_some_and(|some| self.evaluate(first, some) == Quorum::Satisfied);
        let last = (0..=by_time.len()).find(enough)?.checked_sub(1)?;
        let seconds = i64::try_from(by_time.get(last)?.timestamp()).ok()?;
        Timestamp::from_unix_seconds(seconds).ok()
    }

    /// Verifies the cosignatures that a checkpoint carries, and evaluates them.
    ///
    /// # Errors
    /// When one that claims to be of a known witness does not hold.
    pub fn judge(&self, checkpoint: &SignedCheckpoint) -> Result<Quorum, NoteError> {
        let keys = self.witnesses.iter().map(|witness| &witness.key);
        let cosignatures = cosignature::verify_all(checkpoint, keys)?;
        Ok(self.evaluate(checkpoint.checkpoint(), &cosignatures))
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Member>,
    names: BTreeMap<String, Member>,
    used: BTreeSet<Member>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), PolicyFault> {
        if line.bytes().any(|byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f) {
            return Err(PolicyFault::Text);
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words[..] {
            [] => Ok(()),
            [comment, ..] if comment.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, threshold, ref members @ ..] if !members.is_empty() => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            _ => Err(PolicyFault::Line),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>) -> Result<(), PolicyFault> {
        let key = read_key(key, KeyType::Ed25519, self.logs.iter().map(|log| &log.key))?;
        self.logs.push(Log { key, url: url.map(str::to_owned) });
        within_bounds(self.logs.len())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), PolicyFault> {
        let key = read_key(key, KeyType::Cosignature, self.witnesses.iter().map(|witness| &witness.key))?;
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness { name: name.to_owned(), key, url: url.map(str::to_owned) });
        within_bounds(self.witnesses.len())
    }

    fn group(&mut self, name: &str, threshold: &str, names: &[&str]) -> Result<(), PolicyFault> {
        let mut members = Vec::with_capacity(names.len());
        for member_name in names {
            let member = self.find(member_name)?;
            if !self.used.insert(member) {
                return Err(PolicyFault::SecondMembership((*member_name).to_owned()));
            }
            members.push(member);
        }
        let threshold = match threshold {
            "any" => Some(1),
            "all" => Some(members.len()),
            k => decimal(k).and_then(|k| usize::try_from(k).ok()),
        };
        let threshold = threshold.filter(|k| (1..=members.len()).contains(k)).ok_or(PolicyFault::Threshold)?;
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { threshold, members });
        // The group of nobody, which `quorum none` made, is not one of the policy's.
        within_bounds(self.groups.iter().filter(|group| group.threshold > 0).count())
    }

    fn quorum(&mut self, name: &str) -> Result<(), PolicyFault> {
        let quorum = if name == "none" { self.nobody() } else { self.find(name)? };
        match self.quorum.replace(quorum) {
            None => Ok(()),
            Some(_) => Err(PolicyFault::Quorum),
        }
    }

    /// `none` is a group that asks for nobody.
    fn nobody(&mut self) -> Member {
        self.groups.push(Group { threshold: 0, members: Vec::new() });
        Member::Group(self.groups.len() - 1)
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), PolicyFault> {
        let taken = name == "none" || self.names.insert(name.to_owned(), member).is_some();
        if taken { Err(PolicyFault::SameName(name.to_owned())) } else { Ok(()) }
    }

    fn find(&self, name: &str) -> Result<Member, PolicyFault> {
        self.names.get(name).copied().ok_or_else(|| PolicyFault::UnknownName(name.to_owned()))
    }
}

fn read_key<'a>(
    text: &str,
    key_type: KeyType,
    mut known: impl Iterator<Item = &'a VerifierKey>,
) -> Result<VerifierKey, PolicyFault> {
    let key: VerifierKey = text.parse().map_err(|_| PolicyFault::Key)?;
    let same = |other: &VerifierKey| {
        other.public() == key.public() || (other.name() == key.name() && other.key_id() == key.key_id())
    };
    if key.key_type() != key_type {
        Err(PolicyFault::Key)
    } else if known.any(same) {
        Err(PolicyFault::SameKey)
    } else {
        Ok(key)
    }
}

fn within_bounds(count: usize) -> Result<(), PolicyFault> {
    if count > ITEMS_MAX { Err(PolicyFault::TooMany) } else { Ok(()) }
}
