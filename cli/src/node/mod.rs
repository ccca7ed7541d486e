//! The commands of a node: founding it, running it, and publishing to it.

pub mod bundle;
mod clocks;
pub mod doctor;
pub mod end;
mod former;
pub mod init;
pub mod keys;
pub mod lookup;
pub mod mark;
mod pace;
pub mod partner;
pub mod pouch;
pub mod publish;
pub mod receipt;
pub mod recover;
mod repeated;
pub mod running;
pub mod serve;
pub mod source;
pub mod view;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use chancery_registry::{Clock, Contents, Identity, Registry};

use crate::clock;
use crate::config::{Config, Database};
use crate::output::{Exit, OrExit as _, Outcome, fail};

const DATABASE_HELP: &str =
    "Use this archive instead of the one that chancery.toml names: a file, or postgres://HOST/NAME";

/// The options by which a command finds the node's folder and its archive.
#[derive(Clone, Debug, clap::Args)]
pub struct FolderArgs {
    /// The node's folder, where chancery.toml is
    #[arg(long = "dir", value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    // Taken as text, or the parser's error would repeat a password that stands in it by mistake.
    #[arg(long, value_name = "FILE|URL", help = DATABASE_HELP)]
    database: Option<String>,
}

impl FolderArgs {
    /// The configuration of the node.
    ///
    /// # Errors
    /// When there is none, or one line of it or the option cannot be meant.
    pub fn config(&self) -> Outcome<Config> {
        let mut config = Config::read(&self.folder)?;
        if let Some(database) = &self.database {
            config.database =
                Database::try_from(database.clone()).or_exit(Exit::Usage, || "failed to use --database")?;
        }
        Ok(config)
    }
}

const NODE_HELP: &str = "The node's address, such as http://127.0.0.1:8420";

/// The option by which a command finds a running node.
#[derive(Clone, Debug, clap::Args)]
pub struct NodeArgs {
    // Clap shows an address in Markdown's brackets with the brackets.
    #[arg(long = "node", value_name = "URL", env = "CHANCERY_NODE", help = NODE_HELP)]
    pub url: String,
}

/// The wall clock, as the rooms below take it.
#[must_use]
pub fn wall_clock() -> Clock {
    Arc::new(clock::now)
}

/// Runs what waits: the archive, and a node.
///
/// # Errors
/// As the future, and when the operating system gives no threads.
pub fn block_on<T>(future: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("failed to start the threads of the node")?.block_on(future)
}

/// Opens the archive of a configured node, which must exist.
///
/// # Errors
/// When it does not, or is another nation's.
pub async fn open_archive(config: &Config, identity: Option<Identity>) -> Outcome<Registry> {
    if let Database::File(path) = &config.database
        && !path.is_file()
    {
        let hint = "found the nation with `chancery init`, name its folder with --dir, or rebuild a lost one with `chancery recover`";
        return fail(Exit::Usage, format!("no database {}; {hint}", path.display()));
    }
    let attempted = || format!("failed to use the database {}", config.database);
    let url = config.database.url();
    // Looked into before it is opened: nothing is made in another's database by mistake.
    let found = chancery_registry::look(&url).await.with_context(attempted)?;
    if found != Contents::Archive(Some(config.origin.clone())) {
        let (nation, origin) = (&config.nation, &config.origin);
        let problem = format!("{} is not the archive of {nation} and its log {origin}", config.database);
        return fail(Exit::Usage, format!("{problem}; check nation, origin and database in {}", crate::config::FILE));
    }
    Ok(Registry::open(&url, identity, wall_clock()).await.with_context(attempted)?)
}
