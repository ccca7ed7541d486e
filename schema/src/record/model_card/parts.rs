//! What a model card is made of. An absent member is *not stated*; an empty list states *none*.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Invalid, Texts, check_each, check_line, check_line_list, check_texts, check_uri};
use super::{Date, Decimal};
use crate::digest::Digest;
use crate::limits::JSON_INTEGER_MAX;
use crate::name::{Language, ModelId, Name, Nation};
use crate::word::Word;

/// A model that this one was made from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lineage {
    /// The model: `urn:chancery:<nation>:<org>:<name>`, with `@<version>` where it is known, or the
    /// name it has elsewhere.
    pub model: String,
    /// How this model was made from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Word<Relation>>,
    /// The record digest of its model card, in whichever log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<Digest>,
    /// The record digest of its weights, in whichever log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Digest>,
    /// Whose model it is, where its name does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nation: Option<Nation>,
}

impl Lineage {
    /// The model and its version, where the model is named as Chancery names models.
    #[must_use]
    pub fn model_id(&self) -> Option<(ModelId, Option<Name>)> {
        match self.model.split_once('@') {
            Some((model, version)) => Some((model.parse().ok()?, Some(version.parse().ok()?))),
            None => Some((self.model.parse().ok()?, None)),
        }
    }

    pub(super) fn check(&self, pointer: &str) -> Result<(), Invalid> {
        let pointer = format!("{pointer}/model");
        if self.model.starts_with("urn:chancery:") && self.model_id().is_none() {
            return Err(Invalid::at(pointer, "is not a model, such as urn:chancery:FR:lab:name@1.0"));
        }
        check_line(&pointer, &self.model)
    }
}

/// How a model was made from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Trained further.
    Finetune,
    /// Weights that are added to it.
    Adapter,
    /// Weights combined from several models.
    Merge,
    /// The same at lower precision.
    Quantized,
    /// Trained on its outputs.
    Distilled,
    /// In another way.
    Other,
}

/// How the model is built.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Architecture {
    /// The family, such as `transformer-decoder` or `diffusion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The architecture's own name, such as `llama`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Parameters in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_parameters: Option<Decimal>,
    /// Parameters used for one token, where they are fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_parameters: Option<Decimal>,
    /// The longest context, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_length: Option<u64>,
    /// Experts of a mixture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experts: Option<u64>,
    /// The tokenizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<String>,
    /// Entries of the tokenizer's vocabulary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary_size: Option<u64>,
}

impl Architecture {
    pub(super) fn check(&self, pointer: &str) -> Result<(), Invalid> {
        line(pointer, "family", self.family.as_ref())?;
        line(pointer, "name", self.name.as_ref())?;
        line(pointer, "tokenizer", self.tokenizer.as_ref())?;
        integer(pointer, "contextLength", self.context_length)?;
        integer(pointer, "experts", self.experts)?;
        integer(pointer, "vocabularySize", self.vocabulary_size)
    }
}

/// What goes in and what comes out.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Modalities {
    /// What the model takes, such as `text`, `image`, `audio`, `video` or `code`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<String>,
    /// What the model gives.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<String>,
    /// The largest input, in words: tokens, pixels, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_input: Option<String>,
    /// The largest output, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<String>,
}

impl Modalities {
    pub(super) fn check(&self, pointer: &str) -> Result<(), Invalid> {
        check_line_list(&format!("{pointer}/input"), &self.input)?;
        check_line_list(&format!("{pointer}/output"), &self.output)?;
        line(pointer, "maxInput", self.max_input.as_ref())?;
        line(pointer, "maxOutput", self.max_output.as_ref())
    }
}

/// A language that the model speaks.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpokenLanguage {
    /// The language.
    pub tag: Language,
    /// How well it is supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<Word<LanguageSupport>>,
}

/// How well a language is supported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LanguageSupport {
    /// The model is made for it.
    Primary,
    /// Results in it were measured.
    Evaluated,
    /// It occurs in the training data.
    Incidental,
}

/// Data that the model was trained on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrainingData {
    /// What it is called.
    pub name: String,
    /// Where it is described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// SHA-256 of its Croissant description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub croissant: Option<Digest>,
    /// The nations whose law applied to its collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdictions: Option<Vec<Nation>>,
    /// On what legal basis it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// From when it was collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_from: Option<Date>,
    /// Until when it was collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_until: Option<Date>,
    /// How much it is, with the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Whether a machine made it; absent means not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<bool>,
    /// Whether it has personal data; absent means not stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal_data: Option<bool>,
    /// On what terms it may be used: an SPDX expression or a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

impl TrainingData {
    pub(super) fn check(&self, pointer: &str) -> Result<(), Invalid> {
        check_line(&format!("{pointer}/name"), &self.name)?;
        uri(pointer, "uri", self.uri.as_ref())?;
        list(pointer, "jurisdictions", self.jurisdictions.as_deref().unwrap_or_default())?;
        line(pointer, "legalBasis", self.legal_basis.as_ref())?;
        line(pointer, "size", self.size.as_ref())?;
        line(pointer, "license", self.license.as_ref())
    }
}

/// A result that was measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// The task, such as `question-answering`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// On which data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<EvaluationDataset>,
    /// What was measured, such as `accuracy`.
    pub metric: String,
    /// The value as it was reported, such as `0.871` or `20.0 ± 1.2`.
    pub value: String,
    /// The confidence interval as it was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_interval: Option<String>,
    /// The part of the data, such as a language or a group of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// When it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// With which software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness: Option<String>,
    /// Where the result is published: a URI or a citation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Who measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluator: Option<Evaluator>,
    /// How the evaluator stands to the publisher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub independence: Option<Word<Independence>>,
    /// The record digest of the evaluator's own record, in whichever log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Digest>,
}

impl Evaluation {
    pub(super) fn check(&self, pointer: &str) -> Result<(), Invalid> {
        line(pointer, "task", self.task.as_ref())?;
        if let Some(dataset) = &self.dataset {
            let pointer = format!("{pointer}/dataset");
            check_line(&format!("{pointer}/id"), &dataset.id)?;
            line(&pointer, "config", dataset.config.as_ref())?;
            line(&pointer, "split", dataset.split.as_ref())?;
            line(&pointer, "revision", dataset.revision.as_ref())?;
        }
        check_line(&format!("{pointer}/metric"), &self.metric)?;
        check_line(&format!("{pointer}/value"), &self.value)?;
        line(pointer, "confidenceInterval", self.confidence_interval.as_ref())?;
        line(pointer, "slice", self.slice.as_ref())?;
        line(pointer, "harness", self.harness.as_ref())?;
        line(pointer, "source", self.source.as_ref())?;
        line(pointer, "evaluator/org", self.evaluator.as_ref().map(|evaluator| &evaluator.org))
    }
}

/// The data of an evaluation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EvaluationDataset {
    /// What it is called.
    pub id: String,
    /// Its configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Its split, such as `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Its revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// Who measured a result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evaluator {
    /// The evaluator's nation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nation: Option<Nation>,
    /// The evaluator's name.
    pub org: String,
}

/// How an evaluator stands to the publisher.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Independence {
    /// The publisher itself.
    #[serde(rename = "self")]
    Own,
    /// A partner of the publisher.
    Partner,
    /// Independent of the publisher.
    ThirdParty,
}

/// A danger of the model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Risk {
    /// The danger.
    pub name: String,
    /// What was done or can be done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigation: Option<String>,
}

impl Risk {
    pub(super) fn check(&self, pointer: &str) -> Result<(), Invalid> {
        check_line(&format!("{pointer}/name"), &self.name)?;
        line(pointer, "mitigation", self.mitigation.as_ref())
    }
}

/// What the model is aligned with, and by whom.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CulturalAlignment {
    /// What the publisher says of it, for each language.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub statement: Texts,
    /// Who aligned it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aligned_by: Vec<String>,
    /// By which methods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Who judged its answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotators: Option<Annotators>,
    /// Where its values come from: a constitution, a law, a consultation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub value_sources: Vec<String>,
    /// With which suites the alignment was measured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evaluation_suites: Vec<String>,
    /// Where values are known to conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_tensions: Option<Vec<String>>,
    /// Who reviewed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_by: Option<Vec<String>>,
}

impl CulturalAlignment {
    pub(super) fn check(&self, pointer: &str) -> Result<(), Invalid> {
        check_texts(&format!("{pointer}/statement"), &self.statement)?;
        check_line_list(&format!("{pointer}/alignedBy"), &self.aligned_by)?;
        check_line_list(&format!("{pointer}/methods"), &self.methods)?;
        if let Some(annotators) = &self.annotators {
            let pointer = format!("{pointer}/annotators");
            list(&pointer, "nations", &annotators.nations)?;
            list(&pointer, "languages", &annotators.languages)?;
            integer(&pointer, "count", annotators.count)?;
        }
        check_line_list(&format!("{pointer}/valueSources"), &self.value_sources)?;
        check_line_list(&format!("{pointer}/evaluationSuites"), &self.evaluation_suites)?;
        check_line_list(&format!("{pointer}/knownTensions"), self.known_tensions.as_deref().unwrap_or_default())?;
        check_line_list(&format!("{pointer}/reviewedBy"), self.reviewed_by.as_deref().unwrap_or_default())
    }
}

/// The people who judged a model's answers.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Annotators {
    /// Their nations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nations: Vec<Nation>,
    /// Their languages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Language>,
    /// How many they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// How far the model suits a sector.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sector {
    /// A section of ISIC Rev. 4 (`A` to `U`), or a word such as `defence`, `health`, `finance`,
    /// `justice` or `energy`.
    pub sector: String,
    /// How far the model suits it.
    pub suitability: Word<Suitability>,
    /// On which conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<String>,
    /// The record digest or SHA-256 of what shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Digest>,
}

impl Sector {
    pub(super) fn check(&self, pointer: &str) -> Result<(), Invalid> {
        check_line(&format!("{pointer}/sector"), &self.sector)?;
        line(pointer, "conditions", self.conditions.as_ref())?;
        if self.suitability == Suitability::Conditional && self.conditions.is_none() {
            return Err(Invalid::at(format!("{pointer}/conditions"), "is missing; say on which conditions"));
        }
        Ok(())
    }
}

/// How far a model suits a sector.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Suitability {
    /// It suits.
    Suitable,
    /// It suits on conditions.
    Conditional,
    /// It does not suit.
    Unsuitable,
    /// The publisher forbids it.
    Prohibited,
    /// The publisher has looked at it and does not know.
    NotAssessed,
}

/// Whom to ask.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// For what, such as `security`, `licensing` or `press`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The name of the office or person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where: `mailto:`, `tel:` or `https:`.
    pub uri: String,
}

impl Contact {
    pub(super) fn check(&self, pointer: &str) -> Result<(), Invalid> {
        line(pointer, "role", self.role.as_ref())?;
        line(pointer, "name", self.name.as_ref())?;
        check_uri(&format!("{pointer}/uri"), &self.uri)
    }
}

pub(super) fn line(pointer: &str, member: &str, text: Option<&String>) -> Result<(), Invalid> {
    text.map_or(Ok(()), |text| check_line(&format!("{pointer}/{member}"), text))
}

pub(super) fn uri(pointer: &str, member: &str, text: Option<&String>) -> Result<(), Invalid> {
    text.map_or(Ok(()), |text| check_uri(&format!("{pointer}/{member}"), text))
}

pub(super) fn list<T>(pointer: &str, member: &str, items: &[T]) -> Result<(), Invalid> {
    check_each(&format!("{pointer}/{member}"), items, |_, _| Ok(()))
}

pub(super) fn integer(pointer: &str, member: &str, number: Option<u64>) -> Result<(), Invalid> {
    match number {
        Some(number) if number > JSON_INTEGER_MAX => {
            Err(Invalid::at(format!("{pointer}/{member}"), "is larger than 2^53 - 1"))
        }
        _ => Ok(()),
    }
}
