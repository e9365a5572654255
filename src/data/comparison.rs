//! A comparison of lots before and after a change of the process, as planned: nouns of the plan file.

use serde::{Deserialize, Serialize};

/// What is compared, by which rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// What was changed.
    pub title: String,
    /// Who answers for the plan; may be empty.
    pub operator: String,
    /// Why the change is made; may be empty.
    pub reason: String,
    /// How lots before and after belong together.
    pub design: ComparisonDesign,
    /// Column of the sheets that tells pairs; with [`ComparisonDesign::Paired`].
    pub pair: String,
    /// Post lots (or pairs) that are planned; as many as there are pre lots if not told.
    pub n_post: Option<usize>,
    /// Correlation of pre and post lot of a pair, taken for granted in the operating characteristics only.
    pub pair_correlation: f64,
    /// Chance of calling an attribute comparable that lies at its margin, between 0 and ½.
    pub alpha: f64,
    /// What is done about looking at several attributes.
    pub multiplicity: Multiplicity,
    /// Post lots (or pairs) without a value are left out. If not, they stand in the way of *comparable*.
    pub allow_missing: bool,
    /// What is compared, in the order of the plan.
    pub attributes: Vec<Attribute>,
    /// Tests of the whole.
    pub whole: WholeTests,
    /// Simulated studies behind an operating characteristic that has no formula.
    pub n_simulations: usize,
    /// Seed of everything random.
    pub seed: u64,
}

/// How lots before and after belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparisonDesign {
    /// Other lots before and after.
    Unpaired,
    /// Each post lot has its pre lot, such as one donor's cells split over two processes.
    Paired,
    /// New lots, one by one, against what the process has given so far.
    History,
}

/// What is done about looking at several attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Multiplicity {
    /// Nothing: all attributes must pass, so that the claim about all of them keeps its level.
    None,
    /// Holm's step-down over the attributes tested by TOST.
    Holm,
    /// Bonferroni over the attributes tested by TOST.
    Bonferroni,
}

/// Tests of composition and of the cells as a whole, lots being permuted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WholeTests {
    /// PERMANOVA on Aitchison distances of compositions. Default true.
    pub composition: bool,
    /// Energy distances between the lots' cells in the embedding. Default true.
    pub distribution: bool,
    /// Cells drawn from each lot for the distances, 10 to 5,000. More make them surer; time grows with the square.
    /// Default 300.
    pub cells_per_lot: usize,
    /// Groupings looked at where all of them are more than this; at least 99. Default 9,999.
    pub n_permutations: u64,
}

impl Default for WholeTests {
    fn default() -> Self {
        Self { composition: true, distribution: true, cells_per_lot: 300, n_permutations: 9_999 }
    }
}

/// Something that is measured of each lot and compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attribute {
    /// What it is.
    pub kind: AttributeKind,
    /// Which one: cluster, panel, gene, distance or column of the sheet.
    pub name: String,
    /// Of a gene: the cluster whose cells are summed, or `all`.
    pub cluster: String,
    /// Measures potency.
    pub potency: bool,
    /// Scale on which it is compared.
    pub transform: AttributeTransform,
    /// Which deviation matters.
    pub side: Side,
    /// How it is judged.
    pub rule: Rule,
    /// The difference that matters; [`Rule::Tost`] is judged by it, for ranges it serves the operating characteristics.
    pub margin: Option<Margin>,
}

impl Attribute {
    /// Its name in tables and on the page, such as `cluster 3` or `gene LRRC75A in cluster 3`.
    pub fn label(&self) -> String {
        let name = &self.name;
        match self.kind {
            AttributeKind::ClusterShare => format!("share of cluster {name}"),
            AttributeKind::PanelShare => format!("share of panel {name}"),
            AttributeKind::Gene if self.cluster == ALL_CELLS => format!("gene {name}"),
            AttributeKind::Gene => format!("gene {name} in cluster {}", self.cluster),
            AttributeKind::Deviation => format!("deviation {name}"),
            AttributeKind::Readout => name.clone(),
        }
    }
}

/// Name of the whole lot where a cluster is asked for.
pub const ALL_CELLS: &str = "all";

/// Kinds of attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// Share of a lot's cells in a cluster.
    ClusterShare,
    /// Share of a lot's cells within the gates of a panel.
    PanelShare,
    /// Expression of a gene, log2(CPM + 1) of summed counts.
    Gene,
    /// Distance of the lot from the reference: `jensen_shannon`, `aitchison` or `energy`.
    Deviation,
    /// A number of the lot sheet.
    Readout,
}

impl AttributeKind {
    /// True if it is a share of counted cells.
    pub fn is_share(self) -> bool {
        matches!(self, Self::ClusterShare | Self::PanelShare)
    }
}

/// Scale on which an attribute is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeTransform {
    /// As it is.
    None,
    /// Natural logarithm; of positive values. Differences are ratios.
    Log,
    /// ln((n + ½) / (N − n + ½)) of n cells of N; ln(x / (1 − x)) of a readout between 0 and 1.
    Logit,
    /// asin √share.
    AsinSqrt,
}

/// Which deviation matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// To either side.
    Both,
    /// Only lower values are worse: the attribute must not fall (non-inferiority).
    Lower,
    /// Only higher values are worse: the attribute must not rise.
    Upper,
}

/// How an attribute is judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Two one-sided tests: the difference of means lies within the margin.
    Tost {
        /// One standard deviation for both groups (Student) instead of one each (Welch).
        pooled: bool,
    },
    /// Post lots lie within a range that pre lots give.
    Range {
        /// Which range.
        range: Range,
        /// Share of post lots that must lie within, above 0, at most 1.
        share_within: f64,
        /// With fewer pre lots there is no meaningful range.
        min_pre: usize,
    },
}

impl Rule {
    /// The word of the plan file.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Tost { .. } => "tost",
            Self::Range { range: Range::Quality { .. }, .. } => "quality_range",
            Self::Range { range: Range::Tolerance { .. }, .. } => "tolerance",
            Self::Range { range: Range::MinMax, .. } => "min_max",
        }
    }
}

/// Ranges that pre lots give.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// Mean ± k standard deviations.
    Quality {
        /// Standard deviations to either side.
        k: f64,
    },
    /// Tolerance interval of normal values.
    Tolerance {
        /// Share of lots it holds.
        coverage: f64,
        /// Confidence that it does.
        confidence: f64,
    },
    /// Smallest to largest.
    MinMax,
}

/// The largest difference that does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Margin {
    /// Lower end, below 0 (below 1 for a ratio); minus infinity where only the upper side matters.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// What the numbers mean.
    pub unit: MarginUnit,
}

/// What the numbers of a margin mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarginUnit {
    /// Units of the attribute on its scale.
    Absolute,
    /// Standard deviations of the pre lots.
    Sd,
    /// Factor: 1.25 means from 1 / 1.25 to 1.25.
    Ratio,
}

/// Where lots are found, and which of them are meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LotsFrom {
    /// Directory that `cqa cluster`, `cqa freeze` or `cqa map` wrote, or a lot sheet with readouts; relative to the plan.
    pub path: String,
    /// Only lots whose column of this name …
    #[serde(default)]
    pub column: String,
    /// … has this value.
    #[serde(default)]
    pub value: String,
    /// Only these lots; empty = all.
    #[serde(default)]
    pub lots: Vec<String>,
}

/// What an evaluation needs of the sources.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordsNeeded {
    /// Composition is compared by an attribute, so it must be there.
    pub composition: bool,
    /// Shares of panels.
    pub panels: bool,
    /// Distances from the reference.
    pub deviation: bool,
    /// Genes, each with its cluster or `all`.
    pub genes: Vec<(String, String)>,
    /// Cells in the embedding, if there is one.
    pub cells: bool,
}

impl Comparison {
    /// What must be read of each lot.
    pub fn needs(&self) -> RecordsNeeded {
        let any = |kind: AttributeKind| self.attributes.iter().any(|a| a.kind == kind);
        let mut genes: Vec<(String, String)> = Vec::new();
        for attribute in self.attributes.iter().filter(|a| a.kind == AttributeKind::Gene) {
            let asked = (attribute.name.clone(), attribute.cluster.clone());
            if !genes.contains(&asked) {
                genes.push(asked);
            }
        }
        RecordsNeeded {
            composition: any(AttributeKind::ClusterShare),
            panels: any(AttributeKind::PanelShare),
            deviation: any(AttributeKind::Deviation),
            genes,
            cells: self.whole.distribution,
        }
    }
}
