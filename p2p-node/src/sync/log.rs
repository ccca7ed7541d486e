//! One mirrored log: what is held of it, who shows more, and what is being done about it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chancery_registry::SyncProgress;
use chancery_schema::digest::Digest;
use chancery_schema::limits::STALE_SECONDS;
use chancery_schema::log::checkpoint::{Checkpoint, SignedCheckpoint};
use chancery_schema::log::note::{Note, Signature};
use chancery_schema::name::Origin;
use chancery_schema::time::Timestamp;

use super::rounds::Rounds;
use super::{Action, Mirror, PeerKey};

/// The longest wait after failures, in seconds. Nobody is given up.
const BACKOFF_SECONDS_MAX: i64 = 15 * 60;

/// How long a partner may take to prove a head, in seconds: longer than any answer may take.
const PROVING_SECONDS: i64 = 30;

/// How long this node's own disk may take, in seconds: longer than another process may hold it.
const KEEPING_SECONDS: i64 = 120;

/// How long a pull may bring nothing, in seconds, while nobody else has more.
const ALONE_SECONDS: i64 = 120;

/// The same while somebody else has more.
const RIVALLED_SECONDS: i64 = 30;

/// The same while somebody has more who failed less often.
const OUTDONE_SECONDS: i64 = 3;

/// The longest patience, in seconds: it doubles with each failure, so that the largest record comes
/// over the slowest link.
const PATIENCE_SECONDS_MAX: i64 = 960;

/// How long a pull goes on before it may be somebody else's turn, in seconds. How fast each was decides.
const TURN_SECONDS: i64 = 60;

/// Pulls shorter than this tell nothing of how fast a partner is, in seconds.
const MEASURED_SECONDS: i64 = 10;

/// Partners that are remembered for one log though they are gone.
const SOURCES_MAX: usize = 1024;

/// Larger heads of which cosignatures are remembered: logs sign a few while one is pulled.
const COSIGNED_MAX: usize = 4;

/// Smaller heads that were compared and are not compared again.
const COMPARED_MAX: usize = 64;

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Log {
    pub mirror: Mirror,
    pub attempt: Option<Attempt>,
    pub sources: BTreeMap<PeerKey, Source>,
    /// Failures of this node itself, one after another, and until when it waits.
    failures: u32,
    not_before: Timestamp,
    pub missing: Rounds<Option<(u64, Digest)>>,
    pub ground: Rounds<u64>,
    /// When to cosign, if that is due.
    pub cosign: Option<Timestamp>,
    pub last_heard: Option<Timestamp>,
    compared: BTreeMap<u64, Digest>,
    /// Larger heads with the cosignatures that were shown on them, until the mirror is there.
    cosigned: BTreeMap<u64, Note>,
}

/// What a partner is worth as a source of this log.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Source {
    /// The largest checkpoint that it shows, beyond what is held.
    pub shown: Option<SignedCheckpoint>,
    /// Failures one after another, and until when it is left alone.
    failures: u32,
    not_before: Timestamp,
    /// Entries in a thousand seconds, where that was measured.
    pace: Option<u64>,
}

/// An attempt to come to a larger head with a partner.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Attempt {
    pub step: Step,
    pub peer: PeerKey,
    pub target: SignedCheckpoint,
    /// The size when it began.
    start: u64,
    began: Timestamp,
    /// When it last came further.
    pub moved: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The partner is asked for a proof.
    Proving,
    /// The checkpoint is made durable.
    Keeping,
    /// Entries come.
    Pulling,
    /// The pull was told to stop and has not ended.
    Stopping,
}

/// What a log says by a checkpoint that a partner shows.
pub(super) enum Shown {
    /// Nothing that was not known.
    Known,
    /// That it is larger than the mirror.
    Larger,
    /// That it was smaller once; whether the mirror grew from there is to be compared.
    Smaller,
    /// That it has two histories: known are this one, and its signed note if a partner showed it.
    Contradicts(Checkpoint, Option<String>),
}

impl Log {
    /// A log that is new here. It may have reached its head just before the last process ended, so it
    /// is cosigned.
    pub fn new(mirror: Mirror, now: Timestamp) -> Self {
        let begun = (mirror.size > 0).then_some(now);
        Self {
            attempt: None,
            sources: BTreeMap::new(),
            failures: 0,
            not_before: now,
            missing: Rounds::new(begun),
            ground: Rounds::new(begun),
            cosign: begun,
            last_heard: None,
            compared: BTreeMap::new(),
            cosigned: BTreeMap::new(),
            mirror,
        }
    }

    /// What the archive says. It may have been asked before what happened since was reported, so a
    /// mirror never becomes smaller by it.
    pub fn refresh(&mut self, mirror: Mirror, now: Timestamp, actions: &mut Vec<Action>) {
        if mirror.scopes != self.mirror.scopes && self.mirror.size > 0 {
            self.cosign = Some(now);
        }
        let known = std::mem::replace(&mut self.mirror, mirror);
        let pending = |mirror: &Mirror| mirror.pending.as_ref().map_or(0, |pending| pending.size);
        let older = self.mirror.size < known.size
            || (self.mirror.size == known.size && pending(&self.mirror) < pending(&known));
        if self.attempt.is_some() || older {
            (self.mirror.size, self.mirror.root, self.mirror.pending) = (known.size, known.root, known.pending);
        }
        self.outgrow();
        if let Some(reason) = known.frozen.or(self.mirror.frozen.take()) {
            self.freeze(reason, actions);
        }
    }

    /// The newest checkpoint that is known to continue what is held: the pending one, or the mirror.
    pub fn trusted(&self) -> (u64, Digest) {
        match &self.mirror.pending {
            Some(pending) => (pending.size, pending.root),
            None => (self.mirror.size, self.mirror.root),
        }
    }

    /// What a checkpoint says, believing nothing yet.
    pub fn compare(&self, shown: &Checkpoint) -> Shown {
        let Checkpoint { size, root, .. } = shown;
        let origin = &self.mirror.origin;
        let at = |size: u64, root: Digest| Checkpoint { origin: origin.clone(), size, root };
        let held = (*size == self.mirror.size && *size > 0).then(|| (at(*size, self.mirror.root), None));
        let pending = self.mirror.pending.as_ref().filter(|pending| pending.size == *size);
        let pending = pending.map(|pending| (pending.clone(), None));
        let others = self.sources.values().filter_map(|source| source.shown.as_ref());
        let other = others.into_iter().find(|other| other.checkpoint().size == *size);
        let other = other.map(|other| (other.checkpoint().clone(), Some(other.to_string())));
        match held.or(pending).or(other) {
            Some((known, note)) if known.root != *root => Shown::Contradicts(known, note),
            _ if *size > self.mirror.size => Shown::Larger,
            _ if *size == self.mirror.size || *size == 0 || self.compared.get(size) == Some(root) => Shown::Known,
            _ => Shown::Smaller,
        }
    }

    /// A partner shows a checkpoint beyond what is held, with cosignatures that nobody showed before.
    pub fn show(&mut self, peer: PeerKey, signed: SignedCheckpoint, lines: &[String]) {
        self.forget_sources();
        let size = signed.checkpoint().size;
        if !self.cosigned.contains_key(&size) && self.cosigned.len() >= COSIGNED_MAX {
            self.cosigned.pop_first();
        }
        let note = self.cosigned.entry(size).or_insert_with(|| signed.note().clone());
        for line in lines.iter().filter_map(|line| Signature::parse(line).ok()) {
            // A note that is full has enough.
            let _ = note.add(line);
        }
        let source = self.sources.entry(peer).or_default();
        if source.shown.as_ref().is_none_or(|before| before.checkpoint().size <= signed.checkpoint().size) {
            source.shown = Some(signed);
        }
    }

    /// What is held has this root at that size.
    pub fn compared(&mut self, size: u64, root: Digest) {
        if self.compared.len() >= COMPARED_MAX {
            self.compared.pop_first();
        }
        self.compared.insert(size, root);
    }

    /// Begins what can be begun: with the partner that failed least and is fastest, as far as that is
    /// known, towards the largest head that it shows.
    ///
    /// Only partners that are `free` are asked. Answers whom.
    pub fn advance(
        &mut self,
        free: impl Fn(&PeerKey) -> bool,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) -> Option<PeerKey> {
        if self.attempt.is_some() || self.mirror.frozen.is_some() || self.not_before > now {
            return None;
        }
        let (peer, target) = self.best(free, now)?;
        let (origin, (old, _)) = (self.mirror.origin.clone(), self.trusted());
        let step = if self.mirror.pending.as_ref() == Some(target.checkpoint()) {
            actions.push(self.pull(peer, &target));
            Step::Pulling
        } else if old == 0 {
            actions.push(Action::KeepPending(origin, target.to_string()));
            Step::Keeping
        } else {
            actions.push(Action::AskProof(peer, origin, old, target.checkpoint().size));
            Step::Proving
        };
        self.attempt = Some(Attempt { step, peer, target, start: self.mirror.size, began: now, moved: now });
        Some(peer)
    }

    pub fn pull(&self, peer: PeerKey, target: &SignedCheckpoint) -> Action {
        let (start, size) = (self.mirror.size, target.checkpoint().size);
        Action::Pull { peer, origin: self.mirror.origin.clone(), start, size }
    }

    /// The attempt goes on with the next step.
    pub fn step(&mut self, step: Step, now: Timestamp) {
        if let Some(attempt) = &mut self.attempt {
            (attempt.step, attempt.moved) = (step, now);
        }
    }

    /// Ends what has taken too long, and gives others their turn.
    pub fn tick(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(Attempt { step, peer, began, moved, .. }) = self.attempt.clone() else { return };
        let origin = self.mirror.origin.clone();
        let late = |patience_seconds: i64| moved.plus_seconds(patience_seconds) <= now;
        match step {
            Step::Proving if late(PROVING_SECONDS) => {
                self.strike(peer, now);
                actions.push(Action::Setback(peer, format!("it was asked to prove a head of {origin} and is silent")));
            }
            Step::Keeping if late(KEEPING_SECONDS) => self.fail(now),
            Step::Stopping if late(KEEPING_SECONDS) => self.attempt = None,
            Step::Pulling if late(self.patience_seconds(&peer, now)) => {
                self.strike(peer, now);
                actions.push(Action::Setback(peer, format!("the pull of {origin} brought nothing for too long")));
                self.stop(actions);
            }
            Step::Pulling if moved > began && began.plus_seconds(TURN_SECONDS) <= now => {
                self.measure(now);
                if self.best(|_| true, now).is_some_and(|(best, _)| best != peer) {
                    self.stop(actions);
                }
            }
            _ => {}
        }
    }

    /// Tells the pull to stop; what it has written stays.
    pub fn stop(&mut self, actions: &mut Vec<Action>) {
        if let Some(attempt) = self.attempt.as_mut().filter(|attempt| attempt.step == Step::Pulling) {
            attempt.step = Step::Stopping;
            actions.push(Action::StopPull(self.mirror.origin.clone()));
        }
    }

    /// The pull has ended; answers at what size it began.
    pub fn pulled(&mut self, now: Timestamp) -> Option<u64> {
        self.measure(now);
        let attempt = self.attempt.take()?;
        let source = self.sources.entry(attempt.peer).or_default();
        if self.mirror.size >= attempt.target.checkpoint().size {
            source.failures = 0;
            if attempt.began.plus_seconds(MEASURED_SECONDS) > now {
                source.pace = None;
            }
        }
        Some(attempt.start)
    }

    /// A proven package is durable. Cosignatures that were shown before can now be kept.
    pub fn extended(&mut self, size: u64, root: Digest, now: Timestamp, actions: &mut Vec<Action>) {
        if size <= self.mirror.size {
            return;
        }
        (self.mirror.size, self.mirror.root) = (size, root);
        self.failures = 0;
        if let Some(attempt) = &mut self.attempt {
            attempt.moved = now;
        }
        if self.mirror.pending.take_if(|pending| pending.size <= size).is_some() {
            self.missing.again(now);
            self.cosign = Some(now);
            let later = self.cosigned.split_off(&(size + 1));
            for note in std::mem::replace(&mut self.cosigned, later).into_values() {
                actions.push(Action::Compare(self.mirror.origin.clone(), note.to_string()));
            }
        }
        self.outgrow();
    }

    /// This node failed: back to idle, to try again later, then later and later.
    pub fn fail(&mut self, now: Timestamp) {
        self.attempt = None;
        self.not_before = now.plus_seconds(backoff_seconds(self.failures));
        self.failures = self.failures.saturating_add(1);
    }

    /// A partner failed: it is left alone for a while, and others take its place. A pull goes on until
    /// it is stopped.
    pub fn strike(&mut self, peer: PeerKey, now: Timestamp) {
        let source = self.sources.entry(peer).or_default();
        source.not_before = now.plus_seconds(backoff_seconds(source.failures));
        source.failures = source.failures.saturating_add(1);
        let pulling = |attempt: &Attempt| matches!(attempt.step, Step::Pulling | Step::Stopping);
        self.attempt.take_if(|attempt| attempt.peer == peer && !pulling(attempt));
    }

    /// A partner's node is gone. Its failures are remembered.
    pub fn gone(&mut self, peer: &PeerKey, now: Timestamp, actions: &mut Vec<Action>) {
        if let Some(source) = self.sources.get_mut(peer) {
            source.shown = None;
        }
        self.missing.gone(peer);
        self.ground.gone(peer);
        if self.attempt.as_ref().is_some_and(|attempt| attempt.peer == *peer && attempt.step != Step::Keeping) {
            self.strike(*peer, now);
            self.stop(actions);
        }
    }

    /// Nothing more is taken of a log with two histories.
    pub fn freeze(&mut self, reason: String, actions: &mut Vec<Action>) {
        self.mirror.frozen = Some(reason);
        self.cosign = None;
        self.stop(actions);
        self.attempt.take_if(|attempt| attempt.step != Step::Stopping);
    }

    pub fn progress(&self, now: Timestamp) -> SyncProgress {
        if let Some(reason) = &self.mirror.frozen {
            return SyncProgress::Frozen { reason: reason.clone() };
        }
        let held = self.mirror.size;
        let shown = self.sources.values().filter_map(|source| Some(source.shown.as_ref()?.checkpoint().size));
        let shown = shown.chain(self.mirror.pending.as_ref().map(|pending| pending.size)).max().unwrap_or(held);
        if shown > held {
            return SyncProgress::CatchingUp { held, shown };
        }
        match self.last_heard {
            Some(heard) if heard.plus_seconds(STALE_SECONDS) > now => SyncProgress::Synchronised,
            since => SyncProgress::Stale { since },
        }
    }

    /// Who should be pulled from, and towards what. A liar may show the largest head for ever, so who
    /// failed less comes first.
    fn best(&self, usable: impl Fn(&PeerKey) -> bool, now: Timestamp) -> Option<(PeerKey, SignedCheckpoint)> {
        let (trusted, _) = self.trusted();
        let shown = self.sources.iter().filter(|(peer, source)| source.not_before <= now && usable(peer));
        let shown = shown.filter_map(|(peer, source)| Some((peer, source, source.shown.as_ref()?)));
        let useful = shown.filter(|(_, _, shown)| {
            let size = shown.checkpoint().size;
            size > self.mirror.size && size >= trusted
        });
        let best = useful.min_by_key(|(_, source, shown)| {
            (source.failures, Reverse(source.pace.unwrap_or(u64::MAX)), Reverse(shown.checkpoint().size))
        });
        best.map(|(peer, _, shown)| (*peer, shown.clone()))
    }

    /// How long a pull may bring nothing.
    fn patience_seconds(&self, peer: &PeerKey, now: Timestamp) -> i64 {
        let failures = |peer: &PeerKey| self.sources.get(peer).map_or(0, |source| source.failures);
        let seconds = match self.best(|other| other != peer, now) {
            Some((other, _)) if failures(&other) < failures(peer) => return OUTDONE_SECONDS,
            Some(_) => RIVALLED_SECONDS,
            None => ALONE_SECONDS,
        };
        (seconds << failures(peer).min(5)).min(PATIENCE_SECONDS_MAX)
    }

    /// Remembers how fast the pull is, if it goes on long enough to tell.
    fn measure(&mut self, now: Timestamp) {
        let Some(Attempt { peer, start, began, .. }) = self.attempt.as_ref() else { return };
        let seconds = now.unix_seconds() - began.unix_seconds();
        if let Some(seconds) = u64::try_from(seconds).ok().filter(|_| seconds >= MEASURED_SECONDS) {
            let pace = (self.mirror.size - start).saturating_mul(1000) / seconds;
            self.sources.entry(*peer).or_default().pace = Some(pace);
        }
    }

    /// Heads that are held are no longer beyond what is held.
    fn outgrow(&mut self) {
        let size = self.mirror.size;
        for source in self.sources.values_mut() {
            source.shown.take_if(|shown| shown.checkpoint().size <= size);
        }
    }

    fn forget_sources(&mut self) {
        if self.sources.len() >= SOURCES_MAX {
            self.sources.retain(|_, source| source.shown.is_some());
        }
    }
}

/// Why a log is frozen: both checkpoints by name.
pub(crate) fn two_histories(origin: &Origin, one: &Checkpoint, two: &Checkpoint) -> String {
    let (small, large) = if one.size <= two.size { (one, two) } else { (two, one) };
    let (root, other) = (small.root.to_base64(), large.root.to_base64());
    if small.size == large.size {
        return format!("the log {origin} signed two roots at size {}: {root} and {other}", small.size);
    }
    let Checkpoint { size, .. } = large;
    format!(
        "the log {origin} signed two histories: {} entries with the root {root}, and {size} entries with the root \
         {other} that do not continue them",
        small.size
    )
}

/// After a second, then twice as long each time.
fn backoff_seconds(failures: u32) -> i64 {
    1_i64.checked_shl(failures.min(16)).unwrap_or(BACKOFF_SECONDS_MAX).min(BACKOFF_SECONDS_MAX)
}
