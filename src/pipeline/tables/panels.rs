//! Panels in references: what is locked, and the lots under it.

use serde::{Deserialize, Serialize};

use super::{integer, text};
use crate::data::{Column, Table};
use crate::steps::markers::{GatedShare, Panel};

/// File of a reference that holds its panels.
pub const PANELS: &str = "panels.toml";
/// File of the lots under them.
pub const PANEL_SHARES: &str = "panel_shares.csv";

/// What `panels.toml` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LockedPanels {
    /// The panels.
    pub panels: Vec<Panel>,
}

/// `panel_shares.csv`: one row per lot and panel.
pub fn shares_table(shares: &[GatedShare]) -> Table {
    Table::new()
        .with("lot", text(shares.iter().map(|row| &row.lot)))
        .with("panel", text(shares.iter().map(|row| &row.panel)))
        .with("n_cells", integer(shares.iter().map(|row| row.n_cells)))
        .with("n_gated", integer(shares.iter().map(|row| row.n_gated)))
        .with("share", Column::Float(shares.iter().map(|row| row.share).collect()))
        .with("ci_low", Column::Float(shares.iter().map(|row| row.ci_low).collect()))
        .with("ci_high", Column::Float(shares.iter().map(|row| row.ci_high).collect()))
}
