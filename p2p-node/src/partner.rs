//! Where partners' nodes are, and when to call them again.

use std::collections::BTreeMap;

use chancery_registry::Partner;
use chancery_schema::name::Nation;
use chancery_schema::record::Scope;
use chancery_schema::time::Timestamp;
use libp2p::identity::{PublicKey, ed25519};
use libp2p::{Multiaddr, PeerId};

use crate::sync::PeerKey;

/// The longest wait between two calls, in seconds. Nobody is given up, and a partner that is back
/// hears from this node within it.
const WAIT_SECONDS_MAX: i64 = 60;

/// Nodes of one nation that may connect: the newest. A nation's log may name any number.
const ENDPOINTS_MAX: usize = 8;

/// Nodes that are called at once.
const CALLS_MAX: usize = 16;

/// One node of a partner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Its transport key.
    pub key: PeerKey,
    /// Whose it is.
    pub nation: Nation,
    addresses: Vec<Multiaddr>,
    failures: u32,
    call_at: Timestamp,
}

/// Every node of every partner that may connect, by peer id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Book {
    known: BTreeMap<PeerId, Known>,
}

impl Book {
    /// Writes the book anew; who stays keeps their failures. Answers who is in it and who went.
    pub fn rewrite(&mut self, partners: &[Partner], now: Timestamp) -> (Vec<PeerId>, Vec<(PeerId, Known)>) {
        let mut before = std::mem::take(&mut self.known);
        let exchanging = partners
            .iter()
            .filter(|partner| partner.scopes.iter().any(|scope| matches!(scope, Scope::Mirror | Scope::Cosign)));
        let newest = |partner: &Partner| partner.endpoints.len().saturating_sub(ENDPOINTS_MAX);
        let endpoints =
            exchanging.flat_map(|partner| partner.endpoints[newest(partner)..].iter().map(move |it| (partner, it)));
        for (partner, endpoint) in endpoints {
            let Some(peer) = peer_id(&endpoint.transport_key) else { continue };
            let addresses: Vec<Multiaddr> =
                endpoint.addresses.iter().filter_map(|address| address.parse().ok()).collect();
            let fresh = Known {
                key: endpoint.transport_key,
                nation: partner.nation.clone(),
                addresses: addresses.clone(),
                failures: 0,
                call_at: now,
            };
            let known = before.remove(&peer).filter(|known| known.addresses == addresses).unwrap_or(fresh);
            self.known.insert(peer, known);
        }
        let all = self.known.keys().copied().collect();
        let went = before.into_iter().filter(|(peer, _)| !self.known.contains_key(peer)).collect();
        (all, went)
    }

    /// Who has this peer id.
    pub fn find(&self, peer: &PeerId) -> Option<&Known> {
        self.known.get(peer)
    }

    /// The peer id of a transport key.
    pub fn peer(&self, key: &PeerKey) -> Option<PeerId> {
        self.known.iter().find(|(_, known)| known.key == *key).map(|(peer, _)| *peer)
    }

    /// Whom to call now: not connected, with an address, and the wait is over. Each is then waited for
    /// longer, until [`Book::answered`].
    pub fn due(&mut self, connected: impl Fn(&PeerId) -> bool, now: Timestamp) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let silent = self
            .known
            .iter_mut()
            .filter(|(peer, known)| !connected(peer) && !known.addresses.is_empty() && known.call_at <= now);
        silent
            .take(CALLS_MAX)
            .map(|(peer, known)| {
                // Nodes that lost each other at one moment do not call at one moment again.
                let spread = i64::from(known.key[0] % 4);
                let wait = 1_i64.checked_shl(known.failures.min(16)).unwrap_or(WAIT_SECONDS_MAX).min(WAIT_SECONDS_MAX);
                known.failures = known.failures.saturating_add(1);
                known.call_at = now.plus_seconds(wait + if wait > 4 { spread } else { 0 });
                (*peer, known.addresses.clone())
            })
            .collect()
    }

    /// The partner spoke: it is called at once when it is lost.
    pub fn answered(&mut self, peer: &PeerId, now: Timestamp) {
        if let Some(known) = self.known.get_mut(peer) {
            known.failures = 0;
            known.call_at = now;
        }
    }
}

/// The libp2p peer id of an Ed25519 key.
fn peer_id(key: &PeerKey) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(key).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}
