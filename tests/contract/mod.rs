//! What others rely on in a run directory: its files, their columns, and that the guide tells them.

use std::fs;
use std::path::Path;

use super::{csv_fields, digests, header};

pub fn the_run_directory_is_the_contract(run: &Path) {
    let starts = |file: &str, columns: &str| {
        let header = header(&run.join(file));
        let wanted: Vec<&str> = columns.split(' ').collect();
        assert_eq!(header[..wanted.len()], wanted, "{file}");
    };
    starts("lots.csv", "lot path");
    starts("qc.csv", "lot n_cells_read n_cells_kept median_counts median_genes median_pct_mito n_doublets");
    starts("composition.csv", "lot cluster n_cells n_total share ci_low ci_high");
    starts("clusters.csv", "cluster n_cells effective_lots proliferative");
    starts("markers.csv", "cluster gene_id gene rank auc log2_fc share_in share_out n_lots n_lots_up");
    let rank = run.join("rank/vegf_ischemia");
    let path = |file: &str| rank.join(file).strip_prefix(run).unwrap().to_str().unwrap().to_string();
    starts(&path("associations.csv"), "cluster n_lots r rho p_exact p_family q ci_low ci_high loo_min loo_max verdict");
    starts(
        &path("candidates.csv"),
        "rank gene_id gene cluster score r specificity log2_fc n_lots n_lots_up r_gene loo_top20 p_family measurable",
    );
    for file in [
        "excluded.csv.gz",
        "cells.parquet",
        "marker_expression.parquet",
        "cqa_lots_mqc.json",
        "cqa_composition_mqc.json",
        "pseudobulk.parquet",
        "pooled.h5ad",
        "report.html",
        "params.toml",
        "run.json",
        "ro-crate-metadata.json",
        "plots/umap_lot.svg",
        "plots/umap_cluster.png",
    ] {
        assert!(run.join(file).metadata().is_ok_and(|m| m.len() > 0), "{file} is missing or empty");
    }
    let cells = cqa::io::tables::read_table(&run.join("cells.parquet")).unwrap();
    let names: Vec<&str> = cells.columns().iter().map(|c| c.0.as_str()).collect();
    let wanted = "lot barcode n_counts n_genes pct_mito doublet_score phase cluster umap_1 umap_2";
    assert_eq!(names[..10], wanted.split(' ').collect::<Vec<_>>());
    let record: serde_json::Value = serde_json::from_str(&fs::read_to_string(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(record["potency"], serde_json::json!(["vegf_ischemia"]));
    assert!(record["outputs"].as_array().unwrap().len() > 15);
}

/// `files.md` names every file of a run and every column of its tables.
pub fn every_file_and_column_is_told_in_the_guide(run: &Path) {
    let guide = include_str!("../../src/guide/files.md");
    let told: std::collections::BTreeSet<&str> = guide.split('`').skip(1).step_by(2).collect();
    let lots: Vec<String> = fs::read_to_string(run.join("qc.csv"))
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| csv_fields(line)[0].clone())
        .collect();
    let sheet = header(&run.join("lots.csv"));
    for name in digests(run).keys().map(|name| name.to_str().unwrap().replace("vegf_ischemia", "<potency>")) {
        let any = name.strip_prefix("plots/").map(|plot| if plot.ends_with(".svg") { "plots/*.svg" } else { "*.png" });
        assert!(told.contains(any.unwrap_or(&name)), "{name} is not in src/guide/files.md");
        let path = run.join(name.replace("<potency>", "vegf_ischemia"));
        if !(name.ends_with(".csv") || name.ends_with(".parquet")) {
            continue;
        }
        let table = cqa::io::tables::read_table(&path).unwrap();
        for column in table.columns().iter().map(|column| column.0.as_str()) {
            // Columns that are named after what the user gave: lots, genes, the sheet's own.
            let own = lots.iter().any(|lot| lot == column) || name == "lots.csv" && sheet.iter().any(|c| c == column);
            let gene = name == "marker_expression.parquet" && column.starts_with("SIM");
            // `_z` of `energy` is told as such.
            let ending =
                |words: &&str| words.starts_with('_') && column.strip_suffix(*words).is_some_and(|w| told.contains(w));
            let known = told.contains(column) || told.iter().any(ending);
            assert!(own || gene || known, "column {column} of {name} is not in src/guide/files.md");
        }
    }
}
