use super::*;
use ndarray::array;

fn choices(method: ClusterMethod, resolution: f64) -> Choices {
    Choices { method, resolution, integrated: true, scaled: true }
}

fn run<'a>(r: &'a [f64]) -> Reference<'a> {
    Reference {
        effects: r,
        statistic: Statistic::Pearson,
        alternative: Alternative::TwoSided,
        transform: Transform::Share,
        alpha: 0.05,
        min_jaccard: 0.5,
    }
}

/// Every lot a unit.
fn asked(
    specifications: &[Specification],
    values: &[f64],
    r: &[f64],
    params: &SensitivityParams,
) -> Result<Option<Sensitivity>> {
    let names: Vec<String> = (0..values.len()).map(|l| format!("L{l}")).collect();
    let observed = Observed { name: "y", values, weights: None, ranks_only: false };
    sensitivity(specifications, observed, &Units::free(&names), run(r), params, 0)
}

#[test]
fn clusters_are_followed_to_their_best_match() {
    let of_run = [0, 0, 0, 0, 1, 1, 1, 2];
    let labels = [1, 1, 1, 0, 0, 0, 0, 0];
    let lots = [0, 1, 0, 1, 0, 1, 0, 1];
    let s = specification(choices(ClusterMethod::Kmeans, f64::NAN), false, (&of_run, 3), (&labels, 2), &lots, 3);
    assert_eq!(s.matches, [1, 0, 0]);
    assert_eq!(s.jaccard, [0.75, 0.6, 0.2]);
    assert_eq!(s.n_cells, array![[2, 2], [3, 1], [0, 0]]);
    assert_eq!(s.choices.to_string(), "kmeans, integrated, genes scaled");
}

/// Eleven lots whose first cluster tracks the readout in two divisions and is nowhere to be found in the third.
fn tracked() -> (Vec<Specification>, Vec<f64>) {
    let values: Vec<f64> = (0..11).map(|l| f64::from(l * l % 7) + 0.1 * f64::from(l)).collect();
    let division = |method, noise: u64, jaccard: [f64; 2]| {
        let n_cells = Array2::from_shape_fn((11, 2), |(lot, cluster)| {
            let n = (100.0 + 50.0 * values[lot]) as u64 + noise * (lot as u64 * 37 % 11);
            if cluster == 0 { n } else { 1000 - n }
        });
        Specification {
            choices: choices(method, 1.0),
            chosen: method == ClusterMethod::Leiden,
            n_cells,
            matches: vec![0, 1],
            jaccard: jaccard.to_vec(),
        }
    };
    let specifications = vec![
        division(ClusterMethod::Leiden, 0, [1.0, 1.0]),
        division(ClusterMethod::Kmeans, 5, [0.8, 0.9]),
        division(ClusterMethod::Mixture, 40, [0.3, 0.9]),
    ];
    (specifications, values)
}

#[test]
fn every_choice_has_its_row_and_the_summary_is_of_those_where_the_cluster_is_found() {
    let (specifications, values) = tracked();
    let params = SensitivityParams::default();
    let result = asked(&specifications, &values, &[0.99, -0.99], &params).unwrap().unwrap();
    assert_eq!((result.rows.len(), result.clusters.len(), result.n_units), (2 * 3 * 4 * 2, 2, 11));
    assert!(!result.exact && result.n_permutations == 20_001);
    let chosen: Vec<&SensitivityRow> = result.rows.iter().filter(|r| r.chosen).collect();
    assert_eq!(chosen.len(), 2, "one per cluster");
    assert!(chosen[0].r > 0.999 && chosen[1].r < -0.999 && chosen[0].p_alone <= 2.0 / 20_001.0);
    assert!(result.rows.iter().all(|r| r.p_family >= r.p_alone && r.p_alone > 0.0));
    let first = &result.clusters[0];
    assert_eq!((first.n_rows, first.n_found, first.share_same_sign), (24, 16, 1.0));
    assert!(first.r_min <= first.r_median && first.r_median <= first.r_max && first.r_min > 0.5);
    assert_eq!(first.share_significant, 1.0);
    let family: Vec<f64> = result.rows.iter().filter(|r| r.cluster == 0 && r.found).map(|r| r.p_family).collect();
    assert_eq!(first.p_family_min, family.iter().copied().fold(1.0, f64::min));
    // Rows by ranks are Spearman's correlation.
    let rank_row = result.rows.iter().find(|r| r.specification == 1 && r.statistic == Statistic::Spearman).unwrap();
    let shares: Vec<f64> = specifications[1].n_cells.column(0).iter().map(|&n| n as f64).collect();
    assert!((rank_row.r - crate::math::correlation::spearman(&shares, &values)).abs() < 1e-12);
}

#[test]
fn a_few_lots_are_exact_and_missing_values_take_no_part() {
    let (specifications, mut values) = tracked();
    values[6..].fill(f64::NAN);
    let params = SensitivityParams::default();
    let result = asked(&specifications, &values, &[0.9, -0.9], &params).unwrap().unwrap();
    assert!(result.exact && result.n_units == 6);
    // Two groups of eleven lots have few orders that differ, however many there are in all.
    let groups: Vec<f64> = (0..11).map(|lot| f64::from(lot % 2)).collect();
    let of_groups = asked(&specifications, &groups, &[0.1, -0.1], &params).unwrap().unwrap();
    assert!(of_groups.exact && of_groups.n_permutations == 462);
    // A cluster that none of the run is followed to was looked at too.
    let alone = |matches: [usize; 2]| {
        let mut one = specifications[..1].to_vec();
        one[0].n_cells =
            Array2::from_shape_fn((11, 3), |(lot, k)| 100 + [lot * lot % 13, lot % 4, lot * 5 % 7][k] as u64);
        one[0].matches = matches.to_vec();
        asked(&one, &values, &[0.5, 0.5], &params).unwrap().unwrap()
    };
    let (two_of_three, one_of_three) = (alone([0, 1]), alone([0, 0]));
    for (a, b) in two_of_three.rows[..8].iter().zip(&one_of_three.rows[..8]) {
        assert_eq!((a.p_alone, a.p_family), (b.p_alone, b.p_family), "the family is the same");
    }
    values[2..].fill(f64::NAN);
    assert!(asked(&specifications, &values, &[0.9, -0.9], &params).unwrap().is_none());
    assert!(asked(&[], &values, &[], &params).unwrap().is_none());
}

#[test]
fn parameters_are_checked_and_a_cluster_found_nowhere_is_missing() {
    let (mut specifications, values) = tracked();
    for (params, name) in [
        (SensitivityParams { resolutions: vec![0.0], ..Default::default() }, "sensitivity.resolutions"),
        (SensitivityParams { n_permutations: 10, ..Default::default() }, "sensitivity.n_permutations"),
    ] {
        let error = asked(&specifications, &values, &[0.9, -0.9], &params).unwrap_err();
        assert!(error.to_string().contains(name));
    }
    specifications.iter_mut().for_each(|s| s.jaccard[1] = 0.1);
    let params = SensitivityParams { n_permutations: 99, ..Default::default() };
    let lost = &asked(&specifications, &values, &[0.9, -0.9], &params).unwrap().unwrap().clusters[1];
    assert_eq!(lost.n_found, 0);
    assert!([lost.share_same_sign, lost.share_significant, lost.r_min, lost.p_family_min].iter().all(|v| v.is_nan()));
}
