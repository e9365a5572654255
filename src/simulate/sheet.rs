//! The sheet of simulated lots: readouts and covariates.

use rand::RngExt;
use rand_distr::Distribution;

use super::SimulateParams;
use super::genes::normal;
use super::model::{Model, POPULATIONS, POTENT};
use crate::data::{LotSheet, LotSource, SheetColumn};
use crate::math::rng::stream;

/// The readout that the potent population drives: VEGF secreted under low oxygen without glucose, pg/mL.
pub(super) const READOUT: &str = "vegf_ischemia";
/// VEGF of a lot without potent cells, pg/mL.
const OTHER_CELLS: f64 = 700.0;
/// Readouts that nothing drives: name, mean, SD, decimals.
pub(super) const UNRELATED: [(&str, f64, f64, usize); 4] = [
    // Kynurenine after interferon gamma, µmol/L.
    ("ido_activity", 24.0, 6.0, 1),
    // Percent.
    ("t_cell_suppression", 55.0, 12.0, 1),
    // Hours.
    ("doubling_time", 38.0, 6.0, 1),
    // Mean fluorescence.
    ("cd105_mfi", 5200.0, 900.0, 0),
];
/// Lots per manufacturing batch.
const LOTS_PER_BATCH: usize = 3;

/// Sheet of all lots; paths are the lots' names.
pub(super) fn sheet(model: &Model, params: &SimulateParams) -> LotSheet {
    let lots = model
        .lots
        .iter()
        .map(|lot| LotSource { lot: lot.name.clone(), path: lot.name.clone().into(), subset: None })
        .collect();
    let mut columns = Vec::new();
    let mut column = |name: &str, value: &dyn Fn(usize) -> String| {
        columns.push(SheetColumn { name: name.into(), values: (0..params.n_lots).map(value).collect() });
    };
    // Every column has its own stream: one more readout changes no other.
    let draw = |purpose: &str, lot: usize| normal(1.0).sample(&mut stream(params.seed, purpose, lot as u64));
    column("donor", &|lot| format!("D{:02}", lot + 1));
    column("sex", &|lot| if model.lots[lot].female { "F".into() } else { "M".into() });
    column("tissue", &|_| "BM".into());
    column("passage", &|lot| stream(params.seed, "simulate.passage", lot as u64).random_range(3..=5).to_string());
    column("batch", &|lot| format!("B{}", lot / LOTS_PER_BATCH + 1));
    column("viability", &|lot| format!("{:.1}", (93.0 + 2.5 * draw("simulate.viability", lot)).clamp(70.0, 99.5)));
    column(READOUT, &|lot| {
        format!("{:.1}", potency(model.lots[lot].shares[POTENT], draw("simulate.potency", lot), params))
    });
    for &(name, mean, sd, decimals) in &UNRELATED[..params.n_unrelated] {
        column(name, &|lot| format!("{:.decimals$}", (mean + sd * draw(name, lot)).max(0.0)));
    }
    LotSheet { lots, columns }
}

/// Potency of a lot; `noise` is standard normal. The SD over lots is `effect` times that of the share, whatever rho is.
fn potency(share: f64, noise: f64, params: &SimulateParams) -> f64 {
    let mean = POPULATIONS[POTENT].share;
    let sd = (mean * (1.0 - mean) / (params.concentration + 1.0)).sqrt();
    let rho = params.potency_rho;
    let from_potent = mean + rho * (share - mean) + (1.0 - rho * rho).sqrt() * sd * noise;
    // A concentration is never negative.
    (OTHER_CELLS + params.potency_effect * from_potent).max(0.0)
}
