//! Cosignature lines that were looked at: partners show them again and again, and each costs a
//! signature to verify and a turn of the one writer.

use std::collections::{BTreeMap, BTreeSet};

use chancery_schema::digest::Digest;
use chancery_schema::limits::NOTE_SIGNATURES_MAX;
use chancery_schema::name::Origin;
use chancery_schema::time::Timestamp;

/// After how long everything is looked at once more, in seconds: a cosigner that was unknown may have
/// become known.
const FORGET_SECONDS: i64 = 600;

/// Sizes of one log of which lines are remembered. Partners show the newest two or three.
const SIZES_MAX: usize = 4;

/// Lines of one checkpoint that are remembered: those of every nation, and as many that nobody made.
const LINES_MAX: usize = 2 * NOTE_SIGNATURES_MAX;

#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Seen {
    since: Timestamp,
    lines: BTreeMap<Origin, BTreeMap<u64, BTreeSet<Digest>>>,
}

impl Seen {
    /// Those of `lines` that were not looked at before. They now were.
    pub fn fresh(&mut self, origin: &Origin, size: u64, mut lines: Vec<String>) -> Vec<String> {
        let sizes = self.lines.entry(origin.clone()).or_default();
        if !sizes.contains_key(&size) && sizes.len() >= SIZES_MAX {
            sizes.pop_first();
        }
        let seen = sizes.entry(size).or_default();
        if seen.len() >= LINES_MAX {
            seen.clear();
        }
        lines.retain(|line| seen.insert(Digest::of(line.as_bytes())));
        lines
    }

    /// The lines of this log are looked at once more: they were not kept.
    pub fn forget(&mut self, origin: &Origin) {
        self.lines.remove(origin);
    }

    /// All lines are looked at once more.
    pub fn forget_all(&mut self, now: Timestamp) {
        self.lines.clear();
        self.since = now;
    }

    /// Time passed.
    pub fn tick(&mut self, now: Timestamp) {
        if self.since.plus_seconds(FORGET_SECONDS) <= now {
            self.forget_all(now);
        }
    }
}
