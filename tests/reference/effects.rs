//! Lot-wise effects against scikit-learn's area under the curve and numpy's means.

use cqa::steps::cells::{NormalizeParams, normalize};
use cqa::steps::markers::{EffectsParams, effects};

use super::pseudobulk::muscat;
use crate::common;

#[test]
fn effects_equal_those_of_scikit_learn_and_numpy() {
    let Some((dataset, labels, clusters)) = muscat() else { return };
    let normalized = normalize(&dataset, &NormalizeParams::default()).unwrap();
    let ours = effects(&dataset, &normalized, &labels, clusters.len(), &EffectsParams::default()).unwrap();
    let (_, rows) = common::rows(&common::fixture("effects/effects.csv.gz"));
    assert!(rows.len() >= 5 * (dataset.n_genes() / 10));
    let mut worst = [0.0_f64; 4];
    for row in rows {
        let (k, gene) = (clusters.binary_search(&row[0]).unwrap(), row[1].parse::<usize>().unwrap());
        let at = [k, gene];
        for (i, ours) in [&ours.auc, &ours.log2_fc, &ours.share_in, &ours.share_out].into_iter().enumerate() {
            let theirs: f64 = row[i + 2].parse().unwrap();
            worst[i] = worst[i].max((f64::from(ours[at]) - theirs).abs());
        }
        assert_eq!(ours.n_lots[k].to_string(), row[6]);
        assert_eq!(ours.n_lots_up[at].to_string(), row[7], "{row:?}");
    }
    println!("largest differences of AUC, fold change, shares: {worst:?}");
    assert!(worst.iter().all(|w| *w < 2e-6), "{worst:?}");
}
