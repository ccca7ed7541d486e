//! `chancery enrol`: a key asks to speak for the nation, and a registrar lets it.

use std::path::{Path, PathBuf};

use chancery_schema::key::Role;
use chancery_schema::record::{Body as _, Delegation, Header, Kind, Nonce};
use chancery_schema::word::Word;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::files::{read_bounded, write_whole};
use crate::keystore::{KeyArgs, PUBLIC_EXTENSION, PublicHalf, Reference};
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::passphrase::Given;
use crate::sign::{Occasion, sign};
use crate::visible::visible;
use crate::{Context, clock, fingerprint};

/// A request, in bytes.
const REQUEST_BYTES_MAX: u64 = 64 << 10;

/// Let a key speak for the nation
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Request(Request),
    Approve(Approve),
}

/// Asks that a key be delegated: writes a request for the registrar
#[derive(Debug, clap::Args)]
pub struct Request {
    /// The key, as NAME.key or NAME.pub.json
    #[arg(long, value_name = "FILE")]
    key: Given<Reference>,
    /// Who holds it, for people
    #[arg(long, value_name = "TEXT")]
    holder: String,
    /// The models it may speak of: '*', ORG or ORG:NAME; publishers need at least one
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// The kinds it may sign; without it, all that its role may
    #[arg(long = "kind", value_name = "KIND", value_parser = kind)]
    kinds: Vec<Kind>,
    /// For how many days
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    valid_days: u32,
    /// The request to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Lets the key of a request speak for the nation: the registrar's key signs the delegation, to be published
#[derive(Debug, clap::Args)]
pub struct Approve {
    /// The request
    request: PathBuf,
    #[command(flatten)]
    key: KeyArgs,
    /// The delegation to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What is asked for. Nothing in it is believed but the key's proof of possession.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Enrolment {
    holder: String,
    key: PublicHalf,
    kinds: Vec<Kind>,
    models: Vec<String>,
    valid_days: u32,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or written, or the key may not have what is asked.
pub fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Request(args) => request(args, context),
        Command::Approve(args) => approve(args, context),
    }
}

fn request(args: &Request, context: &Context) -> Outcome {
    let key = match args.key.get("--key")? {
        Reference::File(path) => PublicHalf::read(&public_half(path))?,
        Reference::Token(_) => {
            return fail(Exit::Usage, "--key: a request needs what keygen wrote of the key, NAME.pub.json");
        }
    };
    let may = |kind: &Kind| kind.signers().contains(&key.role);
    let kinds = if args.kinds.is_empty() { Kind::ALL.into_iter().filter(may).collect() } else { args.kinds.clone() };
    let enrolment =
        Enrolment { holder: args.holder.clone(), kinds, models: args.models.clone(), valid_days: args.valid_days, key };
    enrolment.delegation()?;
    let text = serde_json::to_string_pretty(&enrolment)? + "\n";
    write_whole(&args.out, text.as_bytes())?;
    let keyid = enrolment.key.key.keyid;
    let spoken = fingerprint::spoken(&keyid, "  ");
    let human = format!("wrote {}; read its key id to the registrar:\n{spoken}", args.out.display());
    context.console.result(human, &json!({ "keyid": keyid, "file": args.out }))
}

fn approve(args: &Approve, context: &Context) -> Outcome {
    let attempted = || format!("failed to read the request {}", args.request.display());
    let text = read_bounded(&args.request, REQUEST_BYTES_MAX)?;
    let enrolment: Enrolment = serde_json::from_slice(&text).or_exit(Exit::Usage, attempted)?;
    let asked = &enrolment.key;
    asked.key.open(&asked.nation, &asked.origin, asked.role).or_exit(Exit::Verification, attempted)?;
    let delegation = enrolment.delegation()?;
    let registrar = args.key.open_as(Role::Registrar, context)?;
    let (nation, origin) = (&registrar.public.nation, &registrar.public.origin);
    if (&asked.nation, &asked.origin) != (nation, origin) {
        let problem = format!("the key was made for {} and its log {}", asked.nation, asked.origin);
        return fail(Exit::Authority, format!("{problem}; this registrar speaks for {nation} and {origin}"));
    }
    let occasion = Occasion { nation, origin, issued_at: delegation.valid_from };
    let envelope = sign(occasion, &delegation, &[&registrar])?;
    write_whole(&args.out, &envelope.to_bytes())?;
    let keyid = asked.key.keyid;
    let spoken = fingerprint::spoken(&keyid, "  ");
    let holder = visible(&delegation.holder);
    let human = format!(
        "{holder} may speak for {nation} until {} with the key\n{spoken}\npublish {} to put it in force",
        delegation.valid_until,
        args.out.display()
    );
    context.console.result(human, &json!({ "record": envelope.record_digest(), "keyid": keyid, "file": args.out }))
}

impl Enrolment {
    /// The delegation that would grant it, from now on, checked by the rules of its kind.
    fn delegation(&self) -> Outcome<Delegation> {
        let now = clock::now();
        let delegation = Delegation {
            holder: self.holder.clone(),
            role: self.key.role,
            key: self.key.key.clone(),
            kinds: self.kinds.iter().copied().map(Word::from).collect(),
            models: self.models.clone(),
            valid_from: now,
            valid_until: now.plus_seconds(i64::from(self.valid_days) * 86_400),
        };
        let header = Header {
            nonce: Nonce::from_bytes([0; 16]),
            nation: self.key.nation.clone(),
            log: self.key.origin.clone(),
            issued_at: now,
            audience: None,
        };
        delegation.validate(&header).or_exit(Exit::Usage, || "this cannot be delegated")?;
        Ok(delegation)
    }
}

fn public_half(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|ending| ending == "key") {
        path.with_extension(PUBLIC_EXTENSION)
    } else {
        path.into()
    }
}

fn kind(word: &str) -> Result<Kind, String> {
    Kind::from_word(word).ok_or_else(|| "not a kind of record".to_owned())
}
