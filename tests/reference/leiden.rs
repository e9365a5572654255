//! `leiden` against leidenalg and the known optimum of the karate club.

use cqa::math::graph::Graph;
use cqa::math::modularity::modularity;
use cqa::steps::clusters::{LeidenParams, leiden};

use crate::common;

/// A symmetric graph of undirected edges.
fn graph(n: usize, edges: &[(usize, usize, f32)]) -> Graph {
    let mut rows = vec![Vec::new(); n];
    for &(a, b, w) in edges {
        rows[a].push((b as u32, w));
        rows[b].push((a as u32, w));
    }
    let mut out = Graph { starts: vec![0], targets: vec![], weights: vec![] };
    for mut row in rows {
        row.sort_by_key(|e| e.0);
        out.targets.extend(row.iter().map(|e| e.0));
        out.weights.extend(row.iter().map(|e| e.1));
        out.starts.push(out.targets.len());
    }
    out
}

/// The PBMC connectivities, with 2m.
fn pbmc(folder: &std::path::Path) -> (Graph, f64) {
    let text = common::text(&folder.join("pbmc_connectivities.mtx.gz"));
    let mut lines = text.lines().filter(|l| !l.starts_with('%'));
    let n: usize = lines.next().unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let edges: Vec<_> = lines
        .map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let at = |i: usize| fields[i].parse::<usize>().unwrap() - 1;
            (at(0), at(1), fields[2].parse::<f32>().unwrap())
        })
        .collect();
    let total = edges.iter().map(|e| 2.0 * f64::from(e.2)).sum();
    (graph(n, &edges), total)
}

#[test]
fn karate_club_is_split_at_its_optimum() {
    let Some(folder) = common::shared_data("graphs") else { return };
    let text = common::text(&folder.join("karate_edges.csv"));
    let edges: Vec<_> = text
        .lines()
        .filter_map(|line| {
            let (a, b) = line.split_once(',')?;
            Some((a.trim().parse().ok()?, b.trim().parse().ok()?, 1.0))
        })
        .collect();
    assert_eq!(edges.len(), 78);
    for seed in 0..5 {
        let found = leiden(&graph(34, &edges), 1.0, &LeidenParams::default(), seed).unwrap();
        assert!((found.quality - 0.419_789_6).abs() < 1e-7, "seed {seed}: {}", found.quality);
    }
}

#[test]
fn quality_is_within_the_band_of_leidenalg() {
    let Some(folder) = common::shared_data("graphs") else { return };
    let reference: serde_json::Value =
        serde_json::from_str(&common::text(&folder.join("reference.json"))).expect("reference.json");
    let (graph, total) = pbmc(&folder);
    for resolution in [0.25, 0.5, 1.0, 2.0] {
        let band = &reference[format!("pbmc_RB_r{resolution:?}")];
        let [worst, mean, best] = ["quality_min", "quality_mean", "quality_max"].map(|k| band[k].as_f64().unwrap());
        // leidenalg's quality is 2m times the modularity.
        for n_starts in [1, 3] {
            let params = LeidenParams { n_starts, ..LeidenParams::default() };
            let mut sum = 0.0;
            for seed in 0..5 {
                let found = leiden(&graph, resolution, &params, seed).unwrap();
                assert!((modularity(&graph, &found.labels, resolution) - found.quality).abs() < 1e-12);
                let quality = found.quality * total;
                println!(
                    "resolution {resolution}, {n_starts} starts, seed {seed}: {quality:.2} in {worst:.2}..{best:.2}"
                );
                // A single start may miss the band, as one of leidenalg's may; the default may not.
                assert!(
                    quality >= worst || n_starts == 1,
                    "resolution {resolution}, seed {seed}: {quality} below {worst}"
                );
                sum += quality / 5.0;
            }
            assert!(sum >= mean, "resolution {resolution}, {n_starts} starts: mean {sum} below leidenalg's {mean}");
        }
    }
}
