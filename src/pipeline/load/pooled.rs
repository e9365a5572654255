//! The cells of a run with their counts, from `pooled.h5ad`.

use std::collections::HashMap;
use std::path::Path;

use crate::data::{CountsBuilder, Dataset, Lot};
use crate::error::{Error, Result};
use crate::io::h5ad::read_h5ad_groups;
use crate::io::{RawLot, ReadParams};
use crate::pipeline::Analysis;

/// Column of obs that names the lot.
const LOT: &str = "lot";
/// Where the counts are.
const COUNTS: &str = "layers/counts";

/// Reads the counts of a run's cells; lots, cells and genes are in the order of the analysis.
///
/// # Errors
/// `pooled.h5ad` is missing, or holds other lots, cells or genes than the other files of the run.
pub fn load_cells(run: &Path, analysis: &Analysis) -> Result<Dataset> {
    let path = run.join("pooled.h5ad");
    let other = |what: String| {
        Error::format(
            &path,
            "",
            format!("{what} than the other files of the run; make the run again with `cqa cluster`"),
        )
    };
    let params = ReadParams { counts: COUNTS.into(), ..ReadParams::default() };
    let mut found: HashMap<String, RawLot> = read_h5ad_groups(&path, LOT, &params)?.into_iter().collect();
    let mut lots = Vec::with_capacity(analysis.sheet.lots.len());
    let mut cells = analysis.cells.lot.iter().zip(&analysis.cells.barcode).peekable();
    for (i, source) in (0_u32..).zip(&analysis.sheet.lots) {
        let mut barcodes = Vec::new();
        while let Some((_, barcode)) = cells.next_if(|cell| *cell.0 == i) {
            barcodes.push(barcode.clone());
        }
        let counts = match found.remove(&source.lot) {
            // Every cell of the lot was excluded.
            None if barcodes.is_empty() => CountsBuilder::new(analysis.genes.len()).finish(),
            None => return Err(other(format!("holds no cells of lot {}, other", source.lot))),
            Some(raw) => {
                // Names of obs bear the lot where barcodes repeat between lots.
                let same = raw.barcodes.len() == barcodes.len()
                    && raw.barcodes.iter().zip(&barcodes).all(|(name, barcode)| name.ends_with(barcode.as_str()));
                if !same {
                    return Err(other(format!("holds other cells of lot {}", source.lot)));
                }
                if raw.genes.ids() != analysis.genes.ids() {
                    return Err(other("holds other genes".into()));
                }
                raw.counts
            }
        };
        lots.push(Lot { name: source.lot.clone(), barcodes, counts });
    }
    if let Some(name) = found.keys().min() {
        return Err(other(format!("holds a lot {name}, so others")));
    }
    Dataset::new(analysis.genes.clone(), lots, analysis.sheet.clone())
}
