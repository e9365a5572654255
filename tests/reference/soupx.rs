//! The PBMC of `soupx/`, whole and as the reference results took them.

use std::collections::HashMap;
use std::path::Path;

use cqa::data::{Dataset, Genes, Lot, LotSheet, LotSource};
use cqa::io::ReadParams;
use cqa::io::tenx_mtx::read_tenx_mtx;

use crate::common::{numbers, shared_data};

/// A 10x folder, its cells parted into lots by `lot_of`.
pub fn lots(folder: &Path, lot_names: &[&str], lot_of: impl Fn(&str) -> Option<usize>) -> Dataset {
    let raw = read_tenx_mtx(folder, &ReadParams::default()).unwrap();
    let of_cell: Vec<Option<usize>> = raw.barcodes.iter().map(|b| lot_of(b)).collect();
    let part = |i: usize, name: &str| Lot {
        name: name.into(),
        barcodes: raw
            .barcodes
            .iter()
            .zip(&of_cell)
            .filter(|(_, lot)| **lot == Some(i))
            .map(|(b, _)| b.clone())
            .collect(),
        counts: raw.counts.select_cells(&of_cell.iter().map(|lot| *lot == Some(i)).collect::<Vec<_>>()),
    };
    let lots = lot_names.iter().enumerate().map(|(i, name)| part(i, name)).collect();
    let source = |name: &&str| LotSource { lot: (*name).into(), path: folder.into(), subset: None };
    let sheet = LotSheet { lots: lot_names.iter().map(source).collect(), columns: Vec::new() };
    Dataset::new(raw.genes, lots, sheet).unwrap()
}

/// 2,170 cells × 33,694 genes.
pub fn whole() -> Option<Dataset> {
    Some(lots(&shared_data("soupx")?.join("pbmc_mtx"), &["pbmc"], |_| Some(0)))
}

/// 2,163 cells × 15,189 genes: those that scanpy's results begin with (see `summary.json`).
pub fn filtered() -> Option<Dataset> {
    let qc = shared_data("soupx")?.join("ref_scanpy/qc_obs.csv.gz");
    let [n_genes, pct_mito, n_counts] =
        ["n_genes_by_counts", "pct_counts_mt", "total_counts"].map(|column| numbers(&qc, column));
    let keep: Vec<bool> =
        (0..n_genes.len()).map(|i| n_genes[i] >= 300.0 && pct_mito[i] <= 10.0 && n_counts[i] > 1000.0).collect();
    Some(expressed(&whole()?.select_cells(&keep)))
}

/// The genes that are seen in at least three cells of a single lot.
pub fn expressed(cells: &Dataset) -> Dataset {
    let mut n_cells = vec![0; cells.n_genes()];
    for cell in 0..cells.n_cells() {
        cells.row(cell).for_each(|gene, _| n_cells[gene as usize] += 1);
    }
    let kept: Vec<usize> = (0..cells.n_genes()).filter(|&gene| n_cells[gene] >= 3).collect();
    let mut new_index = vec![None; cells.n_genes()];
    kept.iter().enumerate().for_each(|(new, &old)| new_index[old] = Some(new as u32));
    let pick = |names: &[String]| kept.iter().map(|&gene| names[gene].clone()).collect();
    let genes = Genes::new(pick(cells.genes().ids()), pick(cells.genes().symbols())).unwrap();
    let lot = &cells.lots()[0];
    let counts = lot.counts.map_genes(&new_index, kept.len());
    let lots = vec![Lot { name: lot.name.clone(), barcodes: lot.barcodes.clone(), counts }];
    Dataset::new(genes, lots, cells.sheet().clone()).unwrap()
}

/// Index of each gene by symbol as scanpy makes them unique.
pub fn index_by_unique_symbol(data: &Dataset) -> HashMap<String, u32> {
    data.genes().unique_symbols().into_iter().enumerate().map(|(i, symbol)| (symbol, i as u32)).collect()
}
