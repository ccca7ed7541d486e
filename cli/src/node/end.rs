//! `chancery withdraw` and `chancery redact`: end records of one's own. What is signed is made from the records
//! themselves, which the node only hands over.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use chancery_schema::admission::Submission;
use chancery_schema::digest::Digest;
use chancery_schema::name::Language;
use chancery_schema::record::{Kind, Record, Redaction, RedactionReason, Texts, Withdrawal, WithdrawalReason};
use chancery_schema::word::Word;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde_json::{Value, json};

use super::NodeArgs;
use super::publish::publish;
use super::receipt::Keys;
use crate::client::Client;
use crate::draft::Draft;
use crate::files::write_whole;
use crate::keystore::{KeyArgs, Reference};
use crate::output::{Exit, Failure, OrExit as _, Outcome, fail};
use crate::passphrase::Given;
use crate::sign::{Occasion, seal};
use crate::{Context, clock};

const RECORD: &str = "query($digest: Digest!) { record(digest: $digest) { envelope proof verdict { state } } }";

/// Withdraws records: their nation no longer stands by them, and they stay readable
///
/// Shows what will be signed, signs it and hands it to the node. A withdrawal is not taken back, and the
/// version that a withdrawn card spoke of is nobody's again. A registrar's key signs it, or that of a
/// publisher who was delegated withdrawal and the record's kind.
#[derive(Debug, clap::Args)]
pub struct Withdraw {
    /// Why
    #[arg(long, value_parser = word(WithdrawalReason::ALL.map(WithdrawalReason::as_str)))]
    reason: String,
    #[command(flatten)]
    what: What,
}

/// Redacts records: their bodies are erased, here and by every partner that conforms
///
/// Shows what will be signed, asks, signs it and hands it to the node. Entry, hashes and proofs of a redacted
/// record stay, and so does what the redaction says of it: kind, publisher, name and version. It cannot be
/// undone. What others copied, in bundles and backups, is not erased. A registrar's key signs it, or that of a
/// publisher who was delegated redaction and the record's kind.
#[derive(Debug, clap::Args)]
pub struct Redact {
    /// Why
    #[arg(long, value_parser = word(RedactionReason::ALL.map(RedactionReason::as_str)))]
    reason: String,
    #[command(flatten)]
    what: What,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Which records, and who signs.
#[derive(Debug, clap::Args)]
struct What {
    /// The digests of the records
    #[arg(value_name = "RECORD", required = true)]
    records: Vec<Digest>,
    /// More about it, for people: a line in a language, as en=TEXT
    #[arg(long = "statement", value_name = "LANG=TEXT", value_parser = line)]
    statements: Vec<(Language, String)>,
    #[command(flatten)]
    node: NodeArgs,
    /// The key that signs: NAME.key, or the PKCS#11 URI of a key in a token
    #[arg(long, value_name = "FILE|URI", required_unless_present = "out")]
    key: Option<Given<Reference>>,
    /// Where --key is a URI: what keygen wrote of the key, NAME.pub.json
    #[arg(long, value_name = "FILE", requires = "key")]
    public: Option<PathBuf>,
    /// Sign nothing, and write the draft of one record, for `chancery sign` on another machine
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    out: Option<PathBuf>,
    /// Where to keep what was signed and its receipt
    #[arg(long, value_name = "DIR", default_value = ".")]
    keep: PathBuf,
}

/// A record as the node shows it, checked, and where it stands.
struct Target {
    submission: Submission,
    index: u64,
    scope: String,
}

/// Runs `chancery withdraw`.
///
/// # Errors
/// When a record is not there or may not be withdrawn, or as `chancery publish`.
pub fn withdraw(args: &Withdraw, context: &Context) -> Outcome {
    let reason: WithdrawalReason = known(&args.reason)?;
    let (client, keys, targets) = args.what.targets()?;
    let drafts = targets.iter().map(|target| {
        let withdrawal = Withdrawal {
            kind: target.kind(),
            withdraws: target.submission.digest,
            scope: target.scope.clone(),
            reason: Word::Known(reason),
            statement: args.what.statement(),
        };
        Draft::of(&withdrawal)
    });
    let drafts = drafts.collect::<Outcome<Vec<_>>>()?;
    context.console.say(args.what.shown("withdraws", &targets, reason.as_str()));
    args.what.finish(&client, &keys, &drafts, context)
}

/// Runs `chancery redact`.
///
/// # Errors
/// As [`withdraw`], and when nobody says that it is meant.
pub fn redact(args: &Redact, context: &Context) -> Outcome {
    let reason: RedactionReason = known(&args.reason)?;
    let (client, keys, targets) = args.what.targets()?;
    let drafts = targets.iter().map(|target| {
        let mut signers: Vec<Digest> = target.submission.envelope.key_ids().collect();
        signers.sort_unstable();
        let version = match &target.submission.record {
            Record::ModelCard(card) => Some(card.version.clone()),
            _ => None,
        };
        let redaction = Redaction {
            kind: target.kind(),
            redacts: target.submission.digest,
            scope: target.scope.clone(),
            index: target.index,
            version,
            signers,
            reason: Word::Known(reason),
            statement: args.what.statement(),
        };
        Draft::of(&redaction)
    });
    let drafts = drafts.collect::<Outcome<Vec<_>>>()?;
    context.console.say(args.what.shown("redacts", &targets, reason.as_str()));
    if args.what.out.is_none() && !args.yes {
        ask(targets.len())?;
    }
    args.what.finish(&client, &keys, &drafts, context)
}

impl What {
    /// The records, each proven to stand in the log of the node.
    fn targets(&self) -> Outcome<(Client, Keys, Vec<Target>)> {
        if self.out.is_some() && self.records.len() > 1 {
            return fail(Exit::Usage, "a draft is of one record; name one with --out");
        }
        let client = Client::new(&self.node.url)?;
        let keys = Keys::ask(&client)?;
        let targets = self.records.iter().map(|digest| Target::ask(&client, &keys, digest)).collect::<Outcome<_>>()?;
        Ok((client, keys, targets))
    }

    fn statement(&self) -> Option<Texts> {
        (!self.statements.is_empty()).then(|| self.statements.iter().cloned().collect())
    }

    /// What will be signed, in words.
    fn shown(&self, does: &str, targets: &[Target], reason: &str) -> String {
        let mut lines = Vec::new();
        for Target { submission, index, scope } in targets {
            let (kind, digest, log) = (submission.record.kind(), submission.digest, &submission.header.log);
            let version = match &submission.record {
                Record::ModelCard(card) => format!("@{}", card.version),
                _ => String::new(),
            };
            lines.push(format!("{does} the {kind} of {scope}{version}, entry {index} of {log}\n  {digest}"));
        }
        lines.push(format!("reason: {reason}"));
        lines.extend(self.statements.iter().map(|(language, text)| format!("statement ({language}): {text}")));
        lines.join("\n")
    }

    /// Writes the draft; or signs all, in order, and hands them to the node.
    fn finish(&self, client: &Client, keys: &Keys, drafts: &[Draft], context: &Context) -> Outcome {
        if let (Some(out), [draft]) = (&self.out, drafts) {
            draft.write(out)?;
            let human = format!("drafted the {}\n  {}", draft.kind, out.display());
            return context.console.result(human, &json!({ "kind": draft.kind, "file": out }));
        }
        let Some(key) = &self.key else { return fail(Exit::Usage, "name the key that signs with --key") };
        let key = KeyArgs::of(key.clone(), self.public.clone()).open(context)?;
        let mut paths = Vec::new();
        for draft in drafts {
            if !draft.kind.signers().contains(&key.public.role) {
                let (role, kind) = (key.public.role.as_str(), draft.kind);
                return fail(Exit::Authority, format!("a {role} key cannot sign a {kind}; nodes would refuse it"));
            }
            let (nation, origin) = (&key.public.nation, &key.public.origin);
            let occasion = Occasion { nation, origin, issued_at: clock::now() };
            let envelope = seal(occasion, None, draft.kind, &draft.body, &[&key])?;
            let digest = envelope.record_digest().to_string();
            let path = self.keep.join(format!("{}-{}.dsse.json", draft.kind, digest.get(..12).unwrap_or(&digest)));
            write_whole(&path, &envelope.to_bytes())?;
            paths.push(path);
        }
        publish(&paths, client, keys, context)
    }
}

impl Target {
    fn ask(client: &Client, keys: &Keys, digest: &Digest) -> Outcome<Self> {
        let answer: Value = client.ask(RECORD, &json!({ "digest": digest }))?;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
        if text("/record/verdict/state") == Some("REDACTED") {
            return fail(Exit::Usage, format!("the record {digest} is redacted already"));
        }
        let (Some(envelope), Some(proof)) = (text("/record/envelope"), text("/record/proof")) else {
            let hint = "check the digest, and that the node is that of your nation";
            return fail(Exit::NotFound, format!("{} does not have the record {digest}; {hint}", client.url()));
        };
        let attempted = || format!("failed to read the record {digest}");
        let submission = Submission::read(envelope.as_bytes()).or_exit(Exit::Verification, attempted)?;
        if submission.digest != *digest {
            return fail(Exit::Verification, format!("{} shows another record than {digest}", client.url()));
        }
        let index = keys.check(&submission, proof)?.index;
        let kind = submission.record.kind();
        let scope =
            submission.record.scope().filter(|_| [Kind::ModelCard, Kind::Weights, Kind::License].contains(&kind));
        let Some(scope) = scope else {
            let hint = "model cards, weights and licenses are; keys are revoked with `chancery revoke`";
            return fail(Exit::Usage, format!("a {kind} is neither withdrawn nor redacted; {hint}"));
        };
        Ok(Self { submission, index, scope })
    }

    fn kind(&self) -> Kind {
        self.submission.record.kind()
    }
}

/// The one moment at which people decide.
fn ask(records: usize) -> Outcome {
    if !std::io::stdin().is_terminal() {
        return fail(Exit::Usage, "no terminal to ask whether it is meant; say so with --yes");
    }
    let what = if records == 1 { "this record".to_owned() } else { format!("these {records} records") };
    eprint!("Erase {what} everywhere, for good? [yes/no] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { fail(Exit::Usage, "not redacted; nothing was signed") }
}

fn word<const N: usize>(words: [&'static str; N]) -> impl clap::builder::TypedValueParser<Value = String> {
    PossibleValuesParser::new(words).map(|word| word)
}

fn known<T: serde::de::DeserializeOwned>(word: &str) -> Outcome<T> {
    serde_json::from_value(Value::from(word)).map_err(|error| Failure { exit: Exit::Usage, error: error.into() })
}

fn line(text: &str) -> Result<(Language, String), String> {
    let (language, line) = text.split_once('=').ok_or("expected a language and a line, as en=TEXT")?;
    let language = language.parse().map_err(|_| format!("{language} is no language tag such as en"))?;
    Ok((language, line.to_owned()))
}
