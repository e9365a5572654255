//! Studies judged by the permutation test itself, where the design admits so few orders that p goes in steps.

use rayon::prelude::*;

use super::design::{Design, Layout};
use super::simulation::{Model, associated, basis, normals, others, unit};
use crate::math::design::Design as Exchangeable;
use crate::math::family::{Family, Readout, Tail};
use crate::math::max_t::{StepDown, step_down};
use crate::math::permutations::Orders;
use crate::math::rng::stream;

/// Up to so many orders (those of seven lots), a level of 0.05 lies between two p-values that are visibly apart.
const FEW_ORDERS: f64 = 5_040.0;

/// Studies at most, as each is tested in full, without each lot too. Power is then good to ±0.022.
const MOST_STUDIES: usize = 2_000;

/// Shares of studies.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Permuted {
    pub alone: f64,
    pub bonferroni: f64,
    pub family: f64,
    pub supported: f64,
}

/// Whether a layout is judged this way: few orders, and no covariates or further readouts to draw for every order.
pub(super) fn is_coarse(layout: &Layout, model: &Model) -> bool {
    layout.n_orders() <= FEW_ORDERS && layout.n_covariates == 0 && model.n_readouts == 1
}

/// How often each criterion is met at level `alpha`.
pub(super) fn permuted(layout: &Layout, model: &Model, alpha: f64) -> Permuted {
    if layout.degrees_of_freedom() < 1.0 || layout.smallest_p() > alpha {
        return Permuted::default();
    }
    let n_studies = model.n_simulations.min(MOST_STUDIES);
    let found: Vec<[bool; 4]> = (0..n_studies)
        .into_par_iter()
        .map(|study| judged(layout, model, alpha, (layout.n_lots * 1_000_000 + study) as u64))
        .collect();
    let share = |i: usize| found.iter().filter(|criteria| criteria[i]).count() as f64 / n_studies as f64;
    Permuted { alone: share(0), bonferroni: share(1), family: share(2), supported: share(3) }
}

/// One study: found alone, by Bonferroni, by max-T, and supported.
fn judged(layout: &Layout, model: &Model, alpha: f64, item: u64) -> [bool; 4] {
    let mut rng = stream(model.seed, "plan permuted", item);
    let rest = others(layout.n_lots, model.n_clusters, &mut rng);
    let (share, readout) = associated(layout, normals(layout.n_lots, &mut rng), model.rho, &mut rng);
    let mut columns = vec![share];
    columns.extend(rest.against(&columns[0]));
    let lots: Vec<usize> = (0..layout.n_lots).collect();
    let p = tested(layout, &columns, &readout, &lots);
    let tests = model.n_clusters as f64;
    let (alone, family) = (p.alone[0] <= alpha, p.family[0] <= alpha);
    [alone, p.alone[0] <= alpha / tests, family, family && stands(layout, model, alpha, &columns, &readout)]
}

/// Without each lot: the sign stays, p alone is within the level, and without a dominant lot the family-wise p is.
fn stands(layout: &Layout, model: &Model, alpha: f64, columns: &[Vec<f64>], readout: &[f64]) -> bool {
    let full = basis(layout, &[], None);
    let (x, y) = (unit(&columns[0], &full, None), unit(readout, &full, None));
    let r: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
    (0..layout.n_lots).all(|left_out| {
        let lots: Vec<usize> = (0..layout.n_lots).filter(|&lot| lot != left_out).collect();
        let p = tested(layout, columns, readout, &lots);
        let left = basis(layout, &[], Some(left_out));
        let pairs = unit(&columns[0], &left, Some(left_out)).into_iter().zip(unit(readout, &left, Some(left_out)));
        let without: f64 = pairs.map(|(x, y)| x * y).sum();
        let dominant = x[left_out].powi(2).max(y[left_out].powi(2)) > model.max_dominance;
        without * r > 0.0 && p.alone[0] <= alpha && (!dominant || p.family[0] <= alpha)
    })
}

/// The permutation test of some of the lots.
fn tested(layout: &Layout, columns: &[Vec<f64>], readout: &[f64], lots: &[usize]) -> StepDown {
    let pairs = layout.design == Design::Pairs;
    // A pair is a block of two lots whose difference is that of the pair.
    let spread = |values: &[f64]| -> Vec<f64> {
        if pairs {
            lots.iter().flat_map(|&lot| [values[lot], -values[lot]]).collect()
        } else {
            lots.iter().map(|&lot| values[lot]).collect()
        }
    };
    let blocks: Vec<usize> = if pairs {
        (0..2 * lots.len()).map(|i| i / 2).collect()
    } else {
        lots.iter().map(|&lot| layout.block[lot]).collect()
    };
    let columns: Vec<Vec<f64>> = columns.iter().map(|column| spread(column)).collect();
    let readout = spread(readout);
    let design = Exchangeable::new(&blocks, &vec![0; blocks.len()], &[]);
    let readout = Readout { values: &readout, weights: None };
    step_down(&Family::of_columns(&columns, readout, &design, Tail::Both), Orders::All)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(n_clusters: usize, rho: f64) -> Model {
        Model { n_clusters, n_readouts: 1, rho, max_dominance: 0.5, n_simulations: 2_000, seed: 1 }
    }

    #[test]
    fn six_pairs_must_all_go_one_way() {
        let layout = Layout::new(6, Design::Pairs, 0, 0);
        let (rho, model) = (0.8, model(1, 0.8));
        assert!(is_coarse(&layout, &model));
        // Standardised mean difference 4/3, so each pair goes up with the normal probability of that.
        let up = statrs::distribution::ContinuousCDF::cdf(
            &statrs::distribution::Normal::standard(),
            rho / (1.0_f64 - rho * rho).sqrt(),
        );
        let expected = up.powi(6) + (1.0 - up).powi(6);
        let p = permuted(&layout, &model, 0.05);
        assert!((p.alone - expected).abs() < 0.035, "{p:?} {expected}");
        assert_eq!((p.alone, p.alone), (p.bonferroni, p.family));
        // Five pairs are left without one, and those can't reach the level.
        assert_eq!(p.supported, 0.0);
    }

    #[test]
    fn without_association_the_level_is_held() {
        for (n, design, block) in [(6, Design::Measured, 0), (8, Design::Groups, 0), (8, Design::Measured, 4)] {
            let p = permuted(&Layout::new(n, design, block, 0), &model(4, 0.0), 0.05);
            // Of four clusters each is the strongest as often.
            assert!(p.alone <= 0.065 && p.family <= 0.025 && p.supported <= p.family, "{n} {design:?}: {p:?}");
        }
    }
}
