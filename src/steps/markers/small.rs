//! Small data sets for the tests of this floor.

use crate::data::{CountsBuilder, Dataset, Genes, Lot, LotSheet, LotSource};

/// Lots of cells, each with a count per gene.
pub(super) fn dataset(lots: &[Vec<Vec<u32>>]) -> Dataset {
    let names = |prefix: &str, n: usize| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    let n_genes = lots.iter().flatten().map(Vec::len).max().expect("at least one cell");
    let index: Vec<u32> = (0..n_genes as u32).collect();
    let build = |(i, cells): (usize, &Vec<Vec<u32>>)| {
        let mut counts = CountsBuilder::new(n_genes);
        cells.iter().for_each(|cell| counts.push_row(&index, cell));
        Lot { name: format!("lot{i}"), barcodes: names("c", cells.len()), counts: counts.finish() }
    };
    let lots: Vec<Lot> = lots.iter().enumerate().map(build).collect();
    let source = |l: &Lot| LotSource { lot: l.name.clone(), path: "".into(), subset: None };
    let sheet = LotSheet { lots: lots.iter().map(source).collect(), columns: Vec::new() };
    Dataset::new(Genes::new(names("g", n_genes), names("g", n_genes)).unwrap(), lots, sheet).unwrap()
}
