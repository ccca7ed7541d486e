//! Files that only their owner may read: written with mode 0600, whole or not at all, and refused
//! when others have come to be able to read them.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::output::{Exit, OrExit as _, Outcome, fail};

/// Writes a new file that only its owner can read.
///
/// # Errors
/// When it exists, or the disk does not take it.
pub fn create(path: &Path, bytes: &[u8]) -> Outcome {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let attempted = || format!("failed to write {}", path.display());
    // A temporary file has mode 0600 from its first byte.
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(attempted)?;
    file.write_all(bytes).with_context(attempted)?;
    file.as_file().sync_all().with_context(attempted)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            fail(Exit::Usage, format!("{} exists; nothing was overwritten", path.display()))
        }
        Err(error) => Err(error.error).with_context(attempted)?,
    }
}

/// Checks that nobody but the owner can read or write the file.
///
/// # Errors
/// With the command that mends it.
pub fn check(path: &Path) -> Outcome {
    let metadata = std::fs::metadata(path);
    let metadata = metadata.or_exit(Exit::Authority, || format!("failed to open {}", path.display()))?;
    match problem(&metadata) {
        None => Ok(()),
        Some(mode) => {
            let path = path.display();
            fail(Exit::Authority, format!("{path} can be read by others (mode {mode:04o}); mend it: chmod 600 {path}"))
        }
    }
}

#[cfg(unix)]
fn problem(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn problem(_: &std::fs::Metadata) -> Option<u32> {
    None
}
