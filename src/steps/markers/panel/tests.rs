//! Worked panels, gates as text, and what must not matter.

use super::super::small::dataset;
use super::*;
use crate::steps::cells::{NormalizeParams, normalize};

/// Two lots of six cells with three genes. The first three cells of a lot are inside: g0 is high in them and in one other
/// cell of the first lot, where g1 is high too; g2 makes totals equal.
fn example() -> (Dataset, Normalized, Vec<bool>) {
    let cell = |a: u32, b: u32| vec![a, b, 100 - a - b];
    let lots = [
        vec![cell(9, 0), cell(8, 0), cell(9, 0), cell(9, 5), cell(0, 5), cell(0, 0)],
        vec![cell(7, 0), cell(9, 0), cell(8, 0), cell(0, 0), cell(0, 5), cell(0, 5)],
    ];
    let dataset = dataset(&lots);
    let normalized = normalize(&dataset, &NormalizeParams { target_sum: 100.0 }).unwrap();
    (dataset, normalized, [true, true, true, false, false, false].repeat(2))
}

fn found(params: &PanelParams) -> Panels {
    let (dataset, normalized, inside) = example();
    panels(&dataset, &normalized, &inside, &[true, true, false], params).unwrap()
}

#[test]
fn a_second_gate_takes_away_what_the_first_lets_through() {
    let panels = found(&PanelParams { n_genes: 2, n_panels: 3, ..Default::default() });
    let first = &panels.rows[0];
    assert_eq!(first.panel.to_string(), "g0 high 0; g1 low 0");
    assert_eq!(first.panel.name(), "g0+g1-");
    assert_eq!((first.fitted.purity, first.fitted.yield_, first.fitted.f1), (1.0, 1.0, 1.0));
    assert!(first.proven && first.bound == 1.0);
    // g0 alone: A = 1/2 + 1/2, G = 4/6 + 3/6, S = 1.
    let alone = panels.rows.iter().find(|row| row.genes == [0]).unwrap();
    assert!((alone.fitted.purity - 6.0 / 7.0).abs() < 1e-12 && alone.fitted.yield_ == 1.0);
    assert!((alone.fitted.f1 - 12.0 / 13.0).abs() < 1e-12);
    assert_eq!(alone.lots[0], LotCount { n_cells: 6, n_cluster: 3, n_gated: 4, n_both: 3 });
}

#[test]
fn what_is_held_out_was_not_used_to_choose() {
    let panels = found(&PanelParams { n_genes: 1, n_panels: 1, ..Default::default() });
    let row = &panels.rows[0];
    assert!(row.chosen_anew);
    // Chosen on the second lot, g0 is perfect; in the first it lets a cell through. Chosen on the first, the threshold may lie
    // anywhere below ln 8.
    assert_eq!(row.without.len(), 2);
    assert_eq!((row.without[0].lot, row.without[0].panel.gates[0].gene.as_str()), (0, "g0"));
    assert_eq!(row.without[0].count, LotCount { n_cells: 6, n_cluster: 3, n_gated: 4, n_both: 3 });
    assert_eq!(row.without[1].count, LotCount { n_cells: 6, n_cluster: 3, n_gated: 3, n_both: 3 });
    assert!((row.held_out.f1 - 12.0 / 13.0).abs() < 1e-12);
    // F1 of either lot alone is 1 and 6/7: √((n − 1) / n · Σ d²) with d = 1/14.
    assert!((row.held_out_error - 1.0 / 14.0).abs() < 1e-12);
}

#[test]
fn one_more_gene_must_be_worth_it() {
    let params = PanelParams { n_genes: 2, gene_cost: 0.2, ..Default::default() };
    assert_eq!(found(&params).rows[0].panel.to_string(), "g0 high 0");
    let high = found(&PanelParams { n_genes: 2, low: false, ..Default::default() });
    assert!(high.rows.iter().all(|row| row.panel.gates.iter().all(|gate| gate.high)));
}

#[test]
fn counted_in_other_lots_a_panel_gives_the_same() {
    let (dataset, normalized, _) = example();
    let panels = found(&PanelParams { n_genes: 2, ..Default::default() });
    let all: Vec<Panel> = panels.rows.iter().map(|row| row.panel.clone()).collect();
    let shares = gated_shares(&dataset, &normalized, &all, 0.95).unwrap();
    assert_eq!(shares.len(), 2 * all.len());
    for (i, share) in shares.iter().enumerate() {
        let (lot, row) = (i / all.len(), &panels.rows[i % all.len()]);
        assert_eq!((share.n_cells, share.n_gated), (row.lots[lot].n_cells, row.lots[lot].n_gated));
        assert_eq!((share.lot.as_str(), share.panel.clone()), (["lot0", "lot1"][lot], row.panel.name()));
        assert!(share.ci_low <= share.share && share.share <= share.ci_high);
    }
}

#[test]
fn genes_are_found_by_id_and_symbol_and_missed_by_name() {
    let strings = |values: &[&str]| values.iter().map(|s| s.to_string()).collect::<Vec<_>>();
    let genes = Genes::new(strings(&["ENSG1.3", "ENSG2", "x"]), strings(&["A", "B", "C"])).unwrap();
    let find = |gene_id: &str, gene: &str| {
        let gate = Gate { gene_id: gene_id.into(), gene: gene.into(), high: true, threshold: 0.0 };
        Panel { gates: vec![gate] }.find(&genes)
    };
    assert_eq!(find("ENSG1.7", "other"), Ok(vec![0]));
    assert_eq!(find("ENSG2", "A"), Ok(vec![1]), "the id stands before the symbol");
    assert_eq!(find("ENSG9", "C"), Ok(vec![2]));
    let missing = find("ENSG9", "D").unwrap_err();
    assert_eq!((missing.panel.as_str(), missing.gene.as_str()), ("D+", "D"));
    assert!(Error::from(missing).to_string().contains("ENSG9"));
}

#[test]
fn panels_are_read_as_they_are_written() {
    let gate = |gene: &str, high, threshold| Gate { gene_id: format!("id {gene}"), gene: gene.into(), high, threshold };
    let panel = Panel { gates: vec![gate("HLA-DRA", true, 0.25), gate("a gene", false, 0.0)] };
    let text = panel.to_string();
    assert_eq!(text, "HLA-DRA high 0.25; a gene low 0");
    assert_eq!(Panel::parse(&text, &["id HLA-DRA", "id a gene"]), Some(panel));
    for (text, ids) in
        [("A high", &["a"][..]), ("A over 1", &["a"]), ("A high 1; B low 0", &["a"]), ("A low -1", &["a"])]
    {
        assert_eq!(Panel::parse(text, ids), None, "{text}");
    }
}

#[test]
fn degenerate_lots_do_not_upset_it() {
    let cell = |a: u32| vec![a, 10];
    // A lot without cells, a lot without the cluster, and a cluster in one lot only.
    let data = dataset(&[vec![cell(9), cell(0), cell(8)], vec![], vec![cell(0), cell(0)]]);
    let normalized = normalize(&data, &NormalizeParams::default()).unwrap();
    let inside = [true, false, true, false, false];
    let all = [true, true];
    let found = panels(&data, &normalized, &inside, &all, &PanelParams::default()).unwrap();
    let first = &found.rows[0];
    assert_eq!((first.genes.clone(), first.fitted.f1), (vec![0], 1.0));
    assert_eq!(first.lots[1], LotCount { n_cells: 0, n_cluster: 0, n_gated: 0, n_both: 0 });
    // Without the lot that has the cluster nothing can be chosen.
    assert_eq!(first.without.iter().map(|held| held.lot).collect::<Vec<_>>(), [2]);
    let constant = dataset(&[vec![vec![1, 1], vec![1, 1]]]);
    let normalized = normalize(&constant, &NormalizeParams::default()).unwrap();
    let none = panels(&constant, &normalized, &[true, false], &all, &PanelParams::default()).unwrap();
    assert!(none.rows.is_empty() && none.candidates.is_empty() && none.distributions.is_empty());
    for inside in [[true, true], [false, false]] {
        assert!(panels(&constant, &normalized, &inside, &all, &PanelParams::default()).is_err());
    }
    assert!(panels(&constant, &normalized, &[true, false], &[false, false], &PanelParams::default()).is_err());
}

#[test]
fn parameters_out_of_range_are_refused() {
    let (dataset, normalized, inside) = example();
    let default = PanelParams::default;
    for (params, name) in [
        (PanelParams { n_genes: 0, ..default() }, "panel.n_genes"),
        (PanelParams { n_genes: 5, ..default() }, "panel.n_genes"),
        (PanelParams { n_panels: 0, ..default() }, "panel.n_panels"),
        (PanelParams { n_candidates: 0, ..default() }, "panel.n_candidates"),
        (PanelParams { step: 0.0, ..default() }, "panel.step"),
        (PanelParams { step: f64::NAN, ..default() }, "panel.step"),
        (PanelParams { gene_cost: -0.1, ..default() }, "panel.gene_cost"),
    ] {
        let error = panels(&dataset, &normalized, &inside, &[true; 3], &params).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn distributions_are_of_the_first_panel() {
    let panels = found(&PanelParams { n_genes: 2, ..Default::default() });
    let sets: Vec<&[u32]> = panels.distributions.iter().map(|d| d.genes.as_slice()).collect();
    assert_eq!(sets, [&[0][..], &[1], &[0, 1]]);
    for distribution in &panels.distributions {
        for bins in [&distribution.inside, &distribution.outside] {
            assert!((bins.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
    // g1 is not seen inside; outside in 2 of 3 cells of either lot.
    assert!((panels.distributions[1].inside[0] - 1.0).abs() < 1e-12);
    assert!((panels.distributions[1].outside[0] - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn threads_do_not_matter() {
    let on = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| found(&PanelParams { n_genes: 2, ..Default::default() }))
    };
    assert_eq!(on(1), on(2));
}
