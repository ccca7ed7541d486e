//! What it took to train a model: where, on what, how much.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Invalid, check_each, check_line, check_line_list};
use super::parts::{integer, line};
use super::{Date, Decimal};
use crate::name::Nation;
use crate::word::Word;

/// Above this much training compute, in FLOP, European law presumes high-impact capabilities
/// (Regulation (EU) 2024/1689, article 51(2)).
const EU_HIGH_IMPACT_FLOP: &str = "1e25";

/// What it took to train the model.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Compute {
    /// Where it was trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facilities: Option<Vec<Facility>>,
    /// On what it was trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accelerators: Option<Vec<Accelerator>>,
    /// Cumulative training compute, in floating-point operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_flop: Option<Decimal>,
    /// How these figures were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Word<Method>>,
    /// Hours of one accelerator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_hours: Option<Decimal>,
    /// Electricity, in kilowatt-hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_kwh: Option<Decimal>,
    /// Emissions, in tonnes of carbon dioxide equivalent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub co2_tonnes: Option<Decimal>,
    /// Where the electricity came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy_sources: Option<Vec<String>>,
    /// When training began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Date>,
    /// When training ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Date>,
    /// Who or what says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl Compute {
    /// Whether the stated training compute is above the threshold of the European AI Act.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the constant is a decimal")]
    pub fn exceeds_eu_threshold(&self) -> Option<bool> {
        let threshold: Decimal = EU_HIGH_IMPACT_FLOP.parse().expect("the constant is a decimal");
        self.training_flop.as_ref().map(|flop| flop.compare(&threshold) == Ordering::Greater)
    }

    pub(super) fn check(&self, pointer: &str) -> Result<(), Invalid> {
        let facilities = self.facilities.as_deref().unwrap_or_default();
        check_each(&format!("{pointer}/facilities"), facilities, |pointer, facility| facility.check(pointer))?;
        let accelerators = self.accelerators.as_deref().unwrap_or_default();
        check_each(&format!("{pointer}/accelerators"), accelerators, |pointer, item| item.check(pointer))?;
        check_line_list(&format!("{pointer}/energySources"), self.energy_sources.as_deref().unwrap_or_default())?;
        line(pointer, "source", self.source.as_ref())?;
        let amounts = [
            ("trainingFlop", &self.training_flop),
            ("gpuHours", &self.gpu_hours),
            ("energyKwh", &self.energy_kwh),
            ("co2Tonnes", &self.co2_tonnes),
        ];
        let negative =
            amounts.iter().find(|(_, amount)| amount.as_ref().is_some_and(|it| it.as_str().starts_with('-')));
        negative.map_or(Ok(()), |(member, _)| Err(Invalid::at(format!("{pointer}/{member}"), "is negative")))
    }
}

/// How a figure was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Measured.
    Measured,
    /// Estimated.
    Estimated,
}

/// A place where a model was trained.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Facility {
    /// What it is called, and where it is.
    pub name: String,
    /// In which nation it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Nation>,
    /// Who runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Who owns it: `public`, `private`, or in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ownership: Option<String>,
}

impl Facility {
    fn check(&self, pointer: &str) -> Result<(), Invalid> {
        check_line(&format!("{pointer}/name"), &self.name)?;
        line(pointer, "operator", self.operator.as_ref())?;
        line(pointer, "ownership", self.ownership.as_ref())
    }
}

/// Processors that a model was trained on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accelerator {
    /// Which.
    #[serde(rename = "type")]
    pub name: String,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The nation of their vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_nation: Option<Nation>,
}

impl Accelerator {
    fn check(&self, pointer: &str) -> Result<(), Invalid> {
        check_line(&format!("{pointer}/type"), &self.name)?;
        integer(pointer, "count", self.count)
    }
}
