//! The gene axis: unique ids with their symbols.

use std::collections::HashMap;

/// Genes in the order of the columns of every count matrix of a data set. Ids are unique, symbols need not be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Genes {
    ids: Vec<String>,
    symbols: Vec<String>,
}

/// Per gene of an axis of `n_genes`: its place among `chosen`; `u32::MAX` for the others.
///
/// ```
/// assert_eq!(cqa::data::places_of_genes(&[3, 1], 4), [u32::MAX, 1, u32::MAX, 0]);
/// ```
pub fn places_of_genes(chosen: &[u32], n_genes: usize) -> Vec<u32> {
    let mut places = vec![u32::MAX; n_genes];
    for (place, &gene) in (0..).zip(chosen) {
        places[gene as usize] = place;
    }
    places
}

impl Genes {
    /// Genes from ids and symbols of equal length. Returns the first id that occurs twice as the error.
    pub fn new(ids: Vec<String>, symbols: Vec<String>) -> std::result::Result<Self, String> {
        assert_eq!(ids.len(), symbols.len(), "one symbol per id");
        let mut seen = std::collections::HashSet::with_capacity(ids.len());
        if let Some(twice) = ids.iter().find(|id| !seen.insert(id.as_str())) {
            return Err(twice.clone());
        }
        Ok(Self { ids, symbols })
    }

    /// Number of genes.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True if there are no genes.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Unique ids, such as `ENSG00000181350`; symbols where the file has no ids.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Symbols, such as `LRRC75A`; the id where the file has no symbol.
    pub fn symbols(&self) -> &[String] {
        &self.symbols
    }

    /// Index of each id.
    pub fn index_by_id(&self) -> HashMap<&str, u32> {
        self.ids.iter().enumerate().map(|(i, id)| (id.as_str(), i as u32)).collect()
    }

    /// Index of the first gene of each symbol.
    pub fn index_by_symbol(&self) -> HashMap<&str, u32> {
        self.symbols.iter().enumerate().rev().map(|(i, symbol)| (symbol.as_str(), i as u32)).collect()
    }

    /// Symbols made unique the way scanpy does it: a later duplicate gets `-1`, `-2`, … appended.
    pub fn unique_symbols(&self) -> Vec<String> {
        let mut taken: std::collections::HashSet<String> = self.symbols.iter().cloned().collect();
        let mut times: HashMap<&str, usize> = HashMap::new();
        self.symbols
            .iter()
            .map(|symbol| {
                let n = times.entry(symbol).or_insert(0);
                if *n == 0 {
                    *n = 1;
                    return symbol.clone();
                }
                loop {
                    let name = format!("{symbol}-{n}");
                    *n += 1;
                    if taken.insert(name.clone()) {
                        return name;
                    }
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(values: &[&str]) -> Vec<String> {
        values.iter().map(|s| s.to_string()).collect()
    }

    #[test]
    fn ids_must_be_unique_and_symbols_need_not() {
        assert_eq!(Genes::new(strings(&["a", "b", "a"]), strings(&["A", "B", "C"])), Err("a".into()));
        let genes = Genes::new(strings(&["a", "b", "c", "d"]), strings(&["X", "X-1", "X", "X"])).unwrap();
        assert_eq!(genes.unique_symbols(), ["X", "X-1", "X-2", "X-3"]);
        assert_eq!(genes.index_by_symbol()["X"], 0);
    }
}
