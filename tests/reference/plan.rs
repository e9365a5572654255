//! Power against scipy, statsmodels and a simulation in numpy.

use cqa::math::power::{critical_r, power};
use cqa::steps::lots::VerdictParams;
use cqa::steps::process::{Design, PlanParams, PlanRow, plan};

use crate::common;

/// Kind, n, rho, alpha, power, limit of |r|.
fn frozen(kind: &str) -> Vec<(usize, f64, f64, f64, f64)> {
    let (_, rows) = common::rows(&common::fixture("plan/power.csv"));
    let number = |text: &String| text.parse::<f64>().unwrap_or(f64::NAN);
    let of_kind = rows.iter().filter(|row| row[0] == kind);
    of_kind.map(|r| (r[1].parse().unwrap(), number(&r[2]), number(&r[3]), number(&r[4]), number(&r[5]))).collect()
}

fn planned(n_lots: usize, rho: f64, design: Design, n_simulations: usize) -> PlanRow {
    let params = PlanParams { n_lots, max_lots: n_lots, rho, design, n_cells: 0, n_simulations, ..Default::default() };
    plan(&params, &VerdictParams::default(), 1).unwrap().planned
}

#[test]
fn power_of_a_correlation_equals_the_conditional_non_central_t_of_scipy() {
    let frozen = frozen("correlation");
    assert_eq!(frozen.len(), 96);
    for (n, rho, alpha, expected, _) in frozen {
        let ours = power(n, rho, alpha);
        assert!((ours - expected).abs() < 2e-7, "n {n} rho {rho} alpha {alpha}: {ours} {expected}");
    }
    assert!(critical_r(11, 0.05) > 0.0);
}

#[test]
fn power_of_groups_and_pairs_equals_statsmodels() {
    for (kind, design) in [("groups", Design::Groups), ("pairs", Design::Pairs)] {
        let frozen = frozen(kind);
        assert_eq!(frozen.len(), 18);
        for (n, rho, alpha, expected, _) in frozen {
            let row = planned(n, rho, design, 100);
            let ours = if alpha == 0.05 { row.power_alone } else { row.power_bonferroni };
            assert!((ours - expected).abs() < 1e-6, "{kind} {n} {rho} {alpha}: {ours} {expected}");
        }
    }
}

#[test]
fn the_largest_of_a_family_equals_a_simulation_in_numpy() {
    let frozen = frozen("family");
    assert_eq!(frozen.len(), 3);
    for (n, rho, _, expected, limit) in frozen {
        let row = planned(n, rho, Design::Measured, 20_000);
        // 20,000 studies: a standard error of 0.0035 of power, and of 0.001 of the limit.
        assert!((row.power_family - expected).abs() < 0.014, "{n} {rho}: {row:?} {expected}");
        assert!((row.r_family - limit).abs() < 0.004, "{n} {rho}: {row:?} {limit}");
    }
}
