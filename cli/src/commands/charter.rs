//! `chancery charter`: a nation's officers change its charter, or write the first, each on a machine of
//! their own; whatever else roots sign together, they sign with the same commands. What travels between them are files: a proposal, and an envelope with one signature from
//! each officer.

use std::path::{Path, PathBuf};

use chancery_schema::admission::Code;
use chancery_schema::bundle::{Bundle, Trust, Verdict, verify};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::{Algorithm, KeyRecord, Role};
use chancery_schema::limits::{BUNDLE_BYTES_MAX, ENVELOPE_BYTES_MAX};
use chancery_schema::name::{Language, NotAName, Origin};
use chancery_schema::record::{Charter, Cosigner, Texts};
use serde_json::json;

use self::proposal::{Chartered, Proposal};
use crate::files::{read_bounded, write_whole};
use crate::keystore::{KeyArgs, PublicHalf};
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::sign::Occasion;
use crate::{Context, clock, fingerprint};

pub mod proposal;

/// How long a charter is good for where nothing else is said, in days: five years. Long before, the roots
/// sign the next one.
pub const VALID_DAYS: u32 = 5 * 365;

/// Write and change the nation's charter: its officers propose, sign and assemble it
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Propose(Box<Propose>),
    Sign(Sign),
    Assemble(Assemble),
}

/// Writes a proposal of the next charter, or of a first one, and says what changes
#[derive(Debug, clap::Args)]
pub struct Propose {
    /// The charter in force: its envelope, or a bundle or an introduction of its nation; without it, a
    /// first charter is proposed
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// What the nation calls itself, in place of all it called itself; once for each language
    #[arg(long = "name", value_name = "LANG=TEXT", value_parser = named, required_unless_present = "from")]
    names: Vec<(Language, String)>,
    /// How many roots must sign together; without it, as many as now
    #[arg(long, required_unless_present = "from")]
    threshold: Option<u64>,
    /// The public key of an officer to appoint as root
    #[arg(long, value_name = "FILE", required_unless_present = "from")]
    add_root: Vec<PathBuf>,
    /// A root to let go, by public key or key id
    #[arg(long, value_name = "FILE|KEYID")]
    remove_root: Vec<String>,
    /// The public key of a registrar to appoint
    #[arg(long, value_name = "FILE", required_unless_present = "from")]
    add_registrar: Vec<PathBuf>,
    /// A registrar to let go, by public key or key id
    #[arg(long, value_name = "FILE|KEYID")]
    remove_registrar: Vec<String>,
    /// The public key of the log, in a first charter; no later one can change it
    #[arg(long, value_name = "FILE", required_unless_present = "from", conflicts_with = "from")]
    log: Option<PathBuf>,
    /// The public key of the node's witness
    #[arg(long, value_name = "FILE", required_unless_present = "from")]
    witness: Option<PathBuf>,
    /// The public key of the node's mirror
    #[arg(long, value_name = "FILE", required_unless_present = "from")]
    mirror: Option<PathBuf>,
    /// For how many days from now
    #[arg(long, default_value_t = VALID_DAYS, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    valid_days: u32,
    /// The proposal to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Shows what a proposal says, of a charter or of what else roots sign together, and signs it with one
/// officer's key
#[derive(Debug, clap::Args)]
pub struct Sign {
    /// The proposal
    proposal: PathBuf,
    #[command(flatten)]
    key: KeyArgs,
    /// The envelope with this officer's signature to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Puts the officers' signatures together: writes the envelope to publish, or says how many are missing
#[derive(Debug, clap::Args)]
pub struct Assemble {
    /// The proposal
    proposal: PathBuf,
    /// The envelopes that the officers wrote, each with a signature
    #[arg(value_name = "SIGNATURE", required = true)]
    signatures: Vec<PathBuf>,
    /// The envelope to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or written, or the charter would not be admitted.
pub fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Propose(args) => propose(args, context),
        Command::Sign(args) => sign(args, context),
        Command::Assemble(args) => assemble(args, context),
    }
}

fn propose(args: &Propose, context: &Context) -> Outcome {
    let in_force = args.from.as_deref().map(in_force).transpose()?;
    let now = clock::now();
    let (nation, origin, mut charter) = match (&in_force, &args.log) {
        (Some(before), _) => {
            let (version, previous) = (before.charter.version + 1, Some(before.digest));
            let next = Charter { version, previous, ..before.charter.clone() };
            (before.header.nation.clone(), before.header.log.clone(), next)
        }
        (None, Some(log)) => {
            let log = public(log, Role::Log)?;
            (log.nation.clone(), log.origin.clone(), args.first(log)?)
        }
        (None, None) => return fail(Exit::Usage, "name the charter in force with --from, or the log's key with --log"),
    };
    let appointed = |path: &PathBuf, role: Role| -> Outcome<KeyRecord> {
        let half = public(path, role)?;
        if (&half.nation, &half.origin) == (&nation, &origin) {
            return Ok(half.key);
        }
        let whose = format!("{} is a key of {} for {}", path.display(), half.nation, half.origin);
        fail(Exit::Usage, format!("{whose}, not of {nation} for {origin}; make it for these with `chancery keygen`"))
    };
    for (keys, role, add, remove) in [
        (&mut charter.roots, Role::Root, &args.add_root, &args.remove_root),
        (&mut charter.registrars, Role::Registrar, &args.add_registrar, &args.remove_registrar),
    ] {
        remove.iter().try_for_each(|gone| let_go(keys, role, gone))?;
        keys.extend(add.iter().map(|path| appointed(path, role)).collect::<Outcome<Vec<_>>>()?);
    }
    for (cosigner, role, path) in
        [(&mut charter.witness, Role::Witness, &args.witness), (&mut charter.mirror, Role::Mirror, &args.mirror)]
    {
        if let Some(path) = path {
            cosigner.key = appointed(path, role)?;
        }
    }
    if !args.names.is_empty() {
        charter.display_name = texts(&args.names)?;
    }
    charter.threshold = args.threshold.unwrap_or(charter.threshold);
    charter.expires = now.plus_seconds(i64::from(args.valid_days) * 86_400);
    let occasion = Occasion { nation: &nation, origin: &origin, issued_at: now };
    proposed(&Proposal::new(in_force, occasion, &charter)?, &args.out, context)
}

/// Writes a proposal, and says what it says.
///
/// # Errors
/// When the disk does not take it.
pub fn proposed(proposal: &Proposal, out: &Path, context: &Context) -> Outcome {
    proposal.write(out)?;
    let (described, out_shown) = (proposal.describe(), out.display());
    let next = format!("each officer signs it: chancery charter sign {out_shown} --key ROOT.key --out SIGNATURE");
    let human = format!("{described}\nwrote {out_shown}; {next}");
    context.console.result(human, &json!({ "record": proposal.digest(), "file": out }))
}

fn sign(args: &Sign, context: &Context) -> Outcome {
    let proposal = Proposal::read(&args.proposal)?;
    context.console.say(proposal.describe());
    let key = args.key.open_as(Role::Root, context)?;
    let envelope = proposal.sign(&key).or_exit(Exit::Authority, || "failed to sign the proposal")?;
    match proposal.judge(&envelope) {
        Err(refusal) if refusal.code != Code::ThresholdNotMet => {
            return Err(refusal).or_exit(Exit::Authority, || "this signature would not count");
        }
        _ => write_whole(&args.out, &envelope.to_bytes())?,
    }
    let keyid = key.public.key.keyid;
    let human = format!("signed with the root key {keyid}\n  {}", args.out.display());
    context.console.result(human, &json!({ "record": proposal.digest(), "keyid": keyid, "file": args.out }))
}

fn assemble(args: &Assemble, context: &Context) -> Outcome {
    let proposal = Proposal::read(&args.proposal)?;
    let mut assembled: Option<Envelope> = None;
    for path in &args.signatures {
        let attempted = || format!("failed to use the signature {}", path.display());
        let bytes = read_bounded(path, ENVELOPE_BYTES_MAX as u64)?;
        let envelope = Envelope::parse(&bytes).or_exit(Exit::Usage, attempted)?;
        if envelope.record_digest() != proposal.digest() {
            return fail(Exit::Verification, format!("{} is not of this proposal", path.display()));
        }
        match proposal.judge(&envelope) {
            Err(refusal) if refusal.code != Code::ThresholdNotMet => {
                return Err(refusal).or_exit(Exit::Verification, attempted);
            }
            _ => match &mut assembled {
                Some(assembled) => assembled.take_signatures(&envelope),
                none => *none = Some(envelope),
            },
        }
    }
    let Some(envelope) = assembled else { return fail(Exit::Usage, "name the files that the officers wrote") };
    proposal.judge(&envelope).or_exit(Exit::Authority, || "not enough officers have signed yet")?;
    write_whole(&args.out, &envelope.to_bytes())?;
    let out = args.out.display();
    let human = format!("{}\nwrote {out}; {}", proposal.describe(), proposal.next(&args.out));
    context.console.result(human, &json!({ "record": proposal.digest(), "file": args.out }))
}

impl Propose {
    /// A first charter with the keys of the node, and no roots and registrars yet.
    fn first(&self, log: PublicHalf) -> Outcome<Charter> {
        let cosigner = |path: &Option<PathBuf>, role: Role| match path {
            Some(path) => Ok(Cosigner { name: cosigner_name(&log.origin, role)?, key: public(path, role)?.key }),
            None => fail(Exit::Usage, format!("name the key of the {} with --{}", role.as_str(), role.as_str())),
        };
        Ok(Charter {
            version: 1,
            previous: None,
            display_name: Texts::new(),
            threshold: 0,
            roots: Vec::new(),
            registrars: Vec::new(),
            witness: cosigner(&self.witness, Role::Witness)?,
            mirror: cosigner(&self.mirror, Role::Mirror)?,
            log_key: log.key,
            algorithms: vec![Algorithm::Ed25519.into()],
            expires: clock::now(),
        })
    }
}

/// The name under which a nation's cosigner signs: below its origin.
///
/// # Errors
/// When the origin is too long for it.
pub fn cosigner_name(origin: &Origin, role: Role) -> Outcome<Origin> {
    match format!("{origin}/{}", role.as_str()).parse() {
        Ok(name) => Ok(name),
        Err(_) => fail(Exit::Usage, format!("the origin {origin} is too long to name its {} below it", role.as_str())),
    }
}

/// Reads a name that a nation gives itself.
///
/// # Errors
/// When it is not LANG=TEXT.
pub fn named(text: &str) -> Result<(Language, String), String> {
    let (language, name) = text.split_once('=').ok_or("expected LANG=TEXT, such as fr=\"République française\"")?;
    let language = Language::in_one_case(language).parse().map_err(|error: NotAName| error.to_string())?;
    Ok((language, name.to_owned()))
}

/// The names that a nation gives itself, by language.
///
/// # Errors
/// When a language stands twice.
pub fn texts(names: &[(Language, String)]) -> Outcome<Texts> {
    let mut texts = Texts::new();
    for (language, text) in names {
        if texts.insert(language.clone(), text.clone()).is_some() {
            return fail(Exit::Usage, format!("--name gives {language} twice"));
        }
    }
    Ok(texts)
}

/// The charter in force, out of its envelope or of a bundle that walks to it.
///
/// # Errors
/// When the file has none, or does not hold.
pub fn in_force(path: &Path) -> Outcome<Chartered> {
    let bytes = read_bounded(path, BUNDLE_BYTES_MAX)?;
    if let Ok(envelope) = Envelope::parse(&bytes) {
        return Chartered::open(envelope, path);
    }
    let attempted = || format!("{} is neither an envelope nor a bundle", path.display());
    let bundle = Bundle::read(&bytes).or_exit(Exit::Usage, attempted)?;
    holds(&bundle, path)?;
    let charters = bundle.records.iter().rev().map(|record| Chartered::open(record.envelope.clone(), path));
    charters.flatten().next().map_or_else(|| fail(Exit::Usage, format!("{} has no charter", path.display())), Ok)
}

/// A bundle holds together under its own first charter.
///
/// # Errors
/// With the step that fails.
pub fn holds(bundle: &Bundle, path: &Path) -> Outcome {
    let first = bundle.records.first().map_or(bundle.header.record, |record| record.envelope.record_digest());
    let report = verify(bundle, &Trust::Fingerprint(first));
    if let Some(check) = report.checks.last().filter(|_| report.verdict == Verdict::Failed) {
        return fail(Exit::Verification, format!("{} does not hold: {}: {}", path.display(), check.what, check.detail));
    }
    Ok(())
}

fn public(path: &Path, role: Role) -> Outcome<PublicHalf> {
    let half = PublicHalf::read(path)?;
    if half.role == role {
        return Ok(half);
    }
    let (found, asked) = (half.role.as_str(), role.as_str());
    fail(Exit::Usage, format!("{} is a {found} key; this needs a {asked} key", path.display()))
}

/// Takes out the key that a public key or a key id names.
fn let_go(keys: &mut Vec<KeyRecord>, role: Role, gone: &str) -> Outcome {
    let keyid: Digest = match fingerprint::read(gone) {
        Some(keyid) => keyid,
        None => public(Path::new(gone), role)?.key.keyid,
    };
    let before = keys.len();
    keys.retain(|key| key.keyid != keyid);
    if keys.len() < before {
        return Ok(());
    }
    fail(Exit::Usage, format!("the charter has no {} {keyid} to let go", role.as_str()))
}
