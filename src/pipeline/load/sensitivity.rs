//! Divisions by other choices, read back.

use std::path::Path;

use ndarray::Array2;

use super::File;
use crate::error::Result;
use crate::steps::clusters::ClusterMethod;
use crate::steps::lots::{Choices, SensitivityParams, Specification};

/// Empty where the run did not make them.
pub(super) fn read(
    run: &Path,
    lots: &[String],
    n_clusters: usize,
    params: &SensitivityParams,
) -> Result<Vec<Specification>> {
    if !params.enabled {
        return Ok(Vec::new());
    }
    let mut specifications = choices(&File::read(run, "specifications.csv")?, lots.len(), n_clusters)?;
    let file = File::read(run, "specification_counts.csv")?;
    let (lot, n_cells) = (file.codes("lot", lots)?, file.integers("n_cells")?);
    let (index, cluster) = (file.integers::<usize>("specification")?, file.integers::<usize>("cluster")?);
    for row in 0..index.len() {
        let place =
            specifications.get_mut(index[row]).and_then(|s| s.n_cells.get_mut((lot[row] as usize, cluster[row])));
        *place
            .ok_or_else(|| file.complain("cluster", "other specifications or clusters than in specifications.csv"))? =
            n_cells[row];
    }
    Ok(specifications)
}

fn choices(file: &File, n_lots: usize, n_clusters: usize) -> Result<Vec<Specification>> {
    const METHODS: [ClusterMethod; 3] = [ClusterMethod::Leiden, ClusterMethod::Kmeans, ClusterMethod::Mixture];
    let index: Vec<usize> = file.integers("specification")?;
    let methods = file.texts("method")?;
    let (resolution, jaccard) = (file.floats("resolution")?, file.floats("jaccard")?);
    let (integrated, scaled, chosen) = (file.bools("integrated")?, file.bools("scaled")?, file.bools("chosen")?);
    let (n_there, matched): (Vec<usize>, Vec<usize>) = (file.integers("n_clusters")?, file.integers("matched")?);
    let step = n_clusters.max(1);
    let whole = index.len().is_multiple_of(step)
        && index.iter().enumerate().all(|(row, i)| *i == row / step)
        && matched.iter().zip(&n_there).all(|(m, n)| m < n);
    if !whole {
        return Err(file.complain("cluster", "not a row for every specification and cluster"));
    }
    (0..index.len())
        .step_by(step)
        .map(|row| {
            let method = METHODS.into_iter().find(|m| m.to_string() == methods[row]);
            Ok(Specification {
                choices: Choices {
                    method: method.ok_or_else(|| file.complain("method", "leiden, kmeans or mixture was expected"))?,
                    resolution: resolution[row],
                    integrated: integrated[row],
                    scaled: scaled[row],
                },
                chosen: chosen[row],
                n_cells: Array2::zeros((n_lots, n_there[row])),
                matches: matched[row..row + step].to_vec(),
                jaccard: jaccard[row..row + step].to_vec(),
            })
        })
        .collect()
}
