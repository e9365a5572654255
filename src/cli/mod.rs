//! The command line: one file per command. Here alone: clock, environment, thread count, printing.

/// Prints a line of results. Names come from outside: what would steer the terminal is shown, not sent.
macro_rules! println {
    () => { std::println!() };
    ($($words:tt)*) => { std::println!("{}", cqa::report::words::visible(&format!($($words)*))) };
}

/// The same for standard error.
macro_rules! eprintln {
    ($($words:tt)*) => { std::eprintln!("{}", cqa::report::words::visible(&format!($($words)*))) };
}

mod bench;
mod check;
mod clock;
mod cluster;
mod compare;
mod demo;
mod diff;
mod freeze;
mod manual;
mod map;
mod panel;
mod params;
mod plan;
mod progress;
mod qualify;
mod rank;
mod recorded;
mod report;
mod run;
mod screen;
mod settings;
mod sign;
mod simulate;
mod summary;
mod verify;
mod words;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use cqa::Warning;
use cqa::error::{Error, Result};

use self::progress::Terminal;

/// Find the hidden critical quality attribute of a cell therapy product.
///
/// Lots of cells are sequenced cell by cell, pooled and clustered; the share of each cluster in each lot is set against
/// the lots' potency; the genes that mark the clusters tracking potency are ranked as candidate critical quality
/// attributes. The lot is the unit of replication, never the cell.
///
/// Start with `cqa demo`, then `cqa check lots.csv`, then `cqa run lots.csv --potency COLUMN -o run1`.
#[derive(Parser)]
#[command(name = "cqa", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

/// Flags of every command.
#[derive(Args)]
struct Common {
    /// Threads to use; 0 = all cores. The result is the same for any number
    #[arg(long, global = true, default_value_t = 0, value_name = "N")]
    threads: usize,
    /// Seed of every random step; wins over the parameters file
    #[arg(long, global = true, value_name = "S")]
    seed: Option<u64>,
    /// Parameters as TOML; `cqa params` prints them all with defaults and meaning
    #[arg(long, global = true, value_name = "FILE")]
    params: Option<std::path::PathBuf>,
    /// Print results and errors only, no progress
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Progress and warnings as one JSON object per line on standard error
    #[arg(long, global = true)]
    json_log: bool,
    /// Exit with 1 if there is any warning
    #[arg(long, global = true)]
    strict: bool,
    /// Who runs this; goes on record
    #[arg(long, global = true, default_value = "", hide_default_value = true, value_name = "NAME")]
    operator: String,
    /// What for; goes on record
    #[arg(long, global = true, default_value = "", hide_default_value = true, value_name = "TEXT")]
    reason: String,
    /// Ledger of all runs [default: ledger.jsonl beside the output]; with `cqa verify` the one to check
    #[arg(long, global = true, value_name = "FILE")]
    ledger: Option<std::path::PathBuf>,
    /// Used by `cqa verify --rerun`
    #[arg(long, global = true, hide = true)]
    rerun_in: Option<std::path::PathBuf>,
    /// Used by `cqa verify --rerun`
    #[arg(long, global = true, hide = true, requires = "rerun_in")]
    rerun_params: Option<std::path::PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Read and judge the inputs, nothing else
    Check(check::CheckArgs),
    /// Lots → quality control, PCA, integration, clusters, UMAP, markers, composition
    Cluster(cluster::ClusterCommand),
    /// Composition × potency → associations → ranked candidate genes
    Rank(rank::RankArgs),
    /// Cluster and rank, then the report: the whole road
    Run(run::RunArgs),
    /// Write report.html and the plots of a run again
    Report(report::ReportArgs),
    /// Write simulated lots with planted truth
    Simulate(simulate::SimulateArgs),
    /// The whole road on 11 simulated lots, with a check against the planted truth
    Demo(demo::DemoArgs),
    /// Lots before and after a change of the process, by a plan fixed beforehand
    Compare(compare::CompareArgs),
    /// Hazard cells by their signature: counts per lot, and what a zero excludes
    Screen(screen::ScreenArgs),
    /// The smallest gene panel whose gates find a cluster's cells
    Panel(panel::PanelArgs),
    /// Power: what a number of lots can show, and how many are needed
    Plan(plan::PlanArgs),
    /// Lock a run as the reference that new lots are held against
    Freeze(freeze::FreezeArgs),
    /// Place new lots on a locked reference
    Map(map::MapArgs),
    /// Hold a run's inputs and outputs against their hashes; --rerun computes it again
    Verify(verify::VerifyArgs),
    /// Sign a run's record, so that others can tell who stands behind it
    Sign(sign::SignArgs),
    /// Check installation and operation on this machine, on reference data that the program carries
    Qualify(qualify::QualifyArgs),
    /// What differs between two runs: inputs, parameters, numbers, verdicts
    Diff(diff::DiffArgs),
    /// Time each step on this machine, beside what the machine could do
    Bench(bench::BenchArgs),
    /// Print every parameter with default and meaning, as TOML
    Params,
    /// Print what lets a shell complete commands and flags
    Completions(manual::CompletionsArgs),
    /// Write a man page of every command
    Man(manual::ManArgs),
}

/// What a command leaves for the exit code.
type Outcome = Result<Vec<Warning>>;

/// Parses, runs, and turns the outcome into an exit code: 0 done, 1 error (or warnings with `--strict`), 2 usage.
pub fn main() -> ExitCode {
    let mut cli = Cli::parse();
    let terminal = Terminal::new(cli.common.quiet, cli.common.json_log);
    leave_nothing_half_written();
    match recorded(&mut cli, &terminal) {
        Ok(warnings) if cli.common.strict && !warnings.is_empty() => {
            terminal.error(&format!("{} warnings, and --strict was given", warnings.len()));
            ExitCode::from(1)
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.error(&error.to_string());
            ExitCode::from(1)
        }
    }
}

/// Ctrl-C and a request to end take away what is not whole yet.
fn leave_nothing_half_written() {
    // Where the system refuses a handler, the program ends as it would without one.
    let _ = ctrlc::set_handler(|| {
        cqa::io::remove_unfinished();
        eprintln!("\ninterrupted; nothing half-written is left");
        std::process::exit(130);
    });
}

/// Runs the command with its start and its end on record.
fn recorded(cli: &mut Cli, terminal: &Terminal) -> Outcome {
    if let Some(folder) = cli.common.rerun_in.clone() {
        if !cli.command.redirect(&folder) {
            return Err(Error::input("this command is not run again", "verify its directory without --rerun"));
        }
        if let Some(params) = cli.common.rerun_params.clone().filter(|_| cli.command.takes_params()) {
            cli.common.params = Some(params);
        }
    }
    let record = recorded::Recorded::start(cli)?;
    let outcome = dispatch(cli, terminal);
    let ended = record.map_or(Ok(()), |record| record.end(&outcome));
    // What stopped the command is told before what stopped the record of it.
    outcome.and_then(|warnings| ended.map(|()| warnings))
}

fn dispatch(cli: &Cli, terminal: &Terminal) -> Outcome {
    rayon::ThreadPoolBuilder::new().num_threads(cli.common.threads).build_global().map_err(|e| {
        Error::input(format!("cannot start {} threads: {e}", cli.common.threads), "give fewer --threads")
    })?;
    match &cli.command {
        Command::Check(args) => check::check(args, &cli.common, terminal),
        Command::Cluster(args) => cluster::cluster(args, &cli.common, terminal),
        Command::Rank(args) => rank::rank(args, &cli.common, terminal),
        Command::Run(args) => run::run(args, &cli.common, terminal),
        Command::Report(args) => report::report(args, terminal),
        Command::Simulate(args) => simulate::simulate(args, &cli.common, terminal),
        Command::Demo(args) => demo::demo(args, &cli.common, terminal),
        Command::Compare(args) => compare::compare(args, &cli.common, terminal),
        Command::Screen(args) => screen::screen(args, &cli.common, terminal),
        Command::Panel(args) => panel::panel(args, &cli.common, terminal),
        Command::Plan(args) => plan::plan(args, &cli.common, terminal),
        Command::Freeze(args) => freeze::freeze(args, &cli.common, terminal),
        Command::Map(args) => map::map(args, &cli.common, terminal),
        Command::Bench(args) => bench::bench(args, &cli.common, terminal),
        Command::Verify(args) => verify::verify(args, &cli.common, terminal),
        Command::Sign(args) => sign::sign(args),
        Command::Qualify(args) => qualify::qualify(args, &cli.common, terminal),
        Command::Diff(args) => diff::diff(args),
        Command::Params => params::params(),
        Command::Completions(args) => manual::completions(args),
        Command::Man(args) => manual::man(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
