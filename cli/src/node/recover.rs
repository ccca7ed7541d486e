//! `chancery recover`: rebuilds the own log from partners' mirrors, after its database was lost or an old
//! backup of it restored. Nothing that a partner's node answers is believed: entries must lead to a
//! checkpoint that the own log key signed, envelopes and blobs have the digests by which they are named.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use chancery_registry::{Contents, Identity, Registry};
use chancery_schema::key::Role;
use chancery_schema::log::checkpoint;
use chancery_schema::log::note::{KeyType, verifier_key};
use chancery_schema::log::tree;
use serde_json::json;

use super::former::mirror_former;
use super::init::INTRODUCTION;
use super::source::Source;
use super::{FolderArgs, block_on, keys, running, wall_clock};
use crate::Context;
use crate::client::Client;
use crate::config::{Config, Database};
use crate::files::write_whole;
use crate::output::{Exit, OrExit as _, Outcome, fail};

/// How long to wait for a process that no longer answers: longer than it takes to be relieved.
const RELIEF: Duration = Duration::from_secs(10);

const FROM_HELP: &str = "The address of a partner's node that mirrors this log, such as https://ke.example.org; of \
     several, each gives what those before did not have";

/// Rebuilds this node's own log from partners' nodes, when its database was lost or is an old backup
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    // Clap shows an address in Markdown's brackets with the brackets.
    #[arg(long, value_name = "URL", required = true, help = FROM_HELP)]
    from: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When the node runs, a key does not open, no partner is reached, or what it shows does not hold.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let config = args.folder.config()?;
    if let Some(client) = running::find(&config)? {
        return fail(Exit::Usage, format!("the node runs at {}; stop every process of it first", client.url()));
    }
    let clients = args.from.iter().map(|url| Client::new(url)).collect::<Outcome<Vec<_>>>()?;
    let passphrase = context.passphrase.existing_or(config.passphrase.as_ref(), &config.folder, "the node's keys")?;
    let keys = keys::open(&config, [Role::Log, Role::Witness, Role::Mirror], &passphrase, context)?;
    drop(passphrase);
    let identity = keys::identity(&config, keys)?;
    block_on(async {
        let registry = open(&config, identity.clone()).await?;
        let recovered = recover(&config, &identity, &registry, &clients, context).await;
        // However it ended: the node need not wait when it starts.
        registry.resign().await;
        recovered
    })
}

async fn recover(
    config: &Config,
    identity: &Identity,
    registry: &Registry,
    clients: &[Client],
    context: &Context,
) -> Outcome {
    let began = Instant::now();
    if !leads_in_time(registry).await {
        return fail(Exit::Usage, format!("another process serves {}; stop every one first", config.database));
    }
    let before = registry.own_log().await?.size;
    for client in clients {
        recover_from(config, identity, registry, client, context).await?;
    }
    if let Some(doubt) = registry.doubt().await? {
        return fail(Exit::NotFound, format!("recovered what was shown, and yet {doubt}"));
    }
    let held = registry.own_log().await?;
    if held.size > 0 {
        mirror_former(registry, clients, context).await?;
    }
    let missing = registry.missing_after(&config.origin, None, u64::MAX).await?.len();
    let introduction = config.folder.join(INTRODUCTION);
    if held.size > 0 && !introduction.exists() {
        write_whole(&introduction, &registry.introduction().await.context("failed to write the introduction")?)?;
    }
    let fetched = held.size - before;
    let seconds = began.elapsed().as_secs_f64();
    let lacks = match missing {
        0 => String::new(),
        missing => format!("\n{missing} envelopes and blobs are not there; name another partner's node with --from"),
    };
    let human = format!(
        "{} holds {} entries, {fetched} of them recovered in {seconds:.1} s\nroot {}{lacks}",
        config.origin, held.size, held.root
    );
    let value = json!({
        "origin": config.origin,
        "size": held.size,
        "root": held.root,
        "recovered": fetched,
        "missing": missing,
        "seconds": seconds,
    });
    context.console.result(human, &value)
}

/// Waits until this process sequences: one that was killed did not let go, in a backup neither.
async fn leads_in_time(registry: &Registry) -> bool {
    let deadline = Instant::now() + RELIEF;
    while !registry.leads() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    registry.leads()
}

/// Opens the archive, which may have to be made anew, but never in another's database.
async fn open(config: &Config, identity: Identity) -> Outcome<Registry> {
    let attempted = || format!("failed to use the database {}", config.database);
    let url = config.database.url();
    let is_made = !matches!(&config.database, Database::File(path) if !path.exists());
    if is_made {
        match chancery_registry::look(&url).await.with_context(attempted)? {
            Contents::Empty => {}
            Contents::Archive(own) if own.as_ref().is_none_or(|own| *own == config.origin) => {}
            _ => {
                let hint = "name an empty one with --database, or in chancery.toml";
                return fail(Exit::Usage, format!("{} holds something else; {hint}", config.database));
            }
        }
    }
    Ok(Registry::open(&url, Some(identity), wall_clock()).await.with_context(attempted)?)
}

/// Takes what one partner's node has and is not held.
async fn recover_from(
    config: &Config,
    identity: &Identity,
    registry: &Registry,
    client: &Client,
    context: &Context,
) -> Outcome {
    let Some(note) = client.mirror(&config.origin, "checkpoint")? else {
        let hint = "name the node of a partner that mirrors it";
        return fail(Exit::NotFound, format!("{} holds no mirror of {}; {hint}", client.url(), config.origin));
    };
    let key = verifier_key(config.origin.as_str(), KeyType::Ed25519, &*identity.log)?;
    let attempted =
        || format!("{} shows a head of {} that this node's log key has not signed", client.url(), config.origin);
    let signed = checkpoint::open(&note, &key).or_exit(Exit::Verification, attempted)?;
    let target = signed.checkpoint().clone();
    let note = signed.to_string();
    let source = Source::new(client, target);
    entries(&source, registry, &note, context).await?;
    // What was held already is compared, and the mark set.
    registry.hear(&note).await.or_exit(Exit::Verification, || format!("failed to compare with {}", client.url()))?;
    source.missing(&config.origin, registry).await?;
    if let Some(introduction) = client.introduction()? {
        // So that its node is known again; a stranger's introduces nobody.
        registry
            .introduce(&introduction)
            .await
            .or_exit(Exit::Verification, || format!("failed to know {}", client.url()))?;
    }
    Ok(())
}

/// Takes the entries that are not held, package by package.
async fn entries(source: &Source<'_>, registry: &Registry, note: &str, context: &Context) -> Outcome {
    let mut held = registry.own_log().await?;
    let size = source.target.size;
    if size <= held.size {
        return Ok(());
    }
    context.console.say(format_args!("recovering entries {} to {size} from {}", held.size, source.client.url()));
    let proof = source.hashes(|reader| tree::consistency_proof(reader, held.size, size))?;
    let refused = || format!("what {} shows does not hold", source.client.url());
    registry.recover_to(note, &proof).await.or_exit(Exit::Verification, refused)?;
    while held.size < size {
        let (package, bodies) = source.package(held.size)?;
        held = registry.recover(&package, &bodies).await.or_exit(Exit::Verification, refused)?;
    }
    Ok(())
}
