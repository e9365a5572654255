//! Tests of the whole: do compositions, or the cells themselves, differ between pre and post lots? Lots are permuted.

use ndarray::{Array2, Axis};
use rand::seq::index::sample;

use crate::data::{CellShares, LotRecords, WholeTests};
use crate::math::pair_distances::distance_sums;
use crate::math::permanova::{Exchange, GroupTest, Statistic, two_groups};
use crate::math::rng::stream;

/// What is tested, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeTest {
    /// `composition` or `distribution`.
    pub test: &'static str,
    /// `pseudo_f` or `energy`.
    pub statistic: &'static str,
    /// Pre lots.
    pub n_pre: usize,
    /// Post lots.
    pub n_post: usize,
    /// The result.
    pub found: GroupTest,
}

/// PERMANOVA on Aitchison distances of compositions, with half a cell added to each cluster; over the clusters that both
/// sides have. `pairs`: places of pre and post lot. The error says why there is no test.
pub fn composition_test(
    pre: &LotRecords,
    post: &LotRecords,
    pairs: Option<&[[usize; 2]]>,
    params: &WholeTests,
    seed: u64,
) -> Result<WholeTest, String> {
    let none = || "the lots have no composition".to_string();
    let (before, after) = (pre.clusters.as_ref().ok_or_else(none)?, post.clusters.as_ref().ok_or_else(none)?);
    let common: Vec<&String> = before.names.iter().filter(|name| after.names.contains(name)).collect();
    if common.len() < 2 {
        return Err("fewer than two clusters are common to pre and post lots".into());
    }
    let rows = |shares: &CellShares| -> Vec<Option<Vec<f64>>> {
        let place = |name: &&String| shares.names.iter().position(|n| n == *name).expect("a common name");
        let columns: Vec<usize> = common.iter().map(place).collect();
        let of_lot = |lot: usize| {
            let counts = columns.iter().map(|&c| shares.n_in[[lot, c]]);
            let logs: Vec<f64> = counts.clone().map(|n| (n as f64 + 0.5).ln()).collect();
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            (counts.sum::<u64>() > 0).then(|| logs.iter().map(|log| log - mean).collect())
        };
        (0..shares.n_in.nrows()).map(of_lot).collect()
    };
    let (before, after) = (rows(before), rows(after));
    let lots = Items::new(
        &before.iter().map(Option::is_some).collect::<Vec<_>>(),
        &after.iter().map(Option::is_some).collect::<Vec<_>>(),
        pairs,
    )?;
    let points: Vec<&Vec<f64>> = lots
        .pre
        .iter()
        .filter_map(|&i| before[i].as_ref())
        .chain(lots.post.iter().filter_map(|&i| after[i].as_ref()))
        .collect();
    let distances = Array2::from_shape_fn((points.len(), points.len()), |(i, j)| {
        points[i].iter().zip(points[j]).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    });
    lots.test("composition", &distances, Statistic::PseudoF, params, seed)
}

/// The energy statistic of two groups of lots, on the energy distances between the cells of each two lots. From each lot the
/// same number of cells is drawn. The error says why there is no test.
pub fn distribution_test(
    pre: &LotRecords,
    post: &LotRecords,
    pairs: Option<&[[usize; 2]]>,
    params: &WholeTests,
    seed: u64,
) -> Result<WholeTest, String> {
    let none = || "the lots have no `embedding.parquet`; `cqa freeze` and `cqa map` write one".to_string();
    let (before, after) = (pre.cells.as_ref().ok_or_else(none)?, post.cells.as_ref().ok_or_else(none)?);
    if before.ncols() != after.ncols() {
        return Err(format!("pre lots have {} components, post lots {}", before.ncols(), after.ncols()));
    }
    let enough = |n: &[usize]| n.iter().map(|&n| n >= 2).collect::<Vec<_>>();
    let lots = Items::new(&enough(&pre.n_cells), &enough(&post.n_cells), pairs)?;
    let (mut points, mut sizes) = (Vec::new(), Vec::new());
    for (records, cells, chosen, name) in [(pre, before, &lots.pre, "pre"), (post, after, &lots.post, "post")] {
        for &lot in chosen {
            let start: usize = records.n_cells[..lot].iter().sum();
            let n = records.n_cells[lot];
            let mut rng = stream(seed, &format!("cells of {name} lots"), lot as u64);
            let mut drawn = sample(&mut rng, n, n.min(params.cells_per_lot)).into_vec();
            drawn.sort_unstable();
            let rows: Vec<usize> = drawn.into_iter().map(|cell| start + cell).collect();
            sizes.push(rows.len());
            points.push(cells.select(Axis(0), &rows));
        }
    }
    let views: Vec<_> = points.iter().map(|p| p.view()).collect();
    let all = ndarray::concatenate(Axis(0), &views).expect("lots have the same components");
    let distances = energy_distances(&all, &sizes);
    lots.test("distribution", &distances, Statistic::Energy, params, seed)
}

/// √(2 E|X − Y| − E|X − X′| − E|Y − Y′|) of each two lots; without bias in the square, and 0 where that falls below.
fn energy_distances(points: &Array2<f32>, sizes: &[usize]) -> Array2<f64> {
    let sums = distance_sums(points.view(), sizes);
    let n = sizes.len();
    let mut mean = Array2::<f64>::zeros((n, n));
    let mut start = 0;
    for (i, &size) in sizes.iter().enumerate() {
        for j in 0..n {
            let sum: f64 = sums.slice(ndarray::s![start..start + size, j]).sum();
            let others = if i == j { size - 1 } else { sizes[j] };
            mean[[i, j]] = sum / (size * others) as f64;
        }
        start += size;
    }
    Array2::from_shape_fn((n, n), |(i, j)| {
        if i == j { 0.0 } else { (mean[[i, j]] + mean[[j, i]] - mean[[i, i]] - mean[[j, j]]).max(0.0).sqrt() }
    })
}

/// Lots that take part.
struct Items {
    pre: Vec<usize>,
    post: Vec<usize>,
    paired: bool,
}

impl Items {
    fn new(pre: &[bool], post: &[bool], pairs: Option<&[[usize; 2]]>) -> Result<Self, String> {
        let present = |there: &[bool]| (0..there.len()).filter(|&lot| there[lot]).collect::<Vec<_>>();
        let found = match pairs {
            None => Self { pre: present(pre), post: present(post), paired: false },
            Some(pairs) => {
                let both = pairs.iter().filter(|[a, b]| pre[*a] && post[*b]);
                let (pre, post) = both.map(|[a, b]| (a, b)).unzip();
                Self { pre, post, paired: true }
            }
        };
        if found.pre.is_empty() || found.post.is_empty() || found.pre.len() + found.post.len() < 3 {
            return Err(format!("too few lots with cells ({} before, {} after)", found.pre.len(), found.post.len()));
        }
        Ok(found)
    }

    fn test(
        &self,
        test: &'static str,
        distances: &Array2<f64>,
        statistic: Statistic,
        params: &WholeTests,
        seed: u64,
    ) -> Result<WholeTest, String> {
        let (n_pre, n_post) = (self.pre.len(), self.post.len());
        let second: Vec<bool> = (0..n_pre + n_post).map(|i| i >= n_pre).collect();
        let pairs: Vec<[usize; 2]> = (0..n_pre).map(|i| [i, n_pre + i]).collect();
        let exchange = if self.paired { Exchange::Pairs(&pairs) } else { Exchange::Free };
        let found = two_groups(distances.view(), &second, exchange, statistic, params.n_permutations, seed);
        if found.p.is_nan() {
            return Err("no two lots differ".into());
        }
        let statistic = if statistic == Statistic::PseudoF { "pseudo_f" } else { "energy" };
        Ok(WholeTest { test, statistic, n_pre, n_post, found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CellShares;

    fn of_counts(counts: Array2<u64>) -> LotRecords {
        let names = (0..counts.ncols()).map(|k| k.to_string()).collect();
        LotRecords::of_counts("L", names, counts, Vec::new())
    }

    #[test]
    fn a_change_of_composition_has_the_smallest_p() {
        let pre = of_counts(ndarray::array![[90, 10], [85, 15], [88, 12], [0, 0]]);
        let post = of_counts(ndarray::array![[50, 50], [45, 55], [52, 48], [49, 51]]);
        let params = WholeTests::default();
        let found = composition_test(&pre, &post, None, &params, 1).unwrap();
        assert_eq!((found.n_pre, found.n_post), (3, 4));
        assert_eq!((found.found.p, found.found.smallest_p), (1.0 / 35.0, 1.0 / 35.0));
        let pairs = [[0, 0], [1, 1], [2, 2], [3, 3]];
        let found = composition_test(&pre, &post, Some(&pairs), &params, 1).unwrap();
        // The fourth pair has a lot without cells; three pairs have four groupings that differ.
        assert_eq!((found.n_pre, found.found.smallest_p), (3, 0.25));
        let mut other = post.clone();
        other.clusters = Some(CellShares { names: vec!["a".into(), "b".into()], ..other.clusters.unwrap() });
        assert!(composition_test(&pre, &other, None, &params, 1).unwrap_err().contains("common"));
    }

    #[test]
    fn cells_of_moved_lots_are_told_from_those_of_alike_lots() {
        let lots = |shift: f32, salt: u64| {
            let mut records = of_counts(Array2::from_elem((4, 2), 40));
            let mut rng = stream(salt, "test", 0);
            let normal = |rng: &mut rand_chacha::ChaCha8Rng| -> f32 {
                rand_distr::Distribution::sample(&rand_distr::StandardNormal, rng)
            };
            records.cells =
                Some(Array2::from_shape_fn((320, 3), |(_, c)| normal(&mut rng) + if c == 0 { shift } else { 0.0 }));
            records.n_cells = vec![80; 4];
            records
        };
        let params = WholeTests { cells_per_lot: 60, ..WholeTests::default() };
        let moved = distribution_test(&lots(0.0, 1), &lots(1.5, 2), None, &params, 3).unwrap();
        assert_eq!(moved.found.p, moved.found.smallest_p);
        assert!((moved.found.smallest_p - 2.0 / 70.0).abs() < 1e-12);
        let alike = distribution_test(&lots(0.0, 4), &lots(0.0, 5), None, &params, 3).unwrap();
        assert!(alike.found.p > 0.05 && alike.found.r_squared < moved.found.r_squared);
        assert_eq!(alike, distribution_test(&lots(0.0, 4), &lots(0.0, 5), None, &params, 3).unwrap());
        assert!(distribution_test(&of_counts(Array2::zeros((1, 2))), &lots(0.0, 1), None, &params, 1).is_err());
    }

    #[test]
    fn energy_distance_of_two_clouds_by_hand() {
        // Two cells at 0 and 2, two at 10 and 12: means of distances 10 between, 2 within.
        let points = ndarray::array![[0.0_f32], [2.0], [10.0], [12.0]];
        let distances = energy_distances(&points, &[2, 2]);
        assert!((distances[[0, 1]] - 16.0_f64.sqrt()).abs() < 1e-6 && distances[[0, 0]] == 0.0);
    }
}
