//! `chancery`: the one command. It signs offline, starts the node, and is the only room that reads
//! configuration, the environment and the clock.
//!
//! One command is one file: those that need nothing but the schema are in [`commands`], those that
//! need a node, its archive or its address in `node`, which a build without that feature leaves out.

mod clock;
mod commands;
mod draft;
mod files;
mod fingerprint;
mod hash;
mod import;
mod keystore;
mod oms;
mod output;
mod passphrase;
mod pkcs11;
mod private_file;
mod sign;
mod visible;

#[cfg(feature = "node")]
mod client;
#[cfg(feature = "node")]
mod config;
#[cfg(feature = "node")]
mod node;
#[cfg(feature = "node")]
mod telemetry;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::{Console, Outcome};
use crate::passphrase::PassphraseArgs;
use crate::visible::visible_lines;

/// Under which heading `--help` shows the options that all commands have.
const EVERYWHERE: &str = "Options of every command";

/// Publish, verify and exchange signed models between nations
///
/// Exit codes: 0 done, 1 the machine failed, 2 wrong usage, 3 verification failed or refused, 4 key or
/// authority, 5 not found, 6 could not reach, 7 not yet cosigned as asked, 8 findings of a lint, 9 void for
/// a revoked key, 10 contested, 11 withdrawn, 12 redacted.
#[derive(Parser)]
#[command(name = "chancery", version, max_term_width = 100)]
struct Cli {
    /// Write results as JSON
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    /// Write only results and errors
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    quiet: bool,
    /// Draw no progress
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    no_progress: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Keygen(commands::keygen::Args),
    #[command(subcommand)]
    Charter(commands::charter::Command),
    #[command(subcommand)]
    Enrol(commands::enrol::Command),
    Revoke(commands::revoke::Args),
    #[command(subcommand)]
    Succession(commands::succession::Command),
    Hash(commands::hash::Args),
    #[command(subcommand)]
    Card(commands::card::Command),
    #[command(subcommand)]
    License(commands::license::Command),
    Sign(commands::sign::Args),
    Verify(commands::verify::Args),
    #[command(subcommand)]
    Evidence(commands::evidence::Command),
    #[command(subcommand)]
    Oms(commands::oms::Command),
    Show(commands::show::Args),
    #[cfg(feature = "node")]
    Init(Box<node::init::Args>),
    #[cfg(feature = "node")]
    Serve(node::serve::Args),
    #[cfg(feature = "node")]
    Publish(node::publish::Args),
    #[cfg(feature = "node")]
    Withdraw(Box<node::end::Withdraw>),
    #[cfg(feature = "node")]
    Redact(Box<node::end::Redact>),
    #[cfg(feature = "node")]
    Bundle(node::bundle::Args),
    #[cfg(feature = "node")]
    Lookup(node::lookup::Args),
    #[cfg(feature = "node")]
    #[command(subcommand)]
    Partner(node::partner::Command),
    #[cfg(feature = "node")]
    #[command(subcommand)]
    Pouch(node::pouch::Command),
    #[cfg(feature = "node")]
    #[command(subcommand)]
    View(node::view::Command),
    #[cfg(feature = "node")]
    Recover(node::recover::Args),
    #[cfg(feature = "node")]
    Doctor(node::doctor::Args),
}

/// What every command has at hand.
struct Context {
    console: Console,
    passphrase: PassphraseArgs,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let context = Context { console: Console::new(cli.json, cli.quiet, cli.no_progress), passphrase: cli.passphrase };
    match run(&cli.command, &context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if is_closed_pipe(&failure.error) => ExitCode::SUCCESS,
        Err(failure) => {
            // What failed may quote what a stranger wrote.
            eprintln!("error: {}", visible_lines(&format!("{:#}", failure.error)));
            failure.exit.into()
        }
    }
}

fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Keygen(args) => commands::keygen::run(args, context),
        Command::Charter(command) => commands::charter::run(command, context),
        Command::Enrol(command) => commands::enrol::run(command, context),
        Command::Revoke(args) => commands::revoke::run(args, context),
        Command::Succession(command) => commands::succession::run(command, context),
        Command::Hash(args) => commands::hash::run(args, context),
        Command::Card(command) => commands::card::run(command, context),
        Command::License(command) => commands::license::run(command, context),
        Command::Sign(args) => commands::sign::run(args, context),
        Command::Verify(args) => commands::verify::run(args, context),
        Command::Evidence(command) => commands::evidence::run(command, context),
        Command::Oms(command) => commands::oms::run(command, context),
        Command::Show(args) => commands::show::run(args, context),
        #[cfg(feature = "node")]
        Command::Init(args) => node::init::run(args, context),
        #[cfg(feature = "node")]
        Command::Serve(args) => node::serve::run(args, context),
        #[cfg(feature = "node")]
        Command::Publish(args) => node::publish::run(args, context),
        #[cfg(feature = "node")]
        Command::Withdraw(args) => node::end::withdraw(args, context),
        #[cfg(feature = "node")]
        Command::Redact(args) => node::end::redact(args, context),
        #[cfg(feature = "node")]
        Command::Bundle(args) => node::bundle::run(args, context),
        #[cfg(feature = "node")]
        Command::Lookup(args) => node::lookup::run(args, context),
        #[cfg(feature = "node")]
        Command::Partner(command) => node::partner::run(command, context),
        #[cfg(feature = "node")]
        Command::Pouch(command) => node::pouch::run(command, context),
        #[cfg(feature = "node")]
        Command::View(command) => node::view::run(command, context),
        #[cfg(feature = "node")]
        Command::Recover(args) => node::recover::run(args, context),
        #[cfg(feature = "node")]
        Command::Doctor(args) => node::doctor::run(args, context),
    }
}

/// Whoever reads our output has read enough: `chancery show … | head`.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = error.chain().find_map(|cause| match cause.downcast_ref::<serde_json::Error>() {
        Some(error) => error.io_error_kind(),
        None => cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind),
    });
    kind == Some(std::io::ErrorKind::BrokenPipe)
}
