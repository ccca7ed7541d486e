//! The high-water mark: a file in the node's folder that holds the newest checkpoint of the own log which
//! this node signed or saw signed. It lies outside the database, and does not belong into its backup: an
//! old mark restored with an old database would say nothing.

use std::fs::File;
use std::io::{ErrorKind, Result, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chancery_registry::{Mark, SharedMark};
use chancery_schema::limits::NOTE_BYTES_MAX;

use crate::config::Config;
use crate::files::bounded;

/// The file's name in a node's folder.
pub const FILE: &str = "high-water-mark";

struct MarkFile(PathBuf);

/// The mark of a configured node.
#[must_use]
pub fn of(config: &Config) -> SharedMark {
    Arc::new(MarkFile(config.folder.join(FILE)))
}

impl Mark for MarkFile {
    fn read(&self) -> Result<Option<String>> {
        match bounded(&self.0, NOTE_BYTES_MAX as u64) {
            // What is not text is not a checkpoint either, and so counts as none.
            Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, note: &str) -> Result<()> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Always the same name, so that a node which is killed again and again leaves one file behind.
        let next = self.0.with_extension("next");
        let mut file = File::create(&next)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&next, &self.0)?;
        // The new name is durable only when the folder is.
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        #[cfg(not(unix))]
        let _ = folder;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_replaced_whole_and_what_is_no_text_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mark = MarkFile(folder.path().join(FILE));
        assert_eq!(mark.read().unwrap(), None);
        for note in ["a longer first note", "second"] {
            mark.write(note).unwrap();
            assert_eq!(mark.read().unwrap().as_deref(), Some(note));
        }
        std::fs::write(&mark.0, [0xff, 0xfe]).unwrap();
        assert_eq!(mark.read().unwrap(), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
    }
}
