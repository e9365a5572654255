use super::*;

fn quick(params: PlanParams) -> Plan {
    let params = PlanParams { max_lots: params.n_lots, ..params };
    plan(&params, &VerdictParams::default(), 1).unwrap()
}

#[test]
fn eleven_lots_and_eight_clusters() {
    let plan = quick(PlanParams { n_cells: 0, ..Default::default() });
    let row = &plan.planned;
    assert_eq!((row.n_lots, row.n_orders, plan.rho_counted), (11, 39_916_800.0, 0.7));
    assert!((row.r_alone - 0.6021).abs() < 1e-4 && (row.r_bonferroni - 0.7643).abs() < 1e-3, "{row:?}");
    assert!((row.power_alone - 0.7329).abs() < 1e-4 && (row.power_bonferroni - 0.3867).abs() < 1e-4);
    // Max-T needs a little less than Bonferroni, and the verdict asks for more than max-T.
    assert!(row.r_family < row.r_bonferroni + 0.005 && row.r_family > 0.7, "{row:?}");
    assert!((row.power_family - row.power_bonferroni).abs() < 0.06 && row.power_supported < row.power_family);
    assert!(row.power_supported > 0.2, "{row:?}");
}

#[test]
fn a_family_of_one_needs_no_correction() {
    for n_clusters in [1, 2] {
        // Of two clusters one is the other's mirror image.
        let row = quick(PlanParams { n_clusters, n_cells: 0, n_simulations: 20_000, ..Default::default() }).planned;
        assert!((row.r_family - row.r_alone).abs() < 0.008, "{n_clusters}: {row:?}");
        assert!((row.power_family - row.power_alone).abs() < 0.02, "{n_clusters}: {row:?}");
    }
}

#[test]
fn formula_and_simulation_agree_in_every_design() {
    let designs = [
        PlanParams { block_size: 4, n_lots: 12, ..Default::default() },
        PlanParams { n_covariates: 2, n_lots: 12, ..Default::default() },
        PlanParams { design: Design::Groups, n_lots: 16, ..Default::default() },
        PlanParams { design: Design::Groups, block_size: 4, n_lots: 20, ..Default::default() },
        PlanParams { design: Design::Pairs, n_lots: 13, ..Default::default() },
        // Seven lots are few enough for the permutation test itself.
        PlanParams { n_lots: 7, ..Default::default() },
    ];
    for params in designs {
        let params = PlanParams { n_clusters: 1, n_simulations: 10_000, ..params };
        let row = quick(params.clone()).planned;
        // Permutations of two groups or signs are not t to the last digit.
        assert_eq!(row.permuted, params.n_lots == 7);
        assert!((row.r_family - row.r_alone).abs() < 0.02, "{params:?}: {row:?}");
        assert!((row.power_family - row.power_alone).abs() < 0.035, "{params:?}: {row:?}");
    }
}

#[test]
fn counting_few_cells_costs_power() {
    let params = |n_cells| PlanParams { n_cells, n_simulations: 100, ..Default::default() };
    // Share 1/8, SD 1/16: a cell's variance is 7/64, less 1/256, that is 27 times that between lots.
    assert!((params(27).reliability() - 0.5).abs() < 1e-12);
    let enough = params(0).enough_cells();
    assert!((params(enough).reliability().sqrt() - 0.95).abs() < 1e-3, "{enough}");
    let power = |n_cells| quick(params(n_cells)).planned.power_alone;
    assert!(power(30) < power(300) && power(300) < power(0));
    assert!((quick(params(27)).rho_counted - 0.7 * 0.5_f64.sqrt()).abs() < 1e-12);
}

#[test]
fn designs_that_cannot_reach_the_level_have_no_power() {
    let row =
        quick(PlanParams { design: Design::Pairs, n_lots: 5, rho: 0.99, n_simulations: 100, ..Default::default() });
    let row = row.planned;
    assert!(row.smallest_p > 0.05);
    assert_eq!((row.power_alone, row.power_bonferroni, row.power_family, row.power_supported), (0.0, 0.0, 0.0, 0.0));
    // Four lots in two blocks with two covariates leave no degree of freedom.
    let params = PlanParams { n_lots: 4, block_size: 2, n_covariates: 2, n_simulations: 100, ..Default::default() };
    let row = quick(params).planned;
    assert!(row.r_family.is_nan() && row.r_alone.is_nan());
    assert_eq!((row.power_alone, row.power_family), (0.0, 0.0));
}

#[test]
fn lots_needed_are_those_from_which_on_power_is_reached() {
    let params = PlanParams { n_clusters: 3, rho: 0.85, max_lots: 20, n_cells: 0, ..Default::default() };
    let plan = plan(&params, &VerdictParams::default(), 1).unwrap();
    assert_eq!(plan.rows.iter().map(|row| row.n_lots).collect::<Vec<_>>(), (4..=20).collect::<Vec<_>>());
    let needed = plan.needed;
    assert!(needed.alone < needed.bonferroni && needed.bonferroni <= needed.supported, "{needed:?}");
    for (n, power) in [
        (needed.alone.unwrap(), (|row| row.power_alone) as fn(&PlanRow) -> f64),
        (needed.supported.unwrap(), |row| row.power_supported),
    ] {
        assert!(power(&plan.rows[n - 4]) >= 0.8 && power(&plan.rows[n - 5]) < 0.8);
    }
    let weak = PlanParams { rho: 0.2, max_lots: 8, n_simulations: 100, ..Default::default() };
    assert_eq!(super::plan(&weak, &VerdictParams::default(), 1).unwrap().needed.family, None);
}

#[test]
fn same_for_one_and_two_threads_and_another_for_another_seed() {
    let params = PlanParams { max_lots: 12, n_simulations: 500, n_covariates: 1, ..Default::default() };
    let run = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| plan(&params, &VerdictParams::default(), seed).unwrap())
    };
    assert_eq!(run(1, 1), run(2, 1));
    assert_ne!(run(1, 1), run(1, 2));
}

#[test]
fn parameters_are_checked() {
    let default = PlanParams::default;
    for (params, name) in [
        (PlanParams { n_lots: 3, ..default() }, "n_lots"),
        (PlanParams { max_lots: 151, ..default() }, "max_lots"),
        (PlanParams { n_clusters: 0, ..default() }, "n_clusters"),
        (PlanParams { n_readouts: 0, ..default() }, "n_readouts"),
        (PlanParams { rho: 1.0, ..default() }, "rho"),
        (PlanParams { power: f64::NAN, ..default() }, "power"),
        (PlanParams { share: 1.0, ..default() }, "share"),
        (PlanParams { share: 0.1, share_sd: 0.31, ..default() }, "share_sd"),
        (PlanParams { share_sd: -0.1, ..default() }, "share_sd"),
        (PlanParams { block_size: 1, ..default() }, "block_size"),
        (PlanParams { n_covariates: 21, ..default() }, "n_covariates"),
        (PlanParams { n_simulations: 99, ..default() }, "n_simulations"),
        (PlanParams { design: Design::Pairs, block_size: 2, ..default() }, "design"),
    ] {
        let error = plan(&params, &VerdictParams::default(), 1).unwrap_err().to_string();
        assert!(error.contains(name), "{name}: {error}");
    }
}
