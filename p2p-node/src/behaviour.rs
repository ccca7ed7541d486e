//! What libp2p is used for, and its bounds. What denies comes first, so that a stranger costs little.

use std::time::Duration;

use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{Swarm, SwarmBuilder, allow_block_list, connection_limits, identify, noise, ping, tcp, yamux};
use prometheus_client::registry::Registry as Measures;

use crate::Error;
use crate::protocol::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX, Request, Response, SYNC};

/// Connections that are not yet established: strangers who knock, and partners among them. Each
/// costs a socket and some KiB until it has shown its key or `HANDSHAKE` is over.
const PENDING_INCOMING_MAX: u32 = 512;

/// How long a connection may take to show its key: five round trips over a slow satellite.
const HANDSHAKE: Duration = Duration::from_secs(6);

/// Connections that this node is about to make: as many names to look up and ports to knock at.
const PENDING_OUTGOING_MAX: u32 = 64;

/// Connections to one partner: both sides may dial at once, and neither is wrong.
const PER_PEER_MAX: u32 = 2;

/// Connections in all: every nation twice over.
const ESTABLISHED_MAX: u32 = 512;

/// Questions in flight with one partner.
const QUESTIONS_MAX: usize = 32;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(20);

/// A quiet connection stays: partners have little to say for hours.
const IDLE: Duration = Duration::from_hours(24);

/// The behaviour of a node.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    connections: connection_limits::Behaviour,
    /// Who may connect at all.
    pub allowed: allow_block_list::Behaviour<allow_block_list::AllowedPeers>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    /// Questions and answers.
    pub sync: request_response::cbor::Behaviour<Request, Response>,
    /// Streams of entries.
    pub bulk: libp2p_stream::Behaviour,
}

/// Builds the swarm: TCP, Noise and Yamux, and nothing else.
///
/// # Errors
/// When the operating system does not give what it needs.
pub fn swarm(identity: Keypair, measures: &mut Measures) -> Result<Swarm<Behaviour>, Error> {
    let build = |problem: String| Error::Start(problem);
    let swarm = SwarmBuilder::with_existing_identity(identity)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .map_err(|error| build(error.to_string()))?
        .with_dns()
        .map_err(|error| build(error.to_string()))?
        .with_bandwidth_metrics(measures)
        .with_behaviour(behaviour)
        .map_err(|error| build(error.to_string()))?
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(IDLE).with_substream_upgrade_protocol_override(Version::V1Lazy)
        })
        .with_connection_timeout(HANDSHAKE)
        .build();
    Ok(swarm)
}

fn behaviour(identity: &Keypair) -> Behaviour {
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING_INCOMING_MAX))
        .with_max_pending_outgoing(Some(PENDING_OUTGOING_MAX))
        .with_max_established(Some(ESTABLISHED_MAX))
        .with_max_established_per_peer(Some(PER_PEER_MAX));
    let about = identify::Config::new("/chancery/1".into(), identity.public())
        .with_agent_version(concat!("chancery/", env!("CARGO_PKG_VERSION")).into())
        .with_hide_listen_addrs(true);
    let codec = request_response::cbor::codec::Codec::default()
        .set_request_size_maximum(REQUEST_BYTES_MAX)
        .set_response_size_maximum(RESPONSE_BYTES_MAX);
    let patience =
        request_response::Config::default().with_request_timeout(ANSWER).with_max_concurrent_streams(QUESTIONS_MAX);
    Behaviour {
        connections: connection_limits::Behaviour::new(limits),
        allowed: allow_block_list::Behaviour::default(),
        identify: identify::Behaviour::new(about),
        ping: ping::Behaviour::new(ping::Config::new()),
        sync: request_response::Behaviour::with_codec(codec, [(SYNC, ProtocolSupport::Full)], patience),
        bulk: libp2p_stream::Behaviour::new(),
    }
}
