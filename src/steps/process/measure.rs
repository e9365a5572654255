//! Measures of a new cell against a frame: nearest cluster, votes, and how far it is from being one of the reference's.
//!
//! **Question.** Which cluster is this cell most like, and is it like it at all?
//!
//! **Method.** Log-normalised values of the variable genes are projected with the frozen mean, standard deviation, centre
//! and loadings (a gene that the lot lacks enters with the reference's mean); all cells of the lot are corrected together as
//! one new batch ([`crate::math::soft_clusters`]); `n_neighbors` index cells vote. Since correction draws any cell to the
//! reference, three more things are measured:
//! - *distance*: mean distance to the neighbours, after correction;
//! - *displacement*: √(mean over components of ((x − mean)/sd)²) of the components before correction, with mean and standard
//!   deviation of the nearest cluster over all lots;
//! - *misfit*: with c the cell's counts, N their sum, p the cluster's share of counts of each gene and a = 1/(p + 10⁻⁴),
//!   U = Σ a (c(c − 1)/(N(N − 1)) − 2 p c/N + p²), which estimates Σ a (q − p)² without bias, q being the cell's own
//!   expression: its expectation is the same at every depth. All genes take part, not the variable ones only.
//!
//! **Shapes.** Cells × genes of one lot on the frame's axis → one entry per cell.
//!
//! **Beside other tools.** Symphony and `ingest` vote alone; scArches and Azimuth measure distances in the latent space only.
//!
//! **References.** Kang 2021, doi:10.1038/s41467-021-25957-x; Hoeffding 1948, doi:10.1214/aoms/1177730196 (unbiased
//! estimates by pairs of counts).

use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

use super::frame::Frame;
use crate::data::{Counts, places_of_genes};
use crate::math::knn::knn_between;
use crate::math::principal_components::PrincipalComponents;
use crate::math::sparse_rows::SparseRows;
use crate::steps::cells::normalize::pick_log_scaled;

/// Cells per task.
const CHUNK: usize = 256;
/// Added to a gene's share of counts in the weight of the misfit: a gene below one count in 10,000 weighs no more than it.
const FLOOR: f64 = 1e-4;
/// No cluster has its standard deviation in a component below this share of that of all cells.
const MIN_SPREAD: f64 = 0.05;

/// Measures of the cells of one lot; all have one entry per cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Cluster with most votes; of equal ones that of the nearest cells.
    pub nearest: Vec<u32>,
    /// Its votes, 1 to `n_neighbors`.
    pub votes: Vec<u16>,
    /// Mean distance to the neighbours.
    pub distance: Vec<f32>,
    /// Distance before correction from the nearest cluster, in its standard deviations.
    pub displacement: Vec<f32>,
    /// Estimated squared distance of the cell's expression from the nearest cluster's.
    pub misfit: Vec<f32>,
    /// Counts of the cell.
    pub n_counts: Vec<f32>,
    /// Cells × components, corrected.
    pub embedding: Array2<f32>,
    /// Cells × 2: place on the reference's map; NaN if it has none.
    pub umap: Array2<f32>,
}

/// A frame made ready for lots that have the same genes.
pub struct Placer<'a> {
    frame: &'a Frame,
    target_sum: f64,
    n_neighbors: usize,
    /// Per gene of the axis: column among the variable genes found; `u32::MAX` = none.
    column_of_gene: Vec<u32>,
    components: PrincipalComponents,
    /// Clusters × genes: a; 0 for a gene that the lots lack.
    weights: Vec<Vec<f32>>,
    /// Per cluster: Σ (a p)².
    effective_genes: Vec<f64>,
    /// Per cluster: Σ a p².
    constant: Vec<f64>,
}

impl<'a> Placer<'a> {
    /// `has_gene`: whether the lots have each gene of the axis.
    pub fn new(frame: &'a Frame, has_gene: &[bool], target_sum: f64, n_neighbors: usize) -> Self {
        let found: Vec<usize> = (0..frame.genes.len()).filter(|&j| has_gene[frame.genes[j] as usize]).collect();
        let genes: Vec<u32> = found.iter().map(|&j| frame.genes[j]).collect();
        let column_of_gene = places_of_genes(&genes, has_gene.len());
        let all = &frame.components;
        let pick = |values: &[f64]| found.iter().map(|&j| values[j]).collect();
        let components = PrincipalComponents {
            loadings: all.loadings.select(ndarray::Axis(0), &found),
            mean: pick(&all.mean),
            standard_deviation: pick(&all.standard_deviation),
            center: pick(&all.center),
            ..all.clone()
        };
        let (mut weights, mut effective_genes, mut constant) = (Vec::new(), Vec::new(), Vec::new());
        for counts in frame.profiles.rows() {
            let (of_genes, effective, sum) = misfit_weights(counts, has_gene);
            weights.push(of_genes);
            effective_genes.push(effective);
            constant.push(sum);
        }
        Self { frame, target_sum, n_neighbors, column_of_gene, components, weights, effective_genes, constant }
    }

    /// Number of genes that count in a cluster's misfit, in effect: Σ (a p)². The variance of the misfit of a cell drawn
    /// from the cluster's expression is twice this over N².
    pub fn effective_genes(&self, cluster: usize) -> f64 {
        self.effective_genes[cluster]
    }

    /// Measures every cell of a lot. Cells have counts.
    pub fn measure(&self, counts: &Counts) -> Measured {
        let n = counts.n_cells();
        let totals: Vec<f64> =
            (0..n).into_par_iter().with_min_len(CHUNK).map(|cell| counts.total(cell) as f64).collect();
        let rows = SparseRows::from_fn(n, self.components.mean.len(), |cell, out| {
            let scale = if totals[cell] > 0.0 { self.target_sum / totals[cell] } else { 0.0 };
            pick_log_scaled(counts.row(cell), scale, &self.column_of_gene, out);
        });
        let scores = self.components.project(&rows);
        let embedding = self.correct(&scores);
        let index = &self.frame.index;
        let found = knn_between(embedding.view(), index.points.view(), self.n_neighbors);
        let n_clusters = self.frame.profiles.nrows();
        let (k, indices, distances) = (found.k, &found.indices, &found.distances);
        let cells: Vec<OfCell> = (0..n)
            .into_par_iter()
            .with_min_len(CHUNK)
            .map_init(
                || vec![(0_u16, 0.0_f32); n_clusters],
                |tally, cell| {
                    let range = cell * k..(cell + 1) * k;
                    let mut out = self.vote(&indices[range.clone()], &distances[range], tally);
                    out.displacement = self.displacement(scores.row(cell), out.nearest as usize);
                    out
                },
            )
            .collect();
        // Cluster by cluster, so that its weights stay in the cache.
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_by_key(|&cell| cells[cell as usize].nearest);
        let found: Vec<f32> = order
            .par_iter()
            .with_min_len(CHUNK)
            .map(|&cell| {
                self.misfit(counts, cell as usize, totals[cell as usize], cells[cell as usize].nearest as usize)
            })
            .collect();
        let mut misfit = vec![0.0; n];
        order.iter().zip(found).for_each(|(&cell, value)| misfit[cell as usize] = value);
        Measured {
            nearest: cells.iter().map(|c| c.nearest).collect(),
            votes: cells.iter().map(|c| c.votes).collect(),
            distance: cells.iter().map(|c| c.distance).collect(),
            displacement: cells.iter().map(|c| c.displacement).collect(),
            misfit,
            n_counts: totals.iter().map(|&total| total as f32).collect(),
            umap: Array2::from_shape_fn((n, 2), |(cell, axis)| cells[cell].umap[axis]),
            embedding,
        }
    }

    fn correct(&self, scores: &Array2<f32>) -> Array2<f32> {
        let Some(soft) = &self.frame.soft else { return scores.clone() };
        let corrected = soft.correct(scores.as_slice().expect("scores are in standard layout"));
        Array2::from_shape_vec(scores.dim(), corrected).expect("cells × components")
    }

    /// `tally`: votes and distances per cluster, all 0 before and after.
    fn vote(&self, indices: &[u32], distances: &[f32], tally: &mut [(u16, f32)]) -> OfCell {
        let index = &self.frame.index;
        for (&i, &distance) in indices.iter().zip(distances) {
            let entry = &mut tally[index.cluster[i as usize] as usize];
            entry.0 += 1;
            entry.1 += distance;
        }
        let mut best = 0;
        for k in 1..tally.len() {
            if tally[k].0 > tally[best].0 || (tally[k].0 == tally[best].0 && tally[k].1 < tally[best].1) {
                best = k;
            }
        }
        let votes = tally[best].0;
        tally.fill((0, 0.0));
        // The map shows a cell among the neighbours of its own cluster, nearer ones counting more.
        let (mut place, mut sum, mut all) = ([0.0_f32; 2], 0.0, 0.0);
        for (&i, &distance) in indices.iter().zip(distances) {
            all += distance;
            if index.cluster[i as usize] as usize == best {
                let weight = 1.0 / (distance + f32::EPSILON);
                sum += weight;
                (0..2).for_each(|axis| place[axis] += weight * index.umap[[i as usize, axis]]);
            }
        }
        OfCell {
            nearest: best as u32,
            votes,
            distance: all / indices.len().max(1) as f32,
            displacement: 0.0,
            umap: place.map(|x| x / sum),
        }
    }

    fn displacement(&self, point: ArrayView1<'_, f32>, cluster: usize) -> f32 {
        let frame = self.frame;
        let d = point.len();
        let squares: f64 = (0..d)
            .map(|j| {
                let least = MIN_SPREAD * self.components.variance[j].sqrt();
                ((f64::from(point[j]) - frame.center[[cluster, j]]) / frame.spread[[cluster, j]].max(least)).powi(2)
            })
            .sum();
        (squares / d.max(1) as f64).sqrt() as f32
    }

    fn misfit(&self, counts: &Counts, cell: usize, total: f64, cluster: usize) -> f32 {
        if total < 2.0 {
            return f32::INFINITY;
        }
        // With a = 1/(p + f) is a p = 1 − f a, so that Σ a p c = N − f Σ a c: one weight per gene is enough.
        let weights = &self.weights[cluster];
        let (mut once, mut twice) = (0.0_f64, 0.0_f64);
        counts.row(cell).for_each(|gene, count| {
            let count = count as f32;
            let weighted = weights[gene as usize] * count;
            once += f64::from(weighted);
            twice += f64::from(weighted * count);
        });
        let (pairs, singles) = (twice - once, 2.0 * (total - FLOOR * once));
        (pairs / (total * (total - 1.0)) - singles / total + self.constant[cluster]) as f32
    }
}

struct OfCell {
    nearest: u32,
    votes: u16,
    distance: f32,
    displacement: f32,
    umap: [f32; 2],
}

/// a per gene, Σ (a p)² and Σ a p², of the genes that there are.
fn misfit_weights(counts: ArrayView1<'_, u64>, has_gene: &[bool]) -> (Vec<f32>, f64, f64) {
    let total: u64 = counts.iter().zip(has_gene).filter(|(_, has)| **has).map(|(count, _)| count).sum();
    let (mut effective, mut constant) = (0.0, 0.0);
    let weights = counts
        .iter()
        .zip(has_gene)
        .map(|(&count, &has)| {
            if !has {
                return 0.0;
            }
            let p = count as f64 / total.max(1) as f64;
            let a = 1.0 / (p + FLOOR);
            effective += (a * p).powi(2);
            constant += a * p * p;
            a as f32
        })
        .collect();
    (weights, effective, constant)
}
