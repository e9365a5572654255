//! `cqa demo`: the whole road on simulated lots, and whether it found what was planted.

use std::path::{Path, PathBuf};

use clap::Args;
use cqa::io::ReadLots;
use cqa::output::{Output, write_run};
use cqa::pipeline::{self, Analysis, Ranked};
use cqa::progress::Progress;
use cqa::simulate::{SimulateParams, Simulated, simulate};

use super::clock::Clock;
use super::run::{all_warnings, rank_all};
use super::settings::{self, Overrides};
use super::{Common, Outcome, Terminal, summary, words};

/// Run directory when none is named; it belongs to the demo, so a later demo replaces it.
const DEFAULT_OUTPUT: &str = "cqa-demo";

/// A cluster is the planted population when their F1 is at least this.
const FOUND_F1: f64 = 0.9;

/// Planted markers are looked for among this many candidates.
const N_TOP: usize = 20;

/// Arguments of `cqa demo`.
#[derive(Args)]
pub struct DemoArgs {
    /// Run directory to write
    #[arg(short, long, value_name = "RUN", default_value = DEFAULT_OUTPUT)]
    pub(super) output: PathBuf,
    /// Replace an existing run directory (the default one is always replaced)
    #[arg(long)]
    pub(super) force: bool,
    /// Mean number of cells per lot
    #[arg(long, default_value_t = 400, value_name = "N")]
    cells: usize,
}

/// Simulates, runs, judges.
pub fn demo(args: &DemoArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let clock = Clock::start();
    let replace = args.force || args.output == Path::new(DEFAULT_OUTPUT);
    let _claim = settings::refuse_existing(&args.output, replace)?;
    let params = settings::parameters(common, &Overrides::default())?;
    let mut planted = SimulateParams { n_cells: args.cells, ..SimulateParams::default() };
    if let Some(seed) = common.seed {
        planted.seed = seed;
    }
    let steps = params.steps();
    terminal.expect(planted.n_lots, &[&["simulate"][..], &steps, &["association", "write"]].concat());
    terminal.start("simulate", 0);
    let simulated = simulate(&planted)?;
    terminal.finish("simulate", &format!("{} lots with planted truth", simulated.dataset.n_lots()));
    let read = ReadLots { dataset: simulated.dataset.clone(), files: Vec::new(), warnings: Vec::new() };
    let (analysis, space) = pipeline::cluster(read, &params, terminal)?;
    let ranked = rank_all(
        &analysis,
        std::slice::from_ref(&simulated.truth.readout),
        &analysis.params.association,
        None,
        terminal,
    )?;
    let output = Output {
        analysis: &analysis,
        ranked: &ranked,
        inputs: Vec::new(),
        execution: clock.execution(common, terminal),
    };
    write_run(&args.output, replace, output, &space, terminal)?;
    terminal.done();
    let warnings = all_warnings(&analysis, &ranked);
    terminal.warnings(&warnings);
    summary::clusters(&analysis);
    summary::ranking(&analysis, &ranked[0]);
    judge(&simulated, &analysis, &ranked[0]);
    println!("Open {} for the whole picture ({:.0} s).", args.output.join("report.html").display(), clock.seconds());
    Ok(warnings)
}

/// Says whether the planted truth was found.
fn judge(simulated: &Simulated, analysis: &Analysis, ranked: &Ranked) {
    let (truth, cells) = (&simulated.truth, &analysis.cells);
    println!(
        "Planted: the share of `{}` cells drives {}; {} marker genes.",
        truth.populations[truth.potent as usize],
        truth.readout,
        truth.markers.len()
    );
    let Some(best) = truth.best_cluster(&cells.lot, &cells.barcode, &cells.cluster) else {
        println!("Not found: no cell of that population was kept.");
        return;
    };
    let rows = &ranked.association.rows;
    let first = (0..rows.len()).max_by(|&a, &b| rows[a].r.abs().total_cmp(&rows[b].r.abs()).then(b.cmp(&a)));
    let (is_cluster, is_first) = (best.f1 >= FOUND_F1, first == Some(best.cluster as usize));
    let markers = truth.markers_found(ranked.candidates.iter().map(|c| c.gene), N_TOP);
    let found = |yes: bool| if yes { "found" } else { "NOT found" };
    println!(
        "  {}: the population is cluster {} (F1 {:.2}, precision {:.0} %, recall {:.0} %)",
        found(is_cluster),
        best.cluster,
        best.f1,
        100.0 * best.precision,
        100.0 * best.recall
    );
    let row = &rows[best.cluster as usize];
    println!(
        "  {}: its share goes with the readout most (r = {:.2}, family-wise p = {})",
        found(is_first),
        row.r,
        words::p_value(row.p_family)
    );
    println!(
        "  {}: {markers} of {} planted markers among the first {N_TOP} candidates",
        found(markers * 10 >= truth.markers.len() * 8),
        truth.markers.len()
    );
}
