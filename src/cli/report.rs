//! `cqa report RUN`

use std::path::PathBuf;

use clap::Args;
use cqa::io::run_dir::Claim;
use cqa::output::{Output, write_pages};
use cqa::pipeline;
use cqa::progress::Progress;
use cqa::provenance::read_record;

use super::run::{all_warnings, rank_all};
use super::{Outcome, Terminal};

/// Arguments of `cqa report`.
#[derive(Args)]
pub struct ReportArgs {
    /// Run directory that `cqa cluster` or `cqa run` wrote
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
}

/// Writes plots and report again from the run's tables.
pub fn report(args: &ReportArgs, terminal: &Terminal) -> Outcome {
    let _claim = Claim::new(&args.run)?;
    let record = read_record(&args.run)?;
    terminal.expect(0, &[&["read"][..], &vec!["association"; record.potency.len()], &["write"]].concat());
    terminal.start("read", 0);
    let analysis = pipeline::load_run(&args.run)?;
    terminal.finish("read", &args.run.display().to_string());
    let ranked = rank_all(&analysis, &record.potency, &analysis.params.association, Some((&args.run, &[])), terminal)?;
    let output = Output { analysis: &analysis, ranked: &ranked, inputs: record.inputs, execution: record.execution };
    terminal.start("write", 0);
    write_pages(&args.run, output)?;
    terminal.finish("write", "plots and report");
    terminal.done();
    println!("Written: {}", args.run.join("report.html").display());
    Ok(all_warnings(&analysis, &ranked))
}
