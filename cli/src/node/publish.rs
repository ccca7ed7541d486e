//! `chancery publish`: hands signed records to a node, in the order given, and keeps its receipts.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use chancery_schema::admission::{Code, Submission};
use chancery_schema::digest::Digest;
use chancery_schema::limits::{BLOB_BYTES_MAX, ENVELOPE_BYTES_MAX};
use serde::Deserialize;
use serde_json::{Value, json};

use super::NodeArgs;
use super::receipt::{self, Keys, Receipt};
use crate::Context;
use crate::client::{Client, shown};
use crate::draft::blob_path;
use crate::files::{read_bounded, write_whole};
use crate::output::{Exit, OrExit as _, Outcome, fail};

/// How often is asked whether partners have cosigned.
const POLL: Duration = Duration::from_millis(500);

const PUBLISH: &str = "mutation($input: PublishInput!) { publish(input: $input) \
    { status digest origin index proof code reason } }";
const PROOF: &str = "query($digest: Digest!) { record(digest: $digest) { proof } }";

/// Hands signed records and their blobs to a node, and keeps its receipts
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Envelopes, in the order in which they refer to each other; blobs lie in blobs/ beside each
    #[arg(value_name = "FILE.dsse.json", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
    /// Wait until as many other nations have cosigned; 1 when no number is given
    #[arg(long, value_name = "witnessed[=N]")]
    wait: Option<Wait>,
    /// How long to wait for cosignatures
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// How many other nations must have cosigned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait(usize);

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let count = match text.split_once('=') {
            None if text == "witnessed" => Some(1),
            Some(("witnessed", count)) => count.parse().ok().filter(|count| *count > 0),
            _ => None,
        };
        count.map(Self).ok_or_else(|| "expected witnessed, or witnessed=N for N nations".to_owned())
    }
}

/// A file that was read, with the blobs that lie beside it.
struct Publication {
    path: PathBuf,
    submission: Submission,
    blobs: Vec<(Digest, PathBuf)>,
}

#[derive(Deserialize)]
struct Published {
    publish: Payload,
}

#[derive(Deserialize)]
struct Payload {
    status: Status,
    proof: Option<String>,
    index: Option<u64>,
    code: Option<String>,
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Admitted,
    AlreadyAdmitted,
    Refused,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read, the node is not reached, a record is refused or a receipt does not
/// hold; nothing after it is sent.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let publications = args.files.iter().map(|path| Publication::read(path)).collect::<Outcome<Vec<_>>>()?;
    let client = Client::new(&args.node.url)?;
    let keys = Keys::ask(&client)?;
    let wait = args.wait.map(|wait| (wait, Duration::from_secs(args.timeout)));
    hand_over(&publications, &client, &keys, wait, context)
}

/// Hands over what was signed, keeps the receipts beside it, and says so.
///
/// # Errors
/// As [`run`].
pub fn publish(files: &[PathBuf], client: &Client, keys: &Keys, context: &Context) -> Outcome {
    let publications = files.iter().map(|path| Publication::read(path)).collect::<Outcome<Vec<_>>>()?;
    hand_over(&publications, client, keys, None, context)
}

fn hand_over(
    publications: &[Publication],
    client: &Client,
    keys: &Keys,
    wait: Option<(Wait, Duration)>,
    context: &Context,
) -> Outcome {
    if let Some((Wait(count), _)) = wait
        && count > keys.nations()
    {
        let nations = keys.nations();
        let hint = "accredit more partners with `chancery partner add`, or wait for fewer";
        context.console.say(format_args!("{count} nations should cosign, and the node knows {nations}; {hint}"));
    }
    let mut published = Vec::new();
    for publication in publications {
        published.push(publication.send(client, keys, context)?);
    }
    if let Some((Wait(count), timeout)) = wait {
        let deadline = Instant::now() + timeout;
        for (publication, (receipt, _)) in publications.iter().zip(&mut published) {
            *receipt = publication.wait(client, count, deadline)?;
        }
    }
    let reports =
        publications.iter().zip(&published).map(|(publication, (receipt, again))| publication.report(receipt, *again));
    let (lines, values): (Vec<String>, Vec<Value>) = reports.unzip();
    context.console.result(lines.join("\n"), &values)
}

impl Publication {
    fn read(path: &Path) -> Outcome<Self> {
        let attempted = || format!("failed to read the envelope {}", path.display());
        let bytes = read_bounded(path, ENVELOPE_BYTES_MAX as u64)?;
        let submission = Submission::read(&bytes).or_exit(Exit::Verification, attempted)?;
        let blobs = submission.record.blobs().into_iter().map(|blob| (blob.sha256, blob_path(path, &blob.sha256)));
        Ok(Self { path: path.to_owned(), blobs: blobs.collect(), submission })
    }

    /// Sends blobs and envelope; answers the receipt, and whether the record was in the log before.
    fn send(&self, client: &Client, keys: &Keys, context: &Context) -> Outcome<(Receipt, bool)> {
        for (digest, path) in &self.blobs {
            // A blob that is not here may be there already; if not, the node refuses the record by name.
            if path.is_file() {
                client.put_blob(digest, &read_blob(digest, path)?)?;
            } else {
                context.console.say(format_args!("{} is not there; the node may hold it", path.display()));
            }
        }
        let envelope = String::from_utf8(self.submission.envelope.to_bytes());
        let envelope = envelope.expect("the fixed form is JSON text");
        let Published { publish } = client.ask(PUBLISH, &json!({ "input": { "envelope": envelope } }))?;
        let proof = match (publish.status, publish.proof) {
            (Status::Refused, _) => return self.refused(publish.code.as_deref(), publish.reason.as_deref()),
            (_, Some(proof)) => proof,
            (_, None) => {
                return fail(
                    Exit::Verification,
                    format!("{} gave no receipt for {}", client.url(), self.path.display()),
                );
            }
        };
        let receipt = keys.check(&self.submission, &proof)?;
        if publish.index.is_some_and(|index| index != receipt.index) {
            let problem = format!("the receipt of {} is for another entry than the node says", self.path.display());
            return fail(Exit::Verification, problem);
        }
        write_whole(&receipt::path(&self.path), proof.as_bytes())?;
        let again = publish.status == Status::AlreadyAdmitted;
        let word = if again { "was in the log before" } else { "is in the log" };
        context.console.say(format_args!("{} {word}: entry {}", self.path.display(), receipt.index));
        Ok((receipt, again))
    }

    fn refused<T>(&self, code: Option<&str>, reason: Option<&str>) -> Outcome<T> {
        let code = code.unwrap_or("no code");
        let authority = Code::from_word(code).is_some() && code.starts_with("key-");
        let exit = if authority { Exit::Authority } else { Exit::Verification };
        let reason = shown(reason.unwrap_or("no reason given"));
        fail(exit, format!("{} was refused: {reason} ({})", self.path.display(), shown(code)))
    }

    /// Waits until `count` other nations have cosigned a checkpoint that covers the record.
    fn wait(&self, client: &Client, count: usize, deadline: Instant) -> Outcome<Receipt> {
        loop {
            let seen = match self.look(client) {
                Ok((receipt, proof)) if receipt.cosigners.len() >= count => {
                    write_whole(&receipt::path(&self.path), proof.as_bytes())?;
                    return Ok(receipt);
                }
                Ok((receipt, _)) => receipt.cosigners.len(),
                // A node that restarts is asked again.
                Err(failure) if failure.exit == Exit::Unreachable && Instant::now() < deadline => 0,
                Err(failure) => return Err(failure),
            };
            if Instant::now() >= deadline {
                let hint = "it stands in the log; publish again to go on waiting";
                let short = format!("{seen} of {count} nations cosigned {} in time", self.path.display());
                return fail(Exit::UnderWitnessed, format!("{short}; {hint}"));
            }
            std::thread::sleep(POLL);
        }
    }

    /// The newest proof of the record, checked.
    fn look(&self, client: &Client) -> Outcome<(Receipt, String)> {
        let keys = Keys::ask(client)?;
        let digest = self.submission.digest;
        let answer: Value = client.ask(PROOF, &json!({ "digest": digest }))?;
        let Some(proof) = answer.pointer("/record/proof").and_then(Value::as_str) else {
            return fail(
                Exit::Verification,
                format!("{} does not show the record {digest} that it admitted", client.url()),
            );
        };
        Ok((keys.check(&self.submission, proof)?, proof.to_owned()))
    }

    fn report(&self, receipt: &Receipt, again: bool) -> (String, Value) {
        let submission = &self.submission;
        let (kind, path) = (submission.record.kind(), receipt::path(&self.path));
        let names: Vec<&str> = receipt.cosigners.iter().map(chancery_schema::name::Nation::as_str).collect();
        let cosigned = if names.is_empty() { String::new() } else { format!(", cosigned by {}", names.join(" ")) };
        let line =
            format!("{} {kind} entry {}{cosigned}; receipt {}", submission.digest, receipt.index, path.display());
        let value = json!({
            "file": self.path,
            "record": submission.digest,
            "kind": kind,
            "origin": submission.header.log,
            "index": receipt.index,
            "size": receipt.size,
            "again": again,
            "cosigners": receipt.cosigners,
            "receipt": path,
        });
        (line, value)
    }
}

fn read_blob(digest: &Digest, path: &Path) -> Outcome<Vec<u8>> {
    let bytes = read_bounded(path, BLOB_BYTES_MAX)?;
    if Digest::of(&bytes) == *digest {
        return Ok(bytes);
    }
    let hint = "it was changed since; make the draft again";
    fail(Exit::Verification, format!("{} does not have the digest that is its name; {hint}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_nation_is_waited_for_unless_a_number_is_given() {
        assert_eq!("witnessed".parse(), Ok(Wait(1)));
        assert_eq!("witnessed=3".parse(), Ok(Wait(3)));
        for text in ["", "witnessed=0", "witnessed=x", "seen=1"] {
            assert!(text.parse::<Wait>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_blob_that_was_changed_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blob");
        std::fs::write(&path, b"changed").unwrap();
        let failure = read_blob(&Digest::of(b"as signed"), &path).unwrap_err();
        assert_eq!(failure.exit, Exit::Verification);
    }
}
