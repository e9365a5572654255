//! Parameters of an association.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math::family::Tail;
use crate::steps::lots::readouts::Weights;

/// Which correlation is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Along a line.
    #[default]
    Pearson,
    /// Of the ranks: any rise counts, and far values do not pull.
    Spearman,
}

impl std::fmt::Display for Statistic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pearson => "pearson",
            Self::Spearman => "spearman",
        })
    }
}

/// Which associations are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternative {
    /// Rising or falling.
    #[default]
    TwoSided,
    /// Rising: more of the cluster, more of the readout.
    Greater,
    /// Falling.
    Less,
}

impl Alternative {
    /// Which correlations count as large.
    pub fn tail(self) -> Tail {
        match self {
            Self::TwoSided => Tail::Both,
            Self::Greater => Tail::Upper,
            Self::Less => Tail::Lower,
        }
    }

    /// How strong an effect is on the side that is asked about, 0 and above; 0 where there is no effect (NaN).
    pub fn strength(self, effect: f64) -> f64 {
        match self {
            Self::TwoSided => effect.abs().max(0.0),
            Self::Greater => effect.max(0.0),
            Self::Less => (-effect).max(0.0),
        }
    }
}

/// Parameters of [`association`](fn@super::association).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssociationParams {
    /// Correlation that is tested: `pearson` or `spearman`; both are shown. Default `pearson`. A readout with lots below its
    /// limit of quantification is tested by `spearman` in any case.
    pub statistic: Statistic,
    /// `two_sided`, `greater` (rising) or `less` (falling). Default `two_sided`: a side must be chosen before the data are
    /// seen.
    pub alternative: Alternative,
    /// Column of the lot sheet that says which lots are one observation; they are averaged. Empty (default) = `donor`, if the
    /// sheet has it; `lot` = every lot for itself.
    pub unit: String,
    /// Column of the lot sheet within whose values lots are compared and permuted, such as the donor of paired lots or the
    /// site; empty (default) = none.
    pub block: String,
    /// Columns of the lot sheet whose effect is taken out of shares and readout; default none. Each takes a degree of freedom.
    pub covariates: Vec<String>,
    /// Weights of lots: `cases` (default: clinical outcomes by their number of cases), `precision` (also readouts with
    /// replicates) or `none`.
    pub weights: Weights,
    /// All orders are walked if there are no more of them than this number of lots has, at most 13. Default 12: its 479
    /// million orders take some seconds, those of 11 lots half a second.
    pub max_exact_lots: usize,
    /// Random orders above that, at least 99. More make p steadier. Default 100,000: p near 0.05 is then good to ±0.0014.
    pub n_permutations: usize,
    /// Level of the intervals of correlations, between 0 and 1. Default 0.95, by custom.
    pub level: f64,
}

impl Default for AssociationParams {
    fn default() -> Self {
        Self {
            statistic: Statistic::Pearson,
            alternative: Alternative::TwoSided,
            unit: String::new(),
            block: String::new(),
            covariates: Vec::new(),
            weights: Weights::Cases,
            max_exact_lots: 12,
            n_permutations: 100_000,
            level: 0.95,
        }
    }
}

impl AssociationParams {
    pub(super) fn check(&self) -> Result<()> {
        if self.max_exact_lots > 13 {
            return Err(Error::param(
                "association.max_exact_lots",
                self.max_exact_lots,
                "at most 13 (14 lots have 87 billion orders)",
            ));
        }
        if self.n_permutations < 99 {
            return Err(Error::param("association.n_permutations", self.n_permutations, "at least 99"));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::param("association.level", self.level, "a number between 0 and 1"));
        }
        Ok(())
    }
}
