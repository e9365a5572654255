//! `cqa screen LOTS --signature FILE -o OUT`

use std::path::{Path, PathBuf};

use clap::Args;
use cqa::error::Result;
use cqa::io::join::{LotsApart, read_lots_apart};
use cqa::io::lot_sheet::read_lot_sheet;
use cqa::io::signature::read_signature;
use cqa::output::{ScreenOutput, write_screen};
use cqa::pipeline::{self, Params, ToScreen};
use cqa::provenance::hash_files;
use cqa::report::screen::{fraction, sentences};
use cqa::steps::process::Screen;

use super::clock::Clock;
use super::settings::{self, Input, Overrides};
use super::{Common, Outcome, Terminal, words};

const LONG_HELP: &str = "\
How to read the answer
  A zero is not an absence: of N cells without a positive one, about 3/N can still be positive
  (95 % confidence). That limit is for cells that SHOW the signature. Hazard cells that don't show it
  at this depth are allowed for only if their chance to show it is known:
    --positive SHEET             lots of pure hazard cells, thinned to the depth of each lot
    --detection-probability P    a number of your own
  --negative SHEET, lots that cannot hold such cells, tells what the rule finds by chance.

Examples
  cqa screen lots.csv --signature residual_pluripotent -o screen1
  cqa screen lots.csv --signature residual_pluripotent --positive ips.csv --negative bm.csv -o screen1
  cqa screen lots.csv --signature my_cells.toml --limit 1e-5 -o screen1
The bundled signature is written to OUT/signature.toml, with its sources: a pattern for your own.";

/// Arguments of `cqa screen`.
#[derive(Args)]
#[command(after_long_help = LONG_HELP)]
pub struct ScreenArgs {
    #[command(flatten)]
    input: Input,
    /// Signature of the hazard cells: a TOML file, or `residual_pluripotent`, which is bundled
    #[arg(long, value_name = "FILE")]
    signature: PathBuf,
    /// Directory to write; it appears when it is whole
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: PathBuf,
    /// Replace a directory that this program wrote
    #[arg(long)]
    pub(super) force: bool,
    /// Lot sheet of pure hazard cells, from which the chance to see one is estimated
    #[arg(long, value_name = "SHEET", conflicts_with = "detection_probability")]
    positive: Option<PathBuf>,
    /// Chance that a hazard cell shows the signature, above 0 and at most 1
    #[arg(long, value_name = "P")]
    detection_probability: Option<f64>,
    /// Lot sheet of lots that cannot hold hazard cells
    #[arg(long, value_name = "SHEET")]
    negative: Option<PathBuf>,
    /// Fraction of hazard cells to be excluded [default: 1e-4]
    #[arg(long, value_name = "FRACTION")]
    limit: Option<f64>,
    /// Confidence of every limit [default: 0.95]
    #[arg(long, value_name = "C")]
    confidence: Option<f64>,
    /// Cells with fewer counts are not looked at [default: 500]
    #[arg(long, value_name = "N")]
    min_counts: Option<u32>,
}

/// Screens lots for hazard cells.
pub fn screen(args: &ScreenArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let clock = Clock::start();
    let _claim = settings::refuse_existing(&args.output, args.force)?;
    let mut params = settings::parameters(common, &Overrides::default())?;
    params.screen.limit = args.limit.unwrap_or(params.screen.limit);
    params.screen.confidence = args.confidence.unwrap_or(params.screen.confidence);
    params.screen.min_counts = args.min_counts.unwrap_or(params.screen.min_counts);
    // Judged before hours of reading.
    params.screen.check()?;
    let (signature, signature_file) = read_signature(&args.signature)?;
    let sheet = settings::sheet(&args.input)?;
    let n_sheets = 1 + usize::from(args.positive.is_some()) + usize::from(args.negative.is_some());
    terminal.expect(sheet.lots.len(), &[vec!["read"; n_sheets], vec!["screen"]].concat());
    let lots = read_lots_apart(&sheet, &params.read, terminal)?;
    let positive = control(args.positive.as_deref(), &params, terminal)?;
    let negative = control(args.negative.as_deref(), &params, terminal)?;
    let given = ToScreen {
        sheet: &sheet,
        lots: &lots.lots,
        positive: positive.as_ref().map_or(&[], |control| &control.lots),
        detection_probability: args.detection_probability,
        negative: negative.as_ref().map_or(&[], |control| &control.lots),
    };
    let screen = pipeline::screen(&signature, given, &params, terminal)?;
    let mut files: Vec<PathBuf> = signature_file.into_iter().chain([args.input.lots.clone()]).collect();
    files.extend(args.positive.iter().chain(&args.negative).cloned());
    let mut warnings = Vec::new();
    for read in [Some(lots), positive, negative].into_iter().flatten() {
        files.extend(read.files);
        warnings.extend(read.warnings);
    }
    warnings.extend(screen.warnings.iter().cloned());
    files.sort_unstable();
    files.dedup();
    let output = ScreenOutput {
        screen: &screen,
        params: &params,
        warnings: &warnings,
        inputs: hash_files(&files)?,
        execution: clock.execution(common, terminal),
    };
    write_screen(&args.output, args.force, output)?;
    terminal.done();
    terminal.warnings(&warnings);
    print(&screen);
    println!("Open {} for the whole picture.", args.output.join("report.html").display());
    Ok(warnings)
}

fn control(sheet: Option<&Path>, params: &Params, terminal: &Terminal) -> Result<Option<LotsApart>> {
    sheet.map(|path| read_lots_apart(&read_lot_sheet(path)?, &params.read, terminal)).transpose()
}

fn print(screen: &Screen) {
    let plain = |text: String| text.replace('\u{a0}', " ");
    let width = screen.rows.iter().map(|row| row.lot.chars().count()).max().unwrap_or(0).max(3);
    println!("Signature {}: {}", screen.signature.name, screen.signature.rule());
    println!();
    println!(
        "{:<width$}  {:>9}  {:>8}  {:>14}  {:>14}  {:>14}  {:>9}",
        "lot", "cells", "positive", "upper limit", "hazard cells", "detection lim.", "detection"
    );
    for row in &screen.rows {
        println!(
            "{:<width$}  {:>9}  {:>8}  {:>14}  {:>14}  {:>14}  {:>9}",
            row.lot,
            words::thousands(row.n_cells),
            words::thousands(row.n_positive),
            plain(fraction(row.upper)),
            plain(fraction(row.upper_adjusted)),
            plain(fraction(row.detection_limit)),
            cqa::report::words::fixed(row.detection_probability, 3)
        );
    }
    println!();
    for line in sentences(screen) {
        println!("{}", plain(line));
    }
}
