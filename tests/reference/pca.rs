//! `pca` against scanpy.

use cqa::data::Dataset;
use cqa::steps::cells::{NormalizeParams, Pca, PcaParams, normalize, pca};

use crate::common::{column, fixture, numbers, pearson, shared_data};
use crate::soupx;

/// The components of the genes that scanpy's results rest on.
fn run(data: &Dataset, scale: bool) -> Pca {
    let index = soupx::index_by_unique_symbol(data);
    let file = shared_data("soupx").unwrap().join("ref_scanpy/loadings50.csv.gz");
    let mut genes: Vec<u32> = column(&file, "").iter().map(|symbol| index[symbol]).collect();
    genes.sort_unstable();
    let normalized = normalize(data, &NormalizeParams::default()).unwrap();
    pca(data, &normalized, &genes, &PcaParams { scale, ..PcaParams::default() }).unwrap()
}

/// Compares the first 20 components, sign-free, for every `step`-th cell.
fn compare(ours: &Pca, file: &std::path::Path, step: usize) {
    for component in 0..20 {
        let theirs = numbers(file, &component.to_string());
        let ours: Vec<f64> = ours.scores.column(component).iter().step_by(step).map(|s| f64::from(*s)).collect();
        let r = pearson(&ours, &theirs).abs();
        assert!(r > 0.9999, "component {component}: r = {r}");
        let (a, b) = (ours.iter().map(|x| x * x).sum::<f64>(), theirs.iter().map(|x| x * x).sum::<f64>());
        assert!((a / b - 1.0).abs() < 1e-3, "component {component}: sums of squares {a}, {b}");
    }
}

#[test]
fn scaled_components_equal_scanpys() {
    let Some(data) = soupx::filtered() else { return };
    let ours = run(&data, true);
    let folder = shared_data("soupx").unwrap();
    compare(&ours, &folder.join("ref_scanpy/pca50.csv.gz"), 1);
    let summary: serde_json::Value =
        serde_json::from_str(&crate::common::text(&folder.join("ref_scanpy/summary.json")).replace("NaN", "null"))
            .unwrap();
    for (ours, theirs) in ours.variance_ratio.iter().zip(summary["pca_variance_ratio"].as_array().unwrap()) {
        assert!((ours - theirs.as_f64().unwrap()).abs() < 1e-5);
    }
}

#[test]
fn unscaled_components_equal_scanpys() {
    let Some(data) = soupx::filtered() else { return };
    compare(&run(&data, false), &fixture("pca/soupx_unscaled.csv.gz"), 4);
}
