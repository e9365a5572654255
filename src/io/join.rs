//! Lots read in parallel and joined on one gene axis.

use crate::data::LotSheet;
use crate::error::Result;
use crate::io::{ReadLots, ReadParams};
use crate::progress::Progress;

/// Reads every lot of the sheet and joins them by gene id.
pub fn read_lots(_sheet: &LotSheet, _params: &ReadParams, _progress: &dyn Progress) -> Result<ReadLots> {
    todo!()
}
