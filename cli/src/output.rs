//! What the command says and how it ends: results to standard output, everything else to standard
//! error, one exit code for each kind of outcome.

use std::fmt;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use serde::Serialize;

/// How a command ends. Scripts may rely on the numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// The world failed: disk, database, a bug.
    Other = 1,
    /// The command line or a file named in it is wrong.
    Usage = 2,
    /// Something is not what it claims to be.
    Verification = 3,
    /// A key is missing, locked, or has no authority for this.
    Authority = 4,
    /// What was asked for is not there.
    NotFound = 5,
    /// A node did not answer.
    Unreachable = 6,
    /// True, but not yet cosigned as the policy asks.
    UnderWitnessed = 7,
    /// Findings of a lint.
    Lint = 8,
    /// Genuine, and void: a key was revoked.
    Void = 9,
    /// Genuine, and contested: a key was compromised.
    Contested = 10,
    /// Genuine, and withdrawn: the nation no longer stands by it.
    Withdrawn = 11,
    /// Genuine, and redacted: its body is erased.
    Redacted = 12,
}

/// Why a command did not do what was asked, and with which code it ends.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What was attempted and why it failed, as a chain.
    pub error: anyhow::Error,
}

/// The result of a command.
pub type Outcome<T = ()> = Result<T, Failure>;

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: Exit::Other, error: error.into() }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Gives a failure its exit code where it is understood.
pub trait OrExit<T> {
    /// Ends with `exit`, saying what was attempted.
    ///
    /// # Errors
    /// When `self` is an error.
    fn or_exit<C: fmt::Display + Send + Sync + 'static>(self, exit: Exit, attempted: impl FnOnce() -> C) -> Outcome<T>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit<C: fmt::Display + Send + Sync + 'static>(self, exit: Exit, attempted: impl FnOnce() -> C) -> Outcome<T> {
        self.map_err(|error| Failure { exit, error: error.into().context(attempted()) })
    }
}

/// Ends a command with a code and a sentence that says how to mend it.
pub fn fail<T>(exit: Exit, message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Outcome<T> {
    Err(Failure { exit, error: anyhow::Error::msg(message) })
}

/// Where results and talk go.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Results are JSON.
    pub json: bool,
    /// Only results and errors are written.
    pub quiet: bool,
    /// Progress is drawn.
    pub progress: bool,
}

impl Console {
    /// Progress only for people who watch a terminal.
    #[must_use]
    pub fn new(json: bool, quiet: bool, no_progress: bool) -> Self {
        Self { json, quiet, progress: !no_progress && !quiet && std::io::stderr().is_terminal() }
    }

    /// Writes a result: `human` for people, `value` with `--json`.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn result(self, human: impl fmt::Display, value: &impl Serialize) -> Outcome {
        use std::io::Write as _;
        let mut out = std::io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, value)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{human}")?;
        }
        Ok(())
    }

    /// Says something to the person at the terminal.
    pub fn say(self, message: impl fmt::Display) {
        if !self.quiet {
            eprintln!("{message}");
        }
    }
}
