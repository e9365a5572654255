//! A run as custom content of MultiQC: it appears in a project's report beside the sequencing's quality control.

use serde_json::{Map, Value, json};

use super::draw::color;
use crate::pipeline::Analysis;

/// Files that MultiQC finds by their names: name and text.
pub fn files(analysis: &Analysis) -> Vec<(&'static str, String)> {
    [("cqa_lots_mqc.json", lots(analysis)), ("cqa_composition_mqc.json", composition(analysis))]
        .map(|(name, value)| (name, format!("{value:#}\n")))
        .to_vec()
}

/// Columns of the table of general statistics, one row per lot.
fn lots(analysis: &Analysis) -> Value {
    let column = |key: &str, title: &str, description: &str, format: &str, suffix: &str| json!({ key: { "title": title, "description": description, "format": format, "suffix": suffix, "namespace": "cqa" } });
    let rows: Map<String, Value> = analysis
        .qc
        .iter()
        .enumerate()
        .map(|(i, lot)| {
            let kept = 100.0 * lot.n_cells_kept as f64 / lot.n_cells_read.max(1) as f64;
            let row = json!({
                "n_cells_kept": lot.n_cells_kept,
                "pct_kept": kept,
                "median_counts": lot.median_counts,
                "median_genes": lot.median_genes,
                "median_pct_mito": lot.median_pct_mito,
                "n_doublets": lot.n_doublets,
                "outlying": if analysis.deviation.get(i).is_some_and(|row| row.outlying) { "yes" } else { "no" },
            });
            (lot.lot.clone(), row)
        })
        .collect();
    json!({
        "id": "cqa_lots",
        "plot_type": "generalstats",
        "pconfig": [
            column("n_cells_kept", "Cells", "Cells that passed quality control", "{:,.0f}", ""),
            column("pct_kept", "Kept", "Share of the cells read that passed quality control", "{:,.1f}", " %"),
            column("median_counts", "Counts", "Median counts (UMI) per kept cell", "{:,.0f}", ""),
            column("median_genes", "Genes", "Median genes with a count per kept cell", "{:,.0f}", ""),
            column("median_pct_mito", "Mito", "Median share of mitochondrial counts per kept cell", "{:,.1f}", " %"),
            column("n_doublets", "Doublets", "Cells that look like two cells in one droplet", "{:,.0f}", ""),
            json!({ "outlying": { "title": "Outlying", "description": "Farther from the other lots than they are from each other", "namespace": "cqa" } }),
        ],
        "data": rows,
    })
}

/// Cells of each cluster, stacked per lot.
fn composition(analysis: &Analysis) -> Value {
    let found = &analysis.composition;
    let n_clusters = analysis.clusters.len();
    let name = |k: usize| format!("cluster {k}");
    let clusters: Map<String, Value> = (0..n_clusters)
        .map(|k| {
            let [r, g, b] = color::cluster(k);
            (name(k), json!({ "name": name(k), "color": format!("#{r:02x}{g:02x}{b:02x}") }))
        })
        .collect();
    let cells = |lot: usize| -> Map<String, Value> {
        (0..n_clusters).map(|k| (name(k), json!(found.n_cells[[lot, k]]))).collect()
    };
    let rows: Map<String, Value> =
        found.lots.iter().enumerate().map(|(lot, name)| (name.clone(), Value::Object(cells(lot)))).collect();
    json!({
        "id": "cqa_composition",
        "section_name": "cqa: composition of the lots",
        "description": "Cells of each cluster in each lot, after quality control (composition.csv of the run).",
        "plot_type": "bargraph",
        "pconfig": { "id": "cqa_composition_plot", "title": "cqa: composition of the lots", "ylab": "Cells", "cpswitch_counts_label": "Cells" },
        "categories": clusters,
        "data": rows,
    })
}
