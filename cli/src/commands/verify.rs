//! `chancery verify`: checks a bundle, and a folder of weights against it, with no network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chancery_schema::admission::Submission;
use chancery_schema::bundle::{Bundle, Check, EndSeen, Outcome as Step, Report, Trust, Verdict, verify};
use chancery_schema::digest::Digest;
use chancery_schema::limits::{BUNDLE_BYTES_MAX, CHUNK_BYTES};
use chancery_schema::log::policy::{POLICY_BYTES_MAX, Policy};
use chancery_schema::record::{Record, Weights, WeightsFile, check_chunk_hashes};

use super::hash::hash_shown;
use crate::files::read_bounded;
use crate::hash::{Hashed, list};
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::visible::visible;
use crate::{Context, fingerprint};

/// Verifies a bundle, and weights against it, offline
///
/// What you pin with --trust is all that is believed: the fingerprint of the publishing nation, as
/// compared by voice, or a policy file that names logs, witnesses and how many of them must have
/// cosigned.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A bundle (.chancery), or with --bundle a folder of weights
    #[arg(value_name = "FILE|DIR")]
    target: PathBuf,
    /// The bundle of the folder's model
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// A fingerprint of 64 hexadecimal digits, or a policy file
    #[arg(long, value_name = "FINGERPRINT|FILE")]
    trust: String,
}

/// Runs the command.
///
/// # Errors
/// When something is not what it claims to be, has too few cosignatures, or cannot be read.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let (bundle_path, folder) = match &args.bundle {
        Some(bundle) => (bundle, Some(args.target.as_path())),
        None if args.target.is_dir() => {
            return fail(Exit::Usage, format!("{} is a folder; name its bundle with --bundle", args.target.display()));
        }
        None => (&args.target, None),
    };
    let trust = read_trust(&args.trust)?;
    let bytes = read_bounded(bundle_path, BUNDLE_BYTES_MAX)?;
    let bundle =
        Bundle::read(&bytes).or_exit(Exit::Verification, || format!("{} is not whole", bundle_path.display()))?;
    let mut report = verify(&bundle, &trust);
    if let Some(folder) = folder.filter(|_| report.verdict != Verdict::Failed) {
        let checks = check_folder(folder, &bundle, context)?;
        if checks.iter().any(|check| check.outcome == Step::Fails) {
            report.verdict = Verdict::Failed;
        }
        report.checks.extend(checks);
    }
    context.console.result(human(&report), &report)?;
    let failed = report.checks.iter().filter(|check| check.outcome == Step::Fails).map(|check| visible(&check.detail));
    match report.verdict {
        Verdict::Verified => Ok(()),
        Verdict::UnderWitnessed => fail(Exit::UnderWitnessed, short(&report)),
        Verdict::Contested => {
            fail(Exit::Contested, "a key was compromised, and the roots have not affirmed the record")
        }
        Verdict::Withdrawn => fail(Exit::Withdrawn, format!("the record was {}", ended(&report))),
        Verdict::Redacted => fail(Exit::Redacted, format!("the record was {}", ended(&report))),
        Verdict::Void => fail(Exit::Void, failed.collect::<Vec<_>>().join("; ")),
        Verdict::Failed => fail(Exit::Verification, failed.collect::<Vec<_>>().join("; ")),
    }
}

/// What is pinned: a fingerprint, or the policy in a file.
///
/// # Errors
/// When it is neither.
pub fn read_trust(text: &str) -> Outcome<Trust> {
    if let Some(fingerprint) = fingerprint::read(text) {
        return Ok(Trust::Fingerprint(fingerprint));
    }
    let path = Path::new(text);
    if !path.is_file() {
        return fail(Exit::Usage, format!("{text} is neither a fingerprint of 64 digits nor a policy file"));
    }
    let bytes = read_bounded(path, POLICY_BYTES_MAX as u64)?;
    let policy = Policy::parse(&bytes).or_exit(Exit::Usage, || format!("failed to read the policy {text}"))?;
    Ok(Trust::Policy(Box::new(policy)))
}

/// What is missing where all holds: a policy's cosignatures, or a pin of this log and not of an earlier one.
fn short(report: &Report) -> &'static str {
    let walked = |check: &Check| check.what == "succession" && check.outcome == Step::Short;
    if report.checks.iter().any(walked) {
        "the pinned log is an earlier one, and who recognises this one in its place was not asked"
    } else {
        "fewer have cosigned than the policy asks"
    }
}

fn human(report: &Report) -> String {
    let mut lines: Vec<String> = report.checks.iter().map(line).collect();
    let some_ended = report.checks.iter().any(|check| check.outcome == Step::Short);
    let verdict = match report.verdict {
        Verdict::Verified if some_ended => "verified: all holds, but not everything that it rests on is still stood by",
        Verdict::Verified => "verified: every step that can be checked holds",
        Verdict::UnderWitnessed => {
            lines.push(format!("not enough: all holds, but {}", short(report)));
            return lines.join("\n");
        }
        Verdict::Contested => "contested: all holds, but a key that it rests on was compromised",
        Verdict::Void => "VOID: all is genuine, but a key that it rests on was not trusted any more",
        Verdict::Withdrawn => "WITHDRAWN: all is genuine, but the nation no longer stands by it",
        Verdict::Redacted => "REDACTED: all is genuine, but the nation has had its body erased",
        Verdict::Failed => "FAILED: do not rely on it",
    };
    lines.push(verdict.to_owned());
    lines.join("\n")
}

/// How the record ended, on one line.
fn ended(report: &Report) -> String {
    visible(&report.end.as_ref().map_or_else(String::new, EndSeen::told))
}

/// A check as people read it.
pub fn line(check: &Check) -> String {
    let sign = match check.outcome {
        Step::Holds => "ok         ",
        Step::Fails => "FAILS      ",
        Step::Short => "short      ",
        Step::NotChecked => "not checked",
    };
    format!("{sign}  {}: {}", check.what, visible(&check.detail))
}

/// Compares a folder with every weights record of a bundle that was verified: one line for all that
/// matches, and one for each thing that does not.
fn check_folder(folder: &Path, bundle: &Bundle, context: &Context) -> Outcome<Vec<Check>> {
    let weights: Vec<Weights> = bundle
        .records
        .iter()
        .filter_map(|record| match Submission::open(record.envelope.clone()).ok()?.record {
            Record::Weights(weights) => Some(*weights),
            _ => None,
        })
        .collect();
    if weights.is_empty() {
        return Ok(vec![weights_check(Step::Fails, "the bundle has no weights record to compare the folder with")]);
    }
    let hashed = hash_shown(&list(folder)?, context.console)?;
    let signed = weights.iter().flat_map(|record| {
        let numbered = record.files.iter().enumerate();
        numbered.map(move |(number, file)| (file.path.as_str(), file.sha256, (record, number, file)))
    });
    Ok(compare(signed, &hashed, |(record, number, file), hashed| {
        let chunks = bundle.blobs.get(&record.chunk_hashes.sha256).map(Vec::as_slice);
        changed(record, number, file, hashed, chunks)
    }))
}

/// Compares what was signed (path, SHA-256, and what `changed` needs to say how a file differs) with a
/// folder: one line for all that matches, and one for each thing that does not.
pub fn compare<'a, S>(
    signed: impl Iterator<Item = (&'a str, Digest, S)>,
    hashed: &[Hashed],
    changed: impl Fn(S, &Hashed) -> String,
) -> Vec<Check> {
    let found: BTreeMap<&str, &Hashed> = hashed.iter().map(|file| (file.file.path.as_str(), file)).collect();
    let mut extra = found.clone();
    let mut wrong = Vec::new();
    for (path, sha256, how) in signed {
        extra.remove(path);
        match found.get(path) {
            None => wrong.push(format!("{path} is missing")),
            Some(hashed) if hashed.file.sha256 == sha256 => {}
            Some(hashed) => wrong.push(changed(how, hashed)),
        }
    }
    wrong.extend(extra.keys().map(|path| format!("{path} is in the folder and was not signed")));
    if !wrong.is_empty() {
        return wrong.into_iter().map(|detail| weights_check(Step::Fails, detail)).collect();
    }
    let (count, bytes) = (found.len(), hashed.iter().map(|hashed| hashed.file.size_bytes).sum::<u64>());
    let detail = format!("all {count} files of {bytes} bytes are those that were signed");
    vec![weights_check(Step::Holds, detail)]
}

fn weights_check(outcome: Step, detail: impl Into<String>) -> Check {
    Check { what: "weights", outcome, detail: detail.into() }
}

/// Says how a file differs: in size, or in which bytes, as far as the chunk hashes tell.
fn changed(record: &Weights, number: usize, file: &WeightsFile, hashed: &Hashed, chunks: Option<&[u8]>) -> String {
    let path = &file.path;
    if hashed.file.size_bytes != file.size_bytes {
        return format!("{path} has {} bytes where {} were signed", hashed.file.size_bytes, file.size_bytes);
    }
    let signed = chunks.and_then(|blob| check_chunk_hashes(record, blob).ok()).and_then(|all| all.get(number).copied());
    let wrong = signed.and_then(|signed| signed.iter().zip(&hashed.chunks).position(|(signed, found)| signed != found));
    match wrong {
        Some(chunk) => {
            let start = chunk as u64 * CHUNK_BYTES;
            let end = (start + CHUNK_BYTES).min(file.size_bytes);
            format!("{path} was changed: its bytes {start} to {end} are not those that were signed")
        }
        None => format!("{path} was changed: it is not the file that was signed"),
    }
}
