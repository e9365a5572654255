//! `cqa bench`: how long each step takes on this machine, and how far that is from what the machine could do.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use clap::Args;
use cqa::io::{ReadLots, join::read_lots, tenx_mtx_write::write_lots};
use cqa::math::machine::Machine;
use cqa::pipeline::{self, Params, Space};
use cqa::progress::Progress;
use cqa::simulate::{SimulateParams, simulate};

use super::clock::cpu_seconds;
use super::settings::{self, Input, Overrides};
use super::{Common, Outcome, Terminal};

/// Arguments of `cqa bench`.
#[derive(Args)]
pub struct BenchArgs {
    /// Lot sheet to time; without it lots are simulated
    #[arg(value_name = "LOTS")]
    lots: Option<PathBuf>,
    /// Number of simulated lots
    #[arg(long, default_value_t = 11, value_name = "N")]
    n_lots: usize,
    /// Mean number of cells per simulated lot
    #[arg(long, default_value_t = 1000, value_name = "N")]
    cells: usize,
}

/// Times the road up to effects; runs without a lot and other choices are left out, as they repeat it.
pub fn bench(args: &BenchArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let mut params = settings::parameters(common, &Overrides::default())?;
    params.leave_one_out.enabled = false;
    params.sensitivity.enabled = false;
    terminal.start("machine", 0);
    let rates = Rates::measure();
    terminal.finish("machine", "rates of one thread");
    let folder = tempfile::tempdir().map_err(|e| cqa::Error::io(std::env::temp_dir(), e))?;
    let lots = match &args.lots {
        Some(lots) => lots.clone(),
        None => {
            let planted =
                SimulateParams { n_lots: args.n_lots, n_cells: args.cells, seed: params.seed, ..Default::default() };
            write_lots(folder.path(), &simulate(&planted)?.dataset)?;
            folder.path().join("lots.csv")
        }
    };
    let watch = Stopwatch::default();
    let sheet = settings::sheet(&Input { lots, lot_column: None, max_memory: None })?;
    let read = read_lots(&sheet, &params.read, &watch)?;
    let work = Work::of_input(&read);
    let (analysis, space) = pipeline::cluster(read, &params, &watch)?;
    terminal.done();
    print(&watch, &rates, &work, &space, &params);
    Ok(analysis.warnings)
}

/// Wall and processor seconds of each step.
#[derive(Default)]
struct Stopwatch {
    since: Mutex<Option<(Instant, Option<f64>)>>,
    steps: Mutex<Vec<(String, f64, Option<f64>)>>,
}

impl Progress for Stopwatch {
    fn start(&self, _step: &str, _total: u64) {
        *self.since.lock().expect("no panic while locked") = Some((Instant::now(), cpu_seconds()));
    }

    fn advance(&self, _units: u64) {}

    fn finish(&self, step: &str, _summary: &str) {
        if let Some((wall, cpu)) = self.since.lock().expect("no panic while locked").take() {
            let cpu = cpu.and_then(|before| Some(cpu_seconds()? - before));
            self.steps.lock().expect("no panic while locked").push((step.into(), wall.elapsed().as_secs_f64(), cpu));
        }
    }
}

/// What one thread of this machine does in a second, as the best of several tries.
struct Rates {
    flops: f64,
    bytes: f64,
    /// Bytes of text from a deflated stream.
    inflated: f64,
}

impl Rates {
    fn measure() -> Self {
        let machine = Machine::default();
        let best = |work: &dyn Fn() -> (f64, f64)| {
            let rate = |_| {
                let start = Instant::now();
                let (done, seen) = std::hint::black_box(work());
                assert!(!seen.is_nan(), "the work was done");
                done / start.elapsed().as_secs_f64()
            };
            (0..5).map(rate).fold(0.0, f64::max)
        };
        let text = deflated();
        let inflate = || {
            let mut out = Vec::with_capacity(TEXT_BYTES + 64);
            flate2::read::GzDecoder::new(&text[..]).read_to_end(&mut out).expect("made above");
            (out.len() as f64, 0.0)
        };
        Self { flops: best(&|| machine.multiply()), bytes: best(&|| machine.read()), inflated: best(&inflate) }
    }
}

const TEXT_BYTES: usize = 1 << 24;

/// Entries such as a matrix of counts holds, as text, deflated.
fn deflated() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let (mut written, mut state, mut gene, mut cell) = (0, 1_u64, 0_u64, 1);
    while written < TEXT_BYTES {
        // A plain congruential generator: only the look of the text matters.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        gene += 1 + (state >> 60);
        if gene > 33_000 {
            (gene, cell) = (1, cell + 1);
        }
        let count = 1 + ((state >> 40) & 255).leading_zeros().saturating_sub(56);
        let line = format!("{gene} {cell} {count}\n");
        written += line.len();
        encoder.write_all(line.as_bytes()).expect("memory takes everything");
    }
    encoder.finish().expect("memory takes everything")
}

/// Size of the input.
struct Work {
    n_nonzero: f64,
    /// Bytes of the matrices as text, about.
    text_bytes: f64,
}

impl Work {
    fn of_input(read: &ReadLots) -> Self {
        let n_nonzero: usize = read.dataset.lots().iter().map(|lot| lot.counts.n_nonzero()).sum();
        Self { n_nonzero: n_nonzero as f64, text_bytes: TEXT_PER_ENTRY * n_nonzero as f64 }
    }
}

/// `gene cell count` and the end of the line, in 10x files of some thousand cells.
const TEXT_PER_ENTRY: f64 = 13.0;

/// Least seconds of one thread for a step, by the work that can't be left out, and what that is.
fn bound(step: &str, rates: &Rates, work: &Work, space: &Space, params: &Params) -> Option<(f64, &'static str)> {
    let n = space.dataset.n_cells() as f64;
    let (p, k) = (space.hvg.genes.len() as f64, space.pca.loadings.ncols() as f64);
    let dims = space.pca.n_leading as f64;
    let entries = 4.0 * work.n_nonzero;
    Some(match step {
        "read" => (work.text_bytes / rates.inflated, "text inflated"),
        "qc" => (entries / rates.bytes, "one pass over the counts"),
        "hvg" => (2.0 * entries / rates.bytes, "two passes over the counts"),
        "cell_cycle" => (2.0 * entries / rates.bytes, "two passes over the counts"),
        // Of two genes the rarer one's counts are multiplied; then the covariance is made tridiagonal, in double precision half
        // as fast, and each count weighs in on all components.
        "pca" => {
            let (products, counts) = products(space);
            let flops = 2.0 * products + 2.0 * (4.0 / 3.0 * p.powi(3) + 2.0 * counts * k);
            (flops / rates.flops, "products, tridiagonal form")
        }
        "neighbors" if space.neighbors.recall == 1.0 => (n * n * (dims + 2.0) / rates.flops, "products of all pairs"),
        // Read twice, written once and sorted in place.
        "effects" => (6.0 * entries / rates.bytes, "counts put in order by gene"),
        "umap" => {
            // Edges pull about half of the rounds, each pull with the repulsive samples; some 40 operations each.
            let edges = n * params.umap.n_neighbors as f64;
            let rounds = params.umap.rounds(space.dataset.n_cells());
            let moves = 0.5 * edges * rounds as f64 * (1.0 + params.umap.negative_sample_rate as f64);
            (40.0 * moves / rates.flops, "moves of the layout")
        }
        "deviation" => {
            let drawn = (params.deviation.max_cells as f64).min(n);
            (drawn * drawn * dims / rates.flops, "distances of the cells drawn")
        }
        _ => return None,
    })
}

/// Σ over pairs of variable genes of the cells that express the rarer one, and the sum of those over genes.
fn products(space: &Space) -> (f64, f64) {
    let place = cqa::data::places_of_genes(&space.hvg.genes, space.dataset.n_genes());
    let mut n_cells = vec![0_u64; space.hvg.genes.len()];
    for cell in 0..space.dataset.n_cells() {
        space.dataset.row(cell).for_each(|gene, _| {
            if let Some(n) = n_cells.get_mut(place[gene as usize] as usize) {
                *n += 1;
            }
        });
    }
    n_cells.sort_unstable_by(|a, b| b.cmp(a));
    let products = n_cells.iter().enumerate().map(|(rank, &n)| (rank + 1) as f64 * n as f64).sum();
    (products, n_cells.iter().sum::<u64>() as f64)
}

fn print(watch: &Stopwatch, rates: &Rates, work: &Work, space: &Space, params: &Params) {
    println!(
        "{} lots, {} cells kept, {:.0} million counts above 0; {} threads",
        space.dataset.n_lots(),
        space.dataset.n_cells(),
        work.n_nonzero / 1e6,
        rayon::current_num_threads()
    );
    println!(
        "one thread: {:.0} GFLOP/s (products, f32), {:.1} GB/s (memory), {:.0} MB/s (inflate)\n",
        rates.flops / 1e9,
        rates.bytes / 1e9,
        rates.inflated / 1e6
    );
    println!("{:<14} {:>8} {:>8} {:>9} {:>7}  bound by", "step", "wall s", "CPU s", "bound s", "times");
    let steps = watch.steps.lock().expect("no panic while locked");
    for (step, wall, cpu) in steps.iter() {
        let seconds = cpu.unwrap_or(*wall);
        let shown = cpu.map_or("".into(), |cpu| format!("{cpu:.2}"));
        match bound(step, rates, work, space, params) {
            Some((least, what)) => {
                println!("{step:<14} {wall:>8.2} {shown:>8} {least:>9.2} {:>7.1}  {what}", seconds / least);
            }
            None => println!("{step:<14} {wall:>8.2} {shown:>8}"),
        }
    }
    let (wall, cpu): (f64, f64) =
        steps.iter().fold((0.0, 0.0), |sum, step| (sum.0 + step.1, sum.1 + step.2.unwrap_or(0.0)));
    println!("{:<14} {wall:>8.2} {cpu:>8.2}", "all");
}
