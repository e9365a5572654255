//! Warnings that bear on how far clusters are to be trusted.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A cluster comes from few lots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FewLots {
    /// Cluster name.
    pub cluster: usize,
    /// Effective number of lots (inverse Simpson of lot-size-adjusted shares).
    pub effective_lots: f64,
    /// Number of lots.
    pub n_lots: usize,
}

/// A cluster that goes with the readout proliferates, and proliferation differs between batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proliferative {
    /// Cluster name.
    pub cluster: usize,
    /// Share of its cells that cycle, 0..1.
    pub share_cycling: f64,
}

/// Lots with few counts per cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShallowLots {
    /// The lots.
    pub lots: Vec<String>,
    /// Number of all lots.
    pub n_lots: usize,
    /// Counts of the median cell of the shallowest lot.
    pub lowest: f64,
    /// Counts below which a lot is told of.
    pub limit: f64,
}

/// Another resolution, with another number of clusters, would have done as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolutionUndecided {
    /// The chosen resolution.
    pub resolution: f64,
    /// Its number of clusters.
    pub n_clusters: usize,
    /// The other resolution.
    pub other: f64,
    /// The other number of clusters.
    pub n_other: usize,
    /// By how much the chosen one is worth more.
    pub lead: f64,
    /// Standard error of that over half-samples.
    pub error: f64,
}

impl fmt::Display for FewLots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, effective_lots, n_lots } = self;
        write!(
            f,
            "cluster {cluster} comes from few lots (effective number {effective_lots:.1} of {n_lots}); \
             its share says more about those lots than about a cell state"
        )
    }
}

impl fmt::Display for Proliferative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cluster {} is proliferative ({:.0} % of its cells in S or G2M): its share may follow culture conditions",
            self.cluster,
            self.share_cycling * 100.0
        )
    }
}

impl fmt::Display for ShallowLots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lots, n_lots, lowest, limit } = self;
        let who = match &lots[..] {
            [one] => format!("lot {one}"),
            all if all.len() == *n_lots => format!("all {n_lots} lots"),
            several => format!("{} of {n_lots} lots ({})", several.len(), several.join(", ")),
        };
        write!(
            f,
            "shallow: the median cell of {who} has fewer than {limit:.0} counts (down to {lowest:.0}). Populations that are \
             alike may be merged at such depth; look at the whole resolution sweep (resolution.csv), or sequence deeper"
        )
    }
}

impl fmt::Display for ResolutionUndecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resolution, n_clusters, other, n_other, lead, error } = self;
        write!(
            f,
            "the number of clusters is not settled: resolution {other} with {n_other} clusters is found again about as well as \
             the chosen {resolution} with {n_clusters} (worth {lead:.2} ± {error:.2} less). Compare both, with --resolution \
             {other}, before a result that needs the one is trusted"
        )
    }
}
