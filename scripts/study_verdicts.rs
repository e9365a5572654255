//! How often do the verdicts err, how often do they find, and does `cqa plan` foresee it?
//!
//!     cargo run --release --example study_verdicts -- N
//!
//! N simulated studies per line (1,000 by default), without cells and genes: shares are Dirichlet, cells multinomial. Every
//! study goes through the program's own association, without each lot too, and its verdicts. Studies of 11 lots and more
//! draw 1,999 random orders instead of all. Prints two CSV tables: rates of each criterion, and power beside the plan's.

use cqa::Result;
use cqa::simulate::{ShareParams, simulate_shares};
use cqa::steps::lots::{AssociationParams, FoundAgain, Verdict, VerdictParams, association, influence, verdicts};
use cqa::steps::process::{PlanParams, plan};
use rayon::prelude::*;

/// Shares of studies.
#[derive(Default)]
struct Rates {
    /// p of the first cluster alone within the level.
    alone: f64,
    /// Family-wise p of the first cluster within the level.
    family: f64,
    /// The same, and r keeps its sign without any one lot.
    sign: f64,
    /// Verdicts of the first cluster.
    supported: f64,
    suggestive: f64,
    absent: f64,
    /// Any cluster supported.
    any_supported: f64,
}

fn main() -> Result<()> {
    let n: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000);
    println!("lots,rho,outlier,p_alone,p_family,p_family_and_sign,supported,suggestive,no_association,any_supported");
    for n_lots in [11, 16] {
        for outlier in [0.0, 2.0, 3.0, 4.0, 5.0, 8.0, 15.0] {
            line(&ShareParams { n_lots, rho: 0.0, outlier, ..Default::default() }, n)?;
        }
    }
    for rho in [0.5, 0.7, 0.8, 0.9, 0.95] {
        line(&ShareParams { rho, ..Default::default() }, n)?;
    }
    println!();
    println!("lots,rho,cells,engine_alone,plan_alone,engine_family,plan_family,engine_supported,plan_supported");
    for (n_lots, rho, n_cells) in [
        (5, 0.9, 1_000),
        (7, 0.9, 1_000),
        (8, 0.8, 1_000),
        (11, 0.5, 1_000),
        (11, 0.7, 1_000),
        (11, 0.9, 1_000),
        (11, 0.7, 50),
        (16, 0.7, 1_000),
        (24, 0.5, 1_000),
        (24, 0.7, 1_000),
    ] {
        let rates = rates(&ShareParams { n_lots, rho, n_cells, ..Default::default() }, n)?;
        let asked = PlanParams { n_lots, max_lots: n_lots, rho, n_cells: n_cells as usize, ..Default::default() };
        let planned = plan(&asked, &VerdictParams::default(), 1)?.planned;
        println!(
            "{n_lots},{rho},{n_cells},{:.3},{:.3},{:.3},{:.3},{:.3},{:.3}",
            rates.alone,
            planned.power_alone,
            rates.family,
            planned.power_family,
            rates.supported,
            planned.power_supported
        );
    }
    Ok(())
}

fn line(params: &ShareParams, n: u64) -> Result<()> {
    let r = rates(params, n)?;
    println!(
        "{},{},{},{:.3},{:.3},{:.3},{:.3},{:.3},{:.3},{:.3}",
        params.n_lots,
        params.rho,
        params.outlier,
        r.alone,
        r.family,
        r.sign,
        r.supported,
        r.suggestive,
        r.absent,
        r.any_supported
    );
    Ok(())
}

fn rates(params: &ShareParams, n: u64) -> Result<Rates> {
    let studies: Vec<[bool; 7]> = (0..n).into_par_iter().map(|seed| study(params, seed)).collect::<Result<_>>()?;
    let share = |i: usize| studies.iter().filter(|study| study[i]).count() as f64 / n as f64;
    Ok(Rates {
        alone: share(0),
        family: share(1),
        sign: share(2),
        supported: share(3),
        suggestive: share(4),
        absent: share(5),
        any_supported: share(6),
    })
}

fn study(params: &ShareParams, seed: u64) -> Result<[bool; 7]> {
    let (table, readout) = simulate_shares(params, seed);
    let test = AssociationParams { max_exact_lots: 8, n_permutations: 1_999, ..Default::default() };
    let associate = |values: &[f64]| association(&table, "potency", values, &test, seed);
    let result = associate(&readout)?;
    let without = influence(&table, &result, associate);
    let rule = VerdictParams::default();
    // The clusters are given, so they are there without any lot.
    let again: Vec<FoundAgain> = result.rows.iter().map(FoundAgain::given).collect();
    let judged = verdicts(&result, &without, Some(&again), &rule)?;
    let row = &result.rows[0];
    let family = row.p_family <= rule.alpha;
    let is = |verdict| judged[0].verdict == verdict;
    Ok([
        row.p_exact <= rule.alpha,
        family,
        family && row.loo_min * row.r > 0.0 && row.loo_max * row.r > 0.0,
        is(Verdict::Supported),
        is(Verdict::Suggestive),
        is(Verdict::NoAssociation),
        judged.iter().any(|j| j.verdict == Verdict::Supported),
    ])
}
