//! `cqa cluster LOTS -o RUN`

use std::path::PathBuf;

use clap::Args;
use cqa::output::{Output, write_run};
use cqa::pipeline;

use super::clock::Clock;
use super::settings::{self, Input, Overrides, ReadoutFiles};
use super::{Common, Outcome, Terminal, summary};
use cqa::provenance::hash_files;

/// Arguments of `cqa cluster`.
#[derive(Args)]
pub struct ClusterArgs {
    #[command(flatten)]
    input: Input,
    /// Run directory to write; it appears when it is whole
    #[arg(short, long, value_name = "RUN")]
    output: PathBuf,
    /// Replace an existing run directory
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    overrides: Overrides,
    #[command(flatten)]
    files: ReadoutFiles,
}

/// Lots → clusters → run directory.
pub fn cluster(args: &ClusterArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let clock = Clock::start();
    settings::refuse_existing(&args.output, args.force)?;
    let params = settings::parameters(common, &args.overrides)?;
    let sheet = settings::sheet(&args.input)?;
    // Files of readouts are judged now, not after the clustering.
    args.files.read(&sheet, &params)?;
    let read = settings::read(&args.input, &sheet, &params, terminal)?;
    let mut inputs = hash_files(&read.files)?;
    let (mut analysis, space) = pipeline::cluster(read, &params, terminal)?;
    // Lots without cells have left the sheet by now.
    let (readouts, warnings, files) = args.files.read(&analysis.sheet, &params)?;
    inputs.extend(hash_files(&files)?);
    analysis.add_readouts(readouts, warnings);
    let output = Output { analysis: &analysis, ranked: &[], inputs, execution: clock.execution(terminal) };
    write_run(&args.output, args.force, output, &space, terminal)?;
    terminal.done();
    terminal.warnings(&analysis.warnings);
    summary::clusters(&analysis);
    println!("Run directory: {}. Next: cqa rank {0} --potency COLUMN", args.output.display());
    Ok(analysis.warnings)
}
