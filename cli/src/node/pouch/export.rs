//! `chancery pouch export`: packs, seals and writes a pouch. Each volume appears whole or not at all.

use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use chancery_p2p_node::pouch::{self, HEADER_BYTES_MAX, Packed};
use chancery_registry::Registry;
use chancery_schema::digest::Digest;
use chancery_schema::frame::{Frame, HEAD_BYTES};
use chancery_schema::name::{Nation, Origin};
use chancery_schema::pouch::{Holding, Seal};
use chancery_schema::record::{Header, Nonce};
use serde_json::json;
use tempfile::NamedTempFile;

use super::{bytes_text, failure, open_keys, travels, with_archive};
use crate::Context;
use crate::clock;
use crate::config::Config;
use crate::keystore::Key;
use crate::node::{FolderArgs, block_on};
use crate::output::{Exit, OrExit as _, Outcome, fail};

const VOLUME_HELP: &str =
    "How large a file may be; what is more goes into further ones, such as FILE.2-of-3. At least 1048576";

/// Packs this node's log, and others that the partner recognises, into a file to be carried
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The partner for whom it is
    #[arg(long = "for", value_name = "NATION")]
    nation: Nation,
    #[command(flatten)]
    target: TargetArgs,
    /// From which entry of the own log on, where the partner holds less or more than it has cosigned
    #[arg(long, value_name = "SIZE")]
    since: Option<u64>,
}

/// Where a pouch is written.
#[derive(Clone, Debug, clap::Args)]
pub struct TargetArgs {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1 << 20..), help = VOLUME_HELP)]
    volume_bytes: Option<u64>,
}

/// What a pouch is to bring, and to whom.
pub struct Wish {
    /// The partner.
    pub nation: Nation,
    /// What it said that it holds.
    pub holds: Option<Vec<Holding>>,
    /// From which entry of the own log on.
    pub since: Option<u64>,
}

/// Runs the command.
///
/// # Errors
/// When the nation is not recognised, a key does not open, or the disk does not take the pouch.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let config = args.folder.config()?;
    let (identity, node) = open_keys(&config, context)?;
    let wish = Wish { nation: args.nation.clone(), holds: None, since: args.since };
    let run = async |registry: &Registry| write(&config, registry, &node, wish, &args.target, context).await;
    block_on(with_archive(&config, identity, run))
}

/// Packs and seals what is wished for, and writes it.
///
/// # Errors
/// As [`run`].
pub async fn write(
    config: &Config,
    registry: &Registry,
    node: &Key,
    wish: Wish,
    target: &TargetArgs,
    context: &Context,
) -> Outcome {
    let partner = registry.partners().await?.into_iter().find(|partner| partner.nation == wish.nation);
    let Some(partner) = partner else {
        let hint = "recognise it with `chancery partner add`, after comparing fingerprints";
        return fail(Exit::NotFound, format!("{} is not recognised here; {hint}", wish.nation));
    };
    // A sign of life of the present hour travels along. Where the node runs it has given its own.
    if let Err(problem) = registry.heartbeat().await {
        context.console.say(format_args!("the pouch has no new heartbeat: {problem}"));
    }
    let folder = target.out.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let export = pouch::Export {
        nation: wish.nation.clone(),
        origin: partner.origin,
        holds: wish.holds,
        since: wish.since,
        volume_bytes: target.volume_bytes.unwrap_or(u64::MAX),
    };
    let packed = pouch::export(registry, &export, || tempfile::tempfile_in(folder)).await.map_err(failure)?;
    let seal = seal(config, node, &wish.nation, &packed)?;
    let (logs, files) = (packed.logs.clone(), files(&seal, packed, target, folder)?);
    report(&seal, &logs, &files, context)
}

fn seal(config: &Config, node: &Key, nation: &Nation, packed: &Packed) -> Outcome<Seal> {
    let header = Header {
        nonce: Nonce::from_bytes(clock::random_bytes()?),
        nation: config.nation.clone(),
        log: config.origin.clone(),
        issued_at: clock::now(),
        audience: Some(vec![nation.clone()]),
    };
    let volumes = packed.volumes.iter().map(|volume| volume.digest).collect();
    Seal::sign(header, packed.holds.clone(), volumes, node).or_exit(Exit::Authority, || "failed to seal the pouch")
}

/// Writes each volume beside its place, and puts all into place when all are written.
fn files(seal: &Seal, packed: Packed, target: &TargetArgs, folder: &Path) -> Outcome<Vec<(PathBuf, u64)>> {
    let header = seal.to_frame().to_bytes();
    if let Frame::Header(payload) = seal.to_frame()
        && (HEAD_BYTES + payload.len()) as u64 > HEADER_BYTES_MAX
    {
        return fail(Exit::Other, "the pouch would name too many volumes and logs; allow larger volumes");
    }
    let count = packed.volumes.len();
    let mut written: Vec<(NamedTempFile, PathBuf, u64)> = Vec::new();
    for (number, mut volume) in (1..).zip(packed.volumes) {
        let path = if count == 1 { target.out.clone() } else { numbered(&target.out, number, count) };
        if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
            return fail(Exit::Usage, format!("{} is there and is not a file; name another", path.display()));
        }
        let attempted = || format!("failed to write {}", path.display());
        let mut file = new_file(folder).or_exit(Exit::Other, attempted)?;
        file.write_all(&header).or_exit(Exit::Other, attempted)?;
        volume.file.rewind().or_exit(Exit::Other, attempted)?;
        std::io::copy(&mut volume.file, &mut file).or_exit(Exit::Other, attempted)?;
        file.as_file().sync_all().or_exit(Exit::Other, attempted)?;
        written.push((file, path, header.len() as u64 + volume.bytes));
    }
    let mut files = Vec::new();
    for (file, path, bytes) in written {
        let attempted = || format!("failed to write {}", path.display());
        file.persist(&path).map_err(|error| error.error).or_exit(Exit::Other, attempted)?;
        files.push((path, bytes));
    }
    Ok(files)
}

fn new_file(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder)
}

/// `fr-to-ke.pouch` becomes `fr-to-ke.2-of-3.pouch`.
fn numbered(out: &Path, number: usize, count: usize) -> PathBuf {
    let mut name = out.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{number}-of-{count}"));
    if let Some(extension) = out.extension() {
        name.push(".");
        name.push(extension);
    }
    out.with_file_name(name)
}

fn report(seal: &Seal, logs: &[(Origin, Option<u64>, u64)], files: &[(PathBuf, u64)], context: &Context) -> Outcome {
    let (nation, id): (_, Digest) = (&seal.header.nation, seal.id());
    let addressee = seal.addressee().map_or_else(String::new, ToString::to_string);
    let logs_text = logs.iter().map(|(origin, start, size)| travels(origin, *start, *size));
    let files_text = files.iter().map(|(path, bytes)| format!("\n{}: {}", path.display(), bytes_text(*bytes)));
    let lines: String = logs_text.chain(files_text).collect();
    let human = format!("pouch {id} from {nation} for {addressee}{lines}");
    let value = json!({
        "pouch": id,
        "nation": nation,
        "for": addressee,
        "logs": logs.iter().map(|(log, start, size)| json!({ "log": log, "start": start, "size": size })).collect::<Vec<_>>(),
        "files": files.iter().map(|(path, bytes)| json!({ "file": path, "bytes": bytes })).collect::<Vec<_>>(),
    });
    context.console.result(human, &value)
}
