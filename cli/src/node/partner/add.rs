//! `chancery partner add`: compares a fingerprint, and signs the accreditation.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;
use chancery_registry::{Admission, Partner, Succession};
use chancery_schema::digest::Digest;
use chancery_schema::envelope::Envelope;
use chancery_schema::key::Role;
use chancery_schema::log::note::VerifierKey;
use chancery_schema::log::{checkpoint, tree};
use chancery_schema::record::{Accreditation, Scope};
use chancery_schema::word::Word;
use serde_json::json;

use super::meet::Stranger;
use crate::Context;
use crate::client::{Client, shown};
use crate::clock;
use crate::config::Config;
use crate::fingerprint;
use crate::node::source::Source;
use crate::node::{FolderArgs, block_on, keys, open_archive, running};
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::passphrase::Passphrase;
use crate::sign::{Occasion, sign};

const PUBLISH: &str = "mutation($input: PublishInput!) { publish(input: $input) { status code reason } }";

/// Recognises another nation, after its fingerprint was compared by voice
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The partner's introduction: a file, or the address of its node
    #[arg(value_name = "FILE|URL")]
    introduction: String,
    #[command(flatten)]
    folder: FolderArgs,
    /// The fingerprint that the partner's officer read out; another one is refused
    #[arg(long, value_name = "HEX", value_parser = read_fingerprint)]
    fingerprint: Option<Digest>,
    /// Take the fingerprint as it is: it was compared before
    #[arg(long, conflicts_with = "fingerprint")]
    yes: bool,
    /// What the partner is recognised for
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', default_value = "mirror,cosign,exchange", value_parser = read_scope)]
    scope: Vec<Scope>,
    /// How long the recognition lasts
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36500))]
    valid_days: u32,
    /// Where the new log of a nation whose log has two histories goes on from before what this node cosigned: how
    /// many entries are given up, as `partner add` counts them
    #[arg(long, value_name = "ENTRIES", default_value_t = 0)]
    give_up: u64,
}

/// Runs the command.
///
/// # Errors
/// When the introduction does not hold, the fingerprint is another, the exchange key does not open, or
/// the accreditation is refused.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let config = args.folder.config()?;
    let stranger = Stranger::meet(&args.introduction)?;
    if stranger.origin == config.origin || stranger.nation == config.nation {
        return fail(Exit::Usage, format!("{} introduces this node's own nation", args.introduction));
    }
    context.console.say(stranger.describe());
    let successions = block_on(successions(&config, &stranger))?;
    for it in &successions {
        context.console.say(described(it));
    }
    args.gives_up(&successions)?;
    compare(args, &stranger)?;
    let standing = block_on(async { standing(&config, &stranger).await })?;
    let again = standing.is_some_and(|partner| args.is_said_by(&partner));
    let running = running::find(&config)?;
    let ends = block_on(accredited(&config, &successions))?;
    if let Some(client) = &stranger.client {
        // The oldest first: what is held then tells more to whoever asks again.
        for it in successions.iter().rev() {
            block_on(complete(&config, it, client))?;
        }
    }
    if !again || !ends.is_empty() {
        let passphrase =
            context.passphrase.existing_or(config.passphrase.as_ref(), &config.folder, "the node's keys")?;
        // An officer has taken time, in which more was mirrored, and another may have been recognised.
        args.gives_up(&block_on(self::successions(&config, &stranger))?)?;
        for envelope in accreditations(args, &config, &stranger, &ends, &passphrase, context)? {
            match &running {
                Some(client) => publish(client, &envelope)?,
                None => block_on(admit(&config, &passphrase, &envelope, context))?,
            }
        }
    }
    report(args, &stranger, again, running.is_some(), context)
}

impl Args {
    fn scopes(&self) -> Vec<Scope> {
        let mut scopes = self.scope.clone();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }

    /// That somebody has said how much is given up, where something is: no answer to a prompt gives it away.
    fn gives_up(&self, successions: &[Succession]) -> Outcome {
        let beyond: u64 = successions.iter().map(|it| it.beyond).sum();
        if beyond == self.give_up {
            return Ok(());
        }
        let asked = match beyond {
            0 => "leave --give-up out".to_owned(),
            beyond => format!("ask the nation's officers why, and say --give-up {beyond} if that is meant"),
        };
        let given = self.give_up;
        fail(
            Exit::Verification,
            format!("{beyond} entries that this node cosigned would be given up, not {given}; {asked}"),
        )
    }

    /// Whether `partner` is recognised for the same, and for at least nine tenths of the time asked.
    fn is_said_by(&self, partner: &Partner) -> bool {
        let mut scopes = partner.scopes.clone();
        scopes.sort_unstable();
        let enough = clock::now().plus_seconds(i64::from(self.valid_days) * 86_400 / 10 * 9);
        scopes == self.scopes() && partner.valid_until.is_none_or(|until| until >= enough)
    }
}

/// The one moment at which people, not programs, decide whom to trust.
fn compare(args: &Args, stranger: &Stranger) -> Outcome {
    if let Some(fingerprint) = &args.fingerprint {
        if *fingerprint == stranger.fingerprint {
            return Ok(());
        }
        let problem = format!(
            "the introduction is of another nation than the fingerprint\n{}",
            fingerprint::spoken(fingerprint, "  ")
        );
        return fail(
            Exit::Verification,
            format!("{problem}\ndo not recognise it; ask the partner how the file reached you"),
        );
    }
    if args.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        let hint = "give --fingerprint with the one that the partner's officer read out";
        return fail(Exit::Usage, format!("no terminal to compare the fingerprint; {hint}"));
    }
    eprint!("Did an officer of {} read you this fingerprint, over a line that you trust? [yes/no] ", stranger.nation);
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { fail(Exit::Verification, "not recognised; nothing was changed") }
}

/// Keeps the introduction, so that the partner's node can be found; answers what stands so far.
async fn standing(config: &Config, stranger: &Stranger) -> Outcome<Option<Partner>> {
    let registry = open_archive(config, None).await?;
    registry.introduce(&stranger.bytes).await.context("failed to keep the introduction")?;
    let partners = registry.partners().await?;
    let same = |partner: &Partner| partner.nation == stranger.nation && partner.origin == stranger.origin;
    Ok(partners.into_iter().find(|partner| same(partner) && partner.fingerprint == stranger.fingerprint))
}

/// What a new log says of those before it, the newest first, if it may be accepted by what this node holds of them.
async fn successions(config: &Config, stranger: &Stranger) -> Outcome<Vec<Succession>> {
    let registry = open_archive(config, None).await?;
    let refused = || format!("{} cannot be recognised", stranger.origin);
    let mut proofs = Vec::new();
    if let Some(client) = &stranger.client {
        for (from, base) in registry.unproven(&stranger.bytes).await.or_exit(Exit::Verification, refused)? {
            let (size, origin) = (base.size, base.origin.clone());
            let source = Source::new(client, base);
            proofs.push((origin, source.hashes(|reader| tree::consistency_proof(reader, from.size, size))?));
        }
    }
    registry.accept(&stranger.bytes, &proofs).await.or_exit(Exit::Verification, refused)
}

/// What an officer has to know of a succession before accepting it.
fn described(it: &Succession) -> String {
    let beyond = match it.beyond {
        0 => "nothing that this node cosigned is given up".to_owned(),
        beyond => format!("{beyond} entries that this node cosigned are given up, for the log has two histories"),
    };
    format!(
        "takes the place of the log {} ({}), from entry {} on; {beyond}\nits fingerprint was\n{}",
        it.predecessor,
        shown(&it.reason),
        it.base,
        fingerprint::spoken(&it.predecessor_fingerprint, "  ")
    )
}

/// The accreditations of earlier logs, which end.
async fn accredited(config: &Config, successions: &[Succession]) -> Outcome<Vec<Partner>> {
    let partners = open_archive(config, None).await?.partners().await?;
    let ends = |partner: &Partner| successions.iter().any(|it| it.predecessor_fingerprint == partner.fingerprint);
    Ok(partners.into_iter().filter(ends).collect())
}

/// Takes what the mirror of an earlier log lacks up to the base. One with two histories stays as it is.
async fn complete(config: &Config, it: &Succession, client: &Client) -> Outcome {
    let registry = open_archive(config, None).await?;
    let Some(mirror) = registry.mirror(&it.predecessor).await?.filter(|mirror| mirror.size < it.base) else {
        return Ok(());
    };
    if registry.contradiction(&it.predecessor).await?.is_some() {
        return Ok(());
    }
    let attempted = || format!("failed to read the base of {}", it.predecessor);
    let key: VerifierKey = mirror.log_vkey.parse().or_exit(Exit::Other, attempted)?;
    let base = checkpoint::open(it.base_note.as_bytes(), &key).or_exit(Exit::Other, attempted)?;
    Source::new(client, base.checkpoint().clone()).mirror(&it.base_note, &registry).await
}

/// The accreditation of the partner; before it, where its log takes the place of one that is accredited, the
/// end of that.
fn accreditations(
    args: &Args,
    config: &Config,
    stranger: &Stranger,
    ends: &[Partner],
    passphrase: &Passphrase,
    context: &Context,
) -> Outcome<Vec<Envelope>> {
    let [exchange] = keys::open(config, [Role::Exchange], passphrase, context)?;
    let issued_at = clock::now();
    let body = Accreditation {
        partner: stranger.nation.clone(),
        fingerprint: stranger.fingerprint,
        partner_log: stranger.origin.clone(),
        scopes: args.scopes().into_iter().map(Word::from).collect(),
        quota: None,
        valid_until: Some(issued_at.plus_seconds(i64::from(args.valid_days) * 86_400)),
    };
    let occasion = Occasion { nation: &config.nation, origin: &config.origin, issued_at };
    let ends = ends.iter().map(|partner| Accreditation {
        partner: partner.nation.clone(),
        fingerprint: partner.fingerprint,
        partner_log: partner.origin.clone(),
        scopes: Vec::new(),
        quota: None,
        valid_until: None,
    });
    ends.chain([body]).map(|body| sign(occasion, &body, &[&exchange])).collect()
}

/// Admits directly, when no node runs.
async fn admit(config: &Config, passphrase: &Passphrase, envelope: &Envelope, context: &Context) -> Outcome {
    let keys = keys::open(config, [Role::Log, Role::Witness, Role::Mirror], passphrase, context)?;
    let registry = open_archive(config, Some(keys::identity(config, keys)?)).await?;
    let admission = registry.admit(&envelope.to_bytes()).await;
    registry.resign().await;
    match admission? {
        Admission::Admitted(_) => Ok(()),
        Admission::Refused(refusal) => refused(refusal.code.as_str(), &refusal.reason),
    }
}

fn publish(client: &Client, envelope: &Envelope) -> Outcome {
    let text = String::from_utf8(envelope.to_bytes()).expect("the fixed form is JSON text");
    let answer: serde_json::Value = client.ask(PUBLISH, &json!({ "input": { "envelope": text } }))?;
    let said = |member: &str| answer.pointer(&format!("/publish/{member}")).and_then(|value| value.as_str());
    match said("status") {
        Some("ADMITTED" | "ALREADY_ADMITTED") => Ok(()),
        _ => refused(&shown(said("code").unwrap_or("no code")), &shown(said("reason").unwrap_or("no reason given"))),
    }
}

fn refused(code: &str, reason: &str) -> Outcome {
    let exit = if code.starts_with("key-") { Exit::Authority } else { Exit::Verification };
    fail(exit, format!("the accreditation was refused: {reason} ({code})"))
}

fn report(args: &Args, stranger: &Stranger, again: bool, running: bool, context: &Context) -> Outcome {
    let scopes: Vec<String> = args.scopes().iter().map(|scope| format!("{scope:?}").to_lowercase()).collect();
    let nation = &stranger.nation;
    let human = match (again, running) {
        (true, _) => format!("{nation} is recognised already; its introduction was kept"),
        (false, true) => format!("{nation} is recognised for {}; the node connects to it now", scopes.join(", ")),
        (false, false) => format!("{nation} is recognised for {}; start the node to connect to it", scopes.join(", ")),
    };
    let value = json!({
        "nation": nation,
        "origin": stranger.origin,
        "fingerprint": stranger.fingerprint,
        "scopes": args.scopes(),
        "again": again,
    });
    context.console.result(human, &value)
}

fn read_fingerprint(text: &str) -> Result<Digest, String> {
    fingerprint::read(text).ok_or_else(|| "expected 64 hexadecimal digits, with spaces or without".to_owned())
}

fn read_scope(text: &str) -> Result<Scope, String> {
    match text {
        "mirror" => Ok(Scope::Mirror),
        "cosign" => Ok(Scope::Cosign),
        "exchange" => Ok(Scope::Exchange),
        _ => Err("expected mirror, cosign or exchange".to_owned()),
    }
}
