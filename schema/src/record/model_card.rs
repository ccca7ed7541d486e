//! The model card: what a model is, where it comes from, and what its publisher says of it.
//!
//! Every member is the publisher's claim. An absent member is *not stated*; an empty list states
//! *none*: a card with `"lineage": []` says that the model was made from scratch.

mod compute;
mod parts;
mod scalar;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::compute::*;
pub use self::parts::*;
pub use self::scalar::*;
use super::{
    BlobRef, Body, Header, Invalid, Kind, Texts, check_assigned, check_blob, check_count, check_each, check_known,
    check_line_list, check_lines, check_texts, check_version,
};
use crate::digest::Digest;
use crate::limits::LIST_ITEMS_MAX;
use crate::name::{ModelId, Name};
use crate::statement::Subject;
use crate::word::Word;

/// What a publisher says of one version of a model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelCard {
    /// Who publishes the model.
    pub org: Name,
    /// What the model is called.
    pub name: Name,
    /// Which version of it.
    pub version: Name,
    /// What people call it, in their languages.
    pub display_name: Texts,
    /// The publisher's name in law.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_name: Option<String>,
    /// When this version was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_date: Option<Date>,
    /// The record digest of the card of the same version that this one replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Digest>,
    /// The model that the publisher recommends instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_version: Option<String>,
    /// The record digests of its weights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<Digest>,
    /// The record digest of the license terms that apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<Digest>,
    /// The license as the source of this card declared it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_license: Option<String>,
    /// Where the source said the license can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_license_link: Option<String>,
    /// The models it was made from. An empty list states that it was made from scratch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Vec<Lineage>>,
    /// How it is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,
    /// The library that loads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// What goes in and what comes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modalities: Option<Modalities>,
    /// What it is for, such as `text-generation`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
    /// The languages it speaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<SpokenLanguage>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The data it was trained on. An empty list states that there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_data: Option<Vec<TrainingData>>,
    /// After when it knows nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge_cutoff: Option<Date>,
    /// Results that were measured. An empty list states that there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluations: Option<Vec<Evaluation>>,
    /// What it took to train it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<Compute>,
    /// What it is aligned with, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cultural_alignment: Option<CulturalAlignment>,
    /// How far it suits which sectors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sectors: Vec<Sector>,
    /// What it cannot do. An empty list states that none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limitations: Option<Vec<String>>,
    /// Its dangers. An empty list states that none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risks: Option<Vec<Risk>>,
    /// What its publisher means it for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended_uses: Option<Vec<String>>,
    /// What its publisher does not want; the license decides what is forbidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prohibited_uses: Option<Vec<String>>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// The card's long text in Markdown, for each language.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub text: Texts,
    /// The document that this card was made from, byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_document: Option<BlobRef>,
}

impl ModelCard {
    /// The identity of the model.
    #[must_use]
    pub fn model_id(&self, header: &Header) -> ModelId {
        ModelId { nation: header.nation.clone(), org: self.org.clone(), name: self.name.clone() }
    }

    /// The identity of this version: `urn:chancery:<nation>:<org>:<name>@<version>`.
    #[must_use]
    pub fn version_urn(&self, header: &Header) -> String {
        format!("{}@{}", self.model_id(header), self.version)
    }
}

impl Body for ModelCard {
    const KIND: Kind = Kind::ModelCard;

    fn validate(&self, header: &Header) -> Result<(), Invalid> {
        self.check_identity(header)?;
        for (member, text) in [
            ("legalName", &self.legal_name),
            ("newVersion", &self.new_version),
            ("declaredLicense", &self.declared_license),
            ("library", &self.library),
        ] {
            parts::line("", member, text.as_ref())?;
        }
        parts::uri("", "declaredLicenseLink", self.declared_license_link.as_ref())?;
        check_optional("/lineage", self.lineage.as_deref(), |pointer, parent: &Lineage| parent.check(pointer))?;
        self.architecture.as_ref().map_or(Ok(()), |it| it.check("/architecture"))?;
        self.modalities.as_ref().map_or(Ok(()), |it| it.check("/modalities"))?;
        parts::list("", "languages", &self.languages)?;
        check_optional("/trainingData", self.training_data.as_deref(), |pointer, it: &TrainingData| it.check(pointer))?;
        check_optional("/evaluations", self.evaluations.as_deref(), |pointer, it: &Evaluation| it.check(pointer))?;
        self.compute.as_ref().map_or(Ok(()), |it| it.check("/compute"))?;
        self.cultural_alignment.as_ref().map_or(Ok(()), |it| it.check("/culturalAlignment"))?;
        check_each("/sectors", &self.sectors, |pointer, it| it.check(pointer))?;
        check_optional("/risks", self.risks.as_deref(), |pointer, risk: &Risk| risk.check(pointer))?;
        for (pointer, lines) in [
            ("/tasks", Some(&self.tasks)),
            ("/tags", Some(&self.tags)),
            ("/limitations", self.limitations.as_ref()),
            ("/intendedUses", self.intended_uses.as_ref()),
            ("/prohibitedUses", self.prohibited_uses.as_ref()),
        ] {
            lines.map_or(Ok(()), |lines| check_line_list(pointer, lines))?;
        }
        check_each("/contacts", &self.contacts, |pointer, it| it.check(pointer))?;
        check_texts("/text", &self.text)
    }

    fn validate_new(&self, _: &Header) -> Result<(), Invalid> {
        fn known<T>(pointer: &str, member: &str, word: Option<&Word<T>>) -> Result<(), Invalid> {
            word.map_or(Ok(()), |word| check_known(&format!("{pointer}/{member}"), word))
        }
        check_optional("/lineage", self.lineage.as_deref(), |at, it| known(at, "relation", it.relation.as_ref()))?;
        check_each("/languages", &self.languages, |at, it| known(at, "support", it.support.as_ref()))?;
        check_optional("/evaluations", self.evaluations.as_deref(), |at, it| {
            known(at, "independence", it.independence.as_ref())
        })?;
        check_each("/sectors", &self.sectors, |at, it| known(at, "suitability", Some(&it.suitability)))?;
        known("/compute", "method", self.compute.as_ref().and_then(|compute| compute.method.as_ref()))?;
        self.check_nations()
    }

    fn subjects(&self, header: &Header) -> Vec<Subject> {
        let urn = self.version_urn(header);
        let weights = self.weights.iter().map(|digest| Subject::new(urn.as_str(), *digest));
        weights.chain(self.source_document.iter().map(|blob| Subject::new("README.md", blob.sha256))).collect()
    }

    fn blobs(&self) -> Vec<BlobRef> {
        self.source_document.iter().cloned().collect()
    }

    fn references(&self) -> Vec<(Kind, Digest)> {
        let weights = self.weights.iter().map(|digest| (Kind::Weights, *digest));
        weights.chain(self.license.iter().map(|digest| (Kind::License, *digest))).collect()
    }

    fn scope(&self) -> Option<String> {
        Some(format!("{}:{}", self.org, self.name))
    }
}

impl ModelCard {
    /// Every nation is one of today.
    fn check_nations(&self) -> Result<(), Invalid> {
        check_optional("/lineage", self.lineage.as_deref(), |at, it| {
            check_assigned(&format!("{at}/nation"), &it.nation)
        })?;
        check_optional("/trainingData", self.training_data.as_deref(), |at, it| {
            check_assigned(&format!("{at}/jurisdictions"), it.jurisdictions.iter().flatten())
        })?;
        check_optional("/evaluations", self.evaluations.as_deref(), |at, it| {
            let evaluator = it.evaluator.iter().filter_map(|evaluator| evaluator.nation.as_ref());
            check_assigned(&format!("{at}/evaluator/nation"), evaluator)
        })?;
        let compute = self.compute.as_ref();
        let facilities = compute.and_then(|compute| compute.facilities.as_deref());
        check_optional("/compute/facilities", facilities, |at, it| {
            check_assigned(&format!("{at}/country"), &it.country)
        })?;
        let accelerators = compute.and_then(|compute| compute.accelerators.as_deref());
        check_optional("/compute/accelerators", accelerators, |at, it| {
            check_assigned(&format!("{at}/vendorNation"), &it.vendor_nation)
        })?;
        let annotators = self.cultural_alignment.iter().filter_map(|alignment| alignment.annotators.as_ref());
        check_assigned("/culturalAlignment/annotators/nations", annotators.flat_map(|annotators| &annotators.nations))
    }

    /// What the card is about: names, weights, source.
    fn check_identity(&self, header: &Header) -> Result<(), Invalid> {
        check_lines("/displayName", &self.display_name)?;
        check_version("/version", &self.version)?;
        check_count("/weights", self.subjects(header).len(), LIST_ITEMS_MAX)?;
        if self.weights.is_empty() && self.source_document.is_none() {
            return Err(Invalid::at("/weights", "is empty; name the weights record or the source document"));
        }
        if let Some(index) = (1..self.weights.len()).find(|&index| self.weights[..index].contains(&self.weights[index]))
        {
            return Err(Invalid::at(format!("/weights/{index}"), "stands twice"));
        }
        let own = self.version_urn(header);
        let parents = self.lineage.as_deref().unwrap_or_default();
        if let Some(index) = parents.iter().position(|parent| parent.model == own) {
            return Err(Invalid::at(format!("/lineage/{index}/model"), "is this very version"));
        }
        self.source_document.as_ref().map_or(Ok(()), |blob| check_blob("/sourceDocument", blob))
    }
}

fn check_optional<T>(
    pointer: &str,
    items: Option<&[T]>,
    check: impl Fn(&str, &T) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    check_each(pointer, items.unwrap_or_default(), check)
}
