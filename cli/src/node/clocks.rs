//! Says when this machine's clock is wrong, as partners' cosignatures tell, and when it is right again.

use std::time::{Duration, Instant};

use chancery_registry::Registry;
use tracing::{error, info, warn};

use super::repeated::Repeated;
use crate::clock;

/// How often to compare.
const LOOK: Duration = Duration::from_secs(1);

/// A silence that is worth a word, in seconds: two days.
const SILENCE: i64 = 2 * 86_400;

/// Compares for ever. Nothing is stopped by a wrong clock: what it signs is judged by others' clocks.
pub async fn watch(registry: &Registry) {
    let mut alarms = Repeated::default();
    loop {
        if let Some(alarm) = registry.clocks().alarm() {
            // By who says so: the span grows while it is wrong.
            if alarms.count(&format!("{:?}", alarm.partners), Instant::now()).is_some() {
                error!(seconds = alarm.seconds, "The clock is wrong: {alarm}");
            }
        } else if alarms.end() {
            info!("The clock agrees with the partners' again");
            // What was said by the wrong clock must not stand as the last word.
            if let Err(problem) = registry.heartbeat().await {
                error!(error = &problem as &dyn std::error::Error, "Failed to sign a heartbeat");
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Before a partner was heard, only the own log tells: a clock that is years ahead looks like a long silence. To be
/// asked before the next heartbeat.
pub async fn silence(registry: &Registry) {
    let Some(origin) = registry.own_origin() else { return };
    let Ok(seen) = registry.cosignatures(origin, None).await else { return };
    let Some(last) = seen.into_iter().map(|seen| seen.at).max() else { return };
    let seconds = clock::now().unix_seconds() - last.unix_seconds();
    if seconds > SILENCE {
        let days = seconds / 86_400;
        warn!(
            days,
            "The own log was last cosigned {days} days ago, by the clock here; if that is not so, set this machine's clock"
        );
    }
}
