//! `qc` against scanpy's `calculate_qc_metrics`.

use cqa::steps::cells::{QcParams, qc};

use crate::common::{numbers, shared_data};
use crate::soupx;

#[test]
fn measures_equal_scanpys() {
    let Some(data) = soupx::whole() else { return };
    let metrics = qc(&data, &QcParams::default()).unwrap().metrics;
    let file = shared_data("soupx").unwrap().join("ref_scanpy/qc_obs.csv.gz");
    let whole = |column, ours: &[u32]| {
        let theirs = numbers(&file, column);
        assert!(theirs.len() == ours.len() && theirs.iter().zip(ours).all(|(t, o)| *t == f64::from(*o)), "{column}");
    };
    whole("total_counts", &metrics.n_counts);
    whole("n_genes_by_counts", &metrics.n_genes);
    // scanpy writes percentages with the digits of a float, or more; ours are the nearest f32.
    let percentage = |column, ours: &[f32]| {
        let theirs = numbers(&file, column);
        let worst = theirs.iter().zip(ours).map(|(t, o)| (t - f64::from(*o)).abs()).fold(0.0, f64::max);
        assert!(theirs.len() == ours.len() && worst < 1e-5, "{column}: {worst}");
    };
    percentage("pct_counts_mt", &metrics.pct_mito);
    percentage("pct_counts_ribo", &metrics.pct_ribo);
    percentage("pct_counts_in_top_50_genes", &metrics.pct_top_50);
}
