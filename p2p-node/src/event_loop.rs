//! The one task that owns the swarm. It decides nothing: it tells the sync machine what happened and
//! carries out what that answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chancery_registry::{Clock, LogChanged, Registry};
use chancery_schema::name::Origin;
use chancery_schema::time::Timestamp;
use futures::StreamExt as _;
use libp2p::metrics::{Metrics, Recorder as _};
use libp2p::request_response::{self, OutboundRequestId, ResponseChannel};
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::Error;
use crate::archive::{self, PartnersRead, Place};
use crate::behaviour::{Behaviour, BehaviourEvent};
use crate::bulk::{self, BULK, BulkError, News, Wanted};
use crate::contact::{Contact, Telling};
use crate::metrics::Measures;
use crate::partner::Book;
use crate::protocol::{Request, Response, messages};
use crate::serving;
use crate::sync::{Action, Event, Failure, Machine, PeerKey, Round, Which};
use crate::work::Work;

/// Results of work that wait for the loop. It empties them faster than work ends.
const RESULTS: usize = 256;

/// How often time is told to the machine.
const TICK: Duration = Duration::from_secs(1);

/// Heads are shown this long after a change: changes come in flocks.
const HEADS_DELAY: Duration = Duration::from_millis(100);

/// How long after one message of heads the next one goes to the same partner.
const HEADS_PAUSE: Duration = Duration::from_millis(250);

/// How long it may take to open a stream.
const OPENING: Duration = Duration::from_secs(20);

/// How often partners and heads are read again though nothing changed: accreditations end with time.
const PARTNERS_SECONDS: i64 = 60;

/// What work tells the loop when it is done.
enum Done {
    Event(Event),
    Respond(PeerId, ResponseChannel<Response>, Response),
    /// A question of this partner will not be answered.
    Unanswered(PeerId),
    Ask(PeerKey, Request, oneshot::Sender<Option<Response>>),
    Partners(Option<PartnersRead>),
    Heads(Option<Vec<String>>),
    /// A partner saw these heads.
    Saw(PeerId, Vec<String>),
    /// A partner was shown what there was to show.
    Shown(PeerId),
}

/// A question that waits for its answer.
enum Asked {
    Proof(Origin),
    Other(oneshot::Sender<Option<Response>>),
}

pub struct EventLoop {
    swarm: Swarm<Behaviour>,
    registry: Registry,
    /// The time when it began; from then on time passes at the pace of a clock that nobody sets.
    began: (Timestamp, Instant),
    machine: Machine,
    book: Book,
    contacts: BTreeMap<PeerId, Contact>,
    asked: BTreeMap<OutboundRequestId, (PeerKey, Asked)>,
    /// Dropped to stop the pull of a log.
    pulls: BTreeMap<Origin, oneshot::Sender<()>>,
    work: Work<Done>,
    results: mpsc::Receiver<Done>,
    done: mpsc::Sender<Done>,
    changes: broadcast::Receiver<LogChanged>,
    /// The heads of all logs held, as they were last read.
    heads: Arc<Vec<String>>,
    heads_due: Option<Instant>,
    partners_read: Timestamp,
    measures: Measures,
    libp2p: Metrics,
    addresses: watch::Sender<Vec<Multiaddr>>,
}

impl EventLoop {
    pub async fn new(
        mut swarm: Swarm<Behaviour>,
        registry: Registry,
        clock: Clock,
        measures: Measures,
        libp2p: Metrics,
        addresses: watch::Sender<Vec<Multiaddr>>,
    ) -> Result<Self, Error> {
        let changes = registry.watch();
        let read = archive::partners(&registry).await?;
        let heads = Arc::new(archive::heads(&registry).await?);
        let (done, results) = mpsc::channel(RESULTS);
        let mut work = Work::new();
        let mut control = swarm.behaviour_mut().bulk.new_control();
        let streams = control.accept(BULK).map_err(|error| Error::Start(error.to_string()))?;
        work.begin(serving::serve(streams, registry.clone()), None);
        let mut event_loop = Self {
            swarm,
            registry,
            began: (clock(), Instant::now()),
            machine: Machine::default(),
            book: Book::default(),
            contacts: BTreeMap::new(),
            asked: BTreeMap::new(),
            pulls: BTreeMap::new(),
            work,
            results,
            done,
            changes,
            heads,
            heads_due: None,
            partners_read: Timestamp::default(),
            measures,
            libp2p,
            addresses,
        };
        if let Some(own) = event_loop.registry.own_origin().cloned() {
            event_loop.happened(Event::Own(own));
        }
        event_loop.partners(read);
        Ok(event_loop)
    }

    /// Runs until asked to stop. Work in hand, such as a write, is finished.
    pub async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let heads_due = self.heads_due;
            tokio::select! {
                _ = &mut stop => break,
                event = self.swarm.select_next_some() => self.swarm_event(event),
                Some(done) = self.results.recv() => self.done(done),
                change = self.changes.recv() => self.changed(change),
                () = until(heads_due) => self.read_heads(),
                _ = ticks.tick() => self.tick(),
                instead = self.work.ended() => self.make_up(instead),
            }
        }
        for peer in std::mem::take(&mut self.contacts).into_keys() {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        self.work.shutdown().await;
    }

    /// The time that deadlines are reckoned in. The wall clock may step, and a deadline must not move years away.
    fn now(&self) -> Timestamp {
        let (began, since) = self.began;
        began.plus_seconds(i64::try_from(since.elapsed().as_secs()).unwrap_or(i64::MAX))
    }

    fn happened(&mut self, event: Event) {
        let actions = self.machine.step(event, self.now());
        for action in actions {
            self.act(action);
        }
    }

    fn swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        self.libp2p.record(&event);
        match event {
            SwarmEvent::NewListenAddr { address, .. } => self.addresses.send_modify(|all| all.push(address)),
            SwarmEvent::ConnectionEstablished { peer_id, num_established, .. } if num_established.get() == 1 => {
                let Some(known) = self.book.find(&peer_id).cloned() else { return };
                self.contacts.insert(peer_id, Contact::default());
                self.measures.connected(self.contacts.len());
                info!(nation = %known.nation, peer = %peer_id, "A partner's node is connected");
                self.happened(Event::Connected(known.key, known.nation));
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                if let Some(known) = self.book.find(&peer_id).cloned() {
                    self.lost(&peer_id, known.key);
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => self.sync_event(event),
            _ => {}
        }
    }

    fn lost(&mut self, peer: &PeerId, key: PeerKey) {
        if self.contacts.remove(peer).is_some() {
            self.measures.connected(self.contacts.len());
            info!(%peer, "A partner's node is gone");
            self.happened(Event::Disconnected(key));
        }
    }

    fn sync_event(&mut self, event: request_response::Event<Request, Response>) {
        use request_response::Message;
        match event {
            request_response::Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                self.answer(peer, request, channel);
            }
            request_response::Event::Message { message: Message::Response { request_id, response }, peer, .. } => {
                let now = self.now();
                self.book.answered(&peer, now);
                self.answered(request_id, Some(response).filter(Response::is_bounded));
            }
            request_response::Event::OutboundFailure { request_id, .. } => self.answered(request_id, None),
            _ => {}
        }
    }

    /// Answers a partner's question, in a task of its own where the archive is asked. Who asks too much
    /// at once is told so.
    fn answer(&mut self, peer: PeerId, request: Request, channel: ResponseChannel<Response>) {
        let Some(key) = self.book.find(&peer).filter(|_| request.is_bounded()).map(|known| known.key) else { return };
        let Some(contact) = self.contacts.get_mut(&peer) else { return };
        let busy = || Response::Refused { code: "busy".to_owned() };
        if let Request::Heads { notes } = request {
            if !contact.may_show(Instant::now()) {
                return self.respond(channel, busy());
            }
            // What does not fit is shown in messages of their own.
            let unseen = messages(contact.unseen(&self.heads)).into_iter().next().unwrap_or_default();
            contact.saw(&unseen);
            self.respond(channel, Response::Heads { notes: unseen });
            return self.happened(Event::Heads(key, notes));
        }
        if !contact.may_ask() {
            return self.respond(channel, busy());
        }
        let (registry, done) = (self.registry.clone(), self.done.clone());
        let answer = async move {
            let response = archive::respond(&registry, request).await;
            let _ = done.send(Done::Respond(peer, channel, response)).await;
        };
        let unanswered = self.work.queue(answer, Some(Done::Unanswered(peer)));
        self.make_up(unanswered);
    }

    fn respond(&mut self, channel: ResponseChannel<Response>, response: Response) {
        // The partner may have gone.
        let _ = self.swarm.behaviour_mut().sync.send_response(channel, response);
    }

    fn answered(&mut self, id: OutboundRequestId, response: Option<Response>) {
        match (self.asked.remove(&id), response) {
            (Some((peer, Asked::Proof(origin))), response) => {
                let proof = match response {
                    Some(Response::Consistency { proof }) => Some(proof),
                    _ => None,
                };
                self.happened(Event::Proof(peer, origin, proof));
            }
            // Whoever asked may have gone.
            (Some((_, Asked::Other(answer))), response) => drop(answer.send(response)),
            _ => {}
        }
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Event(event) => self.happened(event),
            Done::Respond(peer, channel, response) => {
                self.contacts.get_mut(&peer).into_iter().for_each(Contact::answered);
                self.respond(channel, response);
            }
            Done::Unanswered(peer) => self.contacts.get_mut(&peer).into_iter().for_each(Contact::answered),
            Done::Ask(peer, request, answer) => self.ask(peer, request, Asked::Other(answer)),
            Done::Partners(read) => read.into_iter().for_each(|read| self.partners(read)),
            Done::Heads(Some(heads)) => {
                self.heads = Arc::new(heads);
                self.happened(Event::HeadsChanged);
            }
            // Whatever kept the archive from being read may be over soon.
            Done::Heads(None) => self.heads_due = Some(Instant::now() + TICK),
            Done::Saw(peer, notes) => {
                if let Some(contact) = self.contacts.get_mut(&peer) {
                    contact.saw(&notes);
                }
            }
            Done::Shown(peer) => {
                let heads = Arc::clone(&self.heads);
                let next = self.contacts.get_mut(&peer).and_then(|contact| contact.shown(&heads));
                if let (Some(which), Some(key)) = (next, self.book.find(&peer).map(|known| known.key)) {
                    self.send_heads(key, which);
                }
            }
        }
    }

    /// Work that ended without a word, or was too much, is reported in its place.
    fn make_up(&mut self, instead: Option<Done>) {
        if let Some(done) = instead {
            self.done(done);
        }
    }

    fn changed(&mut self, change: Result<LogChanged, broadcast::error::RecvError>) {
        self.heads_due.get_or_insert_with(|| Instant::now() + HEADS_DELAY);
        // A signal that was missed may have been about partners.
        if change.is_ok_and(|change| !change.grew) {
            return;
        }
        self.partners_read = Timestamp::default();
    }

    fn read_heads(&mut self) {
        self.heads_due = None;
        let (registry, done) = (self.registry.clone(), self.done.clone());
        let reading = async move {
            let heads = archive::heads(&registry).await.inspect_err(|error| {
                warn!(error = error as &dyn std::error::Error, "Failed to read the heads");
            });
            let _ = done.send(Done::Heads(heads.ok())).await;
        };
        self.work.begin(reading, Some(Done::Heads(None)));
    }

    fn tick(&mut self) {
        let now = self.now();
        if self.partners_read.plus_seconds(PARTNERS_SECONDS) <= now {
            self.partners_read = now;
            self.heads_due.get_or_insert_with(Instant::now);
            let (registry, done) = (self.registry.clone(), self.done.clone());
            let reading = async move {
                let read = archive::partners(&registry).await.inspect_err(|error| {
                    warn!(error = error as &dyn std::error::Error, "Failed to read the partners");
                });
                let _ = done.send(Done::Partners(read.ok())).await;
            };
            self.work.begin(reading, None);
        }
        let contacts = &self.contacts;
        for (peer, addresses) in self.book.due(|peer| contacts.contains_key(peer), now) {
            let call = DialOpts::peer_id(peer).condition(PeerCondition::DisconnectedAndNotDialing).addresses(addresses);
            // It is called again when the wait is over.
            let _ = self.swarm.dial(call.build());
        }
        self.happened(Event::Tick);
    }

    fn partners(&mut self, (partners, mirrors): PartnersRead) {
        let now = self.now();
        self.partners_read = now;
        let (all, went) = self.book.rewrite(&partners, now);
        for peer in all {
            self.swarm.behaviour_mut().allowed.allow_peer(peer);
        }
        for (peer, known) in went {
            self.lost(&peer, known.key);
            self.swarm.behaviour_mut().allowed.disallow_peer(peer);
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        self.happened(Event::Mirrors(mirrors));
    }

    fn act(&mut self, action: Action) {
        let registry = self.registry.clone();
        match action {
            Action::SendHeads(peer, which) => self.send_heads(peer, which),
            Action::AskProof(peer, origin, old, new) => {
                self.ask(peer, Request::Consistency { origin: origin.clone(), old, new }, Asked::Proof(origin));
            }
            Action::KeepPending(origin, note) => {
                let lost = Event::Pending(origin.clone(), Err("this node failed".to_owned()));
                self.small(async { Some(archive::keep_pending(registry, origin, note).await) }, Some(lost));
            }
            Action::Pull { peer, origin, start, size } => self.pull(peer, Wanted { origin, start, size, ground: None }),
            Action::StopPull(origin) => drop(self.pulls.remove(&origin)),
            Action::TakeCosignatures(origin, size, lines) => {
                let lost = Event::CosignaturesLost(origin.clone());
                self.small(archive::take_cosignatures(registry, origin, size, lines), Some(lost));
            }
            Action::Compare(origin, note) => {
                let lost = Event::CosignaturesLost(origin.clone());
                self.small(async { Some(archive::compare(registry, origin, note).await) }, Some(lost));
            }
            Action::Hear(note) => self.small(archive::hear(registry, note), None),
            Action::KeepContradiction(origin, notes) => {
                self.work.begin(archive::keep_contradiction(registry, origin, notes), None);
            }
            Action::Cosign(origin) => {
                let lost = Event::Cosigned(origin.clone(), Err("this node failed".to_owned()));
                self.small(async { Some(archive::cosign(registry, origin).await) }, Some(lost));
            }
            Action::PullGround { peer, origin, after, size } => self.pull_ground(peer, origin, after, size),
            Action::FetchMissing(peer, origin, after) => self.fetch_missing(peer, origin, after),
            Action::Report(state) => {
                self.measures.sync(&state);
                self.registry.set_sync_state(state);
            }
            Action::Complain(peer, problem) => {
                self.measures.complaint();
                if let Some(untold) = self.may_tell(&peer, |contact| &mut contact.complaints) {
                    warn!(nation = self.nation(&peer), problem, untold, "A partner is complained of");
                }
            }
            Action::Setback(peer, problem) => {
                self.measures.setback();
                if let Some(untold) = self.may_tell(&peer, |contact| &mut contact.setbacks) {
                    info!(nation = self.nation(&peer), problem, untold, "Exchange with a partner did not work");
                }
            }
        }
    }

    fn nation(&self, peer: &PeerKey) -> Option<String> {
        self.book.peer(peer).and_then(|peer| self.book.find(&peer)).map(|known| known.nation.to_string())
    }

    /// Whether to tell of something in the log, and how many were not told before.
    fn may_tell(&mut self, peer: &PeerKey, of: impl Fn(&mut Contact) -> &mut Telling) -> Option<u64> {
        let contact = self.book.peer(peer).and_then(|peer| self.contacts.get_mut(&peer));
        contact.map_or(Some(0), |contact| of(contact).may_tell(Instant::now()))
    }

    /// Work on the archive that ends with an event, or with nothing to say; `lost` is told if it cannot
    /// be done.
    fn small(&mut self, work: impl Future<Output = Option<Event>> + Send + 'static, lost: Option<Event>) {
        let done = self.done.clone();
        let task = async move {
            if let Some(event) = work.await {
                let _ = done.send(Done::Event(event)).await;
            }
        };
        let instead = self.work.queue(task, lost.map(Done::Event));
        self.make_up(instead);
    }

    fn ask(&mut self, peer: PeerKey, request: Request, asked: Asked) {
        let connected = self.book.peer(&peer).filter(|peer| self.contacts.contains_key(peer));
        match (connected, asked) {
            (Some(id), asked) => {
                let id = self.swarm.behaviour_mut().sync.send_request(&id, request);
                self.asked.insert(id, (peer, asked));
            }
            (None, Asked::Proof(origin)) => self.happened(Event::Proof(peer, origin, None)),
            // Whoever asked sees that nobody answers.
            (None, Asked::Other(_)) => {}
        }
    }

    /// Shows a partner heads, message by message, and one showing at a time. What it has not answered
    /// counts as not seen.
    fn send_heads(&mut self, key: PeerKey, which: Which) {
        let Some(peer) = self.book.peer(&key) else { return };
        let Some(contact) = self.contacts.get_mut(&peer) else { return };
        let notes = contact.show(which, &self.heads);
        if notes.is_empty() {
            return;
        }
        let done = self.done.clone();
        let showing = async move {
            for notes in messages(notes) {
                let answer = put(&done, key, Request::Heads { notes: notes.clone() }).await;
                let Some(Response::Heads { notes: theirs }) = answer else { break };
                let _ = done.send(Done::Saw(peer, notes)).await;
                let _ = done.send(Done::Event(Event::Heads(key, theirs))).await;
                tokio::time::sleep(HEADS_PAUSE).await;
            }
            let _ = done.send(Done::Shown(peer)).await;
        };
        self.work.begin(showing, Some(Done::Shown(peer)));
    }

    fn pull(&mut self, peer: PeerKey, wanted: Wanted) {
        let (done, origin) = (self.done.clone(), wanted.origin.clone());
        let (stop, stopped) = oneshot::channel();
        // A pull of this log that still runs ends by this.
        self.pulls.insert(origin.clone(), stop);
        let lost = Event::PullEnded(peer, origin.clone(), Err(Failure::Ours("this node failed".to_owned())));
        let pulling = self.stream(peer, wanted, stopped);
        let task = async move {
            let ended = pulling.await.map(drop);
            let _ = done.send(Done::Event(Event::PullEnded(peer, origin, ended))).await;
        };
        self.work.begin(task, Some(Done::Event(lost)));
    }

    fn pull_ground(&mut self, peer: PeerKey, origin: Origin, after: u64, size: u64) {
        let done = self.done.clone();
        let (running, stopped) = oneshot::channel();
        let lost = Round::Failed(Failure::Ours("this node failed".to_owned()));
        let lost = Event::Ground(peer, origin.clone(), lost);
        let wanted = Wanted { origin: origin.clone(), start: size, size, ground: Some(after) };
        let pulling = self.stream(peer, wanted, stopped);
        let task = async move {
            let round = match pulling.await {
                Ok(Some(after)) => Round::More(after),
                Ok(None) => Round::Through,
                Err(failure) => Round::Failed(failure),
            };
            // Nobody stops it: it ends by its own bounds.
            drop(running);
            let _ = done.send(Done::Event(Event::Ground(peer, origin, round))).await;
        };
        self.work.begin(task, Some(Done::Event(lost)));
    }

    /// Opens a stream to a partner and pulls what is wanted.
    fn stream(
        &mut self,
        peer: PeerKey,
        wanted: Wanted,
        stopped: oneshot::Receiver<()>,
    ) -> impl Future<Output = Result<Option<u64>, Failure>> + Send + 'static {
        let id = self.book.peer(&peer);
        let mut control = self.swarm.behaviour_mut().bulk.new_control();
        let (registry, done) = (self.registry.clone(), self.done.clone());
        async move {
            let id = id.ok_or_else(|| Failure::Unable("the partner is gone".to_owned()))?;
            let opening = tokio::time::timeout(OPENING, control.open_stream(id, BULK)).await;
            let stream = opening.map_err(|_| Failure::from(BulkError::Silent))?;
            let unable = |error| Failure::Unable(format!("no stream could be opened: {error}"));
            let stream = stream.map_err(unable)?;
            let event = |news| match news {
                News::Extended(size, root) => Done::Event(Event::Extended(wanted.origin.clone(), size, root)),
                News::Contradicted(note, held) => Done::Event(Event::Compared(wanted.origin.clone(), note, Some(held))),
            };
            let pull = bulk::Pull { wanted: &wanted, registry: &registry, tell: (done, event), stop: stopped };
            pull.run(stream).await.map_err(Failure::from)
        }
    }

    fn fetch_missing(&mut self, peer: PeerKey, origin: Origin, after: Option<Place>) {
        let (registry, done) = (self.registry.clone(), self.done.clone());
        let lost = Round::Failed(Failure::Ours("this node failed".to_owned()));
        let lost = Event::Missing(peer, origin.clone(), lost);
        let task = async move {
            let round = archive::fetch_missing(&registry, &origin, after, |request| put(&done, peer, request)).await;
            let _ = done.send(Done::Event(Event::Missing(peer, origin, round))).await;
        };
        self.work.begin(task, Some(Done::Event(lost)));
    }
}

/// Puts a question to a partner from beside the loop; no answer is none.
async fn put(done: &mpsc::Sender<Done>, peer: PeerKey, request: Request) -> Option<Response> {
    let (answer, answered) = oneshot::channel();
    done.send(Done::Ask(peer, request, answer)).await.ok()?;
    answered.await.ok().flatten()
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
