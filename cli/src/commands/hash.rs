//! `chancery hash`: draws up the weights record of a folder.

use std::path::PathBuf;

use chancery_schema::digest::Digest;
use chancery_schema::limits::CHUNK_BYTES;
use chancery_schema::name::Name;
use chancery_schema::record::{CHUNK_HASHES_MEDIA_TYPE, Location, Weights, WeightsFile, manifest_text, oms_root};
use chancery_schema::word::Word;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::Context;
use crate::draft::{Draft, keep_blob};
use crate::hash::{Hashed, Listing, hash_all, list};
use crate::output::{Console, Exit, Outcome, fail};
use crate::visible::visible;

/// Hashes a folder of weights and writes the draft of its record
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder
    folder: PathBuf,
    /// Who publishes the model, such as voltaire
    #[arg(long)]
    org: Name,
    /// What the model is called, such as voltaire-petit
    #[arg(long)]
    name: Name,
    /// Which version of it, such as 1.0
    #[arg(long)]
    version: Name,
    /// Where the files can be had; nodes never fetch them
    #[arg(long = "location", value_name = "URI")]
    locations: Vec<String>,
    /// The draft to write; the chunk hashes go to blobs/ beside it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When the folder cannot be read or cannot be a record, or the disk does not take the draft.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let listing = list(&args.folder)?;
    let total_bytes: u64 = listing.files.iter().map(|(_, _, size)| size).sum();
    if total_bytes == 0 {
        return fail(Exit::Usage, format!("{} holds no bytes of weights", args.folder.display()));
    }
    let hashed = hash_shown(&listing, context.console)?;
    let chunks: Vec<u8> = hashed.iter().flat_map(|file| file.chunks.as_flattened()).copied().collect();
    let files: Vec<WeightsFile> = hashed.into_iter().map(|hashed| hashed.file).collect();
    let chunk_hashes = keep_blob(&args.out, &chunks, CHUNK_HASHES_MEDIA_TYPE)?;
    let location = |uri: &String| Location { uri: uri.clone(), media_type: None };
    let weights = Weights {
        org: args.org.clone(),
        name: args.name.clone(),
        version: args.version.clone(),
        total_bytes,
        chunk_bytes: CHUNK_BYTES,
        chunk_hashes,
        manifest: Digest::of(manifest_text(&files).as_bytes()),
        oms_root: oms_root(&files),
        locations: args.locations.iter().map(location).collect(),
        ignored: listing.ignored,
        files,
    };
    Draft::of(&weights)?.write(&args.out)?;
    report(args, &weights, context)
}

fn report(args: &Args, weights: &Weights, context: &Context) -> Outcome {
    for file in weights
        .files
        .iter()
        .filter(|file| file.format.as_ref().and_then(Word::known).is_some_and(|format| format.can_run_code()))
    {
        context.console.say(format_args!("warning: {} can run code on the machine that opens it", file.path));
    }
    for path in &weights.ignored {
        context.console.say(format_args!("left out: {}", visible(path)));
    }
    let mut human: Vec<String> = weights.files.iter().map(|file| format!("{}  {}", file.sha256, file.path)).collect();
    let (count, total, out) = (weights.files.len(), weights.total_bytes, args.out.display());
    human.push(format!("{count} files of {total} bytes, manifest {}\n  {out}", weights.manifest));
    let value = json!({ "file": args.out, "manifest": weights.manifest, "files": weights.files, "totalBytes": total });
    context.console.result(human.join("\n"), &value)
}

/// Hashes every file of a listing, behind a bar that shows bytes, speed and the time that is left.
///
/// # Errors
/// When a file cannot be read, or changes while it is.
pub fn hash_shown(listing: &Listing, console: Console) -> Outcome<Vec<Hashed>> {
    let bar = ProgressBar::new(listing.files.iter().map(|(_, _, size)| size).sum());
    bar.set_draw_target(if console.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
    let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let hashed = hash_all(listing, &|bytes| bar.inc(bytes))?;
    bar.finish_and_clear();
    Ok(hashed)
}
