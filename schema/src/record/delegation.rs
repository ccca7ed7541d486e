//! The delegation: a registrar lets a key speak for the nation, for some kinds, models and time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Header, Invalid, Kind, check_all_known, check_count, check_distinct, check_known, check_line};
use crate::key::{KeyRecord, Role};
use crate::limits::LIST_ITEMS_MAX;
use crate::name::Name;
use crate::statement::Subject;
use crate::time::Timestamp;
use crate::word::Word;

/// One key's authority.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delegation {
    /// Who holds the key, for people.
    pub holder: String,
    /// What the key is for: publisher, exchange, evaluator or node.
    pub role: Role,
    /// The key.
    pub key: KeyRecord,
    /// The kinds that it may sign.
    pub kinds: Vec<Word<Kind>>,
    /// The models it may speak of: `*` for all, `<org>` for one publisher's, `<org>:<name>` for one.
    /// Publishers need at least one.
    #[serde(default)]
    pub models: Vec<String>,
    /// From when, judged by a record's `issuedAt`.
    pub valid_from: Timestamp,
    /// Until when, judged by a record's `issuedAt`, and at admission by the node's clock too.
    pub valid_until: Timestamp,
}

impl Delegation {
    /// Whether `scope`, such as `lab:model`, lies within the models of this key.
    #[must_use]
    pub fn covers(&self, scope: &str) -> bool {
        self.models.iter().any(|prefix| {
            prefix == "*"
                || scope.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        })
    }
}

impl Delegation {
    /// Whether it lets its key do all that `other` lets it.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.role == other.role
            && self.valid_from <= other.valid_from
            && self.valid_until >= other.valid_until
            && other.kinds.iter().all(|kind| self.kinds.contains(kind))
            && other.models.iter().all(|model| self.models.contains(model))
    }
}

impl Body for Delegation {
    const KIND: Kind = Kind::Delegation;

    fn validate(&self, header: &Header) -> Result<(), Invalid> {
        check_line("/holder", &self.holder)?;
        check_distinct("/kinds", &self.kinds)?;
        check_count("/models", self.models.len(), LIST_ITEMS_MAX)?;
        if !matches!(self.role, Role::Publisher | Role::Exchange | Role::Evaluator | Role::Node) {
            return Err(Invalid::at("/role", format!("a {} key is not delegated", self.role.as_str())));
        }
        if let Some(kind) = self.kinds.iter().filter_map(Word::known).find(|kind| !kind.signers().contains(&self.role))
        {
            return Err(Invalid::at("/kinds", format!("a {} key cannot sign a {kind}", self.role.as_str())));
        }
        if (self.role == Role::Publisher) == self.models.is_empty() {
            return Err(Invalid::at("/models", "a publisher's key needs models, such as \"*\"; another key has none"));
        }
        for (index, prefix) in self.models.iter().enumerate() {
            let parts: Vec<&str> = prefix.split(':').collect();
            let named = parts.len() <= 2 && parts.iter().all(|part| part.parse::<Name>().is_ok());
            if prefix != "*" && !named {
                return Err(Invalid::at(format!("/models/{index}"), "is not *, <org> or <org>:<name>"));
            }
        }
        if self.valid_until <= self.valid_from {
            return Err(Invalid::at("/validUntil", "must be later than validFrom"));
        }
        let checked = self.key.check(&header.nation, &header.log, self.role);
        checked.map_err(|error| Invalid::at("/key", error.to_string()))
    }

    fn validate_new(&self, _: &Header) -> Result<(), Invalid> {
        check_all_known("/kinds", &self.kinds)?;
        check_known("/key/alg", &self.key.alg)
    }

    fn subjects(&self, _: &Header) -> Vec<Subject> {
        vec![Subject::new(self.holder.as_str(), self.key.keyid)]
    }
}
