//! The runs without each lot, read back.

use std::path::Path;

use ndarray::Array2;

use super::File;
use crate::data::{Genes, LotSheet};
use crate::error::Result;
use crate::steps::lots::{Composition, lots_of_units};
use crate::steps::markers::leave_one_out::MIN_LOTS;
use crate::steps::markers::{LeaveOneOut, LeaveOneOutParams, RunWithout, TopGene};
use crate::warning::Warning;

/// `None` where the run did not make them: they were off, there were too few lots with cells, or no road could be walked.
pub(super) fn read(
    run: &Path,
    sheet: &LotSheet,
    unit: &str,
    composition: &Composition,
    genes: &Genes,
    params: &LeaveOneOutParams,
    warnings: &[Warning],
) -> Result<Option<LeaveOneOut>> {
    let (lots, n_clusters) = (&composition.lots, composition.n_cells.ncols());
    let units = lots_of_units(sheet, unit)?;
    let has_cells = |lots: &Vec<usize>| lots.iter().any(|&lot| composition.n_total[lot] > 0);
    let units: Vec<Vec<usize>> = units.into_iter().filter(has_cells).collect();
    let n_failed = warnings.iter().filter(|w| matches!(w, Warning::NoRoadWithoutLot { .. })).count();
    if !params.enabled || units.len() < MIN_LOTS || n_failed >= units.len() {
        return Ok(None);
    }
    let mut runs = matches(&File::read(run, "leave_one_out.csv")?, lots, &units, n_clusters)?;
    counts(&File::read(run, "leave_one_out_counts.csv")?, lots, &mut runs)?;
    top_genes(&File::read(run, "leave_one_out_genes.parquet")?, lots, genes, &mut runs)?;
    let failed = units.into_iter().filter(|unit| !runs.iter().any(|run| run.lots == *unit)).collect();
    Ok(Some(LeaveOneOut { runs, failed }))
}

fn matches(file: &File, lots: &[String], units: &[Vec<usize>], n_clusters: usize) -> Result<Vec<RunWithout>> {
    let left_out = file.codes("lot_left_out", lots)?;
    let (matched, jaccard) = (file.floats("matched")?, file.floats("jaccard")?);
    let n_found: Vec<usize> = file.integers("n_clusters")?;
    let n_left_out: Vec<usize> = file.integers("n_lots_left_out")?;
    let unit = |row: usize| units.iter().find(|unit| unit[0] == left_out[row] as usize);
    if (0..left_out.len()).any(|row| unit(row).is_none_or(|unit| unit.len() != n_left_out[row])) {
        return Err(file.complain("lot_left_out", "other units than the lot sheet and the parameters of the run tell"));
    }
    let whole = left_out.len().is_multiple_of(n_clusters.max(1))
        && left_out.chunks(n_clusters.max(1)).all(|lots| lots.iter().all(|lot| *lot == lots[0]))
        && matched.iter().zip(&n_found).all(|(m, n)| m.is_nan() || (*m >= 0.0 && *m < *n as f64));
    if !whole {
        return Err(file.complain("cluster", "not a row for every lot left out and cluster"));
    }
    let run = |first: usize| {
        let rows = first..first + n_clusters;
        RunWithout {
            lots: unit(first).cloned().unwrap_or_default(),
            matches: matched[rows.clone()].iter().map(|m| (!m.is_nan()).then_some(*m as usize)).collect(),
            jaccard: jaccard[rows].to_vec(),
            n_cells: Array2::zeros((lots.len(), n_found[first])),
            genes: vec![Vec::new(); n_found[first]],
        }
    };
    Ok((0..left_out.len()).step_by(n_clusters.max(1)).map(run).collect())
}

/// The run of each unit left out, by its first lot.
fn index(runs: &[RunWithout], n_lots: usize) -> Vec<Option<usize>> {
    let mut of_lot = vec![None; n_lots];
    runs.iter().enumerate().for_each(|(i, run)| of_lot[run.lots[0]] = Some(i));
    of_lot
}

fn counts(file: &File, lots: &[String], runs: &mut [RunWithout]) -> Result<()> {
    let of_lot = index(runs, lots.len());
    let (left_out, lot) = (file.codes("lot_left_out", lots)?, file.codes("lot", lots)?);
    let (cluster, n_cells) = (file.integers::<usize>("cluster")?, file.integers("n_cells")?);
    for row in 0..left_out.len() {
        let place =
            of_lot[left_out[row] as usize].and_then(|i| runs[i].n_cells.get_mut((lot[row] as usize, cluster[row])));
        *place.ok_or_else(|| file.complain("cluster", "other runs or clusters than in leave_one_out.csv"))? =
            n_cells[row];
    }
    Ok(())
}

fn top_genes(file: &File, lots: &[String], genes: &Genes, runs: &mut [RunWithout]) -> Result<()> {
    let of_lot = index(runs, lots.len());
    let (left_out, gene) = (file.codes("lot_left_out", lots)?, file.codes("gene_id", genes.ids())?);
    let cluster: Vec<usize> = file.integers("cluster")?;
    let (auc, log2_fc, share_in) = (file.floats32("auc")?, file.floats32("log2_fc")?, file.floats32("share_in")?);
    for row in 0..left_out.len() {
        let list = of_lot[left_out[row] as usize].and_then(|i| runs[i].genes.get_mut(cluster[row]));
        let top = TopGene { gene: gene[row], auc: auc[row], log2_fc: log2_fc[row], share_in: share_in[row] };
        list.ok_or_else(|| file.complain("cluster", "other runs or clusters than in leave_one_out.csv"))?.push(top);
    }
    Ok(())
}
