//! `chancery serve`: the node itself. It runs until it is asked to stop, and every second of it may be
//! its last: nothing is kept in memory that the archive needs.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chancery_p2p_node as p2p;
use chancery_registry::{Admission, Registry};
use chancery_schema::admission::{Code, Refusal};
use chancery_schema::key::Role;
use chancery_server as server;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::{error, info};
use zeroize::Zeroizing;

use super::pace::Pace;
use super::repeated::Repeated;
use super::{FolderArgs, block_on, clocks, keys, open_archive, wall_clock};
use crate::config::{Config, reachable, socket};
use crate::keystore::Key;
use crate::output::{Exit, OrExit as _, Outcome};
use crate::sign::{Occasion, sign};
use crate::{Context, clock, telemetry};

/// How often to try to exchange again, where the address was not free.
const RETRY: Duration = Duration::from_secs(1);

/// How often to look for logs with two histories, and for erasures, that the own log does not tell of.
const REPORT: Duration = Duration::from_secs(5);

/// Receipts of erasures that are signed at one look.
const RECEIPTS_AT_ONCE: u64 = 32;

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
    let mut config = args.folder.config()?;
    config.http = args.http.unwrap_or(config.http);
    if !args.p2p.is_empty() {
        config.p2p.clone_from(&args.p2p);
    }
    telemetry::start(context.console.json).or_exit(Exit::Usage, || "failed to start")?;
    let passphrase = context.passphrase.existing_or(config.passphrase.as_ref(), &config.folder, "the node's keys")?;
    let online = [Role::Log, Role::Witness, Role::Mirror, Role::Node, Role::Transport];
    let keys = keys::open(&config, online, &passphrase, context)?;
    drop(passphrase);
    block_on(serve(&config, keys))
}

async fn serve(config: &Config, [log, witness, mirror, node, transport]: [Key; 5]) -> Outcome {
    // Before anything is announced, so that no request to stop is missed.
    let stop = asked_to_stop()?;
    let registry = open_archive(config, Some(keys::identity(config, [log, witness, mirror])?)).await?;
    let served = Box::pin(serve_archive(config, (node, transport), &registry, stop)).await;
    // Whatever ended it: another process of this nation need not wait.
    registry.resign().await;
    served
}

async fn serve_archive(
    config: &Config,
    (node, transport): (Key, Key),
    registry: &Registry,
    stop: impl Future<Output = ()>,
) -> Outcome {
    let exchange = Exchange::new(config, transport, registry)?;
    if registry.leads() {
        exchange.start().await?;
    } else {
        info!("Another process sequences and exchanges; this one serves, and hands submissions over");
    }
    let server = start_server(config, registry, &exchange).await?;
    announce(config, &server, &exchange)?;
    info!(nation = %config.nation, log.origin = %config.origin, "The node is ready");
    run_until(stop, registry, &exchange, Reporter::new(config, node)).await;
    info!("The node stops");
    server.shutdown().await;
    exchange.stop().await;
    Ok(())
}

/// The exchange with partners. It runs in the process that sequences: of all that serve one archive, one
/// speaks to partners.
struct Exchange {
    seed: Zeroizing<[u8; 32]>,
    listen: Vec<String>,
    registry: Registry,
    node: Mutex<Option<Arc<p2p::Node>>>,
}

impl Exchange {
    fn new(config: &Config, transport: Key, registry: &Registry) -> Outcome<Arc<Self>> {
        let (seed, listen) = (transport.into_seed()?, config.p2p.clone());
        Ok(Arc::new(Self { seed, listen, registry: registry.clone(), node: Mutex::default() }))
    }

    async fn start(&self) -> Outcome {
        // The library shares a port that another process listens on; two nodes behind one port would not do.
        for socket in self.listen.iter().filter_map(|address| socket(address)) {
            let hint = "check p2p in chancery.toml, or name another address with --p2p";
            let attempted = || format!("failed to listen for partners at {socket}; {hint}");
            TcpListener::bind(socket).or_exit(Exit::Other, attempted)?;
        }
        let config = p2p::Config { transport_seed: self.seed.clone(), listen: self.listen.clone() };
        let node = p2p::Node::start(config, self.registry.clone(), wall_clock()).await;
        let hint = "check p2p in chancery.toml, or name another address with --p2p";
        let attempted = || format!("failed to listen for partners at {}; {hint}", self.listen.join(", "));
        let node = node.or_exit(Exit::Other, attempted)?;
        *self.locked() = Some(Arc::new(node));
        Ok(())
    }

    async fn stop(&self) {
        let node = self.locked().take();
        if let Some(node) = node {
            node.shutdown().await;
        }
    }

    /// Runs where this process sequences, and only there.
    async fn follow(&self, leads: bool) -> Outcome {
        if !leads {
            self.stop().await;
        } else if self.locked().is_none() {
            self.start().await?;
            info!("This process sequences and exchanges from now on");
        }
        Ok(())
    }

    fn addresses(&self) -> Vec<String> {
        self.locked().as_ref().map_or_else(Vec::new, |node| node.addresses())
    }

    fn metrics_text(&self) -> String {
        self.locked().as_ref().map_or_else(String::new, |node| node.metrics_text())
    }

    fn locked(&self) -> MutexGuard<'_, Option<Arc<p2p::Node>>> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn start_server(config: &Config, registry: &Registry, exchange: &Arc<Exchange>) -> Outcome<server::Server> {
    let tls = config.tls.clone().map(|tls| server::Tls { certificate: tls.certificate, key: tls.key });
    let exchange = Arc::clone(exchange);
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

/// The one line that programs wait for. `p2p` is empty where another process speaks to partners.
fn announce(config: &Config, server: &server::Server, exchange: &Exchange) -> Outcome {
    let mut out = std::io::stdout().lock();
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let address = reachable(server.address());
    let said = writeln!(out, "ready http={scheme}://{address} p2p={}", exchange.addresses().join(","));
    Ok(said.and_then(|()| out.flush()).context("failed to say that the node is ready")?)
}

/// Enters in the own log what every partner should come to know: what proves that another log has two
/// histories, and that what a redaction asks for is erased here.
struct Reporter<'a> {
    config: &'a Config,
    node: Key,
    /// The accused keys of which nothing more is to be said.
    told: BTreeSet<String>,
    /// Whether the node's key turned out not to be delegated for receipts.
    silent: bool,
    /// Others decide how many redactions there are, and while the files are scrubbed nobody writes.
    scrubs: Pace,
    refusals: Repeated,
}

impl<'a> Reporter<'a> {
    fn new(config: &'a Config, node: Key) -> Self {
        Self {
            config,
            node,
            told: BTreeSet::new(),
            silent: false,
            scrubs: Pace::default(),
            refusals: Repeated::default(),
        }
    }

    async fn report(&mut self, registry: &Registry) -> Outcome {
        for evidence in registry.unreported().await? {
            if self.told.contains(&evidence.accused) {
                continue;
            }
            let occasion =
                Occasion { nation: &self.config.nation, origin: &self.config.origin, issued_at: clock::now() };
            let envelope = sign(occasion, &evidence, &[&self.node])?;
            match registry.admit(&envelope.to_bytes()).await? {
                Admission::Admitted(receipt) => {
                    info!(record.digest = %receipt.record, accused = evidence.accused, "Reported a log with two histories");
                }
                Admission::Refused(refusal) => {
                    let hint =
                        "delegate the node's key anew for endpoint and evidence, with `chancery enrol`, and restart";
                    error!(accused = evidence.accused, %refusal, hint, "Failed to report a log with two histories");
                }
            }
            self.told.insert(evidence.accused);
        }
        Ok(())
    }

    /// Scrubs what was erased from the database's files, and only then says that it is gone.
    async fn receipt(&mut self, registry: &Registry) -> Outcome {
        self.scrub(registry).await?;
        for receipt in registry.unreceipted(if self.silent { 0 } else { RECEIPTS_AT_ONCE }).await? {
            let occasion =
                Occasion { nation: &self.config.nation, origin: &self.config.origin, issued_at: clock::now() };
            let envelope = sign(occasion, &receipt, &[&self.node])?;
            match registry.admit(&envelope.to_bytes()).await? {
                Admission::Admitted(_) => {
                    info!(log.origin = %receipt.redacted_log, record.digest = %receipt.record, "Erased a redacted record");
                }
                Admission::Refused(refusal) if is_of_key(&refusal) => {
                    let hint = "delegate the node's key anew for endpoint, evidence and erasure-receipt, with `chancery enrol`, and restart";
                    error!(%refusal, hint, "Failed to say that redacted records are erased");
                    self.silent = true;
                    break;
                }
                Admission::Refused(refusal) => {
                    if let Some(times) = self.refusals.count(&refusal.to_string(), Instant::now()) {
                        let digest = receipt.record;
                        error!(times, record.digest = %digest, %refusal, "Failed to say that a redacted record is erased, and will try again");
                    }
                }
            }
        }
        Ok(())
    }

    async fn scrub(&mut self, registry: &Registry) -> Outcome {
        let began = Instant::now();
        if !self.scrubs.allows(began) {
            return Ok(());
        }
        let scrubbed = registry.scrub().await;
        // Where nothing was to be done it cost nothing.
        if !matches!(scrubbed, Ok(false)) {
            self.scrubs.done(began, Instant::now());
        }
        if scrubbed? {
            info!("What was erased is gone from the database's files too");
        }
        Ok(())
    }
}

/// Whether a record was refused for its key, which no other time mends.
fn is_of_key(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::KeyUnknown | Code::KeyNotAuthorised | Code::KeyExpired | Code::KeyRevoked)
}

/// Says at each beat that the node lives, reports what logs have two histories, what is erased and when the clock
/// is wrong, and exchanges while it sequences, until it is asked to stop.
async fn run_until(
    stop: impl Future<Output = ()>,
    registry: &Registry,
    exchange: &Exchange,
    mut reporter: Reporter<'_>,
) {
    clocks::silence(registry).await;
    let beat = async {
        let mut beats = every(HEARTBEAT);
        loop {
            beats.tick().await;
            if let Err(problem) = registry.heartbeat().await {
                error!(error = &problem as &dyn std::error::Error, "Failed to sign a heartbeat");
            }
        }
    };
    let follow = async {
        let (mut tries, mut failures) = (every(RETRY), Repeated::default());
        loop {
            tokio::select! {
                () = registry.lead_changed() => {}
                _ = tries.tick() => {}
            }
            let Err(failure) = exchange.follow(registry.leads()).await else {
                failures.end();
                continue;
            };
            // It is tried again: the process before may not have let go of the address yet.
            let problem = format!("{:#}", failure.error);
            if let Some(times) = failures.count(&problem, Instant::now()) {
                error!(times, "Failed to exchange: {problem}");
            }
        }
    };
    let report = async {
        let mut looks = every(REPORT);
        loop {
            looks.tick().await;
            if let Err(failure) = reporter.report(registry).await {
                error!("Failed to report a log with two histories: {:#}", failure.error);
            }
            if let Err(failure) = reporter.receipt(registry).await {
                error!("Failed to finish an erasure, and will try again: {:#}", failure.error);
            }
        }
    };
    tokio::select! {
        () = stop => {}
        // Nothing is kept in memory, so whoever starts the process again mends it.
        () = registry.sequencer_ended() => error!("The sequencer ended by a defect; the node ends too, to be started anew"),
        () = report => {}
        () = beat => {}
        () = follow => {}
        () = clocks::watch(registry) => {}
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
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
