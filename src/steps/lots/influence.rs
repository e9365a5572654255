//! Influence: what each lot does to an association at fixed clusters.
//!
//! **Question.** Does an association rest on one lot?
//!
//! **Method.** Pearson's r of each column with the readout, without each lot in turn. Clusters stay as they are.
//!
//! **Shapes.** Lots × columns and one value per lot → one entry per column and lot.
//!
//! **References.** Belsley, Kuh & Welsch 1980, doi:10.1002/0471725153 (deletion diagnostics).

use crate::data::LotTable;
use crate::math::correlation::pearson;

/// r of every column without each lot.
#[derive(Debug, Clone, PartialEq)]
pub struct Influence {
    /// Column name.
    pub column: String,
    /// Lot left out.
    pub lot: String,
    /// r with all lots; NaN if undefined.
    pub r: f64,
    /// r without this lot; NaN if undefined (fewer than three lots left, or a constant side).
    pub r_without: f64,
}

/// Leaves out each lot in turn. One entry per column and lot that has both values (NaN = missing), column by column.
pub fn influence(table: &LotTable, values: &[f64]) -> Vec<Influence> {
    assert_eq!(values.len(), table.n_lots(), "one value per lot");
    let mut entries = Vec::new();
    for (index, name) in table.columns.iter().enumerate() {
        let column = table.column(index);
        let lots: Vec<usize> = (0..values.len()).filter(|&i| values[i].is_finite() && column[i].is_finite()).collect();
        let x: Vec<f64> = lots.iter().map(|&i| column[i]).collect();
        let y: Vec<f64> = lots.iter().map(|&i| values[i]).collect();
        let r = pearson(&x, &y);
        for (&lot, r_without) in lots.iter().zip(without_each(&x, &y)) {
            entries.push(Influence { column: name.clone(), lot: table.lots[lot].clone(), r, r_without });
        }
    }
    entries
}

/// Pearson correlation without each pair in turn; NaN where fewer than three pairs are left, as two always lie on a line.
pub(super) fn without_each(x: &[f64], y: &[f64]) -> Vec<f64> {
    let all_but = |values: &[f64], i: usize| [&values[..i], &values[i + 1..]].concat();
    let without = |i| if x.len() < 4 { f64::NAN } else { pearson(&all_but(x, i), &all_but(y, i)) };
    (0..x.len()).map(without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn one_lot_makes_the_correlation() {
        let lots = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
        let table = LotTable::new(lots, vec!["0".into()], array![[1.0], [2.0], [3.0], [9.0], [f64::NAN]]);
        let entries = influence(&table, &[2.0, 1.0, 2.0, 9.0, 1.0]);
        assert_eq!(entries.len(), 4, "the lot without a share has no entry");
        assert_eq!((entries[3].column.as_str(), entries[3].lot.as_str()), ("0", "d"));
        assert!(entries[3].r > 0.95 && entries[3].r_without.abs() < 1e-15, "{entries:?}");
    }

    #[test]
    fn too_little_is_nan() {
        assert!(without_each(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]).iter().all(|r| r.is_nan()));
        // Without the first pair the column is constant.
        let r = without_each(&[1.0, 0.0, 0.0, 0.0], &[1.0, 2.0, 3.0, 5.0]);
        assert!(r[0].is_nan() && r[1].is_finite());
        assert!(without_each(&[], &[]).is_empty());
    }
}
