//! `cqa panel` on disk.

use std::path::Path;

use serde_json::json;

use crate::data::{Column, Table};
use crate::error::{Error, Result};
use crate::io::run_dir::{PendingDir, create_folder, write_bytes, write_text};
use crate::io::tables::{read_table, write_table};
use crate::pipeline::{Analysis, PanelAnalysis, PanelGenes, shares_table};
use crate::provenance::{Execution, FileHash, RunRecord, write_record};
use crate::report::panel::{figures, html};
use crate::steps::markers::{Distribution, Panel, PanelRow};

/// Writes panels, their shares, figures, report and record; the directory carries its name when it is whole.
///
/// # Errors
/// - `target` exists and `replace` is not set
/// - the disk is full or refuses
pub fn write_panel(
    target: &Path,
    replace: bool,
    analysis: &Analysis,
    panel: &PanelAnalysis,
    inputs: Vec<FileHash>,
    execution: Execution,
) -> Result<()> {
    let pending = PendingDir::create(target, replace)?;
    let folder = pending.path();
    write_table(&folder.join("panels.csv"), &panels_table(panel))?;
    write_table(&folder.join("panel_shares.csv"), &shares_table(&panel.shares))?;
    write_table(&folder.join("held_out.csv"), &held_out_table(analysis, panel))?;
    write_table(&folder.join("gates.csv"), &gates_table(panel))?;
    let plots = folder.join("plots");
    create_folder(&plots)?;
    for plot in figures(analysis, panel) {
        write_text(&plots.join(format!("{}.svg", plot.name)), &plot.svg)?;
        write_bytes(&plots.join(format!("{}.png", plot.name)), &plot.png)?;
    }
    write_text(&folder.join("report.html"), &html(analysis, panel, &inputs_of(&inputs)))?;
    let question = &panel.question;
    let list = match &question.genes {
        PanelGenes::List(genes) => genes.clone(),
        _ => Vec::new(),
    };
    let params = &question.params;
    let record = RunRecord {
        potency: panel.readout.iter().map(|readout| readout.name.clone()).collect(),
        warnings: panel.warnings.clone(),
        ..RunRecord::new(
            analysis.params.seed,
            json!({ "panel": {
            "cluster": question.cluster,
            "genes": question.genes.name(),
            "gene_list": list,
            "n_genes": params.n_genes,
            "n_panels": params.n_panels,
            "n_candidates": params.n_candidates,
            "step": params.step,
            "low": params.low,
            "gene_cost": params.gene_cost,
            "max_work": params.max_work,
        } }),
            inputs,
            execution,
        )
    };
    write_record(folder, record)?;
    pending.finish()
}

fn inputs_of(files: &[FileHash]) -> Vec<(String, String)> {
    files.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect()
}

fn float(values: impl IntoIterator<Item = f64>) -> Column {
    Column::Float(values.into_iter().collect())
}

fn text(values: impl IntoIterator<Item = String>) -> Column {
    Column::Text(values.into_iter().collect())
}

fn integer(values: impl IntoIterator<Item = u64>) -> Column {
    Column::Integer(values.into_iter().map(|n| n as i64).collect())
}

/// `panels.csv`: one row per panel, best first.
pub fn panels_table(panel: &PanelAnalysis) -> Table {
    let rows = &panel.panels.rows;
    let of = |value: fn(&PanelRow) -> f64| float(rows.iter().map(value));
    let ids = |row: &PanelRow| row.panel.gates.iter().map(|gate| gate.gene_id.as_str()).collect::<Vec<_>>().join("; ");
    let genes = |row: &PanelRow| row.panel.gates.iter().map(|gate| gate.gene.as_str()).collect::<Vec<_>>().join("; ");
    let readout = panel.readout.as_ref();
    let same = |value: f64| float(rows.iter().map(move |_| value));
    let measured =
        panel.measurability.iter().map(|genes| genes.iter().map(|g| g.name()).collect::<Vec<_>>().join("; "));
    Table::new()
        .with("rank", integer(1..=rows.len() as u64))
        .with("genes", text(rows.iter().map(genes)))
        .with("gates", text(rows.iter().map(|row| row.panel.to_string())))
        .with("purity", of(|row| row.fitted.purity))
        .with("yield", of(|row| row.fitted.yield_))
        .with("f1", of(|row| row.fitted.f1))
        .with("f1_heldout", of(|row| row.held_out.f1))
        .with("r_potency", float(panel.lots.iter().map(|lots| lots.r_potency)))
        .with("p_potency", float(panel.lots.iter().map(|lots| lots.p_potency)))
        .with("r_cluster", same(readout.map_or(f64::NAN, |r| r.r_cluster)))
        .with("p_cluster", same(readout.map_or(f64::NAN, |r| r.p_cluster)))
        .with("r_share", float(panel.lots.iter().map(|lots| lots.r_share)))
        .with("f1_heldout_error", of(|row| row.held_out_error))
        .with("purity_heldout", of(|row| row.held_out.purity))
        .with("yield_heldout", of(|row| row.held_out.yield_))
        .with("heldout", text(rows.iter().map(|row| heldout(row).into())))
        .with("n_genes", integer(rows.iter().map(|row| row.genes.len() as u64)))
        .with("proven", Column::Bool(rows.iter().map(|row| row.proven).collect()))
        .with("f1_bound", of(|row| row.bound))
        .with("n_candidates", integer(rows.iter().map(|_| panel.panels.candidates.len() as u64)))
        .with("measurable", text(measured))
        .with("r_bulk", float(panel.lots.iter().map(|lots| lots.r_bulk)))
        .with("r_bulk_potency", float(panel.lots.iter().map(|lots| lots.r_bulk_potency)))
        .with("panel", text(rows.iter().map(|row| row.panel.name())))
        .with("gene_ids", text(rows.iter().map(ids)))
        .with("cluster", integer(rows.iter().map(|_| panel.question.cluster as u64)))
}

/// `gates.csv`: where the cells lie on the genes of the first panel, one gene and two genes at a time.
fn gates_table(panel: &PanelAnalysis) -> Table {
    let panels = &panel.panels;
    let thresholds = &panels.thresholds;
    let n_levels = thresholds.len() + 1;
    let symbol = |gene: u32| {
        let first = panels.rows.first();
        let place = first.and_then(|row| row.genes.iter().position(|g| *g == gene).map(|i| &row.panel.gates[i].gene));
        place.cloned().unwrap_or_default()
    };
    // Values above a threshold and up to the next; the first level is of cells without the gene.
    let above = |level: usize| if level == 0 { f64::NAN } else { thresholds[level - 1] };
    let rows: Vec<_> = panels
        .distributions
        .iter()
        .flat_map(|of| (0..of.inside.len()).map(move |bin| (of, bin)))
        .filter(|(of, bin)| of.inside[*bin] > 0.0 || of.outside[*bin] > 0.0)
        .collect();
    let level =
        |bin: usize, of: &Distribution| if of.genes.len() > 1 { (bin / n_levels, bin % n_levels) } else { (bin, 0) };
    Table::new()
        .with("gene", text(rows.iter().map(|(of, _)| symbol(of.genes[0]))))
        .with("above", float(rows.iter().map(|(of, bin)| above(level(*bin, of).0))))
        .with("gene_2", text(rows.iter().map(|(of, _)| of.genes.get(1).map_or(String::new(), |&g| symbol(g)))))
        .with("above_2", float(rows.iter().map(|(of, bin)| above(level(*bin, of).1))))
        .with("share_cluster", float(rows.iter().map(|(of, bin)| of.inside[*bin])))
        .with("share_other", float(rows.iter().map(|(of, bin)| of.outside[*bin])))
}

/// What was chosen anew without each lot.
fn heldout(row: &PanelRow) -> &'static str {
    if row.chosen_anew { "genes and thresholds" } else { "thresholds" }
}

/// `held_out.csv`: each lot under the panel that was chosen without it.
fn held_out_table(analysis: &Analysis, panel: &PanelAnalysis) -> Table {
    let rows: Vec<_> = (1_u64..)
        .zip(&panel.panels.rows)
        .flat_map(|(rank, row)| row.without.iter().map(move |held| (rank, row, held)))
        .collect();
    let count = |value: fn(&crate::steps::markers::LotCount) -> u64| integer(rows.iter().map(|r| value(&r.2.count)));
    Table::new()
        .with("rank", integer(rows.iter().map(|r| r.0)))
        .with("panel", text(rows.iter().map(|r| r.1.panel.name())))
        .with("lot", text(rows.iter().map(|r| analysis.composition.lots[r.2.lot].clone())))
        .with("gates", text(rows.iter().map(|r| r.2.panel.to_string())))
        .with("n_cells", count(|n| n.n_cells))
        .with("n_cluster", count(|n| n.n_cluster))
        .with("n_gated", count(|n| n.n_gated))
        .with("n_both", count(|n| n.n_both))
}

/// The panels that a `panels.csv` lists, in its order.
///
/// # Errors
/// The file is missing, or was changed into something that is not understood.
pub fn read_panels(path: &Path) -> Result<Vec<Panel>> {
    let table = read_table(path)?;
    let column = |name: &str| match table.column(name) {
        Some(Column::Text(values)) => Ok(values),
        _ => Err(Error::format(path, format!("column {name}"), "missing; give the panels.csv that `cqa panel` wrote")),
    };
    let (gates, ids) = (column("gates")?, column("gene_ids")?);
    (2..)
        .zip(gates.iter().zip(ids))
        .map(|(line, (gates, ids))| {
            let ids: Vec<&str> = ids.split(';').map(str::trim).collect();
            let unclear =
                || Error::parse(path, line, format!("`{gates}` is not written as `CD44 high 0.5; CD34 low 0`"));
            Panel::parse(gates, &ids).ok_or_else(unclear)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_read_from_the_columns_that_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panels.csv");
        std::fs::write(&path, "rank,gates,gene_ids\n1,CD44 high 0.5; CD34 low 0,E1; E2\n2,CD44 high 1,E1\n").unwrap();
        let panels = read_panels(&path).unwrap();
        let names: Vec<String> = panels.iter().map(Panel::name).collect();
        assert_eq!(names, ["CD44+CD34-", "CD44+"]);
        assert_eq!(panels[0].gates[1].gene_id, "E2");
        std::fs::write(&path, "rank,gates,gene_ids\n1,CD44 high 0.5,E1\n2,CD44 over 1,E1\n").unwrap();
        let message = read_panels(&path).unwrap_err().to_string();
        assert!(message.contains("line 3") && message.contains("CD44 over 1"), "{message}");
        std::fs::write(&path, "rank,gates\n1,CD44 high 0.5\n").unwrap();
        assert!(read_panels(&path).unwrap_err().to_string().contains("column gene_ids"));
    }
}
