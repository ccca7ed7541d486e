//! `chancery bundle`: fetches a record with all its proof as one file that needs no network.

use std::path::PathBuf;
use std::str::FromStr;

use chancery_schema::bundle::{Bundle, Trust, Verdict, verify};
use chancery_schema::digest::Digest;
use chancery_schema::name::{ModelId, Name, NotAName};
use serde_json::{Value, json};

use super::NodeArgs;
use crate::Context;
use crate::client::Client;
use crate::files::write_whole;
use crate::output::{Exit, OrExit as _, Outcome, fail};

/// Fetches a record with all its proof, as one file that needs no network
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A record's digest, or a model as urn:chancery:NATION:ORG:NAME, with @VERSION or the newest
    #[arg(value_name = "DIGEST|MODEL")]
    wanted: Wanted,
    #[command(flatten)]
    node: NodeArgs,
    /// The file to write
    #[arg(long, value_name = "FILE.chancery")]
    out: PathBuf,
}

/// What is fetched: a record by its digest, or the card of a model by its name.
#[derive(Clone, Debug)]
enum Wanted {
    Record(Digest),
    Model(ModelId, Option<Name>),
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(digest) = text.parse() {
            return Ok(Self::Record(digest));
        }
        let (model, version) = text.split_once('@').map_or((text, None), |(model, version)| (model, Some(version)));
        let expected =
            |_: NotAName| "expected 64 hexadecimal digits, or urn:chancery:NATION:ORG:NAME[@VERSION]".to_owned();
        let version = version.map(str::parse).transpose().map_err(|error: NotAName| error.to_string())?;
        Ok(Self::Model(model.parse().map_err(expected)?, version))
    }
}

/// Runs the command.
///
/// # Errors
/// When the node is not reached, does not have the record, or gives something that contradicts itself.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let client = Client::new(&args.node.url)?;
    let record = find(&args.wanted, &client)?;
    let Some(bytes) = client.bundle(&record)? else {
        return fail(Exit::NotFound, format!("{} has no record {record}", client.url()));
    };
    let attempted = || format!("failed to read the bundle that {} gave", client.url());
    let bundle = Bundle::read(&bytes).or_exit(Exit::Verification, attempted)?;
    if bundle.header.record != record {
        return fail(
            Exit::Verification,
            format!("{} gave the bundle of {}, another record", client.url(), bundle.header.record),
        );
    }
    let fingerprint = consistent(&bundle, &client)?;
    write_whole(&args.out, &bytes)?;
    let out = args.out.display();
    let human = format!(
        "{out}: {record} of {}, {} records, {} blobs\nverify it: chancery verify {out} --trust {fingerprint}",
        bundle.header.nation,
        bundle.records.len(),
        bundle.blobs.len(),
    );
    let value = json!({
        "file": args.out,
        "record": record,
        "nation": bundle.header.nation,
        "log": bundle.header.log,
        "fingerprint": fingerprint,
        "records": bundle.records.len(),
        "blobs": bundle.blobs.len(),
    });
    context.console.result(human, &value)
}

/// The digest of the wanted record.
fn find(wanted: &Wanted, client: &Client) -> Outcome<Digest> {
    let (model, version) = match wanted {
        Wanted::Record(digest) => return Ok(*digest),
        Wanted::Model(model, version) => (model, version),
    };
    let query = "query($urn: String!, $version: String) { model(urn: $urn, version: $version) { card { digest } } }";
    let answer: Value = client.ask(query, &json!({ "urn": model, "version": version }))?;
    if let Some(Ok(digest)) = answer["model"]["card"]["digest"].as_str().map(str::parse) {
        return Ok(digest);
    }
    let version = version.as_ref().map(|version| format!("@{version}")).unwrap_or_default();
    fail(Exit::NotFound, format!("{} has no model {model}{version}", client.url()))
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
