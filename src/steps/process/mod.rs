//! Steps on the process: what a study can show before it is made, whether a change left the lots comparable, and what a lot
//! must not hold.

pub mod compare;
pub mod plan;
pub mod screen;

pub use compare::{Compared, Judged, OperatingRow, Outcome, Overall, SdBasis, Values, WholeTest, compare};
pub use plan::{Design, Plan, PlanParams, PlanRow, plan};
pub use screen::{Control, Detection, LotCells, Screen, ScreenParams, control, count_positives, screen};
