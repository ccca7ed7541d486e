//! `chancery license`: draws up license terms.

use std::path::{Path, PathBuf};

use chancery_schema::limits::BLOB_BYTES_MAX;
use chancery_schema::name::{Language, Name};
use chancery_schema::record::{Action, Clause, ClauseKind, Duty, License, LicenseText, PolicyType, Reading, Texts};
use chancery_schema::word::Word;
use serde_json::json;

use crate::Context;
use crate::draft::{Draft, keep_blob};
use crate::files::read_bounded;
use crate::output::{Exit, OrExit as _, Outcome, fail};

/// Draw up license terms
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    New(New),
}

/// Makes the draft of license terms from their texts, with the clauses of a template
///
/// The texts bind. The clauses say how you read them, for programs: check that they say what the
/// texts say, and edit the draft where they do not.
#[derive(Debug, clap::Args)]
pub struct New {
    /// Who publishes the terms, such as voltaire
    #[arg(long)]
    org: Name,
    /// What the terms are called, such as open
    #[arg(long)]
    name: Name,
    /// What people call them; once for each language
    #[arg(long = "title", value_name = "LANG=TEXT", required = true, value_parser = named)]
    titles: Vec<(Language, String)>,
    /// The text; once for each language
    #[arg(long = "text", value_name = "LANG=FILE", required = true, value_parser = named)]
    texts: Vec<(Language, String)>,
    /// The SPDX license expression, where there is one
    #[arg(long, value_name = "EXPRESSION")]
    spdx: Option<String>,
    /// Which clauses to begin with
    #[arg(long, value_enum)]
    template: Option<Template>,
    /// The draft to write; the texts go to blobs/ beside it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Clauses to begin with.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Template {
    /// Everyone may do everything, naming the source
    Open,
    /// Research may use and change it; gain is forbidden
    Research,
    /// Use is open; gain needs an agreement
    Commercial,
}

/// Runs the command.
///
/// # Errors
/// When a text cannot be read or the disk does not take the draft.
pub fn run(command: &Command, context: &Context) -> Outcome {
    let Command::New(args) = command;
    let mut title = Texts::new();
    for (language, text) in &args.titles {
        if title.insert(language.clone(), text.clone()).is_some() {
            return fail(Exit::Usage, format!("--title gives {language} twice"));
        }
    }
    let texts = args.texts.iter().map(|(language, path)| {
        let bytes = read_bounded(Path::new(path), BLOB_BYTES_MAX)?;
        std::str::from_utf8(&bytes).or_exit(Exit::Usage, || format!("{path} is not UTF-8 text"))?;
        let blob = keep_blob(&args.out, &bytes, "text/plain; charset=utf-8")?;
        Ok(LicenseText { language: language.clone(), blob })
    });
    let license = License {
        org: args.org.clone(),
        name: args.name.clone(),
        title,
        spdx: args.spdx.clone(),
        texts: texts.collect::<Outcome<_>>()?,
        prevailing_language: None,
        policy_type: PolicyType::Offer.into(),
        assigner: None,
        assignee: None,
        valid_from: None,
        valid_until: None,
        governing_law: None,
        dispute_forum: None,
        nation_groups: std::collections::BTreeMap::new(),
        closed: false,
        clauses: args.template.map_or_else(|| Ok(Vec::new()), Template::clauses)?,
    };
    Draft::of(&license)?.write(&args.out)?;
    let human = format!("drew up the terms {}/{}\n  {}", args.org, args.name, args.out.display());
    context.console.result(human, &json!({ "file": args.out }))
}

impl Template {
    fn clauses(self) -> Outcome<Vec<Clause>> {
        use Action::{Commercial, Derive, Distill, Finetune, HostService, RedistributeDerivative, RedistributeWeights};
        use Action::{Run, UseOutputsToTrain};
        let change = [Finetune, Distill, Derive, UseOutputsToTrain];
        let pass_on = [RedistributeWeights, RedistributeDerivative];
        let gain = [Commercial, HostService];
        let all = || [&[Run][..], &change, &pass_on].concat();
        let attribute = clause("attribution", ClauseKind::Duty, &[], &[Duty::Attribute]);
        let share = clause("same-terms", ClauseKind::Duty, &pass_on, &[Duty::PassThroughTerms]);
        let clauses = match self {
            Self::Open => vec![clause("use", ClauseKind::Permission, &[&all()[..], &gain].concat(), &[]), attribute],
            Self::Research => vec![
                clause("research", ClauseKind::Permission, &all(), &[]),
                clause("no-gain", ClauseKind::Prohibition, &gain, &[]),
                attribute,
                share,
            ],
            Self::Commercial => vec![
                clause("use", ClauseKind::Permission, &all(), &[]),
                clause("gain", ClauseKind::NeedsAgreement, &gain, &[]),
                attribute,
                share,
            ],
        };
        clauses.into_iter().collect()
    }
}

fn clause(id: &str, kind: ClauseKind, actions: &[Action], duties: &[Duty]) -> Outcome<Clause> {
    Ok(Clause {
        id: id.parse().or_exit(Exit::Other, || format!("failed to name the clause {id}"))?,
        kind: kind.into(),
        actions: actions.iter().copied().map(Word::from).collect(),
        seats: None,
        places: None,
        parties: Vec::new(),
        sectors: Vec::new(),
        purposes: Vec::new(),
        modalities: Vec::new(),
        from: None,
        until: None,
        thresholds: Vec::new(),
        duties: duties.iter().copied().map(Word::from).collect(),
        text_ref: None,
        reading: Reading::PublisherAsserted.into(),
    })
}

fn named(argument: &str) -> Result<(Language, String), String> {
    let (language, rest) = argument.split_once('=').ok_or("expected LANG=…, such as fr=…")?;
    Ok((Language::in_one_case(language).parse().map_err(|error| format!("{error}"))?, rest.to_owned()))
}
