//! The steps, one floor per unit of observation. A floor may use those above it in this list, never those below.

pub mod cells;
pub mod clusters;
pub mod lots;
pub mod markers;
pub mod process;
