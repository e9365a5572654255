use super::*;
use crate::steps::cells::tests_common::{dataset, from_vectors};

/// 99 cells with 98 to 102 counts of A, and one more cell.
fn lot_with(odd: [u32; 3]) -> Vec<Vec<u32>> {
    let mut cells: Vec<Vec<u32>> = (0..99).map(|i| vec![98 + i % 5, 10, 1]).collect();
    cells.push(odd.to_vec());
    cells
}

#[test]
fn measures_by_hand() {
    let mut many = vec![1; 60];
    many[7] = 41;
    let names: Vec<String> = (0..60).map(|g| format!("G{g}")).collect();
    let mut symbols: Vec<&str> = names.iter().map(String::as_str).collect();
    (symbols[0], symbols[7]) = ("MT-CO1", "RPL3");
    let result = qc(&from_vectors(&[vec![many, vec![0; 60]]], &symbols), &QcParams::default()).unwrap();
    let metrics = &result.metrics;
    assert_eq!((metrics.n_counts[0], metrics.n_genes[0]), (100, 60));
    assert_eq!((metrics.pct_mito[0], metrics.pct_ribo[0], metrics.pct_top_50[0]), (1.0, 41.0, 90.0));
    assert_eq!((metrics.pct_mito[1], metrics.pct_top_50[1]), (0.0, 0.0));
    assert_eq!(result.excluded, [Exclusion { cell: 1, reason: "empty".into() }]);
}

#[test]
fn limits_follow_each_lot_and_reasons_are_joined() {
    let data = from_vectors(&[lot_with([1, 0, 0]), lot_with([100, 10, 3])], &["A", "B", "MT-C"]);
    let result = qc(&data, &QcParams::default()).unwrap();
    let (cells, reasons): (Vec<usize>, Vec<&str>) = result.excluded.iter().map(|e| (e.cell, e.reason.as_str())).unzip();
    assert_eq!((cells, reasons), (vec![99, 199], vec!["low_counts", "high_mito"]));
    assert_eq!(result.lots[0].n_cells_kept, 99);
    let fixed = QcParams { adaptive: false, min_counts: 5, min_genes: 2, ..QcParams::default() };
    let result = qc(&data, &fixed).unwrap();
    assert_eq!(result.excluded, [Exclusion { cell: 99, reason: "low_counts+low_genes".into() }]);
    assert_eq!((result.lots[0].limit_counts, result.lots[0].limit_pct_mito), (5.0, 100.0));
}

#[test]
fn lots_of_no_or_one_cell_are_warned_about() {
    let data = dataset(&[&[], &[&[5, 1]]], &["A", "MT-B"]);
    let result = qc(&data, &QcParams::default()).unwrap();
    assert_eq!(result.keep, [true]);
    assert!(result.lots[0].median_counts.is_nan());
    let losing = result.warnings.iter().filter(|w| matches!(w, Warning::LotLosesCells { .. })).count();
    let unadapted = result.warnings.iter().filter(|w| matches!(w, Warning::LotLeftOut { .. })).count();
    assert_eq!((losing, unadapted), (2, 1));
}

#[test]
fn without_mitochondrial_genes_there_is_no_mitochondrial_exclusion() {
    let data = from_vectors(&[lot_with([100, 10, 50])], &["A", "B", "C"]);
    let result = qc(&data, &QcParams::default()).unwrap();
    assert!(result.excluded.is_empty());
    assert!(matches!(&result.warnings[0], Warning::GenesNotFound { group, .. } if group.contains("MT-")));
}

#[test]
fn parameters_out_of_range_are_refused() {
    let data = dataset(&[&[&[1]]], &["A"]);
    for params in [
        QcParams { n_mads: 0.0, ..QcParams::default() },
        QcParams { min_mito_margin: f64::NAN, ..QcParams::default() },
        QcParams { max_mito_fraction: 5.0, ..QcParams::default() },
    ] {
        assert!(qc(&data, &params).is_err());
    }
}

#[test]
fn cells_excluded_later_leave_every_number_of_their_lot() {
    let data = from_vectors(&[lot_with([1, 0, 0]), lot_with([100, 10, 1])], &["A", "RPL3", "MT-C"]);
    let mut result = qc(&data, &QcParams::default()).unwrap();
    assert!(result.warnings.is_empty(), "{:?}", result.warnings);
    let limits = result.lots[1].limit_counts;
    // Of the second lot, all cells stay whose first gene has 98 counts: 20 of 100, with 109 counts each.
    let dropped: Vec<usize> = (100..200).filter(|cell| (cell - 100) % 5 != 0).collect();
    result.exclude(&dropped, "doublet", data.offsets());
    assert_eq!(result.lots[0].n_cells_kept, 99);
    assert_eq!((result.lots[1].n_cells_read, result.lots[1].n_cells_kept), (100, 20));
    assert_eq!((result.lots[1].median_counts, result.lots[1].median_genes), (109.0, 3.0));
    assert!((result.lots[1].median_pct_mito - 100.0 / 109.0).abs() < 1e-5);
    assert_eq!(result.lots[1].limit_counts, limits, "the limits are those that were applied");
    assert_eq!(result.keep.iter().filter(|keep| **keep).count(), 119);
    assert_eq!(result.excluded.len(), 81);
    assert!(result.excluded.is_sorted_by_key(|e| e.cell) && result.excluded[80].reason == "doublet");
    let lot = data.lots()[1].name.clone();
    assert_eq!(result.warnings, [Warning::LotLosesCells { lot, n_read: 100, n_kept: 20 }]);
}
