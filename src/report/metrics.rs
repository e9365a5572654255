//! What each number means, said once.

/// A measure that tables show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Short name.
    pub label: &'static str,
    /// Unit; may be empty.
    pub unit: &'static str,
    /// What it means.
    pub help: &'static str,
}

const fn metric(label: &'static str, unit: &'static str, help: &'static str) -> Metric {
    Metric { label, unit, help }
}

/// Lot.
pub const LOT: Metric = metric("Lot", "", "One manufactured batch of cells.");
/// Cluster.
pub const CLUSTER: Metric = metric("Cluster", "", "A group of similar cells; 0 is the largest.");
/// Lots of an association.
pub const N_LOTS: Metric = metric("Lots", "", "Lots that take part.");
/// Correlation that is tested.
pub const EFFECT: Metric = metric(
    "r",
    "",
    "Correlation of the cluster's share with the readout that is tested: Pearson's r, or ρ of the ranks.",
);
/// Family-wise p over all readouts.
pub const P_FAMILY_ALL: Metric =
    metric("p, all readouts", "", "Family-wise p that also allows for every other readout that was ranked.");
/// Pearson correlation.
pub const R: Metric = metric("r", "", "Pearson correlation of the cluster's share with the readout, over lots.");
/// Interval of r.
pub const R_INTERVAL: Metric =
    metric("Interval", "", "Confidence interval of the correlation that is tested (Fisher z).");
/// Spearman correlation.
pub const RHO: Metric = metric("ρ", "", "Spearman rank correlation.");
/// Single p.
pub const P_EXACT: Metric = metric("p, alone", "", "Permutation p of this cluster, as if no other had been looked at.");
/// Family-wise p.
pub const P_FAMILY: Metric =
    metric("p, family-wise", "", "Permutation p that allows for having looked at every cluster (max-T, step-down).");
/// False discovery rate.
pub const Q: Metric = metric("q", "", "False discovery rate (Benjamini and Hochberg).");
/// Leave-one-lot-out range.
pub const LOO: Metric =
    metric("Without one lot", "", "Smallest and largest of the tested correlation when one lot is left out.");
/// Influential lot.
pub const INFLUENTIAL: Metric = metric("Most influential lot", "", "The lot whose absence changes r most.");
/// Verdict.
pub const VERDICT: Metric = metric(
    "Verdict",
    "",
    "Supported: family-wise p within the level, and the association stands without any one lot. Suggestive: only the p of \
     the cluster alone is within the level, or it rests on one lot. No association seen: the interval of r lies below what \
     matters. Cannot conclude: none of these; this does not show that there is no association.",
);
/// Reasons.
pub const WHY: Metric =
    metric("What kept it from more", "", "Why the cluster is not supported, and not excluded either.");
/// Place.
pub const RANK: Metric = metric("Rank", "", "Place by score.");
/// Gene.
pub const GENE: Metric = metric("Gene", "", "Gene symbol.");
/// Candidate score.
pub const SCORE: Metric = metric("Score", "", "|r| of the cluster × specificity of the gene for it.");
/// r of the cluster.
pub const R_CLUSTER: Metric =
    metric("r, cluster", "", "Correlation of the cluster's share with the readout that is tested.");
/// Specificity.
pub const SPECIFICITY: Metric = metric(
    "Specificity",
    "",
    "2 · AUC − 1, averaged over lots: 1 if every cell of the cluster has more of the gene than any other cell, 0 if they do \
     not differ.",
);
/// Fold change.
pub const LOG2_FC: Metric =
    metric("Fold change", "log2", "Mean expression in the cluster against all other cells, averaged over lots.");
/// Share inside.
pub const SHARE_IN: Metric =
    metric("Cells in", "%", "Share of the cluster's cells with at least one count of the gene.");
/// Share outside.
pub const SHARE_OUT: Metric = metric("Cells out", "%", "Share of all other cells with at least one count of the gene.");
/// Lots that agree.
pub const LOTS_UP: Metric =
    metric("Lots up", "", "Lots in which the gene is higher in the cluster, of the lots that take part.");
/// Correlation of the gene itself.
pub const R_GENE: Metric =
    metric("r, gene", "", "Correlation of the gene's expression in the whole lot (pseudobulk) with the readout.");
/// Stability of a candidate.
pub const LOO_TOP20: Metric =
    metric("Stays on top", "", "Runs without one lot in which the gene is among the 20 best, of all such runs.");
/// Measurability.
pub const MEASURABLE: Metric = metric(
    "Measurable",
    "",
    "How without a sequencer: surface (flow cytometry), secreted (ELISA), transcript (qPCR; no source says more). Identity \
     markers of mesenchymal stromal cells are named.",
);
/// Jensen–Shannon distance.
pub const JENSEN_SHANNON: Metric =
    metric("Jensen–Shannon", "", "Distance of the shares from the other lots' mean: 0 alike, 1 no cluster in common.");
/// Aitchison distance.
pub const AITCHISON: Metric =
    metric("Aitchison", "", "The same for ratios of shares, so that rare clusters count as much as common ones.");
/// Energy distance.
pub const ENERGY: Metric = metric("Energy", "", "Distance between the lot's cells and the others' in component space.");
/// Limit of a distance.
pub const LIMIT: Metric = metric("Limit", "", "From the other lots' distances; beyond it the lot is outlying.");
/// Robust z.
pub const ROBUST_Z: Metric =
    metric("z", "", "Distance of the logarithm from the other lots' median, in scaled median absolute deviations.");
/// Error of the energy distance.
pub const ENERGY_ERROR: Metric =
    metric("Error", "", "Standard error of the energy distance where not all cells were used.");
/// Covariate.
pub const COVARIATE: Metric = metric(
    "Covariate",
    "",
    "A quality measure of the lot's cells, or a column of the lot sheet; (word) is the value that counts as 1.",
);
/// Covariate and readout.
pub const R_COVARIATE_READOUT: Metric = metric("r, readout", "", "Correlation of the covariate with the readout.");
/// Covariate and share.
pub const R_COVARIATE_SHARE: Metric = metric("r, share", "", "Correlation of the covariate with the cluster's share.");
/// Share and readout.
pub const R_SHARE_READOUT: Metric =
    metric("r", "", "Correlation of share and readout over the lots that have the covariate.");
/// Given the covariate.
pub const R_PARTIAL: Metric = metric(
    "r given it",
    "",
    "Partial correlation of share and readout given the covariate; – if it is a copy of either.",
);
/// Its p.
pub const P_PARTIAL: Metric = metric("p given it", "", "p of the partial correlation by Student's t.");
/// p alone.
pub const P_ALONE: Metric = metric("p", "", "Permutation p over lots, taken alone.");
/// Neighbourhoods.
pub const N_NEIGHBORHOODS: Metric = metric("Cells", "", "Cells whose neighbourhood took part.");
/// Mean correlation.
pub const MEAN_R: Metric =
    metric("Mean r", "", "Mean correlation of the readout with the abundance around these cells.");
/// Called, rising.
pub const CALLED_UP: Metric =
    metric("Rises", "%", "Cells around which abundance rises with the readout, within the false discovery rate.");
/// Called, falling.
pub const CALLED_DOWN: Metric =
    metric("Falls", "%", "Cells around which abundance falls with the readout, within the false discovery rate.");
/// Caution.
pub const NOTE: Metric = metric("Note", "", "What to keep in mind.");
/// Cells.
pub const N_CELLS: Metric = metric("Cells", "", "Number of cells after quality control.");
/// Cells read.
pub const N_READ: Metric = metric("Cells read", "", "Number of cells in the files.");
/// Cells kept.
pub const N_KEPT: Metric = metric("Kept", "", "Number of cells that passed quality control.");
/// Share kept.
pub const SHARE_KEPT: Metric = metric("Kept", "%", "Share of the cells read that passed quality control.");
/// Counts.
pub const COUNTS: Metric = metric("Counts", "median", "Counts (UMI) per kept cell.");
/// Genes.
pub const GENES: Metric = metric("Genes", "median", "Genes with at least one count per kept cell.");
/// Mitochondrial.
pub const MITO: Metric = metric("Mitochondrial", "median %", "Share of counts from mitochondrial genes per kept cell.");
/// Doublets.
pub const DOUBLETS: Metric = metric("Doublets", "", "Cells that look like two cells in one droplet.");
/// Limits of QC.
pub const LIMITS: Metric = metric(
    "Limits",
    "counts · genes · % mito",
    "A kept cell has at least this many counts and genes, and at most this \
     percentage of mitochondrial counts.",
);
/// Effective lots.
pub const EFFECTIVE_LOTS: Metric = metric(
    "Effective lots",
    "",
    "From how many lots the cluster comes, if all gave equally much (inverse Simpson index of the lots' shares).",
);
/// Cycling.
pub const CYCLING: Metric =
    metric("S or G2M", "%", "Share of the cluster's cells whose S or G2M genes exceed what chance allows.");
/// Markers.
pub const MARKERS: Metric =
    metric("Top markers", "", "Genes that tell the cluster's cells from all others, best first.");
/// Resolution.
pub const RESOLUTION: Metric = metric("Resolution", "", "Higher values give more and smaller clusters.");
/// Clusters found.
pub const N_CLUSTERS: Metric = metric("Clusters", "", "Number of clusters found.");
/// Clusters found again.
pub const N_STABLE: Metric = metric("Found again", "", "Clusters that subsamples of the cells give again.");
/// What the resolution is chosen by.
pub const WORTH: Metric = metric(
    "Worth",
    "",
    "Sum over clusters of how far their Jaccard index in subsamples is above the limit; the largest is chosen.",
);
/// Stability.
pub const STABILITY: Metric =
    metric("Stability", "", "Adjusted Rand index between all cells and subsamples, averaged; 1 = the same clusters.");
/// Quality.
pub const QUALITY: Metric = metric("Modularity", "", "Modularity at this resolution.");
/// Path.
pub const PATH: Metric = metric("File", "", "Path as read.");
/// Hash.
pub const HASH: Metric = metric("SHA-256", "", "Digest of the file's bytes.");
