//! `chancery pouch inspect`: what a pouch says of itself. Needs no archive, and verifies no signature.

use chancery_p2p_node::pouch::Pouch;
use serde_json::{Value, json};

use super::{VolumesArgs, bytes_text, failure, header, travels};
use crate::Context;
use crate::output::Outcome;

const UNVERIFIED: &str =
    "whose seal it is, and what it proves, is not verified here; `chancery pouch import` verifies it";

/// Says what a pouch says of itself; nothing of it is verified but that its volumes are whole
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    volumes: VolumesArgs,
}

/// Runs the command.
///
/// # Errors
/// When a file is no volume of a pouch, or was changed since it was sealed.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let pouch = Pouch::open(&args.volumes.volumes).map_err(failure)?;
    let (seal, missing) = (&pouch.seal, pouch.missing());
    let addressee = seal.addressee().map_or_else(String::new, ToString::to_string);
    let (all, given) = (seal.volumes.len(), args.volumes.volumes.len());
    // What is in the volumes can be told only when all are there.
    let sections = if missing.is_empty() { pouch.sections().map_err(failure)? } else { Vec::new() };
    let lines: String = sections.iter().map(|it| travels(&it.origin, it.start, it.size)).collect();
    let human = format!(
        "pouch {}\nfrom {} for {addressee}, sealed at {}\n{given} of {all} volumes, {}{lines}\n{UNVERIFIED}",
        seal.id(),
        seal.header.nation,
        seal.header.issued_at,
        bytes_text(pouch.bytes()),
    );
    let mut value = header(&pouch);
    value["missing"] = json!(missing);
    let logs = sections.iter().map(|it| json!({ "log": it.origin, "start": it.start, "size": it.size }));
    value["logs"] = Value::Array(logs.collect());
    value["verified"] = json!(false);
    context.console.result(human, &value)
}
