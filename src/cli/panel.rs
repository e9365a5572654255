//! `cqa panel RUN --cluster K`

use std::path::PathBuf;

use clap::Args;
use cqa::error::{Error, Result};
use cqa::output::write_panel;
use cqa::pipeline::{self, PanelAnalysis, PanelGenes, PanelQuestion};
use cqa::progress::Progress;
use cqa::provenance::{hash_files, read_record};
use cqa::steps::markers::PanelParams;

use super::clock::Clock;
use super::{Common, Outcome, Terminal, settings, words};

/// Panels that the terminal shows.
const N_SHOWN: usize = 8;

const LONG_HELP: &str = "\
A panel is 1 to 4 genes, each high or low at a threshold; a cell is gated if it passes all. Of all
panels of the genes searched the best is found, and proven so: F1 is the harmonic mean of purity
(gated cells that are of the cluster) and yield (cells of the cluster that are gated), every lot
weighing the same. F1 held out is that of lots that were not used to choose.

--surface     genes whose product is at the cell's surface: flow cytometry
--secreted    genes whose product is secreted: measured in the medium of a lot, so that each stands
              alone, ranked by how its amount per lot goes with the share of the cluster

Examples
  cqa panel run1 --cluster 2
  cqa panel run1 --cluster 2 --surface --genes 4
  cqa panel run1 --cluster 2 --gene-list antibodies.txt -o panel_2";

/// Arguments of `cqa panel`.
#[derive(Args)]
#[command(after_long_help = LONG_HELP)]
pub struct PanelArgs {
    /// Run directory that `cqa cluster` or `cqa run` wrote
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
    /// Cluster to find
    #[arg(long, value_name = "K")]
    cluster: usize,
    /// Only genes whose product is at the cell's surface
    #[arg(long, conflicts_with_all = ["secreted", "gene_list"])]
    surface: bool,
    /// Only genes whose product is secreted, each by itself
    #[arg(long, conflicts_with = "gene_list")]
    secreted: bool,
    /// Only genes of this file: symbols or ids, one per line or separated by commas
    #[arg(long, value_name = "FILE")]
    gene_list: Option<PathBuf>,
    /// Most genes of a panel, 1 to 4
    #[arg(long, value_name = "N", default_value_t = PanelParams::default().n_genes)]
    genes: usize,
    /// Panels listed per number of genes
    #[arg(long, value_name = "N", default_value_t = PanelParams::default().n_panels)]
    panels: usize,
    /// Genes searched: those that separate best alone
    #[arg(long, value_name = "N", default_value_t = PanelParams::default().n_candidates)]
    candidates: usize,
    /// Distance of thresholds on ln(1 + counts per 10,000)
    #[arg(long, value_name = "T", default_value_t = PanelParams::default().step)]
    step: f64,
    /// No gate may ask for a gene to be low
    #[arg(long)]
    high_only: bool,
    /// F1 that one more gene must add to be worth it
    #[arg(long, value_name = "F1", default_value_t = PanelParams::default().gene_cost)]
    gene_cost: f64,
    /// Readout that the gated share is set against [default: the first that the run has ranked]
    #[arg(long, value_name = "COLUMN")]
    potency: Option<String>,
    /// Directory to write [default: RUN/panel/K, with the kind of genes if restricted]
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Replace a directory that this command wrote
    #[arg(long)]
    pub(super) force: bool,
}

impl PanelArgs {
    /// Directory that is written.
    pub fn target(&self) -> PathBuf {
        let kind = match (&self.gene_list, self.surface, self.secreted) {
            (Some(_), ..) => PanelGenes::List(Vec::new()),
            (_, true, _) => PanelGenes::Surface,
            (_, _, true) => PanelGenes::Secreted,
            _ => PanelGenes::All,
        };
        let name = match kind {
            PanelGenes::All => self.cluster.to_string(),
            restricted => format!("{}_{}", self.cluster, restricted.name()),
        };
        self.output.clone().unwrap_or_else(|| self.run.join("panel").join(name))
    }

    fn genes(&self) -> Result<PanelGenes> {
        let Some(path) = &self.gene_list else {
            return Ok(match (self.surface, self.secreted) {
                (true, _) => PanelGenes::Surface,
                (_, true) => PanelGenes::Secreted,
                _ => PanelGenes::All,
            });
        };
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let mut genes: Vec<String> =
            text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).map(String::from).collect();
        genes.retain(|gene| !gene.is_empty());
        genes.sort_unstable();
        genes.dedup();
        if genes.is_empty() {
            return Err(Error::format(path, "", "names no gene; write symbols or ids, one per line"));
        }
        Ok(PanelGenes::List(genes))
    }
}

/// Finds a panel.
pub fn panel(args: &PanelArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let clock = Clock::start();
    let question = PanelQuestion {
        cluster: args.cluster,
        genes: args.genes()?,
        params: PanelParams {
            n_genes: args.genes,
            n_panels: args.panels,
            n_candidates: args.candidates,
            step: args.step,
            low: !args.high_only,
            gene_cost: args.gene_cost,
            ..PanelParams::default()
        },
    };
    if common.params.is_some() || common.seed.is_some() {
        return Err(Error::input(
            "a panel has no parameters of a file and no random step",
            "leave --params and --seed out; everything is asked for by flags",
        ));
    }
    let target = args.target();
    let _claim = settings::refuse_existing(&target, args.force)?;

    terminal.expect(0, &["read", "panel"]);
    terminal.start("read", 0);
    let analysis = pipeline::load_run(&args.run)?;
    let ranked = read_record(&args.run)?.potency;
    let readout = args.potency.as_ref().or(ranked.first());
    let asked = match readout {
        Some(name) => cqa::output::read_asked(&args.run, name)?,
        None => None,
    };
    let asked = asked.unwrap_or_else(|| analysis.params.association.clone());
    let dataset = pipeline::load_cells(&args.run, &analysis)?;
    terminal.finish("read", &format!("{} cells", words::thousands(dataset.n_cells() as u64)));
    let readout = readout.map(|name| (name.as_str(), &asked));
    let panel = pipeline::panel(&analysis, &dataset, &question, readout, terminal)?;

    let files = ["run.json", "cells.parquet", "pooled.h5ad", "pseudobulk.parquet"].map(|name| args.run.join(name));
    let inputs = hash_files(&files.into_iter().chain(args.gene_list.clone()).collect::<Vec<_>>())?;
    write_panel(&target, args.force, &analysis, &panel, inputs, clock.execution(common, terminal))?;
    terminal.done();
    terminal.warnings(&panel.warnings);
    print(&panel);
    println!("Open {} for the gates ({:.0} s).", target.join("report.html").display(), clock.seconds());
    Ok(panel.warnings)
}

fn print(panel: &PanelAnalysis) {
    let secreted = panel.question.genes == PanelGenes::Secreted;
    println!(
        "Cluster {}: {} of {} genes searched",
        panel.question.cluster,
        words::thousands(panel.panels.candidates.len() as u64),
        words::thousands(panel.panels.n_allowed as u64)
    );
    if secreted {
        println!(
            "Secreted products are measured in the medium of a lot: ranked by how the amount goes with the cluster's share"
        );
    }
    println!();
    println!("rank  purity  yield     F1  held out  proven  r share  r potency  r amount  gates");
    let r = |r: f64| if r.is_nan() { "–".to_string() } else { format!("{r:.2}") };
    for (i, (row, lots)) in panel.panels.rows.iter().zip(&panel.lots).enumerate().take(N_SHOWN) {
        println!(
            "{:>4}  {:>5.1}%  {:>4.1}%  {:.3}  {:>8.3}  {:>6}  {:>7}  {:>9}  {:>8}  {}",
            i + 1,
            100.0 * row.fitted.purity,
            100.0 * row.fitted.yield_,
            row.fitted.f1,
            row.held_out.f1,
            if row.proven { "yes" } else { "no" },
            r(lots.r_share),
            r(lots.r_potency),
            r(lots.r_bulk),
            row.panel
        );
    }
    if let Some(readout) = &panel.readout {
        println!("\nThe share of the whole cluster: r = {:.2} with {}", readout.r_cluster, readout.name);
    }
    println!();
}
