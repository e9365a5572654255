//! Exact principal components of a sparse matrix, by its second moments.
//!
//! A column's values x become z = clamp((x − mean) / sd, ±max), and principal components are taken of z, centred. All of
//! it without a dense matrix: z(x) − z(0) is 0 where x is 0, and covariances do not feel a column's offset.

use std::ops::Range;

use faer::Mat;
use multiversion::multiversion;
use ndarray::Array2;
use rayon::prelude::*;

use super::column_moments::ColumnMoments;
use super::eigen;
use super::second_moment::{ColumnMap, SecondMoment};
use super::sparse_rows::{BLOCK, Block, Blocks};

/// Components with less than this share of the total variance are rounding.
const NO_VARIANCE: f64 = 1e-12;
/// Components whose scores are summed together.
const LANES: usize = 32;

/// What new rows are multiplied with to get their scores.
#[derive(Debug, Clone, PartialEq)]
pub struct PrincipalComponents {
    /// Columns × components, unit length; in each, the entry of largest magnitude is positive.
    pub loadings: Array2<f64>,
    /// Variance (n − 1) of the scores of each component, falling.
    pub variance: Vec<f64>,
    /// Sum of the variances of all columns, after scaling and clipping.
    pub total_variance: f64,
    /// Mean of each column.
    pub mean: Vec<f64>,
    /// Standard deviation (n − 1) of each column; 1 for constant columns, and for all if not scaled.
    pub standard_deviation: Vec<f64>,
    /// Mean of each column after scaling and clipping; 0 but for rounding where nothing was clipped.
    pub center: Vec<f64>,
    /// Scaled values lie within ± this.
    pub max_value: f64,
}

impl PrincipalComponents {
    /// The first `n_components` of the rows, or as many as have any variance. With `max_value` columns are scaled to unit
    /// variance and clipped there; without they are only centred. Needs at least two rows
    /// and one column.
    pub fn fit(rows: &impl Blocks, n_components: usize, max_value: Option<f64>) -> Self {
        assert!(rows.n_rows() >= 2 && rows.n_columns() >= 1, "variance needs two rows and a column");
        let (moments, n_nonzero) = column_moments(rows);
        let mean: Vec<f64> = (0..rows.n_columns()).map(|j| moments.mean(j)).collect();
        let variance: Vec<f64> = (0..rows.n_columns()).map(|j| moments.variance(j)).collect();
        let standard_deviation = match max_value {
            Some(_) => variance.iter().map(|v| if *v == 0.0 { 1.0 } else { v.sqrt() }).collect(),
            None => vec![1.0; mean.len()],
        };
        let max_value = max_value.unwrap_or(f64::INFINITY);
        let map = column_map(&mean, &standard_deviation, max_value);
        let moment = SecondMoment::of(rows, &n_nonzero, &map);
        let mut covariance = moment.covariance();
        // Rounding must not turn a constant column into a component.
        for (j, _) in variance.iter().enumerate().filter(|(_, v)| **v == 0.0) {
            covariance.row_mut(j).fill(0.0);
            covariance.col_mut(j).fill(0.0);
        }
        let total_variance = (0..mean.len()).map(|j| covariance[(j, j)]).sum();
        let k = n_components.min(rows.n_rows() - 1).min(mean.len());
        let pairs = eigen::largest(covariance.as_ref(), k);
        let k = pairs.values.iter().take_while(|v| **v > NO_VARIANCE * total_variance).count();
        let center = (0..mean.len())
            .map(|j| moment.sum[j] / rows.n_rows() as f64 - (mean[j] / standard_deviation[j]).min(max_value))
            .collect();
        Self {
            loadings: with_signs(&pairs.vectors, k),
            variance: pairs.values[..k].to_vec(),
            total_variance,
            mean,
            standard_deviation,
            center,
            max_value,
        }
    }

    /// Number of components.
    pub fn n_components(&self) -> usize {
        self.variance.len()
    }

    /// Scores, rows × components. The rows need not be those of the fit.
    pub fn project(&self, rows: &impl Blocks) -> Array2<f32> {
        let (p, k) = self.loadings.dim();
        assert_eq!(rows.n_columns(), p, "columns as in the fit");
        let map = column_map(&self.mean, &self.standard_deviation, self.max_value);
        // What a row of zeros scores.
        let offset: Vec<f64> = (0..k)
            .map(|c| {
                (0..p)
                    .map(|j| {
                        let zero = -(self.mean[j] / self.standard_deviation[j]).min(self.max_value);
                        (zero - self.center[j]) * self.loadings[(j, c)]
                    })
                    .sum()
            })
            .collect();
        let mut scores = Array2::<f32>::zeros((rows.n_rows(), k));
        let out = scores.as_slice_mut().expect("a new array is contiguous");
        // As many components at a time as sums stay in registers.
        let tables: Vec<(Range<usize>, Vec<f64>)> = (0..k)
            .step_by(LANES)
            .map(|first| {
                let components = first..(first + LANES).min(k);
                let mut table = vec![0.0; p * LANES];
                for (j, lanes) in table.chunks_exact_mut(LANES).enumerate() {
                    lanes.iter_mut().zip(components.clone()).for_each(|(lane, c)| *lane = self.loadings[(j, c)]);
                }
                (components, table)
            })
            .collect();
        rows.visit(&mut |first, blocks| {
            let out = &mut out[first * BLOCK * k..];
            out.par_chunks_mut((BLOCK * k).max(1)).zip(blocks).for_each(|(out, block)| {
                for (components, table) in &tables {
                    project_block(block, &map, table, &offset, components.clone(), out);
                }
            });
        });
        scores
    }
}

/// Some components' scores of a block: of its non-zeros only, in lanes of fixed number and without fused products, so that
/// they are the same on every processor.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2"))]
fn project_block(
    block: &Block,
    map: &ColumnMap,
    loadings: &[f64],
    offset: &[f64],
    components: Range<usize>,
    out: &mut [f32],
) {
    let (loadings, _) = loadings.as_chunks::<LANES>();
    let k = offset.len();
    for (row, out) in out.chunks_mut(k).enumerate() {
        let (columns, values) = block.row(row);
        let mut sums = [0.0_f64; LANES];
        for (&column, &value) in columns.iter().zip(values) {
            let value = f64::from(map.apply(column, value));
            let loadings = &loadings[column as usize];
            for lane in 0..LANES {
                sums[lane] += value * loadings[lane];
            }
        }
        for (lane, component) in components.clone().enumerate() {
            out[component] = (sums[lane] + offset[component]) as f32;
        }
    }
}

/// Sums and squares of each column, and its number of non-zeros.
fn column_moments(rows: &impl Blocks) -> (ColumnMoments, Vec<usize>) {
    let p = rows.n_columns();
    let (mut sum, mut n_nonzero) = (ColumnMoments::new(p), vec![0; p]);
    rows.visit(&mut |_, blocks| {
        let parts: Vec<(ColumnMoments, Vec<u32>)> = blocks
            .par_iter()
            .map(|block| {
                let (mut part, mut n_nonzero) = (ColumnMoments::new(p), vec![0; p]);
                part.add_rows(block.n_rows());
                for (column, value) in block.entries() {
                    part.add(column, f64::from(value));
                    n_nonzero[column as usize] += 1;
                }
                (part, n_nonzero)
            })
            .collect();
        for (part, of_part) in &parts {
            sum.merge(part);
            n_nonzero.iter_mut().zip(of_part).for_each(|(sum, n)| *sum += *n as usize);
        }
    });
    (sum, n_nonzero)
}

/// z(x) − z(0) of each column.
fn column_map(mean: &[f64], standard_deviation: &[f64], max_value: f64) -> ColumnMap {
    let ratio = || mean.iter().zip(standard_deviation).map(|(m, s)| m / s);
    ColumnMap {
        factor: standard_deviation.iter().map(|s| (1.0 / s) as f32).collect(),
        shift: ratio().map(|r| (r - max_value).max(0.0) as f32).collect(),
        top: ratio().map(|r| (r.min(max_value) + max_value) as f32).collect(),
    }
}

/// The first `k` vectors, each with the sign that makes its entry of largest magnitude positive.
fn with_signs(vectors: &Mat<f64>, k: usize) -> Array2<f64> {
    let mut out = Array2::from_shape_fn((vectors.nrows(), k), |(j, c)| vectors[(j, c)]);
    for mut column in out.columns_mut() {
        let largest = column.iter().fold(0.0_f64, |best, &x| if x.abs() > best.abs() { x } else { best });
        if largest < 0.0 {
            column.mapv_inplace(|x| -x);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::stream;
    use crate::math::sparse_rows::SparseRows;
    use rand::RngExt;

    /// 3,000 × 300 with a strong direction and columns of 2 to 60 % non-zeros; the last column is constant.
    fn dense() -> Array2<f32> {
        let mut rng = stream(7, "principal components test", 0);
        let mut out = Array2::zeros((3000, 300));
        for mut row in out.rows_mut() {
            let factor: f32 = rng.random();
            for (j, x) in row.iter_mut().enumerate() {
                let level = if j % 3 == 0 { factor } else { 0.5 };
                if rng.random::<f32>() < level * (0.04 + j as f32 / 250.0) {
                    *x = rng.random::<f32>() * 3.0;
                }
            }
            row[299] = 1.7;
        }
        out
    }

    fn sparse(dense: &Array2<f32>) -> SparseRows {
        SparseRows::from_fn(dense.nrows(), dense.ncols(), |row, out| {
            for (j, &x) in dense.row(row).iter().enumerate().filter(|e| *e.1 != 0.0) {
                out.push(j as u32, x);
            }
        })
    }

    /// Scaled, clipped and centred the plain way.
    fn prepared(dense: &Array2<f32>, max_value: Option<f64>) -> Array2<f64> {
        let mut out = dense.mapv(f64::from);
        for mut column in out.columns_mut() {
            let mean = column.mean().unwrap();
            let sd = column.std(1.0);
            let (sd, max) = max_value.map_or((1.0, f64::INFINITY), |max| (if sd < 1e-6 { 1.0 } else { sd }, max));
            column.mapv_inplace(|x| ((x - mean) / sd).clamp(-max, max));
            let mean = column.mean().unwrap();
            column.mapv_inplace(|x| x - mean);
        }
        out
    }

    #[test]
    fn components_are_eigenvectors_of_the_dense_covariance() {
        let dense = dense();
        let rows = sparse(&dense);
        for max_value in [None, Some(10.0), Some(1.5)] {
            let fit = PrincipalComponents::fit(&rows, 20, max_value);
            let z = prepared(&dense, max_value);
            let covariance = z.t().dot(&z) / 2999.0;
            let residual = covariance.dot(&fit.loadings)
                - &fit.loadings * &Array2::from_shape_vec((1, 20), fit.variance.clone()).unwrap();
            let worst = residual.iter().fold(0.0_f64, |a, r| a.max(r.abs()));
            assert!(worst < 1e-5 * fit.variance[0], "{max_value:?}: {worst}");
            assert!((fit.total_variance - covariance.diag().sum()).abs() < 1e-5 * fit.total_variance);
            let scores = fit.project(&rows).mapv(f64::from);
            let worst = (z.dot(&fit.loadings) - &scores).iter().fold(0.0_f64, |a, r| a.max(r.abs()));
            assert!(worst < 1e-4, "{max_value:?}: {worst}");
            for (c, column) in scores.columns().into_iter().enumerate() {
                assert!((column.var(1.0) / fit.variance[c] - 1.0).abs() < 1e-5);
                assert!(column.mean().unwrap().abs() < 1e-4);
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let rows = sparse(&dense());
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let fit = PrincipalComponents::fit(&rows, 10, Some(10.0));
                let scores = fit.project(&rows);
                (fit, scores)
            })
        };
        assert!(run(1) == run(2));
    }

    #[test]
    fn a_constant_column_changes_nothing() {
        let dense = dense();
        let fit = PrincipalComponents::fit(&sparse(&dense), 10, Some(10.0));
        let fewer = dense.slice(ndarray::s![.., ..299]).to_owned();
        let without = PrincipalComponents::fit(&sparse(&fewer), 10, Some(10.0));
        for (a, b) in fit.variance.iter().zip(&without.variance) {
            assert!((a / b - 1.0).abs() < 1e-10);
        }
        assert!(fit.loadings.row(299).iter().all(|x| x.abs() < 1e-12));
    }

    #[test]
    fn there_are_as_many_components_as_the_data_have_dimensions() {
        let dense = dense().slice(ndarray::s![..6, ..]).to_owned();
        let fit = PrincipalComponents::fit(&sparse(&dense), 50, Some(10.0));
        assert_eq!(fit.n_components(), 5);
        let nothing = SparseRows::from_fn(4, 3, |_, out| out.push(1, 2.5));
        assert_eq!(PrincipalComponents::fit(&nothing, 2, Some(10.0)).n_components(), 0);
    }
}
