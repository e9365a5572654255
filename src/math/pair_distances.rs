//! Sums of Euclidean distances between the points of groups, by blocks of a matrix product.
//!
//! In double precision throughout: |x − y|² = |x|² + |y|² − 2 x·y of centred points loses about 1e-16 |x|², so that a
//! distance is good to 1e-8 of the extent of the cloud even between points that coincide.

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// Points per block: two blocks and their product stay in the second-level cache.
const BLOCK: usize = 192;
/// Rows of blocks worked on at once; fixed, and their sums are added in order.
const WAVE: usize = 8;

/// For each point, the sum of its distances to the points of each group (points × groups); a point's distance to itself is 0.
///
/// `sizes`: points of each group, which lie one group after the other in `points`. Coordinates must be finite.
///
/// ```
/// let points = ndarray::array![[0.0_f32, 0.0], [3.0, 4.0], [6.0, 8.0]];
/// let sums = cqa::math::pair_distances::distance_sums(points.view(), &[1, 2]);
/// assert!((sums[[0, 1]] - 15.0).abs() < 1e-7 && (sums[[1, 1]] - 5.0).abs() < 1e-7 && sums[[0, 0]] == 0.0);
/// ```
pub fn distance_sums(points: ArrayView2<'_, f32>, sizes: &[usize]) -> Array2<f64> {
    let (n, n_dims) = points.dim();
    assert_eq!(sizes.iter().sum::<usize>(), n, "sizes of the groups add up to the points");
    let n_groups = sizes.len();
    let mut sums = Array2::<f64>::zeros((n, n_groups));
    if n == 0 || n_dims == 0 {
        return sums;
    }
    let cloud = Cloud::new(points, sizes);
    let n_blocks = n.div_ceil(BLOCK);
    for wave in (0..n_blocks).step_by(WAVE) {
        let rows: Vec<usize> = (wave..(wave + WAVE).min(n_blocks)).collect();
        let found: Vec<Vec<f64>> = rows.par_iter().map(|&row| cloud.sums_of_block(row)).collect();
        for (row, found) in rows.into_iter().zip(found) {
            let mut target = sums.slice_mut(ndarray::s![row * BLOCK.., ..]);
            target.iter_mut().zip(found).for_each(|(sum, value)| *sum += value);
        }
    }
    sums
}

/// For each point, the sum of its distances to the `others` of each group (points × groups), whose sizes add up to them.
///
/// ```
/// let (points, others) = (ndarray::array![[0.0_f32, 0.0]], ndarray::array![[3.0_f32, 4.0], [6.0, 8.0]]);
/// let sums = cqa::math::pair_distances::distance_sums_between(points.view(), others.view(), &[1, 1]);
/// assert!((sums[[0, 0]] - 5.0).abs() < 1e-7 && (sums[[0, 1]] - 10.0).abs() < 1e-7);
/// ```
pub fn distance_sums_between(points: ArrayView2<'_, f32>, others: ArrayView2<'_, f32>, sizes: &[usize]) -> Array2<f64> {
    assert_eq!(points.ncols(), others.ncols(), "points and others have the same dimensions");
    assert_eq!(sizes.iter().sum::<usize>(), others.nrows(), "sizes of the groups add up to the others");
    let (n, n_others) = (points.nrows(), others.nrows());
    let mut sums = Array2::<f64>::zeros((n, sizes.len()));
    if n == 0 || n_others == 0 || points.ncols() == 0 {
        return sums;
    }
    // The points stand behind the others, as a group of their own.
    let both = ndarray::concatenate(ndarray::Axis(0), &[others, points]).expect("the same dimensions");
    let cloud = Cloud::new(both.view(), &[sizes, &[n]].concat());
    let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let blocks: Vec<Vec<f64>> = starts
        .par_iter()
        .map(|&start| {
            let own = n_others + start..n_others + (start + BLOCK).min(n);
            let mut sums = vec![0.0; own.len() * sizes.len()];
            let mut products = vec![0.0; BLOCK * BLOCK];
            for first in (0..n_others).step_by(BLOCK) {
                let other = first..(first + BLOCK).min(n_others);
                cloud.multiply(&own, &other, &mut products);
                for (i, a) in own.clone().enumerate() {
                    let line = &products[i * other.len()..(i + 1) * other.len()];
                    for (value, b) in line.iter().zip(other.clone()) {
                        let square = cloud.norms[a] + cloud.norms[b] - 2.0 * value;
                        sums[i * sizes.len() + cloud.group[b]] += square.max(0.0).sqrt();
                    }
                }
            }
            sums
        })
        .collect();
    sums.iter_mut().zip(blocks.into_iter().flatten()).for_each(|(sum, value)| *sum = value);
    sums
}

/// Points around their mean.
struct Cloud {
    n: usize,
    n_dims: usize,
    n_groups: usize,
    /// Point after point.
    coordinates: Vec<f64>,
    norms: Vec<f64>,
    group: Vec<usize>,
}

impl Cloud {
    fn new(points: ArrayView2<'_, f32>, sizes: &[usize]) -> Self {
        let (n, n_dims) = points.dim();
        let mut center = vec![0.0; n_dims];
        for row in points.rows() {
            center.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        center.iter_mut().for_each(|sum| *sum /= n as f64);
        let coordinates: Vec<f64> = points
            .rows()
            .into_iter()
            .flat_map(|row| row.iter().zip(&center).map(|(&x, mean)| f64::from(x) - mean).collect::<Vec<_>>())
            .collect();
        let norms = coordinates.chunks_exact(n_dims).map(|row| row.iter().map(|x| x * x).sum()).collect();
        let group = sizes.iter().enumerate().flat_map(|(g, &size)| std::iter::repeat_n(g, size)).collect();
        Self { n, n_dims, n_groups: sizes.len(), coordinates, norms, group }
    }

    fn range(&self, block: usize) -> std::ops::Range<usize> {
        block * BLOCK..((block + 1) * BLOCK).min(self.n)
    }

    /// Sums for the pairs of a block with itself and with those after it, seen from both sides: (points from the block's
    /// first on) × groups.
    fn sums_of_block(&self, row: usize) -> Vec<f64> {
        let own = self.range(row);
        let mut sums = vec![0.0; (self.n - own.start) * self.n_groups];
        let mut products = vec![0.0; BLOCK * BLOCK];
        for column in row..self.n.div_ceil(BLOCK) {
            let other = self.range(column);
            self.multiply(&own, &other, &mut products);
            for (i, a) in own.clone().enumerate() {
                let line = &mut products[i * other.len()..(i + 1) * other.len()];
                for (value, b) in line.iter_mut().zip(other.clone()) {
                    // Rounding may leave a little less than nothing.
                    *value = (self.norms[a] + self.norms[b] - 2.0 * *value).max(0.0).sqrt();
                }
                if row == column {
                    line[i] = 0.0;
                }
                let (at, group) = ((a - own.start) * self.n_groups, self.group[a]);
                for (&distance, b) in line.iter().zip(other.clone()) {
                    sums[at + self.group[b]] += distance;
                }
                if row != column {
                    for (&distance, b) in line.iter().zip(other.clone()) {
                        sums[(b - own.start) * self.n_groups + group] += distance;
                    }
                }
            }
        }
        sums
    }

    fn multiply(&self, rows: &std::ops::Range<usize>, columns: &std::ops::Range<usize>, out: &mut [f64]) {
        let part = |range: &std::ops::Range<usize>| {
            let values = &self.coordinates[range.start * self.n_dims..range.end * self.n_dims];
            MatRef::from_row_major_slice(values, range.len(), self.n_dims)
        };
        let out = &mut out[..rows.len() * columns.len()];
        let out = MatMut::from_row_major_slice_mut(out, rows.len(), columns.len());
        matmul(out, Accum::Replace, part(rows), part(columns).transpose(), 1.0, Par::Seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_between_two_sets_are_those_of_one() {
        let all = Array2::from_shape_fn((450, 3), |(i, j)| ((i * 31 + j * 7) % 17) as f32);
        let together = distance_sums(all.view(), &[150, 50, 250]);
        let (others, points) = all.view().split_at(ndarray::Axis(0), 200);
        let apart = distance_sums_between(points, others, &[150, 50]);
        let gap = |(at, x): ((usize, usize), &f64)| (x - together[[200 + at.0, at.1]]).abs();
        assert!(apart.indexed_iter().map(gap).fold(0.0, f64::max) < 1e-4);
    }

    fn direct(points: &Array2<f32>, sizes: &[usize]) -> Array2<f64> {
        let group: Vec<usize> = sizes.iter().enumerate().flat_map(|(g, &s)| std::iter::repeat_n(g, s)).collect();
        let mut sums = Array2::zeros((points.nrows(), sizes.len()));
        for i in 0..points.nrows() {
            for j in 0..points.nrows() {
                let pairs = points.row(i).to_vec().into_iter().zip(points.row(j).to_vec());
                let square: f64 = pairs.map(|(a, b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
                sums[[i, group[j]]] += square.sqrt();
            }
        }
        sums
    }

    #[test]
    fn equals_the_direct_sums_over_several_blocks() {
        // Far from the origin, so that centring matters; groups that end within blocks, one of them empty.
        let points = Array2::from_shape_fn((500, 3), |(i, j)| 1000.0 + ((i * 37 + j * 101) % 89) as f32 * 0.25);
        let sizes = [120, 0, 300, 80];
        let (ours, expected) = (distance_sums(points.view(), &sizes), direct(&points, &sizes));
        for (a, b) in ours.iter().zip(&expected) {
            assert!((a - b).abs() <= 1e-9 * b.max(1.0), "{a} {b}");
        }
    }

    #[test]
    fn same_for_one_and_two_threads() {
        let points = Array2::from_shape_fn((3000, 2), |(i, j)| ((i * 7919 + j * 31) % 1009) as f32 * 0.37);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| distance_sums(points.view(), &[1000, 2000]))
        };
        assert_eq!(run(1), run(2));
    }

    #[test]
    fn nothing_at_all() {
        assert_eq!(distance_sums(Array2::<f32>::zeros((0, 3)).view(), &[0, 0]).dim(), (0, 2));
        assert_eq!(distance_sums(Array2::<f32>::zeros((2, 0)).view(), &[2]), Array2::<f64>::zeros((2, 1)));
    }
}
