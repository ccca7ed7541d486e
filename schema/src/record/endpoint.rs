//! The endpoint: where a nation's node can be reached, and the key by which it is known there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Header, Invalid, Kind, check_count, check_line};
use crate::key::{KeyRecord, Role};
use crate::limits::ADDRESSES_MAX;
use crate::statement::Subject;

/// One node. The newest endpoint with the same transport key replaces the ones before.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The node's key on the wire; its libp2p peer id is that of this Ed25519 key.
    pub key: KeyRecord,
    /// Where it listens, as multiaddresses without peer id; none for a node that only calls out.
    pub addresses: Vec<String>,
    /// Where its portal and GraphQL API are, if they are open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Body for Endpoint {
    const KIND: Kind = Kind::Endpoint;

    fn validate(&self, header: &Header) -> Result<(), Invalid> {
        check_count("/addresses", self.addresses.len(), ADDRESSES_MAX)?;
        for (index, address) in self.addresses.iter().enumerate() {
            let pointer = format!("/addresses/{index}");
            check_line(&pointer, address)?;
            if !address.starts_with('/') {
                return Err(Invalid::at(pointer, "is not a multiaddress, such as /dns4/node.example.org/tcp/4001"));
            }
        }
        if let Some(url) = &self.url {
            check_line("/url", url)?;
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(Invalid::at("/url", "is not an http or https address"));
            }
        }
        let opened = self.key.open(&header.nation, &header.log, Role::Transport);
        opened.map_err(|error| Invalid::at("/key", error.to_string()))?;
        Ok(())
    }

    fn subjects(&self, header: &Header) -> Vec<Subject> {
        vec![Subject::new(header.log.as_str(), self.key.keyid)]
    }
}
