//! Barcodes that occur in more than one lot.
//!
//! Cells of different lots are kept apart by their lot, so shared barcodes do no harm by themselves. They are a sign that
//! one lot was given twice, or that lots were cut from one pool wrongly; identical counts are the proof.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::data::Lot;
use crate::warning::Warning;

/// Share of the smaller lot's barcodes that two lots may have in common by chance. The 10x whitelists hold 0.7 to 7
/// million barcodes: two lots of 10,000 cells share 0.1 to 1.4 %.
const CHANCE: f64 = 0.05;

/// One warning for each pair of lots that share cells with identical counts; if there is none, one for the pair that
/// shares most barcodes, if these are more than chance explains.
pub(crate) fn find(lots: &[Lot]) -> Vec<Warning> {
    // 16 bytes per cell instead of the names; equal hashes are checked against the names below.
    let mut cells: Vec<(u64, u32, u32)> = Vec::with_capacity(lots.iter().map(|lot| lot.barcodes.len()).sum());
    for (l, lot) in lots.iter().enumerate() {
        for (c, barcode) in lot.barcodes.iter().enumerate() {
            let mut hasher = DefaultHasher::new();
            barcode.hash(&mut hasher);
            cells.push((hasher.finish(), l as u32, c as u32));
        }
    }
    cells.sort_unstable();
    let mut pairs: BTreeMap<(u32, u32), (usize, usize)> = BTreeMap::new();
    for same in cells.chunk_by(|a, b| a.0 == b.0) {
        for (i, &(_, lot_a, a)) in same.iter().enumerate() {
            for &(_, lot_b, b) in &same[i + 1..] {
                let (first, second) = (&lots[lot_a as usize], &lots[lot_b as usize]);
                let (a, b) = (a as usize, b as usize);
                if lot_a != lot_b && first.barcodes[a] == second.barcodes[b] {
                    let (n_shared, n_identical) = pairs.entry((lot_a, lot_b)).or_default();
                    *n_shared += 1;
                    *n_identical += usize::from(identical(first, a, second, b));
                }
            }
        }
    }
    let warning = |(a, b): (u32, u32), (n_shared, n_identical)| Warning::SharedBarcodes {
        lot_a: lots[a as usize].name.clone(),
        lot_b: lots[b as usize].name.clone(),
        n_shared,
        n_identical,
    };
    let copies: Vec<Warning> = pairs.iter().filter(|(_, n)| n.1 > 0).map(|(&pair, &n)| warning(pair, n)).collect();
    if !copies.is_empty() {
        return copies;
    }
    let share = |(a, b): (u32, u32), n: usize| {
        n as f64 / lots[a as usize].barcodes.len().min(lots[b as usize].barcodes.len()) as f64
    };
    let most = pairs.iter().max_by(|x, y| share(*x.0, x.1.0).total_cmp(&share(*y.0, y.1.0)).then(y.0.cmp(x.0)));
    most.filter(|(pair, n)| share(**pair, n.0) > CHANCE).map(|(&pair, &n)| warning(pair, n)).into_iter().collect()
}

/// True if two cells have the same counts, and any.
fn identical(first: &Lot, a: usize, second: &Lot, b: usize) -> bool {
    let (a, b) = (first.counts.row(a), second.counts.row(b));
    !a.is_empty() && a.len() == b.len() && a.iter().eq(b.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CountsBuilder;

    fn lot(name: &str, cells: &[(&str, u32)]) -> Lot {
        let mut builder = CountsBuilder::new(2);
        for &(_, count) in cells {
            builder.push_row(&[1], &[count]);
        }
        Lot { name: name.into(), barcodes: cells.iter().map(|c| c.0.to_string()).collect(), counts: builder.finish() }
    }

    #[test]
    fn copies_are_found_pair_by_pair() {
        let lots = [
            lot("a", &[("x", 1), ("y", 2)]),
            lot("b", &[("z", 1), ("q", 2)]),
            lot("c", &[("y", 2), ("x", 9), ("r", 1)]),
        ];
        let expected = Warning::SharedBarcodes { lot_a: "a".into(), lot_b: "c".into(), n_shared: 2, n_identical: 1 };
        assert_eq!(find(&lots), [expected]);
    }

    #[test]
    fn shared_names_without_equal_counts_are_told_once_and_chance_is_not() {
        let lots = [lot("a", &[("1", 1), ("2", 2)]), lot("b", &[("1", 3), ("2", 4)]), lot("c", &[("1", 5), ("3", 6)])];
        let expected = Warning::SharedBarcodes { lot_a: "a".into(), lot_b: "b".into(), n_shared: 2, n_identical: 0 };
        assert_eq!(find(&lots), [expected]);
        let many = |name: &str, offset: usize| {
            let names: Vec<String> = (0..100).map(|i| (i + offset).to_string()).collect();
            lot(name, &names.iter().map(|n| (n.as_str(), offset as u32 + 1)).collect::<Vec<_>>())
        };
        assert_eq!(find(&[many("a", 0), many("b", 97)]), []);
    }
}
