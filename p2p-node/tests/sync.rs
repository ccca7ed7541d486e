//! The sync machine without a network: three nations' machines in any interleaving of events, with
//! messages lost, repeated and late, nodes restarted, and partners that lie.

#![expect(clippy::unwrap_used, reason = "a test")]

use chancery_p2p_node::sync::{Action, Event, Machine, Mirror, PeerKey};
use chancery_registry::SyncProgress;
use chancery_schema::digest::Digest;
use chancery_schema::key::PublicKey;
use chancery_schema::log::checkpoint::{Checkpoint, SignedCheckpoint, sign};
use chancery_schema::log::note::{KeyType, VerifierKey};
use chancery_schema::log::tree::{EMPTY_ROOT, MemoryTree, consistency_proof, leaf_hash};
use chancery_schema::name::Origin;
use chancery_schema::time::Timestamp;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

/// The nations; the first owns the log.
const CODES: [&str; 3] = ["FR", "KE", "BR"];

fn origin() -> Origin {
    "fr.example.org/chancery".parse().unwrap()
}

fn peer(node: usize) -> PeerKey {
    [u8::try_from(node).unwrap(); 32]
}

fn log_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn verifier_key() -> VerifierKey {
    let public = PublicKey::from_bytes(log_key().verifying_key().as_bytes()).unwrap();
    VerifierKey::new(origin().as_str(), KeyType::Ed25519, public).unwrap()
}

fn tree(entries: &[Digest]) -> MemoryTree {
    entries.iter().copied().collect()
}

fn head(entries: &[Digest]) -> SignedCheckpoint {
    let tree = tree(entries);
    sign(Checkpoint { origin: origin(), size: tree.size(), root: tree.root() }, &log_key()).unwrap()
}

fn entries(fork: &str, count: usize) -> Vec<Digest> {
    (0..count).map(|index| leaf_hash(format!("{fork} {index}").as_bytes())).collect()
}

/// What one node holds of the log, and its machine.
struct Node {
    machine: Machine,
    entries: Vec<Digest>,
    /// The newest checkpoint held in full.
    head: Option<SignedCheckpoint>,
    pending: Option<SignedCheckpoint>,
    cosigned: u64,
    complaints: Vec<String>,
    progress: Option<SyncProgress>,
}

impl Node {
    fn new(entries: Vec<Digest>) -> Self {
        let head = (!entries.is_empty()).then(|| head(&entries));
        let machine = Machine::default();
        Self { machine, entries, head, pending: None, cosigned: 0, complaints: Vec::new(), progress: None }
    }

    fn mirror(&self) -> Mirror {
        Mirror {
            origin: origin(),
            nation: CODES[0].parse().unwrap(),
            key: verifier_key(),
            size: self.entries.len() as u64,
            root: if self.entries.is_empty() { EMPTY_ROOT } else { tree(&self.entries).root() },
            pending: self.pending.as_ref().map(|pending| pending.checkpoint().clone()),
        }
    }
}

/// Nodes, and the events on their way to them.
struct World {
    nodes: Vec<Node>,
    queue: Vec<(usize, Event)>,
    now: Timestamp,
}

impl World {
    fn new(logged: usize) -> Self {
        let mut nodes = vec![Node::new(entries("true", logged))];
        nodes.extend((1..CODES.len()).map(|_| Node::new(Vec::new())));
        let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let mut world = Self { nodes, queue: Vec::new(), now };
        for node in 1..CODES.len() {
            world.restart(node);
        }
        for node in 0..CODES.len() {
            world.connect(node);
        }
        world
    }

    fn connect(&mut self, node: usize) {
        for other in (0..CODES.len()).filter(|other| *other != node) {
            self.queue.push((node, Event::Connected(peer(other), CODES[other].parse().unwrap())));
            self.queue.push((other, Event::Connected(peer(node), CODES[node].parse().unwrap())));
        }
    }

    /// The process dies: what was in memory is gone, what was on its way is too.
    fn restart(&mut self, node: usize) {
        self.queue.retain(|(to, _)| *to != node);
        self.nodes[node].machine = Machine::default();
        let mirrors = if node == 0 { Vec::new() } else { vec![self.nodes[node].mirror()] };
        self.step(node, Event::Mirrors(mirrors));
        for other in (0..CODES.len()).filter(|other| *other != node) {
            self.queue.push((other, Event::Disconnected(peer(node))));
        }
    }

    fn step(&mut self, node: usize, event: Event) {
        let actions = self.nodes[node].machine.step(event, self.now);
        for action in actions {
            self.act(node, action);
        }
    }

    fn act(&mut self, node: usize, action: Action) {
        let index = |key: PeerKey| usize::from(key[0]);
        match action {
            Action::SendHeads(to) => {
                let shown = |node: &Node| node.head.iter().map(ToString::to_string).collect();
                self.queue.push((index(to), Event::Heads(peer(node), shown(&self.nodes[node]))));
                self.queue.push((node, Event::Heads(to, shown(&self.nodes[index(to)]))));
            }
            Action::AskProof(of, origin, old, new) => {
                let held = tree(&self.nodes[index(of)].entries);
                let proof = (held.size() >= new).then(|| consistency_proof(&held, old, new)).flatten();
                self.queue.push((node, Event::Proof(of, origin, proof)));
            }
            Action::KeepPending(origin, text) => {
                let signed = chancery_schema::log::checkpoint::open(text.as_bytes(), &verifier_key()).unwrap();
                self.nodes[node].pending = Some(signed);
                self.queue.push((node, Event::Pending(origin, Ok(()))));
            }
            Action::Pull { peer: from, origin, start, size } => self.pull(node, from, &origin, start, size),
            Action::Cosign(_) => {
                self.nodes[node].cosigned = self.nodes[node].head.as_ref().unwrap().checkpoint().size;
                self.queue.push((node, Event::HeadsChanged));
            }
            Action::FetchMissing(_, origin) => self.queue.push((node, Event::Missing(origin, 0))),
            Action::Report(state) => self.nodes[node].progress = Some(state.progress),
            Action::Complain(_, problem) => self.nodes[node].complaints.push(problem),
            Action::TakeCosignatures(..) => {}
        }
    }

    /// As the archive does: nothing is written unless it leads to the pending root.
    fn pull(&mut self, node: usize, from: PeerKey, origin: &Origin, start: u64, size: u64) {
        let source = self.nodes[usize::from(from[0])].entries.clone();
        let target = self.nodes[node].pending.clone().unwrap();
        let (first, last) = (usize::try_from(start).unwrap(), usize::try_from(size).unwrap());
        assert_eq!(first, self.nodes[node].entries.len(), "a pull begins where the mirror ends");
        let proven = source.len() >= last && tree(&source[..last]).root() == target.checkpoint().root;
        if !proven {
            let ended = Err("a package was refused".to_owned());
            return self.queue.push((node, Event::PullEnded(from, origin.clone(), ended)));
        }
        self.nodes[node].entries.extend(&source[first..last]);
        self.nodes[node].head = Some(target.clone());
        self.nodes[node].pending = None;
        self.queue.push((node, Event::Extended(origin.clone(), size, target.checkpoint().root)));
        self.queue.push((node, Event::PullEnded(from, origin.clone(), Ok(()))));
    }

    /// Delivers events in the order that `choices` say; of heads, some are lost and some come twice.
    fn run(&mut self, choices: &[u16]) {
        for choice in choices {
            if self.queue.is_empty() {
                return;
            }
            // What one node is told by itself stays in order; partners' messages may overtake.
            let place = usize::from(*choice) % self.queue.len();
            let (to, _) = self.queue[place];
            let place = self.queue.iter().position(|(other, _)| *other == to).unwrap();
            let (to, event) = self.queue.remove(place);
            match (&event, choice % 7) {
                (Event::Heads(..), 0) => {}
                (Event::Heads(..), 1) => {
                    self.queue.push((to, event.clone()));
                    self.step(to, event);
                }
                _ => self.step(to, event),
            }
            self.check();
        }
    }

    /// Delivers everything, and lets time pass until nothing more happens.
    fn settle(&mut self) {
        for _ in 0..30 {
            while !self.queue.is_empty() {
                let (to, event) = self.queue.remove(0);
                self.step(to, event);
            }
            self.check();
            self.now = self.now.plus_seconds(61);
            for node in 0..self.nodes.len() {
                self.step(node, Event::Tick);
            }
        }
    }

    /// At every moment each mirror is a beginning of the one true log, or of its own branch.
    fn check(&self) {
        for node in &self.nodes {
            if let Some(head) = &node.head {
                let size = usize::try_from(head.checkpoint().size).unwrap();
                assert_eq!(tree(&node.entries[..size]).root(), head.checkpoint().root);
            }
        }
    }
}

/// Failures are kept beside this file, and run again first.
fn config() -> ProptestConfig {
    let beside = FileFailurePersistence::WithSource("proptest-regressions");
    ProptestConfig { cases: 64, failure_persistence: Some(Box::new(beside)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_mirror_converges_in_any_interleaving(
        choices in prop::collection::vec(any::<u16>(), 0..200),
        growth in prop::collection::vec(1_usize..20, 1..6),
        restarts in prop::collection::vec(0_usize..3, 0..4),
    ) {
        let mut world = World::new(1);
        for (round, grown) in growth.iter().enumerate() {
            let count = world.nodes[0].entries.len() + grown;
            world.nodes[0].entries = entries("true", count);
            world.nodes[0].head = Some(head(&world.nodes[0].entries));
            world.queue.push((0, Event::HeadsChanged));
            world.run(&choices);
            if let Some(node) = restarts.get(round) {
                world.restart(*node);
                world.run(&choices);
                world.connect(*node);
            }
        }
        world.settle();
        for node in &world.nodes[1..] {
            prop_assert_eq!(&node.entries, &world.nodes[0].entries);
            prop_assert_eq!(node.cosigned, node.entries.len() as u64);
            prop_assert_eq!(&node.progress, &Some(SyncProgress::Synchronised));
        }
    }
}

#[test]
fn a_log_reaches_a_partner_through_another_while_its_own_node_is_down() {
    let mut world = World::new(5);
    // Only Kenya has heard from France; then France is gone, and Brazil meets Kenya.
    world.queue.clear();
    world.queue.push((1, Event::Connected(peer(0), CODES[0].parse().unwrap())));
    world.settle();
    assert_eq!(world.nodes[1].entries.len(), 5);
    world.step(1, Event::Disconnected(peer(0)));
    world.step(2, Event::Connected(peer(1), CODES[1].parse().unwrap()));
    world.settle();
    assert_eq!(world.nodes[2].entries, world.nodes[0].entries);
    assert_eq!(world.nodes[2].progress, Some(SyncProgress::Stale { since: None }));
}

#[test]
fn two_roots_at_one_size_freeze_the_mirror_and_name_both() {
    let mut world = World::new(5);
    world.settle();
    let held = world.nodes[1].entries.clone();
    let other = head(&entries("other", 5)).to_string();
    world.step(1, Event::Heads(peer(2), vec![other]));
    let Some(SyncProgress::Frozen { reason }) = &world.nodes[1].progress else {
        panic!("{:?}", world.nodes[1].progress);
    };
    assert!(reason.contains("two roots at size 5"), "{reason}");
    world.nodes[0].entries = entries("true", 9);
    world.nodes[0].head = Some(head(&world.nodes[0].entries));
    world.settle();
    assert_eq!(world.nodes[1].entries, held, "a frozen mirror takes nothing more");
}

#[test]
fn a_branch_that_does_not_continue_the_mirror_is_never_taken() {
    let mut world = World::new(5);
    world.settle();
    let held = world.nodes[1].entries.clone();
    world.nodes[2].entries = entries("other", 9);
    world.nodes[2].head = Some(head(&world.nodes[2].entries));
    world.step(2, Event::HeadsChanged);
    world.settle();
    assert_eq!(world.nodes[1].entries, held);
    let complaints = &world.nodes[1].complaints;
    assert!(complaints.iter().any(|problem| problem.contains("does not prove")), "{complaints:?}");
}

#[test]
fn a_forged_or_broken_head_is_complained_of_and_changes_nothing() {
    let mut world = World::new(5);
    world.settle();
    let signer = SigningKey::from_bytes(&[9; 32]);
    let forged = sign(Checkpoint { origin: origin(), size: 99, root: EMPTY_ROOT }, &signer).unwrap();
    for note in [forged.to_string(), "not a note".to_owned(), String::new()] {
        let before = world.nodes[1].complaints.len();
        world.step(1, Event::Heads(peer(2), vec![note]));
        assert_eq!(world.nodes[1].complaints.len(), before + 1);
    }
    world.settle();
    assert_eq!(world.nodes[1].progress, Some(SyncProgress::Synchronised));
}

#[test]
fn a_smaller_head_is_old_news() {
    let mut world = World::new(5);
    world.settle();
    world.step(1, Event::Heads(peer(0), vec![head(&entries("true", 3)).to_string()]));
    assert!(world.nodes[1].complaints.is_empty());
    assert_eq!(world.nodes[1].progress, Some(SyncProgress::Synchronised));
}

#[test]
fn a_partner_that_fails_is_asked_again_later_and_later() {
    let mut machine = Machine::default();
    let mut now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    let mirror = Node::new(Vec::new()).mirror();
    machine.step(Event::Mirrors(vec![mirror]), now);
    machine.step(Event::Connected(peer(0), CODES[0].parse().unwrap()), now);
    let note = head(&entries("true", 3)).to_string();
    let mut asked = Vec::new();
    for second in 0..4000 {
        now = now.plus_seconds(1);
        let mut actions = machine.step(Event::Heads(peer(0), vec![note.clone()]), now);
        actions.extend(machine.step(Event::Tick, now));
        if actions.iter().any(|action| matches!(action, Action::KeepPending(..))) {
            asked.push(second);
            machine.step(Event::Pending(origin(), Err("the disk is full".to_owned())), now);
        }
    }
    let waits: Vec<i32> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.is_sorted() && waits.first() <= Some(&2) && waits.last() <= Some(&900), "{waits:?}");
    assert!(asked.len() < 20, "{asked:?}");
}
