//! `cqa check LOTS`

use clap::Args;
use cqa::data::Dataset;

use super::settings::{self, Input, Overrides};
use super::{Common, Outcome, Terminal, words};

/// Arguments of `cqa check`.
#[derive(Args)]
pub struct CheckArgs {
    #[command(flatten)]
    input: Input,
}

/// Reads every lot and says what it found.
pub fn check(args: &CheckArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let params = settings::parameters(common, &Overrides::default())?;
    let sheet = settings::sheet(&args.input)?;
    terminal.expect(sheet.lots.len(), &["read"]);
    let read = settings::read(&args.input, &sheet, &std::env::temp_dir(), &params, terminal)?;
    terminal.done();
    print_lots(&read.dataset);
    print_columns(&read.dataset);
    terminal.warnings(&read.warnings);
    println!(
        "{} lots, {} cells, {} genes: can be read. Next: cqa run {} --potency COLUMN -o RUN",
        read.dataset.n_lots(),
        words::thousands(read.dataset.n_cells() as u64),
        words::thousands(read.dataset.n_genes() as u64),
        args.input.lots.display()
    );
    Ok(read.warnings)
}

fn print_lots(dataset: &Dataset) {
    let width = dataset.lots().iter().map(|lot| lot.name.chars().count()).max().unwrap_or(0).max(3);
    println!("{:<width$}  {:>9}  {:>13}  {:>12}", "lot", "cells", "median counts", "median genes");
    for lot in dataset.lots() {
        let n = lot.counts.n_cells();
        let counts = words::median((0..n).map(|cell| lot.counts.total(cell)).collect());
        let genes = words::median((0..n).map(|cell| lot.counts.row(cell).len() as u64).collect());
        println!(
            "{:<width$}  {:>9}  {:>13}  {:>12}",
            lot.name,
            words::thousands(n as u64),
            words::thousands(counts),
            words::thousands(genes)
        );
    }
}

fn print_columns(dataset: &Dataset) {
    for column in &dataset.sheet().columns {
        let given = column.values.iter().filter(|v| !v.trim().is_empty()).count();
        match column.numbers() {
            Some(values) => {
                let values: Vec<f64> = values.into_iter().filter(|v| !v.is_nan()).collect();
                let (low, high) =
                    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
                if values.is_empty() {
                    println!("column {}: empty", column.name);
                } else {
                    println!("column {}: number in {given} lots, {low} to {high}; can be a potency", column.name);
                }
            }
            None => println!("column {}: text in {given} lots; can be a covariate", column.name),
        }
    }
}
