//! `chancery card`: draws up model cards and looks at them before they are signed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chancery_schema::admission::Submission;
use chancery_schema::digest::Digest;
use chancery_schema::limits::BLOB_BYTES_MAX;
use chancery_schema::lint::{Finding, Severity, lint};
use chancery_schema::name::{Language, Name};
use chancery_schema::record::{Kind, Record};
use chancery_schema::statement::Statement;
use serde_json::{Map, Value, json};

use crate::Context;
use crate::draft::{Draft, keep_blob};
use crate::files::read_bounded;
use crate::import::{self, Imported};
use crate::output::{Exit, OrExit as _, Outcome, fail};
use crate::visible::visible;

/// Draw up model cards
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Import(Box<Import>),
    Lint(Lint),
}

/// Makes the draft of a model card from a README with front matter, as model hubs show it
#[derive(Debug, clap::Args)]
pub struct Import {
    /// The README
    readme: PathBuf,
    /// Who publishes the model, such as voltaire
    #[arg(long)]
    org: Name,
    /// What the model is called; without it, the name of the README's folder
    #[arg(long)]
    name: Option<Name>,
    /// Which version of it, such as 1.0
    #[arg(long)]
    version: Name,
    /// The language that the text is written in, such as fr
    #[arg(long, value_name = "LANG")]
    text_language: Option<Language>,
    /// The envelope of its weights record; once for each
    #[arg(long, value_name = "FILE")]
    weights: Vec<PathBuf>,
    /// The envelope of its license record
    #[arg(long, value_name = "FILE")]
    license: Option<PathBuf>,
    /// The record digest of the card of the same version that this one replaces
    #[arg(long, value_name = "DIGEST")]
    supersedes: Option<Digest>,
    /// The draft to write; the README goes to blobs/ beside it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Looks at a card before it is signed: a draft, a README or an envelope
#[derive(Debug, clap::Args)]
pub struct Lint {
    /// The file
    file: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or written, or the lint finds an error.
pub fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Import(args) => import(args, context),
        Command::Lint(args) => lint_file(&args.file, context),
    }
}

fn import(args: &Import, context: &Context) -> Outcome {
    let readme = read_bounded(&args.readme, BLOB_BYTES_MAX)?;
    let text = read_text(&args.readme, &readme)?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => folder_name(&args.readme)?,
    };
    let unknown: Language = "und".parse().or_exit(Exit::Other, || "failed to name no language")?;
    if args.text_language.is_none() {
        context.console.say("note: the text's language is not stated; state it with --text-language");
    }
    let Imported { members, notes } =
        import::import(text, name.as_str(), args.text_language.as_ref().unwrap_or(&unknown));
    for note in &notes {
        context.console.say(format_args!("note: {}", visible(note)));
    }
    let weights = args.weights.iter().map(|path| digest_of(path, Kind::Weights)).collect::<Outcome<Vec<_>>>()?;
    let license = args.license.as_ref().map(|path| digest_of(path, Kind::License)).transpose()?;
    let source = keep_blob(&args.out, &readme, "text/markdown")?;
    let mut body = Map::new();
    for (member, value) in [("org", json!(args.org)), ("name", json!(name)), ("version", json!(args.version))] {
        body.insert(member.to_owned(), value);
    }
    let references = [("supersedes", json!(args.supersedes)), ("weights", json!(weights)), ("license", json!(license))];
    for (member, value) in references.into_iter().filter(|(_, value)| !value.is_null() && *value != json!([])) {
        body.insert(member.to_owned(), value);
    }
    body.extend(members);
    body.insert("sourceDocument".to_owned(), json!(source));
    Draft { kind: Kind::ModelCard, body }.write(&args.out)?;
    let human = format!("drew up the card of {}/{name} {}\n  {}", args.org, args.version, args.out.display());
    context.console.result(human, &json!({ "file": args.out, "notes": notes }))
}

/// The record digest of an envelope that must be of `kind`.
fn digest_of(path: &Path, kind: Kind) -> Outcome<Digest> {
    let attempted = || format!("failed to read the envelope {}", path.display());
    let bytes = read_bounded(path, chancery_schema::limits::ENVELOPE_BYTES_MAX as u64)?;
    let submission = Submission::read(&bytes).or_exit(Exit::Usage, attempted)?;
    let found = submission.record.kind();
    if found == kind {
        return Ok(submission.digest);
    }
    fail(Exit::Usage, format!("{} is a {found}; here a {kind} is needed", path.display()))
}

fn folder_name(readme: &Path) -> Outcome<Name> {
    let absolute =
        std::path::absolute(readme).or_exit(Exit::Usage, || format!("failed to find {}", readme.display()))?;
    let folder = absolute.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().to_lowercase();
    folder.parse().or_exit(Exit::Usage, || format!("{folder:?} cannot be the model's name; give one with --name"))
}

fn read_text<'a>(path: &Path, bytes: &'a [u8]) -> Outcome<&'a str> {
    std::str::from_utf8(bytes).or_exit(Exit::Usage, || format!("{} is not UTF-8 text", path.display()))
}

fn lint_file(path: &Path, context: &Context) -> Outcome {
    let findings = lint(&card_in(path)?);
    let human = if findings.is_empty() { "nothing was found".to_owned() } else { lines(&findings) };
    context.console.result(human, &findings)?;
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return fail(Exit::Lint, format!("{} cannot be signed as it is", path.display()));
    }
    Ok(())
}

/// The body of the card in a draft, an envelope or a README.
fn card_in(path: &Path) -> Outcome<Value> {
    let bytes = read_bounded(path, BLOB_BYTES_MAX)?;
    if let Ok(submission) = Submission::read(&bytes) {
        let Record::ModelCard(_) = submission.record else {
            return fail(Exit::Usage, format!("{} is a {}, not a card", path.display(), submission.record.kind()));
        };
        let statement = Statement::parse(submission.envelope.payload());
        return Ok(statement.or_exit(Exit::Usage, || format!("failed to read {}", path.display()))?.predicate);
    }
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("md")) {
        let unknown: Language = "und".parse().or_exit(Exit::Other, || "failed to name no language")?;
        let mut card = import::import(read_text(path, &bytes)?, "model", &unknown).members;
        // What `card import` takes from its options.
        let source = json!({ "sha256": Digest::of(&bytes), "sizeBytes": bytes.len(), "mediaType": "text/markdown" });
        card.insert("sourceDocument".to_owned(), source);
        card.extend(["org", "name", "version"].map(|member| (member.to_owned(), "lint".into())));
        return Ok(Value::Object(card));
    }
    let draft = Draft::read(path)?;
    if draft.kind == Kind::ModelCard {
        return Ok(Value::Object(draft.body));
    }
    fail(Exit::Usage, format!("{} is a {}, not a card", path.display(), draft.kind))
}

fn lines(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { pointer, severity, code, message } in findings {
        let word = format!("{severity:?}").to_lowercase();
        let place = if pointer.is_empty() { "the card".to_owned() } else { visible(pointer) };
        let _ = writeln!(text, "{word}: {place}: {} ({code})", visible(message));
    }
    text.trim_end().to_owned()
}
