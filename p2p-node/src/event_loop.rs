//! The one task that owns the swarm. It decides nothing: it tells the sync machine what happened and
//! carries out what that answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chancery_registry::{Clock, LogChanged, Registry};
use chancery_schema::frame::Frame;
use chancery_schema::name::Origin;
use chancery_schema::time::Timestamp;
use futures::StreamExt as _;
use libp2p::metrics::{Metrics, Recorder as _};
use libp2p::request_response::{self, OutboundRequestId, ResponseChannel};
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId, Swarm};
use serde_bytes::ByteBuf;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::Error;
use crate::behaviour::{Behaviour, BehaviourEvent};
use crate::bulk::{self, BULK, Wanted};
use crate::metrics::Measures;
use crate::partner::Book;
use crate::protocol::{Request, Response};
use crate::sync::{Action, Event, Machine, Mirror, PeerKey};

/// Results of work that wait for the loop. It empties them faster than work ends.
const RESULTS: usize = 256;

/// Streams of entries that are served at once.
const SERVED_MAX: usize = 8;

/// How often time is told to the machine.
const TICK: Duration = Duration::from_secs(1);

/// Heads are shown this long after a change: changes come in flocks.
const HEADS_DELAY: Duration = Duration::from_millis(100);

/// How often partners are read again though nothing changed: accreditations end with time.
const PARTNERS_SECONDS: i64 = 60;

/// Missing bodies that are asked for at once.
const MISSING_AT_ONCE: u64 = 16;

/// Partners, and the logs that are mirrored of them.
type PartnersRead = (Vec<chancery_registry::Partner>, Vec<Mirror>);

/// What work tells the loop when it is done.
enum Done {
    Event(Event),
    Respond(ResponseChannel<Response>, Response),
    Ask(PeerKey, Request, oneshot::Sender<Option<Response>>),
    Partners(PartnersRead),
}

/// A question that waits for its answer.
enum Asked {
    Proof(Origin),
    Other(oneshot::Sender<Option<Response>>),
}

pub struct EventLoop {
    swarm: Swarm<Behaviour>,
    registry: Registry,
    clock: Clock,
    machine: Machine,
    book: Book,
    connected: BTreeSet<PeerId>,
    asked: BTreeMap<OutboundRequestId, (PeerKey, Asked)>,
    work: JoinSet<()>,
    results: mpsc::Receiver<Done>,
    done: mpsc::Sender<Done>,
    changes: broadcast::Receiver<LogChanged>,
    heads_due: Option<tokio::time::Instant>,
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
        let read = read_partners(&registry).await?;
        let (done, results) = mpsc::channel(RESULTS);
        let mut work = JoinSet::new();
        let mut control = swarm.behaviour_mut().bulk.new_control();
        let streams = control.accept(BULK).map_err(|error| Error::Start(error.to_string()))?;
        work.spawn(serve(streams, registry.clone()));
        let mut event_loop = Self {
            swarm,
            registry,
            clock,
            machine: Machine::default(),
            book: Book::default(),
            connected: BTreeSet::new(),
            asked: BTreeMap::new(),
            work,
            results,
            done,
            changes,
            heads_due: None,
            partners_read: Timestamp::default(),
            measures,
            libp2p,
            addresses,
        };
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
                () = until(heads_due) => {
                    self.heads_due = None;
                    self.happened(Event::HeadsChanged);
                }
                _ = ticks.tick() => self.tick(),
                Some(_) = self.work.join_next() => {}
            }
        }
        for peer in std::mem::take(&mut self.connected) {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        self.work.shutdown().await;
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
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
                self.connected.insert(peer_id);
                self.measures.connected(self.connected.len());
                info!(nation = %known.nation, peer = %peer_id, "A partner's node is connected");
                self.happened(Event::Connected(known.key, known.nation));
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => self.lost(&peer_id),
            SwarmEvent::Behaviour(BehaviourEvent::Sync(event)) => self.sync_event(event),
            _ => {}
        }
    }

    fn lost(&mut self, peer: &PeerId) {
        if !self.connected.remove(peer) {
            return;
        }
        self.measures.connected(self.connected.len());
        if let Some(known) = self.book.find(peer).cloned() {
            info!(nation = %known.nation, peer = %peer, "A partner's node is gone");
            self.happened(Event::Disconnected(known.key));
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

    /// Answers a partner's question, in a task of its own.
    fn answer(&mut self, peer: PeerId, request: Request, channel: ResponseChannel<Response>) {
        let Some(known) = self.book.find(&peer).filter(|_| request.is_bounded()) else { return };
        let key = known.key;
        if let Request::Heads { notes } = &request {
            self.happened(Event::Heads(key, notes.clone()));
        }
        let (registry, done) = (self.registry.clone(), self.done.clone());
        self.work.spawn(async move {
            let response = respond(&registry, request).await;
            let _ = done.send(Done::Respond(channel, response)).await;
        });
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
            Done::Respond(channel, response) => {
                // The partner may have gone.
                let _ = self.swarm.behaviour_mut().sync.send_response(channel, response);
            }
            Done::Ask(peer, request, answer) => self.ask(peer, request, Asked::Other(answer)),
            Done::Partners(read) => self.partners(read),
        }
    }

    fn changed(&mut self, change: Result<LogChanged, broadcast::error::RecvError>) {
        self.heads_due.get_or_insert_with(|| tokio::time::Instant::now() + HEADS_DELAY);
        // A signal that was missed may have been about partners.
        if change.is_ok_and(|change| !change.grew) {
            return;
        }
        self.partners_read = Timestamp::default();
    }

    fn tick(&mut self) {
        let now = self.now();
        if self.partners_read.plus_seconds(PARTNERS_SECONDS) <= now {
            self.partners_read = now;
            let (registry, done) = (self.registry.clone(), self.done.clone());
            self.work.spawn(async move {
                match read_partners(&registry).await {
                    Ok(read) => drop(done.send(Done::Partners(read)).await),
                    Err(error) => warn!(error = &error as &dyn std::error::Error, "Failed to read the partners"),
                }
            });
        }
        for (peer, addresses) in self.book.due(&self.connected, now) {
            let call = DialOpts::peer_id(peer).condition(PeerCondition::DisconnectedAndNotDialing).addresses(addresses);
            // It is called again when the wait is over.
            let _ = self.swarm.dial(call.build());
        }
        self.happened(Event::Tick);
    }

    fn partners(&mut self, (partners, mirrors): PartnersRead) {
        let now = self.now();
        self.partners_read = now;
        let (came, went) = self.book.rewrite(&partners, now);
        for peer in came {
            self.swarm.behaviour_mut().allowed.allow_peer(peer);
        }
        for peer in went {
            self.swarm.behaviour_mut().allowed.disallow_peer(peer);
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        self.happened(Event::Mirrors(mirrors));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::SendHeads(peer) => self.send_heads(peer),
            Action::AskProof(peer, origin, old, new) => {
                self.ask(peer, Request::Consistency { origin: origin.clone(), old, new }, Asked::Proof(origin));
            }
            Action::KeepPending(origin, note) => self.work_for(|registry| async move {
                let kept = registry.set_pending(&origin, &note).await.map_err(|error| error.to_string());
                Some(Event::Pending(origin, kept))
            }),
            Action::Pull { peer, origin, start, size } => self.pull(peer, Wanted { origin, start, size }),
            Action::TakeCosignatures(origin, size, lines) => self.work_for(|registry| async move {
                if let Err(error) = registry.add_cosignatures(&origin, size, &lines).await {
                    warn!(log.origin = %origin, error = &error as &dyn std::error::Error, "Failed to keep cosignatures");
                }
                None
            }),
            Action::Cosign(origin) => self.work_for(|registry| async move {
                if let Err(error) = registry.cosign(&origin).await {
                    warn!(log.origin = %origin, error = &error as &dyn std::error::Error, "Failed to cosign");
                }
                None
            }),
            Action::FetchMissing(peer, origin) => self.fetch_missing(peer, origin),
            Action::Report(state) => {
                self.measures.sync(&state);
                self.registry.set_sync_state(state);
            }
            Action::Complain(peer, problem) => {
                self.measures.complaint();
                let nation = self.book.peer(&peer).and_then(|peer| self.book.find(&peer)).map(|it| it.nation.to_string());
                warn!(nation, problem, "A partner is complained of");
            }
        }
    }

    /// Work on the archive that ends with an event, or with nothing to say.
    fn work_for<F>(&mut self, work: impl FnOnce(Registry) -> F)
    where
        F: Future<Output = Option<Event>> + Send + 'static,
    {
        let (work, done) = (work(self.registry.clone()), self.done.clone());
        self.work.spawn(async move {
            if let Some(event) = work.await {
                let _ = done.send(Done::Event(event)).await;
            }
        });
    }

    fn ask(&mut self, peer: PeerKey, request: Request, asked: Asked) {
        let connected = self.book.peer(&peer).filter(|peer| self.connected.contains(peer));
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

    fn send_heads(&mut self, peer: PeerKey) {
        let (registry, done) = (self.registry.clone(), self.done.clone());
        self.work.spawn(async move {
            let (answer, answered) = oneshot::channel();
            let notes = heads(&registry).await;
            let _ = done.send(Done::Ask(peer, Request::Heads { notes }, answer)).await;
            if let Ok(Some(Response::Heads { notes })) = answered.await {
                let _ = done.send(Done::Event(Event::Heads(peer, notes))).await;
            }
        });
    }

    fn pull(&mut self, peer: PeerKey, wanted: Wanted) {
        let Some(id) = self.book.peer(&peer) else {
            return self.happened(Event::PullEnded(peer, wanted.origin, Err("the partner is gone".to_owned())));
        };
        let mut control = self.swarm.behaviour_mut().bulk.new_control();
        let (registry, done) = (self.registry.clone(), self.done.clone());
        self.work.spawn(async move {
            let extended = |size, root| Done::Event(Event::Extended(wanted.origin.clone(), size, root));
            let ended = match control.open_stream(id, BULK).await {
                Ok(stream) => {
                    let ended = bulk::pull(stream, &wanted, &registry, &done, extended).await;
                    ended.map_err(|error| error.to_string())
                }
                Err(error) => Err(format!("no stream could be opened: {error}")),
            };
            let _ = done.send(Done::Event(Event::PullEnded(peer, wanted.origin, ended))).await;
        });
    }

    fn fetch_missing(&mut self, peer: PeerKey, origin: Origin) {
        let (registry, done) = (self.registry.clone(), self.done.clone());
        self.work.spawn(async move {
            let missing = registry.missing(&origin, MISSING_AT_ONCE).await.unwrap_or_default();
            for digest in missing {
                let (answer, answered) = oneshot::channel();
                let _ = done.send(Done::Ask(peer, Request::Piece { digest }, answer)).await;
                let Ok(Some(Response::Piece { is_envelope, bytes })) = answered.await else { continue };
                let bytes = bytes.into_vec();
                let piece = if is_envelope { Frame::Envelope(bytes) } else { Frame::Blob(bytes) };
                if let Err(error) = registry.add_bodies(&origin, &[piece]).await {
                    warn!(log.origin = %origin, error = &error as &dyn std::error::Error, "Failed to keep a body");
                }
            }
            let left = registry.missing(&origin, MISSING_AT_ONCE).await.map_or(1, |missing| missing.len() as u64);
            let _ = done.send(Done::Event(Event::Missing(origin, left))).await;
        });
    }
}

async fn until(instant: Option<tokio::time::Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Serves streams of entries, so many at once. One that comes when all are busy is dropped, and its
/// puller tries again.
async fn serve(mut streams: libp2p_stream::IncomingStreams, registry: Registry) {
    let places = Arc::new(Semaphore::new(SERVED_MAX));
    while let Some((peer, stream)) = streams.next().await {
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let registry = registry.clone();
        tokio::spawn(async move {
            if let Err(error) = bulk::serve(stream, &registry).await {
                info!(%peer, %error, "A pull by a partner ended early");
            }
            drop(place);
        });
    }
}

async fn read_partners(registry: &Registry) -> chancery_registry::Result<PartnersRead> {
    let partners = registry.partners().await?;
    let mut mirrors = Vec::new();
    for partner in &partners {
        let Some(state) = registry.mirror(&partner.origin).await? else { continue };
        let pending = state.pending.as_deref().and_then(|note| {
            let key = state.log_vkey.parse().ok()?;
            let signed = chancery_schema::log::checkpoint::open(note.as_bytes(), &key).ok()?;
            Some(signed.checkpoint().clone())
        });
        let Ok(key) = state.log_vkey.parse() else { continue };
        let (origin, nation) = (state.origin, partner.nation.clone());
        mirrors.push(Mirror { origin, nation, key, size: state.size, root: state.root, pending });
    }
    Ok((partners, mirrors))
}

/// The heads of all logs held, as signed notes with the cosignatures known.
async fn heads(registry: &Registry) -> Vec<String> {
    match registry.heads().await {
        Ok(heads) => heads.into_iter().map(|head| head.note).collect(),
        Err(error) => {
            warn!(error = &error as &dyn std::error::Error, "Failed to read the heads");
            Vec::new()
        }
    }
}

async fn respond(registry: &Registry, request: Request) -> Response {
    let refused = |code: &str| Response::Refused { code: code.to_owned() };
    match request {
        Request::Heads { .. } => Response::Heads { notes: heads(registry).await },
        Request::Consistency { origin, old, new } => match registry.consistency(&origin, old, new).await {
            Ok(Some(proof)) => Response::Consistency { proof },
            Ok(None) => refused("not-held"),
            Err(_) => refused("failed"),
        },
        Request::Piece { digest } => match registry.piece(&digest).await {
            Ok(Some(Frame::Envelope(bytes))) => Response::Piece { is_envelope: true, bytes: ByteBuf::from(bytes) },
            Ok(Some(Frame::Blob(bytes))) => Response::Piece { is_envelope: false, bytes: ByteBuf::from(bytes) },
            Ok(_) => refused("not-held"),
            Err(_) => refused("failed"),
        },
    }
}
