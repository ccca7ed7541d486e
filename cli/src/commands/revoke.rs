//! `chancery revoke`: says that a key is not trusted any more.

use std::path::{Path, PathBuf};

use chancery_schema::digest::Digest;
use chancery_schema::key::{Role, Signer};
use chancery_schema::record::{Reason, Revocation};
use clap::ValueEnum;
use serde_json::json;

use super::charter::proposal::Proposal;
use super::charter::{in_force, proposed};
use crate::files::write_whole;
use crate::keystore::{Key, KeyArgs, PublicHalf, Reference};
use crate::output::{Exit, Outcome, fail};
use crate::passphrase::Given;
use crate::sign::{Occasion, sign};
use crate::{Context, clock, fingerprint};

/// Revokes a key: writes the revocation, to be published
///
/// A registrar revokes the keys that registrars delegated. Revoking a registrar, and affirming what a
/// compromised key signed, is for as many roots as the charter asks for; where their officers sign apart,
/// --propose writes what they sign.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The key that is revoked: its key id of 64 digits, or NAME.pub.json
    #[arg(value_name = "KEYID|FILE")]
    revoked: String,
    /// Why, which says what becomes of what it signed
    #[arg(long, value_enum)]
    reason: Why,
    /// With compromised-since: the first entry of the log at which it is not trusted
    #[arg(long, value_name = "ENTRY", required_if_eq("reason", "compromised-since"))]
    since: Option<u64>,
    /// With compromised-unknown: the digest of a record that stands all the same; roots only
    #[arg(long = "affirm", value_name = "DIGEST")]
    affirms: Vec<Digest>,
    /// The registrar's key, or once for each root: NAME.key, or the PKCS#11 URI of a key in a token
    #[arg(long = "key", value_name = "FILE|URI", required_unless_present = "propose")]
    keys: Vec<Given<Reference>>,
    /// Once for each --key that is a URI, in their order: what keygen wrote of the key, NAME.pub.json
    #[arg(long = "public", value_name = "FILE")]
    publics: Vec<PathBuf>,
    /// The revocation to write
    #[arg(long, value_name = "FILE", required_unless_present = "propose")]
    out: Option<PathBuf>,
    /// Sign nothing: write a proposal for the roots' officers, who sign it with `chancery charter sign`
    #[arg(long, value_name = "FILE", requires = "from", conflicts_with_all = ["keys", "publics", "out"])]
    propose: Option<PathBuf>,
    /// With --propose: the charter in force, its envelope, or a bundle or an introduction of its nation
    #[arg(long, value_name = "FILE", requires = "propose")]
    from: Option<PathBuf>,
}

/// [`Reason`] as it is written on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Why {
    /// It is not used any more; what it signed stays
    Retired,
    /// Nobody has it any more; what it signed stays
    Lost,
    /// Others may have used it since an entry; what it signed from there on is void
    CompromisedSince,
    /// Nobody knows since when others may have used it; what it signed is contested until affirmed
    CompromisedUnknown,
}

impl Why {
    const fn reason(self) -> Reason {
        match self {
            Self::Retired => Reason::Retired,
            Self::Lost => Reason::Lost,
            Self::CompromisedSince => Reason::CompromisedSince,
            Self::CompromisedUnknown => Reason::CompromisedUnknown,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When a key does not open or may not revoke, or the options do not go together.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let revoked = key_id(&args.revoked)?;
    let revocation =
        Revocation { key: revoked, reason: args.reason.reason(), since: args.since, affirms: args.affirms.clone() };
    if let (Some(out), Some(from)) = (&args.propose, &args.from) {
        let before = in_force(from)?;
        let (nation, origin) = (before.header.nation.clone(), before.header.log.clone());
        let occasion = Occasion { nation: &nation, origin: &origin, issued_at: clock::now() };
        return proposed(&Proposal::revocation(before, occasion, &revocation)?, out, context);
    }
    let Some(out) = &args.out else { return fail(Exit::Usage, "name the revocation to write with --out") };
    let mut publics = args.publics.iter().cloned();
    let keys = args.keys.iter().map(|key| match key.get("--key")? {
        Reference::File(_) => open(&KeyArgs::of(key.clone(), None), context),
        Reference::Token(_) => open(&KeyArgs::of(key.clone(), publics.next()), context),
    });
    let keys: Vec<Key> = keys.collect::<Outcome<_>>()?;
    let Some(first) = keys.first().map(|key| key.public.clone()) else {
        return fail(Exit::Usage, "name the key that revokes with --key");
    };
    if let Some(other) =
        keys.iter().find(|key| (&key.public.nation, &key.public.origin) != (&first.nation, &first.origin))
    {
        let problem = format!("one key speaks for {}, another for {}", first.nation, other.public.nation);
        return fail(Exit::Authority, format!("{problem}; a revocation is of one log"));
    }
    let occasion = Occasion { nation: &first.nation, origin: &first.origin, issued_at: clock::now() };
    let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    let envelope = sign(occasion, &revocation, &signers)?;
    write_whole(out, &envelope.to_bytes())?;
    let digest = envelope.record_digest();
    let what = match args.since {
        Some(since) => format!("is not trusted from entry {since} on"),
        None => "is not trusted from the entry on where this will stand".to_owned(),
    };
    let human = format!("the key {revoked} {what}\npublish {} to put it in force", out.display());
    context.console.result(human, &json!({ "record": digest, "revoked": revoked, "file": out }))
}

fn open(key: &KeyArgs, context: &Context) -> Outcome<Key> {
    let key = key.open(context)?;
    match key.public.role {
        Role::Registrar | Role::Root => Ok(key),
        role => fail(Exit::Authority, format!("a {} key cannot revoke; a registrar or the roots do", role.as_str())),
    }
}

fn key_id(text: &str) -> Outcome<Digest> {
    match fingerprint::read(text) {
        Some(keyid) => Ok(keyid),
        None if Path::new(text).is_file() => Ok(PublicHalf::read(Path::new(text))?.key.keyid),
        None => fail(Exit::Usage, format!("{text} is neither a key id of 64 digits nor a file NAME.pub.json")),
    }
}
