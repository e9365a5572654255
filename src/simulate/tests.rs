use super::*;
use crate::data::Row;

fn small() -> SimulateParams {
    SimulateParams { n_lots: 4, n_cells: 120, ..Default::default() }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Counts, genes and mitochondrial percentage of a cell.
fn measures(row: Row<'_>) -> (f64, f64, f64) {
    let (mut total, mut mito) = (0.0, 0.0);
    row.for_each(|gene, count| {
        total += f64::from(count);
        if gene < 13 {
            mito += f64::from(count);
        }
    });
    (total, row.len() as f64, 100.0 * mito / total)
}

#[test]
fn lots_look_like_real_msc() {
    // Twelve lots of Gao 2023: medians of 13,793 to 35,443 counts, 3,171 to 5,142 genes, 1.2 to 3.0 % mitochondrial.
    let params = SimulateParams { n_lots: 12, n_cells: 150, ..Default::default() };
    let Simulated { dataset, truth } = simulate(&params).unwrap();
    let lots = dataset.lot_of_cell();
    let sound: Vec<usize> = (0..dataset.n_cells()).filter(|&c| !truth.doublet[c] && !truth.damaged[c]).collect();
    let all: Vec<(f64, f64, f64)> = sound.iter().map(|&cell| measures(dataset.row(cell))).collect();
    let of_lot = |lot: u32, f: fn(&(f64, f64, f64)) -> f64| {
        median(sound.iter().zip(&all).filter(|(c, _)| lots[**c] == lot).map(|(_, m)| f(m)).collect())
    };
    let counts: Vec<f64> = (0..12).map(|lot| of_lot(lot, |m| m.0)).collect();
    let genes: Vec<f64> = (0..12).map(|lot| of_lot(lot, |m| m.1)).collect();
    let mito: Vec<f64> = (0..12).map(|lot| of_lot(lot, |m| m.2)).collect();
    let summary = format!(
        "counts {:.0}, genes {:.0}, mito {:.2}: {counts:.0?} {genes:.0?} {mito:.2?}",
        median(counts.clone()),
        median(genes.clone()),
        median(mito.clone())
    );
    assert!((24_000.0..33_000.0).contains(&median(counts.clone())), "{summary}");
    assert!((3900.0..4900.0).contains(&median(genes.clone())), "{summary}");
    assert!((2.0..4.0).contains(&median(mito.clone())), "{summary}");
    assert!(counts.iter().all(|c| (11_000.0..60_000.0).contains(c)), "{summary}");
    // Lots differ: the real ratio of the deepest to the shallowest of 12 is 2.6.
    let ratio = counts.iter().copied().fold(0.0, f64::max) / counts.iter().copied().fold(f64::INFINITY, f64::min);
    assert!((1.5..4.5).contains(&ratio), "{summary}");
    // Damaged cells are what quality control looks for: few counts, many of them mitochondrial.
    let damaged: Vec<_> =
        (0..dataset.n_cells()).filter(|&c| truth.damaged[c]).map(|c| measures(dataset.row(c))).collect();
    assert!(damaged.len() > 20);
    assert!(median(damaged.iter().map(|m| m.0).collect()) < 0.35 * median(counts));
    assert!(median(damaged.iter().map(|m| m.2).collect()) > 3.0 * median(mito));
    let doublets = truth.doublet.iter().filter(|d| **d).count() as f64 / dataset.n_cells() as f64;
    assert!((0.02..0.06).contains(&doublets), "{doublets}");
}

#[test]
fn counts_have_negative_binomial_mean_and_variance() {
    // Without any other spread, a gene's variance over cells of one lot is mean + mean²/size.
    let params = SimulateParams {
        n_lots: 1,
        n_cells: 3000,
        n_genes: 2000,
        cells_spread: 0.0,
        depth_lot_spread: 0.0,
        depth_cell_spread: 0.0,
        doublet_rate: 0.0,
        damaged_rate: 0.0,
        ..Default::default()
    };
    let model = Model::new(&params);
    let sampler = sample::LotSampler::new(&model, 0);
    for (mean, size) in [(0.02, 3), (0.7, 5), (6.0, 8), (40.0, 4)] {
        let n = 40_000;
        let mut rng = crate::math::rng::stream(9, "test", size.into());
        let draws: Vec<f64> = (0..n).map(|_| f64::from(sampler.count(mean, size, &mut rng))).collect();
        let (m, v): (f64, f64) = {
            let m = draws.iter().sum::<f64>() / f64::from(n);
            (m, draws.iter().map(|x| (x - m).powi(2)).sum::<f64>() / f64::from(n - 1))
        };
        let expected = mean + mean * mean / f64::from(size);
        // Five standard errors of the mean; the variance of a variance is larger, 10 % is about four of its errors.
        assert!((m - mean).abs() < 5.0 * (expected / f64::from(n)).sqrt(), "{mean}: {m}");
        assert!((v / expected - 1.0).abs() < 0.1, "{mean}: {v} against {expected}");
        let zeros = draws.iter().filter(|x| **x == 0.0).count() as f64 / f64::from(n);
        let p0 = (1.0 + mean / f64::from(size)).powi(-(size as i32));
        assert!((zeros - p0).abs() < 5.0 * (p0 * (1.0 - p0) / f64::from(n)).sqrt() + 1e-9, "{mean}: {zeros} {p0}");
    }
}

#[test]
fn the_potent_population_expresses_its_markers_and_drives_the_potency() {
    let params = SimulateParams { n_lots: 400, n_cells: 1, n_genes: 2000, ..Default::default() };
    let Simulated { dataset, truth } = simulate(&params).unwrap();
    let potency = dataset.sheet().column(&truth.readout).unwrap().numbers().unwrap();
    let share: Vec<f64> = truth.shares.iter().map(|s| s[truth.potent as usize]).collect();
    let r = pearson(&share, &potency);
    // 0.95 ± 4 standard errors of Fisher's z at n = 400.
    assert!((0.925..0.968).contains(&r), "{r}");
    let ido = dataset.sheet().column("ido_activity").unwrap().numbers().unwrap();
    assert!(pearson(&share, &ido).abs() < 0.2);

    let Simulated { dataset, truth } = simulate(&small()).unwrap();
    assert_eq!(truth.markers.len(), 10);
    assert_eq!(dataset.genes().symbols()[truth.markers[0] as usize], "LRRC75A");
    for &marker in &truth.markers {
        let mean = |potent: bool| {
            let cells: Vec<usize> = (0..dataset.n_cells())
                .filter(|&c| (truth.population[c] == truth.potent) == potent && !truth.doublet[c] && !truth.damaged[c])
                .collect();
            let sum: u32 =
                cells.iter().map(|&c| dataset.row(c).iter().find(|e| e.0 == marker).map_or(0, |e| e.1)).sum();
            f64::from(sum) / cells.len() as f64
        };
        let fold = (mean(true) / mean(false)).log2();
        assert!((1.2..3.5).contains(&fold), "{marker}: {fold}");
    }
}

fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(y).map(|(a, b)| f(a - mx, b - my)).sum::<f64>();
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

#[test]
fn bytes_depend_on_the_seed_and_not_on_threads() {
    let run = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| simulate(&SimulateParams { n_genes: 3000, seed, ..small() }).unwrap())
    };
    let one = run(1, 1);
    assert_eq!(one, run(2, 1));
    assert_ne!(one.dataset.lots()[0].counts, run(1, 2).dataset.lots()[0].counts);
}

#[test]
fn tables_name_every_cell_and_the_summary_every_parameter() {
    let Simulated { dataset, truth } = simulate(&SimulateParams { n_genes: 2000, ..small() }).unwrap();
    assert_eq!(truth.cells_table(&dataset).n_rows(), dataset.n_cells());
    let shares = truth.shares_table(&dataset);
    assert_eq!(shares.n_rows(), 4 * 8);
    let summary: toml::Table = truth.summary_toml(&dataset).parse().unwrap();
    assert_eq!(summary["potent_population"].as_str(), Some("secretory"));
    assert_eq!(summary["markers"].as_array().unwrap().len(), 10);
    let parameters: SimulateParams = summary["parameters"].clone().try_into().unwrap();
    assert_eq!(parameters, truth.params);
}

#[test]
fn degenerate_sizes_work_and_bad_parameters_are_named() {
    let tiny = SimulateParams { n_lots: 1, n_cells: 1, n_genes: 2000, n_unrelated: 0, ..Default::default() };
    assert_eq!(simulate(&tiny).unwrap().dataset.n_lots(), 1);
    for (bad, name) in [
        (SimulateParams { n_lots: 0, ..small() }, "simulate.n_lots"),
        (SimulateParams { n_genes: 100, ..small() }, "simulate.n_genes"),
        (SimulateParams { depth: f64::NAN, ..small() }, "simulate.depth"),
        (SimulateParams { potency_rho: 1.5, ..small() }, "simulate.potency_rho"),
        (SimulateParams { n_unrelated: 9, ..small() }, "simulate.n_unrelated"),
    ] {
        assert!(simulate(&bad).unwrap_err().to_string().contains(name));
    }
}
