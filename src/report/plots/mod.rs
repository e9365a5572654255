//! The figures of a run, each a pure function from results to a [`Scene`].

pub mod attribute_lots;
pub mod beside_reference;
pub mod composition;
pub mod deviation;
pub mod forest;
pub mod gates;
pub mod influence;
pub mod mapped_lot;
pub mod markers;
pub mod neighborhoods;
pub mod potency;
pub mod power;
pub mod resolution;
pub mod screen;
pub mod specification_curve;
pub mod umap;

use rayon::prelude::*;

use crate::data::Comparison;
use crate::pipeline::{Analysis, Ranked};
use crate::report::draw::{Mode, Scene, png, svg};
use crate::steps::process::Compared;

/// A figure as files.
#[derive(Debug, Clone, PartialEq)]
pub struct PlotFile {
    /// File name without ending.
    pub name: String,
    /// The figure as SVG.
    pub svg: String,
    /// The figure as PNG, 192 pixels per inch.
    pub png: Vec<u8>,
}

/// Every figure of a run, ready to be written to `plots/`.
pub fn all(analysis: &Analysis, ranked: &[Ranked]) -> Vec<PlotFile> {
    let mut scenes: Vec<(String, Scene)> = Vec::new();
    if let Some(scene) = umap::by_lot(analysis) {
        scenes.push(("umap_lot".into(), scene));
    }
    if let Some(scene) = umap::by_cluster(analysis) {
        scenes.push(("umap_cluster".into(), scene));
    }
    scenes.push(("composition".into(), composition::figure(analysis)));
    scenes.push(("deviation".into(), deviation::figure(analysis)));
    scenes.push(("markers".into(), markers::figure(analysis)));
    if analysis.resolution.len() > 1 {
        scenes.push(("resolution".into(), resolution::figure(analysis)));
    }
    for ranked in ranked {
        scenes.push((potency::name(&ranked.association.readout), potency::figure(analysis, ranked)));
        let readout = &ranked.association.readout;
        scenes.extend(influence::figure(analysis, ranked).map(|scene| (influence::name(readout), scene)));
        let curve = specification_curve::figure(analysis, ranked);
        scenes.extend(curve.map(|scene| (specification_curve::name(readout), scene)));
        if let Some(scene) = neighborhoods::figure(analysis, ranked) {
            scenes.push((neighborhoods::name(&ranked.association.readout), scene));
        }
    }
    scenes.into_par_iter().map(|(name, scene)| files(name, &scene)).collect()
}

/// Every figure of a comparison, ready to be written to `plots/`.
pub fn comparison(comparison: &Comparison, compared: &Compared) -> Vec<PlotFile> {
    let mut plots = vec![files("forest".into(), &forest::figure(comparison, compared))];
    for index in 0..compared.judged.len() {
        plots.push(files(format!("attribute_{}", index + 1), &attribute_lots::figure(comparison, compared, index)));
    }
    plots
}

/// A figure as files.
pub fn files(name: String, scene: &Scene) -> PlotFile {
    PlotFile { name, svg: svg::svg(scene, Mode::File), png: png::png(scene) }
}
