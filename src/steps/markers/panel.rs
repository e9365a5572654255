//! Panel: the smallest set of genes whose simple gates find a cluster's cells.
//!
//! **Question.** Which 1 to 4 genes, each high or low at a threshold, tell a cluster's cells from all others, so that a
//! laboratory can count them without a sequencer?
//!
//! **Method.** A gate is `value > t` (high) or `value ≤ t` (low) of ln(1 + counts per 10,000), t a multiple of `step`; 0 asks
//! whether the gene is seen at all. A panel joins gates by AND. With A the share of a lot's cells that are gated and of the
//! cluster, G the share gated and S the share of the cluster, each averaged over lots so that every lot weighs the same:
//! purity = A / G, yield = A / S, F1 = 2A / (G + S). Searched are the `n_candidates` genes whose best single gate separates
//! most (largest |mean share of the cluster's cells beyond t − that of the others|), by branch and bound
//! ([`crate::math::conjunctions`]), so that the best panel of each size is proven the best of all panels of these genes.
//!
//! *Held out.* Candidates, genes, sides and thresholds are chosen anew without each lot, for the best panel of each size; A, G
//! and S of the lots left out then give purity, yield and F1. For further panels the genes stay and only sides and thresholds
//! are chosen anew. The standard error of that F1 over lots is a jackknife's. *Rank.* By F1 less `gene_cost` for each gene: one more gene must be worth it.
//!
//! **Shapes.** Cells × genes with a cluster per cell → panels; panels × lots of cells gated.
//!
//! **Beside other tools.** scanpy and Seurat have no such step. NS-Forest and kin choose genes by random forests, then gates
//! by decision trees, on pooled cells; none proves the optimum or leaves lots out.
//!
//! **References.** Aevermann 2021, doi:10.1101/gr.275569.121 (NS-Forest, F-beta of gates); Land & Doig 1960,
//! doi:10.2307/1910129 (branch and bound).

mod gates;
mod levels;

use rayon::prelude::*;

pub use gates::{Gate, GatedShare, MissingGene, Panel, gated_shares};
use levels::Levels;

use crate::data::{Dataset, Genes};
use crate::error::{Error, Result};
use crate::math::conjunctions::{Conjunction, Items, Outcome, Search, best_conjunctions};
use crate::steps::cells::Normalized;

/// Parameters of [`panels`].
#[derive(Debug, Clone, PartialEq)]
pub struct PanelParams {
    /// Most genes of a panel, 1 to 4. Each more makes a purer gate and a dearer assay, and the search slower. Default 3.
    pub n_genes: usize,
    /// Panels listed per number of genes, at least 1, no two of the same genes. Default 5: not every antibody can be had.
    pub n_panels: usize,
    /// Genes searched, at least 1: those that separate best alone. More make the search slower. Default 500.
    pub n_candidates: usize,
    /// Distance of thresholds on ln(1 + counts per 10,000), 0.1 to 2; they run from 0 to 6. Smaller steps are slower and say
    /// little: thresholds do not carry over to an antibody. Default 0.25.
    pub step: f64,
    /// Gates may ask for a gene to be low. Default on.
    pub low: bool,
    /// F1 that one more gene must add to be worth it, 0 to below 1; ranks panels. Default 0.01.
    pub gene_cost: f64,
    /// Work after which a search ends without proof, in levels of single cells looked at. Default 2·10¹⁰, about half a minute
    /// on one core.
    pub max_work: u64,
}

impl Default for PanelParams {
    fn default() -> Self {
        Self {
            n_genes: 3,
            n_panels: 5,
            n_candidates: 500,
            step: 0.25,
            low: true,
            gene_cost: 0.01,
            max_work: 20_000_000_000,
        }
    }
}

impl PanelParams {
    fn check(&self) -> Result<()> {
        if !(1..=4).contains(&self.n_genes) {
            return Err(Error::param("panel.n_genes", self.n_genes, "from 1 to 4"));
        }
        for (name, value) in [("panel.n_panels", self.n_panels), ("panel.n_candidates", self.n_candidates)] {
            if value == 0 {
                return Err(Error::param(name, value, "at least 1"));
            }
        }
        if !(0.1..=2.0).contains(&self.step) {
            return Err(Error::param("panel.step", self.step, "a number from 0.1 to 2"));
        }
        if !(0.0..1.0).contains(&self.gene_cost) {
            return Err(Error::param("panel.gene_cost", self.gene_cost, "a number from 0 to below 1"));
        }
        Ok(())
    }
}

/// Cells of one lot under a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LotCount {
    /// All cells of the lot.
    pub n_cells: u64,
    /// Those of the cluster.
    pub n_cluster: u64,
    /// Those gated.
    pub n_gated: u64,
    /// Those gated and of the cluster.
    pub n_both: u64,
}

/// How well gates find a cluster, every lot weighing the same; NaN where undefined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Performance {
    /// Share of the gated cells that are of the cluster, 0..1.
    pub purity: f64,
    /// Share of the cluster's cells that are gated, 0..1.
    pub yield_: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
}

impl Performance {
    /// Of the lots that have cells.
    pub fn of<'a>(lots: impl IntoIterator<Item = &'a LotCount>) -> Self {
        let (mut both, mut gated, mut cluster) = (0.0, 0.0, 0.0);
        for lot in lots.into_iter().filter(|lot| lot.n_cells > 0) {
            let n = lot.n_cells as f64;
            both += lot.n_both as f64 / n;
            gated += lot.n_gated as f64 / n;
            cluster += lot.n_cluster as f64 / n;
        }
        Self { purity: both / gated, yield_: both / cluster, f1: 2.0 * both / (gated + cluster) }
    }
}

/// Standard error of F1 over lots, from F1 without each.
fn jackknife(lots: &[&LotCount]) -> f64 {
    let n = lots.len() as f64;
    let without = |left_out: usize| {
        let others = lots.iter().enumerate().filter(|lot| lot.0 != left_out);
        Performance::of(others.map(|lot| *lot.1)).f1
    };
    let f1: Vec<f64> = (0..lots.len()).map(without).collect();
    let mean = f1.iter().sum::<f64>() / n;
    let squares: f64 = f1.iter().map(|f| (f - mean).powi(2)).sum();
    if lots.len() < 2 { f64::NAN } else { (squares * (n - 1.0) / n).sqrt() }
}

/// A lot under a panel that was chosen without it.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    /// The lot, an index into the lots.
    pub lot: usize,
    /// The panel chosen on the other lots.
    pub panel: Panel,
    /// The lot's cells under it.
    pub count: LotCount,
}

/// A panel and what it does.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelRow {
    /// The gates.
    pub panel: Panel,
    /// Its genes, in the order of the gates.
    pub genes: Vec<u32>,
    /// On all lots, those it was chosen on.
    pub fitted: Performance,
    /// On the lots left out.
    pub held_out: Performance,
    /// Standard error of its F1 over lots (jackknife): how far other lots, as many, would be off; NaN with fewer than two.
    pub held_out_error: f64,
    /// Genes too were chosen anew without each lot (true), or sides and thresholds only.
    pub chosen_anew: bool,
    /// No panel of as many candidates that is not listed before it has a larger F1.
    pub proven: bool,
    /// Largest F1 that a panel of as many candidates can have.
    pub bound: f64,
    /// One per lot.
    pub lots: Vec<LotCount>,
    /// One per lot that has cells, if there are at least two such lots.
    pub without: Vec<HeldOut>,
}

/// How the values of genes are distributed, every lot weighing the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// One gene, or two.
    pub genes: Vec<u32>,
    /// Share of the cluster's cells at each level (of two genes: at each pair of levels, those of the second running fastest).
    /// Level i lies above i of the thresholds.
    pub inside: Vec<f64>,
    /// The same of the other cells.
    pub outside: Vec<f64>,
}

/// Result of [`panels`].
#[derive(Debug, Clone, PartialEq)]
pub struct Panels {
    /// Panels, best first.
    pub rows: Vec<PanelRow>,
    /// Thresholds, rising from 0.
    pub thresholds: Vec<f64>,
    /// Of the genes of the first panel, each alone and each two together.
    pub distributions: Vec<Distribution>,
    /// Genes that were searched.
    pub candidates: Vec<u32>,
    /// Genes that were allowed to begin with.
    pub n_allowed: usize,
}

/// Finds panels for the cells that are `inside` (one entry per cell), of genes that are `allowed` (one entry per gene).
///
/// # Errors
/// - a parameter is out of range
/// - no cell is inside, or all are; no gene is allowed
pub fn panels(
    dataset: &Dataset,
    normalized: &Normalized,
    inside: &[bool],
    allowed: &[bool],
    params: &PanelParams,
) -> Result<Panels> {
    params.check()?;
    assert_eq!((inside.len(), allowed.len()), (dataset.n_cells(), dataset.n_genes()), "one entry per cell and gene");
    let n_inside = inside.iter().filter(|i| **i).count();
    if n_inside == 0 || n_inside == inside.len() {
        return Err(Error::TooFew {
            what: "cells inside and outside the cluster".into(),
            have: n_inside.min(inside.len() - n_inside),
            need: 1,
            cure: "a panel can only tell a cluster from other cells".into(),
        });
    }
    let n_allowed = allowed.iter().filter(|a| **a).count();
    if n_allowed == 0 {
        return Err(Error::input("no gene is left to choose from", "allow more genes"));
    }
    let levels = Levels::new(dataset, normalized, inside, allowed, params);
    let searched = Searched { levels: &levels, genes: dataset.genes(), params };
    // The choice on all lots, then without each.
    let found: Vec<Vec<Outcome>> =
        (0..levels.problems.len()).into_par_iter().map(|problem| searched.choose(problem)).collect();
    let mut rows = Vec::new();
    for (size, outcome) in found[0].iter().enumerate() {
        for (i, conjunction) in outcome.best.iter().enumerate() {
            let chosen: Vec<Option<Conjunction>> = (1..levels.problems.len())
                .into_par_iter()
                .map(|problem| match i {
                    0 => found[problem].get(size).and_then(|outcome| outcome.best.first().cloned()),
                    _ => searched.same_genes(problem, conjunction),
                })
                .collect();
            rows.push(searched.row(conjunction, &chosen, i == 0, outcome.proven(i), outcome.left));
        }
    }
    let worth = |row: &PanelRow| row.fitted.f1 - params.gene_cost * row.genes.len() as f64;
    rows.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then(a.genes.len().cmp(&b.genes.len())));
    let candidates = levels.problems[0].features.iter().map(|&f| levels.genes[f as usize]).collect();
    let distributions = rows.first().map_or_else(Vec::new, |row| levels.distributions(&row.genes));
    Ok(Panels { rows, thresholds: levels.thresholds, distributions, candidates, n_allowed })
}

/// What is searched.
struct Searched<'a> {
    levels: &'a Levels,
    genes: &'a Genes,
    params: &'a PanelParams,
}

impl Searched<'_> {
    fn items(&self, problem: usize) -> Items<'_> {
        let Levels { columns, n_levels, problems, .. } = self.levels;
        Items { columns, n_levels: *n_levels, segments: problems[problem].segments.clone() }
    }

    /// The best panels of each size.
    fn choose(&self, problem: usize) -> Vec<Outcome> {
        let items = self.items(problem);
        let features = &self.levels.problems[problem].features;
        let n_best = if problem == 0 { self.params.n_panels } else { 1 };
        let mut found: Vec<Outcome> = Vec::new();
        for n_conditions in 1..=self.params.n_genes.min(features.len()) {
            let search =
                Search { features, n_conditions, n_best, not_above: self.params.low, max_work: self.params.max_work };
            let start = found.last().map_or(&[][..], |outcome| &outcome.best);
            found.push(best_conjunctions(&items, search, start));
        }
        found
    }

    /// The best panel of the genes of another.
    fn same_genes(&self, problem: usize, other: &Conjunction) -> Option<Conjunction> {
        let features: Vec<u32> = other.conditions.iter().map(|c| c.feature).collect();
        let search = Search {
            features: &features,
            n_conditions: features.len(),
            n_best: 1,
            not_above: self.params.low,
            max_work: self.params.max_work,
        };
        best_conjunctions(&self.items(problem), search, &[]).best.into_iter().next()
    }

    fn panel(&self, conjunction: &Conjunction) -> (Panel, Vec<u32>) {
        // Genes that are high first, as flow cytometry writes it.
        let mut conditions = conjunction.conditions.clone();
        conditions.sort_by_key(|c| (!c.above, c.feature));
        let genes: Vec<u32> = conditions.iter().map(|c| self.levels.genes[c.feature as usize]).collect();
        let gate = |(condition, &gene): (&crate::math::conjunctions::Condition, &u32)| Gate {
            gene_id: self.genes.ids()[gene as usize].clone(),
            gene: self.genes.symbols()[gene as usize].clone(),
            high: condition.above,
            threshold: self.levels.thresholds[usize::from(condition.level)],
        };
        (Panel { gates: conditions.iter().zip(&genes).map(gate).collect() }, genes)
    }

    fn row(
        &self,
        conjunction: &Conjunction,
        without: &[Option<Conjunction>],
        chosen_anew: bool,
        proven: bool,
        left: f64,
    ) -> PanelRow {
        let levels = self.levels;
        let lots: Vec<LotCount> =
            (0..levels.lot_sizes.len()).map(|lot| levels.count(lot, &conjunction.conditions)).collect();
        let held_out = |(problem, chosen): (usize, &Option<Conjunction>)| {
            let lot = levels.problems[problem].left_out.expect("problems after the first leave a lot out");
            let chosen = chosen.as_ref()?;
            Some(HeldOut { lot, panel: self.panel(chosen).0, count: levels.count(lot, &chosen.conditions) })
        };
        let without: Vec<HeldOut> = (1..).zip(without).filter_map(held_out).collect();
        let (panel, genes) = self.panel(conjunction);
        let fitted = Performance::of(&lots);
        let counts: Vec<&LotCount> = without.iter().map(|held| &held.count).collect();
        PanelRow {
            panel,
            genes,
            fitted,
            held_out: Performance::of(counts.iter().copied()),
            held_out_error: jackknife(&counts),
            chosen_anew,
            proven,
            bound: fitted.f1.max(left),
            lots,
            without,
        }
    }
}

#[cfg(test)]
mod tests;
