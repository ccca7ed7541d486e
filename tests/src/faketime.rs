//! A clock for real processes that can be set, and stepped while they run: `libfaketime`, where it is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a wall clock shows, as a difference to this machine's. The clock that measures how time passes is left alone,
/// as it is when somebody sets the clock of a machine.
#[derive(Clone, Debug)]
pub struct FakeClock {
    preload: String,
    file: PathBuf,
}

impl FakeClock {
    /// A clock that is right, read from `file`; none where `faketime` is not installed.
    #[must_use]
    pub fn at(file: &Path) -> Option<Self> {
        let asked = Command::new("faketime").args(["-m", "-f", "+0", "printenv", "LD_PRELOAD"]).output().ok()?;
        let preload = String::from_utf8(asked.stdout).ok()?.trim().to_owned();
        let clock = Self { preload, file: file.to_owned() };
        (asked.status.success() && !clock.preload.is_empty() && clock.set("+0").is_ok()).then_some(clock)
    }

    /// Sets the clock of every process that has it: `+0`, `-3650d`, `+1h`.
    ///
    /// # Errors
    /// When the file is not written.
    pub fn set(&self, difference: &str) -> std::io::Result<()> {
        // Renamed into place: a process may read it at any moment.
        let next = self.file.with_extension("next");
        std::fs::write(&next, format!("{difference}\n"))?;
        std::fs::rename(next, &self.file)
    }

    /// Gives a command this clock.
    pub fn wind(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.preload).env("FAKETIME_TIMESTAMP_FILE", &self.file);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("NO_FAKE_STAT", "1");
    }
}
