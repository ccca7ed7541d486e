//! `chancery lookup`: what a node knows of a digest, or of a file by its digest.

use std::path::Path;

use chancery_schema::digest::Digest;
use chancery_schema::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::NodeArgs;
use crate::Context;
use crate::client::{Client, shown};
use crate::hash::file_digest;
use crate::output::{Exit, Outcome, fail};

const LOOKUP: &str = "query($digest: Digest!) { lookup(digest: $digest, first: 100) { what name record \
    { digest kind origin index nation { code } verdict { state code reason } \
    standing { state since witnessed mirrored known staleSince } } } }";

/// Says what a node knows of a digest, or of a file by its digest
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A digest of 64 hexadecimal digits, or a file whose SHA-256 is looked up
    #[arg(value_name = "DIGEST|FILE")]
    what: String,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Deserialize)]
struct Answer {
    lookup: Vec<Found>,
}

#[derive(Serialize, Deserialize)]
struct Found {
    what: String,
    name: String,
    record: RecordShown,
}

#[derive(Serialize, Deserialize)]
struct RecordShown {
    digest: Option<Digest>,
    kind: String,
    origin: String,
    index: u64,
    nation: NationShown,
    verdict: VerdictShown,
    standing: StandingShown,
}

#[derive(Serialize, Deserialize)]
struct NationShown {
    code: String,
}

/// What the node says of cosignatures: a claim, as all of this is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StandingShown {
    state: String,
    since: Option<Timestamp>,
    witnessed: u64,
    mirrored: u64,
    known: u64,
    stale_since: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct VerdictShown {
    state: String,
    code: Option<String>,
    reason: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// When there is no such file, the node is not reached, or it knows nothing of the digest.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let digest = digest(&args.what)?;
    let client = Client::new(&args.node.url)?;
    let Answer { lookup } = client.ask(LOOKUP, &json!({ "digest": digest }))?;
    if lookup.is_empty() {
        return fail(Exit::NotFound, format!("{} knows nothing of {digest}", client.url()));
    }
    let lines: Vec<String> = lookup.iter().map(Found::line).collect();
    context.console.result(lines.join("\n"), &json!({ "digest": digest, "found": lookup }))
}

impl Found {
    fn line(&self) -> String {
        let Self { what, name, record } = self;
        let what = what.to_lowercase().replace('_', " ");
        let digest =
            record.digest.map_or_else(|| "a record whose body is not held".to_owned(), |digest| digest.to_string());
        let reason = record.verdict.reason.as_deref().map(|reason| format!(": {}", shown(reason))).unwrap_or_default();
        format!(
            "{} {} in the {} {digest}, entry {} of {} ({}{reason}; {})",
            shown(&what),
            shown(name),
            shown(&record.kind),
            record.index,
            shown(&record.nation.code),
            shown(&record.verdict.state).to_lowercase(),
            record.standing.words(),
        )
    }
}

impl StandingShown {
    /// *signed*, *witnessed k of n* and *mirrored* are three things.
    fn words(&self) -> String {
        let Self { witnessed, mirrored, known, .. } = self;
        let since = self.since.map(|since| format!(" since {since}")).unwrap_or_default();
        let stale = self.stale_since.map(|since| format!("; the log is stale since {since}")).unwrap_or_default();
        let cosigned = if *mirrored > 0 {
            format!("witnessed {witnessed} of {known}, mirrored {mirrored} of {known}{since}")
        } else if *witnessed > 0 {
            format!("witnessed {witnessed} of {known}{since}")
        } else {
            format!("signed, witnessed 0 of {known}")
        };
        cosigned + &stale
    }
}

fn digest(what: &str) -> Outcome<Digest> {
    if let Ok(digest) = what.parse() {
        return Ok(digest);
    }
    let path = Path::new(what);
    if !path.is_file() {
        return fail(Exit::Usage, format!("{what} is neither a digest of 64 hexadecimal digits nor a file"));
    }
    file_digest(path)
}
