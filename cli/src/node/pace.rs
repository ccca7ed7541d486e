//! How often to do what is dear and what others can ask for.

use std::time::{Duration, Instant};

/// Between two turns there is at least this.
const PAUSE: Duration = Duration::from_mins(1);

/// And at least so many times what the last one took: a twentieth of the node's time, at most.
const SHARE: u32 = 20;

/// When it was done last, and what that took.
#[derive(Default, Debug)]
pub struct Pace {
    next: Option<Instant>,
}

impl Pace {
    /// Whether it may be done again; the first time at once.
    pub fn allows(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| now >= next)
    }

    /// It was done, or tried, from `began` until `ended`.
    pub fn done(&mut self, began: Instant, ended: Instant) {
        let took = ended.saturating_duration_since(began).saturating_mul(SHARE);
        self.next = ended.checked_add(took.max(PAUSE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quick_is_done_each_minute_and_what_is_slow_for_a_twentieth_of_the_time() {
        let (mut pace, began) = (Pace::default(), Instant::now());
        let after = |seconds| began + Duration::from_secs(seconds);
        assert!(pace.allows(began), "the first time at once");
        pace.done(began, after(1));
        assert_eq!([60, 61].map(|seconds| pace.allows(after(seconds))), [false, true]);
        pace.done(began, after(180));
        assert_eq!([180, 3_779, 3_780].map(|seconds| pace.allows(after(seconds))), [false, false, true]);
    }
}
