//! Healthy means: a valid checkpoint of the own log was signed lately, and the next one may be.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use chancery_registry::{Clocks, Error, Head, Result};
use chancery_schema::limits::CLOCK_SKEW_SECONDS;
use chancery_schema::log::checkpoint;
use chancery_schema::time::Timestamp;
use serde::Serialize;

use crate::reply::Failure;
use crate::state::State;

/// How old the newest own cosignature may be, in seconds: three heartbeats.
const AGE_MAX_SECONDS: i64 = 1800;

/// The answer. `problem` says what is wrong when the status is not `healthy`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// That the clock here differs from those of most partners: a reason to look, and not to take the node out of
    /// service, for a single partner may be all who were heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_problem: Option<String>,
    version: &'static str,
    /// Whether this process sequences; of several that serve one archive, one does.
    sequencing: bool,
    /// By how many seconds the clock here is ahead of each partner's, as far as its cosignatures tell; negative where
    /// it is behind, 0 within five minutes.
    clock_differences: Clocks,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Log>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    origin: String,
    size: u64,
    root: String,
    signed_at: Option<String>,
    age_seconds: Option<i64>,
}

/// `GET /health`: 200 when healthy, otherwise 503.
pub async fn health(state: Data<State>) -> std::result::Result<HttpResponse, Failure> {
    let sequencing = state.registry.leads();
    let clocks = state.registry.clocks();
    let doubt = doubt(&state).await?;
    let Some(head) = state.heads.own().await? else {
        let none = || "this node keeps no log of its own".to_owned();
        return Ok(answer(Some(doubt.unwrap_or_else(none)), sequencing, clocks, None));
    };
    let signed_at = signed_at(&state, &head).await?;
    let age = signed_at.map(|at| (state.clock)().unix_seconds() - at.unix_seconds());
    let problem = if doubt.is_some() {
        doubt
    } else if !is_signed(&state, &head).await? {
        Some("the own log's key has not signed the checkpoint".to_owned())
    } else if age.is_none_or(|age| !(-CLOCK_SKEW_SECONDS..=AGE_MAX_SECONDS).contains(&age)) {
        Some("no heartbeat was signed lately; see that `chancery serve` runs and its clock is right".to_owned())
    } else {
        None
    };
    let log = Log {
        origin: head.origin.to_string(),
        size: head.size,
        root: head.root.to_string(),
        signed_at: signed_at.map(|at| at.to_string()),
        age_seconds: age,
    };
    Ok(answer(problem, sequencing, clocks, Some(log)))
}

/// Why nothing is signed, if so.
async fn doubt(state: &State) -> Result<Option<String>> {
    match state.registry.doubt().await {
        Ok(doubt) => Ok(doubt.map(|doubt| doubt.to_string())),
        Err(problem @ Error::Mark { .. }) => Ok(Some(problem.to_string())),
        Err(error) => Err(error),
    }
}

/// When the own witness last cosigned the own head, or one after it that another process has signed since. What it
/// signed in the future, by the clock here, it signed by another clock: that is passed over where there is a later word.
async fn signed_at(state: &State, head: &Head) -> Result<Option<Timestamp>> {
    let seen = state.registry.cosignatures(&head.origin, None).await?;
    let latest = (state.clock)().plus_seconds(CLOCK_SKEW_SECONDS);
    let own = seen.into_iter().filter(|line| line.nation == head.nation && line.size >= head.size).map(|line| line.at);
    Ok(own.max_by_key(|at| (*at <= latest, *at)))
}

/// Whether the checkpoint verifies under the log key of the own charter.
async fn is_signed(state: &State, head: &Head) -> Result<bool> {
    let nations = state.registry.nations().await?;
    let own = nations.iter().find(|nation| nation.own && nation.origin == head.origin);
    let Some(key) = own.and_then(|own| own.log_vkey.parse().ok()) else { return Ok(false) };
    Ok(checkpoint::open(head.note.as_bytes(), &key).is_ok())
}

fn answer(problem: Option<String>, sequencing: bool, clock_differences: Clocks, log: Option<Log>) -> HttpResponse {
    let clock_problem = clock_differences.alarm().map(|alarm| alarm.to_string());
    let mut response = match problem {
        None => HttpResponse::Ok(),
        Some(_) => HttpResponse::ServiceUnavailable(),
    };
    let status = if problem.is_none() { "healthy" } else { "unhealthy" };
    let version = env!("CARGO_PKG_VERSION");
    let health = Health { status, problem, clock_problem, version, sequencing, clock_differences, log };
    response.insert_header((header::CACHE_CONTROL, "no-store")).json(health)
}
