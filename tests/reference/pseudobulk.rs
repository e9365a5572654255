//! Pseudobulk sums against muscat's, exactly.

use cqa::data::{Dataset, Lot, LotSheet, LotSource};
use cqa::io::ReadParams;
use cqa::io::tenx_mtx::read_tenx_mtx;
use cqa::steps::lots::{PseudobulkParams, pseudobulk};

use crate::common;

/// The lots of `muscat` with a cluster per cell, in the order of the names.
pub fn muscat() -> Option<(Dataset, Vec<u32>, Vec<String>)> {
    let folder = common::shared_data("muscat")?.join("mtx");
    let raw = read_tenx_mtx(&folder, &ReadParams::default()).unwrap();
    let obs = folder.join("obs.csv");
    assert_eq!(common::column(&obs, ""), raw.barcodes);
    let (samples, types) = (common::column(&obs, "sample_id"), common::column(&obs, "cluster_id"));
    let levels = |values: &[String]| {
        let mut levels = values.to_vec();
        levels.sort();
        levels.dedup();
        levels
    };
    let clusters = levels(&types);
    let (mut lots, mut labels) = (Vec::new(), Vec::new());
    for name in levels(&samples) {
        let keep: Vec<bool> = samples.iter().map(|s| *s == name).collect();
        let here = (0..keep.len()).filter(|&cell| keep[cell]);
        labels.extend(here.clone().map(|cell| clusters.binary_search(&types[cell]).unwrap() as u32));
        let barcodes = here.map(|cell| raw.barcodes[cell].clone()).collect();
        lots.push(Lot { name, barcodes, counts: raw.counts.select_cells(&keep) });
    }
    let source = |l: &Lot| LotSource { lot: l.name.clone(), path: "".into(), subset: None };
    let sheet = LotSheet { lots: lots.iter().map(source).collect(), columns: Vec::new() };
    Some((Dataset::new(raw.genes, lots, sheet).unwrap(), labels, clusters))
}

#[test]
fn sums_equal_muscats_exactly() {
    let Some((dataset, labels, clusters)) = muscat() else { return };
    let ours = pseudobulk(&dataset, &labels, clusters.len(), &PseudobulkParams::default());
    let mut sum = ours.all.clone();
    for (k, cluster) in clusters.iter().enumerate() {
        let name: String = cluster.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        let file = common::shared_data("muscat").unwrap().join(format!("ref_r/pseudobulk_{name}.csv"));
        assert_eq!(common::column(&file, ""), dataset.genes().symbols(), "genes in the same order");
        for (lot, name) in dataset.lot_names().iter().enumerate() {
            let theirs = common::numbers(&file, name);
            for (gene, theirs) in theirs.into_iter().enumerate() {
                assert_eq!(ours.clusters[k][[lot, gene]] as f64, theirs, "{cluster}, {name}, gene {gene}");
                sum[[lot, gene]] -= ours.clusters[k][[lot, gene]];
            }
        }
    }
    assert!(sum.iter().all(|left| *left == 0), "the clusters make up all cells");
}
