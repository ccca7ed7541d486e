//! The `chancery` command, run as a person at a shell runs it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, bail};

/// The passphrase of every key in tests and demonstrations. It protects nothing.
pub const PASSPHRASE: &str = "a passphrase that protects nothing";

/// The built command, newer than its sources.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--locked", "--quiet", "--workspace", "--bins"]);
        // What cargo tells a test of its package would look like a change to build scripts of others, and
        // half of the tree would be built again.
        for (name, _) in std::env::vars_os() {
            if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|of| name.to_string_lossy().starts_with(of)) {
                command.env_remove(name);
            }
        }
        let built = command.status();
        assert!(built.is_ok_and(|status| status.success()), "failed to build the chancery command");
        let program = std::env::current_exe().expect("a running program has a path");
        let folder = program.ancestors().find(|folder| folder.join("chancery").is_file());
        folder.expect("the command is built beside the tests").join("chancery")
    })
}

/// `chancery`, ready to be given arguments, taking its passphrase from a file in `home`, and its tokens from
/// a `softhsm2.conf` there.
///
/// # Panics
/// When the passphrase file cannot be written.
#[must_use]
pub fn chancery(home: &Path) -> Command {
    let mut command = Command::new(binary());
    command.env("CHANCERY_PASSPHRASE_REF", format!("file:{}", passphrase_file(home).display()));
    command.env("SOFTHSM2_CONF", home.join("softhsm2.conf"));
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs a command that must succeed; answers its standard output.
///
/// # Errors
/// With the whole conversation, when it does not.
pub fn succeed(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("failed to run {}", line(command)))?;
    if !output.status.success() {
        bail!("{} ended with {}:\n{}", line(command), output.status, said(&output));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a command that must end with exit code `code`; answers what it said on standard error.
///
/// # Errors
/// With the whole conversation, when it ends otherwise.
pub fn fail(command: &mut Command, code: i32) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("failed to run {}", line(command)))?;
    if output.status.code() != Some(code) {
        bail!("{} should end with {code} and ended with {}:\n{}", line(command), output.status, said(&output));
    }
    Ok(String::from_utf8(output.stderr)?)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn line(command: &Command) -> String {
    let words = command.get_args().map(OsStr::to_string_lossy);
    words.fold("chancery".to_owned(), |line, word| line + " " + &word)
}

fn passphrase_file(home: &Path) -> PathBuf {
    let path = home.join("passphrase");
    if !path.is_file() {
        std::fs::create_dir_all(home).expect("the folder can be made");
        std::fs::write(&path, PASSPHRASE).expect("the passphrase can be written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let owner = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&path, owner).expect("the file is ours");
        }
    }
    path
}
