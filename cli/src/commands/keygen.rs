//! `chancery keygen`: makes a key.

use std::path::{Path, PathBuf};

use chancery_schema::key::Role;
use chancery_schema::name::{Nation, Origin};
use serde_json::json;

use crate::Context;
use crate::keystore::{Key, PUBLIC_EXTENSION, refuse_taken};
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::passphrase::Given;
use crate::pkcs11::TokenKey;
use crate::pkcs11::uri::Uri;

/// Makes a key: NAME.key, encrypted and for its owner alone, and NAME.pub.json, for everyone
///
/// With --token the key is made inside a token, which never gives it away, and there is no NAME.key.
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
    /// Make the key inside this token: pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=file:FILE
    #[arg(long, value_name = "URI")]
    token: Option<Given<Uri>>,
    /// The token has the key already: only write NAME.pub.json
    #[arg(long, requires = "token")]
    existing: bool,
    /// Take the key of this file, for a log that follows the one it was made for; its passphrase stays
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    again: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When a file exists or cannot be written.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let name = args.name.as_deref().unwrap_or(args.role.as_str());
    let token = args.token.as_ref().map(|given| given.get("--token")).transpose()?;
    let (key, path) = match token {
        None => in_file(args, name, context)?,
        Some(uri) => in_token(args, name, uri, context)?,
    };
    let (keyid, role) = (key.public.key.keyid, args.role.as_str());
    let verb = if args.existing || args.again.is_some() { "took" } else { "made" };
    let human = format!("{verb} the {role} key {keyid}\n  {}", path.display());
    context.console.result(human, &json!({ "keyid": keyid, "role": args.role, "file": path }))
}

fn in_file(args: &Args, name: &str, context: &Context) -> Outcome<(Key, PathBuf)> {
    let (key, passphrase) = if let Some(path) = &args.again {
        let passphrase = context.passphrase.existing(&path.display().to_string())?;
        let key = Key::open(path, &passphrase)?.for_role(args.role, &path.display().to_string())?;
        (key.for_log(&args.nation, &args.origin)?, passphrase)
    } else {
        let passphrase = context.passphrase.new_one()?;
        (Key::generate(&args.nation, &args.origin, args.role)?, passphrase)
    };
    make_folder(args)?;
    let path = key.save(&args.out, name, &passphrase)?;
    Ok((key, path))
}

fn in_token(args: &Args, name: &str, uri: &Uri, context: &Context) -> Outcome<(Key, PathBuf)> {
    if args.role == Role::Transport {
        let reason = "the network's library takes the secret of a transport key, and a token gives none";
        return fail(Exit::Usage, format!("{reason}; make it without --token"));
    }
    make_folder(args)?;
    refuse_taken(&args.out.join(format!("{name}.{PUBLIC_EXTENSION}")))?;
    let pin = || context.passphrase.pin(uri, None, Path::new(""));
    let key = if args.existing { TokenKey::open(uri, pin)? } else { TokenKey::generate(uri, pin)? };
    let written = Key::of_token(key, &args.nation, &args.origin, args.role).and_then(|key| {
        let path = key.save_public(&args.out, name)?;
        Ok((key, path))
    });
    written.map_err(|mut failure| {
        let hint = "the token has the key, but NAME.pub.json was not written; write it with --existing";
        failure.error = failure.error.context(hint);
        failure
    })
}

fn make_folder(args: &Args) -> Outcome {
    let attempted = || format!("failed to make the folder {}", args.out.display());
    std::fs::create_dir_all(&args.out).or_exit(Exit::Usage, attempted)
}

fn role(word: &str) -> Result<Role, String> {
    serde_json::from_value(word.into()).map_err(|_| "not a role".to_owned())
}
