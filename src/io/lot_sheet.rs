//! The lot sheet (`lots.csv`).

use std::path::Path;

use crate::data::LotSheet;
use crate::error::Result;

/// Reads `lots.csv` (CSV or TSV).
pub fn read_lot_sheet(_path: &Path) -> Result<LotSheet> {
    todo!()
}
