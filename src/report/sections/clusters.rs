//! The clusters: their sizes and markers, their resolution.

use maud::html;

use super::{file, plot_files};
use crate::pipeline::{Analysis, ClusterMethod};
use crate::report::metrics;
use crate::report::plots;
use crate::report::section::{Cell, Column, Figure, Section, Table};
use crate::report::words::{self, count, fixed};

/// Markers named per cluster.
const N_MARKERS: usize = 8;

pub(super) fn section(analysis: &Analysis) -> Section {
    let symbols = analysis.genes.symbols();
    let n_lots = analysis.composition.lots.len();
    let rows = analysis.clusters.iter().enumerate().map(|(k, cluster)| {
        let top = analysis.effects.top(k, &analysis.params.effects);
        let markers = top.iter().take(N_MARKERS).filter_map(|&gene| symbols.get(gene as usize)).cloned().collect();
        vec![
            Cell::Cluster(k),
            Cell::Number(count(cluster.n_cells as u64)),
            Cell::Number(format!("{} of {n_lots}", fixed(cluster.effective_lots, 1))),
            Cell::Number(fixed(100.0 * cluster.share_cycling, 0)),
            Cell::Flag(if cluster.proliferative { "proliferative".into() } else { String::new() }),
            Cell::Genes(markers),
        ]
    });
    let columns = [
        &metrics::CLUSTER,
        &metrics::N_CELLS,
        &metrics::EFFECTIVE_LOTS,
        &metrics::CYCLING,
        &metrics::NOTE,
        &metrics::MARKERS,
    ];
    let mut links = vec![file("markers.csv")];
    links.extend(plot_files("markers"));
    let proliferative: Vec<String> =
        (0..analysis.clusters.len()).filter(|&k| analysis.clusters[k].proliferative).map(|k| k.to_string()).collect();
    Section {
        id: "clusters".into(),
        title: "Clusters".into(),
        question: "What are the clusters, and do they come from all lots?".into(),
        finding: html! {
            p {
                (words::several(analysis.clusters.len(), "cluster")) " were found. "
                @if proliferative.is_empty() {
                    "None is proliferative."
                } @else {
                    @if proliferative.len() == 1 { "Cluster " (proliferative[0]) " is" } @else { "Clusters " (words::list(&proliferative)) " are" }
                    " proliferative: mostly in S or G2M phase."
                }
            }
        },
        figures: vec![Figure {
            scenes: vec![plots::markers::figure(analysis)],
            flows: false,
            caption: "Top marker genes of each cluster.".into(),
            reading:
                "The larger a dot, the more of the cluster's cells express the gene; the darker, the better it tells \
                      them from all other cells (AUC, averaged over lots)."
                    .into(),
            links,
        }],
        tables: vec![Table {
            caption: "Clusters by falling size".into(),
            columns: columns.map(Column::from).to_vec(),
            rows: rows.collect(),
            links: vec![file("clusters.csv"), file("markers.csv")],
        }],
        method: "Markers are found lot by lot: a cell of the cluster against a cell outside, within each lot, then \
                 averaged over lots."
            .into(),
    }
}

/// The resolution sweep; `None` if there was none or if it did not name the clusters.
pub(super) fn resolution(analysis: &Analysis) -> Option<Section> {
    if analysis.resolution.len() < 2 {
        return None;
    }
    let chosen = analysis.resolution.iter().find(|row| row.chosen);
    let rows = analysis.resolution.iter().map(|row| {
        vec![
            Cell::Number(row.resolution.to_string()),
            Cell::Number(row.n_clusters.to_string()),
            Cell::Number(row.n_stable.to_string()),
            Cell::Number(fixed(row.worth, 2)),
            Cell::Number(fixed(row.stability, 3)),
            Cell::Number(fixed(row.quality, 3)),
            Cell::Flag(if row.chosen { "chosen".into() } else { String::new() }),
        ]
    });
    let columns = [
        &metrics::RESOLUTION,
        &metrics::N_CLUSTERS,
        &metrics::N_STABLE,
        &metrics::WORTH,
        &metrics::STABILITY,
        &metrics::QUALITY,
        &metrics::NOTE,
    ];
    let mut links = vec![file("resolution.csv")];
    links.extend(plot_files("resolution"));
    Some(Section {
        id: "resolution".into(),
        title: "Resolution of the clusters".into(),
        question: "Would other cells of the same lots give the same clusters?".into(),
        finding: html! {
            p {
                @if let Some(row) = chosen {
                    "Resolution " (row.resolution) " was chosen: " (words::several(row.n_clusters, "cluster"))
                    ", stability " (fixed(row.stability, 3)) ". "
                }
                @if analysis.params.clusters.method != ClusterMethod::Leiden {
                    "The clusters of this report were found by another method; Leiden gave their number only if none was set."
                }
            }
        },
        figures: vec![Figure {
            scenes: vec![plots::resolution::figure(analysis)],
            flows: false,
            caption: "Stability at each resolution, with the number of clusters; the chosen one stands out.".into(),
            reading: "Near 1, subsamples of the cells give the same clusters again.".into(),
            links,
        }],
        tables: vec![Table {
            caption: "Every resolution tried".into(),
            columns: columns.map(Column::from).to_vec(),
            rows: rows.collect(),
            links: vec![file("resolution.csv")],
        }],
        method: format!(
            "{} of {} of the cells at each resolution, compared with the clusters of all cells. Chosen is the resolution \
             with the largest sum over clusters of (Jaccard index − {}).",
            words::several(analysis.params.resolution.n_subsamples, "random subsample"),
            words::percent(analysis.params.resolution.subsample, 0),
            analysis.params.resolution.min_jaccard
        ),
    })
}
