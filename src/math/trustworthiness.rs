//! How far neighbours in a layout are neighbours in the data (Venna & Kaski 2001).

use ndarray::ArrayView2;
use rayon::prelude::*;

/// 1 if the k nearest in `layout` of each of `queries` are its k nearest in `data`; each neighbour that is not costs as much
/// as its rank in the data exceeds k. Both hold one row per point; needs n > 3k/2 points for the scale to make sense.
///
/// ```
/// let data = ndarray::array![[0.0_f32], [1.0], [3.0], [6.0], [10.0], [15.0]];
/// let all: Vec<usize> = (0..6).collect();
/// assert_eq!(cqa::math::trustworthiness::trustworthiness(data.view(), data.view(), 2, &all), 1.0);
/// ```
pub fn trustworthiness(data: ArrayView2<f32>, layout: ArrayView2<f32>, k: usize, queries: &[usize]) -> f64 {
    let n = data.nrows();
    assert_eq!(n, layout.nrows(), "one place per point");
    assert!(k > 0 && n > k + k / 2 + 1, "more points than neighbours");
    let excess: Vec<u64> = queries
        .par_iter()
        .map(|&query| {
            let near = squared_distances(layout, query);
            let mut order: Vec<usize> = (0..n).filter(|&i| i != query).collect();
            order.select_nth_unstable_by(k - 1, |&i, &j| near[i].total_cmp(&near[j]).then(i.cmp(&j)));
            let far = squared_distances(data, query);
            let mut sorted: Vec<f64> = (0..n).filter(|&i| i != query).map(|i| far[i]).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            order[..k].iter().map(|&i| (sorted.partition_point(|&d| d < far[i]) + 1).saturating_sub(k) as u64).sum()
        })
        .collect();
    let scale = (queries.len() * k * (2 * n - 3 * k - 1)) as f64;
    1.0 - 2.0 * excess.iter().sum::<u64>() as f64 / scale
}

fn squared_distances(points: ArrayView2<f32>, from: usize) -> Vec<f64> {
    let origin = points.row(from);
    let square = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).powi(2);
    points.rows().into_iter().map(|row| row.iter().zip(origin).map(square).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_false_neighbour_costs_its_rank() {
        let data = ndarray::array![[0.0_f32], [1.0], [2.0], [3.0], [4.0]];
        // 4 is put beside 0: as neighbour of 0 it has rank 4, 3 too many; 0 as neighbour of 4 likewise.
        let layout = ndarray::array![[0.0_f32], [1.0], [2.0], [3.0], [-0.5]];
        let got = trustworthiness(data.view(), layout.view(), 1, &[0, 4]);
        assert_eq!(got, 1.0 - 2.0 * 6.0 / (2.0 * 6.0));
        assert_eq!(trustworthiness(data.view(), layout.view(), 1, &[2]), 1.0);
    }
}
