//! What an association compared, and how, in numbers and in a sentence.

use super::params::{Alternative, Statistic};

/// What was compared, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignSummary {
    /// Correlation that was tested.
    pub statistic: Statistic,
    /// Sides that count.
    pub alternative: Alternative,
    /// Column that says which lots are one observation; empty = every lot for itself.
    pub unit: String,
    /// Independent units.
    pub n_units: usize,
    /// Column of the blocks; empty = none.
    pub block: String,
    /// Number of blocks; 1 if there are none.
    pub n_blocks: usize,
    /// Covariates.
    pub covariates: Vec<String>,
    /// Lots were weighted.
    pub weighted: bool,
    /// Admissible orders, those that ties make equal counted one by one.
    pub n_orders: f64,
}

impl DesignSummary {
    /// A sentence or two: statistic, side, unit, blocks, covariates, weights.
    pub fn words(&self) -> String {
        let statistic = match self.statistic {
            Statistic::Pearson => "Pearson",
            Statistic::Spearman => "Spearman",
        };
        let side = match self.alternative {
            Alternative::TwoSided => "two-sided",
            Alternative::Greater => "one-sided (rising)",
            Alternative::Less => "one-sided (falling)",
        };
        let unit = if self.unit.is_empty() { "lot" } else { &self.unit };
        let mut words = format!("{statistic} correlation, {side}; the unit is the {unit} (n = {})", self.n_units);
        if !self.block.is_empty() {
            words += &format!(", compared and permuted within {} blocks of {}", self.n_blocks, self.block);
        }
        if !self.covariates.is_empty() {
            words += &format!(", freed from {} (Freedman and Lane)", self.covariates.join(" and "));
        }
        if self.weighted {
            words += ", weighted";
        }
        words + "."
    }
}
