//! Promise: a panel finds planted markers, and says beforehand how it will do in lots to come.

use cqa::data::Dataset;
use cqa::simulate::{SimulateParams, Simulated, simulate};
use cqa::steps::cells::{NormalizeParams, Normalized, normalize};
use cqa::steps::markers::panel::LotCount;
use cqa::steps::markers::{Panel, PanelParams, Panels, Performance, gated_shares, panels};

struct Lots {
    dataset: Dataset,
    normalized: Normalized,
    /// Of the potent population.
    inside: Vec<bool>,
    markers: Vec<u32>,
}

fn lots(seed: u64, n_lots: usize) -> Lots {
    let params = SimulateParams { n_lots, n_cells: 500, depth: 8_000.0, seed, ..Default::default() };
    let Simulated { dataset, truth } = simulate(&params).unwrap();
    let normalized = normalize(&dataset, &NormalizeParams::default()).unwrap();
    let inside = truth.population.iter().map(|&population| population == truth.potent).collect();
    Lots { dataset, normalized, inside, markers: truth.markers }
}

fn found(lots: &Lots, params: &PanelParams) -> Panels {
    let allowed = vec![true; lots.dataset.n_genes()];
    panels(&lots.dataset, &lots.normalized, &lots.inside, &allowed, params).unwrap()
}

/// How a panel does in lots it has not seen.
fn performance(lots: &Lots, panel: &Panel) -> Performance {
    let panel = std::slice::from_ref(panel);
    let gated = gated_shares(&lots.dataset, &lots.normalized, panel, 0.95).unwrap();
    let only = lots.dataset.select_cells(&lots.inside);
    let both = gated_shares(&only, &normalize(&only, &NormalizeParams::default()).unwrap(), panel, 0.95).unwrap();
    let count = |(all, inside): (&cqa::steps::markers::GatedShare, &cqa::steps::markers::GatedShare)| LotCount {
        n_cells: all.n_cells,
        n_cluster: inside.n_cells,
        n_gated: all.n_gated,
        n_both: inside.n_gated,
    };
    let counts: Vec<LotCount> = gated.iter().zip(&both).map(count).collect();
    Performance::of(&counts)
}

#[test]
fn planted_markers_become_gates_and_new_lots_hold_what_was_promised() {
    let (seen, new) = (lots(1, 8), lots(2, 24));
    let found = found(&seen, &PanelParams { n_panels: 2, ..Default::default() });
    assert_eq!(found.n_allowed, 20_000);
    for size in 1..=3 {
        let row = found.rows.iter().find(|row| row.genes.len() == size && row.chosen_anew).unwrap();
        assert!(row.proven, "{}", row.panel);
        let high = || row.panel.gates.iter().zip(&row.genes).filter(|gate| gate.0.high);
        assert!(high().count() > 0 && high().all(|gate| seen.markers.contains(gate.1)), "{}", row.panel);
        // Eight lots of 500 cells: the promise itself is uncertain by about 0.01.
        let kept = performance(&new, &row.panel);
        let summary = format!("{}: promised {:?}, kept {kept:?}", row.panel, row.held_out);
        println!("{summary}");
        assert!((row.held_out.f1 - kept.f1).abs() <= 0.03, "{summary}");
        assert!(row.fitted.f1 >= row.held_out.f1 - 0.01, "{summary}");
    }
}

#[test]
fn looking_at_every_panel_finds_none_better() {
    // Few genes, so that every pair can be looked at by other means: cell by cell, threshold by threshold.
    let lots = lots(3, 3);
    let params = PanelParams { n_genes: 2, n_panels: 1, n_candidates: 6, step: 0.5, ..Default::default() };
    let panels = found(&lots, &params);
    let best = panels.rows.iter().find(|row| row.genes.len() == 2).unwrap();
    assert!(best.proven);
    let value = |cell: usize, gene: u32| {
        let count = lots.dataset.row(cell).iter().find(|entry| entry.0 == gene).map_or(0, |entry| entry.1);
        f64::from(lots.normalized.value(cell, count))
    };
    let values: Vec<Vec<f64>> =
        panels.candidates.iter().map(|&g| (0..lots.dataset.n_cells()).map(|cell| value(cell, g)).collect()).collect();
    let gates: Vec<(usize, Vec<bool>)> = (0..values.len())
        .flat_map(|gene| {
            let values = &values[gene];
            (0..=12).flat_map(move |step| {
                let above: Vec<bool> = values.iter().map(|v| *v > f64::from(step) * 0.5).collect();
                let below = above.iter().map(|a| !a).collect();
                [(gene, above), (gene, below)]
            })
        })
        .collect();
    let lot_of_cell = lots.dataset.lot_of_cell();
    let mut most = 0.0_f64;
    for (i, (first, a)) in gates.iter().enumerate() {
        for (_, b) in gates[i + 1..].iter().filter(|(second, _)| second > first) {
            let mut counts = [LotCount { n_cells: 0, n_cluster: 0, n_gated: 0, n_both: 0 }; 3];
            for cell in 0..a.len() {
                let count = &mut counts[lot_of_cell[cell] as usize];
                let (gated, inside) = (a[cell] && b[cell], lots.inside[cell]);
                count.n_cells += 1;
                count.n_cluster += u64::from(inside);
                count.n_gated += u64::from(gated);
                count.n_both += u64::from(gated && inside);
            }
            most = most.max(Performance::of(&counts).f1);
        }
    }
    assert!((best.fitted.f1 - most).abs() < 1e-6, "{} against {most}", best.fitted.f1);
}

#[test]
fn threads_do_not_matter() {
    let lots = lots(4, 3);
    let on = |n| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        pool.install(|| found(&lots, &PanelParams { n_candidates: 60, ..Default::default() }))
    };
    assert_eq!(on(1), on(2));
}
