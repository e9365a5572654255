//! Cell-cycle scores and phase.
//!
//! **Question.** Which cells were dividing? Proliferation differs between cultures and can pose as potency.
//!
//! **Method.** All genes are ordered by their mean log-normalised value and cut into `n_bins` bins of equal size. A cell's
//! score of a list (S: 43 genes, G2M: 54 genes) is the mean of its values over the genes of the list, minus the mean over
//! control genes: for each bin that holds genes of the list, all other genes of the bin, each bin with equal weight.
//! Phase: G1 if both scores are negative, else the one with the higher score. With fewer than 10 genes of a list
//! found, all scores are 0 and all phases G1 (a warning).
//!
//! *Cycling.* A sign is no finding: where nothing divides, scores scatter about 0 and half of the cells are not "G1". A cell is
//! called *cycling* only if the mean over S or G2M genes exceeds what 99 of 100 lists drawn from its own control genes reach.
//! With n_b of the list's m genes in bin b, whose N_b control genes (of neither list) have mean μ_b and variance σ_b² in this
//! cell, lists drawn at random have mean Σ (n_b/m) μ_b, and the difference of the two has variance
//! Σ (n_b/m)² σ_b² (1/n_b + 1/N_b); the limit is 2.326 standard deviations. Two lists: of resting cells 2 % are called. That each
//! gene is set against genes as abundant *in the same cell* makes the limit that of the cell's own depth, and what a kind of
//! cell expresses by nature does not become significant with depth, as spread between genes does not shrink.
//!
//! **Shapes.** Cells × genes → two scores, a phase and a call per cell.
//!
//! **Others.** scanpy's `score_genes_cell_cycle` and Seurat's `CellCycleScoring` draw some genes of each bin at random as
//! controls. The mean over all of them is what such draws scatter about, so there is no seed here and less noise. Neither
//! tells whether a score is more than chance; the phase is kept as they define it.
//! Symbols are compared without case, so that mouse genes are found, and current and older symbols are known.
//!
//! **References.** Tirosh et al. 2016, doi:10.1126/science.aad0501 (lists, scores); the lists are in
//! `data/cell_cycle_genes.csv`. Goeman & Bühlmann 2007, doi:10.1093/bioinformatics/btm051 (a list against random lists: the
//! competitive null, with genes as what is drawn).

mod excess;

use std::collections::HashMap;

use excess::Excess;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Genes, Lot};
use crate::error::{Error, Result};
use crate::math::column_moments::ColumnMoments;
use crate::steps::cells::Normalized;
use crate::warning::Warning;

/// The lists: gene, phase, alias, source.
const LISTS: &str = include_str!("../../../data/cell_cycle_genes.csv");
/// With fewer genes of a list a score would hang on single genes.
const MIN_GENES: usize = 10;
/// A cell cycles if its mean over a list exceeds that of random lists by more than this many standard deviations: the 99 %
/// point of the normal distribution.
const MIN_EXCESS: f64 = 2.326;
/// Cells per task; fixed, so that sums come out the same whatever the number of threads.
const CHUNK: usize = 2048;

/// Parameters of [`cell_cycle`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CellCycleParams {
    /// Bins of mean expression from which control genes are taken, at least 1. More bins make controls more alike in
    /// expression, but fewer. Default 25, as in scanpy (24 in Seurat).
    pub n_bins: usize,
}

impl Default for CellCycleParams {
    fn default() -> Self {
        Self { n_bins: 25 }
    }
}

/// Phase of the cell cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Neither list is up.
    G1,
    /// DNA synthesis.
    S,
    /// Second gap and mitosis.
    G2M,
}

/// Result of [`cell_cycle`].
#[derive(Debug, Clone, PartialEq)]
pub struct CellCycle {
    /// Score of the S list per cell; all 0 if too few of its genes are found.
    pub s_score: Vec<f32>,
    /// Score of the G2M list per cell.
    pub g2m_score: Vec<f32>,
    /// Phase per cell.
    pub phase: Vec<Phase>,
    /// The cell cycles: its mean over one of the lists exceeds what random lists allow.
    pub cycling: Vec<bool>,
    /// Genes not found.
    pub warnings: Vec<Warning>,
}

/// Scores every cell.
///
/// # Errors
/// A parameter is out of its range.
pub fn cell_cycle(dataset: &Dataset, normalized: &Normalized, params: &CellCycleParams) -> Result<CellCycle> {
    check(params)?;
    let n = dataset.n_cells();
    let lists = [("S", found(dataset.genes(), "S")), ("G2M", found(dataset.genes(), "G2M"))];
    let warnings: Vec<Warning> = lists
        .iter()
        .filter(|(_, genes)| genes.len() < MIN_GENES)
        .map(|(phase, genes)| Warning::GenesNotFound {
            group: format!("{phase}-phase (only {} of at least {MIN_GENES})", genes.len()),
            needed_for: "the cell-cycle phase".into(),
        })
        .collect();
    if !warnings.is_empty() {
        return Ok(CellCycle {
            s_score: vec![0.0; n],
            g2m_score: vec![0.0; n],
            phase: vec![Phase::G1; n],
            cycling: vec![false; n],
            warnings,
        });
    }
    let bin_of_gene = bins(&mean_values(dataset, normalized), params.n_bins);
    let lists = lists.map(|(_, genes)| genes);
    let [s, g2m] = lists.each_ref().map(|genes| weights(genes, &bin_of_gene));
    let weights: Vec<[f64; 2]> = s.into_iter().zip(g2m).map(|(s, g2m)| [s, g2m]).collect();
    let excess = Excess::new(&lists, bin_of_gene, params.n_bins);
    let score_lot = |lot: &Lot, first: usize| -> Vec<([f32; 2], [f64; 2])> {
        (0..lot.counts.n_cells())
            .into_par_iter()
            .with_min_len(64)
            .map_init(
                || excess.sums(),
                |beyond, cell| {
                    let mut sums = [0.0; 2];
                    normalized.for_each(first + cell, lot.counts.row(cell), |gene, value| {
                        let [s, g2m] = weights[gene as usize];
                        sums[0] += s * f64::from(value);
                        sums[1] += g2m * f64::from(value);
                        excess.add(beyond, gene, value);
                    });
                    (sums.map(|sum| sum as f32), excess.take(beyond))
                },
            )
            .collect()
    };
    let cells = dataset.lot_by_lot(score_lot).concat();
    Ok(CellCycle {
        s_score: cells.iter().map(|(s, _)| s[0]).collect(),
        g2m_score: cells.iter().map(|(s, _)| s[1]).collect(),
        phase: cells.iter().map(|&([s, g2m], _)| phase(s, g2m)).collect(),
        cycling: cells.iter().map(|&(_, [s, g2m])| s.max(g2m) > MIN_EXCESS).collect(),
        warnings,
    })
}

fn check(params: &CellCycleParams) -> Result<()> {
    if params.n_bins == 0 {
        return Err(Error::param("cell_cycle.n_bins", params.n_bins, "at least 1"));
    }
    Ok(())
}

fn phase(s: f32, g2m: f32) -> Phase {
    match (s < 0.0 && g2m < 0.0, g2m > s) {
        (true, _) => Phase::G1,
        (false, true) => Phase::G2M,
        (false, false) => Phase::S,
    }
}

/// Indices of the genes of a list that the data have, by current symbol or else by the older one.
fn found(genes: &Genes, phase: &str) -> Vec<u32> {
    let index: HashMap<String, u32> =
        genes.symbols().iter().enumerate().rev().map(|(i, symbol)| (symbol.to_uppercase(), i as u32)).collect();
    let fields = LISTS.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    fields
        .filter(|row| row[1] == phase)
        .filter_map(|row| index.get(row[0]).or_else(|| index.get(row[2])).copied())
        .collect()
}

/// Mean log-normalised value of each gene.
fn mean_values(dataset: &Dataset, normalized: &Normalized) -> Vec<f64> {
    let mut sum = ColumnMoments::new(dataset.n_genes());
    dataset.lot_by_lot(|lot, first| {
        let n = lot.counts.n_cells();
        let parts: Vec<ColumnMoments> = (0..n.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let cells = chunk * CHUNK..((chunk + 1) * CHUNK).min(n);
                let mut part = ColumnMoments::new(dataset.n_genes());
                part.add_rows(cells.len());
                for cell in cells {
                    let add = |gene, value| part.add(gene, f64::from(value));
                    normalized.for_each(first + cell, lot.counts.row(cell), add);
                }
                part
            })
            .collect();
        parts.iter().for_each(|part| sum.merge(part));
    });
    (0..dataset.n_genes()).map(|gene| sum.mean(gene)).collect()
}

/// The bin of each gene: equal numbers of genes by rising mean, genes of equal mean in one bin.
fn bins(mean: &[f64], n_bins: usize) -> Vec<u32> {
    let mut sorted = mean.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = |x: &f64| sorted.partition_point(|y| y < x);
    mean.iter().map(|x| (rank(x) * n_bins / mean.len()) as u32).collect()
}

/// What each gene counts in the score: 1 / (genes of the list) for a gene of the list; for the others of the same bins
/// together −1, equally parted between bins and within them.
fn weights(list: &[u32], bin_of_gene: &[u32]) -> Vec<f64> {
    let mut in_list = vec![false; bin_of_gene.len()];
    list.iter().for_each(|&gene| in_list[gene as usize] = true);
    let mut of_interest: Vec<u32> = list.iter().map(|&gene| bin_of_gene[gene as usize]).collect();
    of_interest.sort_unstable();
    of_interest.dedup();
    let n_controls = |bin: u32| (0..in_list.len()).filter(|&g| bin_of_gene[g] == bin && !in_list[g]).count();
    let sizes: Vec<(u32, usize)> =
        of_interest.into_iter().map(|bin| (bin, n_controls(bin))).filter(|(_, n)| *n > 0).collect();
    let mut out = vec![0.0; bin_of_gene.len()];
    list.iter().for_each(|&gene| out[gene as usize] = 1.0 / list.len() as f64);
    for &(bin, n) in &sizes {
        for gene in (0..out.len()).filter(|&g| bin_of_gene[g] == bin && !in_list[g]) {
            out[gene] = -1.0 / (n * sizes.len()) as f64;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::cells::tests_common::from_vectors;
    use crate::steps::cells::{NormalizeParams, normalize};

    /// 200 cells, of which every fifth is in S and every seventh in G2M, with all genes of the lists and 400 others, some as
    /// abundant as those of the lists: without any like them there are no controls.
    fn data(change: impl Fn(&str) -> String) -> Dataset {
        let rows: Vec<Vec<&str>> = LISTS.lines().skip(1).map(|l| l.split(',').collect()).collect();
        let mut symbols: Vec<String> = rows.iter().map(|r| change(r[0])).collect();
        symbols.extend((0..400).map(|i| format!("OTHER{i}")));
        let cells = (0..200_u32)
            .map(|cell| {
                let at = cell as usize;
                let mixed = |gene: usize| (at * 31 + gene * gene * 17 + at * at * gene) % 101;
                let count = |gene: usize| match rows.get(gene).map(|r| r[1]) {
                    Some("S") if cell % 5 == 0 => 3,
                    Some("G2M") if cell % 7 == 0 => 4,
                    Some(_) => u32::from((at * 31 + gene * 17).is_multiple_of(5)),
                    None if mixed(gene) < 12 + gene % 36 => 1 + gene as u32 % 4,
                    None => 0,
                };
                (0..symbols.len()).map(count).collect()
            })
            .collect();
        from_vectors(&[cells], &symbols.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn run(data: &Dataset) -> CellCycle {
        cell_cycle(data, &normalize(data, &NormalizeParams::default()).unwrap(), &CellCycleParams::default()).unwrap()
    }

    #[test]
    fn cycling_cells_are_found_also_by_older_and_mouse_symbols() {
        let older = |gene: &str| match gene {
            "CENPU" => "MLF1IP".to_string(),
            "PIMREG" => "FAM64A".to_string(),
            "JPT1" => "HN1".to_string(),
            other => other.to_string(),
        };
        let title = |gene: &str| format!("{}{}", &gene[..1], gene[1..].to_lowercase());
        let human = run(&data(str::to_string));
        for cell in (0..200).filter(|c| c % 5 == 0 || c % 7 == 0) {
            let expected = if cell % 7 == 0 { Phase::G2M } else { Phase::S };
            assert_eq!(human.phase[cell], expected, "cell {cell}");
            assert!(human.cycling[cell], "cell {cell}");
        }
        let resting: Vec<usize> = (0..200).filter(|c| c % 5 != 0 && c % 7 != 0).collect();
        // One in fifty, plus two standard deviations of the count.
        assert!(resting.iter().filter(|&&cell| human.cycling[cell]).count() <= 7);
        assert_eq!(run(&data(older)), human);
        assert_eq!(run(&data(title)), human);
        assert_eq!(human.warnings, []);
    }

    #[test]
    fn too_few_genes_of_a_list_are_a_warning_and_everything_is_g1() {
        let result = run(&data(|gene| if gene < "M" { format!("X{gene}") } else { gene.to_string() }));
        assert!(result.warnings.is_empty());
        let result = run(&data(|gene| format!("X{gene}")));
        assert_eq!(result.warnings.len(), 2);
        assert!(result.phase.iter().all(|p| *p == Phase::G1) && result.s_score.iter().all(|s| *s == 0.0));
        assert!(!result.cycling.contains(&true));
    }

    #[test]
    fn cells_without_counts_or_without_contrast_do_not_cycle() {
        let symbols: Vec<&str> =
            LISTS.lines().skip(1).map(|l| l.split(',').next().unwrap()).chain(["A", "B"]).collect();
        for cells in [vec![vec![0; symbols.len()]; 3], vec![vec![1; symbols.len()]; 3], vec![]] {
            let result = run(&from_vectors(&[cells], &symbols));
            assert!(!result.cycling.contains(&true));
        }
    }

    #[test]
    fn phases_follow_the_signs() {
        assert_eq!([phase(-0.1, -0.2), phase(0.1, 0.2), phase(0.2, 0.1)], [Phase::G1, Phase::G2M, Phase::S]);
        assert_eq!([phase(-0.1, 0.1), phase(0.1, -0.1), phase(0.0, 0.0)], [Phase::G2M, Phase::S, Phase::S]);
    }

    #[test]
    fn weights_by_hand() {
        // Bins 0, 0, 0, 1, 1, 2: the list has genes 0 and 3.
        let weights = weights(&[0, 3], &[0, 0, 0, 1, 1, 2]);
        assert_eq!(weights, [0.5, -0.25, -0.25, 0.5, -0.5, 0.0]);
        assert_eq!(bins(&[5.0, 1.0, 1.0, 7.0], 2), [1, 0, 0, 1]);
    }
}
