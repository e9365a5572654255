//! Influence: what each lot does to an association at fixed clusters.
//!
//! **Question.** Does an association rest on one lot?
//!
//! **Method.** The correlation of each column with the readout (that which is tested), and the permutation p-values of the whole family of columns,
//! without each lot in turn. Clusters stay as they are. Beside it the lot's dominance: its part of the sum of squares about
//! the mean, of the column or of the readout, whichever is larger, on the scale that is tested: ranks where ranks are tested,
//! weighted, about the means of blocks, and freed from covariates. It tells apart a lot at the far end of a row of lots from
//! a lot far away from all others, which makes a correlation by itself.
//!
//! **Shapes.** Lots × columns and one value per lot → one entry per column and lot.
//!
//! **References.** Belsley, Kuh & Welsch 1980, doi:10.1002/0471725153 (deletion diagnostics).

use super::association::Association;
use crate::data::LotTable;
use crate::error::Result;

/// One column without one lot.
#[derive(Debug, Clone, PartialEq)]
pub struct Influence {
    /// Column name.
    pub column: String,
    /// Lot (or unit) left out.
    pub lot: String,
    /// Its row in the table.
    pub row: usize,
    /// r with all lots; NaN if undefined.
    pub r: f64,
    /// r without this lot; NaN if undefined (fewer than three lots left, or a constant side).
    pub r_without: f64,
    /// Permutation p of the column alone without this lot; NaN if too few lots are left to test.
    pub p_without: f64,
    /// Family-wise permutation p without this lot; NaN if too few lots are left to test.
    pub p_family_without: f64,
    /// The lot's part of the variation (sum of squares about the mean, on the scale that is tested) of the column or of the
    /// readout, whichever is larger, 0..1; NaN if one of the two is constant.
    pub dominance: f64,
}

/// Leaves out each lot in turn. One entry per column and lot that has both values (NaN = missing), column by column.
///
/// `whole` is the association of the table with all lots; `associate` associates it with the values it is given: those of the
/// readout, one of them missing.
pub fn influence(
    table: &LotTable,
    whole: &Association,
    associate: impl Fn(&[f64]) -> Result<Association>,
) -> Vec<Influence> {
    let values = &whole.values;
    assert_eq!(values.len(), table.n_lots(), "one value per lot");
    // Too few lots left to test is an answer here: nothing is shown without that lot.
    let tested: Vec<Option<Association>> = (0..values.len())
        .map(|lot| {
            let mut without = values.clone();
            without[lot] = f64::NAN;
            values[lot].is_finite().then(|| associate(&without).ok()).flatten()
        })
        .collect();
    let mut entries = Vec::new();
    for (index, name) in table.columns.iter().enumerate() {
        let column = table.column(index);
        let lots: Vec<usize> = (0..values.len()).filter(|&i| values[i].is_finite() && column[i].is_finite()).collect();
        let r = whole.rows[index].effect;
        for lot in lots {
            let row = tested[lot].as_ref().map(|association| &association.rows[index]);
            entries.push(Influence {
                column: name.clone(),
                lot: table.lots[lot].clone(),
                row: lot,
                r,
                r_without: row.map_or(f64::NAN, |row| row.effect),
                p_without: row.map_or(f64::NAN, |row| row.p_exact),
                p_family_without: row.map_or(f64::NAN, |row| row.p_family),
                dominance: whole.dominance[index][lot],
            });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::lots::{AssociationParams, Observed, Statistic, Units, association, association_of};
    use ndarray::array;

    #[test]
    fn one_lot_makes_the_correlation() {
        let lots = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
        let table = LotTable::new(lots, vec!["0".into()], array![[1.0], [2.0], [3.0], [9.0], [f64::NAN]]);
        let associate = |v: &[f64]| association(&table, "potency", v, &AssociationParams::default(), 1);
        let whole = associate(&[2.0, 1.0, 2.0, 9.0, 1.0]).unwrap();
        let entries = influence(&table, &whole, associate);
        assert_eq!(entries.len(), 4, "the lot without a share has no entry");
        let last = &entries[3];
        assert_eq!((last.column.as_str(), last.lot.as_str()), ("0", "d"));
        assert!(last.r > 0.95 && last.r_without.abs() < 1e-15, "{entries:?}");
        // Three lots are left and r is 0: every order does at least as well. Deviations of the readout are −1.5, −2.5,
        // −1.5 and 5.5, squares 2.25, 6.25, 2.25 and 30.25.
        assert_eq!((last.p_without, last.p_family_without), (1.0, 1.0));
        assert!((last.dominance - 30.25 / 41.0).abs() < 1e-12, "{last:?}");
    }

    #[test]
    fn dominance_is_of_what_is_tested() {
        let lots: Vec<String> = ["a", "b", "c", "d", "e", "f"].map(String::from).to_vec();
        let table =
            LotTable::new(lots.clone(), vec!["0".into()], array![[1.0], [2.0], [3.0], [101.0], [102.0], [160.0]]);
        let values = [1.0, 2.0, 4.0, 103.0, 105.0, 106.0];
        let of_last = |params: &AssociationParams, units: &Units, weights: Option<&[f64]>| {
            let observed = Observed { name: "potency", values: &values, weights, ranks_only: false };
            let whole = association_of(&table, observed, units, params, 1, &crate::progress::Silent).unwrap();
            influence(&table, &whole, |_| Err(crate::error::Error::input("not", "asked"))).pop().unwrap().dominance
        };
        let (plain, free) = (AssociationParams::default(), Units::free(&lots));
        let all = of_last(&plain, &free, None);
        // Ranks 1 to 6: 2.5² of 17.5.
        let ranked = AssociationParams { statistic: Statistic::Spearman, ..Default::default() };
        assert!((of_last(&ranked, &free, None) - 6.25 / 17.5).abs() < 1e-12);
        // Within blocks of three the shares deviate by −1, 0, 1 and −20, −19, 39: 1521 of 2284.
        let blocks = Units { blocks: [0, 0, 0, 1, 1, 1].map(Some).to_vec(), block: "site".into(), ..free.clone() };
        assert!((of_last(&plain, &blocks, None) - 1521.0 / 2284.0).abs() < 1e-12 && all < 0.5);
        let heavy = of_last(&plain, &free, Some(&[1.0, 1.0, 1.0, 1.0, 1.0, 3.0]));
        // Weighted mean 689 / 8.
        let square = |v: f64| (v - 86.125).powi(2);
        let sum: f64 = [1.0, 2.0, 3.0, 101.0, 102.0].map(square).iter().sum();
        assert!((heavy - 3.0 * square(160.0) / (sum + 3.0 * square(160.0))).abs() < 1e-12, "{heavy} {all}");
        // A covariate that explains all but the last lot.
        let covariate = vec![vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0]];
        let freed = Units { covariates: vec!["site".into()], covariate_columns: covariate, ..free.clone() };
        assert!((of_last(&plain, &freed, None) - 1521.0 / 2284.0).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_tested_is_missing() {
        let lots = ["a", "b", "c"].map(String::from).to_vec();
        let table = LotTable::new(lots, vec!["0".into()], array![[1.0], [2.0], [3.0]]);
        let associate = |v: &[f64]| association(&table, "potency", v, &AssociationParams::default(), 1);
        let whole = associate(&[2.0, 1.0, 2.0]).unwrap();
        let entries = influence(&table, &whole, associate);
        assert!(entries.len() == 3 && entries.iter().all(|e| e.p_without.is_nan() && e.dominance > 0.0));
    }
}
