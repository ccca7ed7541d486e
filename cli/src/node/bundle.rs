//! `chancery bundle`: fetches a record with all its proof as one file that needs no network.

use std::path::PathBuf;

use chancery_schema::bundle::{Bundle, Trust, Verdict, verify};
use chancery_schema::digest::Digest;
use serde_json::json;

use super::NodeArgs;
use crate::Context;
use crate::client::Client;
use crate::files::write_whole;
use crate::output::{Exit, OrExit as _, Outcome, fail};

/// Fetches a record with all its proof, as one file that needs no network
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The record's digest
    digest: Digest,
    #[command(flatten)]
    node: NodeArgs,
    /// The file to write
    #[arg(long, value_name = "FILE.chancery")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When the node is not reached, does not have the record, or gives something that contradicts itself.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let client = Client::new(&args.node.url)?;
    let Some(bytes) = client.bundle(&args.digest)? else {
        return fail(Exit::NotFound, format!("{} has no record {}", client.url(), args.digest));
    };
    let attempted = || format!("failed to read the bundle that {} gave", client.url());
    let bundle = Bundle::read(&bytes).or_exit(Exit::Verification, attempted)?;
    if bundle.header.record != args.digest {
        return fail(
            Exit::Verification,
            format!("{} gave the bundle of {}, another record", client.url(), bundle.header.record),
        );
    }
    let fingerprint = consistent(&bundle, &client)?;
    write_whole(&args.out, &bytes)?;
    let out = args.out.display();
    let human = format!(
        "{out}: {} of {}, {} records, {} blobs\nverify it: chancery verify {out} --trust {fingerprint}",
        args.digest,
        bundle.header.nation,
        bundle.records.len(),
        bundle.blobs.len(),
    );
    let value = json!({
        "file": args.out,
        "record": args.digest,
        "nation": bundle.header.nation,
        "log": bundle.header.log,
        "fingerprint": fingerprint,
        "records": bundle.records.len(),
        "blobs": bundle.blobs.len(),
    });
    context.console.result(human, &value)
}

/// Checks that the bundle holds together under the charter that it brings itself, whose fingerprint
/// the reader still has to compare.
fn consistent(bundle: &Bundle, client: &Client) -> Outcome<Digest> {
    let fingerprint = bundle.records.first().map_or(bundle.header.record, |record| record.envelope.record_digest());
    let report = verify(bundle, &Trust::Fingerprint(fingerprint));
    match report.checks.last() {
        Some(check) if report.verdict == Verdict::Failed => fail(
            Exit::Verification,
            format!("the bundle that {} gave does not hold: {}: {}", client.url(), check.what, check.detail),
        ),
        _ => Ok(fingerprint),
    }
}
