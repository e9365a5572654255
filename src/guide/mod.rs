//! The user guide, rendered by rustdoc. Nothing here is code.

#[doc = include_str!("tutorial.md")]
pub mod tutorial {}
#[doc = include_str!("how_to.md")]
pub mod how_to {}
#[doc = include_str!("methods.md")]
pub mod methods {}
#[doc = include_str!("files.md")]
pub mod files {}
#[doc = include_str!("glossary.md")]
pub mod glossary {}
#[doc = include_str!("decisions.md")]
pub mod decisions {}
#[doc = include_str!("benchmarks.md")]
pub mod benchmarks {}
#[doc = include_str!("calibration.md")]
pub mod calibration {}
#[doc = include_str!("limits.md")]
pub mod limits {}
#[doc = include_str!("reference.md")]
pub mod reference {}
#[doc = include_str!("screen.md")]
pub mod screen {}
#[doc = include_str!("panel.md")]
pub mod panel {}
#[doc = include_str!("bad_input.md")]
pub mod bad_input {}
#[doc = include_str!("integrity.md")]
pub mod integrity {}
#[doc = include_str!("compare.md")]
pub mod compare {}
