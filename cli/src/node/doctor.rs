//! `chancery doctor`: says what is well with a node, what is not, and how to mend it.

mod checks;

use std::net::SocketAddr;

use serde::Serialize;

use super::FolderArgs;
use crate::Context;
use crate::output::{Exit, Outcome, fail};

/// Says what is well with a node, what is not, and how to mend it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// Ask the process that listens here instead of where chancery.toml says: of several, the one that speaks to partners
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
}

/// How one thing stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Ok,
    Note,
    Finding,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Line {
    what: String,
    standing: Standing,
    detail: String,
}

/// What was looked at so far.
#[derive(Default, Debug)]
struct Report {
    lines: Vec<Line>,
}

/// Runs the command.
///
/// # Errors
/// When there are findings.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let mut report = Report::default();
    let config = report.take("configuration", args.folder.config());
    if let Some(mut config) = config {
        config.http = args.http.unwrap_or(config.http);
        report.note("configuration", Standing::Ok, format!("{} of {}", config.origin, config.nation));
        report.keys(&config, context);
        report.node(&config);
    }
    let findings = report.lines.iter().filter(|line| line.standing == Standing::Finding).count();
    context.console.result(report.text(), &report.lines)?;
    match findings {
        0 => Ok(()),
        1 => fail(Exit::Other, "1 finding"),
        findings => fail(Exit::Other, format!("{findings} findings")),
    }
}

impl Report {
    fn note(&mut self, what: impl Into<String>, standing: Standing, detail: impl Into<String>) {
        self.lines.push(Line { what: what.into(), standing, detail: detail.into() });
    }

    /// Keeps a failure as a finding.
    fn take<T>(&mut self, what: &str, outcome: Outcome<T>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(failure) => {
                self.note(what, Standing::Finding, format!("{:#}", failure.error));
                None
            }
        }
    }

    fn text(&self) -> String {
        let word = |standing| match standing {
            Standing::Ok => "ok     ",
            Standing::Note => "note   ",
            Standing::Finding => "FINDING",
        };
        let lines: Vec<String> =
            self.lines.iter().map(|line| format!("{} {}: {}", word(line.standing), line.what, line.detail)).collect();
        lines.join("\n")
    }
}
