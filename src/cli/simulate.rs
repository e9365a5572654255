//! `cqa simulate -o DIR`

use std::path::PathBuf;

use clap::Args;
use cqa::io::run_dir::{PendingDir, write_text};
use cqa::io::tables::write_table;
use cqa::io::tenx_mtx_write::write_lots;
use cqa::progress::Progress;
use cqa::simulate::{SimulateParams, simulate as make};

use super::{Common, Outcome, Terminal, words};

/// Arguments of `cqa simulate`.
#[derive(Args)]
pub struct SimulateArgs {
    /// Folder to write: a 10x folder per lot, lots.csv and the truth
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Number of lots
    #[arg(long, default_value_t = SimulateParams::default().n_lots, value_name = "N")]
    lots: usize,
    /// Mean number of cells per lot
    #[arg(long, default_value_t = SimulateParams::default().n_cells, value_name = "N")]
    cells: usize,
    /// Number of genes
    #[arg(long, default_value_t = SimulateParams::default().n_genes, value_name = "N")]
    genes: usize,
    /// Replace a folder that this command wrote
    #[arg(long)]
    force: bool,
}

/// Writes lots with planted truth.
pub fn simulate(args: &SimulateArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let mut params =
        SimulateParams { n_lots: args.lots, n_cells: args.cells, n_genes: args.genes, ..Default::default() };
    if let Some(seed) = common.seed {
        params.seed = seed;
    }
    let pending = PendingDir::create(&args.output, args.force)?;
    terminal.expect(params.n_lots, &["simulate", "write"]);
    terminal.start("simulate", 0);
    let simulated = make(&params)?;
    terminal.finish("simulate", &format!("{} lots", params.n_lots));
    terminal.start("write", 0);
    let (dataset, truth) = (&simulated.dataset, &simulated.truth);
    write_lots(pending.path(), dataset)?;
    write_text(&pending.path().join("truth.toml"), &truth.summary_toml(dataset))?;
    write_table(&pending.path().join("truth_cells.csv"), &truth.cells_table(dataset))?;
    write_table(&pending.path().join("truth_shares.csv"), &truth.shares_table(dataset))?;
    pending.finish()?;
    terminal.finish("write", &args.output.display().to_string());
    terminal.done();
    println!(
        "{} lots, {} cells × {} genes in {}. Next: cqa run {} --potency {} -o RUN",
        simulated.dataset.n_lots(),
        words::thousands(simulated.dataset.n_cells() as u64),
        words::thousands(simulated.dataset.n_genes() as u64),
        args.output.display(),
        args.output.join("lots.csv").display(),
        simulated.truth.readout
    );
    Ok(Vec::new())
}
