//! Promise: the road without each lot is the road of the other lots, and it shows what rests on one lot.

use std::path::{Path, PathBuf};

use cqa::data::{CountsBuilder, Dataset, Lot, LotSheet, LotSource, SheetColumn};
use cqa::io::ReadLots;
use cqa::output::{Output, write_run};
use cqa::pipeline::{self, Analysis, Params, Ranked, Space};
use cqa::progress::Silent;
use cqa::provenance::Execution;
use cqa::simulate::{SimulateParams, Simulated, Truth, simulate};
use cqa::steps::lots::{AssociationParams, Reason};

const N_LOTS: usize = 6;

/// Lots of populations well apart, whose potency is the share of one of them and nothing else.
fn lots() -> (Dataset, Truth) {
    let params = SimulateParams {
        n_lots: N_LOTS,
        n_cells: 200,
        n_genes: 2500,
        depth: 15_000.0,
        population_effect: 0.9,
        potency_rho: 1.0,
        ..Default::default()
    };
    let Simulated { dataset, truth } = simulate(&params).unwrap();
    (dataset, truth)
}

/// Default parameters but for what has no bearing on clusters, at a resolution given so that runs can be compared.
fn params() -> Params {
    let mut params = Params::default();
    params.umap.enabled = false;
    params.doublets.enabled = false;
    params.sensitivity.enabled = false;
    params.resolution.resolution = 0.8;
    params.leiden.n_starts = 2;
    params
}

/// Writes a run below `folder`.
fn written(folder: &Path, analysis: &Analysis, ranked: &Ranked, space: &Space) -> PathBuf {
    let run = folder.join("run");
    let (ranked, execution) = (std::slice::from_ref(ranked), Execution::default());
    write_run(&run, false, Output { analysis, ranked, inputs: Vec::new(), execution }, space, &Silent).unwrap();
    run
}

fn cluster(dataset: Dataset, params: &Params) -> (Analysis, Space) {
    pipeline::cluster(ReadLots { dataset, files: Vec::new(), warnings: Vec::new() }, params, &Silent).unwrap()
}

#[test]
fn planted_cells_and_markers_are_found_again_without_any_lot() {
    let (dataset, truth) = lots();
    let (analysis, _) = cluster(dataset, &params());
    let cells = &analysis.cells;
    let best = truth.best_cluster(&cells.lot, &cells.barcode, &cells.cluster).unwrap();
    let ranked = pipeline::rank(&analysis, &truth.readout).unwrap();
    let stability = ranked.stability.as_ref().unwrap();
    let potent = &stability.clusters[best.cluster as usize];
    assert!(best.f1 > 0.9, "{best:?}");
    assert_eq!((potent.n_runs, potent.n_found, potent.same_sign), (N_LOTS, N_LOTS, true), "{potent:?}");
    assert!(potent.r_min > 0.0 && potent.r_max <= 1.0, "{potent:?}");
    let planted: Vec<Option<u32>> =
        ranked.candidates.iter().filter(|c| truth.markers.contains(&c.gene)).map(|c| c.loo_top20).collect();
    // Best first; the last of the ten are weaker than other genes of the population.
    assert!(planted.len() >= 8 && planted[..6].iter().all(|n| *n == Some(N_LOTS as u32)), "{planted:?}");
    let pulls = stability.pulls.iter().filter(|p| p.cluster == best.cluster as usize);
    assert!(pulls.clone().count() == N_LOTS && pulls.clone().all(|p| p.jaccard > 0.9), "{stability:?}");
}

#[test]
fn the_road_without_a_lot_is_that_of_the_other_lots() {
    let (dataset, truth) = lots();
    let (analysis, _) = cluster(dataset.clone(), &params());
    let stability = pipeline::rank(&analysis, &truth.readout).unwrap().stability.unwrap();
    let mut alone = params();
    alone.leave_one_out.enabled = false;
    for (run, top) in analysis.leave_one_out.as_ref().unwrap().runs.iter().zip(&stability.top).step_by(3) {
        let keep: Vec<bool> = (0..N_LOTS).map(|lot| !run.lots.contains(&lot)).collect();
        let (fewer, _) = cluster(dataset.select_lots(&keep).unwrap(), &alone);
        let others: Vec<usize> = (0..N_LOTS).filter(|&lot| keep[lot]).collect();
        assert_eq!(run.n_cells.select(ndarray::Axis(0), &others), fewer.composition.n_cells);
        let direct = pipeline::rank(&fewer, &truth.readout).unwrap();
        assert_eq!(top, &direct.candidates.iter().take(20).map(|c| c.gene).collect::<Vec<_>>());
    }
}

/// The lots with a kind of cell of its own in the first one: its first cells express some genes that are else nearly silent.
fn with_a_kind_of_one_lot(dataset: &Dataset, n_cells: usize) -> Dataset {
    let lots: Vec<Lot> = dataset.lots().to_vec();
    let changed = lots.into_iter().enumerate().map(|(i, lot)| {
        if i > 0 {
            return lot;
        }
        let mut counts = CountsBuilder::new(dataset.n_genes());
        for cell in 0..lot.counts.n_cells() {
            let mut entries: Vec<(u32, u32)> = lot.counts.row(cell).iter().collect();
            if cell < n_cells {
                entries.extend((0..80).map(|k| (dataset.n_genes() as u32 - 1 - k, 20 + (k * 7 + cell as u32) % 13)));
            }
            counts.push_unsorted(&mut entries);
        }
        Lot { counts: counts.finish(), ..lot }
    });
    Dataset::new(dataset.genes().clone(), changed.collect(), dataset.sheet().clone()).unwrap()
}

#[test]
fn a_cluster_that_one_lot_makes_is_not_found_without_it() {
    let (dataset, _) = lots();
    let own = 50;
    let mut params = params();
    // So that every cell stays, and nothing draws the cells of the one lot to those of others.
    (params.qc.adaptive, params.harmony.enabled) = (false, false);
    let (analysis, _) = cluster(with_a_kind_of_one_lot(&dataset, own), &params);
    let labels = &analysis.cells.cluster;
    let kind = labels[0];
    assert!(labels[..own].iter().filter(|l| **l == kind).count() >= own - 3, "the kind is one cluster");
    assert!(labels[own..].iter().filter(|l| **l == kind).count() <= 3, "and of the one lot");
    for run in &analysis.leave_one_out.as_ref().unwrap().runs {
        assert_eq!(run.is_found(kind as usize, 0.5), run.lots != [0], "without lot {:?}: {:?}", run.lots, run.jaccard);
    }
}

/// Each lot cut into two, as two lots of one donor; the second donor has one.
fn two_lots_per_donor(dataset: &Dataset) -> Dataset {
    let (mut lots, mut sources, mut donors, mut values) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let old = dataset.sheet();
    for (i, lot) in dataset.lots().iter().enumerate() {
        let half = lot.counts.n_cells() / 2;
        for (part, cells) in [(0, 0..half), (1, half..lot.counts.n_cells())] {
            if (i, part) == (1, 1) {
                continue;
            }
            let mut counts = CountsBuilder::new(dataset.n_genes());
            for cell in cells.clone() {
                counts.push_unsorted(&mut lot.counts.row(cell).iter().collect::<Vec<_>>());
            }
            let name = format!("{}{}", lot.name, ["a", "b"][part]);
            let barcodes = cells.map(|cell| lot.barcodes[cell].clone()).collect();
            lots.push(Lot { name: name.clone(), barcodes, counts: counts.finish() });
            sources.push(LotSource { lot: name, path: "".into(), subset: None });
            donors.push(format!("D{i}"));
            values.push(old.column("vegf_ischemia").unwrap().values[i].clone());
        }
    }
    let column = |name: &str, values| SheetColumn { name: name.into(), values };
    let sheet = LotSheet { lots: sources, columns: vec![column("donor", donors), column("vegf_ischemia", values)] };
    Dataset::new(dataset.genes().clone(), lots, sheet).unwrap()
}

#[test]
fn lots_of_a_donor_are_left_out_together() {
    let (dataset, truth) = lots();
    let dataset = two_lots_per_donor(&dataset);
    let mut params = params();
    (params.leiden.n_starts, params.hvg.n_top_genes) = (1, 500);
    let (analysis, space) = cluster(dataset, &params);
    let runs = analysis.leave_one_out.as_ref().unwrap();
    let left_out: Vec<&[usize]> = runs.runs.iter().map(|run| run.lots.as_slice()).collect();
    assert_eq!(left_out, [&[0, 1][..], &[2], &[3, 4], &[5, 6], &[7, 8], &[9, 10]]);
    let ranked = pipeline::rank(&analysis, &truth.readout).unwrap();
    let stability = ranked.stability.as_ref().unwrap();
    assert!(stability.clusters.iter().all(|c| c.n_runs == 6) && stability.clusters.iter().any(|c| c.n_found == 6));
    let rows = &ranked.association.rows;
    assert!(rows.iter().all(|row| (row.n_lots, row.n_units) == (11, 6)));
    // Rows of donors meet the roads without their lots.
    let folder = tempfile::tempdir().unwrap();
    let run = written(folder.path(), &analysis, &ranked, &space);
    let table = cqa::io::tables::read_table(&run.join("rank").join(&truth.readout).join("influence.csv")).unwrap();
    assert_eq!(table.n_rows(), 6 * rows.len());
    let text = std::fs::read_to_string(run.join("rank").join(&truth.readout).join("influence.csv")).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let at = |name: &str| lines[0].iter().position(|field| *field == name).unwrap();
    let (lot, jaccard) = (at("lot"), at("jaccard"));
    assert!(lines[1..].iter().all(|line| line[lot].starts_with('D') && !line[jaccard].is_empty()), "{text}");
    // Read back, it is the same.
    let back = pipeline::load_run(&run).unwrap();
    assert_eq!(format!("{:?}", back.leave_one_out), format!("{:?}", analysis.leave_one_out));

    // Walked without single lots, nothing shows what a donor carries, and nothing is supported.
    let mut by_lot = analysis;
    by_lot.leave_one_out.as_mut().unwrap().runs[0].lots = vec![0];
    let ranked = pipeline::rank_by(&by_lot, &truth.readout, &AssociationParams::default(), &Silent).unwrap();
    assert!(ranked.verdicts.iter().all(|v| v.why.contains(&Reason::NotRepeated)), "{:?}", ranked.verdicts);
}

#[test]
fn few_lots_are_told_and_a_run_is_read_back_as_it_was() {
    let (dataset, truth) = lots();
    let keep: Vec<bool> = (0..N_LOTS).map(|lot| lot < 3).collect();
    let (three, _) = cluster(dataset.select_lots(&keep).unwrap(), &params());
    assert!(three.leave_one_out.is_none());
    assert!(three.warnings.iter().any(|w| matches!(w, cqa::Warning::TooFewLotsToLeaveOneOut { n_lots: 3, .. })));

    let mut with_choices = params();
    with_choices.sensitivity.enabled = true;
    with_choices.sensitivity.n_permutations = 999;
    let (analysis, space) = cluster(dataset, &with_choices);
    let ranked = pipeline::rank(&analysis, &truth.readout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = written(folder.path(), &analysis, &ranked, &space);
    let back = pipeline::load_run(&run).unwrap();
    // By their words, as NaN is not equal to itself.
    let words = |a: &Analysis| format!("{:?} {:?}", a.leave_one_out, a.specifications);
    assert_eq!(words(&back), words(&analysis));
    assert_eq!(analysis.specifications.len(), 15);
    let again = pipeline::rank(&back, &truth.readout).unwrap();
    assert_eq!(
        format!("{:?} {:?}", again.stability, again.sensitivity),
        format!("{:?} {:?}", ranked.stability, ranked.sensitivity)
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (dataset, _) = lots();
    let dataset = dataset.select_lots(&[true, true, true, true, false, false]).unwrap();
    let mut params = params();
    params.sensitivity.enabled = true;
    params.leiden.n_starts = 1;
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (analysis, _) = pool.install(|| cluster(dataset.clone(), &params));
        format!("{:?} {:?}", analysis.leave_one_out, analysis.specifications)
    };
    assert!(on(1) == on(2));
}
