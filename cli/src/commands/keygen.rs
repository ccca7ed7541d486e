//! `chancery keygen`: makes a key.

use std::path::PathBuf;

use chancery_schema::key::Role;
use chancery_schema::name::{Nation, Origin};
use serde_json::json;

use crate::Context;
use crate::keystore::Key;
use crate::output::{Exit, OrExit as _, Outcome};

/// Makes a key: NAME.key, encrypted and for its owner alone, and NAME.pub.json, for everyone
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the key is for: root, registrar, publisher, exchange, evaluator, node, log, witness, mirror or transport
    #[arg(long, value_parser = role)]
    role: Role,
    /// The nation that the key will speak for
    #[arg(long, value_name = "CODE")]
    nation: Nation,
    /// The name of its log, such as fr.example.org/chancery
    #[arg(long)]
    origin: Origin,
    /// The folder for both files
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// What the files are called; without it, as the role
    #[arg(long)]
    name: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When a file exists or cannot be written.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let name = args.name.as_deref().unwrap_or(args.role.as_str());
    let passphrase = context.passphrase.new_one()?;
    let attempted = || format!("failed to make the folder {}", args.out.display());
    std::fs::create_dir_all(&args.out).or_exit(Exit::Usage, attempted)?;
    let key = Key::generate(&args.nation, &args.origin, args.role)?;
    let path = key.save(&args.out, name, &passphrase)?;
    let keyid = key.public.key.keyid;
    let human = format!("made the {} key {keyid}\n  {}", args.role.as_str(), path.display());
    context.console.result(human, &json!({ "keyid": keyid, "role": args.role, "file": path }))
}

fn role(word: &str) -> Result<Role, String> {
    serde_json::from_value(word.into()).map_err(|_| "not a role".to_owned())
}
