//! `chancery pouch import`: checks a pouch whole, and takes it in as the wire would bring it.

use chancery_p2p_node::pouch::{self, Imported, Pouch};
use chancery_registry::Registry;
use serde_json::{Value, json};

use super::{VolumesArgs, failure, header, open_keys, with_archive};
use crate::Context;
use crate::node::{FolderArgs, block_on, wall_clock};
use crate::output::{Exit, Outcome, fail};

/// Takes in a partner's pouch, whole or not at all, and cosigns what it brought
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    volumes: VolumesArgs,
    #[command(flatten)]
    folder: FolderArgs,
}

/// Runs the command.
///
/// # Errors
/// When the pouch is refused, a key does not open, or the archive fails.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let config = args.folder.config()?;
    let pouch = Pouch::open(&args.volumes.volumes).map_err(failure)?;
    let (identity, _) = open_keys(&config, context)?;
    let run = async |registry: &Registry| pouch::import(&pouch, registry, &wall_clock()).await.map_err(failure);
    let imported = block_on(with_archive(&config, identity, run))?;
    report(&pouch, &imported, context)
}

fn report(pouch: &Pouch, imported: &Imported, context: &Context) -> Outcome {
    let Imported { logs, cosignatures, problems } = imported;
    let (nation, sealed) = (&pouch.seal.header.nation, pouch.seal.header.issued_at);
    if let [first, ..] = &problems[..] {
        let all = problems.len();
        let hint = "what was taken stays; import the pouch again to go on";
        return fail(Exit::Other, format!("{all} parts of the pouch were not taken in, such as: {first}; {hint}"));
    }
    let news = *cosignatures > 0 || logs.iter().any(|taken| taken.after > taken.before);
    let grown = logs.iter().filter(|taken| taken.after > taken.before);
    let grown = grown.map(|it| format!("\n  {}: {} entries held, {} before", it.origin, it.after, it.before));
    let cosigned = (*cosignatures > 0).then(|| format!("\n  {cosignatures} new cosignatures"));
    let lines: String = grown.chain(cosigned).collect();
    let human = if news {
        format!("pouch of {nation}, sealed at {sealed}, taken in{lines}\nanswer it: chancery pouch reply")
    } else {
        format!("pouch of {nation}, sealed at {sealed}: everything in it was known, and nothing changed")
    };
    let mut value = header(pouch);
    let logs =
        logs.iter().map(|it| json!({ "log": it.origin, "shown": it.shown, "before": it.before, "held": it.after }));
    value["logs"] = Value::Array(logs.collect());
    value["cosignatures"] = json!(cosignatures);
    value["changed"] = json!(news);
    context.console.result(human, &value)
}
