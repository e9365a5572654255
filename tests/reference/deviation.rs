//! Distances between lots against scipy.

use cqa::steps::lots::{CompositionParams, DeviationParams, composition, deviation};
use ndarray::Array2;

use crate::common;

#[test]
fn distances_equal_scipys() {
    let (_, cells) = common::rows(&common::fixture("deviation/cells.csv.gz"));
    let codes = |column: usize| -> Vec<u32> { cells.iter().map(|row| row[column].parse().unwrap()).collect() };
    let (lots, clusters) = (codes(0), codes(1));
    let points =
        Array2::from_shape_fn((cells.len(), cells[0].len() - 2), |(i, j)| cells[i][j + 2].parse::<f32>().unwrap());
    let names: Vec<String> = (0..=*lots.last().unwrap()).map(|lot| lot.to_string()).collect();
    let composition = composition(&clusters, 6, &lots, &names, &CompositionParams::default()).unwrap();
    let ours = deviation(&composition, points.view(), &lots, &DeviationParams::default(), 0).unwrap();
    let frozen = common::fixture("deviation/distances.csv");
    let [shannon, aitchison, energy] =
        ["jensen_shannon", "aitchison", "energy"].map(|name| common::numbers(&frozen, name));
    assert_eq!(ours.rows.len(), shannon.len());
    for (lot, row) in ours.rows.iter().enumerate() {
        let pairs = [
            (row.jensen_shannon.value, shannon[lot]),
            (row.aitchison.value, aitchison[lot]),
            (row.energy.value, energy[lot]),
        ];
        for (ours, theirs) in pairs {
            assert!((ours - theirs).abs() < 1e-9 * theirs.max(1.0), "lot {lot}: {ours} {theirs}");
        }
        assert_eq!(row.energy_error, 0.0, "all cells were used");
    }
    // The lot drawn from another composition is the farthest in it.
    let farthest = &ours.rows[4];
    assert_eq!((farthest.jensen_shannon.rank, farthest.aitchison.rank, farthest.energy.rank), (1, 1, 1));
}
