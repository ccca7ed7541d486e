//! `chancery pouch reply`: exports to the sender of a pouch, from what it said that it holds.

use chancery_p2p_node::pouch::{Pouch, sealed_by_partner};
use chancery_registry::Registry;

use super::export::{TargetArgs, Wish, write};
use super::{VolumesArgs, failure, open_keys, with_archive};
use crate::Context;
use crate::node::{FolderArgs, block_on, wall_clock};
use crate::output::Outcome;

/// Packs what the sender of a pouch does not hold yet, by what its header says
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    volumes: VolumesArgs,
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    target: TargetArgs,
}

/// Runs the command.
///
/// # Errors
/// When the seal of the pouch does not hold, a key does not open, or the disk does not take the reply.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let config = args.folder.config()?;
    let pouch = Pouch::open(&args.volumes.volumes).map_err(failure)?;
    let (identity, node) = open_keys(&config, context)?;
    let run = async |registry: &Registry| {
        sealed_by_partner(&pouch, registry, &wall_clock()).await.map_err(failure)?;
        let (nation, holds) = (pouch.seal.header.nation.clone(), Some(pouch.seal.holds.clone()));
        write(&config, registry, &node, Wish { nation, holds, since: None }, &args.target, context).await
    };
    block_on(with_archive(&config, identity, run))
}
