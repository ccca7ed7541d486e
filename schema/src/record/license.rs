//! The license: on what terms a model may be used, in words that bind and clauses that machines read.
//!
//! The texts bind. A clause says how its author reads a passage of them, and points at it.

mod clause;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::clause::*;
use super::{
    BlobRef, Body, Header, Invalid, Kind, Texts, check_assigned, check_blob, check_count, check_each, check_known,
    check_line, check_lines,
};
use crate::json;
use crate::limits::{BLOBS_PER_RECORD_MAX, LIST_ITEMS_MAX};
use crate::name::{Language, Name, Nation};
use crate::statement::Subject;
use crate::time::Timestamp;
use crate::word::Word;

/// Terms on which models may be used.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct License {
    /// Who publishes the terms.
    pub org: Name,
    /// What the terms are called.
    pub name: Name,
    /// What people call them, in their languages.
    pub title: Texts,
    /// The SPDX license expression; terms that SPDX does not list are a `LicenseRef-…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spdx: Option<String>,
    /// The texts, one for each language.
    pub texts: Vec<LicenseText>,
    /// The language whose text prevails; without it, all are equally authentic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevailing_language: Option<Language>,
    /// Whether the terms are offered to everyone they address, or agreed between two.
    pub policy_type: Word<PolicyType>,
    /// Who grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigner: Option<String>,
    /// To whom, where it is not everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// From when the terms are in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Until when the terms are in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// Whose law governs, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governing_law: Option<String>,
    /// Where disputes are settled, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispute_forum: Option<String>,
    /// Groups of nations that the clauses name, fixed as they are when this is signed. A group's name
    /// goes before a nation's code of the same letters, such as `EU`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nation_groups: BTreeMap<String, Vec<Nation>>,
    /// Whether what no clause permits is prohibited; otherwise it is unknown.
    #[serde(default)]
    pub closed: bool,
    /// The clauses that machines read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<Clause>,
}

/// The terms in one language.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LicenseText {
    /// The language.
    pub language: Language,
    /// The text, byte for byte.
    pub blob: BlobRef,
}

/// How terms come to bind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyType {
    /// Whoever they address may take them up.
    Offer,
    /// Two parties agreed on them.
    Agreement,
}

impl Body for License {
    const KIND: Kind = Kind::License;

    fn validate(&self, _: &Header) -> Result<(), Invalid> {
        check_lines("/title", &self.title)?;
        self.spdx.as_ref().map_or(Ok(()), |text| check_line("/spdx", text))?;
        self.check_texts()?;
        for (pointer, text) in [
            ("/assigner", &self.assigner),
            ("/assignee", &self.assignee),
            ("/governingLaw", &self.governing_law),
            ("/disputeForum", &self.dispute_forum),
        ] {
            text.as_ref().map_or(Ok(()), |text| check_line(pointer, text))?;
        }
        if self.policy_type == PolicyType::Agreement && (self.assigner.is_none() || self.assignee.is_none()) {
            return Err(Invalid::at("/assignee", "an agreement names both assigner and assignee"));
        }
        clause::check_period("/validUntil", self.valid_from, self.valid_until)?;
        check_count("/nationGroups", self.nation_groups.len(), LIST_ITEMS_MAX)?;
        for (group, nations) in &self.nation_groups {
            let pointer = format!("/nationGroups/{}", json::escaped(group));
            check_line(&pointer, group)?;
            check_count(&pointer, nations.len(), LIST_ITEMS_MAX)?;
        }
        check_each("/clauses", &self.clauses, |pointer, clause| clause.check(pointer, self))?;
        let mut ids = BTreeSet::new();
        match self.clauses.iter().position(|clause| !ids.insert(&clause.id)) {
            Some(index) => Err(Invalid::at(format!("/clauses/{index}/id"), "stands twice")),
            None => Ok(()),
        }
    }

    fn validate_new(&self, _: &Header) -> Result<(), Invalid> {
        if self.spdx.as_deref().is_some_and(|text| !is_spdx_expression(text)) {
            return Err(Invalid::at("/spdx", "is not an SPDX license expression, such as MIT OR LicenseRef-Example"));
        }
        check_known("/policyType", &self.policy_type)?;
        check_each("/clauses", &self.clauses, |pointer, clause| clause.check_new(pointer, &self.nation_groups))?;
        check_assigned("/nationGroups", self.nation_groups.values().flatten())
    }

    fn subjects(&self, _: &Header) -> Vec<Subject> {
        let subject = |text: &LicenseText| {
            Subject::new(format!("{}/{} ({})", self.org, self.name, text.language), text.blob.sha256)
        };
        self.texts.iter().map(subject).collect()
    }

    fn blobs(&self) -> Vec<BlobRef> {
        self.texts.iter().map(|text| text.blob.clone()).collect()
    }

    fn scope(&self) -> Option<String> {
        Some(format!("{}:{}", self.org, self.name))
    }
}

impl License {
    fn check_texts(&self) -> Result<(), Invalid> {
        if self.texts.is_empty() {
            return Err(Invalid::at("/texts", "is empty; give at least one text"));
        }
        check_count("/texts", self.texts.len(), BLOBS_PER_RECORD_MAX)?;
        check_each("/texts", &self.texts, |pointer, text| check_blob(&format!("{pointer}/blob"), &text.blob))?;
        let mut languages = BTreeSet::new();
        if let Some(index) = self.texts.iter().position(|text| !languages.insert(&text.language)) {
            return Err(Invalid::at(format!("/texts/{index}/language"), "stands twice"));
        }
        if self.prevailing_language.as_ref().is_some_and(|language| !languages.contains(language)) {
            return Err(Invalid::at("/prevailingLanguage", "has no text in that language"));
        }
        Ok(())
    }
}

/// Whether `text` has the shape of an SPDX license expression (SPDX 3, annex on license expressions).
/// The ids themselves are not looked up.
#[must_use]
pub fn is_spdx_expression(text: &str) -> bool {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split(' ').filter(|token| !token.is_empty()).collect();
    let (mut depth, mut wants_license) = (0_usize, true);
    for (index, token) in tokens.iter().enumerate() {
        match *token {
            "(" if wants_license => depth += 1,
            ")" if !wants_license && depth > 0 => depth -= 1,
            "AND" | "OR" if !wants_license => wants_license = true,
            "WITH" if !wants_license && tokens[index - 1] != ")" => wants_license = true,
            id if wants_license && is_spdx_id(id) => wants_license = false,
            _ => return false,
        }
    }
    text.len() <= crate::limits::LINE_BYTES_MAX && depth == 0 && !wants_license
}

fn is_spdx_id(text: &str) -> bool {
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    let text = text.strip_suffix('+').unwrap_or(text);
    let (document, id) = text.split_once(':').map_or((None, text), |(document, id)| (Some(document), id));
    let elsewhere = document.is_none_or(|document| {
        id.starts_with("LicenseRef-") && document.strip_prefix("DocumentRef-").is_some_and(word)
    });
    elsewhere && word(id) && !matches!(id, "AND" | "OR" | "WITH" | "LicenseRef-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_spdx_expression_has_a_shape() {
        for text in [
            "MIT",
            "GPL-2.0+",
            "Apache-2.0 OR MIT",
            "(MIT AND LicenseRef-Model.1) OR BSD-3-Clause",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "DocumentRef-a:LicenseRef-b",
        ] {
            assert!(is_spdx_expression(text), "{text:?} should be taken");
        }
        for text in [
            "",
            "MIT OR",
            "OR MIT",
            "MIT MIT",
            "(MIT",
            "MIT)",
            "()",
            "MIT or MIT",
            "a_b",
            "LicenseRef-",
            "(MIT) WITH x",
            ":LicenseRef-b",
            "DocumentRef-a:MIT",
            "MIT\nOR MIT",
            "openrail++",
            &"a".repeat(1025),
        ] {
            assert!(!is_spdx_expression(text), "{text:?} should be refused");
        }
        assert!(is_spdx_expression(&"a".repeat(1024)));
    }
}
