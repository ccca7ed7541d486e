//! Going through a log piece by piece, with one partner after another.

use std::collections::BTreeMap;
use std::ops::Bound;

use chancery_schema::name::Nation;
use chancery_schema::time::Timestamp;

use super::{Failure, Peer, PeerKey};

/// How long a partner may take with one piece, in seconds: longer than every question of it may take.
const PATIENCE_SECONDS: i64 = 900;

/// How long after a failure the next partner is asked, in seconds.
const FAILED_SECONDS: i64 = 5;

/// How a piece ended. `C` says where the next one begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Round<C> {
    /// More may follow after this place.
    More(C),
    /// That was the last piece; what could not be had is asked of the next partner.
    Through,
    /// Nothing is left to ask for.
    Complete,
    /// It ended early.
    Failed(Failure),
}

/// Where it stands. One partner goes through the whole log, so that each is asked for everything.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Rounds<C> {
    /// When the next piece is due; none while a partner is asked, unless something came in between.
    due: Option<Timestamp>,
    after: C,
    /// Where to go back to when the piece that is asked for has ended.
    back: Option<C>,
    /// Whose turn it is.
    peer: Option<PeerKey>,
    /// Since when it is asked.
    asked: Option<Timestamp>,
}

impl<C: Copy + Default + Ord> Rounds<C> {
    /// To begin at `due`, or not until told so.
    pub fn new(due: Option<Timestamp>) -> Self {
        Self { due, after: C::default(), back: None, peer: None, asked: None }
    }

    /// To be at it again at `due` at the latest.
    pub fn again(&mut self, due: Timestamp) {
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }

    /// To go through everything after `place` again, at `due` at the latest.
    pub fn from(&mut self, place: C, due: Timestamp) {
        if self.asked.is_some() {
            self.back = Some(self.back.map_or(place, |back| back.min(place)));
        } else {
            self.after = self.after.min(place);
        }
        self.again(due);
    }

    /// Who is asked just now.
    pub fn asks(&self) -> Option<PeerKey> {
        self.peer.filter(|_| self.asked.is_some())
    }

    /// Whom to ask for the piece after which place, if it is time and the partner is `free`. The log's
    /// own nation begins.
    pub fn begin(
        &mut self,
        peers: &BTreeMap<PeerKey, Peer>,
        nation: &Nation,
        free: impl Fn(&PeerKey) -> bool,
        now: Timestamp,
    ) -> Option<(PeerKey, C)> {
        match self.asked {
            Some(since) if now < since.plus_seconds(PATIENCE_SECONDS) => return None,
            Some(_) => self.peer = self.peer.and_then(|last| after(peers, last)),
            None => drop(self.due.filter(|due| *due <= now)?),
        }
        let stays = self.peer.filter(|peer| peers.contains_key(peer));
        let peer = stays.or_else(|| next(peers, nation, self.peer)).filter(free)?;
        (self.due, self.peer, self.asked) = (None, Some(peer), Some(now));
        Some((peer, self.after))
    }

    /// The piece that `peer` was asked for ended. After the last one it begins anew with the next
    /// partner, `pause_seconds` later.
    pub fn ended(
        &mut self,
        peer: PeerKey,
        round: &Round<C>,
        peers: &BTreeMap<PeerKey, Peer>,
        now: Timestamp,
        pause_seconds: i64,
    ) {
        if self.asked.is_none() || self.peer != Some(peer) {
            return;
        }
        self.asked = None;
        let (next, due) = match round {
            Round::More(after) => (*after, Some(now)),
            Round::Through => (C::default(), Some(now.plus_seconds(pause_seconds))),
            Round::Complete => (C::default(), None),
            Round::Failed(_) => (self.after, Some(now.plus_seconds(FAILED_SECONDS))),
        };
        // What came in between goes on from where it asked to.
        let back = self.back.take();
        self.after = back.map_or(next, |back| if matches!(round, Round::More(_)) { back.min(next) } else { back });
        if let Some(due) = due {
            self.again(due);
        }
        if matches!(round, Round::Through | Round::Failed(_)) {
            self.peer = after(peers, peer);
        }
    }

    /// The partner is gone: another one goes on where it stopped, at once.
    pub fn gone(&mut self, peer: &PeerKey) {
        if self.peer.as_ref() == Some(peer) && self.asked.take().is_some() {
            self.again(Timestamp::default());
        }
    }
}

fn next(peers: &BTreeMap<PeerKey, Peer>, nation: &Nation, last: Option<PeerKey>) -> Option<PeerKey> {
    match last {
        Some(last) => after(peers, last),
        None => peers.iter().find(|(_, peer)| peer.nation == *nation).or_else(|| peers.iter().next()).map(|it| *it.0),
    }
}

/// The next partner in the order of keys, the first one after the last.
fn after(peers: &BTreeMap<PeerKey, Peer>, last: PeerKey) -> Option<PeerKey> {
    let later = peers.range((Bound::Excluded(last), Bound::Unbounded)).next();
    later.or_else(|| peers.iter().next()).map(|(peer, _)| *peer)
}
