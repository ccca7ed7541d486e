//! The keys of a node: their names in its folder, and opening those that it holds online.
//!
//! Every key file is sealed with scrypt of its own, so several are opened at once, each on a thread.
//! Keys that `chancery.toml` finds in a token have only their plain half in the folder.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use chancery_registry::Identity;
use chancery_schema::key::Role;

use super::mark;
use crate::Context;
use crate::commands::charter::cosigner_name;
use crate::config::Config;
use crate::keystore::{Key, PUBLIC_EXTENSION};
use crate::output::{Exit, Outcome, fail};
use crate::passphrase::Passphrase;

/// The keys that a node has besides its roots, with the names of their files.
pub const ROLES: [Role; 7] =
    [Role::Registrar, Role::Exchange, Role::Log, Role::Witness, Role::Mirror, Role::Node, Role::Transport];

/// The ending of a key's secret half, as the key store writes it.
pub const SECRET_EXTENSION: &str = "key";

/// The name of the first root's file is `root-1`.
#[must_use]
pub fn root_name(number: usize) -> String {
    format!("root-{number}")
}

/// The secret half of the key called `name`.
#[must_use]
pub fn path(config: &Config, name: &str) -> PathBuf {
    config.keys.join(format!("{name}.{SECRET_EXTENSION}"))
}

/// The plain half of the key called `name`.
#[must_use]
pub fn public_path(config: &Config, name: &str) -> PathBuf {
    config.keys.join(format!("{name}.{PUBLIC_EXTENSION}"))
}

/// Opens the keys of `roles`, in that order, and checks that they are of the configured nation.
///
/// # Errors
/// When one is missing, readable by others, of another nation, sealed with another passphrase, or its token is not there.
pub fn open<const N: usize>(
    config: &Config,
    roles: [Role; N],
    passphrase: &Passphrase,
    context: &Context,
) -> Outcome<[Key; N]> {
    let opened: Vec<Outcome<Key>> = std::thread::scope(|scope| {
        let threads = roles.map(|role| scope.spawn(move || open_one(config, role, passphrase, context)));
        let results =
            threads.map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("failed to open a key").into())));
        results.into_iter().collect()
    });
    let keys = opened.into_iter().collect::<Outcome<Vec<Key>>>()?;
    keys.try_into().map_err(|_| anyhow!("failed to open {N} keys").into())
}

fn open_one(config: &Config, role: Role, passphrase: &Passphrase, context: &Context) -> Outcome<Key> {
    let name = role.as_str();
    let (key, what) = match config.tokens.get(&role) {
        None => {
            let path = path(config, name);
            (Key::open(&path, passphrase)?, path.display().to_string())
        }
        Some(uri) => {
            let pin = || context.passphrase.pin(uri, config.passphrase.as_ref(), &config.folder);
            (Key::open_token(uri, &public_path(config, name), pin)?, uri.key())
        }
    };
    let key = key.for_role(role, &what)?;
    if (&key.public.nation, &key.public.origin) == (&config.nation, &config.origin) {
        return Ok(key);
    }
    let (nation, origin) = (&key.public.nation, &key.public.origin);
    fail(Exit::Authority, format!("{what} is a key of {nation} for {origin}, not of this node"))
}

/// The archive's identity out of the three keys with which it signs notes.
///
/// # Errors
/// When the origin is too long to name its cosigners below it.
pub fn identity(config: &Config, [log, witness, mirror]: [Key; 3]) -> Outcome<Identity> {
    Ok(Identity {
        nation: config.nation.clone(),
        origin: config.origin.clone(),
        log: Arc::new(log),
        witness: (cosigner_name(&config.origin, Role::Witness)?, Arc::new(witness)),
        mirror: (cosigner_name(&config.origin, Role::Mirror)?, Arc::new(mirror)),
        mark: Some(mark::of(config)),
    })
}
