//! How finely should the cells be divided? The resolution: given, or chosen by what is found again in subsamples.
//!
//! **Method.** At each resolution of a grid the whole graph is partitioned, and so are the graphs of random subsamples of
//! the cells, each anew. A cluster is *stable* if the mean over subsamples of its largest Jaccard index with a cluster
//! there is at least 0.85. Chosen is the resolution with the largest Σ (Jaccard index − 0.85) over its clusters; of equal
//! ones the lowest.
//!
//! *Why this rule.* Stability alone always favours two or three clusters; the most clusters alone favours splinters of a
//! continuum, which differ from subsample to subsample. Each further division is worth it only if the parts are found
//! again, and a part that is not counts against it. A cluster of any size counts one, so that a rare population can
//! tell. A sum, not a count of stable clusters: a count jumps where one of them crosses the limit, by the chance of the
//! subsamples, and then another resolution is chosen. Hennig 2007 calls clusters above 0.85 highly stable; 0.75 lets
//! splinters pass.
//!
//! *How it is cheap.* The sweep works on coarse graphs, whose nodes are small communities at a far higher resolution;
//! only at the chosen resolution the whole graph is partitioned from several starts
//! ([`leiden`](crate::steps::clusters::leiden())).
//!
//! **Shapes.** Graph of n cells → a row per resolution, the chosen one, n labels (clusters named by falling size).
//!
//! **Differences.** scanpy and Seurat ask for a resolution (1 and 0.8).
//!
//! **References.** Hennig 2007, doi:10.1016/j.csda.2006.11.025; Hubert & Arabie 1985, doi:10.1007/BF01908075.

use rand::seq::index::sample;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::math;
use crate::math::absorb::absorb_small;
use crate::math::graph::Graph;
use crate::math::leiden::Coarse;
use crate::math::modularity::modularity;
use crate::math::partition::{Overlap, by_falling_size};
use crate::math::rng::stream;
use crate::steps::clusters::leiden::{best_of_starts, check_resolution};
use crate::steps::clusters::{Clustering, LeidenParams};
use crate::warning::{ResolutionUndecided, Warning};

/// Starts per resolution on coarse graphs; the best is kept.
const COARSE_STARTS: usize = 2;
/// Resolution of the coarse graph, over the highest of the grid: its nodes are then far smaller than any cluster.
const COARSENESS: f64 = 10.0;
/// Two resolutions are as good as each other if their worths differ by less than this many standard errors.
const CLOSE: f64 = 2.0;

/// Parameters of [`resolution`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResolutionParams {
    /// 0 = choose by stability (default); otherwise this one, above 0.
    pub resolution: f64,
    /// Resolutions tried, above 0. Default 0.05 to 2: from a handful of clusters to more than can be told apart.
    pub grid: Vec<f64>,
    /// Subsamples, at least 1. More make the stability steadier. Default 8.
    pub n_subsamples: usize,
    /// Share of cells in a subsample, above 0 and below 1. Default 0.5: subsamples that share most of their cells also
    /// share the chance by which a continuum is cut, so that splinters seem stable.
    pub subsample: f64,
    /// A cluster is stable if its mean Jaccard index with its best match in the subsamples is at least this, 0..1.
    /// Default 0.85, "highly stable" in Hennig 2007.
    pub min_jaccard: f64,
    /// Clusters of fewer cells are joined to the cluster they are tied to most. Default 10: a share of a lot can't be
    /// read from fewer.
    pub min_cells: usize,
}

impl Default for ResolutionParams {
    fn default() -> Self {
        Self {
            resolution: 0.0,
            grid: vec![0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 2.0],
            n_subsamples: 8,
            subsample: 0.5,
            min_jaccard: 0.85,
            min_cells: 10,
        }
    }
}

impl ResolutionParams {
    fn check(&self) -> Result<()> {
        if self.resolution != 0.0 {
            check_resolution(self.resolution)?;
        }
        if self.grid.is_empty() || !self.grid.iter().all(|&r| r > 0.0 && r.is_finite()) {
            return Err(Error::param("resolution.grid", format!("{:?}", self.grid), "one or more numbers above 0"));
        }
        if self.n_subsamples == 0 {
            return Err(Error::param("resolution.n_subsamples", self.n_subsamples, "at least 1"));
        }
        if !(self.subsample > 0.0 && self.subsample < 1.0) {
            return Err(Error::param("resolution.subsample", self.subsample, "a share above 0 and below 1"));
        }
        if !(0.0..=1.0).contains(&self.min_jaccard) {
            return Err(Error::param("resolution.min_jaccard", self.min_jaccard, "a number from 0 to 1"));
        }
        Ok(())
    }
}

/// One resolution of the sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolutionRow {
    /// Resolution.
    pub resolution: f64,
    /// Clusters found.
    pub n_clusters: usize,
    /// Those of them that are found again in the subsamples; 0 if there are none.
    pub n_stable: usize,
    /// Σ over clusters of (mean over subsamples of the largest Jaccard index with a cluster there − `min_jaccard`); NaN if
    /// the resolution was given. The largest is chosen.
    pub worth: f64,
    /// Modularity at this resolution.
    pub quality: f64,
    /// Mean adjusted Rand index between the whole and the subsamples, −1..1; NaN if the resolution was given.
    pub stability: f64,
    /// The chosen one.
    pub chosen: bool,
}

/// Result of [`resolution`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolutionSweep {
    /// One row per resolution tried, rising; a single row if it was given.
    pub rows: Vec<ResolutionRow>,
    /// The chosen resolution.
    pub resolution: f64,
    /// The partition at that resolution.
    pub clustering: Clustering,
    /// Another number of clusters would have done as well.
    pub undecided: Option<Warning>,
}

/// Clusters at the given resolution, or sweeps and chooses.
///
/// ```
/// use cqa::math::graph::Graph;
/// use cqa::steps::clusters::{LeidenParams, ResolutionParams, resolution};
/// // Thirty cells, each joined to all others of its third.
/// let targets: Vec<u32> = (0..30).flat_map(|i| (0..30).filter(move |j| i != *j && i / 10 == j / 10)).collect();
/// let graph = Graph { starts: (0..=30).map(|i| 9 * i).collect(), weights: vec![1.0; targets.len()], targets };
/// let found = resolution(&graph, &ResolutionParams::default(), &LeidenParams::default(), 0)?;
/// assert_eq!(found.clustering.n_clusters, 3);
/// # Ok::<(), cqa::Error>(())
/// ```
pub fn resolution(
    graph: &Graph,
    params: &ResolutionParams,
    leiden: &LeidenParams,
    seed: u64,
) -> Result<ResolutionSweep> {
    params.check()?;
    leiden.check()?;
    if params.resolution != 0.0 {
        let found = best_of_starts(graph, params.resolution, leiden, seed);
        let clustering = without_small(graph, &found.labels, params.resolution, params);
        let (row, _) = row(&clustering, params.resolution, &[], params);
        return Ok(ResolutionSweep {
            rows: vec![ResolutionRow { chosen: true, ..row }],
            resolution: params.resolution,
            clustering,
            undecided: None,
        });
    }
    let mut grid = params.grid.clone();
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    let subsamples = subsamples(graph, &grid, params, seed);
    let coarse = coarse(graph, &grid, seed);
    let (mut rows, mut worths): (Vec<ResolutionRow>, Vec<Vec<f64>>) = grid
        .par_iter()
        .enumerate()
        .map(|(at, &resolution)| {
            let found = coarse.leiden(resolution, COARSE_STARTS, seed);
            let found = math::leiden::leiden(graph, Some(&found), resolution, 1, seed);
            let clustering = without_small(graph, &found.labels, resolution, params);
            row(&clustering, resolution, &partitions_at(&subsamples, at), params)
        })
        .unzip();
    let mut chosen = 0;
    for at in 1..rows.len() {
        if rows[at].worth > rows[chosen].worth {
            chosen = at;
        }
    }
    let found = best_of_starts(graph, grid[chosen], leiden, seed);
    let clustering = without_small(graph, &found.labels, grid[chosen], params);
    let (final_row, worth) = row(&clustering, grid[chosen], &partitions_at(&subsamples, chosen), params);
    rows[chosen] = ResolutionRow { chosen: true, ..final_row };
    worths[chosen] = worth;
    let undecided = undecided(&rows, &worths, chosen);
    Ok(ResolutionSweep { rows, resolution: grid[chosen], clustering, undecided })
}

/// The best resolution with another number of clusters than the chosen one, if half-samples cannot tell which is worth more:
/// the mean difference over them is within two standard errors of it.
fn undecided(rows: &[ResolutionRow], worths: &[Vec<f64>], chosen: usize) -> Option<Warning> {
    let others = (0..rows.len()).filter(|&at| rows[at].n_clusters != rows[chosen].n_clusters);
    let other = others.max_by(|&a, &b| rows[a].worth.total_cmp(&rows[b].worth))?;
    let leads: Vec<f64> = worths[chosen].iter().zip(&worths[other]).map(|(a, b)| a - b).collect();
    let n = leads.len() as f64;
    let lead = leads.iter().sum::<f64>() / n;
    let error = (leads.iter().map(|l| (l - lead).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
    (n > 1.0 && lead <= CLOSE * error).then(|| {
        Warning::ResolutionUndecided(ResolutionUndecided {
            resolution: rows[chosen].resolution,
            n_clusters: rows[chosen].n_clusters,
            other: rows[other].resolution,
            n_other: rows[other].n_clusters,
            lead,
            error,
        })
    })
}

/// A random part of the cells, partitioned at every resolution.
struct Subsample {
    /// The cells, rising.
    cells: Vec<u32>,
    /// Per resolution: labels of these cells.
    partitions: Vec<Vec<u32>>,
}

fn subsamples(graph: &Graph, grid: &[f64], params: &ResolutionParams, seed: u64) -> Vec<Subsample> {
    let n = graph.n_nodes();
    let n_kept = (params.subsample * n as f64).round() as usize;
    (0..params.n_subsamples as u64)
        .into_par_iter()
        .map(|i| {
            let mut rng = stream(seed, "resolution subsample", i);
            let mut cells: Vec<u32> = sample(&mut rng, n, n_kept).into_iter().map(|cell| cell as u32).collect();
            cells.sort_unstable();
            let part = graph.subgraph(&cells);
            let seed = seed.wrapping_mul(1_000_003).wrapping_add(i + 1);
            let coarse = coarse(&part, grid, seed);
            let partitions = grid.iter().map(|&r| by_falling_size(&coarse.leiden(r, COARSE_STARTS, seed)).0).collect();
            Subsample { cells, partitions }
        })
        .collect()
}

/// The small graph on which resolutions are tried.
fn coarse(graph: &Graph, grid: &[f64], seed: u64) -> Coarse {
    let finest = grid.iter().copied().fold(0.0, f64::max);
    Coarse::new(graph, COARSENESS * finest, seed)
}

/// (cells, labels) of each subsample at one resolution.
fn partitions_at(subsamples: &[Subsample], at: usize) -> Vec<(&[u32], &[u32])> {
    subsamples.iter().map(|s| (s.cells.as_slice(), s.partitions[at].as_slice())).collect()
}

/// Compares a partition of the whole with those of the subsamples; also the worth in each of these.
fn row(
    whole: &Clustering,
    resolution: f64,
    subsamples: &[(&[u32], &[u32])],
    params: &ResolutionParams,
) -> (ResolutionRow, Vec<f64>) {
    let (mut stability, mut worths) = (0.0, Vec::with_capacity(subsamples.len()));
    // Per cluster: sum of Jaccard indices, subsamples that hold cells of it.
    let mut again = vec![(0.0, 0.0); whole.n_clusters];
    for (cells, part) in subsamples {
        let here: Vec<u32> = cells.iter().map(|&cell| whole.labels[cell as usize]).collect();
        let n_parts = part.iter().max().map_or(0, |&l| l as usize + 1);
        let overlap = Overlap::new(&here, whole.n_clusters, part, n_parts);
        stability += overlap.adjusted_rand();
        let mut worth = 0.0;
        for (again, jaccard) in again.iter_mut().zip(overlap.best_jaccard()) {
            if !jaccard.is_nan() {
                *again = (again.0 + jaccard, again.1 + 1.0);
                worth += jaccard - params.min_jaccard;
            }
        }
        worths.push(worth);
    }
    // A cluster of which no subsample holds a cell is not found again.
    let jaccard: Vec<f64> = again.iter().map(|(sum, n)| if *n > 0.0 { sum / n } else { 0.0 }).collect();
    let worth = jaccard.iter().map(|j| j - params.min_jaccard).sum();
    let row = ResolutionRow {
        resolution,
        n_clusters: whole.n_clusters,
        n_stable: jaccard.iter().filter(|j| **j >= params.min_jaccard).count(),
        worth: if subsamples.is_empty() { f64::NAN } else { worth },
        quality: whole.quality,
        stability: stability / subsamples.len() as f64,
        chosen: false,
    };
    (row, worths)
}

/// Joins clusters of too few cells to others, and names the rest by size.
fn without_small(graph: &Graph, labels: &[u32], resolution: f64, params: &ResolutionParams) -> Clustering {
    let (labels, n_clusters) = by_falling_size(&absorb_small(graph, labels, params.min_cells));
    let quality = modularity(graph, &labels, resolution);
    Clustering { labels, n_clusters, quality }
}

#[cfg(test)]
mod tests;
