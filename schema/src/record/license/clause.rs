//! Clauses: who may do what, where, when, and for which purpose.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{
    Decimal, Invalid, check_all_known, check_assigned, check_count, check_each, check_known, check_line,
    check_line_list,
};
use super::License;
use crate::digest::Digest;
use crate::limits::{LIST_ITEMS_MAX, TEXT_BYTES_MAX};
use crate::name::{Name, Nation};
use crate::time::Timestamp;
use crate::word::Word;

/// How one passage of the terms is read. Its conditions hold together; an absent one holds always.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Clause {
    /// Its name within these terms.
    pub id: Name,
    /// What it does.
    pub kind: Word<ClauseKind>,
    /// To which actions it applies. A duty without actions applies to all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Word<Action>>,
    /// In which nations the party is seated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats: Option<NationSet>,
    /// In which nations the action takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<NationSet>,
    /// What the party is; absent means anyone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<Word<PartyKind>>,
    /// In which sectors, in the words of a model card's sectors; absent means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sectors: Vec<String>,
    /// For which purposes, such as `military` or `surveillance`; absent means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<String>,
    /// With which modalities of the model; absent means any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modalities: Vec<String>,
    /// From when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Quantities that must be reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
    /// What whoever acts must do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<Word<Duty>>,
    /// The passage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_ref: Option<TextRef>,
    /// Whose reading this is.
    pub reading: Word<Reading>,
}

impl Clause {
    /// Every word is one that this version knows, and every nation one of today.
    pub(super) fn check_new(&self, pointer: &str, groups: &BTreeMap<String, Vec<Nation>>) -> Result<(), Invalid> {
        let at = |member: &str| format!("{pointer}/{member}");
        check_known(&at("kind"), &self.kind)?;
        check_all_known(&at("actions"), &self.actions)?;
        check_all_known(&at("parties"), &self.parties)?;
        check_all_known(&at("duties"), &self.duties)?;
        check_known(&at("reading"), &self.reading)?;
        check_each(&at("thresholds"), &self.thresholds, |pointer, it| check_known(&format!("{pointer}/op"), &it.op))?;
        for (member, set) in [("seats", &self.seats), ("places", &self.places)] {
            let nations = set.iter().flat_map(|set| set.any_of.iter().flatten().chain(&set.none_of));
            let codes = nations.filter(|nation| !groups.contains_key(*nation)).filter_map(|code| code.parse().ok());
            check_assigned(&at(member), &codes.collect::<Vec<Nation>>())?;
        }
        Ok(())
    }

    pub(super) fn check(&self, pointer: &str, license: &License) -> Result<(), Invalid> {
        let at = |member: &str| format!("{pointer}/{member}");
        match self.kind.known() {
            Some(ClauseKind::Duty) if self.duties.is_empty() => {
                return Err(Invalid::at(at("duties"), "is empty; a duty says what must be done"));
            }
            Some(ClauseKind::Permission | ClauseKind::Prohibition | ClauseKind::NeedsAgreement)
                if self.actions.is_empty() =>
            {
                return Err(Invalid::at(at("actions"), "is empty; say to which actions the clause applies"));
            }
            _ => {}
        }
        check_count(&at("actions"), self.actions.len(), LIST_ITEMS_MAX)?;
        check_count(&at("parties"), self.parties.len(), LIST_ITEMS_MAX)?;
        check_count(&at("duties"), self.duties.len(), LIST_ITEMS_MAX)?;
        self.seats.as_ref().map_or(Ok(()), |set| set.check(&at("seats"), license))?;
        self.places.as_ref().map_or(Ok(()), |set| set.check(&at("places"), license))?;
        check_line_list(&at("sectors"), &self.sectors)?;
        check_line_list(&at("purposes"), &self.purposes)?;
        check_line_list(&at("modalities"), &self.modalities)?;
        check_period(&at("until"), self.from, self.until)?;
        check_each(&at("thresholds"), &self.thresholds, |pointer, threshold| {
            check_line(&format!("{pointer}/operand"), &threshold.operand)
        })?;
        self.text_ref.as_ref().map_or(Ok(()), |text_ref| text_ref.check(&at("textRef"), license))
    }
}

/// What a clause does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClauseKind {
    /// It allows.
    Permission,
    /// It forbids; it goes before any permission.
    Prohibition,
    /// It asks for something in return.
    Duty,
    /// It allows only what a separate agreement allows.
    NeedsAgreement,
}

/// What can be done with a model.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// To run it.
    Run,
    /// To train it further.
    Finetune,
    /// To train another on its outputs.
    Distill,
    /// To make another from it in any other way.
    Derive,
    /// To pass on its weights.
    RedistributeWeights,
    /// To pass on what was made from it.
    RedistributeDerivative,
    /// To use it for gain.
    Commercial,
    /// To offer it to others as a service.
    HostService,
    /// To train on its outputs.
    UseOutputsToTrain,
    /// To take it out of a nation.
    Export,
}

/// What a party is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PartyKind {
    /// A state.
    State,
    /// A public body.
    PublicBody,
    /// A company.
    Company,
    /// A research organisation.
    Research,
    /// A natural person.
    Individual,
    /// Someone who uses a product in which the model is, and has no license of their own.
    EndUser,
}

/// A condition on a nation: within `anyOf`, where there is one, and not within `noneOf`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NationSet {
    /// Nation codes, or groups of `nationGroups`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<String>>,
    /// Nation codes, or groups of `nationGroups`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub none_of: Vec<String>,
}

impl NationSet {
    fn check(&self, pointer: &str, license: &License) -> Result<(), Invalid> {
        if self.any_of.is_none() && self.none_of.is_empty() {
            return Err(Invalid::at(pointer, "has neither anyOf nor noneOf"));
        }
        let check = |pointer: &str, member: &String| {
            if license.nation_groups.contains_key(member) || member.parse::<Nation>().is_ok() {
                Ok(())
            } else {
                Err(Invalid::at(pointer, "is neither a nation code nor a group of nationGroups"))
            }
        };
        check_each(&format!("{pointer}/anyOf"), self.any_of.as_deref().unwrap_or_default(), check)?;
        check_each(&format!("{pointer}/noneOf"), &self.none_of, check)
    }
}

/// A quantity that a clause depends on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Threshold {
    /// What is counted, such as `monthlyActiveUsers`.
    pub operand: String,
    /// How it compares.
    pub op: Word<Comparison>,
    /// With what.
    pub value: Decimal,
}

/// How two numbers compare, in the words of ODRL 2.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gteq,
    /// Less.
    Lt,
    /// Less or equal.
    Lteq,
}

/// What whoever acts must do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// To name the source.
    Attribute,
    /// To tell the assigner.
    Notify,
    /// To pass on under the same terms.
    ShareAlike,
    /// To name derivatives as the terms say.
    Naming,
    /// To bind whoever receives it to these terms.
    PassThroughTerms,
    /// To report.
    Report,
    /// To delete it when the terms end.
    DeleteAtEnd,
}

/// A passage of one of the texts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TextRef {
    /// SHA-256 of the text.
    pub sha256: Digest,
    /// The passage's first byte.
    pub byte_start: u64,
    /// The byte after its last.
    pub byte_end: u64,
    /// The passage, byte for byte.
    pub quote: String,
}

impl TextRef {
    /// Whether the passage stands in `text`, the text that it names.
    #[must_use]
    pub fn holds(&self, text: &[u8]) -> bool {
        let range = usize::try_from(self.byte_start).ok().zip(usize::try_from(self.byte_end).ok());
        range.and_then(|(start, end)| text.get(start..end)) == Some(self.quote.as_bytes())
    }

    fn check(&self, pointer: &str, license: &License) -> Result<(), Invalid> {
        let Some(text) = license.texts.iter().find(|text| text.blob.sha256 == self.sha256) else {
            return Err(Invalid::at(format!("{pointer}/sha256"), "is not one of the texts"));
        };
        if self.byte_start >= self.byte_end || self.byte_end > text.blob.size_bytes {
            return Err(Invalid::at(format!("{pointer}/byteEnd"), "is not after byteStart and within the text"));
        }
        if self.quote.len() > TEXT_BYTES_MAX || self.quote.len() as u64 != self.byte_end - self.byte_start {
            return Err(Invalid::at(format!("{pointer}/quote"), "is not the bytes from byteStart to byteEnd"));
        }
        Ok(())
    }
}

/// Whose reading of the text a clause is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The publisher's own.
    PublisherAsserted,
    /// Someone else's.
    ThirdParty,
    /// A machine's.
    Extracted,
}

pub(super) fn check_period(pointer: &str, from: Option<Timestamp>, until: Option<Timestamp>) -> Result<(), Invalid> {
    match (from, until) {
        (Some(from), Some(until)) if until <= from => Err(Invalid::at(pointer, "is not later than its beginning")),
        _ => Ok(()),
    }
}
