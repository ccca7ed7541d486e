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
use chancery_schema::limits::{CHARTER_KEYS_MAX, ENVELOPE_BYTES_MAX};
use chancery_schema::name::{Language, Nation, Origin};
use chancery_schema::record::{Charter, Cosigner, Delegation, Endpoint, Kind, Record};
use chancery_schema::time::Timestamp;
use serde_json::json;

use super::former::mirror_former;
use super::partner::meet::Stranger;
use super::{block_on, keys, wall_clock};
use crate::Context;
use crate::client::Client;
use crate::clock;
use crate::commands::charter::proposal::Chartered;
use crate::commands::charter::{VALID_DAYS, cosigner_name, named, texts};
use crate::config::{self, Config, Database, template};
use crate::files::{read_bounded, write_whole};
use crate::fingerprint;
use crate::keystore::{Key, PUBLIC_EXTENSION};
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::passphrase::{Given, Passphrase};
use crate::pkcs11::TokenKey;
use crate::pkcs11::uri::Uri;
use crate::private_file;
use crate::sign::{Occasion, sign};

/// How long the database may take to close.
const SETTLE: Duration = Duration::from_secs(2);

/// The file by which partners get to know the nation.
pub const INTRODUCTION: &str = "introduction.chancery";

const FROM_HELP: &str = "With --succession: the address of a partner's node that mirrors the earlier log, which this one \
     mirrors up to its base; of several, each gives what those before did not have";

const DATABASE_HELP: &str =
    "Keep the archive in this database, which must be empty: postgres://HOST/NAME; without it, in a file";

/// Founds a nation's log: makes its keys, signs its charter, and writes its node's folder
///
/// With --charter the officers have signed the charter on machines of their own, so their keys never
/// were on this one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The nation: ISO 3166-1 alpha-2, EU, UN, or XA to XZ (not XK) for other unions
    #[arg(long, value_name = "CODE", required_unless_present = "charter", conflicts_with = "charter")]
    nation: Option<Nation>,
    /// The log's name for ever: a URL without scheme, such as fr.example.org/chancery
    #[arg(long, required_unless_present = "charter", conflicts_with = "charter")]
    origin: Option<Origin>,
    /// What the nation calls itself; once for each language
    #[arg(long = "name", value_name = "LANG=TEXT", value_parser = named,
          required_unless_present = "charter", conflicts_with = "charter")]
    names: Vec<(Language, String)>,
    /// A first charter that officers have signed, from `chancery charter assemble`
    #[arg(long, value_name = "FILE", requires = "keys")]
    charter: Option<PathBuf>,
    /// The log succession that the officers have signed, where the new log takes the place of another
    #[arg(long, value_name = "FILE", requires_all = ["charter", "from"])]
    succession: Option<PathBuf>,
    // Clap shows an address in Markdown's brackets with the brackets.
    #[arg(long, value_name = "URL", requires = "succession", help = FROM_HELP)]
    from: Vec<String>,
    /// The folder of this node's keys, which the charter names: registrar, exchange, log, witness, mirror,
    /// node and transport, as `chancery keygen` calls them, all under one passphrase
    #[arg(long, value_name = "DIR", requires = "charter")]
    keys: Option<PathBuf>,
    /// The folder to make; without it, the nation's code in lower case
    #[arg(long = "dir", value_name = "DIR")]
    folder: Option<PathBuf>,
    /// How many officers hold a root key
    #[arg(long, default_value_t = 3, conflicts_with = "charter")]
    roots: usize,
    /// How many of them must sign together
    #[arg(long, default_value_t = 2, conflicts_with = "charter")]
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

/// The keys that tokens hold, by the names that their files would have.
type Tokens = BTreeMap<String, Uri>;

/// The keys that a new node has.
struct Keys {
    registrar: Key,
    exchange: Key,
    log: Key,
    witness: Key,
    mirror: Key,
    node: Key,
    transport: Key,
}

/// The nation that is founded, and what was made for it elsewhere, unless all is made here.
struct Founded {
    nation: Nation,
    origin: Origin,
    brought: Option<Brought>,
}

/// A charter that officers have signed, until when it is in force, and where the node's keys are.
struct Brought {
    charter: Envelope,
    until: Timestamp,
    keys: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When the folder is not empty, an option cannot be meant, or the disk does not take it.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let founded = args.founded()?;
    let (nation, origin) = (&founded.nation, &founded.origin);
    let folder = args.folder.clone().unwrap_or_else(|| nation.as_str().to_lowercase().into());
    let announced = args.check()?;
    let database = args.database()?;
    let tokens = args.tokens(&founded)?;
    let folder =
        std::path::absolute(&folder).or_exit(Exit::Usage, || format!("failed to find {}", folder.display()))?;
    refuse_taken(&folder)?;
    let passphrase = match &founded.brought {
        Some(brought) => context.passphrase.existing(&brought.keys.display().to_string())?,
        None => context.passphrase.new_one()?,
    };
    let parent = folder.parent().unwrap_or(Path::new("/"));
    let attempted = || format!("failed to make a folder in {}", parent.display());
    std::fs::create_dir_all(parent).with_context(attempted)?;
    let building = tempfile::Builder::new().prefix(".chancery-init-").tempdir_in(parent).with_context(attempted)?;
    let of_node: Vec<(Role, &Uri)> =
        keys::ROLES.into_iter().filter_map(|role| Some((role, tokens.get(role.as_str())?))).collect();
    write_whole(
        &building.path().join(config::FILE),
        template((nation, origin), &database, args.http, &args.p2p, &of_node).as_bytes(),
    )?;
    let config = Config::read(building.path())?;
    private_folder(&config.keys)?;

    let now = clock::now();
    let (keys, charter, until) = if let Some(brought) = &founded.brought {
        (Keys::brought(&brought.keys, &config, &passphrase, context)?, brought.charter.clone(), brought.until)
    } else {
        context.console.say(format_args!("making the keys of {nation}"));
        let until = now.plus_seconds(i64::from(VALID_DAYS) * 86_400);
        let (keys, roots) = Keys::made(args.roots, &tokens, &config, &passphrase, context)?;
        let charter = args.charter(&keys, &roots, until)?;
        let roots: Vec<&dyn Signer> = roots.iter().map(|key| key as &dyn Signer).collect();
        (keys, sign(Occasion { nation, origin, issued_at: now }, &charter, &roots)?, until)
    };
    context.console.say(format_args!("founding the log {origin}"));
    let fingerprint = charter.record_digest();
    let occasion = Occasion { nation, origin, issued_at: now };
    let clients = args.from.iter().map(|url| Client::new(url)).collect::<Outcome<Vec<_>>>()?;
    let mut envelopes = vec![charter];
    envelopes.extend(args.succession()?);
    envelopes.extend(first_records(args, occasion, until, announced, &keys)?);
    let introduction = block_on(found(&config, keys, &envelopes, &clients, context))?;
    write_whole(&building.path().join(INTRODUCTION), &introduction)?;
    if let Database::File(path) = &config.database {
        settle(path);
    }
    appear(building, &folder)?;
    report(args, &founded, &folder, (&fingerprint, &tokens), context)
}

impl Args {
    /// Who is founded.
    fn founded(&self) -> Outcome<Founded> {
        match (&self.charter, &self.keys, &self.nation, &self.origin) {
            (Some(path), Some(keys), _, _) => {
                let bytes = read_bounded(path, ENVELOPE_BYTES_MAX as u64)?;
                let attempted = || format!("failed to read the charter {}", path.display());
                let envelope = Envelope::parse(&bytes).or_exit(Exit::Usage, attempted)?;
                let Chartered { header, charter, .. } = Chartered::open(envelope.clone(), path)?;
                let brought = Some(Brought { charter: envelope, until: charter.expires, keys: keys.clone() });
                Ok(Founded { nation: header.nation, origin: header.log, brought })
            }
            (None, _, Some(nation), Some(origin)) => {
                Ok(Founded { nation: nation.clone(), origin: origin.clone(), brought: None })
            }
            _ => fail(Exit::Usage, "name the nation with --nation and its log with --origin"),
        }
    }

    /// What the log succeeds.
    fn succession(&self) -> Outcome<Option<Envelope>> {
        let Some(path) = &self.succession else { return Ok(None) };
        let attempted = || format!("failed to read the succession {}", path.display());
        let envelope =
            Envelope::parse(&read_bounded(path, ENVELOPE_BYTES_MAX as u64)?).or_exit(Exit::Usage, attempted)?;
        match Submission::open(envelope.clone()).or_exit(Exit::Usage, attempted)?.record {
            Record::LogSuccession(_) => Ok(Some(envelope)),
            other => fail(Exit::Usage, format!("{} is a {}, not a log succession", path.display(), other.kind())),
        }
    }

    /// The charter that is to be signed here.
    fn charter(&self, keys: &Keys, roots: &[Key], expires: Timestamp) -> Outcome<Charter> {
        let cosigner = |key: &Key| -> Outcome<Cosigner> {
            Ok(Cosigner { name: cosigner_name(&key.public.origin, key.public.role)?, key: key.public.key.clone() })
        };
        Ok(Charter {
            version: 1,
            previous: None,
            display_name: texts(&self.names)?,
            threshold: self.threshold as u64,
            roots: roots.iter().map(|key| key.public.key.clone()).collect(),
            registrars: vec![keys.registrar.public.key.clone()],
            log_key: keys.log.public.key.clone(),
            witness: cosigner(&keys.witness)?,
            mirror: cosigner(&keys.mirror)?,
            algorithms: vec![Algorithm::Ed25519.into()],
            expires,
        })
    }

    fn tokens(&self, founded: &Founded) -> Outcome<Tokens> {
        let here = std::env::current_dir().context("failed to find the current folder")?;
        let roots = if founded.brought.is_some() { 0 } else { self.roots };
        let roots = (1..=roots).map(keys::root_name);
        let others = keys::ROLES.iter().filter(|role| **role != Role::Transport).map(|role| role.as_str().to_owned());
        let names: Vec<String> = roots.chain(others).collect();
        let mut tokens = Tokens::new();
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
    /// Makes them, and as many roots, but for those that are in a token; and writes every one into the node's
    /// folder, each sealed on a thread of its own.
    fn made(
        roots: usize,
        tokens: &Tokens,
        config: &Config,
        passphrase: &Passphrase,
        context: &Context,
    ) -> Outcome<(Self, Vec<Key>)> {
        let key = |name: String, role| -> Outcome<(String, Key)> {
            let key = match tokens.get(&name) {
                None => Key::generate(&config.nation, &config.origin, role)?,
                Some(uri) => {
                    let key = TokenKey::open(uri, || context.passphrase.pin(uri, None, Path::new("")))?;
                    Key::of_token(key, &config.nation, &config.origin, role)?
                }
            };
            Ok((name, key))
        };
        let own = keys::ROLES.map(|role| key(role.as_str().to_owned(), role));
        let roots = (1..=roots).map(|number| key(keys::root_name(number), Role::Root));
        let named = own.into_iter().chain(roots).collect::<Outcome<Vec<_>>>()?;
        let mut ids = BTreeMap::new();
        for (name, key) in &named {
            if let Some(other) = ids.insert(key.public.key.keyid, name) {
                return fail(Exit::Usage, format!("--token gives {other} and {name} one key; each needs its own"));
            }
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                named.iter().map(|(name, key)| scope.spawn(move || key.save(&config.keys, name, passphrase))).collect();
            threads.into_iter().try_for_each(|thread| {
                let saved = thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("failed to seal a key").into()));
                saved.map(drop)
            })
        })?;
        let mut keys = named.into_iter().map(|(_, key)| key);
        let own = keys.by_ref().take(keys::ROLES.len()).collect::<Vec<_>>();
        let own = own.try_into().map_err(|_| anyhow::anyhow!("failed to make the keys of a node"))?;
        Ok((Self::of(own), keys.collect()))
    }

    /// Takes those that were made before into the node's folder.
    fn brought(from: &Path, config: &Config, passphrase: &Passphrase, context: &Context) -> Outcome<Self> {
        for role in keys::ROLES {
            let attempted = || format!("failed to take over the {} key from {}", role.as_str(), from.display());
            let public = format!("{}.{PUBLIC_EXTENSION}", role.as_str());
            std::fs::copy(from.join(&public), config.keys.join(&public)).or_exit(Exit::Authority, attempted)?;
            if config.tokens.contains_key(&role) {
                continue;
            }
            let secret = format!("{}.{}", role.as_str(), keys::SECRET_EXTENSION);
            private_file::check(&from.join(&secret))?;
            std::fs::copy(from.join(&secret), config.keys.join(&secret)).or_exit(Exit::Authority, attempted)?;
        }
        Ok(Self::of(keys::open(config, keys::ROLES, passphrase, context)?))
    }

    /// In the order of [`keys::ROLES`].
    fn of([registrar, exchange, log, witness, mirror, node, transport]: [Key; 7]) -> Self {
        Self { registrar, exchange, log, witness, mirror, node, transport }
    }
}

fn private_folder(folder: &Path) -> Outcome {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    Ok(builder.create(folder).with_context(|| format!("failed to make {}", folder.display()))?)
}

/// What follows the charter: the delegations of its exchange and its node, and the endpoint.
fn first_records(
    args: &Args,
    occasion: Occasion<'_>,
    until: Timestamp,
    announced: Vec<String>,
    keys: &Keys,
) -> Outcome<Vec<Envelope>> {
    let delegate = |key: &Key, kinds: &[Kind], what: &str| {
        let holder = format!("{what} of {}", occasion.nation);
        sign(occasion, &delegation(key, kinds, holder, (occasion.issued_at, until)), &[&keys.registrar])
    };
    let endpoint = Endpoint { key: keys.transport.public.key.clone(), addresses: announced, url: args.url.clone() };
    Ok(vec![
        delegate(&keys.exchange, &[Kind::Accreditation], "Exchange")?,
        delegate(&keys.node, &[Kind::Endpoint, Kind::Evidence, Kind::ErasureReceipt], "Node")?,
        sign(occasion, &endpoint, &[&keys.node])?,
    ])
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
async fn found(
    config: &Config,
    keys: Keys,
    envelopes: &[Envelope],
    clients: &[Client],
    context: &Context,
) -> Outcome<Vec<u8>> {
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
    mirror_former(&registry, clients, context).await?;
    let introduction = registry.introduction().await.context("failed to write the introduction")?;
    // That it follows the earlier log, whoever reads the introduction asks: better now than when it is founded.
    Stranger::read(introduction.clone(), "of the new log")?;
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

fn report(
    args: &Args,
    founded: &Founded,
    folder: &Path,
    (charter, tokens): (&Digest, &Tokens),
    context: &Context,
) -> Outcome {
    let made = if founded.brought.is_some() { 0 } else { args.roots };
    let roots = (1..=made).map(keys::root_name).filter(|name| !tokens.contains_key(name));
    let roots: Vec<String> = roots.map(|name| format!("keys/{name}.{}", keys::SECRET_EXTENSION)).collect();
    let (nation, shown) = (&founded.nation, folder.display());
    let mut lines = vec![
        format!("{nation} is founded in {shown}"),
        format!("fingerprint, to be read aloud to partners:\n{}", fingerprint::spoken(charter, "  ")),
        format!("introduction for partners: {}", folder.join(INTRODUCTION).display()),
    ];
    if !roots.is_empty() {
        lines.push(format!("move the root keys to their officers, offline, and delete them here: {}", roots.join(" ")));
    }
    lines.push(format!("start the node: chancery serve --dir {shown}"));
    let value = json!({
        "nation": nation,
        "origin": founded.origin,
        "fingerprint": charter,
        "folder": folder,
        "configuration": folder.join(config::FILE),
        "introduction": folder.join(INTRODUCTION),
        "roots": roots,
    });
    context.console.result(lines.join("\n"), &value)
}
