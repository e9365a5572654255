//! Measurability: how a laboratory without a sequencer could measure a gene's product.
//!
//! **Question.** Is it at the cell's surface (flow cytometry), is it secreted (ELISA), or is there only its transcript (qPCR)?
//!
//! **Method.** Look-up in `data/measurability.csv`: surface from CellPhoneDB (transmembrane) and the Cell Surface Protein
//! Atlas (transmembrane or GPI-anchored), secreted from CellPhoneDB; each fact has its source beside it there. A gene is found
//! by its Ensembl id (without version), else by symbol, else by an older symbol, without regard to case. What is in no
//! source counts as transcript only: a protein may still be measurable by other means. The identity markers of mesenchymal
//! stromal cells are named too.
//!
//! **Shapes.** Genes → one entry per gene.
//!
//! **Beside other tools.** scanpy and Seurat have no such step. The table is of human proteins; for other species a gene of
//! the same symbol is taken to be alike.
//!
//! **References.** Efremova 2020, doi:10.1038/s41596-020-0292-x (CellPhoneDB); Bausch-Fluck 2015,
//! doi:10.1371/journal.pone.0121314 (atlas); Dominici 2006, doi:10.1080/14653240600855905 (identity).

use std::collections::HashMap;

use crate::data::Genes;

/// gene, ensembl, alias, surface, secreted, msc_marker.
const TABLE: &str = include_str!("../../../data/measurability.csv");

/// How a gene's product can be measured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measurability {
    /// Sources that place it at the cell's surface; empty = none.
    pub surface: &'static str,
    /// Sources that call it secreted; empty = none.
    pub secreted: &'static str,
    /// As identity marker of mesenchymal stromal cells: its name and what is expected of it, with the source; else empty.
    pub msc_marker: &'static str,
}

impl Measurability {
    /// `surface`, `secreted`, `surface+secreted`, or `transcript`.
    pub fn name(&self) -> &'static str {
        match (self.surface.is_empty(), self.secreted.is_empty()) {
            (false, false) => "surface+secreted",
            (false, true) => "surface",
            (true, false) => "secreted",
            (true, true) => "transcript",
        }
    }
}

/// Looks up every gene.
///
/// ```
/// use cqa::{data::Genes, steps::markers::measurability};
/// let names = |names: [&str; 2]| names.map(String::from).to_vec();
/// let genes = Genes::new(names(["ENSG00000135318.13", "a"]), names(["", "VEGFA"])).unwrap();
/// let found = measurability(&genes);
/// assert_eq!((found[0].name(), found[1].name()), ("surface", "secreted"));
/// ```
pub fn measurability(genes: &Genes) -> Vec<Measurability> {
    let (mut by_id, mut by_symbol, mut by_alias) = (HashMap::new(), HashMap::new(), HashMap::new());
    for line in TABLE.lines().skip(1) {
        let fields: Vec<&'static str> = line.split(',').collect();
        let &[symbol, id, aliases, surface, secreted, msc_marker] = fields.as_slice() else {
            panic!("data/measurability.csv has six columns: {line}")
        };
        let entry = Measurability { surface, secreted, msc_marker };
        if !id.is_empty() {
            by_id.insert(id, entry.clone());
        }
        for alias in aliases.split(' ').filter(|alias| !alias.is_empty()) {
            by_alias.insert(alias.to_uppercase(), entry.clone());
        }
        by_symbol.insert(symbol.to_uppercase(), entry);
    }
    let find = |(id, symbol): (&String, &String)| {
        let id = id.split('.').next().unwrap_or_default();
        let symbol = symbol.to_uppercase();
        by_id.get(id).or_else(|| by_symbol.get(&symbol)).or_else(|| by_alias.get(&symbol)).cloned().unwrap_or_default()
    };
    genes.ids().iter().zip(genes.symbols()).map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(pairs: &[(&str, &str)]) -> Vec<&'static str> {
        let (ids, symbols) = pairs.iter().map(|(id, symbol)| (id.to_string(), symbol.to_string())).unzip();
        measurability(&Genes::new(ids, symbols).unwrap()).iter().map(Measurability::name).collect()
    }

    #[test]
    fn genes_of_which_it_is_known() {
        let found = names(&[
            ("1", "CD44"),
            ("2", "VEGFA"),
            ("3", "COL1A1"),
            ("4", "LRRC75A"),
            ("5", "KITLG"),
            ("6", "GAPDH"),
            ("7", ""),
        ]);
        assert_eq!(
            found,
            ["surface", "secreted", "secreted", "transcript", "surface+secreted", "transcript", "transcript"]
        );
    }

    #[test]
    fn older_symbols_other_case_and_ids_are_found() {
        // NECTIN1 was PVRL1; the id of CD73 stands whatever it is called.
        assert!(names(&[("a", "PVRL1")])[0].starts_with("surface"));
        assert_eq!(names(&[("a", "Cd44"), ("ENSG00000135318", "renamed")]), ["surface"; 2]);
    }

    #[test]
    fn identity_markers_are_named() {
        let pair = |symbol: &str| (vec![symbol.to_string()], vec![symbol.to_string()]);
        for (symbol, name) in [("NT5E", "CD73 positive"), ("PTPRC", "CD45 negative"), ("HLA-DRA", "HLA-DR negative")] {
            let (ids, symbols) = pair(symbol);
            let found = measurability(&Genes::new(ids, symbols).unwrap());
            assert!(found[0].msc_marker.starts_with(name), "{symbol}: {}", found[0].msc_marker);
        }
        assert_eq!(measurability(&Genes::default()), []);
    }

    #[test]
    fn every_fact_of_the_table_has_its_source() {
        let mut symbols = std::collections::HashSet::new();
        for line in TABLE.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(fields.len(), 6, "{line}");
            assert!(symbols.insert(fields[0]) && !fields[0].is_empty(), "{line}");
            assert!(fields[3..].iter().any(|fact| !fact.is_empty()), "{line}");
            for source in fields[3..].iter().flat_map(|fact| fact.split(" | ")).filter(|s| !s.is_empty()) {
                assert!(source.contains("doi:10."), "{line}");
            }
        }
        assert!(symbols.len() > 1500);
    }
}
