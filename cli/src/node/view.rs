//! `chancery view`: what people see, computed from the logs.

use serde_json::json;

use super::{FolderArgs, block_on, open_archive};
use crate::Context;
use crate::output::Outcome;

/// What people see, computed from the logs
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Drops the view and computes it again from the logs
    Rebuild(FolderArgs),
}

/// Runs the command.
///
/// # Errors
/// When the archive cannot be read; the view is then as it was.
pub fn run(command: &Command, context: &Context) -> Outcome {
    let Command::Rebuild(folder) = command;
    let config = folder.config()?;
    let (entries, before, after) = block_on(async {
        let registry = open_archive(&config, None).await?;
        let before = registry.view_digest().await?;
        let entries = registry.rebuild_view().await?;
        Ok((entries, before, registry.view_digest().await?))
    })?;
    let changed = if before == after { "it is as it was" } else { "it differs from what it was" };
    let human = format!("the view was computed again from {entries} entries; {changed}");
    context
        .console
        .result(human, &json!({ "entries": entries, "before": before, "after": after, "equal": before == after }))
}
