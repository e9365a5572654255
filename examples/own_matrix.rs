//! A run on counts that are in memory already, from whatever source.
//!
//! ```text
//! cargo run --release --example own_matrix
//! ```

use cqa::data::{CountsBuilder, Dataset, Genes, Lot, LotSheet, LotSource, SheetColumn};
use cqa::io::ReadLots;
use cqa::pipeline::{self, Params};
use cqa::progress::Silent;

/// Two kinds of cells: one shows the first half of the genes, the other the second half.
fn count(lot: usize, cell: usize, gene: usize, n_genes: usize) -> u32 {
    let kind = usize::from(cell % 10 < 2 + lot);
    let noise = (lot * 7919 + cell * 104_729 + gene * 1_299_709) % 97;
    let mean = if (gene < n_genes / 2) == (kind == 0) { 6 } else { 1 };
    (mean * noise / 48) as u32
}

fn main() -> cqa::Result<()> {
    let (n_lots, n_cells, n_genes) = (6, 200, 300);
    let names: Vec<String> = (0..n_genes).map(|g| format!("gene{g}")).collect();
    let genes = Genes::new(names.clone(), names).expect("ids are unique");
    let lots: Vec<Lot> = (0..n_lots)
        .map(|lot| {
            let mut builder = CountsBuilder::new(n_genes);
            for cell in 0..n_cells {
                let mut row = (0..n_genes).map(|gene| (gene as u32, count(lot, cell, gene, n_genes))).collect();
                builder.push_unsorted(&mut row);
            }
            Lot {
                name: format!("L{lot}"),
                barcodes: (0..n_cells).map(|cell| format!("cell{cell}")).collect(),
                counts: builder.finish(),
            }
        })
        .collect();
    let sheet = LotSheet {
        lots: lots.iter().map(|l| LotSource { lot: l.name.clone(), path: "memory".into(), subset: None }).collect(),
        columns: vec![SheetColumn {
            name: "potency".into(),
            values: ["11", "14", "19", "23", "31", "33"].map(String::from).to_vec(),
        }],
    };
    let dataset = Dataset::new(genes, lots, sheet)?;

    let mut params = Params::default();
    params.qc.adaptive = false;
    params.doublets.enabled = false;
    params.hvg.n_top_genes = 200;
    params.pca.n_components = 10;
    let read = ReadLots { dataset, files: Vec::new(), warnings: Vec::new() };
    let (analysis, _space) = pipeline::cluster(read, &params, &Silent)?;
    let ranked = pipeline::rank(&analysis, "potency")?;
    for row in &ranked.association.rows {
        println!("cluster {}: r = {:.2}, family-wise p = {:.3}", row.column, row.r, row.p_family);
    }
    Ok(())
}
