//! Whether the node of a folder runs now, and how it is reached.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::config::{Config, reachable};
use crate::output::{Exit, Outcome, fail};

/// How long the port of a running node may take to answer, on this machine.
const KNOCK: Duration = Duration::from_secs(2);

const OWN: &str = "{ nations { origin own } }";

/// The node of this configuration, when it runs.
///
/// # Errors
/// When something answers at its address that is not this node.
pub fn find(config: &Config) -> Outcome<Option<Client>> {
    if TcpStream::connect_timeout(&reachable(config.http), KNOCK).is_err() {
        return Ok(None);
    }
    let client = Client::new(&config.local_url())?;
    let answer: Value = client.ask(OWN, &json!({}))?;
    let nations = answer["nations"].as_array().into_iter().flatten();
    let own = nations.filter(|nation| nation["own"] == true).any(|nation| nation["origin"] == config.origin.as_str());
    if own {
        return Ok(Some(client));
    }
    let hint = format!("check http in {}", crate::config::FILE);
    fail(Exit::Other, format!("at {} answers another program than the node of this folder; {hint}", client.url()))
}
