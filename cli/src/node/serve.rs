//! `chancery serve`: the node itself. It runs until it is asked to stop, and every second of it may be
//! its last: nothing is kept in memory that the archive needs.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chancery_p2p_node as p2p;
use chancery_registry::Registry;
use chancery_schema::key::Role;
use chancery_server as server;
use tracing::{error, info};

use super::{FolderArgs, block_on, keys, open_archive, wall_clock};
use crate::config::{Config, reachable, socket};
use crate::keystore::Key;
use crate::output::{Exit, OrExit as _, Outcome};
use crate::{Context, telemetry};

/// How often the node says that it lives: its own cosignature on its own head.
const HEARTBEAT: Duration = Duration::from_mins(10);

/// Runs the node: exchange with partners, GraphQL, the log and the portal
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// Serve GraphQL, the log and the portal here instead of where chancery.toml says; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// Listen for partners here instead of where chancery.toml says
    #[arg(long, value_name = "MULTIADDR")]
    p2p: Vec<String>,
}

/// Runs the command until it is interrupted.
///
/// # Errors
/// When a key does not open, the archive is another nation's, or an address is taken.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let mut config = Config::read(&args.folder.folder)?;
    config.http = args.http.unwrap_or(config.http);
    if !args.p2p.is_empty() {
        config.p2p.clone_from(&args.p2p);
    }
    telemetry::start(context.console.json).or_exit(Exit::Usage, || "failed to start")?;
    let passphrase = context.passphrase.existing_or(config.passphrase.as_ref(), &config.folder, "the node's keys")?;
    let keys = keys::open(&config, [Role::Log, Role::Witness, Role::Mirror, Role::Transport], &passphrase)?;
    drop(passphrase);
    block_on(serve(&config, keys))
}

async fn serve(config: &Config, [log, witness, mirror, transport]: [Key; 4]) -> Outcome {
    // Before anything is announced, so that no request to stop is missed.
    let stop = asked_to_stop()?;
    let registry = open_archive(config, Some(keys::identity(config, [log, witness, mirror])?)).await?;
    let node = start_node(config, transport, &registry).await?;
    let server = start_server(config, &registry, &node).await?;
    announce(config, &server, &node)?;
    info!(nation = %config.nation, log.origin = %config.origin, "The node is ready");
    beat_until(&registry, stop).await;
    info!("The node stops");
    server.shutdown().await;
    node.shutdown().await;
    Ok(())
}

async fn start_node(config: &Config, transport: Key, registry: &Registry) -> Outcome<Arc<p2p::Node>> {
    // The library shares a port that another process listens on; two nodes behind one port would not do.
    for socket in config.p2p.iter().filter_map(|address| socket(address)) {
        let hint = "check p2p in chancery.toml, or name another address with --p2p";
        let attempted = || format!("failed to listen for partners at {socket}; {hint}");
        TcpListener::bind(socket).or_exit(Exit::Other, attempted)?;
    }
    let exchange = p2p::Config { transport_seed: transport.into_seed(), listen: config.p2p.clone() };
    let node = p2p::Node::start(exchange, registry.clone(), wall_clock()).await;
    let hint = "check p2p in chancery.toml, or name another address with --p2p";
    Ok(Arc::new(
        node.or_exit(Exit::Other, || format!("failed to listen for partners at {}; {hint}", config.p2p.join(", ")))?,
    ))
}

async fn start_server(config: &Config, registry: &Registry, node: &Arc<p2p::Node>) -> Outcome<server::Server> {
    let tls = config.tls.clone().map(|tls| server::Tls { certificate: tls.certificate, key: tls.key });
    let exchange = Arc::clone(node);
    let faces = server::Config {
        http: config.http,
        behind_proxy: config.behind_proxy,
        tls,
        metrics: vec![Arc::new(move || exchange.metrics_text())],
    };
    let server = server::Server::start(faces, registry.clone(), wall_clock()).await;
    let hint = "check http in chancery.toml, or name another address with --http";
    server.or_exit(Exit::Other, || format!("failed to serve at {}; {hint}", config.http))
}

/// The one line that programs wait for.
fn announce(config: &Config, server: &server::Server, node: &p2p::Node) -> Outcome {
    let mut out = std::io::stdout().lock();
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let address = reachable(server.address());
    let said = writeln!(out, "ready http={scheme}://{address} p2p={}", node.addresses().join(","));
    Ok(said.and_then(|()| out.flush()).context("failed to say that the node is ready")?)
}

/// Says at each beat that the node lives, until it is asked to stop.
async fn beat_until(registry: &Registry, stop: impl Future<Output = ()>) {
    let mut beats = tokio::time::interval(HEARTBEAT);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = beats.tick() => {
                if let Err(problem) = registry.heartbeat().await {
                    error!(error = &problem as &dyn std::error::Error, "Failed to sign a heartbeat");
                }
            }
        }
    }
}

/// Ends when the process is asked to stop: an interrupt, or a termination.
#[cfg(unix)]
fn asked_to_stop() -> Outcome<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let attempted = "failed to listen for signals";
    let mut interrupt = signal(SignalKind::interrupt()).context(attempted)?;
    let mut terminate = signal(SignalKind::terminate()).context(attempted)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn asked_to_stop() -> Outcome<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
