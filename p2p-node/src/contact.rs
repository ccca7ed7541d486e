//! What is remembered of a partner's node while it is connected: what it was shown, and how much it
//! asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use chancery_schema::digest::Digest;
use tokio::time::Instant;

use crate::sync::Which;

/// Messages of heads that a partner may send at once, and after that one in so long. An honest node
/// sends the next one only when the last was answered and a pause is over.
const HEADS_BURST: u32 = 8;
const HEADS_INTERVAL: Duration = Duration::from_millis(200);

/// Questions of one partner that are answered at once.
const ANSWERS_MAX: usize = 16;

/// Complaints of one partner, and setbacks with it, are told in the log this often.
const TELLING_INTERVAL: Duration = Duration::from_mins(1);

/// A partner's node that is connected.
#[derive(Default)]
pub struct Contact {
    /// The heads that it was shown, by the digest of the note.
    shown: BTreeSet<Digest>,
    /// Whether it is shown some just now, and what is to be shown after that.
    showing: bool,
    next: Option<Which>,
    heads: Bucket,
    answering: usize,
    pub complaints: Telling,
    pub setbacks: Telling,
}

impl Contact {
    /// Those of `heads` that are to be shown now; none while it is being shown some.
    pub fn show(&mut self, which: Which, heads: &[String]) -> Vec<String> {
        if self.showing {
            self.next = self.next.max(Some(which));
            return Vec::new();
        }
        if which == Which::All {
            self.shown.clear();
        }
        let notes = self.unseen(heads);
        self.showing = !notes.is_empty();
        notes
    }

    /// Those of `heads` that it was not shown.
    pub fn unseen(&self, heads: &[String]) -> Vec<String> {
        heads.iter().filter(|note| !self.shown.contains(&Digest::of(note.as_bytes()))).cloned().collect()
    }

    /// It was shown these.
    pub fn saw(&mut self, notes: &[String]) {
        self.shown.extend(notes.iter().map(|note| Digest::of(note.as_bytes())));
    }

    /// It was shown what there was to show; answers what is to be shown next. What is no head any more
    /// is forgotten.
    pub fn shown(&mut self, heads: &[String]) -> Option<Which> {
        self.showing = false;
        let current: BTreeSet<Digest> = heads.iter().map(|note| Digest::of(note.as_bytes())).collect();
        self.shown.retain(|note| current.contains(note));
        self.next.take()
    }

    /// Whether it may show heads again.
    pub fn may_show(&mut self, now: Instant) -> bool {
        self.heads.take(now)
    }

    /// Whether another of its questions is answered. Each that is ends with [`Contact::answered`].
    pub fn may_ask(&mut self) -> bool {
        let may = self.answering < ANSWERS_MAX;
        self.answering += usize::from(may);
        may
    }

    /// A question was answered.
    pub fn answered(&mut self) {
        self.answering = self.answering.saturating_sub(1);
    }
}

/// What is told in the log now and then: a partner must not fill the disk with it.
#[derive(Default)]
pub struct Telling {
    told: Option<Instant>,
    untold: u64,
}

impl Telling {
    /// Whether to tell it now, and how many were not told before.
    pub fn may_tell(&mut self, now: Instant) -> Option<u64> {
        if self.told.is_some_and(|told| now < told + TELLING_INTERVAL) {
            self.untold += 1;
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

/// So much at once, and then at intervals.
#[derive(Default)]
struct Bucket {
    /// When it is full again.
    full: Option<Instant>,
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let full = self.full.map_or(now, |full| full.max(now)) + HEADS_INTERVAL;
        let may = full <= now + HEADS_INTERVAL * HEADS_BURST;
        if may {
            self.full = Some(full);
        }
        may
    }
}
