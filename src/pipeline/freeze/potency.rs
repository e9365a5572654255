//! Potency models of a reference.

use ndarray::Array2;

use crate::data::Readout;
use crate::error::{Error, Result};
use crate::pipeline::{Analysis, find_readout, rank};
use crate::steps::lots::units;
use crate::steps::process::potency::{MIN_UNITS, PotencyModel, ToModel};
use crate::steps::process::{MappingParams, Prediction};
use crate::warning::{ReferenceWarning, Warning};

/// A model per readout. What has none is an error if it was asked for by name, else a warning. `mapped`: lots × clusters of
/// shares, each lot mapped by a reference without it.
pub(super) fn models(
    analysis: &Analysis,
    asked: &[ReadoutToModel],
    mapped: &Array2<f64>,
    params: &MappingParams,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<PotencyModel>> {
    let mut models = Vec::new();
    for asked in asked {
        match model(analysis, asked, mapped, params)? {
            Ok(model) => models.push(model),
            Err(cause) if asked.by_name => {
                return Err(Error::input(
                    format!("there can be no potency model of `{}`: {cause}", asked.readout),
                    "freeze without it, or ask for another readout with --potency",
                ));
            }
            Err(cause) => {
                warnings.push(ReferenceWarning::NoPotencyModel { readout: asked.readout.clone(), cause }.into())
            }
        }
    }
    Ok(models)
}

/// A readout to model.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadoutToModel {
    /// Its name.
    pub readout: String,
    /// Asked for by name, not only ranked in the run.
    pub by_name: bool,
    /// Verdicts of the run's clusters, if it was ranked.
    pub verdicts: Option<Vec<String>>,
}

type Model = std::result::Result<PotencyModel, String>;

fn model(analysis: &Analysis, asked: &ReadoutToModel, mapped: &Array2<f64>, params: &MappingParams) -> Result<Model> {
    let readout = find_readout(&analysis.sheet, &analysis.readouts, &asked.readout)?;
    if let Some(cause) = unfit(&readout) {
        return Ok(Err(cause));
    }
    let verdicts = match &asked.verdicts {
        Some(verdicts) => verdicts.clone(),
        None => rank(analysis, &asked.readout)?.verdicts.iter().map(|j| j.verdict.to_string()).collect(),
    };
    let lots = &analysis.composition.lots;
    let of_lots = analysis.composition.transformed(crate::steps::lots::Transform::Share);
    let units = units(&analysis.sheet, &of_lots, &readout, &analysis.params.association)?;
    // A lot that is in no unit stands for itself.
    let mut unit: Vec<usize> = (0..lots.len()).map(|lot| units.lots.len() + lot).collect();
    for (index, members) in units.lots.iter().enumerate() {
        members.iter().for_each(|&lot| unit[lot] = index);
    }
    let data = ToModel {
        readout: &readout.name,
        lots,
        values: &readout.values,
        shares: &analysis.composition.share,
        mapped,
        unit: &unit,
        level: params.level,
    };
    let verdict = |cluster: usize| {
        let words = verdicts.get(cluster).cloned().unwrap_or_default();
        let supported = words == crate::steps::lots::Verdict::Supported.to_string();
        (words, supported)
    };
    Ok(PotencyModel::fit(data, verdict).ok_or_else(|| {
        format!("fewer than {MIN_UNITS} lots (or donors) have a value, or neither shares nor values vary")
    }))
}

/// Why a straight line is no model of this readout.
fn unfit(readout: &Readout) -> Option<String> {
    if readout.n_below_loq.iter().any(|&n| n > 0) {
        return Some(
            "some values lie below the limit of quantification, and a line through them predicts nothing".into(),
        );
    }
    readout.two_values().map(|_| "it has two values only, and a line through them is no prediction".into())
}

/// What the models predicted of a lot without it.
pub(super) fn held_out(models: &[PotencyModel], lot: &str) -> Vec<Prediction> {
    let of = |model: &PotencyModel| {
        let point = model.summary.points.iter().find(|point| point.lot == lot)?;
        Some(Prediction {
            readout: model.summary.readout.clone(),
            cluster: point.cluster,
            value: point.predicted,
            low: point.low,
            high: point.high,
            level: model.summary.level,
            supported: model.summary.supported,
            inside: true,
        })
    };
    models.iter().filter_map(of).collect()
}
