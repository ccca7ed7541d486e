//! `chancery pouch`: exchanging logs with a partner by files that are carried by hand, where no network leads.

mod export;
mod import;
mod inspect;
mod reply;

use std::path::PathBuf;

use chancery_p2p_node::pouch::{Pouch, PouchError};
use chancery_registry::{Identity, Registry};
use chancery_schema::key::Role;
use chancery_schema::name::Origin;
use serde_json::{Value, json};

use super::{keys, open_archive};
use crate::Context;
use crate::config::Config;
use crate::keystore::Key;
use crate::output::{Exit, Failure, Outcome};

/// Exchanges logs with a partner by files that are carried by hand
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Export(export::Args),
    Inspect(inspect::Args),
    Import(import::Args),
    Reply(reply::Args),
}

/// The volumes of a pouch.
#[derive(Clone, Debug, clap::Args)]
struct VolumesArgs {
    /// The pouch: all its volumes, in any order
    #[arg(value_name = "FILE", required = true)]
    volumes: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// As the command that was chosen.
pub fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Export(args) => export::run(args, context),
        Command::Inspect(args) => inspect::run(args, context),
        Command::Import(args) => import::run(args, context),
        Command::Reply(args) => reply::run(args, context),
    }
}

/// The keys with which this node signs notes, and the one that seals pouches.
fn open_keys(config: &Config, context: &Context) -> Outcome<(Identity, Key)> {
    let passphrase = context.passphrase.existing_or(config.passphrase.as_ref(), &config.folder, "the node's keys")?;
    let roles = [Role::Log, Role::Witness, Role::Mirror, Role::Node];
    let [log, witness, mirror, node] = keys::open(config, roles, &passphrase, context)?;
    Ok((keys::identity(config, [log, witness, mirror])?, node))
}

/// Runs something with the archive open to sign, whether or not the node runs beside.
async fn with_archive<T>(
    config: &Config,
    identity: Identity,
    run: impl AsyncFnOnce(&Registry) -> Outcome<T>,
) -> Outcome<T> {
    let registry = open_archive(config, Some(identity)).await?;
    let ran = run(&registry).await;
    // However it ended: a node that starts need not wait.
    registry.resign().await;
    ran
}

/// Who sealed a pouch for whom, and when, for programs.
fn header(pouch: &Pouch) -> Value {
    let seal = &pouch.seal;
    json!({
        "pouch": seal.id(),
        "nation": seal.header.nation,
        "log": seal.header.log,
        "for": seal.addressee(),
        "sealedAt": seal.header.issued_at,
        "volumes": seal.volumes.len(),
        "holds": seal.holds,
    })
}

/// A failure with the exit code of its kind.
fn failure(error: PouchError) -> Failure {
    let exit = match &error {
        PouchError::Refused(_) | PouchError::TwoHistories { .. } => Exit::Verification,
        PouchError::Read { .. } | PouchError::Medium { .. } | PouchError::Volumes(_) => Exit::Usage,
        PouchError::Write(_) | PouchError::Archive(_) => Exit::Other,
    };
    Failure { exit, error: error.into() }
}

/// What travels of a log, for people.
fn travels(origin: &Origin, start: Option<u64>, size: u64) -> String {
    match start {
        Some(start) => format!("\n  {origin}: entries {start} to {size}"),
        None => format!("\n  {origin}: its head at {size}, with the cosignatures known"),
    }
}

/// Bytes for people.
fn bytes_text(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} KB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
