//! Family-wise p over several readouts.
//!
//! **Question.** Several readouts were ranked. What is a cluster's p once every cluster against every readout is allowed for?
//!
//! **Method.** Readouts with the same rows, blocks, covariates and side are one family: step-down max-T over clusters ×
//! readouts, a readout's values and gaps moving as whole rows ([`crate::math::family`]), so that readouts that go with each
//! other cost little. Readouts that differ in this (other units, other sides; gaps where ranks or covariates are asked for)
//! can't be permuted together; families are then joined by Bonferroni's inequality, p times their number. No p falls below
//! that of its readout alone.

use super::{Association, AssociationParams, Observed, Prepared, Statistic};
use crate::data::LotTable;
use crate::math::design::Design;
use crate::math::family::{Family, Readout};
use crate::math::max_t::step_down_watched;
use crate::math::permutations::Orders;
use crate::math::ranks::average_ranks;
use crate::progress::Progress;
use crate::steps::lots::units::Units;

/// All orders are looked at where they and the statistics make no more correlations than this: some seconds.
const CORRELATIONS: f64 = 5e9;
/// A correlation of a readout with gaps or weights takes about as long as so many others.
const COST_OF_GAPS: f64 = 6.0;

/// A readout as it was asked about, with what was found.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// One row per unit.
    pub table: &'a LotTable,
    /// The readout.
    pub observed: Observed<'a>,
    /// What counts as one observation.
    pub units: &'a Units,
    /// How it was asked about.
    pub params: &'a AssociationParams,
    /// The association found.
    pub association: &'a Association,
}

/// Family-wise p of each column of each readout over all columns of all readouts.
pub fn p_over_readouts(asked: &[Asked<'_>], seed: u64, progress: &dyn Progress) -> Vec<Vec<f64>> {
    let ready: Vec<Prepared> =
        asked.iter().map(|a| Prepared::new(a.table, a.observed, a.units, a.params, &mut Vec::new())).collect();
    let mut families: Vec<Vec<usize>> = Vec::new();
    for i in 0..asked.len() {
        let fits =
            |family: &&mut Vec<usize>| family.iter().all(|&j| together((&asked[i], &ready[i]), (&asked[j], &ready[j])));
        match families.iter_mut().find(fits) {
            Some(family) => family.push(i),
            None => families.push(vec![i]),
        }
    }
    let alone = |i: usize| asked[i].association.rows.iter().map(|row| row.p_family).collect::<Vec<f64>>();
    let mut p: Vec<Vec<f64>> = (0..asked.len()).map(alone).collect();
    let n_families = families.len() as f64;
    for family in families {
        if family.len() > 1 {
            let of_family = joint(asked, &ready, &family, seed, progress);
            family.iter().zip(of_family).for_each(|(&i, joint)| {
                p[i].iter_mut().zip(joint).for_each(|(p, joint)| *p = p.max(joint));
            });
        }
    }
    p.iter_mut().flatten().for_each(|p| *p = (*p * n_families).min(1.0));
    p
}

/// Whether two readouts can be permuted together.
fn together(a: (&Asked<'_>, &Prepared), b: (&Asked<'_>, &Prepared)) -> bool {
    let ((a, of_a), (b, of_b)) = (a, b);
    // By their words, as NaN is not equal to itself.
    let covariates = |units: &Units| format!("{:?}", units.covariate_columns);
    let same_rows = (&a.units.lots, &a.units.blocks, &a.units.strata)
        == (&b.units.lots, &b.units.blocks, &b.units.strata)
        && covariates(a.units) == covariates(b.units);
    let free = a.units.covariates.is_empty();
    let pearson = of_a.statistic == Statistic::Pearson && of_b.statistic == Statistic::Pearson;
    same_rows
        && a.params.alternative == b.params.alternative
        && (free || of_a.statistic == of_b.statistic)
        && (of_a.kept == of_b.kept || free && pearson)
}

/// Family-wise p over the readouts `members`, one list each.
fn joint(
    asked: &[Asked<'_>],
    ready: &[Prepared],
    members: &[usize],
    seed: u64,
    progress: &dyn Progress,
) -> Vec<Vec<f64>> {
    let (first, units) = (&asked[members[0]], asked[members[0]].units);
    let mut rows: Vec<usize> = members.iter().flat_map(|&i| ready[i].kept.iter().copied()).collect();
    rows.sort_unstable();
    rows.dedup();
    let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let ranked = |i: usize, values: Vec<f64>| match ready[i].statistic {
        Statistic::Pearson => values,
        Statistic::Spearman => average_ranks(&values),
    };
    let (blocks, strata) = units.exchange(&rows);
    let covariates: Vec<Vec<f64>> = units.covariate_columns.iter().map(|c| ranked(members[0], pick(c))).collect();
    let design = Design::new(&blocks, &strata, &covariates);
    let n_columns = first.table.n_columns();
    let (mut columns, mut values, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for &i in members {
        columns.extend(first.table.values.columns().into_iter().map(|column| ranked(i, pick(&column.to_vec()))));
        let of_row = |own: &[f64], missing: f64| -> Vec<f64> {
            let at = |row: &usize| ready[i].kept.binary_search(row).map_or(missing, |place| own[place]);
            rows.iter().map(at).collect()
        };
        let complete = ready[i].kept.len() == rows.len();
        values.push(if complete { ranked(i, ready[i].y.clone()) } else { of_row(&ready[i].y, f64::NAN) });
        weights.push(ready[i].weights.as_ref().map(|own| of_row(own, 0.0)));
    }
    let readouts: Vec<Readout<'_>> =
        values.iter().zip(&weights).map(|(values, w)| Readout { values, weights: w.as_deref() }).collect();
    let pairs: Vec<(usize, usize)> =
        (0..members.len()).flat_map(|i| (0..n_columns).map(move |k| (i * n_columns + k, i))).collect();
    let family = Family::of_pairs(&columns, &readouts, &pairs, &design, first.params.alternative.tail());
    let plain = weights.iter().all(Option::is_none) && values.iter().flatten().all(|v| !v.is_nan());
    let n_orders = Orders::All.count(&family) as f64;
    let cost = n_orders * pairs.len() as f64 * if plain { 1.0 } else { COST_OF_GAPS };
    let walked: f64 = (1..=first.params.max_exact_lots).map(|i| i as f64).product();
    let exact = n_orders <= walked && cost <= CORRELATIONS;
    let orders = if exact { Orders::All } else { Orders::Random { n: first.params.n_permutations as u64, seed } };
    progress.start("all_readouts", orders.count(&family));
    let p = step_down_watched(&family, orders, &|seen| progress.advance(seen));
    progress.finish("all_readouts", &format!("{} readouts", members.len()));
    p.family.chunks(n_columns.max(1)).map(<[f64]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::stream;
    use crate::progress::Silent;
    use crate::steps::lots::{Alternative, association_of};
    use ndarray::Array2;
    use rand::RngExt;

    fn table(n: usize, k: usize) -> LotTable {
        let mut rng = stream(3, "together", 0);
        let names = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<String>>();
        LotTable::new(names(n), names(k), Array2::from_shape_simple_fn((n, k), || rng.random()))
    }

    fn readout(n: usize, item: u64) -> Vec<f64> {
        let mut rng = stream(4, "together", item);
        (0..n).map(|_| rng.random()).collect()
    }

    /// p over all readouts and each alone.
    fn run(table: &LotTable, readouts: &[(Vec<f64>, AssociationParams)]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let units = Units::free(&table.lots);
        let observed = |i: usize| Observed { name: "y", values: &readouts[i].0, weights: None, ranks_only: false };
        let found: Vec<Association> = (0..readouts.len())
            .map(|i| association_of(table, observed(i), &units, &readouts[i].1, 1, &Silent).unwrap())
            .collect();
        let asked: Vec<Asked<'_>> = (0..readouts.len())
            .map(|i| Asked {
                table,
                observed: observed(i),
                units: &units,
                params: &readouts[i].1,
                association: &found[i],
            })
            .collect();
        let alone = found.iter().map(|a| a.rows.iter().map(|row| row.p_family).collect()).collect();
        (p_over_readouts(&asked, 1, &Silent), alone)
    }

    #[test]
    fn readouts_of_the_same_rows_are_one_family() {
        let (table, params) = (table(7, 3), AssociationParams::default());
        let readouts: Vec<_> = (0..2).map(|i| (readout(7, i), params.clone())).collect();
        let (all, alone) = run(&table, &readouts);
        let columns: Vec<Vec<f64>> = (0..3).map(|k| table.column(k).to_vec()).collect();
        let seen: Vec<Readout<'_>> = readouts.iter().map(|r| Readout { values: &r.0, weights: None }).collect();
        let pairs: Vec<(usize, usize)> = (0..2).flat_map(|r| (0..3).map(move |k| (k, r))).collect();
        let family = Family::of_pairs(&columns, &seen, &pairs, &Design::free(7), crate::math::family::Tail::Both);
        assert_eq!(all.concat(), crate::math::max_t::step_down(&family, Orders::All).family);
        assert!(all.concat().iter().zip(alone.concat()).all(|(all, alone)| *all >= alone));
        // The same readout twice costs nothing.
        let twice = [readouts[0].clone(), readouts[0].clone()];
        let (all, alone) = run(&table, &twice);
        assert_eq!(all, alone);
    }

    #[test]
    fn readouts_that_cannot_be_permuted_together_are_joined_by_bonferroni() {
        let (table, params) = (table(7, 3), AssociationParams::default());
        let less = AssociationParams { alternative: Alternative::Less, ..params.clone() };
        let (all, alone) = run(&table, &[(readout(7, 0), params), (readout(7, 1), less)]);
        for (all, alone) in all.concat().iter().zip(alone.concat()) {
            assert_eq!(*all, (2.0 * alone).min(1.0));
        }
    }

    #[test]
    fn a_readout_with_gaps_has_its_own_lots() {
        let (table, params) = (table(8, 2), AssociationParams::default());
        let mut gaps = readout(8, 1);
        gaps[2] = f64::NAN;
        let spearman = AssociationParams { statistic: Statistic::Spearman, ..params.clone() };
        let (all, alone) = run(&table, &[(readout(8, 0), params.clone()), (gaps.clone(), params.clone())]);
        assert!(all.concat().iter().zip(alone.concat()).all(|(all, alone)| *all >= alone && *all <= 1.0));
        // Ranks among other lots are other ranks.
        let (all, alone) = run(&table, &[(readout(8, 0), params), (gaps, spearman)]);
        assert!(all.concat().iter().zip(alone.concat()).all(|(all, alone)| *all == (2.0 * alone).min(1.0)));
    }
}
