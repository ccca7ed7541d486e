//! Checking a bundle with nothing but what the reader pins: step by step, in words.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Bundle, LoggedRecord};
use crate::admission::{Policy as AdmissionPolicy, State, Submission, decide, version};
use crate::digest::Digest;
use crate::log::checkpoint::SignedCheckpoint;
use crate::log::cosignature::{self, Cosignature};
use crate::log::entry::Entry;
use crate::log::note::VerifierKey;
use crate::log::policy::{Policy, Quorum};
use crate::log::proof::Proof;
use crate::name::{Nation, Origin};
use crate::record::{BlobRef, Charter, Kind, Record, Redaction, Texts};
use crate::roster::{Roster, Standing};
use crate::succession::{FormerLog, follows, read_former};
use crate::time::Timestamp;

/// What the reader pins, by whatever way they trust: a fingerprint compared by voice, or a policy
/// file that names logs, witnesses and how many of them must have cosigned.
#[derive(Clone, Debug)]
pub enum Trust {
    /// The record digest of a nation's first charter.
    Fingerprint(Digest),
    /// A C2SP tlog-policy.
    Policy(Box<Policy>),
}

/// How one step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not hold: do not rely on the record.
    Fails,
    /// It holds as far as it goes, which is less far than was asked: the detail says what is missing.
    Short,
    /// It could not be checked with what was given.
    NotChecked,
}

/// One step of the verification.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    /// What was checked, in a few words.
    pub what: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, for people.
    pub detail: String,
}

/// The whole verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every step that the reader's trust asks for holds.
    Verified,
    /// All holds, but the policy asks for more cosignatures, or the pin is that of an earlier log.
    UnderWitnessed,
    /// A key was compromised, nobody knows since when, and the roots have not affirmed the record.
    Contested,
    /// A key was not trusted any more where the record stands.
    Void,
    /// All holds, and the nation no longer stands by the record.
    Withdrawn,
    /// The body is erased wherever the nation's word counts; all else holds.
    Redacted,
    /// Something is not what it claims to be.
    Failed,
}

/// A nation that cosigned, and when by its own clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CosignerSeen {
    /// The name on the cosignature.
    pub name: String,
    /// When.
    pub at: Timestamp,
}

impl CosignerSeen {
    fn of(cosignature: &Cosignature) -> Option<Self> {
        let at = Timestamp::from_unix_seconds(i64::try_from(cosignature.timestamp()).ok()?).ok()?;
        Some(Self { name: cosignature.name().to_owned(), at })
    }
}

/// What ended the record: a withdrawal or a redaction that was admitted to the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EndSeen {
    /// Which of the two it is.
    pub kind: Kind,
    /// Its position in the log.
    pub index: u64,
    /// Its digest.
    pub record: Digest,
    /// When its signer says it was signed: a claim.
    pub issued_at: Timestamp,
    /// Why, in one word.
    pub reason: String,
    /// More about it, for people: a line in each language.
    pub statement: Option<Texts>,
}

impl EndSeen {
    fn of(index: u64, submission: &Submission) -> Option<Self> {
        let (reason, statement) = match &submission.record {
            Record::Withdrawal(it) => (it.reason.to_string(), &it.statement),
            Record::Redaction(it) => (it.reason.to_string(), &it.statement),
            _ => return None,
        };
        Some(Self {
            kind: submission.record.kind(),
            index,
            record: submission.digest,
            issued_at: submission.header.issued_at,
            reason,
            statement: statement.clone(),
        })
    }

    /// For people: how, where, and why, after *was*. Its statement is a stranger's text.
    #[must_use]
    pub fn told(&self) -> String {
        let how = if self.kind == Kind::Redaction { "redacted" } else { "withdrawn" };
        let said = self.statement.iter().flatten().map(|(language, text)| format!("; {language}: {text}"));
        let said: String = said.collect();
        format!("{how} by entry {}, which says it was signed on {}: {}{said}", self.index, self.issued_at, self.reason)
    }
}

/// What is known after verification.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// The steps, in order; the last one explains a failure.
    pub checks: Vec<Check>,
    /// The nation that the log speaks for, by its charter.
    pub nation: Option<Nation>,
    /// The log.
    pub log: Option<Origin>,
    /// The record digest of the nation's first charter.
    pub fingerprint: Option<Digest>,
    /// The version of the last charter in the bundle.
    #[serde(rename = "charterVersion")]
    pub charter_version: Option<u64>,
    /// The record that the bundle is about.
    pub record: Digest,
    /// Its kind.
    pub kind: Option<String>,
    /// Its position in the log.
    pub index: Option<u64>,
    /// The size of the log at the checkpoint.
    pub size: Option<u64>,
    /// The keys that signed it.
    pub signers: Vec<Digest>,
    /// What ended it, by the records of the bundle.
    pub end: Option<EndSeen>,
    /// Who the policy names and who has cosigned.
    pub cosigners: Vec<CosignerSeen>,
}

/// A step that failed: the rest is not reached.
struct Stopped;

/// Verifies `bundle` against what the reader trusts.
#[must_use]
pub fn verify(bundle: &Bundle, trust: &Trust) -> Report {
    let mut report = Report {
        verdict: Verdict::Failed,
        checks: Vec::new(),
        nation: None,
        log: None,
        fingerprint: None,
        charter_version: None,
        record: bundle.header.record,
        kind: None,
        index: None,
        size: None,
        signers: Vec::new(),
        end: None,
        cosigners: Vec::new(),
    };
    // Until all was reached, it is one of those that failed.
    if let Ok(verdict) = report.run(bundle, trust) {
        report.verdict = verdict;
    }
    report
}

impl Report {
    fn note(&mut self, what: &'static str, outcome: Outcome, detail: impl Into<String>) {
        self.checks.push(Check { what, outcome, detail: detail.into() });
    }

    fn require<T, E: ToString>(&mut self, what: &'static str, result: Result<T, E>) -> Result<T, Stopped> {
        result.map_err(|error| {
            self.note(what, Outcome::Fails, error.to_string());
            Stopped
        })
    }

    fn run(&mut self, bundle: &Bundle, trust: &Trust) -> Result<Verdict, Stopped> {
        let (origin, log_key, former) = self.founding(bundle, trust)?;
        let (checkpoint, indexes) = self.inclusion(bundle, &origin, &log_key)?;
        let (state, roster, ends) = self.authority(bundle, origin, &indexes)?;
        let walked = self.succession(bundle, &former, trust)?;
        let standing = self.revocations(&roster, &checkpoint);
        self.ends(&state, &ends, &checkpoint);
        let quorum = self.cosignatures(&checkpoint, trust)?;
        self.blobs(bundle)?;
        Ok(match (self.end.as_ref().map(|end| end.kind), standing, quorum) {
            (Some(Kind::Redaction), ..) => Verdict::Redacted,
            (_, Standing::Void { .. }, _) => Verdict::Void,
            (_, Standing::Contested { .. }, _) => Verdict::Contested,
            (Some(_), ..) => Verdict::Withdrawn,
            (None, Standing::Stands, enough) if walked || !enough => Verdict::UnderWitnessed,
            (None, Standing::Stands, _) => Verdict::Verified,
        })
    }

    /// The first record is the charter that the reader pins, by fingerprint or by log key; or that of an earlier
    /// log is, which a later step has to lead here from.
    fn founding(&mut self, bundle: &Bundle, trust: &Trust) -> Result<(Origin, VerifierKey, Vec<FormerLog>), Stopped> {
        const WHAT: &str = "nation";
        let first = self.require(WHAT, bundle.records.first().ok_or("the bundle has no record"))?;
        let submission = self.require(WHAT, Submission::open(first.envelope.clone()))?;
        let Record::Charter(charter) = &submission.record else {
            return self.require(WHAT, Err("the first record is not a charter"));
        };
        let header = &submission.header;
        let vkey = self.require(WHAT, charter.note_keys(&header.nation, &header.log))?.log;
        let former = self.require(WHAT, read_former(&bundle.former))?;
        let (pinned, detail) = match trust {
            Trust::Fingerprint(fingerprint) => (
                *fingerprint == submission.digest,
                format!("the charter of {} has the fingerprint {}", header.nation, submission.digest),
            ),
            Trust::Policy(policy) => (
                policy.logs().iter().any(|log| log.key == vkey),
                format!("the charter of {} has the log key {vkey}", header.nation),
            ),
        };
        let earlier = former.iter().find(|log| match trust {
            Trust::Fingerprint(fingerprint) => log.roster.fingerprint == *fingerprint,
            Trust::Policy(_) => false,
        });
        let detail = match earlier {
            Some(log) => {
                let (nation, origin, fingerprint) = (&log.roster.nation, &log.roster.origin, log.roster.fingerprint);
                format!("the earlier log {origin} of {nation} has the fingerprint {fingerprint}")
            }
            None => detail,
        };
        if !pinned && earlier.is_none() {
            let problem = match trust {
                Trust::Fingerprint(fingerprint) => format!("{detail}, not the pinned {fingerprint}"),
                Trust::Policy(_) => format!("{detail}, which the policy does not name"),
            };
            return self.require(WHAT, Err(problem));
        }
        // The file's header proves nothing, but programs show it: it may not name another nation.
        if bundle.header.nation != header.nation || bundle.header.log != header.log {
            return self.require(WHAT, Err("the bundle's header names another nation or log than its charter"));
        }
        self.note(WHAT, Outcome::Holds, format!("{detail}, as pinned"));
        self.nation = Some(header.nation.clone());
        self.log = Some(header.log.clone());
        self.fingerprint = Some(submission.digest);
        Ok((submission.header.log, vkey, former))
    }

    /// The log's key signed one checkpoint, and every record is an entry under it; the charter the first.
    fn inclusion(
        &mut self,
        bundle: &Bundle,
        origin: &Origin,
        log_key: &VerifierKey,
    ) -> Result<(SignedCheckpoint, Vec<u64>), Stopped> {
        const WHAT: &str = "log";
        let mut checkpoint: Option<SignedCheckpoint> = None;
        let (mut next_index, mut indexes) = (0, Vec::with_capacity(bundle.records.len()));
        for record in &bundle.records {
            let (index, signed) = self.require(WHAT, proven(record, log_key))?;
            if checkpoint.as_ref().is_some_and(|first| first.note() != signed.note()) {
                return self.require(WHAT, Err("the proofs stand under different checkpoints"));
            }
            if index < next_index || (checkpoint.is_none() && index != 0) {
                return self
                    .require(WHAT, Err("the records do not stand in the order of the log, from its charter on"));
            }
            next_index = index + 1;
            indexes.push(index);
            if record.envelope.record_digest() == self.record {
                self.index = Some(index);
            }
            checkpoint = Some(signed);
        }
        let checkpoint = self.require(WHAT, checkpoint.ok_or("the bundle has no record"))?;
        let size = checkpoint.checkpoint().size;
        self.size = Some(size);
        let position = self.index.map_or_else(String::new, |index| format!("entry {index} of "));
        self.note(
            WHAT,
            Outcome::Holds,
            format!("{position}the log {origin} at size {size}, under a checkpoint that the log's key signed"),
        );
        Ok((checkpoint, indexes))
    }

    /// Every record was signed by keys that the nation let speak, judged in the order of the log; so a
    /// reader who last saw an early charter walks every step from it to the last one. A record whose body is
    /// erased is known by its redaction, which is judged in its turn.
    fn authority(&mut self, bundle: &Bundle, origin: Origin, indexes: &[u64]) -> Result<Walked, Stopped> {
        const WHAT: &str = "signatures";
        let policy = AdmissionPolicy::Mirror { origin };
        let opened = bundle.records.iter().map(|record| Submission::open(record.envelope.clone()));
        let opened = self.require(WHAT, opened.collect::<Result<Vec<_>, _>>())?;
        let mut erased = erased(&opened, indexes);
        let (mut state, mut steps, mut ends) = (State::default(), Vec::new(), BTreeMap::new());
        for (submission, index) in opened.into_iter().zip(indexes) {
            while let Some(entry) = erased.first_entry().filter(|entry| entry.key() < index) {
                state.remember(&entry.remove());
            }
            state.position = *index;
            if let (Some(version), Record::ModelCard(card)) = (version(&submission.record), &submission.record) {
                // Whether this card stands for its version, only the whole log can tell.
                state.cards.insert(version, card.supersedes.into_iter().collect());
            }
            let admitted = self.require(WHAT, decide(submission, &state, &policy))?;
            let submission = admitted.submission();
            if let Record::Charter(charter) = &submission.record {
                steps.push(step(charter, state.roster.as_ref(), admitted.signers()));
                self.charter_version = Some(charter.version);
            }
            ends.extend(EndSeen::of(*index, submission).map(|end| (end.record, end)));
            state.apply(&admitted);
        }
        let roster = self.require(WHAT, state.roster.clone().ok_or("the first record is not a charter"))?;
        let about = state.records.get(&self.record);
        let about = self.require(WHAT, about.ok_or("the record that the bundle is about is not in it"))?;
        self.kind = Some(about.kind.as_str().to_owned());
        self.index = Some(about.index);
        self.signers = about.signers.iter().copied().collect();
        let holders: Vec<String> = self
            .signers
            .iter()
            .map(|keyid| match roster.delegation(keyid) {
                Some(delegation) => format!("{} (key {})", delegation.holder, short(keyid)),
                None if roster.charter.keys().any(|(_, key)| key.keyid == *keyid) => {
                    format!("a key of the charter ({})", short(keyid))
                }
                None => format!("the key {}", short(keyid)),
            })
            .collect();
        let seen = bundle.records.iter().any(|record| record.envelope.record_digest() == self.record);
        let signed = if seen { "signed by" } else { "erased, and by its redaction once signed by" };
        self.note(WHAT, Outcome::Holds, format!("{signed} {}; {}", holders.join(" and "), steps.join(", ")));
        Ok((state, roster, ends))
    }

    /// That the log took the place of an earlier one, as the earlier one's roots signed. Which of several that
    /// do is right, it does not say: whoever held enough roots of any version of the charter can found one. Answers
    /// whether the reader's pin is that of an earlier log, from which it was walked here.
    fn succession(&mut self, bundle: &Bundle, former: &[FormerLog], trust: &Trust) -> Result<bool, Stopped> {
        const WHAT: &str = "succession";
        let mut opened = bundle.records.iter().filter_map(|record| Submission::open(record.envelope.clone()).ok());
        let first = opened.next();
        let said = opened.find_map(|submission| match submission.record {
            Record::LogSuccession(succession) => Some(succession),
            _ => None,
        });
        let (Some(Submission { header, record: Record::Charter(first), .. }), Some(said)) = (first, said) else {
            return match former {
                [] => Ok(false),
                _ => self.require(WHAT, Err("the bundle tells of an earlier log, and this one does not follow it")),
            };
        };
        let Some(old) = former.last() else {
            let detail = "the log says that it follows an earlier one, of which the bundle does not tell";
            self.note(WHAT, Outcome::NotChecked, detail);
            return Ok(false);
        };
        let base = self.require(WHAT, follows(&header.nation, &first, &said, &old.roster))?;
        let logs = former.iter().map(|log| log.roster.origin.to_string()).collect::<Vec<_>>().join(", then of ");
        let size = base.checkpoint().size;
        let detail = format!("{} took the place of {logs}, from entry {size} on ({})", header.log, said.reason);
        let detail = format!("{detail}; the roots of both signed it");
        let walked = matches!(trust, Trust::Fingerprint(pinned) if self.fingerprint != Some(*pinned));
        if walked {
            let hint = "compare the new log's fingerprint by voice, or ask which log the nation's partners recognise";
            let why = "and signatures do not tell a right successor from a false one";
            self.note(WHAT, Outcome::Short, format!("{detail}, {why}; {hint}"));
        } else {
            self.note(WHAT, Outcome::Holds, detail);
        }
        Ok(walked)
    }

    /// Whether the keys were still trusted where the record stands, by the revocations in the bundle.
    fn revocations(&mut self, roster: &Roster, checkpoint: &SignedCheckpoint) -> Standing {
        const WHAT: &str = "revocations";
        let (size, held) = (checkpoint.checkpoint().size, roster.revocations.values().flatten().count());
        let index = self.index.unwrap_or(0);
        let kind = self.kind.as_deref().and_then(Kind::from_word).unwrap_or(Kind::Charter);
        let standing = roster.standing(kind, index, &self.record, &self.signers);
        match standing {
            Standing::Stands => {
                let detail = match held {
                    0 => format!("the bundle, written when the log had {size} entries, holds none that concerns it"),
                    held => format!("none of the {held} in the bundle takes the record's ground away"),
                };
                self.note(WHAT, Outcome::Holds, detail);
            }
            Standing::Contested { key } => {
                let detail = format!("the key {} was compromised, nobody knows since when", short(&key));
                self.note(WHAT, Outcome::Short, format!("{detail}, and the roots have not affirmed the record"));
            }
            Standing::Void { key, from } => {
                let detail = format!("the key {} is not trusted from entry {from} on", short(&key));
                self.note(WHAT, Outcome::Fails, format!("{detail}, and the record is entry {index}"));
            }
        }
        standing
    }

    /// Whether the nation still stands by the record, and by those that it rests on, by the withdrawals and
    /// redactions in the bundle. Only what may end is asked.
    fn ends(&mut self, state: &State, ends: &BTreeMap<Digest, EndSeen>, checkpoint: &SignedCheckpoint) {
        const WHAT: &str = "ends";
        let may_end = self.kind.as_deref().and_then(Kind::from_word).is_some_and(Kind::may_end);
        if !may_end {
            return;
        }
        let end_of = |record: &Digest| state.end(record).and_then(|end| ends.get(&end.record));
        if let Some(end) = end_of(&self.record).cloned() {
            self.note(WHAT, Outcome::Short, end.told());
            self.end = Some(end);
            return;
        }
        let others = state.records.iter().filter_map(|(digest, it)| Some((digest, it.kind, end_of(digest)?)));
        let others = others.map(|(digest, kind, end)| format!("the {kind} {} was {}", short(digest), end.told()));
        let others: Vec<String> = others.collect();
        if others.is_empty() {
            let size = checkpoint.checkpoint().size;
            let detail =
                format!("the bundle, written when the log had {size} entries, holds no withdrawal and no redaction");
            self.note(WHAT, Outcome::Holds, detail);
        } else {
            self.note(WHAT, Outcome::Short, format!("it stands, but of what it rests on {}", others.join("; ")));
        }
    }

    /// Who has cosigned the checkpoint, of those whom the policy names. One that is forged condemns all.
    /// Answers whether as many have as the trust asks for.
    fn cosignatures(&mut self, checkpoint: &SignedCheckpoint, trust: &Trust) -> Result<bool, Stopped> {
        const WHAT: &str = "cosignatures";
        let Trust::Policy(policy) = trust else {
            self.note(WHAT, Outcome::NotChecked, "a fingerprint names no witnesses; give a policy file to check them");
            return Ok(true);
        };
        let keys = policy.witnesses().iter().map(|witness| &witness.key);
        let seen = self.require(WHAT, cosignature::verify_all(checkpoint, keys.clone()))?;
        let quorum = policy.evaluate(checkpoint.checkpoint(), &seen);
        self.cosigners = seen.iter().filter_map(CosignerSeen::of).collect();
        let seen_at = |seen: &CosignerSeen| format!("{} on {}", seen.name, seen.at);
        let names: Vec<String> = self.cosigners.iter().map(seen_at).collect();
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        let detail = format!("cosigned by {} of {} whom the policy names{names}", seen.len(), keys.len());
        let enough = matches!(quorum, Quorum::Satisfied);
        match quorum {
            Quorum::Satisfied => {
                let since = policy.since(&seen).map_or_else(String::new, |since| format!(" since {since}"));
                self.note(WHAT, Outcome::Holds, format!("{detail}; its quorum is met{since}: final"));
            }
            Quorum::Missing(names) => {
                let missing = names.join(", ");
                self.note(WHAT, Outcome::Short, format!("{detail}; it also asks for {missing}: signed, and not final"));
            }
        }
        Ok(enough)
    }

    /// Which blobs travel with the bundle: only those that its records name, as long as they say. Each
    /// was read by its digest, so none can be another.
    fn blobs(&mut self, bundle: &Bundle) -> Result<(), Stopped> {
        const WHAT: &str = "blobs";
        let named = bundle.records.iter().filter_map(|record| Submission::open(record.envelope.clone()).ok());
        let named: Vec<BlobRef> = named.flat_map(|submission| submission.record.blobs()).collect();
        if let Some(stray) = bundle.blobs.keys().find(|held| named.iter().all(|blob| blob.sha256 != **held)) {
            return self.require(WHAT, Err(format!("no record of the bundle names the blob {stray}")));
        }
        let held = |blob: &BlobRef| bundle.blobs.get(&blob.sha256).map(|bytes| bytes.len() as u64);
        if let Some(blob) = named.iter().find(|blob| held(blob).is_some_and(|bytes| bytes != blob.size_bytes)) {
            let problem = format!("the blob {} is not of {} bytes, as its record says", blob.sha256, blob.size_bytes);
            return self.require(WHAT, Err(problem));
        }
        let missing = named.iter().filter(|blob| held(blob).is_none()).count();
        if missing > 0 {
            let detail = format!("{missing} of {} blobs that the records name are not in the bundle", named.len());
            self.note(WHAT, Outcome::NotChecked, detail);
        }
        Ok(())
    }
}

/// What a walk through the records leaves: the state of the log as far as they tell it, its roster, and by its
/// digest each withdrawal and redaction.
type Walked = (State, Roster, BTreeMap<Digest, EndSeen>);

/// By their positions, the redactions whose records are not among `records`, for their bodies are gone. Where a
/// record stands none was erased, and of two that are said to have stood in one place the later one is not.
fn erased(records: &[Submission], indexes: &[u64]) -> BTreeMap<u64, Redaction> {
    let held: BTreeSet<Digest> = records.iter().map(|submission| submission.digest).collect();
    let mut erased = BTreeMap::new();
    for submission in records {
        let Record::Redaction(redaction) = &submission.record else { continue };
        if !held.contains(&redaction.redacts) && indexes.binary_search(&redaction.index).is_err() {
            erased.entry(redaction.index).or_insert_with(|| (**redaction).clone());
        }
    }
    erased
}

/// Proves one record under the checkpoint of its own proof; answers its index.
fn proven(record: &LoggedRecord, vkey: &VerifierKey) -> Result<(u64, SignedCheckpoint), String> {
    let submission = Submission::open(record.envelope.clone()).map_err(|refusal| refusal.to_string())?;
    let entry =
        Entry::new(submission.record.kind().as_str(), record.envelope.digest()).map_err(|error| error.to_string())?;
    let proof = Proof::parse(record.proof.as_bytes()).map_err(|error| error.to_string())?;
    proof.verify(&entry.to_bytes(), vkey).map_err(|error| error.to_string())
}

/// Who signed a version of the charter, of its own roots and of those of the version before.
fn step(charter: &Charter, before: Option<&Roster>, signers: &BTreeSet<Digest>) -> String {
    let signed = |charter: &Charter| format!("{} of {} roots", charter.signed_by(signers), charter.roots.len());
    let own = signed(charter);
    match before.map(|roster| &roster.charter) {
        None => format!("version 1 of the charter by {own}"),
        Some(before) => format!(
            "version {} by {} of version {} and {own} of its own",
            charter.version,
            signed(before),
            before.version
        ),
    }
}

fn short(keyid: &Digest) -> String {
    keyid.to_string().chars().take(16).collect()
}
