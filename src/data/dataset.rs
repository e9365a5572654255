//! All lots on one gene axis.

use super::{Genes, Lot, LotSheet, Row};
use crate::error::{Error, Result};

/// Lots × cells × genes, checked once; after this no step re-checks.
///
/// Cells have a global index: those of the first lot, then those of the second, and so on.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    genes: Genes,
    lots: Vec<Lot>,
    sheet: LotSheet,
    /// Global index of each lot's first cell; one more than lots.
    offsets: Vec<usize>,
}

impl Dataset {
    /// Joins lots that already share the gene axis.
    ///
    /// # Errors
    /// - no lots, or no genes
    /// - lot names repeat, or the sheet lists other lots
    /// - a lot's matrix has another number of genes, or another number of cells than barcodes
    pub fn new(genes: Genes, lots: Vec<Lot>, sheet: LotSheet) -> Result<Self> {
        if lots.is_empty() || genes.is_empty() {
            return Err(Error::input("no lots or no genes to work on", "give at least one lot with cells and genes"));
        }
        if sheet.lots.len() != lots.len() || sheet.lots.iter().zip(&lots).any(|(s, l)| s.lot != l.name) {
            return Err(Error::input(
                "the sheet and the lots read do not match",
                "list each lot once, in the same order",
            ));
        }
        let mut names = std::collections::HashSet::new();
        for lot in &lots {
            if !names.insert(lot.name.as_str()) {
                return Err(Error::input(format!("lot {} occurs twice", lot.name), "give each lot its own name"));
            }
            if lot.counts.n_genes() != genes.len() || lot.counts.n_cells() != lot.barcodes.len() {
                return Err(Error::input(
                    format!(
                        "lot {}: matrix of {} cells × {} genes, but {} barcodes and {} genes",
                        lot.name,
                        lot.counts.n_cells(),
                        lot.counts.n_genes(),
                        lot.barcodes.len(),
                        genes.len()
                    ),
                    "matrix, barcodes and genes must come from one run",
                ));
            }
        }
        let mut offsets = vec![0];
        for lot in &lots {
            offsets.push(offsets[offsets.len() - 1] + lot.barcodes.len());
        }
        Ok(Self { genes, lots, sheet, offsets })
    }

    /// The gene axis.
    pub fn genes(&self) -> &Genes {
        &self.genes
    }

    /// Lots in the order of the sheet.
    pub fn lots(&self) -> &[Lot] {
        &self.lots
    }

    /// Readouts and covariates.
    pub fn sheet(&self) -> &LotSheet {
        &self.sheet
    }

    /// Number of lots.
    pub fn n_lots(&self) -> usize {
        self.lots.len()
    }

    /// Number of genes.
    pub fn n_genes(&self) -> usize {
        self.genes.len()
    }

    /// Number of cells over all lots.
    pub fn n_cells(&self) -> usize {
        self.offsets[self.lots.len()]
    }

    /// Global index of each lot's first cell; one entry more than lots, the last being the number of cells.
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Lot names.
    pub fn lot_names(&self) -> Vec<String> {
        self.lots.iter().map(|lot| lot.name.clone()).collect()
    }

    /// The lot of each cell.
    pub fn lot_of_cell(&self) -> Vec<u32> {
        let mut out = Vec::with_capacity(self.n_cells());
        for (i, lot) in self.lots.iter().enumerate() {
            out.resize(out.len() + lot.barcodes.len(), i as u32);
        }
        out
    }

    /// Counts of a cell, by global index.
    #[inline]
    pub fn row(&self, cell: usize) -> Row<'_> {
        let lot = self.offsets.partition_point(|&start| start <= cell) - 1;
        self.lots[lot].counts.row(cell - self.offsets[lot])
    }

    /// Calls `work` for each lot in turn and lets go of the lot's counts, so that those of one lot at a time are needed where they lie
    /// on disk. `work` is given the lot and the global index of its first cell; it may use all threads.
    pub fn lot_by_lot<T>(&self, mut work: impl FnMut(&Lot, usize) -> T) -> Vec<T> {
        let one = |(lot, &first): (&Lot, &usize)| {
            let out = work(lot, first);
            lot.counts.release();
            out
        };
        self.lots.iter().zip(&self.offsets).map(one).collect()
    }

    /// The cells where `keep` (one flag per cell, global order) is true. Lots stay, even if they become empty.
    pub fn select_cells(&self, keep: &[bool]) -> Self {
        assert_eq!(keep.len(), self.n_cells(), "one flag per cell");
        use rayon::prelude::*;
        let lots: Vec<Lot> = (0..self.lots.len())
            .into_par_iter()
            .map(|i| {
                let lot = &self.lots[i];
                let keep = &keep[self.offsets[i]..self.offsets[i + 1]];
                Lot {
                    name: lot.name.clone(),
                    barcodes: lot.barcodes.iter().zip(keep).filter(|(_, k)| **k).map(|(b, _)| b.clone()).collect(),
                    counts: lot.counts.select_cells(keep),
                }
            })
            .collect();
        Self::new(self.genes.clone(), lots, self.sheet.clone()).expect("a selection of a checked data set is valid")
    }

    /// These genes alone, rising; all cells stay.
    pub fn select_genes(&self, genes: &[u32]) -> Self {
        use rayon::prelude::*;
        let mut new_index = vec![None; self.n_genes()];
        (0..).zip(genes).for_each(|(new, &gene)| new_index[gene as usize] = Some(new));
        let pick = |names: &[String]| genes.iter().map(|&gene| names[gene as usize].clone()).collect();
        let names = Genes::new(pick(self.genes.ids()), pick(self.genes.symbols())).expect("ids stay unique");
        let select = |lot: &Lot| {
            let counts = lot.counts.map_genes(&new_index, genes.len());
            lot.counts.release();
            Lot { name: lot.name.clone(), barcodes: lot.barcodes.clone(), counts }
        };
        let lots = self.lots.par_iter().map(select).collect();
        Self::new(names, lots, self.sheet.clone()).expect("a selection of a checked data set is valid")
    }

    /// The lots where `keep` is true.
    ///
    /// # Errors
    /// No lot is kept.
    pub fn select_lots(&self, keep: &[bool]) -> Result<Self> {
        let lots = self.lots.iter().zip(keep).filter(|(_, k)| **k).map(|(lot, _)| lot.clone()).collect();
        Self::new(self.genes.clone(), lots, self.sheet.select_lots(keep))
    }
}
