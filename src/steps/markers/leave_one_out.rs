//! Leave one lot out: how clusters, associations and candidates fare on roads walked without each lot.
//!
//! **Question.** Does a result rest on one lot? Clusters are found on the cells of all lots, so leaving a lot out of the
//! last correlation only is not enough: the genes, the components and the clusters themselves may be that lot's.
//!
//! **Method.** What is dropped is a unit: a lot, or all lots of a donor (or of another column that says which lots are one,
//! `association.unit`), since the other lots of a donor would stand in for the one that is gone. For each unit dropped: variable genes, components, integration, graph, clusters at the resolution of the
//! full run (not chosen anew) and effects. Clusters are matched one to one with those of the full run, so that matched
//! clusters share as many cells as possible (assignment problem), on the cells that both have; a cluster is *found again*
//! where the Jaccard index of the match reaches a limit (`verdict.min_jaccard`). For a readout: r of the matched cluster's share over the
//! lots left (or what else is tested in the full run, with its units, blocks and covariates), and the ranking of genes of that run (all of its clusters, matched or not).
//!
//! *What is kept of a run.* Cells per lot and cluster, and few genes. A gene among the 20 best of all is among the 20 of
//! largest specificity of its best cluster, whatever the correlations. Which genes are expressed widely enough is a
//! parameter of the ranking, so those are kept that fewer than 20 genes of at least their share surpass: they hold the
//! 20 most specific for every smallest share.
//!
//! **Shapes.** Labels of the full run and of each run, clusters × genes of effects → one [`RunWithout`] per lot; with a
//! readout → clusters × runs.
//!
//! **Beside other tools.** scanpy and Seurat have no such step.
//!
//! **References.** Hennig 2007, doi:10.1016/j.csda.2006.11.025 (Jaccard index of clusters found again); Kuhn 1955,
//! doi:10.1002/nav.3800020109 (assignment).

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::math::partition::Overlap;
use crate::steps::lots::{FoundAgain, Units};
use crate::steps::markers::{Division, Effects};

/// Fewest lots: with three left a correlation is still defined.
pub const MIN_LOTS: usize = 4;
/// Candidates at the top whose stability is counted.
pub const N_TOP: usize = 20;

/// Parameters of the roads without each lot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeaveOneOutParams {
    /// Off = not walked. Default on: it takes about as long as the run itself.
    pub enabled: bool,
}

impl Default for LeaveOneOutParams {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// The roads without each lot.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaveOneOut {
    /// One per unit left out, in the order of the sheet; one without cells has none.
    pub runs: Vec<RunWithout>,
    /// Lots of each unit without which the road could not be walked.
    pub failed: Vec<Vec<usize>>,
}

impl LeaveOneOut {
    /// Clusters of the full run.
    pub fn n_clusters(&self) -> usize {
        self.runs.first().map_or(0, |run| run.matches.len())
    }

    /// Roads asked for, those that failed included.
    pub fn n_asked(&self) -> usize {
        self.runs.len() + self.failed.len()
    }

    /// Whether some road, walked or failed, lacks each unit as a whole (each block, where lots are compared within units).
    pub fn covers(&self, units: &Units) -> bool {
        let lacked = |lots: &[usize]| {
            let mut roads = self.runs.iter().map(|run| &run.lots).chain(&self.failed);
            lots.is_empty() || roads.any(|road| lots.iter().all(|lot| road.contains(lot)))
        };
        let walkable = |lot: &usize| self.runs.iter().any(|run| run.n_cells.row(*lot).iter().any(|n| *n > 0));
        let with_cells = |lots: &mut dyn Iterator<Item = usize>| lots.filter(walkable).collect::<Vec<usize>>();
        if units.block.is_empty() || units.block != units.column {
            return units.lots.iter().all(|lots| lacked(&with_cells(&mut lots.iter().copied())));
        }
        let of_block = |block: usize| {
            let rows = (0..units.blocks.len()).filter(move |&row| units.blocks[row] == Some(block));
            with_cells(&mut rows.flat_map(|row| units.lots[row].iter().copied()))
        };
        units.blocks.iter().flatten().all(|&block| lacked(&of_block(block)))
    }

    /// Runs in which a cluster of the full run is found again.
    pub fn n_found(&self, cluster: usize, min_jaccard: f64) -> usize {
        self.runs.iter().filter(|run| run.is_found(cluster, min_jaccard)).count()
    }
}

/// What is kept of the road without one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct RunWithout {
    /// The lots left out.
    pub lots: Vec<usize>,
    /// Per cluster of the full run: the cluster of this run that it is matched with; `None` if they share no cell.
    pub matches: Vec<Option<usize>>,
    /// Per cluster of the full run: Jaccard index with its match, 0 without one; NaN if the lots left out hold all of
    /// the cluster's cells.
    pub jaccard: Vec<f64>,
    /// Lots (all) × clusters of this run: number of cells; 0 for lots left out.
    pub n_cells: Array2<u64>,
    /// Per cluster of this run: the genes that may be among the best, by falling share of cells that express them.
    pub genes: Vec<Vec<TopGene>>,
}

impl RunWithout {
    /// Whether a cluster of the full run is found again.
    pub fn is_found(&self, cluster: usize, min_jaccard: f64) -> bool {
        self.matches[cluster].is_some() && self.jaccard[cluster] >= min_jaccard
    }
}

/// A gene that may be among the best of its cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopGene {
    /// Gene index.
    pub gene: u32,
    /// Lot-averaged AUC, above one half.
    pub auc: f32,
    /// Lot-averaged log2 fold change.
    pub log2_fc: f32,
    /// Share of the cluster's cells with a count.
    pub share_in: f32,
}

/// Compares a run without some lots with the full run. `offsets` has the first cell of each lot and the number of cells.
pub fn run_without(full: Division<'_>, run: Division<'_>, offsets: &[usize], effects: &Effects) -> RunWithout {
    let others: Vec<usize> = (0..offsets.len() - 1).filter(|lot| !run.without.contains(lot)).collect();
    let left = |labels: &[u32]| -> Vec<u32> {
        others.iter().flat_map(|&lot| labels[offsets[lot]..offsets[lot + 1]].iter().copied()).collect()
    };
    let overlap = Overlap::new(&left(full.labels), full.n_clusters, &left(run.labels), run.n_clusters);
    let matches = overlap.assignment();
    let jaccard = matches.iter().enumerate().map(|(k, matched)| match matched {
        _ if overlap.sizes_a[k] == 0 => f64::NAN,
        None => 0.0,
        Some(m) => {
            let both = overlap.shared[k][*m];
            both as f64 / (overlap.sizes_a[k] + overlap.sizes_b[*m] - both) as f64
        }
    });
    let mut n_cells = Array2::zeros((offsets.len() - 1, run.n_clusters));
    for other in others {
        for &label in &run.labels[offsets[other]..offsets[other + 1]] {
            n_cells[[other, label as usize]] += 1;
        }
    }
    let genes = (0..run.n_clusters).map(|cluster| possible_top(effects, cluster)).collect();
    RunWithout { lots: run.without.to_vec(), jaccard: jaccard.collect(), matches, n_cells, genes }
}

/// Genes that fewer than [`N_TOP`] genes of at least their share of expressing cells surpass in AUC.
fn possible_top(effects: &Effects, cluster: usize) -> Vec<TopGene> {
    let at = |gene: usize| TopGene {
        gene: gene as u32,
        auc: effects.auc[[cluster, gene]],
        log2_fc: effects.log2_fc[[cluster, gene]],
        share_in: effects.share_in[[cluster, gene]],
    };
    let mut genes: Vec<TopGene> = (0..effects.auc.ncols()).map(at).filter(|g| g.auc > 0.5).collect();
    genes.sort_by(|a, b| b.share_in.total_cmp(&a.share_in).then(a.gene.cmp(&b.gene)));
    let (mut kept, mut highest): (Vec<TopGene>, Vec<f32>) = (Vec::new(), Vec::new());
    for equal in genes.chunk_by(|a, b| a.share_in == b.share_in) {
        for gene in equal {
            highest.insert(highest.partition_point(|&auc| auc >= gene.auc), gene.auc);
            highest.truncate(N_TOP);
        }
        // Ties with the last one stay, whichever way they are broken later.
        let lowest = if highest.len() < N_TOP { 0.0 } else { highest[N_TOP - 1] };
        kept.extend(equal.iter().filter(|gene| gene.auc >= lowest));
    }
    kept
}

/// What becomes of clusters and candidates of one readout when a lot is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Stability {
    /// Roads asked for, those that failed included.
    pub n_runs: usize,
    /// One per cluster of the full run.
    pub clusters: Vec<FoundAgain>,
    /// Cluster by cluster, run by run.
    pub pulls: Vec<Pull>,
    /// Per run: the best genes, best first, at most [`N_TOP`].
    pub top: Vec<Vec<u32>>,
}

/// A cluster in the run without one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Pull {
    /// Cluster of the full run.
    pub cluster: usize,
    /// The lots left out.
    pub lots: Vec<usize>,
    /// Effect of the matched cluster over the lots left; NaN without a match, or where it is undefined.
    pub r: f64,
    /// Jaccard index of the match.
    pub jaccard: f64,
    /// Found again.
    pub found: bool,
}

impl Stability {
    /// In how many runs a gene is among the best.
    pub fn n_top(&self, gene: u32) -> u32 {
        self.top.iter().filter(|top| top.contains(&gene)).count() as u32
    }
}

/// Effect of each cluster of a run (lots × clusters of cells) without some lots.
pub type EffectsWithout<'a> = dyn Fn(&Array2<u64>, &[usize]) -> Vec<f64> + 'a;

/// Meets a readout with the runs without each lot. `effects` gives the effect of each cluster of a run (lots × clusters of
/// cells, the lots left out) as it is asked for in the full run, NaN where there is none; `strength` makes of an effect what
/// the ranking weighs with; `of_run` is the effect of each cluster of the full run. A gene must be expressed by at least
/// `min_share` of a cluster's cells; a cluster is found again from a Jaccard index of `min_jaccard` on.
pub fn stability(
    leave_one_out: &LeaveOneOut,
    effects: &EffectsWithout<'_>,
    strength: &dyn Fn(f64) -> f64,
    of_run: &[f64],
    min_share: f64,
    min_jaccard: f64,
) -> Stability {
    let correlations: Vec<Vec<f64>> = leave_one_out.runs.iter().map(|run| effects(&run.n_cells, &run.lots)).collect();
    let mut pulls = Vec::new();
    for cluster in 0..leave_one_out.n_clusters() {
        for (run, r) in leave_one_out.runs.iter().zip(&correlations) {
            pulls.push(Pull {
                cluster,
                lots: run.lots.clone(),
                r: run.matches[cluster].map_or(f64::NAN, |matched| r[matched]),
                jaccard: run.jaccard[cluster],
                found: run.is_found(cluster, min_jaccard),
            });
        }
    }
    let n_runs = leave_one_out.n_asked();
    let clusters = pulls.chunks(leave_one_out.runs.len().max(1)).zip(of_run).map(|(pulls, of_run)| {
        let found: Vec<f64> = pulls.iter().filter(|p| p.found).map(|p| p.r).collect();
        FoundAgain {
            n_runs,
            n_found: found.len(),
            r_min: found.iter().copied().fold(f64::NAN, f64::min),
            r_max: found.iter().copied().fold(f64::NAN, f64::max),
            // Written so that an r that is missing has no sign.
            same_sign: found.iter().all(|again| again * of_run > 0.0),
        }
    });
    let top = leave_one_out.runs.iter().zip(&correlations).map(|(run, r)| {
        let strengths: Vec<f64> = r.iter().map(|&r| strength(r)).collect();
        best_genes(&run.genes, &strengths, min_share)
    });
    Stability { n_runs, clusters: clusters.collect(), top: top.collect(), pulls }
}

/// The genes that a ranking of the run puts first: by strength × specificity in their best cluster, then fold change, then
/// gene, as [`mod@crate::steps::markers::ranking`] does.
fn best_genes(genes: &[Vec<TopGene>], strengths: &[f64], min_share: f64) -> Vec<u32> {
    let mut best: Vec<(u32, f64, f32)> = Vec::new();
    for (genes, strength) in genes.iter().zip(strengths) {
        for gene in genes.iter().filter(|g| f64::from(g.share_in) >= min_share) {
            let score = strength * (2.0 * f64::from(gene.auc) - 1.0);
            if score > 0.0 {
                best.push((gene.gene, score, gene.log2_fc));
            }
        }
    }
    // Per gene the best cluster, of equal ones the first.
    best.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    best.dedup_by_key(|b| b.0);
    best.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.2.total_cmp(&a.2)).then(a.0.cmp(&b.0)));
    best.into_iter().take(N_TOP).map(|b| b.0).collect()
}

#[cfg(test)]
mod tests;
