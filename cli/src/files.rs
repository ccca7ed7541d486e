//! Reading files with a bound, and writing them whole or not at all.

use std::io::{Read as _, Write as _};
use std::path::Path;

use crate::output::{Exit, OrExit as _, Outcome, fail};

/// Reads a file of at most `bytes_max` bytes.
///
/// # Errors
/// When it is not there, or larger.
pub fn read_bounded(path: &Path, bytes_max: u64) -> Outcome<Vec<u8>> {
    let attempted = || format!("failed to read {}", path.display());
    let file = std::fs::File::open(path).or_exit(Exit::Usage, attempted)?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).or_exit(Exit::Usage, attempted)?;
    if bytes.len() as u64 > bytes_max {
        return fail(Exit::Usage, format!("{} is larger than {bytes_max} bytes", path.display()));
    }
    Ok(bytes)
}

/// Writes a file that anyone may read, whole or not at all; one that exists is replaced.
///
/// # Errors
/// When the disk does not take it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Outcome {
    let attempted = || format!("failed to write {}", path.display());
    // A device or a folder of that name is not what anyone means to replace.
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return fail(Exit::Usage, format!("{} is there and is not a file; name another", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.permissions(std::fs::Permissions::from_mode(0o644));
    }
    let mut file = file.tempfile_in(folder).or_exit(Exit::Other, attempted)?;
    file.write_all(bytes).or_exit(Exit::Other, attempted)?;
    file.as_file().sync_all().or_exit(Exit::Other, attempted)?;
    file.persist(path).map_err(|error| error.error).or_exit(Exit::Other, attempted)?;
    Ok(())
}
