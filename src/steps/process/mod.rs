//! Steps on the process: what a study can show before it is made, locked references and new lots, whether a change left the
//! lots comparable, and what a lot must not hold.

pub mod calibration;
pub mod compare;
pub mod frame;
pub mod mapping;
pub mod measure;
pub mod placed;
pub mod plan;
pub mod potency;
pub mod screen;

pub use calibration::{Assigned, Calibration, HeldOutLot, UNASSIGNED};
pub use compare::{Compared, Judged, OperatingRow, Outcome, Overall, SdBasis, Values, WholeTest, compare};
pub use frame::{Frame, Index, ToFreeze, frame};
pub use mapping::{Distances, Judge, LotLimits, MappingParams, NewLot, place};
pub use measure::{Measured, Placer};
pub use placed::{
    HeldOut, Limited, Measure, OutOfReference, Placed, PotencyPoint, PotencySummary, Prediction, ReferenceSummary,
    Share,
};
pub use plan::{Design, Plan, PlanParams, PlanRow, plan};
pub use potency::{Line, PotencyModel, ToModel};
pub use screen::{Control, Detection, LotCells, Screen, ScreenParams, control, count_positives, screen};
