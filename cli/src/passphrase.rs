//! Where the passphrase of key files comes from: a reference to a file or a variable, or the terminal;
//! never the command line itself, which other processes can read.

use std::convert::Infallible;
use std::fmt;
use std::io::{Error, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use age::secrecy::{ExposeSecret as _, SecretString};
use anyhow::Context as _;
use serde::Deserialize;

use crate::files::bounded;
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::pkcs11::uri::Uri;
use crate::private_file;

/// A passphrase. Its memory is overwritten when it goes, and it cannot be printed.
pub type Passphrase = SecretString;

/// The shortest passphrase for a new key: with the work factor of the key store, guessing eight random
/// letters costs centuries of one core; a word of a dictionary, no length protects.
const CHARS_MIN: usize = 8;

/// A file with a passphrase on its first line, in bytes.
const BYTES_MAX: u64 = 64 << 10;

/// Where a passphrase is kept.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub enum Reference {
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            // The text itself is not shown: it may be the passphrase.
            _ => Err("expected file:PATH or env:NAME, a reference to the passphrase and not the passphrase".to_owned()),
        }
    }
}

impl TryFrom<String> for Reference {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
        }
    }
}

impl Reference {
    /// Reads the passphrase; relative paths are taken from `folder`.
    ///
    /// # Errors
    /// When it is not there, empty, or others can read it.
    pub fn read(&self, folder: &Path) -> Outcome<Passphrase> {
        let text = match self {
            Self::File(path) => {
                let path = folder.join(path);
                private_file::check(&path)?;
                let text = bounded(&path, BYTES_MAX).and_then(|bytes| String::from_utf8(bytes).map_err(Error::other));
                text.or_exit(Exit::Authority, || format!("failed to read the passphrase from {}", path.display()))?
            }
            Self::Env(name) => {
                let value = std::env::var(name);
                value.or_exit(Exit::Authority, || format!("failed to read the passphrase from the variable {name}"))?
            }
        };
        let passphrase = Passphrase::from(text.lines().next().unwrap_or_default().to_owned());
        drop(Passphrase::from(text));
        if passphrase.expose_secret().is_empty() {
            return fail(Exit::Authority, format!("the passphrase in {self} is empty"));
        }
        Ok(passphrase)
    }
}

/// The options with which a command learns the passphrase.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PassphraseArgs {
    /// Where the passphrase of the keys is, or the PIN of their token: a file or a variable; without it,
    /// it is asked for
    #[arg(long, global = true, help_heading = crate::EVERYWHERE, value_name = "file:PATH|env:NAME", env = "CHANCERY_PASSPHRASE_REF")]
    passphrase: Option<Given<Reference>>,
}

/// What was given as a reference. It is refused later, because a refusal by the parser would be printed with
/// the value, and people do give the secret itself by mistake.
#[derive(Clone, Debug)]
pub struct Given<T>(Result<T, String>);

impl<T: FromStr<Err = String>> FromStr for Given<T> {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.parse()))
    }
}

impl<T> Given<T> {
    /// What was given with `option`.
    ///
    /// # Errors
    /// When it cannot be meant.
    pub fn get(&self, option: &str) -> Outcome<&T> {
        match &self.0 {
            Ok(given) => Ok(given),
            Err(problem) => fail(Exit::Usage, format!("{option}: {problem}")),
        }
    }
}

impl PassphraseArgs {
    /// The passphrase of keys that exist.
    ///
    /// # Errors
    /// When no reference is given and nobody can be asked, or the reference leads nowhere.
    pub fn existing(&self, what: &str) -> Outcome<Passphrase> {
        match &self.passphrase {
            Some(given) => given.get("--passphrase")?.read(Path::new("")),
            None => ask(&format!("Passphrase of {what}: ")),
        }
    }

    /// As [`PassphraseArgs::existing`], with a reference of the node's configuration to fall back on.
    ///
    /// # Errors
    /// As [`PassphraseArgs::existing`].
    pub fn existing_or(&self, configured: Option<&Reference>, folder: &Path, what: &str) -> Outcome<Passphrase> {
        match (&self.passphrase, configured) {
            (None, Some(reference)) => reference.read(folder),
            _ => self.existing(what),
        }
    }

    /// The PIN of a key's token: where its URI says, or as [`PassphraseArgs::existing_or`].
    ///
    /// # Errors
    /// As [`PassphraseArgs::existing`].
    pub fn pin(&self, uri: &Uri, configured: Option<&Reference>, folder: &Path) -> Outcome<Passphrase> {
        match &uri.pin {
            Some(reference) => reference.read(folder),
            None => self.existing_or(configured, folder, &format!("{}, its PIN", uri.place())),
        }
    }

    /// A passphrase for new keys: asked for twice, and not too short.
    ///
    /// # Errors
    /// As [`PassphraseArgs::existing`], and when it is too short or the two differ.
    pub fn new_one(&self) -> Outcome<Passphrase> {
        let passphrase = self.existing("the new keys")?;
        if passphrase.expose_secret().chars().count() < CHARS_MIN {
            return fail(Exit::Authority, format!("the passphrase is shorter than {CHARS_MIN} characters"));
        }
        if self.passphrase.is_none() && ask("The same again: ")?.expose_secret() != passphrase.expose_secret() {
            return fail(Exit::Authority, "the two passphrases differ");
        }
        Ok(passphrase)
    }
}

fn ask(prompt: &str) -> Outcome<Passphrase> {
    if !std::io::stdin().is_terminal() {
        let hint = "no terminal to ask for the passphrase; give --passphrase file:PATH or --passphrase env:NAME";
        return fail(Exit::Usage, hint);
    }
    Ok(rpassword::prompt_password(prompt).map(Passphrase::from).context("failed to read the passphrase")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_file_or_a_variable() {
        assert_eq!("file:a/b".parse(), Ok(Reference::File("a/b".into())));
        assert_eq!("env:NAME".parse(), Ok(Reference::Env("NAME".to_owned())));
        for text in ["", "file:", "env:", "a/b", "pass:x"] {
            assert!(text.parse::<Reference>().is_err(), "{text:?} should be refused");
        }
    }

    #[test]
    fn a_refused_reference_is_not_repeated() {
        let refusal = "correct horse".parse::<Reference>().unwrap_err();
        assert!(!refusal.contains("horse"), "{refusal}");
    }
}
