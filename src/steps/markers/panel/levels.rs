//! Cells as the search sees them: levels of the candidate genes, lot by lot, the cluster's cells first.

use rayon::prelude::*;

use super::{Distribution, LotCount, PanelParams};
use crate::data::{Dataset, Row, places_of_genes};
use crate::math::conjunctions::{Condition, Segment};
use crate::steps::cells::Normalized;

/// Thresholds end here: beyond it lie single mitochondrial genes.
const LAST_THRESHOLD: f64 = 6.0;

/// Weight of all cells of all lots together.
const WEIGHT: u64 = 1 << 51;

/// Lots whose counts by level are held at a time.
const LOTS_AT_ONCE: usize = 8;

/// Lots to choose on.
pub(super) struct Problem {
    /// The lot left out.
    pub left_out: Option<usize>,
    /// Weights of the cells.
    pub segments: Vec<Segment>,
    /// Candidates, as indices into [`Levels::genes`].
    pub features: Vec<u32>,
}

/// Levels of the candidates.
pub(super) struct Levels {
    /// Threshold of each level: a level above it is a value above it.
    pub thresholds: Vec<f64>,
    pub n_levels: usize,
    /// Genes that are a candidate of some problem.
    pub genes: Vec<u32>,
    /// Per such gene: level of each cell.
    pub columns: Vec<Vec<u8>>,
    /// All lots, then all but each.
    pub problems: Vec<Problem>,
    /// Per lot: cells of the cluster, other cells.
    pub lot_sizes: Vec<(usize, usize)>,
}

impl Levels {
    pub fn new(
        dataset: &Dataset,
        normalized: &Normalized,
        inside: &[bool],
        allowed: &[bool],
        params: &PanelParams,
    ) -> Self {
        let n_steps = (LAST_THRESHOLD / params.step).round() as usize;
        let thresholds: Vec<f64> = (0..=n_steps).map(|i| i as f64 * params.step).collect();
        let cells = Cells { dataset, normalized, inside, thresholds: &thresholds };
        let lot_sizes: Vec<(usize, usize)> = (0..dataset.n_lots()).map(|lot| cells.lot_size(lot)).collect();
        let n_full = lot_sizes.iter().filter(|size| size.0 + size.1 > 0).count();
        let left_out: Vec<Option<usize>> = std::iter::once(None)
            .chain((0..dataset.n_lots()).filter(|&lot| lot_sizes[lot] != (0, 0) && n_full > 1).map(Some))
            .collect();
        let candidates = cells.candidates(&lot_sizes, &left_out, allowed, params);
        let mut genes: Vec<u32> = candidates.iter().flatten().copied().collect();
        genes.sort_unstable();
        genes.dedup();
        let columns = cells.columns(&genes, &lot_sizes);
        let problem = |(left_out, candidates): (Option<usize>, Vec<u32>)| {
            let feature = |gene: &u32| genes.binary_search(gene).expect("every candidate has a column") as u32;
            let features = candidates.iter().map(feature).collect();
            Problem { left_out, segments: segments(&lot_sizes, left_out), features }
        };
        let problems = left_out.into_iter().zip(candidates).map(problem).collect();
        Self { n_levels: thresholds.len() + 1, thresholds, genes, columns, problems, lot_sizes }
    }

    /// The cells of a lot under conditions.
    pub fn count(&self, lot: usize, conditions: &[Condition]) -> LotCount {
        let start: usize = self.lot_sizes[..lot].iter().map(|size| size.0 + size.1).sum();
        let (n_cluster, n_others) = self.lot_sizes[lot];
        let passes = |cell: &usize| conditions.iter().all(|c| c.holds(self.columns[c.feature as usize][*cell]));
        let middle = start + n_cluster;
        let n_both = (start..middle).filter(passes).count() as u64;
        let n_others_gated = (middle..middle + n_others).filter(passes).count() as u64;
        LotCount {
            n_cells: (n_cluster + n_others) as u64,
            n_cluster: n_cluster as u64,
            n_gated: n_both + n_others_gated,
            n_both,
        }
    }
}

impl Levels {
    /// Of each of these genes alone, and of each two.
    pub fn distributions(&self, genes: &[u32]) -> Vec<Distribution> {
        let alone = genes.iter().map(|&gene| vec![gene]);
        let pairs = (0..genes.len()).flat_map(|i| genes[i + 1..].iter().map(move |&other| vec![genes[i], other]));
        alone.chain(pairs).map(|genes| self.distribution(genes)).collect()
    }

    fn distribution(&self, genes: Vec<u32>) -> Distribution {
        let column =
            |gene: &u32| &self.columns[self.genes.binary_search(gene).expect("a gene of a panel has a column")];
        let columns: Vec<&Vec<u8>> = genes.iter().map(column).collect();
        let n_bins = self.n_levels.pow(columns.len() as u32);
        let (mut inside, mut outside) = (vec![0.0; n_bins], vec![0.0; n_bins]);
        let mut cell = 0;
        for &(n_inside, n_outside) in &self.lot_sizes {
            for (n, bins) in [(n_inside, &mut inside), (n_outside, &mut outside)] {
                for _ in 0..n {
                    let bin = columns.iter().fold(0, |bin, column| bin * self.n_levels + usize::from(column[cell]));
                    bins[bin] += 1.0 / (n_inside + n_outside) as f64;
                    cell += 1;
                }
            }
        }
        for bins in [&mut inside, &mut outside] {
            let total: f64 = bins.iter().sum();
            bins.iter_mut().for_each(|share| *share /= total);
        }
        Distribution { genes, inside, outside }
    }
}

/// Every lot weighs the same, but for one that is left out.
fn segments(lot_sizes: &[(usize, usize)], left_out: Option<usize>) -> Vec<Segment> {
    let mut end = 0;
    let mut segments = Vec::with_capacity(2 * lot_sizes.len());
    for (lot, &(n_inside, n_outside)) in lot_sizes.iter().enumerate() {
        let weight = match n_inside + n_outside {
            n if n == 0 || left_out == Some(lot) => 0,
            n => WEIGHT / (lot_sizes.len() * n) as u64,
        };
        for (n, inside) in [(n_inside, true), (n_outside, false)] {
            end += n;
            segments.push(Segment { end, weight, inside });
        }
    }
    segments
}

struct Cells<'a> {
    dataset: &'a Dataset,
    normalized: &'a Normalized,
    inside: &'a [bool],
    thresholds: &'a [f64],
}

/// Counts below this are looked up, per cell.
const N_TABLE: usize = 16;

impl Cells<'_> {
    fn lot_size(&self, lot: usize) -> (usize, usize) {
        let cells = &self.inside[self.dataset.offsets()[lot]..self.dataset.offsets()[lot + 1]];
        let n_inside = cells.iter().filter(|i| **i).count();
        (n_inside, cells.len() - n_inside)
    }

    /// Calls `f(gene, level)` for each non-zero of a cell.
    fn for_each_level(&self, cell: usize, row: Row<'_>, mut f: impl FnMut(u32, u8)) {
        let level = |count: u32| {
            let value = f64::from(self.normalized.value(cell, count));
            self.thresholds.partition_point(|threshold| value > *threshold) as u8
        };
        let table: [u8; N_TABLE] = std::array::from_fn(|count| level(count as u32));
        row.for_each(|gene, count| f(gene, table.get(count as usize).copied().unwrap_or_else(|| level(count))));
    }

    /// Cells of a lot by gene, level above 0, and inside or not.
    fn by_level(&self, lot: usize) -> Vec<u32> {
        let n_steps = self.thresholds.len();
        let mut counts = vec![0; self.dataset.n_genes() * n_steps * 2];
        let start = self.dataset.offsets()[lot];
        let rows = &self.dataset.lots()[lot].counts;
        for cell in 0..rows.n_cells() {
            let side = usize::from(self.inside[start + cell]);
            self.for_each_level(start + cell, rows.row(cell), |gene, level| {
                // A value can round to 0.
                if level > 0 {
                    counts[(gene as usize * n_steps + usize::from(level) - 1) * 2 + side] += 1;
                }
            });
        }
        counts
    }

    /// Calls `f` with the counts by level of each lot, in order.
    fn for_each_lot(&self, mut f: impl FnMut(usize, &[u32])) {
        for first in (0..self.dataset.n_lots()).step_by(LOTS_AT_ONCE) {
            let lots = first..self.dataset.n_lots().min(first + LOTS_AT_ONCE);
            let counted: Vec<Vec<u32>> = lots.clone().into_par_iter().map(|lot| self.by_level(lot)).collect();
            lots.zip(&counted).for_each(|(lot, counts)| f(lot, counts));
        }
    }

    /// For all lots and without each: the allowed genes whose best gate separates most, at most so many, by index.
    fn candidates(
        &self,
        lot_sizes: &[(usize, usize)],
        left_out: &[Option<usize>],
        allowed: &[bool],
        params: &PanelParams,
    ) -> Vec<Vec<u32>> {
        let all_segments = segments(lot_sizes, None);
        let weight = |lot: usize| all_segments[2 * lot].weight;
        let n_bins = self.dataset.n_genes() * self.thresholds.len() * 2;
        let mut sums = vec![0_u64; n_bins];
        self.for_each_lot(|lot, counts| {
            sums.iter_mut().zip(counts).for_each(|(sum, &n)| *sum += weight(lot) * u64::from(n));
        });
        let group = |without: Option<usize>, side: bool| -> u64 {
            let size = |lot: usize| (if side { lot_sizes[lot].0 } else { lot_sizes[lot].1 }) as u64;
            (0..lot_sizes.len()).filter(|lot| Some(*lot) != without).map(|lot| weight(lot) * size(lot)).sum()
        };
        let chosen = |without: Option<usize>, counts: &[u32]| {
            let (n_in, n_out) = (group(without, true) as f64, group(without, false) as f64);
            let separation = |gene: usize| {
                let bins = gene * self.thresholds.len() * 2..(gene + 1) * self.thresholds.len() * 2;
                let (mut above_in, mut above_out, mut most) = (0, 0, 0.0_f64);
                for bin in bins.step_by(2).rev() {
                    let left = |bin: usize| match without {
                        Some(lot) => sums[bin] - weight(lot) * u64::from(counts[bin]),
                        None => sums[bin],
                    };
                    above_out += left(bin);
                    above_in += left(bin + 1);
                    let apart = above_in as f64 / n_in - above_out as f64 / n_out;
                    most = most.max(if params.low { apart.abs() } else { apart });
                }
                most
            };
            let mut apart: Vec<(f64, u32)> = (0..allowed.len())
                .into_par_iter()
                .filter(|&gene| allowed[gene])
                .map(|gene| (separation(gene), gene as u32))
                .filter(|entry| entry.0 > 0.0)
                .collect();
            apart.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            apart.truncate(params.n_candidates);
            let mut genes: Vec<u32> = apart.into_iter().map(|entry| entry.1).collect();
            genes.sort_unstable();
            genes
        };
        let mut candidates = vec![chosen(None, &[])];
        if left_out.len() > 1 {
            self.for_each_lot(|lot, counts| {
                if left_out.contains(&Some(lot)) {
                    candidates.push(chosen(Some(lot), counts));
                }
            });
        }
        candidates
    }

    /// Levels of genes, cells by lot, those inside first.
    fn columns(&self, genes: &[u32], lot_sizes: &[(usize, usize)]) -> Vec<Vec<u8>> {
        let place = places_of_genes(genes, self.dataset.n_genes());
        let of_lot = |lot: usize| {
            let start = self.dataset.offsets()[lot];
            let rows = &self.dataset.lots()[lot].counts;
            let n = rows.n_cells();
            let mut levels = vec![0_u8; genes.len() * n];
            let mut next = [lot_sizes[lot].0, 0];
            for cell in 0..n {
                let at = &mut next[usize::from(self.inside[start + cell])];
                self.for_each_level(start + cell, rows.row(cell), |gene, level| {
                    let feature = place[gene as usize];
                    if feature != u32::MAX {
                        levels[feature as usize * n + *at] = level;
                    }
                });
                *at += 1;
            }
            levels
        };
        let of_lots: Vec<Vec<u8>> = (0..self.dataset.n_lots()).into_par_iter().map(of_lot).collect();
        let column = |feature: usize| {
            let parts = of_lots.iter().zip(self.dataset.lots());
            parts
                .flat_map(|(levels, lot)| {
                    let n = lot.barcodes.len();
                    levels[feature * n..(feature + 1) * n].iter().copied()
                })
                .collect()
        };
        (0..genes.len()).into_par_iter().map(column).collect()
    }
}
