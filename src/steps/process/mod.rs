//! Steps on the process: what a study can show before it is made.

pub mod plan;

pub use plan::{Design, Plan, PlanParams, PlanRow, plan};
