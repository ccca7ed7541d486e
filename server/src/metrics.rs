//! What the server counts, and the page where all rooms' counts are read (Prometheus, `OpenMetrics`).

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::reply::{Cache, Failure, bytes};
use crate::state::State;

/// The last line of an `OpenMetrics` text.
const END: &str = "# EOF";

/// The server's metrics.
pub struct Metrics {
    all: Registry,
    requests: Family<Answered, Counter>,
    seconds: Histogram,
    log_size: Family<OfLog, Gauge>,
    clock: Family<OfNation, Gauge>,
}

/// How a request was answered. The route is its pattern, so strangers cannot make labels up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLog {
    origin: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfNation {
    nation: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = Registry::with_prefix("chancery");
        let requests = Family::<Answered, Counter>::default();
        let seconds = Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0]);
        let log_size = Family::<OfLog, Gauge>::default();
        let clock = Family::<OfNation, Gauge>::default();
        all.register("http_requests", "Requests answered, by route and status", requests.clone());
        all.register_with_unit("http_request_duration", "Time to answer a request", Unit::Seconds, seconds.clone());
        all.register("log_entries", "Entries held of a log", log_size.clone());
        let about =
            "By how much the clock here is ahead of a partner's, as its cosignatures tell; 0 within five minutes";
        all.register_with_unit("clock_difference", about, Unit::Seconds, clock.clone());
        Self { all, requests, seconds, log_size, clock }
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, route: Option<String>, status: StatusCode, seconds: f64) {
        let route = route.unwrap_or_else(|| "none".to_owned());
        self.requests.get_or_create(&Answered { route, status: status.as_u16() }).inc();
        self.seconds.observe(seconds);
    }
}

/// `GET /metrics`.
pub async fn page(state: Data<State>) -> Result<HttpResponse, Failure> {
    for head in state.heads.all().await?.iter() {
        let size = i64::try_from(head.size).unwrap_or(i64::MAX);
        state.metrics.log_size.get_or_create(&OfLog { origin: head.origin.to_string() }).set(size);
    }
    for (nation, seconds) in state.registry.clocks().partners {
        state.metrics.clock.get_or_create(&OfNation { nation: nation.to_string() }).set(seconds);
    }
    let mut text = String::new();
    encode(&mut text, &state.metrics.all).map_err(|_| Failure::Internal)?;
    for other in &state.other_metrics {
        text = joined(&text, &other());
    }
    Ok(bytes("application/openmetrics-text; version=1.0.0; charset=utf-8", Cache::Never, text))
}

/// Two texts as one, which ends once.
fn joined(first: &str, second: &str) -> String {
    let mut text = String::with_capacity(first.len() + second.len());
    for line in first.lines().chain(second.lines()).filter(|line| *line != END && !line.is_empty()) {
        let _ = writeln!(text, "{line}");
    }
    text + END + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_several_rooms_end_once() {
        let one = "# TYPE a counter\na_total 1\n# EOF\n";
        let two = "# TYPE b gauge\nb 2\n# EOF\n";
        assert_eq!(joined(one, two), "# TYPE a counter\na_total 1\n# TYPE b gauge\nb 2\n# EOF\n");
        assert_eq!(joined(one, "b 2"), "# TYPE a counter\na_total 1\nb 2\n# EOF\n");
    }
}
