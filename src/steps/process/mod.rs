//! Steps on the process: what a study can show before it is made, and whether a change left the lots comparable.

pub mod compare;
pub mod plan;

pub use compare::{Compared, Judged, OperatingRow, Outcome, Overall, SdBasis, Values, WholeTest, compare};
pub use plan::{Design, Plan, PlanParams, PlanRow, plan};
