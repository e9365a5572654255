//! Top markers of each cluster: how many cells express them, and how well they tell the cluster apart.

use crate::pipeline::Analysis;
use crate::report::draw::scene::rectangle;
use crate::report::draw::{Anchor, Face, Ink, Paint, Scene, Shape, Stroke, Text, color, font};

/// Markers shown per cluster.
const PER_CLUSTER: usize = 4;
const STEP: f64 = 19.0;
const COLUMN: f64 = 30.0;
const RADIUS: f64 = 8.5;
/// The colour scale begins here; an AUC of one half means no difference.
const LOWEST_AUC: f64 = 0.5;

/// Genes in rows, grouped by the cluster they mark, clusters in columns. A gene that marks several clusters stands at the
/// first.
pub fn figure(analysis: &Analysis) -> Scene {
    const SIZE: f64 = 10.5;
    let n_clusters = analysis.clusters.len();
    let groups = groups(analysis);
    let symbols = analysis.genes.symbols();
    let name = |gene: u32| font::shorten(&symbols[gene as usize], Face::Oblique, SIZE, 150.0);
    let genes = || groups.iter().flat_map(|(_, genes)| genes.iter().copied());
    let widest = genes().map(|gene| font::width(&name(gene), Face::Oblique, SIZE)).fold(40.0, f64::max);
    let (left, top) = (widest + 36.0, 46.0);
    let right = left + COLUMN * n_clusters as f64;
    let mut scene = Scene::new(right + 150.0, 0.0, "Top marker genes of each cluster, as a dot plot");
    scene.text(Text::new(((left + right) / 2.0, 14.0), 10.5, "Cluster").anchor(Anchor::Middle));
    for k in 0..n_clusters {
        let x = left + COLUMN * (k as f64 + 0.5);
        scene.text(Text::new((x, 32.0), 10.5, k.to_string()).face(Face::Bold).anchor(Anchor::Middle));
        scene.add(rectangle(x - COLUMN / 2.0 + 2.0, 37.0, COLUMN - 4.0, 3.0, Ink::Rgb(color::cluster(k))));
    }
    let mut y = top + STEP / 2.0;
    for (owner, genes) in &groups {
        let height = STEP * genes.len() as f64;
        let block = rectangle(left - 10.0, y - STEP / 2.0 + 1.5, 3.5, height - 3.0, Ink::Rgb(color::cluster(*owner)));
        scene.add(block);
        for &gene in genes {
            scene.line((left, y), (right, y), Stroke::solid(Ink::Grid, 0.6));
            let text = Text::new((left - 15.0, y + 3.8), SIZE, name(gene));
            scene.text(text.face(Face::Oblique).anchor(Anchor::End));
            for k in 0..n_clusters {
                let at = (left + COLUMN * (k as f64 + 0.5), y);
                dot(analysis, &mut scene, gene as usize, k, at);
            }
            y += STEP;
        }
        y += 5.0;
    }
    let bottom = legend(&mut scene, right + 26.0, top);
    scene.height = y.max(bottom) + 6.0;
    scene
}

/// Clusters with their markers, each gene once.
fn groups(analysis: &Analysis) -> Vec<(usize, Vec<u32>)> {
    let mut seen = std::collections::BTreeSet::new();
    (0..analysis.clusters.len())
        .map(|k| {
            let top = analysis.effects.top(k, &analysis.params.effects);
            let genes = top.into_iter().filter(|gene| seen.insert(*gene)).take(PER_CLUSTER).collect();
            (k, genes)
        })
        .filter(|(_, genes): &(usize, Vec<u32>)| !genes.is_empty())
        .collect()
}

fn radius(share: f64) -> f64 {
    // The area of a dot, not its width, is what the eye compares.
    RADIUS * share.clamp(0.0, 1.0).sqrt()
}

fn dot(analysis: &Analysis, scene: &mut Scene, gene: usize, cluster: usize, center: (f64, f64)) {
    let effects = &analysis.effects;
    let (share, auc) = (f64::from(effects.share_in[[cluster, gene]]), f64::from(effects.auc[[cluster, gene]]));
    if !share.is_finite() || !auc.is_finite() || share <= 0.0 {
        return;
    }
    let words = format!(
        "{}, cluster {cluster}: {:.0} % of its cells, AUC {auc:.2}, log2 fold change {:.2}",
        analysis.genes.symbols()[gene],
        100.0 * share,
        effects.log2_fc[[cluster, gene]]
    );
    scene.add_titled(disc(center, radius(share), shade(auc)), words);
}

fn shade(auc: f64) -> [u8; 3] {
    color::scale((auc - LOWEST_AUC) / (1.0 - LOWEST_AUC))
}

fn disc(center: (f64, f64), radius: f64, rgb: [u8; 3]) -> Shape {
    let rim = Stroke::solid(Ink::Muted, 0.4);
    Shape::Circle { center, radius, fill: Some(Paint::from(Ink::Rgb(rgb))), stroke: Some(rim) }
}

/// Draws the two scales and returns where they end.
fn legend(scene: &mut Scene, left: f64, top: f64) -> f64 {
    scene.text(Text::new((left, top + 4.0), 10.5, "Cells expressing").face(Face::Bold));
    let mut y = top + 24.0;
    for share in [0.1, 0.25, 0.5, 1.0] {
        let center = (left + RADIUS, y);
        scene.add(disc(center, radius(share), [0x8a, 0x93, 0x9d]));
        scene.text(Text::new((left + 2.0 * RADIUS + 8.0, y + 3.8), 10.0, format!("{:.0} %", 100.0 * share)));
        y += 21.0;
    }
    y += 12.0;
    scene.text(Text::new((left, y), 10.5, "AUC").face(Face::Bold));
    y += 10.0;
    const STEPS: usize = 50;
    let height = 100.0;
    for i in 0..STEPS {
        let auc = 1.0 - (1.0 - LOWEST_AUC) * i as f64 / STEPS as f64;
        let piece = height / STEPS as f64;
        scene.add(rectangle(left, y + piece * i as f64, 14.0, piece + 0.4, Ink::Rgb(shade(auc))));
    }
    for (auc, words) in [(1.0, "1.0"), (0.75, "0.75"), (0.5, "≤ 0.5")] {
        let at = y + height * (1.0 - auc) / (1.0 - LOWEST_AUC);
        scene.text(Text::new((left + 20.0, at + 3.8), 10.0, words));
    }
    y + height + 10.0
}
