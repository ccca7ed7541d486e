//! `chancery init`: founds a nation's log on this machine. All is made in a folder beside the target,
//! which appears whole or not at all.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chancery_registry::{Admission, Contents, Registry};
use chancery_schema::admission::Submission;
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::{Algorithm, Role, Signer};
use chancery_schema::limits::CHARTER_KEYS_MAX;
use chancery_schema::name::{Language, Nation, Origin};
use chancery_schema::record::{Charter, Cosigner, Delegation, Endpoint, Kind, Texts};
use chancery_schema::time::Timestamp;
use serde_json::json;

use super::{block_on, keys, wall_clock};
use crate::Context;
use crate::clock;
use crate::config::{self, Config, Database, template};
use crate::files::write_whole;
use crate::fingerprint;
use crate::keystore::Key;
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::passphrase::{Given, Passphrase};
use crate::pkcs11::TokenKey;
use crate::pkcs11::uri::Uri;
use crate::sign::{Occasion, sign};

/// How long the first charter and its delegations are good for, in days: five years. Long before, the
/// roots sign the next charter.
const FOUNDING_DAYS: i64 = 5 * 365;

/// How long the database may take to close.
const SETTLE: Duration = Duration::from_secs(2);

/// The file by which partners get to know the nation.
pub const INTRODUCTION: &str = "introduction.chancery";

const DATABASE_HELP: &str =
    "Keep the archive in this database, which must be empty: postgres://HOST/NAME; without it, in a file";

/// Founds a nation's log: makes its keys, signs its charter, and writes its node's folder
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The nation: ISO 3166-1 alpha-2, EU, UN, or XA to XZ (not XK) for other unions
    #[arg(long, value_name = "CODE")]
    nation: Nation,
    /// The log's name for ever: a URL without scheme, such as fr.example.org/chancery
    #[arg(long)]
    origin: Origin,
    /// What the nation calls itself; once for each language
    #[arg(long = "name", value_name = "LANG=TEXT", required = true, value_parser = named)]
    names: Vec<(Language, String)>,
    /// The folder to make; without it, the nation's code in lower case
    #[arg(long = "dir", value_name = "DIR")]
    folder: Option<PathBuf>,
    /// How many officers hold a root key
    #[arg(long, default_value_t = 3)]
    roots: usize,
    /// How many of them must sign together
    #[arg(long, default_value_t = 2)]
    threshold: usize,
    /// Use this key of a token instead of making a file; NAME is root-1 and so on, registrar, exchange, log,
    /// witness, mirror or node, and the key is made before, with keygen
    #[arg(long = "token", value_name = "NAME=URI")]
    tokens: Vec<Given<InToken>>,
    // Taken as text, or the parser's error would repeat a password that stands in it by mistake.
    #[arg(long, value_name = "URL", help = DATABASE_HELP)]
    database: Option<String>,
    /// Where GraphQL, the log and the portal will be served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8420")]
    http: SocketAddr,
    /// The multiaddress to listen on for partners
    #[arg(long, value_name = "MULTIADDR", default_value = "/ip4/127.0.0.1/tcp/8421")]
    p2p: String,
    /// The multiaddress at which partners reach this node, where it is not the one listened on
    #[arg(long, value_name = "MULTIADDR")]
    announce: Vec<String>,
    /// Where the portal will be open to the world, if it will
    #[arg(long)]
    url: Option<String>,
}

/// A key of a new nation that is in a token already.
#[derive(Clone, Debug)]
struct InToken {
    name: String,
    uri: Uri,
}

impl FromStr for InToken {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, uri) = text.split_once('=').ok_or("expected NAME=URI, such as log=pkcs11:…")?;
        Ok(Self { name: name.to_owned(), uri: uri.parse()? })
    }
}

/// Every key of a new nation.
struct Keys {
    roots: Vec<Key>,
    registrar: Key,
    exchange: Key,
    log: Key,
    witness: Key,
    mirror: Key,
    node: Key,
    transport: Key,
}

/// Runs the command.
///
/// # Errors
/// When the folder is not empty, an option cannot be meant, or the disk does not take it.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let folder = args.folder.clone().unwrap_or_else(|| args.nation.as_str().to_lowercase().into());
    let announced = args.check()?;
    let database = args.database()?;
    let tokens = args.tokens()?;
    let folder =
        std::path::absolute(&folder).or_exit(Exit::Usage, || format!("failed to find {}", folder.display()))?;
    refuse_taken(&folder)?;
    let passphrase = context.passphrase.new_one()?;
    let parent = folder.parent().unwrap_or(Path::new("/"));
    let attempted = || format!("failed to make a folder in {}", parent.display());
    std::fs::create_dir_all(parent).with_context(attempted)?;
    let building = tempfile::Builder::new().prefix(".chancery-init-").tempdir_in(parent).with_context(attempted)?;

    context.console.say(format_args!("making the keys of {}", args.nation));
    let keys = Keys::generate(args, &tokens, context)?;
    keys.save(&building.path().join("keys"), &passphrase)?;
    context.console.say(format_args!("founding the log {}", args.origin));
    let envelopes = founding(args, announced, &keys)?;
    let charter = envelopes.first().map(Envelope::record_digest).context("a founding begins with the charter")?;
    write_whole(
        &building.path().join(config::FILE),
        template((&args.nation, &args.origin), &database, args.http, &args.p2p, &keys.uris()).as_bytes(),
    )?;
    let config = Config::read(building.path())?;
    let introduction = block_on(found(&config, keys, &envelopes))?;
    write_whole(&building.path().join(INTRODUCTION), &introduction)?;
    if let Database::File(path) = &config.database {
        settle(path);
    }
    appear(building, &folder)?;
    report(args, &folder, &charter, &tokens, context)
}

impl Args {
    /// The keys that tokens hold, by the names that their files would have.
    fn tokens(&self) -> Outcome<BTreeMap<String, Uri>> {
        let here = std::env::current_dir().context("failed to find the current folder")?;
        let roots = (1..=self.roots).map(keys::root_name);
        let others = keys::ROLES.iter().filter(|role| **role != Role::Transport).map(|role| role.as_str().to_owned());
        let names: Vec<String> = roots.chain(others).collect();
        let mut tokens = BTreeMap::new();
        for given in &self.tokens {
            let InToken { name, uri } = given.get("--token")?.clone();
            if !names.contains(&name) {
                return fail(
                    Exit::Usage,
                    format!("--token: no key in a token is called so; use one of {}", names.join(", ")),
                );
            }
            if tokens.insert(name.clone(), uri.within(&here)).is_some() {
                return fail(Exit::Usage, format!("--token gives {name} twice"));
            }
        }
        Ok(tokens)
    }

    /// Where the archive will be.
    fn database(&self) -> Outcome<Database> {
        let Some(text) = &self.database else { return Ok(Database::default()) };
        match Database::try_from(text.clone()).or_exit(Exit::Usage, || "failed to use --database")? {
            Database::File(_) => {
                let hint = "give postgres://HOST/NAME, or leave it out for a file in the node's folder";
                fail(Exit::Usage, format!("--database is no address of a server; {hint}"))
            }
            server @ Database::Server(_) => Ok(server),
        }
    }

    /// Checks what the parser cannot; answers the addresses that partners are told.
    fn check(&self) -> Outcome<Vec<String>> {
        if !(1..=CHARTER_KEYS_MAX).contains(&self.roots) {
            return fail(Exit::Usage, format!("--roots {} is not between 1 and {CHARTER_KEYS_MAX}", self.roots));
        }
        if !(1..=self.roots).contains(&self.threshold) {
            return fail(
                Exit::Usage,
                format!("--threshold {} is not between 1 and --roots {}", self.threshold, self.roots),
            );
        }
        let announced = if self.announce.is_empty() { vec![self.p2p.clone()] } else { self.announce.clone() };
        for address in &announced {
            let unreachable =
                address.ends_with("/tcp/0") || ["/ip4/0.0.0.0/", "/ip6/::/"].iter().any(|any| address.starts_with(any));
            if unreachable {
                let hint =
                    "say with --announce where partners reach this node, such as /dns4/node.example.org/tcp/8421";
                return fail(Exit::Usage, format!("nobody can connect to {address}; {hint}"));
            }
        }
        Ok(announced)
    }
}

/// A folder that is there must be empty.
fn refuse_taken(folder: &Path) -> Outcome {
    let attempted = || format!("failed to look into {}", folder.display());
    let is_free = match std::fs::read_dir(folder) {
        Ok(mut items) => items.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(error).or_exit(Exit::Usage, attempted),
    };
    if is_free {
        return Ok(());
    }
    let hint = "name another folder with --dir";
    fail(Exit::Usage, format!("{} is not empty; nothing was changed; {hint}", folder.display()))
}

impl Keys {
    fn generate(args: &Args, tokens: &BTreeMap<String, Uri>, context: &Context) -> Outcome<Self> {
        let key = |name: &str, role| match tokens.get(name) {
            None => Key::generate(&args.nation, &args.origin, role),
            Some(uri) => {
                let key = TokenKey::open(uri, || context.passphrase.pin(uri, None, Path::new("")))?;
                Key::of_token(key, &args.nation, &args.origin, role)
            }
        };
        let of = |role: Role| key(role.as_str(), role);
        let keys = Self {
            roots: (1..=args.roots).map(|number| key(&keys::root_name(number), Role::Root)).collect::<Outcome<_>>()?,
            registrar: of(Role::Registrar)?,
            exchange: of(Role::Exchange)?,
            log: of(Role::Log)?,
            witness: of(Role::Witness)?,
            mirror: of(Role::Mirror)?,
            node: of(Role::Node)?,
            transport: of(Role::Transport)?,
        };
        let mut ids = BTreeMap::new();
        for (name, key) in keys.named() {
            if let Some(other) = ids.insert(key.public.key.keyid, name.clone()) {
                return fail(Exit::Usage, format!("--token gives {other} and {name} one key; each needs its own"));
            }
        }
        Ok(keys)
    }

    /// What `chancery.toml` has to say of keys in tokens; the roots are not the node's.
    fn uris(&self) -> Vec<(Role, &Uri)> {
        let named = self.named().into_iter().map(|(_, key)| (key.public.role, key));
        let named = named.filter(|(role, _)| *role != Role::Root);
        named.filter_map(|(role, key)| Some((role, key.uri()?))).collect()
    }

    fn named(&self) -> Vec<(String, &Key)> {
        let roots = self.roots.iter().enumerate().map(|(index, key)| (keys::root_name(index + 1), key));
        let others =
            [&self.registrar, &self.exchange, &self.log, &self.witness, &self.mirror, &self.node, &self.transport];
        let others = others.into_iter().map(|key| (key.public.role.as_str().to_owned(), key));
        roots.chain(others).collect()
    }

    /// Writes every key into `folder`, each sealed on a thread of its own.
    fn save(&self, folder: &Path, passphrase: &Passphrase) -> Outcome {
        private_folder(folder)?;
        std::thread::scope(|scope| {
            let named = self.named().into_iter();
            let threads: Vec<_> =
                named.map(|(name, key)| scope.spawn(move || key.save(folder, &name, passphrase))).collect();
            threads.into_iter().try_for_each(|thread| {
                let saved = thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("failed to seal a key").into()));
                saved.map(drop)
            })
        })
    }
}

fn private_folder(folder: &Path) -> Outcome {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    Ok(builder.create(folder).with_context(|| format!("failed to make {}", folder.display()))?)
}

/// The first records of a log: the charter, the delegations of its exchange and its node, the endpoint.
fn founding(args: &Args, announced: Vec<String>, keys: &Keys) -> Outcome<Vec<Envelope>> {
    let issued_at = clock::now();
    let until = issued_at.plus_seconds(FOUNDING_DAYS * 86_400);
    let occasion = Occasion { nation: &args.nation, origin: &args.origin, issued_at };
    let roots: Vec<&dyn Signer> = keys.roots.iter().map(|key| key as &dyn Signer).collect();
    let delegate = |key: &Key, kinds: &[Kind], holder: String| {
        sign(occasion, &delegation(key, kinds, holder, (issued_at, until)), &[&keys.registrar])
    };
    let endpoint = Endpoint { key: keys.transport.public.key.clone(), addresses: announced, url: args.url.clone() };
    Ok(vec![
        sign(occasion, &charter(args, keys, until)?, &roots)?,
        delegate(&keys.exchange, &[Kind::Accreditation], format!("Exchange of {}", args.nation))?,
        delegate(&keys.node, &[Kind::Endpoint, Kind::Evidence], format!("Node of {}", args.nation))?,
        sign(occasion, &endpoint, &[&keys.node])?,
    ])
}

fn charter(args: &Args, keys: &Keys, expires: Timestamp) -> Outcome<Charter> {
    let cosigner = |key: &Key| -> Outcome<Cosigner> {
        Ok(Cosigner { name: keys::cosigner_name(&args.origin, key.public.role)?, key: key.public.key.clone() })
    };
    let mut display_name = Texts::new();
    for (language, text) in &args.names {
        if display_name.insert(language.clone(), text.clone()).is_some() {
            return fail(Exit::Usage, format!("--name gives {language} twice"));
        }
    }
    Ok(Charter {
        version: 1,
        previous: None,
        display_name,
        threshold: args.threshold as u64,
        roots: keys.roots.iter().map(|key| key.public.key.clone()).collect(),
        registrars: vec![keys.registrar.public.key.clone()],
        log_key: keys.log.public.key.clone(),
        witness: cosigner(&keys.witness)?,
        mirror: cosigner(&keys.mirror)?,
        algorithms: vec![Algorithm::Ed25519.into()],
        expires,
    })
}

fn delegation(
    key: &Key,
    kinds: &[Kind],
    holder: String,
    (valid_from, valid_until): (Timestamp, Timestamp),
) -> Delegation {
    Delegation {
        holder,
        role: key.public.role,
        key: key.public.key.clone(),
        kinds: kinds.iter().copied().map(Into::into).collect(),
        models: Vec::new(),
        valid_from,
        valid_until,
    }
}

/// Makes the archive, admits the first records, and answers the introduction.
async fn found(config: &Config, keys: Keys, envelopes: &[Envelope]) -> Outcome<Vec<u8>> {
    let identity = keys::identity(config, [keys.log, keys.witness, keys.mirror])?;
    let url = config.database.url();
    if let Database::Server(_) = config.database
        && chancery_registry::look(&url).await? != Contents::Empty
    {
        let hint = "name an empty one, or empty it if an attempt before this one failed half way";
        return fail(Exit::Usage, format!("{} is not empty; nothing was changed; {hint}", config.database));
    }
    let registry = Registry::open(&url, Some(identity), wall_clock()).await;
    let registry = registry.with_context(|| format!("failed to make the archive in {}", config.database))?;
    for envelope in envelopes {
        if let Admission::Refused(refusal) = registry.admit(&envelope.to_bytes()).await? {
            let kind = Submission::open(envelope.clone()).map(|submission| submission.record.kind().as_str());
            let attempted = format!("failed to admit the {}", kind.unwrap_or("record"));
            return Err(refusal).or_exit(Exit::Usage, || attempted);
        }
    }
    let introduction = registry.introduction().await.context("failed to write the introduction")?;
    registry.resign().await;
    Ok(introduction)
}

/// Waits until the database is closed: its write-ahead log is then part of it. Should that take long,
/// the log moves with it and is read at the next start.
fn settle(database: &Path) {
    let mut log = database.to_owned().into_os_string();
    log.push("-wal");
    let deadline = Instant::now() + SETTLE;
    while Path::new(&log).exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Lets the finished folder appear under its name.
fn appear(building: tempfile::TempDir, folder: &Path) -> Outcome {
    let attempted = || format!("failed to make {}", folder.display());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(building.path(), std::fs::Permissions::from_mode(0o755)).with_context(attempted)?;
    }
    // An empty folder of that name is replaced; one that was filled meanwhile is not.
    std::fs::rename(building.path(), folder).or_exit(Exit::Usage, attempted)?;
    // What it held is under its own name now; there is nothing left to remove.
    let _ = building.keep();
    Ok(())
}

fn report(args: &Args, folder: &Path, charter: &Digest, tokens: &BTreeMap<String, Uri>, context: &Context) -> Outcome {
    let roots = (1..=args.roots).map(keys::root_name).filter(|name| !tokens.contains_key(name));
    let roots: Vec<String> = roots.map(|name| format!("keys/{name}.{}", keys::SECRET_EXTENSION)).collect();
    let move_roots = if roots.is_empty() {
        String::new()
    } else {
        format!("move the root keys to their officers, offline, and delete them here: {}\n", roots.join(" "))
    };
    let shown = folder.display();
    let human = format!(
        "{} is founded in {shown}\n\
         fingerprint, to be read aloud to partners:\n{}\n\
         introduction for partners: {}\n\
         {move_roots}\
         start the node: chancery serve --dir {shown}",
        args.nation,
        fingerprint::spoken(charter, "  "),
        folder.join(INTRODUCTION).display(),
    );
    let value = json!({
        "nation": args.nation,
        "origin": args.origin,
        "fingerprint": charter,
        "folder": folder,
        "configuration": folder.join(config::FILE),
        "introduction": folder.join(INTRODUCTION),
        "roots": roots,
    });
    context.console.result(human, &value)
}

fn named(text: &str) -> Result<(Language, String), String> {
    let (language, name) = text.split_once('=').ok_or("expected LANG=TEXT, such as fr=\"République française\"")?;
    let language =
        Language::in_one_case(language).parse().map_err(|error: chancery_schema::name::NotAName| error.to_string())?;
    Ok((language, name.to_owned()))
}
