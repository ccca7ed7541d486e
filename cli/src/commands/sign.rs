//! `chancery sign`: makes a record of a draft.

use std::path::PathBuf;

use chancery_schema::envelope::Envelope;
use chancery_schema::name::Nation;
use chancery_schema::time::Timestamp;
use serde_json::json;

use crate::draft::{Draft, blob_path};
use crate::files::write_whole;
use crate::keystore::KeyArgs;
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::sign::{Occasion, seal};
use crate::{Context, clock};

/// Signs a draft: adds nonce, nation, log and time, and writes the envelope
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The draft
    draft: PathBuf,
    #[command(flatten)]
    key: KeyArgs,
    /// The time that the record claims, as 2026-11-24T12:00:00Z; without it, now
    #[arg(long, value_name = "TIME", value_parser = time)]
    issued_at: Option<Timestamp>,
    /// The nations that are addressed, where the record is not for everyone
    #[arg(long, value_name = "CODE")]
    audience: Vec<Nation>,
    /// The envelope to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When the draft breaks a rule of its kind, the key does not open, or the disk does not take the file.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let draft = Draft::read(&args.draft)?;
    let key = args.key.open(context)?;
    if !draft.kind.signers().contains(&key.public.role) {
        let (role, kind) = (key.public.role.as_str(), draft.kind);
        return fail(Exit::Authority, format!("a {role} key cannot sign a {kind}; nodes would refuse it"));
    }
    let occasion = Occasion {
        nation: &key.public.nation,
        origin: &key.public.origin,
        issued_at: args.issued_at.unwrap_or_else(clock::now),
    };
    let audience = (!args.audience.is_empty()).then(|| args.audience.clone());
    let attempted = || format!("failed to sign {}", args.draft.display());
    let envelope = seal(occasion, audience, draft.kind, &draft.body, &[&key]).map_err(|mut failure| {
        failure.error = failure.error.context(attempted());
        failure
    })?;
    carry_blobs(args, &envelope)?;
    write_whole(&args.out, &envelope.to_bytes())?;
    let digest = envelope.record_digest();
    let human = format!("signed the {} {digest}\n  {}", draft.kind, args.out.display());
    context.console.result(human, &json!({ "record": digest, "kind": draft.kind, "file": args.out }))
}

/// Blobs lie beside the envelope: where that is another folder than the draft's, they are copied.
fn carry_blobs(args: &Args, envelope: &Envelope) -> Outcome {
    let submission = chancery_schema::admission::Submission::open(envelope.clone());
    let submission = submission.or_exit(Exit::Usage, || "failed to read back what was signed")?;
    for blob in submission.record.blobs() {
        let (from, to) = (blob_path(&args.draft, &blob.sha256), blob_path(&args.out, &blob.sha256));
        if from == to || to.is_file() || !from.is_file() {
            continue;
        }
        let folder = to.parent().unwrap_or(&to);
        std::fs::create_dir_all(folder).or_exit(Exit::Other, || format!("failed to make {}", folder.display()))?;
        std::fs::copy(&from, &to).or_exit(Exit::Other, || format!("failed to copy {}", from.display()))?;
    }
    Ok(())
}

fn time(text: &str) -> Result<Timestamp, String> {
    serde_json::from_value(text.into()).map_err(|_| "not a time such as 2026-11-24T12:00:00Z".to_owned())
}
