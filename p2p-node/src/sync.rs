//! How logs travel between partners, as a value: `(state, event, now) → (state, actions)`.
//!
//! No I/O, no clock, no libp2p. The event loop carries out what [`Machine::step`] answers and reports
//! what happened; a simulator or a pouch can do the same.
//!
//! A partner shows the heads of all logs that it holds. For each mirrored log the machine takes a
//! larger head that a connected partner shows, asks for a consistency proof from the newest checkpoint
//! it trusts, has it kept as *pending*, and pulls entries up to it. Any partner will do as a source:
//! the log's own signature and the proofs carry the trust. Who fails is left alone for a while, longer
//! each time, and nobody else waits for it. Cosignatures travel on the heads; what was missed of them
//! is asked for afterwards.

mod log;
mod rounds;
mod seen;

use std::collections::{BTreeMap, BTreeSet};

use chancery_registry::SyncState;
use chancery_schema::digest::Digest;
use chancery_schema::limits::HEADS_MAX;
use chancery_schema::log::checkpoint::{self, Checkpoint, CheckpointError, SignedCheckpoint};
use chancery_schema::log::note::{Note, VerifierKey};
use chancery_schema::log::tree::verify_consistency;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::record::Scope;
use chancery_schema::time::Timestamp;

use self::log::{Log, Shown, Step};
use self::seen::Seen;

pub(crate) use self::log::two_histories;
pub use self::rounds::Round;

/// A partner's node, by the Ed25519 key of its libp2p peer id.
pub type PeerKey = [u8; 32];

/// How often changed heads are shown though none was reported to change, in seconds: whatever a lost
/// message left behind is mended by the next.
const HEADS_SECONDS: i64 = 60;

/// How often all heads are shown, in seconds: a sign of life, and what a partner forgot.
const ALL_HEADS_SECONDS: i64 = 300;

/// How often missing bodies are asked for again, in seconds.
const MISSING_SECONDS: i64 = 60;

/// How long after a log grew its cosigned checkpoints are asked for, in seconds: by then most partners
/// have cosigned.
const GROUND_DELAY_SECONDS: i64 = 60;

/// How often all cosigned checkpoints of a log are asked for, in seconds: a cosigner may have been late,
/// or unknown.
const GROUND_SECONDS: i64 = 24 * 3600;

/// Logs that are pulled from one partner at once: as many as it serves.
const PER_PEER_MAX: usize = 2;

/// Logs whose cosigned checkpoints are asked for at once.
const GROUND_AT_ONCE: usize = 4;

/// How long after a failure this node tries to cosign again, in seconds.
const COSIGN_SECONDS: i64 = 60;

/// A log that is mirrored, as the archive holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mirror {
    /// The log.
    pub origin: Origin,
    /// Whose log it is.
    pub nation: Nation,
    /// Signs its checkpoints.
    pub key: VerifierKey,
    /// What its nation is recognised for.
    pub scopes: Vec<Scope>,
    /// Entries held.
    pub size: u64,
    /// Root hash over them.
    pub root: Digest,
    /// The checkpoint that is pulled towards.
    pub pending: Option<Checkpoint>,
    /// Why nothing more is taken of it: it has two histories.
    pub frozen: Option<String>,
}

/// Why something that was asked of a partner failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// What the partner sent is provably wrong.
    Wrong(String),
    /// The partner is busy, slow, silent or gone, or does not hold it.
    Unable(String),
    /// This node failed.
    Ours(String),
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// This is the own log.
    Own(Origin),
    /// These logs are mirrored from now on; others are not.
    Mirrors(Vec<Mirror>),
    /// A partner's node is connected.
    Connected(PeerKey, Nation),
    /// A partner's node is gone, or no longer a partner's.
    Disconnected(PeerKey),
    /// A partner shows its heads, as signed notes.
    Heads(PeerKey, Vec<String>),
    /// A partner answered a request for a consistency proof, or did not.
    Proof(PeerKey, Origin, Option<Vec<Digest>>),
    /// The pending checkpoint is durable, or the archive refused it.
    Pending(Origin, Result<(), String>),
    /// A proven package is durable: what the mirror holds now.
    Extended(Origin, u64, Digest),
    /// A pull ended: at its target, or early and why. Each pull ends with this, once.
    PullEnded(PeerKey, Origin, Result<(), Failure>),
    /// A checkpoint that the log signed, as a note, and the root that the mirror has at its size;
    /// none where that cannot be told.
    Compared(Origin, String, Option<Digest>),
    /// Cosignatures on checkpoints of this log were not kept though they may hold.
    CosignaturesLost(Origin),
    /// The head of a mirror is cosigned, or why not.
    Cosigned(Origin, Result<(), String>),
    /// Cosigned checkpoints were asked for.
    Ground(PeerKey, Origin, Round<u64>),
    /// Missing bodies were asked for.
    Missing(PeerKey, Origin, Round<Option<(u64, Digest)>>),
    /// A head changed here: of the own log, of a mirror, or by a cosignature.
    HeadsChanged,
    /// Time passed.
    Tick,
}

/// Which heads to show.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Which {
    /// Those that changed since this partner was shown them.
    Changed,
    /// Those of all logs held.
    All,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Show this partner heads.
    SendHeads(PeerKey, Which),
    /// Ask this partner for the consistency proof of a log between two sizes.
    AskProof(PeerKey, Origin, u64, u64),
    /// Make this checkpoint, a signed note, durable as the pending one.
    KeepPending(Origin, String),
    /// Pull the entries of a log from `start` up to `size` from this partner.
    Pull {
        /// From whom.
        peer: PeerKey,
        /// Of which log.
        origin: Origin,
        /// The first entry.
        start: u64,
        /// The tree in which all are proven.
        size: u64,
    },
    /// Have the pull of this log end soon. It is reported as any other.
    StopPull(Origin),
    /// Take these cosignature lines on the checkpoint of a log at this size.
    TakeCosignatures(Origin, u64, Vec<String>),
    /// Compare this checkpoint, a signed note no larger than the mirror, with the root that the mirror
    /// has at its size. Where they agree, its cosignatures are kept.
    Compare(Origin, String),
    /// Take a head of the own log, a signed note, as a partner shows it.
    Hear(String),
    /// Keep the proof that a log has two histories: one note, against what is held, or two.
    KeepContradiction(Origin, Vec<String>),
    /// Cosign the head of a mirror.
    Cosign(Origin),
    /// Ask this partner for the cosigned checkpoints of a mirror with sizes in `(after, size]`.
    PullGround {
        /// Whom.
        peer: PeerKey,
        /// Of which log.
        origin: Origin,
        /// After which size.
        after: u64,
        /// Up to which size.
        size: u64,
    },
    /// Ask this partner for bodies and blobs that a mirror misses, those after this place.
    FetchMissing(PeerKey, Origin, Option<(u64, Digest)>),
    /// Say how the exchange stands.
    Report(SyncState),
    /// A partner did what no honest one does; for the operator.
    Complain(PeerKey, String),
    /// Something did not work, as happens between honest partners; with whom.
    Setback(PeerKey, String),
}

/// The state of all exchange.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Machine {
    own: Option<Origin>,
    /// The note with the head of the own log that was taken last, believed or not.
    heard: Option<Digest>,
    peers: BTreeMap<PeerKey, Peer>,
    logs: BTreeMap<Origin, Log>,
    seen: Seen,
    reported: BTreeMap<Origin, SyncState>,
}

#[derive(Clone, PartialEq, Debug)]
struct Peer {
    nation: Nation,
    heads_sent: Timestamp,
    all_sent: Timestamp,
}

impl Machine {
    /// Takes in what happened and answers what is to be done.
    pub fn step(&mut self, event: Event, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Own(origin) => self.own = Some(origin),
            Event::Mirrors(mirrors) => self.mirrors(mirrors, now, &mut actions),
            Event::Connected(peer, nation) => {
                self.peers.insert(peer, Peer { nation, heads_sent: now, all_sent: now });
                actions.push(Action::SendHeads(peer, Which::All));
            }
            Event::Disconnected(peer) => self.disconnected(&peer, now, &mut actions),
            Event::Heads(peer, notes) => self.heads(peer, &notes, now, &mut actions),
            Event::Proof(peer, origin, proof) => self.proof(peer, &origin, proof.as_deref(), now, &mut actions),
            Event::Pending(origin, kept) => self.pending(&origin, kept, now, &mut actions),
            Event::Extended(origin, size, root) => {
                if let Some(log) = self.logs.get_mut(&origin) {
                    log.extended(size, root, now, &mut actions);
                }
            }
            Event::PullEnded(peer, origin, ended) => self.pull_ended(peer, &origin, ended, now, &mut actions),
            Event::Compared(origin, note, held) => self.compared(&origin, &note, held, &mut actions),
            Event::CosignaturesLost(origin) => self.seen.forget(&origin),
            Event::Cosigned(origin, cosigned) => self.cosigned(&origin, cosigned.is_ok(), now),
            Event::Ground(peer, origin, round) => self.ground(peer, &origin, &round, now, &mut actions),
            Event::Missing(peer, origin, round) => self.missing(peer, &origin, &round, now, &mut actions),
            Event::HeadsChanged => self.show_heads(now, i64::MIN, &mut actions),
            Event::Tick => self.tick(now, &mut actions),
        }
        self.advance(now, &mut actions);
        self.chores(now, &mut actions);
        self.report(now, &mut actions);
        actions
    }

    /// The archive knows best what is held; what partners show of logs that stay is kept.
    fn mirrors(&mut self, mirrors: Vec<Mirror>, now: Timestamp, actions: &mut Vec<Action>) {
        let mut before = std::mem::take(&mut self.logs);
        let known = before.len();
        for mirror in mirrors {
            let log = match before.remove(&mirror.origin) {
                Some(mut log) if log.mirror.key == mirror.key => {
                    log.refresh(mirror, now, actions);
                    log
                }
                _ => Log::new(mirror, now),
            };
            self.logs.insert(log.mirror.origin.clone(), log);
        }
        // Who is known to cosign has changed with the logs.
        if !before.is_empty() || self.logs.len() != known {
            self.seen.forget_all(now);
        }
        for log in before.values_mut() {
            log.stop(actions);
        }
        self.reported.retain(|origin, _| self.logs.contains_key(origin));
    }

    fn disconnected(&mut self, peer: &PeerKey, now: Timestamp, actions: &mut Vec<Action>) {
        self.peers.remove(peer);
        for log in self.logs.values_mut() {
            log.gone(peer, now, actions);
        }
    }

    fn heads(&mut self, peer: PeerKey, notes: &[String], now: Timestamp, actions: &mut Vec<Action>) {
        let Some(Peer { nation, .. }) = self.peers.get(&peer).cloned() else { return };
        let mut once = BTreeSet::new();
        for note in notes.iter().take(HEADS_MAX) {
            let Some((checkpoint, lines)) = read(note) else {
                actions.push(Action::Complain(peer, "a head that it shows is not a checkpoint".to_owned()));
                continue;
            };
            let origin = checkpoint.origin.clone();
            if !once.insert(origin.clone()) {
                continue;
            }
            if let Some(log) = self.logs.get_mut(&origin).filter(|log| log.mirror.frozen.is_none()) {
                if log.mirror.nation == nation {
                    log.last_heard = Some(now);
                }
                head(log, &mut self.seen, peer, note, (checkpoint, lines), actions);
            } else if self.own.as_ref() == Some(&origin) {
                // By the whole note: one that the log did not sign must not pass for one that it did.
                let shown = Some(Digest::of(note.as_bytes()));
                if self.heard != shown {
                    self.heard = shown;
                    actions.push(Action::Hear(note.clone()));
                }
                take_cosignatures(&mut self.seen, checkpoint, lines, actions);
            }
        }
        // One complaint for each message, however much of it is wrong.
        let mut complained = false;
        actions.retain(|action| !matches!(action, Action::Complain(..)) || !std::mem::replace(&mut complained, true));
    }

    fn proof(
        &mut self,
        peer: PeerKey,
        origin: &Origin,
        proof: Option<&[Digest]>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        let asked = log.attempt.as_ref().filter(|attempt| attempt.step == Step::Proving && attempt.peer == peer);
        let Some(target) = asked.map(|attempt| attempt.target.clone()) else { return };
        let (old, old_root) = log.trusted();
        let Checkpoint { size, root, .. } = target.checkpoint();
        match proof.map(|proof| verify_consistency(old, &old_root, *size, root, proof)) {
            Some(Ok(())) => {
                actions.push(Action::KeepPending(origin.clone(), target.to_string()));
                log.step(Step::Keeping, now);
            }
            // An unproven head proves nothing against the log: the partner may be the one who lies.
            Some(Err(_)) => {
                log.strike(peer, now);
                let problem = format!("it does not prove that {origin} grew from {old} to {size} entries");
                actions.push(Action::Complain(peer, problem));
            }
            None => {
                log.strike(peer, now);
                let problem = format!("it has no proof for the head that it shows of {origin}");
                actions.push(Action::Setback(peer, problem));
            }
        }
    }

    fn pending(&mut self, origin: &Origin, kept: Result<(), String>, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        let keeping = log.attempt.as_ref().filter(|attempt| attempt.step == Step::Keeping);
        let Some((peer, target)) = keeping.map(|attempt| (attempt.peer, attempt.target.clone())) else { return };
        match kept {
            Ok(()) => {
                log.mirror.pending = Some(target.checkpoint().clone());
                actions.push(log.pull(peer, &target));
                log.step(Step::Pulling, now);
            }
            Err(reason) => {
                log.fail(now);
                actions.push(Action::Setback(peer, format!("the head of {origin} was not kept: {reason}")));
            }
        }
    }

    fn pull_ended(
        &mut self,
        peer: PeerKey,
        origin: &Origin,
        ended: Result<(), Failure>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        let pulls = |step| matches!(step, Step::Pulling | Step::Stopping);
        let attempt = log.attempt.as_ref().filter(|attempt| attempt.peer == peer && pulls(attempt.step));
        let Some(stopping) = attempt.map(|attempt| attempt.step == Step::Stopping) else { return };
        if let Some(start) = log.pulled(now).filter(|start| *start < log.mirror.size) {
            log.ground.from(start, now.plus_seconds(GROUND_DELAY_SECONDS));
        }
        match ended {
            Ok(()) => {}
            Err(Failure::Wrong(reason)) => {
                log.strike(peer, now);
                actions.push(Action::Complain(peer, format!("the pull of {origin} ended early: {reason}")));
            }
            // Why it was told to stop is known.
            Err(Failure::Unable(_)) if stopping => {}
            Err(Failure::Unable(reason)) => {
                log.strike(peer, now);
                actions.push(Action::Setback(peer, format!("the pull of {origin} ended early: {reason}")));
            }
            Err(Failure::Ours(reason)) => {
                log.fail(now);
                actions.push(Action::Setback(peer, format!("the pull of {origin} failed here: {reason}")));
            }
        }
    }

    /// A smaller head that does not lead to what is held proves two histories, since the log signed
    /// both; whoever showed it.
    fn compared(&mut self, origin: &Origin, note: &str, held: Option<Digest>, actions: &mut Vec<Action>) {
        let Some(log) = self.logs.get_mut(origin).filter(|log| log.mirror.frozen.is_none()) else { return };
        let (Some(held), Ok(signed)) = (held, checkpoint::open(note.as_bytes(), &log.mirror.key)) else { return };
        let shown = signed.checkpoint();
        if shown.root == held {
            return log.compared(shown.size, held);
        }
        let (size, root) = log.trusted();
        let known = Checkpoint { origin: origin.clone(), size, root };
        log.freeze(two_histories(origin, shown, &known), actions);
        actions.push(Action::KeepContradiction(origin.clone(), vec![note.to_owned()]));
    }

    fn cosigned(&mut self, origin: &Origin, cosigned: bool, now: Timestamp) {
        if let Some(log) = self.logs.get_mut(origin) {
            log.cosign = (!cosigned).then(|| now.plus_seconds(COSIGN_SECONDS));
        }
    }

    fn ground(
        &mut self,
        peer: PeerKey,
        origin: &Origin,
        round: &Round<u64>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        complain_of(peer, origin, round, actions);
        if let Some(log) = self.logs.get_mut(origin) {
            log.ground.ended(peer, round, &self.peers, now, GROUND_SECONDS);
        }
    }

    fn missing(
        &mut self,
        peer: PeerKey,
        origin: &Origin,
        round: &Round<Option<(u64, Digest)>>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        complain_of(peer, origin, round, actions);
        if let Some(log) = self.logs.get_mut(origin) {
            log.missing.ended(peer, round, &self.peers, now, MISSING_SECONDS);
        }
    }

    fn tick(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        self.seen.tick(now);
        for log in self.logs.values_mut() {
            log.tick(now, actions);
        }
        self.show_heads(now, HEADS_SECONDS, actions);
    }

    fn show_heads(&mut self, now: Timestamp, after_seconds: i64, actions: &mut Vec<Action>) {
        for (key, peer) in &mut self.peers {
            if after_seconds < 0 || peer.heads_sent.plus_seconds(after_seconds) <= now {
                let all = peer.all_sent.plus_seconds(ALL_HEADS_SECONDS) <= now;
                peer.heads_sent = now;
                peer.all_sent = if all { now } else { peer.all_sent };
                actions.push(Action::SendHeads(*key, if all { Which::All } else { Which::Changed }));
            }
        }
    }

    /// Begins what can be begun. A partner serves a few pulls at once, so no more are asked of it.
    fn advance(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let mut asked = self.pulls();
        for log in self.logs.values_mut() {
            if let Some(peer) = log.advance(|peer| is_free(&asked, peer), now, actions) {
                *asked.entry(peer).or_default() += 1;
            }
        }
    }

    /// How many pulls each partner is asked for: of entries, and of cosigned checkpoints.
    fn pulls(&self) -> BTreeMap<PeerKey, usize> {
        let mut asked = BTreeMap::new();
        for log in self.logs.values() {
            for peer in log.attempt.iter().map(|attempt| attempt.peer).chain(log.ground.asks()) {
                *asked.entry(peer).or_default() += 1;
            }
        }
        asked
    }

    /// What follows growth: cosigning, and asking for bodies and cosigned checkpoints that did not come.
    fn chores(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let mut busy = self.logs.values().filter(|log| log.ground.asks().is_some()).count();
        let mut asked = self.pulls();
        for (origin, log) in self.logs.iter_mut().filter(|(_, log)| log.mirror.frozen.is_none()) {
            if log.cosign.is_some_and(|due| due <= now) {
                // Until it is reported done.
                log.cosign = Some(now.plus_seconds(COSIGN_SECONDS));
                actions.push(Action::Cosign(origin.clone()));
            }
            if let Some((peer, after)) = log.missing.begin(&self.peers, &log.mirror.nation, |_| true, now) {
                actions.push(Action::FetchMissing(peer, origin.clone(), after));
            }
            if busy < GROUND_AT_ONCE
                && log.mirror.size > 0
                && let Some((peer, after)) =
                    log.ground.begin(&self.peers, &log.mirror.nation, |peer| is_free(&asked, peer), now)
            {
                busy += 1;
                *asked.entry(peer).or_default() += 1;
                let (origin, size) = (origin.clone(), log.mirror.size);
                actions.push(Action::PullGround { peer, origin, after, size });
            }
        }
    }

    /// Says how each log stands, where that changed.
    fn report(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        for (origin, log) in &self.logs {
            let state = SyncState {
                partner: log.mirror.nation.clone(),
                origin: origin.clone(),
                connected: self.peers.values().any(|peer| peer.nation == log.mirror.nation),
                progress: log.progress(now),
                last_heard: log.last_heard,
            };
            if self.reported.get(origin) != Some(&state) {
                self.reported.insert(origin.clone(), state.clone());
                actions.push(Action::Report(state));
            }
        }
    }
}

/// Takes in a head of a mirrored log, as a note. Signatures are verified where they tell something new.
fn head(
    log: &mut Log,
    seen: &mut Seen,
    peer: PeerKey,
    note: &str,
    (checkpoint, lines): (Checkpoint, Vec<String>),
    actions: &mut Vec<Action>,
) {
    let (origin, size) = (checkpoint.origin.clone(), checkpoint.size);
    let shown = log.compare(&checkpoint);
    if matches!(shown, Shown::Known) {
        if size == log.mirror.size {
            take_cosignatures(seen, checkpoint, lines, actions);
        } else if !seen.fresh(&origin, size, lines).is_empty() {
            actions.push(Action::Compare(origin, note.to_owned()));
        }
        return;
    }
    let signed = match open_alone(note, &log.mirror.key) {
        Ok(signed) => signed,
        Err(error) => {
            let problem = format!("the head that it shows of {origin} is refused: {error}");
            return actions.push(Action::Complain(peer, problem));
        }
    };
    match shown {
        Shown::Contradicts(known, other) => {
            log.freeze(two_histories(&origin, &known, &checkpoint), actions);
            let notes = other.into_iter().chain([note.to_owned()]).collect();
            actions.push(Action::KeepContradiction(origin, notes));
        }
        Shown::Larger => log.show(peer, signed, &seen.fresh(&origin, size, lines)),
        Shown::Smaller if !seen.fresh(&origin, size, lines).is_empty() => {
            actions.push(Action::Compare(origin, note.to_owned()));
        }
        Shown::Smaller | Shown::Known => {}
    }
}

/// Whether a partner serves one more pull.
fn is_free(asked: &BTreeMap<PeerKey, usize>, peer: &PeerKey) -> bool {
    asked.get(peer).is_none_or(|count| *count < PER_PEER_MAX)
}

/// A note as a checkpoint that the log has signed, without anybody else's lines: each partner shows all
/// of them.
fn open_alone(note: &str, key: &VerifierKey) -> Result<SignedCheckpoint, CheckpointError> {
    let note = Note::parse(note.as_bytes())?;
    let lines = note.signatures().iter().filter(|line| key.claims(line)).cloned().collect();
    checkpoint::open(Note::new(note.text(), lines)?.to_string().as_bytes(), key)
}

/// Has lines that were not looked at before verified and kept.
fn take_cosignatures(seen: &mut Seen, checkpoint: Checkpoint, lines: Vec<String>, actions: &mut Vec<Action>) {
    let Checkpoint { origin, size, .. } = checkpoint;
    let fresh = seen.fresh(&origin, size, lines);
    if !fresh.is_empty() {
        actions.push(Action::TakeCosignatures(origin, size, fresh));
    }
}

fn complain_of<C>(peer: PeerKey, origin: &Origin, round: &Round<C>, actions: &mut Vec<Action>) {
    let Round::Failed(failure) = round else { return };
    actions.push(match failure {
        Failure::Wrong(reason) => Action::Complain(peer, format!("what it sent of {origin} is refused: {reason}")),
        Failure::Unable(reason) => {
            Action::Setback(peer, format!("it did not send what is missing of {origin}: {reason}"))
        }
        Failure::Ours(reason) => Action::Setback(peer, format!("what is missing of {origin} was not kept: {reason}")),
    });
}

/// The checkpoint and the signature lines of a note, believing nothing yet.
fn read(note: &str) -> Option<(Checkpoint, Vec<String>)> {
    let note = Note::parse(note.as_bytes()).ok()?;
    let checkpoint = Checkpoint::parse(note.text()).ok()?;
    Some((checkpoint, note.signatures().iter().map(ToString::to_string).collect()))
}
