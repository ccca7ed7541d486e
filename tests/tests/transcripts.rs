//! The pages in `cli/`: documentation that is run, word for word.
//!
//! In a `console` block a command follows `$ `, then what it prints, then `? CODE` unless it ends with 0.
//! All pages are one story in one bash and one folder, in the order of [`PAGES`]. `[..]` stands for
//! what differs from run to run, and a line of `...` for any lines. A command that ends in ` &` is waited
//! for until it says that it is ready. `SNAPSHOTS=overwrite`
//! writes what is printed into the pages: read the difference, and elide what varies.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use chancery_tests::command::{PASSPHRASE, binary};
use chancery_tests::samples::SAMPLES;
use snapbox::assert_data_eq;

/// The pages, in the order of the story.
const PAGES: [&str; 7] = ["operator", "publisher", "verifier", "recovery", "officer", "pouch", "succession"];

/// What the pages call the ports; each run takes free ones.
const PORTS: [&str; 6] = ["8420", "8421", "8430", "8431", "8440", "8450"];

/// Stands between one command's output and the next's.
const MARK: &str = "\u{1}";

#[test]
fn every_transcript_is_true() {
    let home = tempfile::tempdir().unwrap();
    let ports: Vec<(&str, String)> = PORTS.iter().map(|port| (*port, free_port())).collect();
    let pages: Vec<String> = PAGES.iter().map(|page| read(page)).collect();
    let commands: Vec<&str> = pages.iter().flat_map(|page| page.lines().filter_map(command_of)).collect();
    let mut said = run(home.path(), &commands, &ports).into_iter();
    for (name, page) in PAGES.iter().zip(&pages) {
        assert_data_eq!(with_output(page, &mut said), snapbox::Data::read_from(&path(name), None));
    }
}

/// The command of a line of a page.
fn command_of(line: &str) -> Option<&str> {
    line.strip_prefix("$ ")
}

/// Runs the commands one after the other in one shell; answers what each printed, with its exit code.
fn run(home: &Path, commands: &[&str], ports: &[(&str, String)]) -> Vec<String> {
    SAMPLES[0].lay_out(&home.join("petit")).unwrap();
    std::fs::copy(samples().join("licenses/open.txt"), home.join("open.txt")).unwrap();
    std::fs::write(home.join("passphrase"), PASSPHRASE).unwrap();
    let mut script =
        "exec 2>&1; trap 'kill $(jobs -p) 2>/dev/null' EXIT; chmod 600 passphrase; : > node.log\n".to_owned();
    for command in commands {
        let command = ports.iter().fold((*command).to_owned(), |text, (page, free)| text.replace(page, free));
        match command.strip_suffix(" &") {
            Some(node) => writeln!(script, "{node} > ready 2>> node.log &\n{AWAIT}"),
            None => writeln!(script, "{command}"),
        }
        .unwrap();
        writeln!(script, "printf '? %d{MARK}' $?").unwrap();
    }
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(script).current_dir(home).stdin(Stdio::null()).env("NO_COLOR", "1");
    shell.env("CHANCERY_PASSPHRASE_REF", format!("file:{}", home.join("passphrase").display()));
    let path = std::env::var("PATH").unwrap();
    shell.env("PATH", format!("{}:{path}", binary().parent().unwrap().display()));
    let output = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    let output = ports.iter().fold(output, |text, (page, free)| text.replace(free, page));
    output.split_terminator(MARK).map(str::to_owned).collect()
}

/// Waits until a node that was started says `ready`, and prints that.
const AWAIT: &str =
    "for _ in $(seq 600); do grep -q ready ready && break; sleep 0.1; done; grep ready ready || cat node.log";

/// The page with what its commands really printed.
fn with_output(page: &str, said: &mut impl Iterator<Item = String>) -> String {
    let (mut actual, mut expected_output) = (String::new(), false);
    for line in page.lines() {
        expected_output = expected_output && line != "```" && command_of(line).is_none();
        if !expected_output {
            writeln!(actual, "{line}").unwrap();
        }
        if command_of(line).is_some() {
            let printed = said.next().expect("every command was run");
            let printed = printed.strip_suffix("? 0").unwrap_or(&printed);
            actual += printed;
            if !printed.is_empty() && !printed.ends_with('\n') {
                actual.push('\n');
            }
            expected_output = true;
        }
    }
    actual
}

fn path(page: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cli").join(page).with_extension("md")
}

fn samples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn read(page: &str) -> String {
    std::fs::read_to_string(path(page)).unwrap()
}

/// A free port in whose digits no port of the pages stands.
fn free_port() -> String {
    let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    std::iter::repeat_with(port).find(|port| !PORTS.iter().any(|page| port.contains(page))).unwrap()
}
