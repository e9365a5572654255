//! Small data sets for the tests of this floor.

use crate::data::{CountsBuilder, Dataset, Genes, Lot, LotSheet, LotSource};

/// Lots named `l0`, `l1`, … from dense counts (lots × cells × genes); ids equal symbols.
pub(crate) fn dataset(lots: &[&[&[u32]]], symbols: &[&str]) -> Dataset {
    let cells = |lot: &&[&[u32]]| lot.iter().map(|cell| cell.to_vec()).collect();
    from_vectors(&lots.iter().map(cells).collect::<Vec<_>>(), symbols)
}

/// The same from vectors.
pub(crate) fn from_vectors(lots: &[Vec<Vec<u32>>], symbols: &[&str]) -> Dataset {
    let names: Vec<String> = symbols.iter().map(|s| (*s).to_string()).collect();
    let genes = Genes::new(names.clone(), names).unwrap();
    let lots: Vec<Lot> = lots
        .iter()
        .enumerate()
        .map(|(i, cells)| {
            let mut builder = CountsBuilder::new(symbols.len());
            for cell in cells {
                builder.push_row(&(0..symbols.len() as u32).collect::<Vec<_>>(), cell);
            }
            let barcodes = (0..cells.len()).map(|c| format!("c{c}")).collect();
            Lot { name: format!("l{i}"), barcodes, counts: builder.finish() }
        })
        .collect();
    let sources =
        lots.iter().map(|l| LotSource { lot: l.name.clone(), path: l.name.clone().into(), subset: None }).collect();
    Dataset::new(genes, lots, LotSheet { lots: sources, columns: Vec::new() }).unwrap()
}
