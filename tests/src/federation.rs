//! Nations whose nodes run as real processes on this machine and accredit each other.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::node::{Founding, Node};

/// How long records and cosignatures may take to be everywhere. Seconds, but machines are busy.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// Nations that accredit each other.
#[derive(Debug)]
pub struct Federation {
    /// Their nodes.
    pub nodes: Vec<Node>,
}

impl Federation {
    /// Founds the nations under `home`, starts their nodes, and has each accredit every other.
    ///
    /// # Errors
    /// When a command refuses or a node does not start.
    pub fn start(home: &Path, foundings: &[Founding]) -> anyhow::Result<Self> {
        let mut nodes = Vec::new();
        for founding in foundings {
            let mut node = Node::found(home, founding)?;
            node.start()?;
            nodes.push(node);
        }
        for node in &nodes {
            for partner in nodes.iter().filter(|partner| partner.code != node.code) {
                node.accredit(partner)?;
            }
        }
        Ok(Self { nodes })
    }

    /// The node of a nation.
    ///
    /// # Panics
    /// When the nation is not in the federation.
    #[must_use]
    pub fn node(&self, code: &str) -> &Node {
        self.nodes.iter().find(|node| node.code == code).expect("the nation is in the federation")
    }

    /// The node of a nation, to start and stop it.
    ///
    /// # Panics
    /// When the nation is not in the federation.
    #[must_use]
    pub fn node_mut(&mut self, code: &str) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.code == code).expect("the nation is in the federation")
    }

    /// Waits until every node shows every one of `records`, cosigned by every nation but its own.
    ///
    /// # Errors
    /// When [`PATIENCE`] ends first; says what is missing where.
    pub fn wait_for(&self, records: &[String]) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let missing = self.missing(records);
            match missing {
                Ok(None) => return Ok(()),
                Ok(Some(what)) if Instant::now() > deadline => bail!("after {PATIENCE:?}: {what}"),
                Err(error) if Instant::now() > deadline => return Err(error),
                _ => std::thread::sleep(Duration::from_millis(250)),
            }
        }
    }

    fn missing(&self, records: &[String]) -> anyhow::Result<Option<String>> {
        for node in &self.nodes {
            for record in records {
                if let Some(what) = self.missing_at(node, record)? {
                    return Ok(Some(what));
                }
            }
        }
        Ok(None)
    }

    fn missing_at(&self, node: &Node, record: &str) -> anyhow::Result<Option<String>> {
        let record_shown = shown(node, record)?;
        let Some(nation) = record_shown["nation"]["code"].as_str() else {
            return Ok(Some(format!("{} does not show the record {record}", node.code)));
        };
        if record_shown["verdict"]["state"] != "VALID" {
            return Ok(Some(format!("{} judges {record} as {}", node.code, record_shown["verdict"])));
        }
        let cosigned = |by: &Node| {
            let lines = record_shown["cosignatures"].as_array().into_iter().flatten();
            lines.into_iter().any(|line| line["nation"] == by.code.as_str() && line["held"] == true)
        };
        let silent = self.nodes.iter().find(|by| by.code != nation && !cosigned(by));
        Ok(silent.map(|by| format!("{} does not show that {} cosigned {record} of {nation}", node.code, by.code)))
    }
}

/// What a node shows of a record.
///
/// # Errors
/// When the node does not answer.
pub fn shown(node: &Node, record: &str) -> anyhow::Result<Value> {
    let query = "query ($digest: Digest!) { record(digest: $digest) {
        kind index origin envelope entry proof nation { code logKey fingerprint } verdict { state code reason }
        cosignatures { nation held size }
    } }";
    let mut data = node.ask(query, &json!({ "digest": record }))?;
    data.get_mut("record").map(Value::take).context("the node does not know `record`")
}
