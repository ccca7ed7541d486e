//! Whether the own clock agrees with the clocks of partners, as their cosignatures tell.
//!
//! A partner's clock is known within bounds: it stands no earlier than the newest line it was seen to sign,
//! plus the time that passed here since, and no later than that plus the age the line had when it came. Time
//! that passes is measured by a clock that nobody sets, so a step of the wall clock shows at once, and so does
//! its mending. No verdict rests on any of this: it is for the operator.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::PoisonError;
use std::time::Instant;

use chancery_schema::limits::CLOCK_ALARM_SECONDS;
use chancery_schema::name::Nation;
use chancery_schema::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Core, Registry};

/// How old a line may be that was not known before, in seconds: a node says every ten minutes that it lives.
const AGE_SECONDS: i64 = 600;

/// How the own clock stands to those of the partners that were heard since the process began.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clocks {
    /// By how many seconds at least it is ahead of a partner's clock, or behind it where negative; 0 where
    /// the two may agree within five minutes.
    pub partners: BTreeMap<Nation, i64>,
}

/// The own clock differs from those of most partners by more than five minutes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockAlarm {
    /// By how many seconds at least; negative where it is behind.
    pub seconds: i64,
    /// Whose cosignatures say so.
    pub partners: Vec<Nation>,
}

impl Clocks {
    /// How the own clock differs from a partner's, in words; nothing within five minutes.
    #[must_use]
    pub fn difference(&self, partner: &Nation) -> Option<String> {
        let seconds = self.partners.get(partner).filter(|seconds| **seconds != 0)?;
        Some(format!("the clock here is {} what it cosigned", in_words(*seconds)))
    }

    /// The alarm, if most partners that were heard say the same of the own clock. One partner whose clock is
    /// wrong is no reason where others are heard.
    #[must_use]
    pub fn alarm(&self) -> Option<ClockAlarm> {
        [1, -1].into_iter().find_map(|side| {
            let apart = self.partners.iter().filter(|(_, seconds)| seconds.signum() == side);
            let (partners, seconds): (Vec<_>, Vec<_>) =
                apart.map(|(nation, seconds)| (nation.clone(), *seconds)).unzip();
            let least = seconds.into_iter().min_by_key(|seconds| seconds.unsigned_abs())?;
            (partners.len() * 2 > self.partners.len()).then_some(ClockAlarm { seconds: least, partners })
        })
    }
}

impl fmt::Display for ClockAlarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partners: Vec<&str> = self.partners.iter().map(Nation::as_str).collect();
        let (apart, partners) = (in_words(self.seconds), partners.join(", "));
        write!(
            f,
            "the clock here is {apart} what {partners} cosigned; set this machine's clock, or ask them to set theirs"
        )
    }
}

/// A difference in the largest unit of which there are two.
fn in_words(seconds: i64) -> String {
    let side = if seconds > 0 { "ahead of" } else { "behind" };
    let span = match seconds.unsigned_abs() {
        days @ 172_800.. => format!("{} days", days / 86_400),
        hours @ 7_200.. => format!("{} hours", hours / 3_600),
        minutes => format!("{} minutes", minutes / 60),
    };
    format!("at least {span} {side}")
}

/// The newest line that a partner was seen to sign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// The time in it, in seconds since 1970.
    at: i64,
    /// When it came.
    came: Instant,
    /// Whether it was new here, so that it was signed lately.
    new: bool,
}

/// By how many seconds at least a clock that shows `now` is ahead of one that put `at` into a line, which came
/// `since` seconds ago; negative where it is behind, and 0 within five minutes. A line that was `new` when it came was
/// no older than ten minutes; any other may be of any age.
fn apart(at: i64, since: i64, new: bool, now: i64) -> i64 {
    let earliest = at.saturating_add(since);
    let latest = if new { earliest.saturating_add(AGE_SECONDS) } else { i64::MAX };
    let (behind, ahead) = (now.saturating_sub(earliest).min(0), now.saturating_sub(latest).max(0));
    let seconds = behind.saturating_add(ahead);
    if seconds.saturating_abs() > CLOCK_ALARM_SECONDS { seconds } else { 0 }
}

impl Heard {
    fn apart(&self, now: Timestamp) -> i64 {
        let since = i64::try_from(self.came.elapsed().as_secs()).unwrap_or(i64::MAX);
        apart(self.at, since, self.new, now.unix_seconds())
    }
}

impl Registry {
    /// How the own clock stands to the partners'. Asks nothing of the database.
    #[must_use]
    pub fn clocks(&self) -> Clocks {
        let now = self.core.now();
        let heard = self.core.heard.lock().unwrap_or_else(PoisonError::into_inner);
        Clocks { partners: heard.iter().map(|(nation, heard)| (nation.clone(), heard.apart(now))).collect() }
    }
}

impl Core {
    /// Remembers that a partner signed a line at a time. A line older than the one known says nothing, unless
    /// that one makes no sense here.
    pub(crate) fn hear_clock(&self, nation: &Nation, at: i64, new: bool) {
        if self.identity.as_ref().is_some_and(|own| own.nation == *nation) {
            return;
        }
        let (now, next) = (self.now(), Heard { at, came: Instant::now(), new });
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = heard.get(nation).is_some_and(|last| !new || (at <= last.at && last.apart(now) == 0));
        if !kept {
            heard.insert(nation.clone(), next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_agree_within_five_minutes_and_the_age_of_a_line() {
        for (at, since, new, now, expected) in [
            (1000, 0, true, 1000, 0),
            (1000, 0, true, 700, 0),
            (1000, 0, true, 699, -301),
            (1000, 60, true, 760, 0),
            (1000, 60, true, 759, -301),
            (1000, 0, true, 1900, 0),
            (1000, 0, true, 1901, 301),
            (1000, 500, true, 2400, 0),
            (1000, 500, true, 2401, 301),
            (1000, 0, false, i64::MAX, 0),
            (1000, 0, false, 0, -1000),
            (i64::MAX, i64::MAX, true, i64::MIN, i64::MIN),
            (i64::MIN, 0, true, i64::MAX, i64::MAX),
        ] {
            assert_eq!(apart(at, since, new, now), expected, "{at} {since} {new} {now}");
        }
    }

    #[test]
    fn most_of_those_heard_raise_the_alarm() {
        let of = |seconds: &[i64]| {
            let nations = ["BR", "FR", "KE", "NP"].map(|code| code.parse::<Nation>().unwrap());
            Clocks { partners: nations.into_iter().zip(seconds.iter().copied()).collect() }.alarm().map(|it| it.seconds)
        };
        for (seconds, expected) in [
            (&[][..], None),
            (&[0], None),
            (&[-400], Some(-400)),
            (&[400, 0], None),
            (&[400, 900], Some(400)),
            (&[400, -900], None),
            (&[-900, -400, 0], Some(-400)),
            (&[900, 400, 0, 0], None),
        ] {
            assert_eq!(of(seconds), expected, "{seconds:?}");
        }
    }

    #[test]
    fn an_alarm_says_how_far_and_who_says_so() {
        let alarm = |seconds| ClockAlarm { seconds, partners: vec!["KE".parse().unwrap()] }.to_string();
        for (seconds, said) in [
            (301, "at least 5 minutes ahead of what KE cosigned"),
            (-7_200, "at least 2 hours behind what KE cosigned"),
            (315_360_000, "at least 3650 days ahead of what KE cosigned"),
        ] {
            assert!(alarm(seconds).contains(said), "{}", alarm(seconds));
        }
    }
}
