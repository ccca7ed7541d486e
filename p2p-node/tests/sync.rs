//! The sync machine without a network: three nations' machines in any interleaving of events, with
//! messages lost, repeated and late, nodes restarted, and partners that lie.

#![expect(clippy::unwrap_used, reason = "a test")]

use chancery_p2p_node::sync::{Action, Event, Failure, Machine, Mirror, PeerKey, Round, Which};
use chancery_registry::SyncProgress;
use chancery_schema::digest::Digest;
use chancery_schema::key::PublicKey;
use chancery_schema::log::checkpoint::{Checkpoint, SignedCheckpoint, sign};
use chancery_schema::log::note::{KeyType, VerifierKey};
use chancery_schema::log::tree::{EMPTY_ROOT, MemoryTree, consistency_proof, leaf_hash};
use chancery_schema::name::Origin;
use chancery_schema::record::Scope;
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
    setbacks: Vec<String>,
    contradictions: Vec<Vec<String>>,
    progress: Option<SyncProgress>,
}

impl Node {
    fn new(entries: Vec<Digest>) -> Self {
        let head = (!entries.is_empty()).then(|| head(&entries));
        let machine = Machine::default();
        let (complaints, setbacks, contradictions) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            machine,
            entries,
            head,
            pending: None,
            cosigned: 0,
            complaints,
            setbacks,
            contradictions,
            progress: None,
        }
    }

    fn mirror(&self) -> Mirror {
        Mirror {
            origin: origin(),
            nation: CODES[0].parse().unwrap(),
            key: verifier_key(),
            scopes: vec![Scope::Mirror, Scope::Cosign],
            size: self.entries.len() as u64,
            root: if self.entries.is_empty() { EMPTY_ROOT } else { tree(&self.entries).root() },
            pending: self.pending.as_ref().map(|pending| pending.checkpoint().clone()),
            frozen: None,
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
            Action::SendHeads(to, _) => {
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
            Action::Cosign(origin) => {
                self.nodes[node].cosigned = self.nodes[node].head.as_ref().unwrap().checkpoint().size;
                self.queue.push((node, Event::Cosigned(origin, Ok(()))));
                self.queue.push((node, Event::HeadsChanged));
            }
            Action::FetchMissing(peer, origin, _) => {
                self.queue.push((node, Event::Missing(peer, origin, Round::Complete)));
            }
            Action::PullGround { peer, origin, .. } => {
                self.queue.push((node, Event::Ground(peer, origin, Round::Through)));
            }
            Action::Compare(origin, text) => {
                let smaller = chancery_schema::log::checkpoint::open(text.as_bytes(), &verifier_key()).unwrap();
                let size = usize::try_from(smaller.checkpoint().size).unwrap();
                let root = self.nodes[node].entries.get(..size).map(|entries| tree(entries).root());
                self.queue.push((node, Event::Compared(origin, text, root)));
            }
            Action::KeepContradiction(_, notes) => self.nodes[node].contradictions.push(notes),
            Action::Report(state) => self.nodes[node].progress = Some(state.progress),
            Action::Complain(_, problem) => self.nodes[node].complaints.push(problem),
            Action::Setback(_, problem) => self.nodes[node].setbacks.push(problem),
            // Pulls end at once in this world.
            Action::TakeCosignatures(..) | Action::StopPull(_) | Action::Hear(_) => {}
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
            let ended = Err(Failure::Wrong("a package was refused".to_owned()));
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
    assert_eq!(world.nodes[1].contradictions.len(), 1, "the proof is kept");
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
    let before = world.nodes[1].complaints.len();
    world.step(1, Event::Heads(peer(2), vec!["not a note".to_owned(); 100]));
    assert_eq!(world.nodes[1].complaints.len(), before + 1, "one for each message");
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

#[test]
fn a_smaller_head_of_another_history_freezes_the_mirror_and_the_proof_is_kept() {
    let mut world = World::new(5);
    world.settle();
    let other = head(&entries("other", 3)).to_string();
    world.step(1, Event::Heads(peer(2), vec![other.clone()]));
    world.settle();
    let Some(SyncProgress::Frozen { reason }) = &world.nodes[1].progress else {
        panic!("{:?}", world.nodes[1].progress);
    };
    assert!(reason.contains("two histories: 3 entries"), "{reason}");
    for root in [tree(&entries("other", 3)).root(), tree(&world.nodes[1].entries).root()] {
        assert!(reason.contains(&root.to_base64()), "both are named: {reason}");
    }
    assert_eq!(world.nodes[1].contradictions, [vec![other]]);
}

#[test]
fn a_log_that_was_frozen_before_a_restart_stays_so() {
    let mut scene = Scene::new(10, &[Manner::Honest]);
    scene.did.clear();
    let reason = "the log signed two roots".to_owned();
    scene.step(Event::Mirrors(vec![Mirror { frozen: Some(reason), ..scene.mirror() }]));
    // The archive is read again and again, and says the same or nothing.
    scene.step(Event::Mirrors(vec![scene.mirror()]));
    scene.pass(200);
    assert_eq!(scene.held, 0);
    assert!(!scene.did.iter().any(|action| matches!(action, Action::Cosign(_) | Action::Pull { .. })));
}

/// How a partner's node behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    Honest,
    /// Shows heads and answers nothing.
    Silent,
    /// Proves heads; its pulls bring nothing and do not end.
    Hanging,
    /// Its pulls bring an entry every twenty seconds.
    Dripping,
    /// Its pulls break at once.
    Breaking,
}

/// One machine among partners who all hold the true log and behave in their own way.
struct Scene {
    machine: Machine,
    manners: Vec<Manner>,
    entries: Vec<Digest>,
    held: usize,
    pending: Option<SignedCheckpoint>,
    pull: Option<(usize, usize)>,
    now: Timestamp,
    did: Vec<Action>,
}

impl Scene {
    fn new(logged: usize, manners: &[Manner]) -> Self {
        let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let mut scene = Self {
            machine: Machine::default(),
            manners: manners.to_vec(),
            entries: entries("true", logged),
            held: 0,
            pending: None,
            pull: None,
            now,
            did: Vec::new(),
        };
        scene.step(Event::Mirrors(vec![scene.mirror()]));
        for partner in 0..manners.len() {
            scene.step(Event::Connected(peer(partner), CODES[partner % 3].parse().unwrap()));
        }
        scene
    }

    fn mirror(&self) -> Mirror {
        Node::new(self.entries[..self.held].to_vec()).mirror()
    }

    fn step(&mut self, event: Event) {
        let actions = self.machine.step(event, self.now);
        self.did.extend(actions.iter().cloned());
        for action in actions {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::SendHeads(to, _) => self.step(Event::Heads(to, vec![head(&self.entries).to_string()])),
            Action::AskProof(of, origin, old, new) if self.manner(of) != Manner::Silent => {
                let proof = consistency_proof(&tree(&self.entries), old, new);
                self.step(Event::Proof(of, origin, proof));
            }
            Action::KeepPending(origin, note) => {
                self.pending = chancery_schema::log::checkpoint::open(note.as_bytes(), &verifier_key()).ok();
                self.step(Event::Pending(origin, Ok(())));
            }
            Action::Pull { peer: from, start, size, origin } => {
                assert!(self.pull.is_none(), "one pull of a log at a time");
                assert_eq!(usize::try_from(start).unwrap(), self.held);
                self.pull = Some((usize::from(from[0]), usize::try_from(size).unwrap()));
                if self.manner(from) == Manner::Breaking {
                    self.end(origin, Err(Failure::Unable("the link broke".to_owned())));
                }
            }
            Action::StopPull(origin) => self.end(origin, Err(Failure::Unable("it was told to stop".to_owned()))),
            Action::Cosign(origin) => self.step(Event::Cosigned(origin, Ok(()))),
            Action::FetchMissing(peer, origin, _) => self.step(Event::Missing(peer, origin, Round::Complete)),
            Action::PullGround { peer, origin, .. } => self.step(Event::Ground(peer, origin, Round::Through)),
            _ => {}
        }
    }

    fn manner(&self, of: PeerKey) -> Manner {
        self.manners[usize::from(of[0])]
    }

    fn end(&mut self, origin: Origin, ended: Result<(), Failure>) {
        if let Some((from, _)) = self.pull.take() {
            self.step(Event::PullEnded(peer(from), origin, ended));
        }
    }

    /// Entries come as the partner likes.
    fn flow(&mut self, second: i64) {
        let Some((from, target)) = self.pull else { return };
        let more = match self.manners[from] {
            Manner::Honest => 256,
            Manner::Dripping if second % 20 == 0 => 1,
            _ => return,
        };
        self.held = target.min(self.held + more);
        let root = tree(&self.entries[..self.held]).root();
        self.step(Event::Extended(origin(), self.held as u64, root));
        if self.held == target && self.pull.is_some() {
            self.end(origin(), Ok(()));
        }
    }

    /// Lets seconds pass; answers after how many everything was held.
    fn pass(&mut self, seconds: i64) -> Option<i64> {
        for second in 0..seconds {
            if self.held == self.entries.len() {
                return Some(second);
            }
            self.now = self.now.plus_seconds(1);
            self.flow(second);
            self.step(Event::Tick);
        }
        None
    }

    fn grow(&mut self, count: usize) {
        self.entries = entries("true", count);
        for partner in 0..self.manners.len() {
            self.step(Event::Heads(peer(partner), vec![head(&self.entries).to_string()]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..config() })]

    #[test]
    fn partners_that_are_silent_hang_or_drip_do_not_keep_a_log_from_an_honest_one(
        liars in prop::collection::vec(
            prop::sample::select(vec![Manner::Silent, Manner::Hanging, Manner::Dripping, Manner::Breaking]), 0..5),
        place in 0_usize..6,
    ) {
        let mut manners = liars;
        manners.insert(place.min(manners.len()), Manner::Honest);
        let liars = i64::try_from(manners.len()).unwrap() - 1;
        let mut scene = Scene::new(1500, &manners);
        // Each may cost its turn once, and what an honest pull takes comes on top.
        let first = scene.pass(30 + 90 * liars);
        prop_assert!(first.is_some(), "{manners:?} hold {} after {first:?}", scene.held);
        scene.pass(1);
        scene.grow(3000);
        let second = scene.pass(60 + 60 * liars);
        prop_assert!(second.is_some(), "{manners:?} hold {} after {second:?}", scene.held);
        prop_assert!(!scene.did.iter().any(|action| matches!(action, Action::Complain(..))), "nothing is proven");
    }
}

#[test]
fn a_partner_known_to_hang_costs_no_time_while_another_has_as_much() {
    let mut scene = Scene::new(600, &[Manner::Hanging, Manner::Honest]);
    assert!(scene.pass(100).is_some());
    for count in [1200, 1800, 2400, 3000] {
        scene.grow(count);
        let took = scene.pass(100).expect("it converges");
        assert!(took <= 8, "{took} seconds for {count}");
    }
}

#[test]
fn what_fails_with_one_partner_goes_on_with_another_at_once() {
    let mut scene = Scene::new(600, &[Manner::Breaking, Manner::Honest]);
    assert!(scene.pass(5).is_some());
}

#[test]
fn a_partner_that_leaves_during_a_pull_is_replaced() {
    let mut scene = Scene::new(600, &[Manner::Hanging, Manner::Honest]);
    assert_eq!(scene.pull.map(|pull| pull.0), Some(0));
    scene.step(Event::Disconnected(peer(0)));
    assert_eq!(scene.pull.map(|pull| pull.0), Some(1));
    assert!(scene.pass(5).is_some());
}

#[test]
fn a_head_that_is_never_made_durable_is_tried_again() {
    let mut machine = Machine::default();
    let start = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    machine.step(Event::Mirrors(vec![Node::new(Vec::new()).mirror()]), start);
    machine.step(Event::Connected(peer(0), CODES[0].parse().unwrap()), start);
    let note = head(&entries("true", 3)).to_string();
    let kept = |actions: &[Action]| actions.iter().any(|action| matches!(action, Action::KeepPending(..)));
    assert!(kept(&machine.step(Event::Heads(peer(0), vec![note]), start)));
    let ticks = (1..=200).filter(|second| kept(&machine.step(Event::Tick, start.plus_seconds(*second))));
    assert_eq!(ticks.count(), 1);
}

#[test]
fn a_stale_read_of_the_archive_does_not_make_a_mirror_smaller() {
    let mut scene = Scene::new(600, &[Manner::Honest]);
    let before = scene.mirror();
    assert!(scene.pass(10).is_some());
    scene.step(Event::Mirrors(vec![before]));
    scene.did.clear();
    scene.grow(601);
    assert!(scene.did.iter().any(|action| matches!(action, Action::AskProof(_, _, 600, 601))), "{:?}", scene.did);
}

#[test]
fn lines_that_were_looked_at_are_not_taken_again_until_they_are_lost_or_long_ago() {
    let mut scene = Scene::new(5, &[Manner::Honest]);
    scene.pass(5);
    let note = format!("{}— somebody AAAAAAAAAAAA\n", head(&scene.entries));
    let takes = |scene: &mut Scene, note: &str| {
        scene.did.clear();
        scene.step(Event::Heads(peer(0), vec![note.to_owned()]));
        scene.did.iter().filter(|action| matches!(action, Action::TakeCosignatures(..))).count()
    };
    assert_eq!(takes(&mut scene, &note), 1);
    assert_eq!(takes(&mut scene, &note), 0);
    let other = note.replace("somebody", "another");
    assert_eq!(takes(&mut scene, &other), 1);
    scene.step(Event::CosignaturesLost(origin()));
    assert_eq!(takes(&mut scene, &note), 1);
    scene.now = scene.now.plus_seconds(601);
    scene.step(Event::Tick);
    assert_eq!(takes(&mut scene, &note), 1);
    // Of logs that are neither mirrored nor the own one nothing is taken.
    let stranger = note.replace("fr.example.org", "xx.example.org");
    assert_eq!(takes(&mut scene, &stranger), 0);
    scene.step(Event::Own("xx.example.org/chancery".parse().unwrap()));
    assert_eq!(takes(&mut scene, &stranger), 1);
}

#[test]
fn a_head_of_the_own_log_is_taken_whoever_showed_the_like_of_it_before() {
    let mut scene = Scene::new(5, &[Manner::Honest]);
    let note = head(&scene.entries).to_string().replace("fr.example.org", "xx.example.org");
    let heard = |scene: &mut Scene, note: &str| {
        scene.did.clear();
        scene.step(Event::Heads(peer(0), vec![note.to_owned()]));
        scene.did.iter().filter(|action| matches!(action, Action::Hear(_))).count()
    };
    assert_eq!(heard(&mut scene, &note), 0, "it is a stranger's");
    scene.step(Event::Own("xx.example.org/chancery".parse().unwrap()));
    // A partner may show the same checkpoint without the log's signature first.
    let unsigned = format!("{}\n— somebody AAAAAAAAAAAA\n", note.split_once("\n\n").unwrap().0.to_owned() + "\n");
    assert_eq!(heard(&mut scene, &unsigned), 1);
    assert_eq!(heard(&mut scene, &note), 1);
    assert_eq!(heard(&mut scene, &note), 0);
}

#[test]
fn a_smaller_head_is_compared_once() {
    let mut scene = Scene::new(5, &[Manner::Honest]);
    scene.pass(5);
    let small = head(&scene.entries[..3]).to_string();
    for (times, expected) in [(1, 1), (3, 0)] {
        scene.did.clear();
        for _ in 0..times {
            scene.step(Event::Heads(peer(0), vec![small.clone()]));
        }
        let compared = scene.did.iter().filter(|action| matches!(action, Action::Compare(..))).count();
        assert_eq!(compared, expected);
        scene.step(Event::Compared(origin(), small.clone(), Some(tree(&scene.entries[..3]).root())));
    }
    let cosigned = format!("{small}— somebody AAAAAAAAAAAA\n");
    scene.did.clear();
    scene.step(Event::Heads(peer(0), vec![cosigned]));
    assert!(scene.did.iter().any(|action| matches!(action, Action::Compare(..))), "its cosignatures are new");
}

#[test]
fn cosigning_is_tried_again_and_follows_the_scopes() {
    let mut machine = Machine::default();
    let mut now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    let cosigns = |actions: &[Action]| actions.iter().filter(|action| matches!(action, Action::Cosign(_))).count();
    let mut mirror = Node::new(entries("true", 3)).mirror();
    mirror.scopes = vec![Scope::Mirror];
    assert_eq!(cosigns(&machine.step(Event::Mirrors(vec![mirror.clone()]), now)), 1);
    machine.step(Event::Cosigned(origin(), Err("the disk is full".to_owned())), now);
    now = now.plus_seconds(60);
    assert_eq!(cosigns(&machine.step(Event::Tick, now)), 1);
    machine.step(Event::Cosigned(origin(), Ok(())), now);
    now = now.plus_seconds(600);
    assert_eq!(cosigns(&machine.step(Event::Tick, now)), 0);
    mirror.scopes.push(Scope::Cosign);
    assert_eq!(cosigns(&machine.step(Event::Mirrors(vec![mirror.clone()]), now)), 1);
    machine.step(Event::Cosigned(origin(), Ok(())), now);
    assert_eq!(cosigns(&machine.step(Event::Mirrors(vec![mirror]), now)), 0);
}

#[test]
fn what_is_missing_is_asked_of_every_partner_and_from_every_place() {
    let mut machine = Machine::default();
    let mut now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    for (partner, code) in CODES.iter().enumerate() {
        machine.step(Event::Connected(peer(partner), code.parse().unwrap()), now);
    }
    let mut actions = machine.step(Event::Mirrors(vec![Node::new(entries("true", 3)).mirror()]), now);
    let place = (7, EMPTY_ROOT);
    let mut asked = Vec::new();
    for _ in 0..400 {
        let fetch = actions.into_iter().find_map(|action| match action {
            Action::FetchMissing(peer, _, after) => Some((peer, after)),
            _ => None,
        });
        let event = match fetch {
            Some((of, after)) => {
                asked.push((of[0], after.is_some()));
                let silent = asked.len() == 3;
                let round = if silent {
                    Round::Failed(Failure::Unable("it does not answer".to_owned()))
                } else if after.is_none() {
                    Round::More(Some(place))
                } else {
                    Round::Through
                };
                Event::Missing(of, origin(), round)
            }
            None => Event::Tick,
        };
        now = now.plus_seconds(1);
        actions = machine.step(event, now);
    }
    let expected =
        [(0, false), (0, true), (1, false), (2, false), (2, true), (0, false), (0, true), (1, false), (1, true)];
    assert_eq!(asked[..expected.len()], expected);
}

#[test]
fn cosignatures_that_were_shown_before_a_mirror_was_there_are_kept_when_it_is() {
    let mut scene = Scene::new(600, &[Manner::Silent, Manner::Honest]);
    let note = head(&scene.entries).to_string();
    for name in ["somebody", "another"] {
        scene.step(Event::Heads(peer(1), vec![format!("{note}— {name} AAAAAAAAAAAA\n")]));
    }
    assert!(scene.pass(200).is_some());
    scene.step(Event::Tick);
    let kept = scene.did.iter().find_map(|action| match action {
        Action::Compare(_, note) => Some(note.clone()),
        _ => None,
    });
    let kept = kept.expect("they are handed to the archive");
    assert!(kept.starts_with(&note) && kept.contains("— somebody") && kept.contains("— another"), "{kept}");
}

#[test]
fn no_more_is_asked_of_a_partner_at_once_than_it_serves() {
    let mut machine = Machine::default();
    let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    let named = |number: usize| -> Origin { format!("fr{number}.example.org/chancery").parse().unwrap() };
    let key = |number: usize| {
        let public = PublicKey::from_bytes(log_key().verifying_key().as_bytes()).unwrap();
        VerifierKey::new(named(number).as_str(), KeyType::Ed25519, public).unwrap()
    };
    let mirrors = (0..5).map(|number| Mirror { origin: named(number), key: key(number), ..Node::new(vec![]).mirror() });
    machine.step(Event::Mirrors(mirrors.collect()), now);
    machine.step(Event::Connected(peer(0), CODES[0].parse().unwrap()), now);
    let root = tree(&entries("true", 3)).root();
    let heads =
        (0..5).map(|number| sign(Checkpoint { origin: named(number), size: 3, root }, &log_key()).unwrap().to_string());
    let begun = |actions: &[Action]| actions.iter().filter(|action| matches!(action, Action::KeepPending(..))).count();
    assert_eq!(begun(&machine.step(Event::Heads(peer(0), heads.collect()), now)), 2);
    machine.step(Event::Pending(named(0), Ok(())), now);
    machine.step(Event::Extended(named(0), 3, root), now);
    assert_eq!(begun(&machine.step(Event::PullEnded(peer(0), named(0), Ok(())), now)), 1);
}

#[test]
fn pulls_of_cosigned_checkpoints_count_among_those_that_a_partner_serves() {
    let mut machine = Machine::default();
    let start = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    let named = |number: usize| -> Origin { format!("fr{number}.example.org/chancery").parse().unwrap() };
    let root = tree(&entries("true", 3)).root();
    let mirrors = (0..4).map(|number| Mirror { origin: named(number), size: 3, root, ..Node::new(vec![]).mirror() });
    machine.step(Event::Mirrors(mirrors.collect()), start);
    let asked =
        |actions: &[Action]| actions.iter().filter(|action| matches!(action, Action::PullGround { .. })).count();
    let mut begun = asked(&machine.step(Event::Connected(peer(0), CODES[0].parse().unwrap()), start));
    for second in 1..100 {
        begun += asked(&machine.step(Event::Tick, start.plus_seconds(second)));
    }
    assert_eq!(begun, 2);
    let ended = machine.step(Event::Ground(peer(0), named(0), Round::Through), start.plus_seconds(100));
    assert_eq!(asked(&ended), 1);
}

#[test]
fn cosigned_checkpoints_are_asked_for_after_growth_and_until_there_are_no_more() {
    let mut scene = Scene::new(600, &[Manner::Honest]);
    assert!(scene.pass(10).is_some());
    scene.did.clear();
    let start = scene.now;
    let mut machine = scene.machine.clone();
    let pulled = |actions: Vec<Action>| {
        actions.into_iter().find_map(|action| match action {
            Action::PullGround { after, size, .. } => Some((after, size)),
            _ => None,
        })
    };
    let first = (1..100).find_map(|second| pulled(machine.step(Event::Tick, start.plus_seconds(second))));
    assert_eq!(first, Some((0, 600)));
    let now = start.plus_seconds(100);
    let next = pulled(machine.step(Event::Ground(peer(0), origin(), Round::More(300)), now));
    assert_eq!(next, Some((300, 600)));
    let none = pulled(machine.step(Event::Ground(peer(0), origin(), Round::Through), now));
    assert_eq!(none, None);
    assert_eq!(pulled(machine.step(Event::Tick, now.plus_seconds(3600))), None);
    assert_eq!(pulled(machine.step(Event::Tick, now.plus_seconds(25 * 3600))), Some((0, 600)));
}

#[test]
fn all_heads_are_shown_now_and_then_and_changed_ones_in_between() {
    let mut machine = Machine::default();
    let start = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    let shown = |actions: Vec<Action>| {
        actions.into_iter().find_map(|action| match action {
            Action::SendHeads(_, which) => Some(which),
            _ => None,
        })
    };
    assert_eq!(shown(machine.step(Event::Connected(peer(0), CODES[0].parse().unwrap()), start)), Some(Which::All));
    assert_eq!(shown(machine.step(Event::HeadsChanged, start)), Some(Which::Changed));
    let ticks: Vec<_> = (1..=300).map(|second| shown(machine.step(Event::Tick, start.plus_seconds(second)))).collect();
    assert_eq!(ticks.iter().flatten().filter(|which| **which == Which::Changed).count(), 4);
    assert_eq!(ticks.last(), Some(&Some(Which::All)));
}

#[test]
fn heads_are_split_into_messages_that_fit() {
    let note = "x".repeat(100_000);
    let notes: Vec<String> = (0..100).map(|number| format!("{number} {note}")).collect();
    let messages = chancery_p2p_node::protocol::messages(notes.clone());
    assert_eq!(messages.concat(), notes, "none is lost and their order stays");
    let largest = messages.iter().map(|message| message.iter().map(|note| note.len() + 9).sum::<usize>()).max();
    assert!(messages.len() == 3 && largest < Some(4 << 20), "{} {largest:?}", messages.len());
    assert_eq!(chancery_p2p_node::protocol::messages(vec![String::new(); 1200]).len(), 3);
    assert!(chancery_p2p_node::protocol::messages(vec!["x".repeat(200_000)]).is_empty(), "nobody takes it");
}
