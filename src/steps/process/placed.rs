//! What is said of a lot placed on a reference, and of the reference itself: plain data for tables and certificates.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// A number beside the limit that the reference lots set for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limited {
    /// The number; NaN where there is none (a lot without cells).
    pub value: f64,
    /// Its limit; NaN where the reference has too few lots to set one.
    pub limit: f64,
}

impl Limited {
    /// Neither value nor limit.
    pub const NONE: Self = Self { value: f64::NAN, limit: f64::NAN };

    /// Above a limit that there is.
    pub fn is_above(&self) -> bool {
        self.value > self.limit
    }

    /// Below a limit that there is.
    pub fn is_below(&self) -> bool {
        self.value < self.limit
    }
}

/// How a lot's distance from the reference lots is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Jensen–Shannon distance of its composition, 0 to 1.
    JensenShannon,
    /// Aitchison distance of its composition.
    Aitchison,
    /// Energy distance of its cells, in the units of the components.
    Energy,
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::JensenShannon => "Jensen–Shannon distance",
            Self::Aitchison => "Aitchison distance",
            Self::Energy => "energy distance",
        })
    }
}

/// Why a lot is out of reference, with the numbers that say so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OutOfReference {
    /// The file holds no cells.
    NoCells,
    /// Too few cells pass quality control to say anything.
    FewCells {
        /// Cells read.
        n_read: usize,
        /// Cells kept.
        n_cells: usize,
        /// Cells needed.
        min_cells: usize,
    },
    /// Quality control removed too many cells.
    LosesCells {
        /// Cells read.
        n_read: usize,
        /// Cells kept.
        n_cells: usize,
        /// Smallest share to keep, 0..1.
        min_share: f64,
    },
    /// Too few variable genes of the reference are in the lot: another annotation, names of another kind, or another species.
    OtherGenes {
        /// Variable genes of the reference.
        n_variable: usize,
        /// Those that the lot has.
        n_found: usize,
        /// Smallest share to find, 0..1.
        min_share: f64,
        /// A gene id of the lot.
        example_lot: String,
        /// A gene id of the reference.
        example_reference: String,
    },
    /// Cells are damaged or dying: their mitochondrial percentage is high.
    HighMito {
        /// Median of the cells before quality control, 0..100.
        median: f64,
        /// Highest that the reference lots allow.
        limit: f64,
    },
    /// Cells hold few counts.
    LowCounts {
        /// Median of the cells before quality control.
        median: f64,
        /// Lowest that the reference lots allow.
        limit: f64,
    },
    /// Too many cells are unlike every cluster of the reference.
    Unassigned {
        /// Their share among the cells kept, 0..1.
        share: f64,
        /// Largest share allowed.
        limit: f64,
    },
    /// The lot lies farther from the reference lots than they lie from each other.
    Deviation {
        /// How that is measured.
        measure: Measure,
        /// The distance.
        value: f64,
        /// Its limit.
        limit: f64,
    },
}

impl std::fmt::Display for OutOfReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = |share: &f64| format!("{:.1} %", 100.0 * share);
        match self {
            Self::NoCells => f.write_str("the file holds no cells"),
            Self::FewCells { n_read, n_cells, min_cells } => {
                write!(f, "{n_cells} of {n_read} cells pass quality control; at least {min_cells} are needed")
            }
            Self::LosesCells { n_read, n_cells, min_share } => {
                write!(f, "{n_cells} of {n_read} cells pass quality control; at least {} must", percent(min_share))
            }
            Self::OtherGenes { n_variable, n_found, min_share, example_lot, example_reference } => write!(
                f,
                "{n_found} of {n_variable} variable genes of the reference were found (at least {} must be): another \
                 annotation, such as {example_lot} instead of {example_reference}",
                percent(min_share)
            ),
            Self::HighMito { median, limit } => {
                write!(f, "median mitochondrial percentage {median:.1} % is above {limit:.1} %: damaged or dying cells")
            }
            Self::LowCounts { median, limit } => {
                write!(f, "median of {median:.0} counts per cell is below {limit:.0}")
            }
            Self::Unassigned { share, limit } => {
                write!(
                    f,
                    "{} of the cells are unlike every cluster of the reference; limit {}",
                    percent(share),
                    percent(limit)
                )
            }
            Self::Deviation { measure, value, limit } => {
                write!(f, "{measure} {value:.3} from the reference lots is above the limit {limit:.3}")
            }
        }
    }
}

/// Cells of a lot in a cluster, or those unassigned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Number of cells.
    pub n_cells: u64,
    /// Among all cells kept; NaN for a lot without cells.
    pub share: f64,
    /// Lower Jeffreys limit.
    pub ci_low: f64,
    /// Upper Jeffreys limit.
    pub ci_high: f64,
}

/// A predicted readout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The readout.
    pub readout: String,
    /// The cluster whose share predicts.
    pub cluster: usize,
    /// The predicted value.
    pub value: f64,
    /// Lower end of the prediction interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Stated level of the interval, 0..1.
    pub level: f64,
    /// The ranking of the reference's run calls the cluster *supported*. A prediction without support is a line through
    /// points that may be there by chance.
    pub supported: bool,
    /// The share lies within those of the reference lots.
    pub inside: bool,
}

/// One lot placed on a reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// Lot name.
    pub lot: String,
    /// Cells read.
    pub n_cells_read: usize,
    /// Cells kept by quality control, assigned or not.
    pub n_cells: usize,
    /// Cells kept that are unlike every cluster.
    pub n_unassigned: usize,
    /// Their share among the cells kept, 0..1; NaN without cells.
    pub share_unassigned: f64,
    /// One entry per cluster of the reference, in their order.
    pub composition: Vec<Share>,
    /// The cells unassigned, with the interval of their share.
    pub unassigned: Share,
    /// Jensen–Shannon distance of the composition of the assigned cells, with its limit.
    pub jensen_shannon: Limited,
    /// Aitchison distance of the same.
    pub aitchison: Limited,
    /// Energy distance of the cells kept.
    pub energy: Limited,
    /// Median mitochondrial percentage before quality control, with its upper limit.
    pub pct_mito: Limited,
    /// Median counts per cell before quality control, with their lower limit.
    pub counts: Limited,
    /// Variable genes of the reference.
    pub n_variable: usize,
    /// Those that the lot has.
    pub n_found: usize,
    /// Nothing speaks against the lot.
    pub in_reference: bool,
    /// What does.
    pub reasons: Vec<OutOfReference>,
    /// One per potency model of the reference; none for a lot out of reference.
    pub predictions: Vec<Prediction>,
}

impl Placed {
    /// All reasons in words.
    pub fn reasons_in_words(&self) -> String {
        self.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// What a certificate tells of the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceSummary {
    /// SHA-256 of the whole reference, 64 hexadecimal digits.
    pub hash: String,
    /// Version of the program that froze it.
    pub version: String,
    /// Its lots.
    pub lots: Vec<String>,
    /// Cells of each lot.
    pub n_cells: Vec<u64>,
    /// Names of its clusters.
    pub clusters: Vec<String>,
    /// Lots × clusters: shares in the run that was frozen.
    pub shares: Array2<f64>,
    /// Each lot mapped by a reference built without it, in the order of `lots`.
    pub held_out: Vec<HeldOut>,
    /// One per readout.
    pub potency: Vec<PotencySummary>,
}

/// What became of a reference lot that was mapped by a reference built without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// The lot as it was placed.
    pub placed: Placed,
    /// Share of its assigned cells whose label is that of the run, 0..1.
    pub label_agreement: f64,
    /// Half the sum of the differences of its shares from those of the run, 0..1.
    pub composition_error: f64,
}

/// A potency model against the lots that it was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PotencySummary {
    /// The readout.
    pub readout: String,
    /// Cluster whose share predicts.
    pub cluster: usize,
    /// Value at share 0.
    pub intercept: f64,
    /// Change of the value per unit of share.
    pub slope: f64,
    /// Correlation of share and readout over the lots.
    pub r: f64,
    /// What the ranking of the run says of the cluster.
    pub verdict: String,
    /// The verdict is *supported*.
    pub supported: bool,
    /// Stated level of the prediction intervals, 0..1.
    pub level: f64,
    /// Share of the reference lots whose value lay in the interval predicted without them.
    pub coverage: f64,
    /// The lots with a value.
    pub points: Vec<PotencyPoint>,
}

/// A reference lot in a potency model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PotencyPoint {
    /// Lot name.
    pub lot: String,
    /// Share of the model's cluster in the run.
    pub share: f64,
    /// Measured value.
    pub value: f64,
    /// Value predicted by a model made without the lot, from its share as mapped without it.
    pub predicted: f64,
    /// Lower end of that prediction's interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Cluster that was chosen without the lot.
    pub cluster: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_limit_excludes_nothing() {
        assert!(!Limited { value: 9.0, limit: f64::NAN }.is_above() && !Limited::NONE.is_below());
        assert!(Limited { value: 2.0, limit: 1.0 }.is_above() && !Limited { value: 1.0, limit: 1.0 }.is_above());
    }

    #[test]
    fn reasons_carry_their_numbers() {
        let reason = OutOfReference::Unassigned { share: 0.987, limit: 0.1 };
        assert_eq!(reason.to_string(), "98.7 % of the cells are unlike every cluster of the reference; limit 10.0 %");
        let genes = OutOfReference::OtherGenes {
            n_variable: 2000,
            n_found: 3,
            min_share: 0.9,
            example_lot: "Actb".into(),
            example_reference: "ENSG00000075624".into(),
        };
        assert!(genes.to_string().contains("Actb instead of ENSG00000075624"));
    }
}
