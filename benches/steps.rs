//! One group per step, sizes in the id: `cargo bench --bench steps [-- GROUP]`.
//!
//! Simulated lots, made outside the timed loop with a constant seed; all threads. A step is given what the steps before it found.

use cqa::pipeline::Params;
use cqa::simulate::{SimulateParams, simulate};
use cqa::steps::cells::{HvgVotes, cell_cycle, doublets, harmony, normalize, pca, qc};
use cqa::steps::clusters::{graph, leiden, neighbors, resolution, umap};
use cqa::steps::lots::{composition, deviation, pseudobulk};
use cqa::steps::markers::effects;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

/// Cells per lot, of six lots.
const SIZES: [usize; 2] = [250, 1000];

fn steps(criterion: &mut Criterion) {
    for size in SIZES {
        let planted = SimulateParams { n_lots: 6, n_cells: size, ..SimulateParams::default() };
        let data = simulate(&planted).expect("the defaults are in range").dataset;
        let params = Params::default();
        let id = format!("{}-cells", data.n_cells());
        let mut time = |step: &str, work: &mut dyn FnMut()| {
            let mut group = criterion.benchmark_group(step);
            group.sample_size(10);
            group.bench_function(BenchmarkId::from_parameter(&id), |bencher| bencher.iter(&mut *work));
            group.finish();
        };

        time("qc", &mut || drop(qc(&data, &params.qc)));
        time("doublets", &mut || drop(doublets(&data, &params.doublets, 0)));
        time("normalize", &mut || drop(normalize(&data, &params.normalize)));
        let normalized = normalize(&data, &params.normalize).expect("in range");
        let choose = || HvgVotes::new(&data, &normalized, &params.hvg).and_then(|votes| votes.choose(&[]));
        time("hvg", &mut || drop(choose()));
        let hvg = choose().expect("genes vary");
        time("cell_cycle", &mut || drop(cell_cycle(&data, &normalized, &params.cell_cycle)));
        let components = || pca(&data, &normalized, &hvg.genes, &params.pca);
        time("pca", &mut || drop(components()));
        let leading = components().expect("genes vary").leading();
        let lots = data.lot_of_cell();
        let integrate = || harmony(&leading, &lots, data.n_lots(), &params.harmony, 0);
        time("harmony", &mut || drop(integrate()));
        let corrected = integrate().expect("lots have cells").corrected;
        time("neighbors", &mut || drop(neighbors(&corrected, &params.neighbors)));
        let near = neighbors(&corrected, &params.neighbors).expect("enough cells");
        time("graph", &mut || drop(graph(&near, &params.neighbors)));
        let joined = graph(&near, &params.neighbors);
        time("leiden", &mut || drop(leiden(&joined, 0.6, &params.leiden, 0)));
        time("resolution", &mut || drop(resolution(&joined, &params.resolution, &params.leiden, 0)));
        time("umap", &mut || drop(umap(&near, &corrected, &params.umap, 0)));
        let found = leiden(&joined, 0.6, &params.leiden, 0).expect("in range");
        let (labels, k) = (&found.labels, found.n_clusters);
        let names = data.lot_names();
        time("composition", &mut || drop(composition(labels, k, &lots, &names, &params.composition)));
        let shares = composition(labels, k, &lots, &names, &params.composition).expect("in range");
        time("deviation", &mut || drop(deviation(&shares, corrected.view(), &lots, &params.deviation, 0)));
        time("pseudobulk", &mut || drop(pseudobulk(&data, labels, k, &params.pseudobulk)));
        time("effects", &mut || drop(effects(&data, &normalized, labels, k, &params.effects)));
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
