//! Runs without one lot and divisions by other choices, made by hand.

use cqa::pipeline::Analysis;
use cqa::steps::clusters::ClusterMethod;
use cqa::steps::lots::composition::transformed_table;
use cqa::steps::lots::sensitivity::Reference;
use cqa::steps::lots::{
    Association, Choices, Composition, Observed, Sensitivity, Specification, Units, effects_of, sensitivity,
};
use cqa::steps::markers::{Effects, LeaveOneOut, RunWithout, Stability, TopGene, stability};
use ndarray::Array2;

use super::{N_CLUSTERS, Noise};

/// Counts that differ a little from those given.
fn shaken(n_cells: &Array2<u64>, spread: f64, noise: &mut Noise) -> Array2<u64> {
    n_cells.mapv(|n| (n as f64 * (1.0 + spread * (noise.next() - 0.5))).round() as u64 + 1)
}

/// Every cluster but the seventh is found again without any lot.
pub fn leave_one_out(composition: &Composition, effects: &Effects) -> LeaveOneOut {
    let mut noise = Noise::new(23);
    let top = |k: usize| {
        let gene = |g: usize| TopGene {
            gene: g as u32,
            auc: effects.auc[[k, g]],
            log2_fc: effects.log2_fc[[k, g]],
            share_in: effects.share_in[[k, g]],
        };
        (0..effects.auc.ncols()).map(gene).filter(|g| g.auc > 0.5).collect()
    };
    let run = |lot: usize| {
        let mut n_cells = shaken(&composition.n_cells, 0.2, &mut noise);
        n_cells.row_mut(lot).fill(0);
        RunWithout {
            lots: vec![lot],
            matches: (0..N_CLUSTERS).map(Some).collect(),
            jaccard: (0..N_CLUSTERS).map(|k| if k == 6 && lot.is_multiple_of(3) { 0.41 } else { 0.96 }).collect(),
            n_cells,
            genes: (0..N_CLUSTERS).map(top).collect(),
        }
    };
    LeaveOneOut { runs: (0..composition.lots.len()).map(run).collect(), failed: Vec::new() }
}

/// The run and six other ways to divide its cells; the last one finds half of the clusters.
pub fn specifications(composition: &Composition) -> Vec<Specification> {
    let mut noise = Noise::new(29);
    let choices = [
        (ClusterMethod::Leiden, 0.5, true, true),
        (ClusterMethod::Leiden, 0.25, true, true),
        (ClusterMethod::Leiden, 1.0, true, true),
        (ClusterMethod::Leiden, 0.5, false, true),
        (ClusterMethod::Leiden, 0.5, true, false),
        (ClusterMethod::Kmeans, f64::NAN, true, true),
        (ClusterMethod::Mixture, f64::NAN, false, true),
    ];
    let specification = |(i, (method, resolution, integrated, scaled))| Specification {
        choices: Choices { method, resolution, integrated, scaled },
        chosen: i == 0,
        n_cells: shaken(&composition.n_cells, 0.25 * i as f64, &mut noise),
        matches: (0..N_CLUSTERS).collect(),
        jaccard: (0..N_CLUSTERS).map(|k| if i == 6 && k % 2 == 1 { 0.3 } else { 1.0 - 0.06 * i as f64 }).collect(),
    };
    choices.into_iter().enumerate().map(specification).collect()
}

fn effects_in_run(association: &Association) -> Vec<f64> {
    association.rows.iter().map(|row| row.effect).collect()
}

pub fn stability_of(analysis: &Analysis, association: &Association, values: &[f64]) -> Option<Stability> {
    let lots = &analysis.composition.lots;
    let transform = analysis.params.composition.transform;
    let effects = |n_cells: &Array2<u64>, left_out: &[usize]| {
        let mut values = values.to_vec();
        left_out.iter().for_each(|&lot| values[lot] = f64::NAN);
        let observed = Observed { name: "", values: &values, weights: None, ranks_only: false };
        let table = transformed_table(lots, n_cells, transform);
        effects_of(&table, observed, &Units::free(lots), &analysis.params.association)
    };
    let of_run = effects_in_run(association);
    let params = &analysis.params;
    analysis
        .leave_one_out
        .as_ref()
        .map(|runs| stability(runs, &effects, &f64::abs, &of_run, params.ranking.min_share, params.verdict.min_jaccard))
}

pub fn sensitivity_of(analysis: &Analysis, association: &Association, values: &[f64]) -> Option<Sensitivity> {
    let params = &analysis.params;
    let of_run = effects_in_run(association);
    let run = Reference {
        effects: &of_run,
        statistic: association.design.statistic,
        alternative: association.design.alternative,
        transform: params.composition.transform,
        alpha: params.verdict.alpha,
        min_jaccard: params.verdict.min_jaccard,
    };
    let observed = Observed { name: "", values, weights: None, ranks_only: false };
    let units = Units::free(&analysis.composition.lots);
    sensitivity(&analysis.specifications, observed, &units, run, &params.sensitivity, 1).expect("default parameters")
}
