//! Reading files with a bound, and writing them whole or not at all.

use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::path::Path;

use crate::output::{Exit, OrExit as _, Outcome, fail};

/// Reads a file of at most `bytes_max` bytes.
///
/// # Errors
/// When it is not there, or larger.
pub fn read_bounded(path: &Path, bytes_max: u64) -> Outcome<Vec<u8>> {
    bounded(path, bytes_max).or_exit(Exit::Usage, || format!("failed to read {}", path.display()))
}

/// As [`read_bounded`], for those who say themselves what failed. What is not a file may have no end,
/// so its size is not asked but counted.
///
/// # Errors
/// When it is not there, or larger.
pub fn bounded(path: &Path, bytes_max: u64) -> std::io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    // Room from the start: a secret does not leave copies where a vector grew.
    let room = file.metadata()?.len().min(bytes_max) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is larger than {bytes_max} bytes")));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_refused() {
        let path = Path::new("/dev/zero");
        if path.exists() {
            let refused = bounded(path, 1000).unwrap_err().to_string();
            assert_eq!(refused, "it is larger than 1000 bytes");
        }
    }

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 100]).unwrap();
        assert_eq!(bounded(&path, 100).unwrap(), [7; 100]);
        assert!(bounded(&path, 99).is_err());
    }
}
