//! The whole road in four calls, on simulated lots; equals `cqa demo` without the files.
//!
//! ```text
//! cargo run --release --example whole_run
//! ```

use cqa::io::ReadLots;
use cqa::pipeline::{self, Params};
use cqa::progress::Silent;
use cqa::simulate::{SimulateParams, simulate};

fn main() -> cqa::Result<()> {
    let simulated = simulate(&SimulateParams { n_cells: 300, ..SimulateParams::default() })?;
    let readout = simulated.truth.readout;
    // From files: `io::join::read_lots(&io::lot_sheet::read_lot_sheet(path)?, &params.read, &Silent)?`.
    let read = ReadLots { dataset: simulated.dataset, files: Vec::new(), warnings: Vec::new() };

    let (analysis, _space) = pipeline::cluster(read, &Params::default(), &Silent)?;
    let ranked = pipeline::rank(&analysis, &readout)?;

    for warning in &analysis.warnings {
        println!("warning: {warning}");
    }
    for (row, judged) in ranked.association.rows.iter().zip(&ranked.verdicts) {
        let verdict = judged.verdict.words();
        println!("cluster {:>2}: r = {:>5.2}, family-wise p = {:.3}, {verdict}", row.column, row.r, row.p_family);
    }
    for candidate in ranked.candidates.iter().take(5) {
        let gene = &analysis.genes.symbols()[candidate.gene as usize];
        println!("{gene}: cluster {}, score {:.3}", candidate.cluster, candidate.score);
    }
    Ok(())
}
