//! What goes wrong again and again is said at once, and then once a minute with how often it was.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_mins(1);

/// A problem that may repeat.
#[derive(Default, Debug)]
pub struct Repeated {
    /// What was said last, and when.
    said: Option<(String, Instant)>,
    /// How often it went wrong since.
    times: u64,
}

impl Repeated {
    /// Counts a problem. Answers how often it went wrong since it was last said, itself included, when it is to be said:
    /// the first time, where it is another problem than before, and after a minute.
    pub fn count(&mut self, problem: &str, now: Instant) -> Option<u64> {
        self.times += 1;
        let lately = |(said, at): &(String, Instant)| said == problem && now.saturating_duration_since(*at) < PAUSE;
        if self.said.as_ref().is_some_and(lately) {
            return None;
        }
        self.said = Some((problem.to_owned(), now));
        Some(std::mem::take(&mut self.times))
    }

    /// All is well. Answers whether it was not before.
    pub fn end(&mut self) -> bool {
        self.times = 0;
        self.said.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_said_at_once_and_then_each_minute_with_its_count() {
        let (mut repeated, began) = (Repeated::default(), Instant::now());
        let mut said = Vec::new();
        for second in 0..=120 {
            said.extend(repeated.count("taken", began + Duration::from_secs(second)).map(|times| (second, times)));
        }
        assert_eq!(said, [(0, 1), (60, 60), (120, 60)]);
        assert_eq!(repeated.count("another", began + Duration::from_secs(121)), Some(1));
        assert!(repeated.end() && !repeated.end());
        assert_eq!(repeated.count("another", began + Duration::from_secs(122)), Some(1));
    }
}
