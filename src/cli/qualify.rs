//! `cqa qualify -o DIR`: installation and operation checked on the machine that it is used on.

mod bad;
mod checks;

use std::path::PathBuf;

use clap::Args;
use cqa::error::{Error, Result};
use cqa::output::write_qualification;
use cqa::progress::Progress;
use cqa::provenance::{hash_files, lock_sha256};
use cqa::report::qualification::{LIMITS, sentence};

use self::checks::Bench;
use super::clock::Clock;
use super::{Common, Outcome, Terminal, settings};

const LONG_HELP: &str = "\
The program runs itself on reference data that it carries (simulated lots with known results), and on bad input,
in a temporary folder beside DIR. What came out is held against what had to come out, with tolerances; DIR gets
report.html, with a table of requirements and tests, and qualification.csv. Exit code 1 if a check did not pass.

It takes less than a minute. The record shows that the program works here as it did where it was made; it is no
statement of compliance with any regulation. Known limits are listed in the report.";

/// Arguments of `cqa qualify`.
#[derive(Args)]
#[command(after_long_help = LONG_HELP)]
pub struct QualifyArgs {
    /// Directory to write
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: PathBuf,
    /// SHA-256 that the program must have, as it was handed over
    #[arg(long, value_name = "SHA256")]
    expect: Option<String>,
    /// Replace an earlier qualification
    #[arg(long)]
    pub(super) force: bool,
}

/// Checks that belong together.
type Stage = fn(&mut Bench) -> Result<()>;

/// Checks, and writes what came out.
pub fn qualify(args: &QualifyArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let clock = Clock::start();
    let _claim = settings::refuse_existing(&args.output, args.force)?;
    let program = std::env::current_exe().map_err(|e| Error::io("cqa", e))?;
    let inputs = hash_files(std::slice::from_ref(&program))?;
    let mut bench = Bench::new(&args.output, program)?;
    let stages: [(&str, Stage); 6] = [
        ("disk", checks::disk),
        ("reference", checks::reference),
        ("same_answer", checks::same_answer),
        ("provenance", checks::provenance),
        ("faults", checks::faults),
        ("bad_input", checks::bad_input),
    ];
    checks::installation(&mut bench, &inputs[0].sha256, args.expect.as_deref());
    terminal.expect(0, &stages.map(|stage| stage.0));
    for (name, stage) in stages {
        terminal.start(name, 0);
        let before = bench.checks.len();
        stage(&mut bench)?;
        terminal.finish(name, &format!("{} checks", bench.checks.len() - before));
    }
    let checks = std::mem::take(&mut bench.checks);
    drop(bench);
    let fact = |name: &str, value: &str| (name.to_string(), value.to_string());
    let facts = [
        fact("Program", &format!("cqa {}", env!("CARGO_PKG_VERSION"))),
        fact("SHA-256 of the program", &inputs[0].sha256),
        fact("SHA-256 of its Cargo.lock", &lock_sha256()),
        fact("Machine", &Clock::machine()),
        fact("Threads", &rayon::current_num_threads().to_string()),
        fact("Operator", if common.operator.is_empty() { "not stated" } else { &common.operator }),
        fact("Reason", if common.reason.is_empty() { "not stated" } else { &common.reason }),
        fact("Time", &clock.started()),
    ];
    let execution = clock.execution(common, terminal);
    write_qualification(&args.output, args.force, &checks, &facts, inputs, execution)?;
    terminal.done();
    for check in &checks {
        let state = if check.passed { "passed    " } else { "NOT passed" };
        println!("{:<6} {state}  {}", check.id, check.requirement);
        if !check.passed {
            println!("       expected: {}; found: {}", check.expected, check.found);
        }
    }
    println!("{} {}", sentence(&checks), LIMITS[LIMITS.len() - 1]);
    println!("Open {} for the whole picture.", args.output.join("report.html").display());
    match checks.iter().filter(|check| !check.passed).count() {
        0 => Ok(Vec::new()),
        n => Err(Error::input(
            format!("{n} of {} checks did not pass", checks.len()),
            "do not use this installation before the cause is found; the report names each",
        )),
    }
}
