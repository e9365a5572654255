//! `cqa plan`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use cqa::io::run_dir::{PendingDir, read_toml, write_bytes, write_text};
use cqa::io::tables::write_table;
use cqa::pipeline::Params;
use cqa::report::plan::html;
use cqa::report::plots::{files, power::figure};
use cqa::report::words::percent;
use cqa::steps::process::plan::Needed;
use cqa::steps::process::{self, Design, Plan, PlanParams, PlanRow};

use super::{Common, Outcome, Terminal, words};

/// Numbers of lots that the table shows beside the planned one.
const SHOWN: [usize; 14] = [4, 5, 6, 8, 10, 11, 12, 14, 16, 20, 25, 30, 40, 60];

const LONG_HELP: &str = "\
How to read the answer
  The lot is the unit: more cells per lot make each share sharper, but only more lots make an
  association surer. Four powers are told, from the easiest question to the hardest:
    alone       one cluster that was named before the data were seen (exact, normal values)
    Bonferroni  any of the clusters, each at alpha / number of tests (exact, normal values)
    max-T       any of the clusters, by the permutation test that `cqa rank` makes (simulated)
    supported   the verdict of `cqa rank`: max-T, and still there without any one lot (simulated;
                that the cluster itself is found again is taken for granted)
  The smallest attainable p is a matter of the design alone: n lots have n! orders, but a readout
  that is only passed/failed has far fewer, and pairs have 2^n signs. Where it lies above alpha,
  no data can show anything, and power is 0. Up to 5,040 orders, where p goes in visible steps,
  every power is that of the permutation test itself on simulated lots. Above 12 lots `cqa rank` draws random orders, and p
  can't fall below 1 / (their number + 1).

What to put in
  --rho   the weakest association worth finding, between the share in the whole lot (not in the
          sampled cells) and the readout as your assay measures it: noise of the assay lowers it.
          Its square is the part of the variance explained. Don't take it from a small earlier
          study: the best of eight clusters looks stronger than it is.
  --share, --share-sd   mean share of the cluster and its standard deviation between lots. They
          tell how much counting so many --cells blurs the share.

Examples
  cqa plan                                   11 lots, 8 clusters, correlation 0.7
  cqa plan --lots 20 --rho 0.6 --cells 3000 -o power
  cqa plan --lots 12 --design groups         6 lots passed, 6 failed
  cqa plan --lots 8 --design pairs           8 donors, each by two processes
  cqa plan --lots 16 --block-size 4          4 sites with 4 lots each
  cqa plan --clusters 1                      one cluster, named beforehand";

/// Arguments of `cqa plan`.
#[derive(Args)]
#[command(after_long_help = LONG_HELP)]
pub struct PlanArgs {
    /// Lots of the planned study (pairs of lots with `--design pairs`)
    #[arg(long, value_name = "N", default_value_t = PlanParams::default().n_lots)]
    lots: usize,
    /// True correlation worth finding, between 0 and 1
    #[arg(long, value_name = "R", default_value_t = PlanParams::default().rho)]
    rho: f64,
    /// Clusters that will be looked at
    #[arg(long, value_name = "K", default_value_t = PlanParams::default().n_clusters)]
    clusters: usize,
    /// Readouts that each cluster will be set against
    #[arg(long, value_name = "N", default_value_t = PlanParams::default().n_readouts)]
    readouts: usize,
    /// Cells per lot; 0 = so many that the share is exact
    #[arg(long, value_name = "N", default_value_t = PlanParams::default().n_cells)]
    cells: usize,
    /// Mean share of the cluster, 0..1 [default: 1 / clusters]
    #[arg(long, value_name = "S")]
    share: Option<f64>,
    /// Standard deviation of the true share between lots [default: half of the share]
    #[arg(long, value_name = "SD")]
    share_sd: Option<f64>,
    /// How lots are arranged
    #[arg(long, value_enum, default_value_t = DesignName::Measured)]
    design: DesignName,
    /// Lots per block (site, campaign), within which the readout is permuted; 0 = no blocks
    #[arg(long, value_name = "N", default_value_t = 0)]
    block_size: usize,
    /// Covariates held constant
    #[arg(long, value_name = "N", default_value_t = 0)]
    covariates: usize,
    /// Error level [default: that of `[verdict]` in the parameters, 0.05]
    #[arg(long, value_name = "P")]
    alpha: Option<f64>,
    /// Power that the number of lots needed is given for
    #[arg(long, value_name = "P", default_value_t = PlanParams::default().power)]
    power: f64,
    /// Largest number of lots looked at, up to 150
    #[arg(long, value_name = "N", default_value_t = PlanParams::default().max_lots)]
    max_lots: usize,
    /// Simulated studies per number of lots
    #[arg(long, value_name = "N", default_value_t = PlanParams::default().n_simulations)]
    simulations: usize,
    /// Folder to write: report.html, power.csv, power.svg, power.png
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Replace a folder that this command wrote
    #[arg(long)]
    force: bool,
}

/// Designs as the command line names them.
#[derive(Clone, Copy, ValueEnum)]
enum DesignName {
    /// A number is measured in each lot
    Measured,
    /// Two groups of lots, such as passed and failed
    Groups,
    /// Pairs of lots, such as one donor by two processes
    Pairs,
}

/// Plans a study.
pub fn plan(args: &PlanArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let given: Params = match &common.params {
        Some(path) => read_toml(path)?,
        None => Params::default(),
    };
    let mut verdict = given.verdict;
    verdict.alpha = args.alpha.unwrap_or(verdict.alpha);
    let params = PlanParams {
        n_lots: args.lots,
        max_lots: args.max_lots,
        n_clusters: args.clusters,
        n_readouts: args.readouts,
        rho: args.rho,
        n_cells: args.cells,
        share: args.share.unwrap_or(0.0),
        share_sd: args.share_sd.unwrap_or(0.0),
        design: match args.design {
            DesignName::Measured => Design::Measured,
            DesignName::Groups => Design::Groups,
            DesignName::Pairs => Design::Pairs,
        },
        block_size: args.block_size,
        n_covariates: args.covariates,
        power: args.power,
        n_simulations: args.simulations,
    };
    let pending = args.output.as_ref().map(|target| PendingDir::create(target, args.force)).transpose()?;
    let plan = process::plan(&params, &verdict, common.seed.unwrap_or(given.seed))?;
    if let Some(pending) = pending {
        let plot = files("power".into(), &figure(&plan));
        write_table(&pending.path().join("power.csv"), &plan.table())?;
        write_text(&pending.path().join("power.svg"), &plot.svg)?;
        write_bytes(&pending.path().join("power.png"), &plot.png)?;
        let page = html(&plan, common.seed.unwrap_or(given.seed));
        write_text(&pending.path().join("report.html"), &page)?;
        pending.finish()?;
    }
    terminal.done();
    print(&plan);
    if let Some(output) = &args.output {
        println!(
            "Open {} for the whole picture; every number of lots is in power.csv beside it.",
            output.join("report.html").display()
        );
    }
    Ok(Vec::new())
}

fn print(plan: &Plan) {
    let params = &plan.params;
    let unit = if params.design == Design::Pairs { "pairs" } else { "lots" };
    let whole = |share: f64| percent(share, 0).replace('\u{a0}', " ");
    let tests = params.n_clusters * params.n_readouts;
    println!("True correlation {}; {tests} tests in the family; alpha {}", params.rho, plan.alpha);
    if params.n_cells > 0 {
        println!(
            "Counting {} cells per lot (share {:.1} %, SD {:.1} % between lots) lowers the correlation to {:.2}; {} cells would keep 95 % of it",
            words::thousands(params.n_cells as u64),
            100.0 * params.mean_share(),
            100.0 * params.sd_of_share(),
            plan.rho_counted,
            words::thousands(params.enough_cells() as u64)
        );
    }
    println!();
    println!("               smallest    |r| needed        power");
    println!("  {unit:>5}              p  alone  max-T    alone  Bonferroni  max-T  supported");
    for row in plan.rows.iter().filter(|row| row.n_lots == params.n_lots || SHOWN.contains(&row.n_lots)) {
        println!("{}", line(row, row.n_lots == params.n_lots, &whole));
    }
    println!();
    println!(
        "{} needed for a power of {}: {}",
        capital(unit),
        whole(params.power),
        needed(&plan.needed, plan.rows.len() + 3)
    );
    println!();
    println!("What {} {unit} find", params.n_lots);
    let cells = |of: &dyn Fn(&(f64, f64, f64)) -> String| {
        plan.by_rho.iter().map(|entry| format!("{:>6}", of(entry))).collect::<String>()
    };
    println!("  true correlation  {}", cells(&|entry| format!("{:.1}", entry.0)));
    println!("  alone             {}", cells(&|entry| whole(entry.1)));
    println!("  max-T             {}", cells(&|entry| whole(entry.2)));
    println!();
}

fn line(row: &PlanRow, planned: bool, whole: &dyn Fn(f64) -> String) -> String {
    let mark = if planned { '>' } else { ' ' };
    let limit = |r: f64| if r.is_nan() { "n/a".to_string() } else { format!("{r:.2}") };
    format!(
        "{mark} {:>5}  {:>13}  {:>5}  {:>5}  {:>7}  {:>10}  {:>5}  {:>9}",
        row.n_lots,
        words::p_value(row.smallest_p),
        limit(row.r_alone),
        limit(row.r_family),
        whole(row.power_alone),
        whole(row.power_bonferroni),
        whole(row.power_family),
        whole(row.power_supported)
    )
}

fn needed(needed: &Needed, most: usize) -> String {
    let number = |n: Option<usize>| n.map_or(format!("more than {most}"), |n| n.to_string());
    format!(
        "{} alone, {} by Bonferroni, {} by max-T, {} for `supported`",
        number(needed.alone),
        number(needed.bonferroni),
        number(needed.family),
        number(needed.supported)
    )
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_needed_are_told_also_where_there_are_not_enough() {
        let all = Needed { alone: Some(13), bonferroni: Some(20), family: Some(20), supported: None };
        assert_eq!(needed(&all, 40), "13 alone, 20 by Bonferroni, 20 by max-T, more than 40 for `supported`");
        assert_eq!((capital("lots"), capital("")), ("Lots".into(), String::new()));
    }
}
