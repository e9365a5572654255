//! What is on record of lots that have been clustered, frozen or mapped: what a comparison of lots reads.

use ndarray::{Array2, Axis};

use super::{LotSheet, LotTable, SheetColumn};

/// Numbers that were found for each of some lots.
#[derive(Debug, Clone, PartialEq)]
pub struct LotRecords {
    /// What wrote them.
    pub kind: RecordsKind,
    /// Hash of the reference that placed the lots; empty if none did, or it is not known.
    pub reference: String,
    /// The lots with their readouts.
    pub sheet: LotSheet,
    /// Cells per cluster.
    pub clusters: Option<CellShares>,
    /// Cells per panel.
    pub panels: Option<CellShares>,
    /// Distances of each lot from the reference; columns named by distance.
    pub deviation: Option<LotTable>,
    /// Per lot: why it is out of the reference that placed it, empty if it is not; no entries if none placed them.
    pub reasons: Vec<String>,
    /// Summed counts of the genes that were asked for.
    pub genes: Vec<GeneSum>,
    /// Cells in the space of the components, lot after lot.
    pub cells: Option<Array2<f32>>,
    /// Cells of each lot in `cells`.
    pub n_cells: Vec<usize>,
}

/// What wrote the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordsKind {
    /// A lot sheet with readouts only.
    Sheet,
    /// A clustering of these very lots: its clusters mean nothing elsewhere.
    Run,
    /// Lots placed by a locked reference.
    Mapped,
}

/// Counted cells, lots × what they are counted in.
#[derive(Debug, Clone, PartialEq)]
pub struct CellShares {
    /// Names of clusters or panels.
    pub names: Vec<String>,
    /// Cells in each.
    pub n_in: Array2<u64>,
    /// Cells that could be in it.
    pub n_total: Array2<u64>,
}

/// Summed counts of one gene over the cells of a cluster, or of the whole lot.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneSum {
    /// As asked for.
    pub gene: String,
    /// As asked for.
    pub cluster: String,
    /// Per lot: counts of the gene.
    pub counts: Vec<u64>,
    /// Per lot: counts of all genes.
    pub totals: Vec<u64>,
}

impl LotRecords {
    /// Lot names.
    pub fn lots(&self) -> Vec<String> {
        self.sheet.lots.iter().map(|source| source.lot.clone()).collect()
    }

    /// Lots that are out of the reference that placed them, with the reasons.
    pub fn out_of_reference(&self) -> Vec<(String, String)> {
        let lots = self.lots().into_iter().zip(self.reasons.iter().cloned());
        lots.filter(|(_, reasons)| !reasons.is_empty()).collect()
    }

    /// The lots where `keep` is true.
    #[must_use]
    pub fn select(&self, keep: &[bool]) -> Self {
        let rows: Vec<usize> = (0..keep.len()).filter(|&lot| keep[lot]).collect();
        let shares = |shares: &CellShares| CellShares {
            names: shares.names.clone(),
            n_in: shares.n_in.select(Axis(0), &rows),
            n_total: shares.n_total.select(Axis(0), &rows),
        };
        let table = |table: &LotTable| {
            let lots = rows.iter().map(|&lot| table.lots[lot].clone()).collect();
            LotTable::new(lots, table.columns.clone(), table.values.select(Axis(0), &rows))
        };
        let sums = |sum: &GeneSum| GeneSum {
            counts: rows.iter().map(|&lot| sum.counts[lot]).collect(),
            totals: rows.iter().map(|&lot| sum.totals[lot]).collect(),
            ..sum.clone()
        };
        let cells_of_rows = |cells: &Array2<f32>| {
            let lot_of_cell = self.n_cells.iter().enumerate().flat_map(|(lot, &n)| std::iter::repeat_n(lot, n));
            let kept: Vec<usize> =
                lot_of_cell.enumerate().filter(|(_, lot)| keep[*lot]).map(|(cell, _)| cell).collect();
            cells.select(Axis(0), &kept)
        };
        Self {
            kind: self.kind,
            reference: self.reference.clone(),
            sheet: self.sheet.select_lots(keep),
            clusters: self.clusters.as_ref().map(shares),
            panels: self.panels.as_ref().map(shares),
            deviation: self.deviation.as_ref().map(table),
            reasons: self
                .reasons
                .iter()
                .zip(keep)
                .filter(|(_, keep)| **keep)
                .map(|(reason, _)| reason.clone())
                .collect(),
            genes: self.genes.iter().map(sums).collect(),
            cells: self.cells.as_ref().map(cells_of_rows),
            n_cells: if self.n_cells.is_empty() {
                Vec::new()
            } else {
                rows.iter().map(|&lot| self.n_cells[lot]).collect()
            },
        }
    }

    /// Records that hold the sheet alone.
    pub fn of_sheet(sheet: LotSheet) -> Self {
        Self {
            kind: RecordsKind::Sheet,
            reference: String::new(),
            sheet,
            clusters: None,
            panels: None,
            deviation: None,
            reasons: Vec::new(),
            genes: Vec::new(),
            cells: None,
            n_cells: Vec::new(),
        }
    }

    /// Records of counted cells alone: what simulations and tests are made of. Lots are named `prefix` and a number from 1.
    pub fn of_counts(prefix: &str, names: Vec<String>, n_in: Array2<u64>, columns: Vec<SheetColumn>) -> Self {
        let source = |i: usize| super::LotSource { lot: format!("{prefix}{}", i + 1), path: "".into(), subset: None };
        let sheet = LotSheet { lots: (0..n_in.nrows()).map(source).collect(), columns };
        let totals: Vec<u64> = n_in.rows().into_iter().map(|row| row.sum()).collect();
        let n_total = Array2::from_shape_fn(n_in.dim(), |(lot, _)| totals[lot]);
        Self { kind: RecordsKind::Mapped, clusters: Some(CellShares { names, n_in, n_total }), ..Self::of_sheet(sheet) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_are_selected_in_every_part() {
        let column = SheetColumn { name: "titer".into(), values: ["1", "2", "3"].map(String::from).to_vec() };
        let counts = ndarray::array![[1, 9], [2, 8], [3, 7]];
        let mut records = LotRecords::of_counts("L", vec!["0".into(), "1".into()], counts, vec![column]);
        records.cells = Some(ndarray::array![[1.0], [2.0], [2.5], [3.0]]);
        records.n_cells = vec![1, 2, 1];
        records.reasons = ["", "few cells", "other genes"].map(String::from).to_vec();
        let chosen = records.select(&[true, false, true]);
        assert_eq!(chosen.lots(), ["L1", "L3"]);
        assert_eq!(chosen.sheet.columns[0].values, ["1", "3"]);
        assert_eq!(chosen.out_of_reference(), [("L3".to_string(), "other genes".to_string())]);
        let shares = chosen.clusters.unwrap();
        assert_eq!((shares.n_in.column(0).to_vec(), shares.n_total[[1, 1]]), (vec![1, 3], 10));
        assert_eq!((chosen.cells.unwrap().column(0).to_vec(), chosen.n_cells), (vec![1.0, 3.0], vec![1, 1]));
    }
}
