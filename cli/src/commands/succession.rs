//! `chancery succession`: a new log takes the place of one whose key was lost, or which has two histories. The
//! roots' officers sign that apart, with `chancery charter sign`.

use std::path::{Path, PathBuf};

use chancery_schema::bundle::Bundle;
use chancery_schema::envelope::Envelope;
use chancery_schema::limits::{BUNDLE_BYTES_MAX, ENVELOPE_BYTES_MAX, NOTE_BYTES_MAX};
use chancery_schema::log::note::VerifierKey;
use chancery_schema::name::{Language, Origin};
use chancery_schema::record::{Kind, LogSuccession, SuccessionReason};
use chancery_schema::statement::Statement;
use chancery_schema::succession::read_former;
use clap::ValueEnum;

use super::charter::proposal::{Chartered, Proposal};
use super::charter::{holds, named, proposed, texts};
#[cfg(feature = "node")]
use crate::client::Client;
use crate::files::read_bounded;
#[cfg(feature = "node")]
use crate::node::source::common_head;
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::sign::Occasion;
use crate::{Context, clock};

/// Let a new log take the place of one whose key was lost, or which has two histories
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Propose(Propose),
}

/// Writes a proposal that a new log goes on where partners saw the earlier one last
///
/// The base is the largest checkpoint of the earlier log that is of one history with what all the named
/// partners hold. Each of them accepts the new log only if the base is no smaller than what it cosigned.
#[derive(Debug, clap::Args)]
pub struct Propose {
    /// The first charter of the new log, from `chancery charter assemble`; its roots are those of the
    /// earlier log's last charter
    #[arg(long, value_name = "FILE")]
    charter: PathBuf,
    /// The introduction of the earlier log or any bundle of it, with its last charter
    #[arg(long, value_name = "FILE")]
    former: PathBuf,
    #[cfg(feature = "node")]
    #[arg(long, value_name = "URL", help = FROM_HELP, required_unless_present = "base", conflicts_with = "base")]
    from: Vec<String>,
    /// The base, a checkpoint of the earlier log with its cosignatures, where partners are not asked
    #[cfg_attr(not(feature = "node"), arg(required = true))]
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,
    /// Why the earlier log ends
    #[arg(long, value_enum)]
    reason: Why,
    /// More about it, for people; once for each language
    #[arg(long = "statement", value_name = "LANG=TEXT", value_parser = named)]
    statements: Vec<(Language, String)>,
    /// The proposal to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[cfg(feature = "node")]
const FROM_HELP: &str = "The address of a partner's node that mirrors the earlier log, such as https://ke.example.org; \
     name every partner's";

/// [`SuccessionReason`] as it is written on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Why {
    /// The nation wants another key or another name for its log
    Planned,
    /// Nobody has the log's key any more
    KeyLost,
    /// Others may have the log's key
    KeyCompromised,
    /// The log's key has signed two histories
    TwoHistories,
}

impl Why {
    const fn reason(self) -> SuccessionReason {
        match self {
            Self::Planned => SuccessionReason::Planned,
            Self::KeyLost => SuccessionReason::KeyLost,
            Self::KeyCompromised => SuccessionReason::KeyCompromised,
            Self::TwoHistories => SuccessionReason::TwoHistories,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When a file or a partner's node cannot be read, or the new log would not follow the earlier one.
pub fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Propose(args) => propose(args, context),
    }
}

fn propose(args: &Propose, context: &Context) -> Outcome {
    let bytes = read_bounded(&args.charter, ENVELOPE_BYTES_MAX as u64)?;
    let attempted = || format!("failed to read the charter {}", args.charter.display());
    let first = Chartered::open(Envelope::parse(&bytes).or_exit(Exit::Usage, attempted)?, &args.charter)?;
    let former = former(&args.former)?;
    let attempted = || format!("failed to read the charters in {}", args.former.display());
    let logs = read_former(&former).or_exit(Exit::Verification, attempted)?;
    let Some(old) = logs.last().map(|log| &log.roster) else {
        return fail(Exit::Usage, format!("{} has no charter", args.former.display()));
    };
    let key = old.charter.note_keys(&old.nation, &old.origin).or_exit(Exit::Verification, attempted)?.log;
    let succession = LogSuccession {
        predecessor: key.to_string(),
        fingerprint: old.fingerprint,
        charter: old.charter_digest,
        base: args.base(&old.origin, &key)?,
        successor: first.digest,
        reason: args.reason.reason().into(),
        statement: if args.statements.is_empty() { None } else { Some(texts(&args.statements)?) },
    };
    let (nation, origin) = (first.header.nation.clone(), first.header.log.clone());
    let occasion = Occasion { nation: &nation, origin: &origin, issued_at: clock::now() };
    proposed(&Proposal::succession(first, former, occasion, &succession)?, &args.out, context)
}

impl Propose {
    #[cfg(feature = "node")]
    fn base(&self, origin: &Origin, key: &VerifierKey) -> Outcome<String> {
        if let Some(path) = &self.base {
            return note(path);
        }
        let clients = self.from.iter().map(|url| Client::new(url)).collect::<Outcome<Vec<_>>>()?;
        common_head(&clients, origin, key)
    }

    #[cfg(not(feature = "node"))]
    fn base(&self, _: &Origin, _: &VerifierKey) -> Outcome<String> {
        self.base.as_deref().map_or_else(|| fail(Exit::Usage, "name the base with --base"), note)
    }
}

fn note(path: &Path) -> Outcome<String> {
    let attempted = || format!("failed to read the checkpoint {}", path.display());
    String::from_utf8(read_bounded(path, NOTE_BYTES_MAX as u64)?).or_exit(Exit::Usage, attempted)
}

/// What a bundle or an introduction tells of its log and those before, as a succession carries it.
fn former(path: &Path) -> Outcome<Vec<Envelope>> {
    let attempted = || format!("{} is not a bundle", path.display());
    let bundle = Bundle::read(&read_bounded(path, BUNDLE_BYTES_MAX)?).or_exit(Exit::Usage, attempted)?;
    holds(&bundle, path)?;
    let tells = |envelope: &Envelope| {
        let statement = Statement::parse(envelope.payload());
        statement.is_ok_and(|it| [Kind::Charter, Kind::LogSuccession].iter().any(|kind| it.kind == kind.as_str()))
    };
    let records = bundle.records.into_iter().map(|record| record.envelope).filter(tells);
    Ok(bundle.former.into_iter().chain(records).collect())
}
