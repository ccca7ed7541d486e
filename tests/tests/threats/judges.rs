//! Verifiers written in other languages (`tests/judges`), asked many cases at once.

use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A verifier in another language.
pub struct Judge {
    program: &'static str,
    script: PathBuf,
}

/// The judges of `name` on this machine: Node, which the project needs anyway, and Python where it is.
pub fn of(name: &str) -> Vec<Judge> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/judges"));
    let judge = |program, ending: &str| Judge { program, script: folder.join(format!("{name}.{ending}")) };
    let python = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let python = python.is_ok_and(|status| status.success()).then(|| judge("python3", "py"));
    std::iter::once(judge("node", "mjs")).chain(python).collect()
}

/// Says who judged.
pub fn names(judges: &[Judge]) -> String {
    let names: Vec<&str> = judges.iter().map(|judge| judge.program).collect();
    format!("Rust, {}", names.join(", "))
}

/// Bytes as judges read and write them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

impl Judge {
    /// The program that runs it.
    pub fn name(&self) -> &str {
        self.program
    }

    /// Asks all cases in one process: one line for each, and one line back.
    pub fn ask(&self, cases: &[String]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cases");
        std::fs::write(&path, cases.join("\n") + "\n").unwrap();
        // Node says of WebCrypto's Ed25519 that it is experimental.
        let mut command = Command::new(self.program);
        command.arg(&self.script).stdin(File::open(&path).unwrap()).env("NODE_NO_WARNINGS", "1");
        let output = command.output().unwrap_or_else(|error| panic!("failed to run {}: {error}", self.program));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {said}", self.script.display());
        let answers: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(answers.len(), cases.len(), "{} did not judge every case", self.script.display());
        answers
    }
}
