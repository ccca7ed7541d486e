//! `chancery partner list`: the nations that are recognised, and how the exchange with them stands.

use std::net::SocketAddr;

use chancery_registry::{Clocks, Partner};
use serde_json::{Value, json};

use crate::Context;
use crate::client::{Client, shown};
use crate::node::{FolderArgs, block_on, open_archive, running};
use crate::output::{Exit, OrExit as _, Outcome};

const SYNC: &str = "{ partners { origin sync { connected state held shown since reason lastHeard } } }";

/// Shows the nations that are recognised, and how the exchange with them stands
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// Ask the process that listens here instead of where chancery.toml says: of several, the one that speaks to partners
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
}

/// Runs the command.
///
/// # Errors
/// When the archive cannot be read.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let mut config = args.folder.config()?;
    config.http = args.http.unwrap_or(config.http);
    let partners = block_on(async { Ok(open_archive(&config, None).await?.partners().await?) })?;
    let client = running::find(&config)?;
    let sync = client.as_ref().map(sync_states).transpose()?;
    let clocks = client.as_ref().map(clocks).transpose()?.unwrap_or_default();
    let lines: Vec<String> = partners.iter().map(|partner| line(partner, sync.as_ref(), &clocks)).collect();
    let values: Vec<Value> = partners.iter().map(|partner| value(partner, sync.as_ref(), &clocks)).collect();
    let human = if lines.is_empty() { "no nation is recognised yet".to_owned() } else { lines.join("\n") };
    context.console.result(human, &values)
}

/// What the running node says of each partner.
///
/// # Errors
/// When it does not answer.
pub fn sync_states(client: &Client) -> Outcome<Value> {
    client.ask(SYNC, &json!({}))
}

/// How the clock of the running node stands to those of the partners it hears.
///
/// # Errors
/// When it does not answer.
pub fn clocks(client: &Client) -> Outcome<Clocks> {
    let said = client.health()?["clockDifferences"].take();
    serde_json::from_value(said).or_exit(Exit::Other, || format!("{} does not say how its clock stands", client.url()))
}

fn state_of<'a>(partner: &Partner, sync: Option<&'a Value>) -> Option<&'a Value> {
    let partners = sync?["partners"].as_array()?;
    let shown = partners.iter().find(|shown| shown["origin"] == partner.origin.as_str())?;
    Some(&shown["sync"]).filter(|state| !state.is_null())
}

/// How the exchange stands, in words.
pub fn standing(partner: &Partner, sync: Option<&Value>) -> String {
    let Some(all) = sync else { return "node not running".to_owned() };
    let Some(state) = state_of(partner, Some(all)) else { return "not heard yet".to_owned() };
    let word = state["state"].as_str().unwrap_or("unknown").to_lowercase().replace('_', " ");
    let line = if state["connected"] == true { "connected" } else { "not connected" };
    let reason = state["reason"].as_str().map(|reason| format!(": {}", shown(reason))).unwrap_or_default();
    format!("{}, {line}{reason}", shown(&word))
}

fn line(partner: &Partner, sync: Option<&Value>, clocks: &Clocks) -> String {
    let scopes: Vec<String> = partner.scopes.iter().map(|scope| format!("{scope:?}").to_lowercase()).collect();
    let until = partner.valid_until.map_or_else(|| "without end".to_owned(), |until| format!("until {until}"));
    let mut standing = standing(partner, sync);
    if let Some(difference) = clocks.difference(&partner.nation) {
        standing = format!("{standing}; {difference}");
    }
    let Partner { nation, origin, fingerprint, .. } = partner;
    format!("{nation} {origin} {fingerprint} {} {until} ({standing})", scopes.join(","))
}

fn value(partner: &Partner, sync: Option<&Value>, clocks: &Clocks) -> Value {
    let addresses: Vec<&String> = partner.endpoints.iter().flat_map(|endpoint| &endpoint.addresses).collect();
    json!({
        "nation": partner.nation,
        "origin": partner.origin,
        "fingerprint": partner.fingerprint,
        "scopes": partner.scopes,
        "validUntil": partner.valid_until,
        "addresses": addresses,
        "sync": state_of(partner, sync),
        "clockDifference": clocks.partners.get(&partner.nation),
    })
}
