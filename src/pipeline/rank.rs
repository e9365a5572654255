//! Composition × readouts → associations, verdicts and ranked candidate genes.

use ndarray::Array2;

use super::{Analysis, Ranked, clusters, find_readout, lots};
use crate::error::Result;
use crate::progress::{Progress, Silent};
use crate::steps::lots::association::{Asked, p_over_readouts};
use crate::steps::lots::sensitivity::{Reference, sensitivity};
use crate::steps::lots::verdict::too_few_lots;
use crate::steps::lots::{
    AssociationParams, FoundAgain, Observed, Units, association_of, censored, effects_of, influence, transformed_table,
    two_groups, units, verdicts, weights,
};
use crate::steps::markers::{Stability, measurability, ranking, stability};

/// Ranks against several readouts, each asked about in its own way, as one family: `p_family_all` allows for having looked at
/// every cluster against every readout, and the verdicts use it.
///
/// # Errors
/// As [`rank`].
pub fn rank_all(
    analysis: &Analysis,
    asked: &[(String, AssociationParams)],
    progress: &dyn Progress,
) -> Result<Vec<Ranked>> {
    let each = asked.iter().map(|(readout, how)| rank_by(analysis, readout, how, progress));
    let mut ranked = each.collect::<Result<Vec<Ranked>>>()?;
    if ranked.len() < 2 {
        return Ok(ranked);
    }
    let of_lots = analysis.composition.transformed(analysis.params.composition.transform);
    let tables: Vec<_> = ranked.iter().map(|r| r.units.table(&of_lots)).collect();
    let weights: Vec<Option<Vec<f64>>> =
        ranked.iter().map(|r| weights(&r.readout, r.asked.weights).map(|of_lots| r.units.sum(&of_lots))).collect();
    let asked: Vec<Asked<'_>> = ranked
        .iter()
        .zip(&tables)
        .zip(&weights)
        .map(|((r, table), weights)| Asked {
            table,
            observed: Observed {
                name: &r.readout.name,
                values: &r.association.values,
                weights: weights.as_deref(),
                ranks_only: censored(&r.readout).is_some(),
            },
            units: &r.units,
            params: &r.asked,
            association: &r.association,
        })
        .collect();
    let p = p_over_readouts(&asked, analysis.params.seed, progress);
    for (ranked, p) in ranked.iter_mut().zip(p) {
        ranked.association.rows.iter_mut().zip(p).for_each(|(row, p)| row.p_family_all = p);
        let found_again = found_again(analysis, ranked.stability.as_ref(), &ranked.units);
        ranked.verdicts = verdicts(&ranked.association, &ranked.influence, found_again, &analysis.params.verdict)?;
    }
    Ok(ranked)
}

/// What became of the clusters on the roads without each unit; `None` where these were not walked, or not without each whole
/// unit.
fn found_again<'a>(analysis: &Analysis, stability: Option<&'a Stability>, units: &Units) -> Option<&'a [FoundAgain]> {
    analysis.leave_one_out.as_ref().filter(|runs| runs.covers(units))?;
    stability.map(|s| s.clusters.as_slice())
}

/// Composition × readout → associations → ranked candidate genes, as if this readout were the only one looked at.
///
/// # Errors
/// - the readout is not a column of the sheet, or holds text
/// - fewer lots have a value than a correlation needs
pub fn rank(analysis: &Analysis, readout: &str) -> Result<Ranked> {
    rank_by(analysis, readout, &analysis.params.association, &Silent)
}

/// As [`rank`], with other parameters of the association than those of the run, telling how far the permutations are.
///
/// # Errors
/// As [`rank`].
pub fn rank_by(
    analysis: &Analysis,
    readout: &str,
    asked: &AssociationParams,
    progress: &dyn Progress,
) -> Result<Ranked> {
    let params = &analysis.params;
    let readout = find_readout(&analysis.sheet, &analysis.readouts, readout)?;
    let of_lots = analysis.composition.transformed(params.composition.transform);
    let units = units(&analysis.sheet, &of_lots, &readout, asked)?;
    let table = units.table(&of_lots);
    let values = units.average(&readout.values);
    let lot_weights = weights(&readout, asked.weights);
    let weights = lot_weights.as_ref().map(|of_lots| units.sum(of_lots));
    let censored = censored(&readout);
    let ranks_only = censored.is_some();
    let associate = |values: &[f64], progress: &dyn Progress| {
        let observed = Observed { name: &readout.name, values, weights: weights.as_deref(), ranks_only };
        association_of(&table, observed, &units, asked, params.seed, progress)
    };
    let mut association = associate(&values, progress)?;
    association.warnings.extend(units.warnings.iter().cloned().chain(censored.clone()));
    let influence = influence(&table, &association, |values| associate(values, &Silent));
    let groups = two_groups(&table, &values, readout.groups.as_ref(), &units, asked, params.seed);
    let proliferative: Vec<bool> = analysis.clusters.iter().map(|c| c.proliferative).collect();
    let r: Vec<f64> = association.rows.iter().map(|row| row.effect).collect();
    let stability = analysis.leave_one_out.as_ref().map(|runs| {
        // The question of the run, asked of other clusters of fewer lots.
        let effects = |n_cells: &Array2<u64>, left_out: &[usize]| {
            let gone = |mut of_lots: Vec<f64>, as_if: f64| {
                left_out.iter().for_each(|&lot| of_lots[lot] = as_if);
                of_lots
            };
            let of_lots = transformed_table(&analysis.composition.lots, n_cells, params.composition.transform);
            let weights = lot_weights.clone().map(|of_lots| units.sum(&gone(of_lots, 0.0)));
            let values = units.average(&gone(readout.values.clone(), f64::NAN));
            let observed = Observed { name: &readout.name, values: &values, weights: weights.as_deref(), ranks_only };
            effects_of(&units.table(&of_lots), observed, &units, asked)
        };
        let strength = |effect| asked.alternative.strength(effect);
        stability(runs, &effects, &strength, &r, params.ranking.min_share, params.verdict.min_jaccard)
    });
    let found_again = found_again(analysis, stability.as_ref(), &units);
    let verdicts = verdicts(&association, &influence, found_again, &params.verdict)?;
    association.warnings.extend(too_few_lots(&association, &params.verdict));
    association.warnings.extend(clusters::potent_and_proliferative(analysis, &verdicts));
    let mut candidates = ranking(
        &association,
        &analysis.effects,
        units.rows(&analysis.pseudobulk.log2_cpm_all()).view(),
        &proliferative,
        &params.ranking,
    )?;
    if let Some(stability) = &stability {
        candidates.iter_mut().for_each(|candidate| candidate.loo_top20 = Some(stability.n_top(candidate.gene)));
    }
    let weighted = Observed { name: &readout.name, values: &values, weights: weights.as_deref(), ranks_only };
    let run = Reference {
        effects: &r,
        statistic: association.design.statistic,
        alternative: asked.alternative,
        transform: params.composition.transform,
        alpha: params.verdict.alpha,
        min_jaccard: params.verdict.min_jaccard,
    };
    let sensitivity = sensitivity(&analysis.specifications, weighted, &units, run, &params.sensitivity, params.seed)?;
    let observed = Observed { name: &readout.name, values: &values, weights: None, ranks_only };
    let confounding = lots::confounders(analysis, &table, observed, &units, asked)?;
    association.warnings.extend(confounding.warnings);
    association.warnings.extend(lots::integrated(analysis, &readout, ranks_only));
    let neighborhoods = lots::neighborhoods_against(analysis, observed, &units, asked)?;
    let of_gene = measurability(&analysis.genes);
    let measurability = candidates.iter().map(|c| of_gene[c.gene as usize].clone()).collect();
    Ok(Ranked {
        asked: asked.clone(),
        readout,
        units,
        association,
        groups,
        verdicts,
        influence,
        stability,
        sensitivity,
        confounding: confounding.rows,
        neighborhoods,
        candidates,
        measurability,
    })
}
