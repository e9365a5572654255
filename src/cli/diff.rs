//! `cqa diff RUN1 RUN2`

use std::path::PathBuf;

use clap::Args;
use cqa::error::Error;
use cqa::provenance::differences;

use super::Outcome;

/// Lines of a section that are shown at most.
const N_SHOWN: usize = 40;

/// Arguments of `cqa diff`.
#[derive(Args)]
pub struct DiffArgs {
    /// Directory that this program wrote
    #[arg(value_name = "RUN1")]
    one: PathBuf,
    /// Another one
    #[arg(value_name = "RUN2")]
    two: PathBuf,
    /// Show every line
    #[arg(long)]
    all: bool,
}

/// Says what differs; exit code 1 if anything does.
pub fn diff(args: &DiffArgs) -> Outcome {
    let found = differences(&args.one, &args.two)?;
    for (name, lines) in found.sections() {
        if lines.is_empty() {
            continue;
        }
        println!("{name}");
        let shown = if args.all { lines.len() } else { N_SHOWN };
        for line in lines.iter().take(shown) {
            println!("  {line}");
        }
        if lines.len() > shown {
            println!("  and {} more; --all shows them", lines.len() - shown);
        }
    }
    if found.is_empty() {
        println!("The same inputs, parameters, numbers and verdicts.");
        return Ok(Vec::new());
    }
    Err(Error::input(
        format!("{} and {} differ in {} places", args.one.display(), args.two.display(), found.len()),
        "the lines above name them",
    ))
}
