use rand::RngExt;

use super::*;
use crate::data::{AbsentGene, CountsBuilder, Dataset, Genes, Lot, LotSheet, LotSource, SignatureGene};
use crate::math::rng::stream;
use crate::steps::cells::{QcParams, qc};

/// Genes A to D of the signature, N that must be absent, and a filler.
const GENES: [&str; 6] = ["A", "B", "C", "D", "N", "REST"];

fn signature(at_least: usize) -> Signature {
    let gene = |symbol: &str| SignatureGene {
        symbol: symbol.into(),
        ensembl: String::new(),
        aliases: vec![format!("{symbol}_old")],
        min_count: 1,
        sources: Vec::new(),
    };
    Signature {
        name: "test".into(),
        description: "cells that must not be there".into(),
        at_least,
        genes: ["A", "B", "C", "D"].map(gene).to_vec(),
        absent: vec![AbsentGene { symbol: "N".into(), ensembl: String::new(), aliases: Vec::new(), max_count: 1 }],
        sources: Vec::new(),
    }
}

fn lot_of(name: &str, genes: &[&str], cells: &[Vec<u32>]) -> Dataset {
    let names: Vec<String> = genes.iter().map(|g| (*g).to_string()).collect();
    let mut builder = CountsBuilder::new(genes.len());
    for cell in cells {
        builder.push_row(&(0..genes.len() as u32).collect::<Vec<_>>(), cell);
    }
    let lot = Lot {
        name: name.into(),
        barcodes: (0..cells.len()).map(|i| format!("c{i}")).collect(),
        counts: builder.finish(),
    };
    let sheet =
        LotSheet { lots: vec![LotSource { lot: name.into(), path: name.into(), subset: None }], columns: Vec::new() };
    Dataset::new(Genes::new(names.clone(), names).unwrap(), vec![lot], sheet).unwrap()
}

fn params() -> ScreenParams {
    ScreenParams { min_counts: 100, ..Default::default() }
}

fn counted(lot: &Dataset, signature: &Signature) -> LotCells {
    let quality = qc(lot, &QcParams { adaptive: false, ..Default::default() }).unwrap();
    count_positives(lot, &quality, signature, &params()).unwrap()
}

/// A lot in which each cell is a hazard cell with chance `fraction`, and these show the signature with chance `seen`.
fn simulated(seed: u64, n: usize, fraction: f64, seen: f64) -> Dataset {
    let mut rng = stream(seed, "test", 0);
    let cells: Vec<Vec<u32>> = (0..n)
        .map(|_| {
            let hazard = rng.random::<f64>() < fraction;
            let shows = hazard && rng.random::<f64>() < seen;
            // Every other cell has a stray count now and then.
            let stray = u32::from(rng.random::<f64>() < 0.01);
            if shows { vec![2, 1, 1, 0, 0, 200] } else { vec![0, stray, 0, 0, 0, 200] }
        })
        .collect();
    lot_of("L", &GENES, &cells)
}

#[test]
fn the_rule_by_hand() {
    let cells = [
        vec![1, 1, 0, 0, 0, 500],
        vec![5, 0, 0, 0, 0, 500],
        vec![1, 1, 1, 1, 2, 500],
        vec![0, 0, 1, 1, 1, 500],
        vec![9, 9, 9, 9, 0, 10],
    ];
    let found = counted(&lot_of("L", &GENES, &cells), &signature(2));
    // The third has too much of the gene that must be absent; the last too few counts to be looked at.
    let names: Vec<&str> = found.positives.iter().map(|cell| cell.barcode.as_str()).collect();
    assert_eq!((found.n_read, found.n_cells, names), (5, 4, vec!["c0", "c3"]));
    assert_eq!(found.positives[1].counts, [0, 0, 1, 1, 1]);
    assert_eq!((found.positives[0].n_counts, found.positives[0].n_signature_genes), (502, 2));
    assert_eq!(found.depths, [502, 503, 505, 506]);
}

#[test]
fn positives_are_counted_before_quality_control_and_after() {
    let mut cells = vec![vec![0, 0, 0, 0, 0, 1000]; 200];
    for (i, cell) in cells.iter_mut().enumerate() {
        cell[5] += (i % 7) as u32 * 20;
    }
    cells[3] = vec![3, 3, 3, 0, 0, 200];
    cells[4] = vec![3, 3, 3, 0, 0, 1050];
    let lot = lot_of("L", &GENES, &cells);
    let quality = qc(&lot, &QcParams::default()).unwrap();
    let found = count_positives(&lot, &quality, &signature(3), &params()).unwrap();
    assert_eq!((found.n_positive(), found.n_positive_kept(), found.n_cells, found.n_cells_kept), (2, 1, 200, 199));
    assert_eq!(found.positives[0].excluded, "low_counts");
}

#[test]
fn genes_are_found_by_id_symbol_or_alias_and_a_rule_that_no_cell_can_meet_is_refused() {
    let mut signature = signature(2);
    signature.genes[0].ensembl = "ENSG00000000001".into();
    let ids = ["ENSG00000000001.7", "B_old", "C", "C", "REST"];
    let genes = Genes::new(
        ["ENSG00000000001.7", "e2", "e3", "e4", "e5"].map(String::from).to_vec(),
        ids.map(String::from).to_vec(),
    );
    let mut builder = CountsBuilder::new(5);
    builder.push_row(&[0, 1, 2, 3, 4], &[1, 2, 3, 4, 500]);
    let lot = Lot { name: "L".into(), barcodes: vec!["c".into()], counts: builder.finish() };
    let sheet =
        LotSheet { lots: vec![LotSource { lot: "L".into(), path: "L".into(), subset: None }], columns: Vec::new() };
    let lot = Dataset::new(genes.unwrap(), vec![lot], sheet).unwrap();
    let found = counted(&lot, &signature);
    assert_eq!(found.positives[0].counts, [1, 2, 7, 0, 0]);
    assert_eq!(found.missing(&signature), ["D", "N"]);
    let result = screen(&signature, vec![found], &Detection::Unknown, &[], &params()).unwrap();
    assert!(matches!(&result.warnings[..], [Warning::SignatureGenesMissing { n_left: 3, .. }]));
    assert_eq!(result.rows[0].n_genes_missing, 2);

    let poor = lot_of("P", &["A", "REST"], &[vec![9, 500]]);
    let quality = qc(&poor, &QcParams::default()).unwrap();
    let message = count_positives(&poor, &quality, &signature, &params()).unwrap_err().to_string();
    assert!(
        message.contains("lot P") && message.contains("has 1 of the 4") && message.contains("lacks B, C, D"),
        "{message}"
    );
}

#[test]
fn a_zero_comes_with_three_over_n() {
    let found = counted(&simulated(1, 10_000, 0.0, 1.0), &signature(3));
    let result = screen(&signature(3), vec![found.clone()], &Detection::Unknown, &[], &params()).unwrap();
    let row = &result.rows[0];
    assert_eq!((row.n_positive, row.fraction, row.lower), (0, 0.0, 0.0));
    assert!((row.upper - 2.995_284e-4).abs() < 1e-9 && row.upper == row.detection_limit);
    assert!(row.upper_adjusted.is_nan() && row.detection_probability.is_nan() && !row.below_limit);
    // Half of the hazard cells are missed: the limit doubles.
    let half = screen(&signature(3), vec![found], &Detection::Given(0.5), &[], &params()).unwrap();
    assert!((half.rows[0].upper_adjusted - 2.0 * row.upper).abs() < 1e-15);
    assert_eq!(half.rows[0].upper, row.upper);
    // 29,956 cells at a detection probability of 1; twice as many, nearly, at one half.
    assert_eq!(result.needed[0].n_cells, Some(29_956));
    assert_eq!(half.needed[0].n_cells, Some(59_914));
}

/// Depth 2,000 with one or two counts per gene, thinned to half.
#[test]
fn thinning_by_hand() {
    let deep = lot_of("ips", &GENES, &[vec![2, 1, 0, 0, 0, 1997], vec![1, 0, 0, 0, 0, 1999]]);
    let signature = signature(2);
    let control = control(&deep, &signature, &params()).unwrap();
    let lot = counted(&lot_of("L", &GENES, &vec![vec![0, 0, 0, 0, 0, 1000]; 50]), &signature);
    let (estimate, rows) = Detection::Controls(vec![control.clone()]).at(&lot, &signature, &params());
    // The first cell keeps at least one of two counts of A and the count of B: 3/4 · 1/2; the second can't.
    assert!((estimate.probability - 0.1875).abs() < 1e-12);
    assert_eq!((rows[0].unthinned, rows[0].share_deeper, rows[0].n_cells), (0.5, 1.0, 2));
    // Less than one whole cell of two: no lower limit above 0, and nothing excluded.
    let result = screen(&signature, vec![lot], &Detection::Controls(vec![control]), &[], &params()).unwrap();
    assert_eq!((estimate.low, result.rows[0].upper_adjusted, result.rows[0].detection_limit), (0.0, 1.0, 1.0));
    assert_eq!(result.needed[0].n_cells, None);
}

#[test]
fn a_shallow_control_is_never_scaled_up_and_the_worst_control_counts() {
    let signature = signature(2);
    let shallow = lot_of("a", &GENES, &vec![vec![1, 1, 0, 0, 0, 300]; 100]);
    let mut cells = vec![vec![1, 1, 0, 0, 0, 3000]; 60];
    cells.extend(vec![vec![1, 0, 0, 0, 0, 3000]; 40]);
    let mixed = lot_of("b", &GENES, &cells);
    let lot = counted(&lot_of("L", &GENES, &vec![vec![0, 0, 0, 0, 0, 5000]; 50]), &signature);
    let controls = [&shallow, &mixed].map(|lot| control(lot, &signature, &params()).unwrap()).to_vec();
    let (estimate, rows) = Detection::Controls(controls).at(&lot, &signature, &params());
    assert_eq!((rows[0].probability, rows[0].share_deeper), (1.0, 0.0));
    assert!((estimate.probability - 0.6).abs() < 1e-12 && rows[1].control == "b");
    // Clopper–Pearson of 60 of 100, two-sided 95 %.
    assert!((estimate.low - 0.497_2).abs() < 1e-4 && (estimate.high - 0.696_7).abs() < 1e-4, "{estimate:?}");
    assert!(estimate.at_worst < estimate.low);
}

/// Coverage of the limits over 600 lots: for cells that show the signature, and for hazard cells of which some don't, with a
/// detection probability that is given, or estimated from a control of 80 cells.
#[test]
fn limits_cover_the_truth_as_often_as_they_say() {
    let (signature, n_lots, n) = (signature(3), 600_u64, 1_500);
    for (fraction, seen) in [(0.0015, 0.7), (0.01, 0.9)] {
        let (mut covered, mut wider) = ([0_u64; 4], 0.0);
        for seed in 0..n_lots {
            let lot = counted(&simulated(seed, n, fraction, seen), &signature);
            let pure = simulated(seed + 10_000, 80, 1.0, seen);
            let control = control(&pure, &signature, &params()).unwrap();
            let run =
                |detection| screen(&signature, vec![lot.clone()], &detection, &[], &params()).unwrap().rows[0].clone();
            let unknown = run(Detection::Unknown);
            covered[0] += u64::from(unknown.upper >= fraction * seen);
            let given = run(Detection::Given(seen)).upper_adjusted;
            let estimated = run(Detection::Controls(vec![control])).upper_adjusted;
            covered[1] += u64::from(given >= fraction);
            covered[2] += u64::from(estimated >= fraction);
            wider += estimated / given / n_lots as f64;
            covered[3] += u64::from(unknown.lower <= fraction * seen);
        }
        // Three standard errors of 0.95 over 600 lots are 0.027.
        for (what, covered) in covered.into_iter().enumerate() {
            let share = covered as f64 / n_lots as f64;
            assert!(share >= 0.95 - 0.027, "{what} at {fraction}: {share}");
        }
        // The price of not knowing the detection probability, with 80 control cells.
        assert!((1.05..1.45).contains(&wider), "{wider}");
    }
}

#[test]
fn background_tells_chance_from_more() {
    let signature = signature(1);
    // One stray count is enough for this rule: one cell in a hundred is positive.
    let negative = counted(&simulated(5, 20_000, 0.0, 1.0), &signature);
    let alike = counted(&simulated(6, 4_000, 0.0, 1.0), &signature);
    let more = counted(&simulated(7, 4_000, 0.02, 1.0), &signature);
    let result = screen(&signature, vec![alike, more], &Detection::Unknown, &[negative], &params()).unwrap();
    let background = result.background.as_ref().unwrap();
    assert!(background.lower < 0.01 && background.upper > 0.01 && background.n_cells == 20_000);
    assert!(result.rows[0].p_background > 0.01 && result.rows[1].p_background < 1e-6, "{:?}", result.rows);
    assert!((result.rows[0].expected_background - 4_000.0 * background.rate).abs() < 1e-9);
    assert!(result.rows[0].upper > result.rows[0].fraction, "the limit is not lowered by the background");
}

#[test]
fn all_lots_together_and_the_plan() {
    let found: Vec<LotCells> = (0..3)
        .map(|seed| counted(&simulated(seed, 5_000, if seed == 2 { 0.002 } else { 0.0 }, 1.0), &signature(3)))
        .collect();
    let x = found[2].n_positive();
    assert!(x > 0);
    let result = screen(&signature(3), found, &Detection::Given(1.0), &[], &params()).unwrap();
    assert_eq!((result.process.n_cells, result.process.n_positive, result.process.n_lots_positive), (15_000, x, 1));
    assert_eq!(result.positives.len() as u64, x);
    assert!((result.process.upper - crate::math::intervals::upper_limit(x, 15_000, 0.95)).abs() < 1e-15);
    let lots: Vec<usize> = result.needed.iter().filter(|row| row.n_positive == 0).map(|row| row.n_lots).collect();
    assert_eq!(lots, [1, 3, 5, 10, 20, 59]);
    let of_ten = result.needed.iter().find(|row| row.n_lots == 10 && row.n_positive == 0).unwrap();
    assert_eq!(of_ten.n_cells_per_lot, Some(2_996));
    assert!((of_ten.chance_at_tenth - 0.741).abs() < 1e-3);
    // 59 lots without a failure: at most 5 % of lots fail.
    assert!(result.needed[5].share_of_lots_beyond < 0.05 && result.needed[4].share_of_lots_beyond > 0.05);
}

#[test]
fn lots_without_cells_exclude_nothing() {
    let empty = counted(&lot_of("E", &GENES, &[vec![1, 1, 1, 1, 0, 3]]), &signature(3));
    let pure = control(&simulated(1, 50, 1.0, 1.0), &signature(3), &params()).unwrap();
    for detection in [Detection::Unknown, Detection::Given(0.9), Detection::Controls(vec![pure])] {
        let result = screen(&signature(3), vec![empty.clone()], &detection, &[], &params()).unwrap();
        let row = &result.rows[0];
        assert_eq!((row.n_cells, row.upper, row.detection_limit, row.below_limit), (0, 1.0, 1.0, false));
        assert!(row.fraction.is_nan() && result.process.upper == 1.0);
        let left_out = |warning: &Warning| matches!(warning, Warning::LotLeftOut { lot, .. } if lot == "E");
        assert!(result.warnings.iter().any(left_out));
    }
}

#[test]
fn bad_parameters_are_named() {
    let lot = counted(&simulated(1, 10, 0.0, 1.0), &signature(3));
    let run = |detection: &Detection, params: &ScreenParams| {
        screen(&signature(3), vec![lot.clone()], detection, &[], params).unwrap_err().to_string()
    };
    for (bad, name) in [
        (ScreenParams { min_counts: 0, ..params() }, "screen.min_counts"),
        (ScreenParams { confidence: 0.5, ..params() }, "screen.confidence"),
        (ScreenParams { confidence: f64::NAN, ..params() }, "screen.confidence"),
        (ScreenParams { limit: 0.0, ..params() }, "screen.limit"),
    ] {
        assert!(run(&Detection::Unknown, &bad).contains(name));
    }
    assert!(run(&Detection::Given(0.0), &params()).contains("detection_probability"));
    assert!(run(&Detection::Given(1.1), &params()).contains("detection_probability"));
    assert!(run(&Detection::Controls(Vec::new()), &params()).contains("positive control"));
    assert!(screen(&signature(3), Vec::new(), &Detection::Unknown, &[], &params()).is_err());
}

#[test]
fn same_for_one_and_two_threads() {
    let (lot, pure) = (simulated(3, 3_000, 0.01, 0.8), simulated(4, 500, 1.0, 0.8));
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let control = control(&pure, &signature(3), &params()).unwrap();
            let found = counted(&lot, &signature(3));
            screen(&signature(3), vec![found], &Detection::Controls(vec![control]), &[], &params()).unwrap()
        })
    };
    // Missing numbers are not equal to themselves; their text is.
    assert_eq!(format!("{:?}", run(1)), format!("{:?}", run(2)));
}
