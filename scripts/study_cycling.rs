//! How many cells are called cycling where the truth is known: kinds of cells at rest, and simulated populations of which two
//! proliferate.
//!
//!     cargo run --release --example study_cycling -- DATA
//!
//! DATA is the folder of real data sets. Prints one CSV row per data set and group of cells: cells, share that is not "G1" by the
//! signs of its scores, share called cycling.

use std::path::Path;

use cqa::Result;
use cqa::data::{Dataset, Lot, LotSheet, LotSource};
use cqa::io::ReadParams;
use cqa::io::tenx_mtx::read_tenx_mtx;
use cqa::simulate::{SimulateParams, simulate};
use cqa::steps::cells::{CellCycleParams, NormalizeParams, Phase, cell_cycle, normalize};

fn main() -> Result<()> {
    let data = std::env::args().nth(1).unwrap_or_else(|| "../shared/data".to_string());
    println!("data,group,cells,not_g1,cycling");
    let data = Path::new(&data);
    tell("soupx", &folder(&data.join("soupx/pbmc_mtx"))?, &annotation(&data.join("soupx/pbmc_mtx/obs.csv")))?;
    for name in ["mtx_AST-FB", "mtx_Endothelial", "mtx_Microglia"] {
        let cells = folder(&data.join("ideas_autism").join(name))?;
        tell("ideas_autism", &cells, &vec![name.to_string(); cells.n_cells()])?;
    }
    for seed in [1, 2] {
        for depth in [28_000.0, 8500.0, 3000.0] {
            let simulated = simulate(&SimulateParams { seed, depth, n_cells: 300, ..SimulateParams::default() })?;
            let truth = &simulated.truth;
            let group: Vec<String> = (0..truth.population.len())
                .map(|i| match (truth.doublet[i], truth.damaged[i]) {
                    (true, _) => "doublet".into(),
                    (_, true) => "damaged".into(),
                    _ => truth.populations[truth.population[i] as usize].clone(),
                })
                .collect();
            tell(&format!("simulated {seed} at {depth}"), &simulated.dataset, &group)?;
        }
    }
    Ok(())
}

fn tell(name: &str, cells: &Dataset, group: &[String]) -> Result<()> {
    let normalized = normalize(cells, &NormalizeParams::default())?;
    let found = cell_cycle(cells, &normalized, &CellCycleParams::default())?;
    let mut levels = group.to_vec();
    levels.sort();
    levels.dedup();
    for level in levels {
        let here: Vec<usize> = (0..group.len()).filter(|&cell| group[cell] == level).collect();
        let share = |of: &dyn Fn(usize) -> bool| here.iter().filter(|&&i| of(i)).count() as f64 / here.len() as f64;
        let (not_g1, cycling) = (share(&|i| found.phase[i] != Phase::G1), share(&|i| found.cycling[i]));
        println!("{name},{level},{},{not_g1:.3},{cycling:.3}", here.len());
    }
    Ok(())
}

/// A 10x folder as one lot.
fn folder(path: &Path) -> Result<Dataset> {
    let raw = read_tenx_mtx(path, &ReadParams::default())?;
    let lot = Lot { name: "one".into(), barcodes: raw.barcodes, counts: raw.counts };
    let source = LotSource { lot: "one".into(), path: path.into(), subset: None };
    Dataset::new(raw.genes, vec![lot], LotSheet { lots: vec![source], columns: Vec::new() })
}

fn annotation(path: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let header = reader.headers().expect("a header").clone();
    let at = header.iter().position(|name| name == "Annotation").expect("a column Annotation");
    reader.records().map(|row| row.expect("a row")[at].to_string()).collect()
}
