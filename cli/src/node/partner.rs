//! `chancery partner`: recognising other nations, after their fingerprint was compared by voice.

mod add;
mod list;
pub mod meet;

pub use self::list::{clocks, standing, sync_states};
use crate::Context;
use crate::output::Outcome;

/// Recognises other nations, and shows those that are
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Add(add::Args),
    List(list::Args),
}

/// Runs the command.
///
/// # Errors
/// As the command that was chosen.
pub fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Add(args) => add::run(args, context),
        Command::List(args) => list::run(args, context),
    }
}
