//! Taking a pouch in: it is shown to the sync machine as a partner's node, and answers from its volumes what
//! a node would answer from its archive.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chancery_registry::{Clock, Registry};
use chancery_schema::digest::Digest;
use chancery_schema::frame::Frame;
use chancery_schema::log::tree::{Frontier, HashReader, consistency_proof, leaf_hash};
use chancery_schema::name::Origin;
use chancery_schema::time::Timestamp;
use serde_bytes::ByteBuf;
use tokio::sync::{mpsc, oneshot};

use super::feed::Feed;
use super::volumes::{Place, Pouch, Section, read_note};
use super::{PouchError, check};
use crate::archive;
use crate::bulk::{self, News, Wanted};
use crate::protocol::{Request, Response};
use crate::sync::{Action, Event, Failure, Machine, PeerKey, Round};

/// The pouch's place among the peers of the machine: no node has this key.
const POUCH: PeerKey = [0; 32];

/// Later than what the machine puts off until partners have cosigned: a pouch holds what there is.
const LATER_SECONDS: i64 = 120;

/// What became of a pouch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// Each log in it.
    pub logs: Vec<Taken>,
    /// Cosignatures that were not known.
    pub cosignatures: usize,
    /// What was not taken in though it was proven, and why; importing again goes on there.
    pub problems: Vec<String>,
}

/// What became of a log in a pouch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// The log.
    pub origin: Origin,
    /// The entries that the pouch shows.
    pub shown: u64,
    /// The entries held before.
    pub before: u64,
    /// The entries held now.
    pub after: u64,
}

/// Checks that a partner's node sealed the pouch for this one.
///
/// # Errors
/// When it is not so, or the archive fails.
pub async fn sealed_by_partner(pouch: &Pouch, registry: &Registry, clock: &Clock) -> Result<(), PouchError> {
    check::seal(pouch, registry, clock()).await
}

/// Takes a pouch in, whole or not at all: everything is checked before anything is written. What is held
/// already is passed over, so a pouch may be imported again, and one that was interrupted is continued.
///
/// # Errors
/// When it is refused, or a disk or the archive fails.
pub async fn import(pouch: &Pouch, registry: &Registry, clock: &Clock) -> Result<Imported, PouchError> {
    check::seal(pouch, registry, clock()).await?;
    let sections = match check::contents(pouch, registry).await {
        Err(PouchError::TwoHistories { origin, note }) => {
            archive::keep_contradiction(registry.clone(), origin.clone(), vec![note.clone()]).await;
            return Err(PouchError::TwoHistories { origin, note });
        }
        checked => checked?,
    };
    let before = holdings(registry, &sections).await?;
    let mut driver = Driver {
        pouch,
        registry,
        machine: Machine::default(),
        actions: VecDeque::new(),
        now: clock(),
        pieces: None,
        problems: Vec::new(),
        sections: sections.iter().map(|section| (section.origin.clone(), section)).collect(),
    };
    driver.run().await?;
    let problems = driver.problems;
    let after = holdings(registry, &sections).await?;
    let logs = sections.iter().zip(before.sizes).zip(after.sizes).map(|((section, before), after)| Taken {
        origin: section.origin.clone(),
        shown: section.size,
        before,
        after,
    });
    let cosignatures = after.lines.difference(&before.lines).count();
    Ok(Imported { logs: logs.collect(), cosignatures, problems })
}

/// Sizes of logs, and the cosignatures known on their newest checkpoints.
struct Holdings {
    sizes: Vec<u64>,
    lines: BTreeSet<(Origin, u64, String)>,
}

async fn holdings(registry: &Registry, sections: &[Section]) -> Result<Holdings, PouchError> {
    let (mut sizes, mut lines) = (Vec::new(), BTreeSet::new());
    let own = registry.own_log().await?;
    for Section { origin, .. } in sections {
        let mirror = registry.mirror(origin).await?.map_or(0, |mirror| mirror.size);
        sizes.push(if own.origin == *origin { own.size } else { mirror });
        let seen = registry.cosignatures(origin, Some(0)).await?;
        lines.extend(seen.into_iter().map(|seen| (seen.origin, seen.size, seen.line)));
    }
    Ok(Holdings { sizes, lines })
}

/// Carries out what the machine answers, one after the other.
struct Driver<'a> {
    pouch: &'a Pouch,
    registry: &'a Registry,
    machine: Machine,
    actions: VecDeque<Action>,
    now: Timestamp,
    /// Where envelopes and blobs are, once one is asked for.
    pieces: Option<BTreeMap<Digest, Place>>,
    problems: Vec<String>,
    sections: BTreeMap<Origin, &'a Section>,
}

impl Driver<'_> {
    async fn run(&mut self) -> Result<(), PouchError> {
        if let Some(own) = self.registry.own_origin().cloned() {
            self.happened(Event::Own(own));
        }
        let (_, mut mirrors) = archive::partners(self.registry).await?;
        mirrors.retain(|mirror| self.sections.contains_key(&mirror.origin));
        self.happened(Event::Mirrors(mirrors));
        self.happened(Event::Connected(POUCH, self.pouch.seal.header.nation.clone()));
        let heads = self.sections.values().map(|section| section.head.clone()).collect();
        self.happened(Event::Heads(POUCH, heads));
        self.carry_out().await?;
        self.now = self.now.plus_seconds(LATER_SECONDS);
        self.happened(Event::Tick);
        self.carry_out().await
    }

    fn happened(&mut self, event: Event) {
        self.actions.extend(self.machine.step(event, self.now));
    }

    async fn carry_out(&mut self) -> Result<(), PouchError> {
        while let Some(action) = self.actions.pop_front() {
            if let Some(event) = self.act(action).await? {
                self.happened(event);
            }
        }
        Ok(())
    }

    async fn act(&mut self, action: Action) -> Result<Option<Event>, PouchError> {
        let registry = self.registry.clone();
        Ok(match action {
            Action::AskProof(peer, origin, old, new) => {
                let proof = self.prove(&origin, old, new).await?;
                Some(Event::Proof(peer, origin, proof))
            }
            Action::KeepPending(origin, note) => Some(archive::keep_pending(registry, origin, note).await),
            Action::Pull { peer, origin, start, size } => {
                let ended = self.pull(Wanted { origin: origin.clone(), start, size, ground: None }).await;
                Some(Event::PullEnded(peer, origin, ended))
            }
            Action::TakeCosignatures(origin, size, lines) => {
                archive::take_cosignatures(registry, origin, size, lines).await
            }
            Action::Compare(origin, note) => Some(archive::compare(registry, origin, note).await),
            Action::Hear(note) => archive::hear(registry, note).await,
            Action::KeepContradiction(origin, notes) => {
                self.problems.push(format!("the log {origin} has signed two histories; the proof was kept"));
                archive::keep_contradiction(registry, origin, notes).await;
                None
            }
            Action::Cosign(origin) => Some(archive::cosign(registry, origin).await),
            Action::PullGround { peer, origin, after, size } => {
                self.cosigned(&origin, after, size).await?;
                Some(Event::Ground(peer, origin, Round::Through))
            }
            Action::FetchMissing(peer, origin, after) => {
                let pieces = match self.pieces.take() {
                    Some(pieces) => pieces,
                    None => self.pouch.pieces()?,
                };
                let ask = |request| std::future::ready(Some(answer(self.pouch, &pieces, &request)));
                let round = archive::fetch_missing(self.registry, &origin, after, ask).await;
                self.pieces = Some(pieces);
                Some(Event::Missing(peer, origin, round))
            }
            Action::Complain(_, problem) | Action::Setback(_, problem) => {
                self.problems.push(problem);
                None
            }
            Action::SendHeads(..) | Action::StopPull(_) | Action::Report(_) => None,
        })
    }

    /// Pulls as from a partner's node.
    async fn pull(&mut self, wanted: Wanted) -> Result<(), Failure> {
        let Some(section) = self.sections.get(&wanted.origin).copied() else {
            return Err(Failure::Unable("the pouch does not hold it".to_owned()));
        };
        let (registry, pouch) = (self.registry, self.pouch);
        let (tell, mut told) = mpsc::channel(1);
        let (_running, stop) = oneshot::channel();
        let pull = bulk::Pull { wanted: &wanted, registry, tell: (tell, |news: News| news), stop };
        let pulling = pull.run(Feed::new(pouch, section, &wanted));
        let heeding = async {
            while let Some(news) = told.recv().await {
                match news {
                    News::Extended(size, root) => self.happened(Event::Extended(wanted.origin.clone(), size, root)),
                    News::Contradicted(note, held) => {
                        self.happened(Event::Compared(wanted.origin.clone(), note, Some(held)));
                    }
                }
            }
        };
        let (ended, ()) = tokio::join!(pulling, heeding);
        ended.map(drop).map_err(Failure::from)
    }

    /// Proves that a log grew from `old` to `new`, by what is held and the leaves in the pouch. Which hashes that
    /// takes depends on sizes alone, so only those are kept.
    async fn prove(&self, origin: &Origin, old: u64, new: u64) -> Result<Option<Vec<Digest>>, PouchError> {
        let Some(section) = self.sections.get(origin) else { return Ok(None) };
        let Some(start) = section.start else { return Ok(None) };
        let wanted = Wants::default();
        if consistency_proof(&wanted, old, new).is_none() {
            return Ok(None);
        }
        let wanted = wanted.0.into_inner();
        let held = self.registry.frontier(origin, start).await?;
        let Some(mut edge) = held.or_else(|| (start == 0).then(Frontier::new)) else { return Ok(None) };
        let mut hashes = Hashes::default();
        let (mut first, bits) = (0, (0..u64::BITS).rev().filter(|level| start >> level & 1 == 1));
        for (level, peak) in bits.zip(edge.peaks()) {
            hashes.0.insert((level, first >> level), *peak);
            first += 1 << level;
        }
        let mut contents = self.pouch.contents_from(section.begins);
        while edge.size() < new {
            let Some((_, frame)) = contents.next()? else { break };
            let Frame::Package(package) = frame else { continue };
            if package.origin != *origin {
                break;
            }
            for entry in &package.entries {
                edge.push_with(leaf_hash(entry), |level, index, hash| {
                    if wanted.contains(&(level, index)) {
                        hashes.0.insert((level, index), hash);
                    }
                });
            }
        }
        Ok(consistency_proof(&hashes, old, new))
    }

    /// Takes the cosigned checkpoints of a log in the pouch with sizes in `(after, size]`, as heads that were
    /// shown: each line for itself, so one that a later charter explains takes nothing from the rest.
    async fn cosigned(&mut self, origin: &Origin, after: u64, size: u64) -> Result<(), PouchError> {
        let Some(section) = self.sections.get(origin).copied() else { return Ok(()) };
        let mut contents = self.pouch.contents_from(section.begins);
        while let Some((_, frame)) = contents.next()? {
            match frame {
                Frame::Package(package) if package.origin != *origin => break,
                Frame::Checkpoint(note) => {
                    let (checkpoint, note) = read_note(note)?;
                    if checkpoint.origin != *origin {
                        break;
                    }
                    if checkpoint.size > after && checkpoint.size <= size {
                        let compared = archive::compare(self.registry.clone(), origin.clone(), note).await;
                        self.happened(compared);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Answers a question for a piece, as a partner's node does.
fn answer(pouch: &Pouch, pieces: &BTreeMap<Digest, Place>, request: &Request) -> Response {
    let refused = || Response::Refused { code: "not-held".to_owned() };
    let Request::Piece { digest } = request else { return refused() };
    let Some(place) = pieces.get(digest) else { return refused() };
    match pouch.contents_from(*place).next() {
        Ok(Some((_, Frame::Envelope(bytes)))) => Response::Piece { is_envelope: true, bytes: ByteBuf::from(bytes) },
        Ok(Some((_, Frame::Blob(bytes)))) => Response::Piece { is_envelope: false, bytes: ByteBuf::from(bytes) },
        _ => Response::Refused { code: "failed".to_owned() },
    }
}

/// Learns which hashes are asked for.
#[derive(Default)]
struct Wants(std::cell::RefCell<BTreeSet<(u32, u64)>>);

impl HashReader for Wants {
    fn hash(&self, level: u32, index: u64) -> Option<Digest> {
        self.0.borrow_mut().insert((level, index));
        Some(Digest::from_bytes([0; 32]))
    }
}

/// The hashes that are known.
#[derive(Default)]
struct Hashes(BTreeMap<(u32, u64), Digest>);

impl HashReader for Hashes {
    fn hash(&self, level: u32, index: u64) -> Option<Digest> {
        self.0.get(&(level, index)).copied()
    }
}
