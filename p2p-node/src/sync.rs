//! How logs travel between partners, as a value: `(state, event, now) → (state, actions)`.
//!
//! No I/O, no clock, no libp2p. The event loop carries out what [`Machine::step`] answers and reports
//! what happened; a simulator or a pouch can do the same.
//!
//! A partner shows the heads of all logs that it holds. For each mirrored log the machine takes the
//! largest head that a connected partner shows, asks for a consistency proof from the newest checkpoint
//! it trusts, has it kept as *pending*, and pulls entries up to it. Any partner will do as a source:
//! the log's own signature and the proofs carry the trust. Cosignatures travel on the heads.

use std::collections::{BTreeMap, BTreeSet};

use chancery_registry::{SyncProgress, SyncState};
use chancery_schema::digest::Digest;
use chancery_schema::limits::HEADS_MAX;
use chancery_schema::log::checkpoint::{self, Checkpoint, SignedCheckpoint};
use chancery_schema::log::note::{Note, VerifierKey};
use chancery_schema::log::tree::verify_consistency;
use chancery_schema::name::{Nation, Origin};
use chancery_schema::time::Timestamp;

/// A partner's node, by the Ed25519 key of its libp2p peer id.
pub type PeerKey = [u8; 32];

/// A partner is stale when nothing was heard of it for this long.
const STALE_SECONDS: i64 = 24 * 3600;

/// The longest wait after failures, in seconds. Nobody is given up.
const BACKOFF_SECONDS_MAX: i64 = 15 * 60;

/// How often heads are shown to every partner though nothing changed, in seconds: whatever a lost
/// message left behind is mended by the next.
const HEADS_SECONDS: i64 = 60;

/// How often missing bodies are asked for again, in seconds.
const MISSING_SECONDS: i64 = 60;

/// A log that is mirrored, as the archive holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mirror {
    /// The log.
    pub origin: Origin,
    /// Whose log it is.
    pub nation: Nation,
    /// Signs its checkpoints.
    pub key: VerifierKey,
    /// Entries held.
    pub size: u64,
    /// Root hash over them.
    pub root: Digest,
    /// The checkpoint that is pulled towards.
    pub pending: Option<Checkpoint>,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// These logs are mirrored from now on; others are not.
    Mirrors(Vec<Mirror>),
    /// A partner's node is connected.
    Connected(PeerKey, Nation),
    /// A partner's node is gone.
    Disconnected(PeerKey),
    /// A partner shows its heads, as signed notes.
    Heads(PeerKey, Vec<String>),
    /// A partner answered a request for a consistency proof, or did not.
    Proof(PeerKey, Origin, Option<Vec<Digest>>),
    /// The pending checkpoint is durable, or the archive refused it.
    Pending(Origin, Result<(), String>),
    /// A proven package is durable: what the mirror holds now.
    Extended(Origin, u64, Digest),
    /// A pull ended: at its target, or early and why.
    PullEnded(PeerKey, Origin, Result<(), String>),
    /// Bodies were asked for; how many are still missing.
    Missing(Origin, u64),
    /// A head changed here: of the own log, of a mirror, or by a cosignature.
    HeadsChanged,
    /// Time passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Show this partner the heads of all logs held.
    SendHeads(PeerKey),
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
    /// Take these cosignature lines on the checkpoint of a log at this size.
    TakeCosignatures(Origin, u64, Vec<String>),
    /// Cosign the head of a mirror.
    Cosign(Origin),
    /// Ask this partner for bodies and blobs that a mirror misses.
    FetchMissing(PeerKey, Origin),
    /// Say how the exchange stands.
    Report(SyncState),
    /// A partner did what no honest one does, or could not do what it should; for the operator.
    Complain(PeerKey, String),
}

/// The state of all exchange.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Machine {
    peers: BTreeMap<PeerKey, Peer>,
    logs: BTreeMap<Origin, Log>,
    reported: BTreeMap<Origin, SyncState>,
}

#[derive(Clone, PartialEq, Debug)]
struct Peer {
    nation: Nation,
    heads_sent: Timestamp,
}

#[derive(Clone, PartialEq, Debug)]
struct Log {
    mirror: Mirror,
    stage: Stage,
    /// The largest checkpoint that each connected partner shows, beyond what is held.
    shown: BTreeMap<PeerKey, SignedCheckpoint>,
    failures: u32,
    not_before: Timestamp,
    /// Whether bodies are missing, and when they were asked for.
    missing: Option<Timestamp>,
    last_heard: Option<Timestamp>,
    frozen: Option<String>,
}

/// What a log waits for.
#[derive(Clone, PartialEq, Debug)]
enum Stage {
    Idle,
    Proving(PeerKey, SignedCheckpoint),
    Keeping(PeerKey, SignedCheckpoint),
    Pulling(PeerKey, SignedCheckpoint),
}

impl Machine {
    /// Takes in what happened and answers what is to be done.
    pub fn step(&mut self, event: Event, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Mirrors(mirrors) => self.mirrors(mirrors, now, &mut actions),
            Event::Connected(peer, nation) => {
                self.peers.insert(peer, Peer { nation, heads_sent: now });
                actions.push(Action::SendHeads(peer));
            }
            Event::Disconnected(peer) => self.disconnected(&peer, now),
            Event::Heads(peer, notes) => self.heads(peer, &notes, now, &mut actions),
            Event::Proof(peer, origin, proof) => self.proof(peer, &origin, proof.as_deref(), now, &mut actions),
            Event::Pending(origin, kept) => self.pending(&origin, kept, now, &mut actions),
            Event::Extended(origin, size, root) => self.extended(&origin, size, root, now, &mut actions),
            Event::PullEnded(peer, origin, ended) => self.pull_ended(peer, &origin, ended, now, &mut actions),
            Event::Missing(origin, count) => {
                if let Some(log) = self.logs.get_mut(&origin) {
                    log.missing = (count > 0).then(|| now.plus_seconds(MISSING_SECONDS));
                }
            }
            Event::HeadsChanged => self.show_heads(now, i64::MIN, &mut actions),
            Event::Tick => self.show_heads(now, HEADS_SECONDS, &mut actions),
        }
        self.advance(now, &mut actions);
        self.ask_missing(now, &mut actions);
        self.report(now, &mut actions);
        actions
    }

    /// The archive knows best what is held; what partners show of logs that stay is kept. A mirror that
    /// is new here may have reached its head just before the last process ended: it is cosigned.
    fn mirrors(&mut self, mirrors: Vec<Mirror>, now: Timestamp, actions: &mut Vec<Action>) {
        let mut before = std::mem::take(&mut self.logs);
        for mirror in mirrors {
            let log = match before.remove(&mirror.origin) {
                Some(log) if log.mirror.key == mirror.key => {
                    // While a pull runs, its own reports are newer than this one.
                    let mirror = if log.stage == Stage::Idle { mirror } else { log.mirror };
                    Log { mirror, ..log }
                }
                _ => Log {
                    mirror: mirror.clone(),
                    stage: Stage::Idle,
                    shown: BTreeMap::new(),
                    failures: 0,
                    not_before: now,
                    missing: (mirror.size > 0).then_some(now),
                    last_heard: None,
                    frozen: None,
                },
            };
            if log.last_heard.is_none() && log.mirror.size > 0 && log.mirror.pending.is_none() {
                actions.push(Action::Cosign(log.mirror.origin.clone()));
            }
            self.logs.insert(log.mirror.origin.clone(), log);
        }
        self.reported.retain(|origin, _| self.logs.contains_key(origin));
    }

    fn disconnected(&mut self, peer: &PeerKey, now: Timestamp) {
        self.peers.remove(peer);
        for log in self.logs.values_mut() {
            log.shown.remove(peer);
            if log.stage.peer() == Some(peer) {
                log.fail(now);
            }
        }
    }

    fn heads(&mut self, peer: PeerKey, notes: &[String], now: Timestamp, actions: &mut Vec<Action>) {
        let Some(Peer { nation, .. }) = self.peers.get(&peer).cloned() else { return };
        let mut seen = BTreeSet::new();
        for note in notes.iter().take(HEADS_MAX) {
            let Some((checkpoint, lines)) = read(note) else {
                actions.push(Action::Complain(peer, "a head that it shows is not a checkpoint".to_owned()));
                continue;
            };
            if !seen.insert(checkpoint.origin.clone()) {
                continue;
            }
            let (origin, size) = (checkpoint.origin, checkpoint.size);
            if let Some(log) = self.logs.get_mut(&origin) {
                if log.mirror.nation == nation {
                    log.last_heard = Some(now);
                }
                match checkpoint::open(note.as_bytes(), &log.mirror.key) {
                    Ok(signed) => log.show(peer, signed),
                    Err(error) => {
                        actions.push(Action::Complain(
                            peer,
                            format!("the head that it shows of {origin} is refused: {error}"),
                        ));
                        continue;
                    }
                }
            }
            if !lines.is_empty() {
                actions.push(Action::TakeCosignatures(origin, size, lines));
            }
        }
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
        let Stage::Proving(asked, target) = log.stage.clone() else { return };
        if asked != peer {
            return;
        }
        let (old, old_root) = log.trusted();
        let Checkpoint { size, root, .. } = target.checkpoint();
        let verified = proof.is_some_and(|proof| verify_consistency(old, &old_root, *size, root, proof).is_ok());
        if verified {
            actions.push(Action::KeepPending(origin.clone(), target.to_string()));
            log.stage = Stage::Keeping(peer, target);
        } else {
            // An unproven head proves nothing against the log: the partner may be the one who lies.
            log.shown.remove(&peer);
            log.fail(now);
            let problem = format!("it does not prove that {origin} grew from {old} to {size} entries");
            actions.push(Action::Complain(peer, problem));
        }
    }

    fn pending(&mut self, origin: &Origin, kept: Result<(), String>, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        let Stage::Keeping(peer, target) = log.stage.clone() else { return };
        match kept {
            Ok(()) => {
                log.mirror.pending = Some(target.checkpoint().clone());
                log.pull(peer, target, actions);
            }
            Err(reason) => {
                log.shown.remove(&peer);
                log.fail(now);
                actions.push(Action::Complain(peer, format!("the head of {origin} was not kept: {reason}")));
            }
        }
    }

    /// A mirror that reaches its pending head has done so for good, whatever becomes of the pull.
    fn extended(&mut self, origin: &Origin, size: u64, root: Digest, now: Timestamp, actions: &mut Vec<Action>) {
        let Some(log) = self.logs.get_mut(origin).filter(|log| size > log.mirror.size) else { return };
        (log.mirror.size, log.mirror.root) = (size, root);
        log.failures = 0;
        log.shown.retain(|_, shown| shown.checkpoint().size > size);
        if log.mirror.pending.take_if(|pending| pending.size == size).is_some() {
            log.missing = Some(now);
            actions.push(Action::Cosign(origin.clone()));
        }
    }

    fn pull_ended(
        &mut self,
        peer: PeerKey,
        origin: &Origin,
        ended: Result<(), String>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let Some(log) = self.logs.get_mut(origin) else { return };
        let Stage::Pulling(from, target) = log.stage.clone() else { return };
        if from != peer {
            return;
        }
        if log.mirror.size == target.checkpoint().size {
            log.stage = Stage::Idle;
            return;
        }
        log.fail(now);
        if let Err(reason) = ended {
            log.shown.remove(&peer);
            actions.push(Action::Complain(peer, format!("the pull of {origin} ended early: {reason}")));
        }
    }

    fn show_heads(&mut self, now: Timestamp, after_seconds: i64, actions: &mut Vec<Action>) {
        for (key, peer) in &mut self.peers {
            if after_seconds < 0 || peer.heads_sent.plus_seconds(after_seconds) <= now {
                peer.heads_sent = now;
                actions.push(Action::SendHeads(*key));
            }
        }
    }

    /// Any partner may hold what is missing; the log's own nation first.
    fn ask_missing(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        for (origin, log) in &mut self.logs {
            if log.missing.is_none_or(|when| when > now) {
                continue;
            }
            let own = self.peers.iter().find(|(_, peer)| peer.nation == log.mirror.nation);
            if let Some((peer, _)) = own.or_else(|| self.peers.iter().next()) {
                log.missing = Some(now.plus_seconds(MISSING_SECONDS));
                actions.push(Action::FetchMissing(*peer, origin.clone()));
            }
        }
    }

    /// Begins what can be begun: for each idle log, the largest head that a connected partner shows.
    fn advance(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        for (origin, log) in &mut self.logs {
            if log.stage != Stage::Idle || log.frozen.is_some() || log.not_before > now {
                continue;
            }
            let best = log.shown.iter().max_by_key(|(_, shown)| shown.checkpoint().size);
            let Some((peer, target)) = best.map(|(peer, target)| (*peer, target.clone())) else { continue };
            let (old, _) = log.trusted();
            if target.checkpoint().size < old {
                continue;
            }
            if log.mirror.pending.as_ref() == Some(target.checkpoint()) {
                log.pull(peer, target, actions);
            } else if old == 0 {
                actions.push(Action::KeepPending(origin.clone(), target.to_string()));
                log.stage = Stage::Keeping(peer, target);
            } else {
                actions.push(Action::AskProof(peer, origin.clone(), old, target.checkpoint().size));
                log.stage = Stage::Proving(peer, target);
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

impl Stage {
    fn peer(&self) -> Option<&PeerKey> {
        match self {
            Self::Idle => None,
            Self::Proving(peer, _) | Self::Keeping(peer, _) | Self::Pulling(peer, _) => Some(peer),
        }
    }
}

impl Log {
    /// The newest checkpoint that is known to continue what is held: the pending one, or the mirror.
    fn trusted(&self) -> (u64, Digest) {
        match &self.mirror.pending {
            Some(pending) => (pending.size, pending.root),
            None => (self.mirror.size, self.mirror.root),
        }
    }

    /// Takes in a checkpoint that the log has signed. A smaller one is old news. The same size with
    /// another root is proof against the log, whoever shows it.
    fn show(&mut self, peer: PeerKey, signed: SignedCheckpoint) {
        let Checkpoint { size, root, .. } = signed.checkpoint();
        let held = (*size == self.mirror.size && *size > 0).then_some(self.mirror.root);
        let pending = self.mirror.pending.as_ref().filter(|pending| pending.size == *size).map(|pending| pending.root);
        let others = self.shown.values().map(SignedCheckpoint::checkpoint).find(|other| other.size == *size);
        let known = held.or(pending).or(others.map(|other| other.root));
        if let Some(known) = known.filter(|known| known != root) {
            let origin = &self.mirror.origin;
            self.frozen = Some(format!(
                "the log {origin} signed two roots at size {size}: {} and {}",
                known.to_base64(),
                root.to_base64()
            ));
        } else if *size > self.mirror.size {
            let newer = self.shown.get(&peer).is_none_or(|before| before.checkpoint().size <= *size);
            if newer {
                self.shown.insert(peer, signed);
            }
        }
    }

    fn pull(&mut self, peer: PeerKey, target: SignedCheckpoint, actions: &mut Vec<Action>) {
        let (start, size) = (self.mirror.size, target.checkpoint().size);
        actions.push(Action::Pull { peer, origin: self.mirror.origin.clone(), start, size });
        self.stage = Stage::Pulling(peer, target);
    }

    /// Back to idle, to try again later: after a second, then longer and longer.
    fn fail(&mut self, now: Timestamp) {
        let wait = 1_i64.checked_shl(self.failures.min(16)).unwrap_or(BACKOFF_SECONDS_MAX).min(BACKOFF_SECONDS_MAX);
        self.stage = Stage::Idle;
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.plus_seconds(wait);
    }

    fn progress(&self, now: Timestamp) -> SyncProgress {
        if let Some(reason) = &self.frozen {
            return SyncProgress::Frozen { reason: reason.clone() };
        }
        let held = self.mirror.size;
        let shown = self.shown.values().map(|shown| shown.checkpoint().size);
        let shown = shown.chain(self.mirror.pending.as_ref().map(|pending| pending.size)).max().unwrap_or(held);
        if shown > held {
            return SyncProgress::CatchingUp { held, shown };
        }
        match self.last_heard {
            Some(heard) if heard.plus_seconds(STALE_SECONDS) > now => SyncProgress::Synchronised,
            since => SyncProgress::Stale { since },
        }
    }
}

/// The checkpoint and the signature lines of a note, believing nothing yet.
fn read(note: &str) -> Option<(Checkpoint, Vec<String>)> {
    let note = Note::parse(note.as_bytes()).ok()?;
    let checkpoint = Checkpoint::parse(note.text()).ok()?;
    Some((checkpoint, note.signatures().iter().map(ToString::to_string).collect()))
}
