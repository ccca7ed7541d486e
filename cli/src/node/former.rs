//! The logs before the own one: mirrored from partners' nodes, for who founds a new log and who recovers it.

use anyhow::Context as _;
use chancery_registry::Registry;
use chancery_schema::log::checkpoint;
use chancery_schema::log::note::VerifierKey;

use super::source::Source;
use crate::Context;
use crate::client::Client;
use crate::output::{Exit, OrExit as _, Outcome, fail};

/// Mirrors the logs that came before the own one, each up to where the next one took its place. Of several nodes,
/// each gives what those before did not have.
///
/// # Errors
/// When the archive fails, a log does not end as its successor says, or no node shows all of it.
pub async fn mirror_former(registry: &Registry, clients: &[Client], context: &Context) -> Outcome {
    let attempted = || "failed to mirror the earlier log";
    while let Some((origin, base)) = registry.begin_former().await.or_exit(Exit::Verification, attempted)? {
        context.console.say(format_args!("mirroring the earlier log {origin}"));
        let mirror = || async { registry.mirror(&origin).await?.with_context(|| format!("no mirror of {origin}")) };
        let attempted = || format!("failed to read the base of {origin}");
        let key: VerifierKey = mirror().await?.log_vkey.parse().or_exit(Exit::Other, attempted)?;
        let signed = checkpoint::open(base.as_bytes(), &key).or_exit(Exit::Other, attempted)?;
        let mut failed = None;
        for client in clients {
            if let Err(failure) = Source::new(client, signed.checkpoint().clone()).mirror(&base, registry).await {
                context.console.say(format_args!("{} does not help: {:#}", client.url(), failure.error));
                failed = Some(failure);
            }
        }
        if mirror().await?.size < signed.checkpoint().size {
            let hint = "name another partner's node with --from";
            let nobody = || fail(Exit::NotFound, format!("nobody showed all of {origin} up to the base; {hint}"));
            return failed.map_or_else(nobody, Err);
        }
    }
    Ok(())
}
