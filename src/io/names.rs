//! Names made unique: genes whose id repeats are added up, cells whose barcode repeats are told apart.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::data::{Counts, Genes};
use crate::warning::Warning;

/// Genes of a file in its own order, and which of them its columns become.
pub(crate) struct GeneColumns {
    pub(crate) genes: Genes,
    /// Column of each of the file's features; `None` for those set aside.
    pub(crate) columns: Vec<Option<u32>>,
    pub(crate) warnings: Vec<Warning>,
}

/// A name as it is; what would steer a terminal becomes visible, so that no output has to take care of it.
fn harmless(name: String) -> String {
    if name.contains(char::is_control) { name.escape_debug().to_string() } else { name }
}

impl GeneColumns {
    /// Genes from the ids and symbols of a file's features; `None` for a feature that is no gene.
    pub(crate) fn new(features: Vec<Option<(String, String)>>) -> Self {
        let mut index: HashMap<String, u32> = HashMap::with_capacity(features.len());
        let (mut ids, mut symbols) = (Vec::new(), Vec::new());
        let mut repeated: Vec<u32> = Vec::new();
        let columns = features
            .into_iter()
            .map(|feature| {
                let (id, symbol) = feature.map(|(id, symbol)| (harmless(id), harmless(symbol)))?;
                Some(match index.entry(id) {
                    Entry::Occupied(known) => {
                        repeated.push(*known.get());
                        *known.get()
                    }
                    Entry::Vacant(new) => {
                        let column = ids.len() as u32;
                        ids.push(new.key().clone());
                        symbols.push(symbol);
                        *new.insert(column)
                    }
                })
            })
            .collect();
        let mut warnings = Vec::new();
        if let Some(&first) = repeated.first() {
            let example = ids[first as usize].clone();
            repeated.sort_unstable();
            repeated.dedup();
            warnings.push(Warning::DuplicateGeneIds { lot: String::new(), n_ids: repeated.len(), example });
        }
        let genes = Genes::new(ids, symbols).expect("each id was taken once");
        Self { genes, columns, warnings }
    }

    /// Counts of the file's features as counts of the genes.
    pub(crate) fn apply(&self, counts: Counts) -> Counts {
        let unchanged = self.columns.len() == self.genes.len()
            && self.columns.iter().enumerate().all(|(i, column)| *column == Some(i as u32));
        if unchanged { counts } else { counts.map_genes(&self.columns, self.genes.len()) }
    }
}

/// Makes barcodes unique: the second cell of a barcode gets `_2` appended, the third `_3`.
///
/// Cells are addressed by their row, so the counts are right either way; files merged from several runs repeat barcodes
/// rightly. Refusing them would stop a sound analysis, so the names are changed and the warning says so.
pub(crate) fn unique_barcodes(barcodes: &mut [String]) -> Option<Warning> {
    for barcode in barcodes.iter_mut().filter(|barcode| barcode.contains(char::is_control)) {
        *barcode = harmless(std::mem::take(barcode));
    }
    let mut times: HashMap<String, u32> = HashMap::with_capacity(barcodes.len());
    for barcode in barcodes.iter() {
        *times.entry(barcode.clone()).or_insert(0) += 1;
    }
    if times.len() == barcodes.len() {
        return None;
    }
    let (mut n_cells, mut example) = (0, String::new());
    let mut next: HashMap<String, u32> = HashMap::new();
    for barcode in barcodes.iter_mut() {
        let number = next.entry(barcode.clone()).or_insert(1);
        if *number == 1 {
            *number = 2;
            continue;
        }
        n_cells += 1;
        if example.is_empty() {
            example.clone_from(barcode);
        }
        // A name made up here may be taken already.
        loop {
            let name = format!("{barcode}_{number}");
            *number += 1;
            if let Entry::Vacant(free) = times.entry(name) {
                barcode.clone_from(free.key());
                free.insert(1);
                break;
            }
        }
    }
    Some(Warning::DuplicateBarcodes { lot: String::new(), n_cells, example })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CountsBuilder;

    #[test]
    fn repeated_ids_are_added_and_other_features_set_aside() {
        let gene = |id: &str| Some((id.to_string(), id.to_lowercase()));
        let columns = GeneColumns::new(vec![gene("A"), None, gene("B"), gene("A"), gene("A")]);
        assert_eq!(columns.genes.ids(), ["A", "B"]);
        assert_eq!(columns.genes.symbols(), ["a", "b"]);
        let expected = Warning::DuplicateGeneIds { lot: String::new(), n_ids: 1, example: "A".into() };
        assert_eq!(columns.warnings, [expected]);
        let mut builder = CountsBuilder::new(5);
        builder.push_row(&[0, 1, 2, 3, 4], &[1, 10, 100, 1_000, 10_000]);
        assert_eq!(columns.apply(builder.finish()).row(0).iter().collect::<Vec<_>>(), [(0, 11_001), (1, 100)]);
    }

    #[test]
    fn names_cannot_steer_a_terminal() {
        let columns = GeneColumns::new(vec![Some(("A\u{1b}[2J".into(), "µ\r".into()))]);
        assert_eq!((columns.genes.ids(), columns.genes.symbols()), (&["A\\u{1b}[2J".into()][..], &["µ\\r".into()][..]));
        let mut barcodes = ["A\u{7}".to_string()];
        unique_barcodes(&mut barcodes);
        assert_eq!(barcodes, ["A\\u{7}"]);
    }

    #[test]
    fn repeated_barcodes_are_told_apart() {
        let mut barcodes = ["A", "A_2", "A", "B", "A"].map(String::from);
        let warning = unique_barcodes(&mut barcodes);
        assert_eq!(barcodes, ["A", "A_2", "A_3", "B", "A_4"]);
        assert_eq!(warning, Some(Warning::DuplicateBarcodes { lot: String::new(), n_cells: 2, example: "A".into() }));
        assert_eq!(unique_barcodes(&mut barcodes), None);
    }
}
