//! `chancery evidence`: checks, with no network, that a log has signed two histories.

use std::path::{Path, PathBuf};

use chancery_schema::admission::Submission;
use chancery_schema::bundle::{Bundle, Trust};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::limits::BUNDLE_BYTES_MAX;
use chancery_schema::log::checkpoint::Checkpoint;
use chancery_schema::log::note::VerifierKey;
use chancery_schema::record::{Equivocation, Evidence, Kind, Record};
use chancery_schema::statement::Statement;
use serde_json::{Value, json};

use super::verify::read_trust;
use crate::Context;
use crate::files::read_bounded;
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::visible::visible;

/// Check the evidence that a log has signed two histories
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Verify(Verify),
}

/// Verifies evidence that a log has signed two histories, offline
///
/// It proves itself: whoever reports it need not be trusted. What you pin with --trust says whose key it is
/// that signed both. Ends with 0 when the two histories are proven, and with 3 when nothing is.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The evidence: an envelope, or a bundle (.chancery)
    file: PathBuf,
    /// The log's key (NAME+ID+BASE64), a policy file that names the log, or the fingerprint of the log's nation
    #[arg(long, value_name = "KEY|FILE|FINGERPRINT")]
    trust: String,
    /// With a fingerprint: where that nation's charter is, such as its introduction
    #[arg(long, value_name = "FILE")]
    charter: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When nothing is proven, or a file cannot be read.
pub fn run(command: &Command, context: &Context) -> Outcome {
    let Command::Verify(args) = command;
    let pinned = pinned(args)?;
    let bytes = read_bounded(&args.file, BUNDLE_BYTES_MAX)?;
    let envelope = about(&args.file, &bytes)?;
    let proven = read(&args.file, &envelope)?.and_then(|(evidence, proven)| {
        if pinned.contains(proven.log()) {
            Ok((evidence, proven))
        } else {
            Err(format!("two histories were signed by the key {}, which is not what you pinned", proven.log()))
        }
    });
    match proven {
        Ok((evidence, proven)) => {
            let human = format!("proven: {}", words(&evidence, &proven));
            context.console.result(human, &value(&evidence, &proven))
        }
        Err(reason) => {
            let value = json!({ "verdict": "no-evidence", "reason": reason });
            context.console.result("NOTHING is proven", &value)?;
            fail(Exit::Verification, visible(&reason))
        }
    }
}

/// The keys of logs that are believed to be those logs'.
fn pinned(args: &Verify) -> Outcome<Vec<VerifierKey>> {
    if let Ok(key) = args.trust.parse::<VerifierKey>() {
        return Ok(vec![key]);
    }
    let fingerprint = match read_trust(&args.trust)? {
        Trust::Policy(policy) => return Ok(policy.logs().iter().map(|log| log.key.clone()).collect()),
        Trust::Fingerprint(fingerprint) => fingerprint,
    };
    let path = args.charter.as_ref().unwrap_or(&args.file);
    let envelopes = envelopes(&read_bounded(path, BUNDLE_BYTES_MAX)?);
    let Some(key) = envelopes.into_iter().find_map(|envelope| log_key(envelope, &fingerprint)) else {
        let hint = "name the introduction of the log's nation with --charter, or give the log's key to --trust";
        return fail(Exit::Usage, format!("{} has no charter with this fingerprint; {hint}", path.display()));
    };
    Ok(vec![key])
}

/// The log key of the charter with this fingerprint.
fn log_key(envelope: Envelope, fingerprint: &Digest) -> Option<VerifierKey> {
    let submission = Submission::open(envelope).ok().filter(|it| it.digest == *fingerprint)?;
    match &submission.record {
        Record::Charter(charter) => {
            Some(charter.note_keys(&submission.header.nation, &submission.header.log).ok()?.log)
        }
        _ => None,
    }
}

fn envelopes(bytes: &[u8]) -> Vec<Envelope> {
    match (Envelope::parse(bytes), Bundle::read(bytes)) {
        (Ok(envelope), _) => vec![envelope],
        (_, Ok(bundle)) => bundle.records.into_iter().map(|record| record.envelope).collect(),
        _ => Vec::new(),
    }
}

/// The envelope in a file, or that of the record which a bundle is about.
fn about(path: &Path, bytes: &[u8]) -> Outcome<Envelope> {
    if let Ok(envelope) = Envelope::parse(bytes) {
        return Ok(envelope);
    }
    let attempted = || format!("{} is neither an envelope nor a bundle", path.display());
    let bundle = Bundle::read(bytes).or_exit(Exit::Usage, attempted)?;
    let record = bundle.header.record;
    let mut envelopes = bundle.records.into_iter().map(|record| record.envelope);
    let Some(envelope) = envelopes.find(|envelope| envelope.record_digest() == record) else {
        return fail(Exit::Verification, format!("{} lacks the record that it is about", path.display()));
    };
    Ok(envelope)
}

/// What evidence says and proves, or why it proves nothing.
fn read(path: &Path, envelope: &Envelope) -> Outcome<Result<(Evidence, Equivocation), String>> {
    let another = || format!("{} is no evidence of two histories", path.display());
    let statement = Statement::parse(envelope.payload()).or_exit(Exit::Usage, another)?;
    if statement.kind != Kind::Evidence.as_str() {
        return fail(Exit::Usage, format!("{}: it is a {}", another(), visible(&statement.kind)));
    }
    Ok(match Record::read(&statement) {
        Ok((_, Record::Evidence(evidence))) => {
            evidence.verify().map(|proven| (*evidence, proven)).map_err(|error| error.to_string())
        }
        Ok(_) => Err("it is of another kind".to_owned()),
        Err(error) => Err(error.to_string()),
    })
}

/// Two histories, in words.
pub fn words(evidence: &Evidence, proven: &Equivocation) -> String {
    let (earlier, later) = (proven.earlier(), proven.later());
    let begins = evidence
        .prefix
        .as_ref()
        .map(|prefix| format!(", of which the first {} have the root {}", earlier.size, prefix.root));
    format!(
        "the log {} signed two histories, which part within its first {} entries\n  \
         {} entries with the root {}\n  {} entries with the root {}{}\nits key: {}",
        earlier.origin,
        earlier.size,
        earlier.size,
        earlier.root,
        later.size,
        later.root,
        begins.unwrap_or_default(),
        proven.log(),
    )
}

fn value(evidence: &Evidence, proven: &Equivocation) -> Value {
    let said = |it: &Checkpoint| json!({ "size": it.size, "root": it.root });
    json!({
        "verdict": "proven",
        "log": proven.earlier().origin,
        "key": proven.log().to_string(),
        "earlier": said(proven.earlier()),
        "later": said(proven.later()),
        "prefix": evidence.prefix.as_ref().map(|prefix| prefix.root),
    })
}
