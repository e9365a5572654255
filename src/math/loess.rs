//! Local quadratic regression on one variable.
//!
//! At a vertex v the nearest `span` · n points, weighted by (1 − (|x − v| / h)³)³ with h the distance of the farthest of
//! them, give a parabola by least squares; its value and slope at v are kept. Vertices are the cuts of a k-d tree whose
//! cells hold at most `span` · n / 5 points, and the ends of the data widened by half a percent. Between vertices the
//! curve is the cubic with the values and slopes at both. This is the scheme of `loess` in R and of scikit-misc, with
//! which it agrees to rounding.
//!
//! It differs where many points share an x. There h may hold fewer than three different x, no parabola is determined, and
//! those programs stop or fall back on a pseudo-inverse. Here h grows until three different x lie within.
//!
//! Cleveland & Grosse 1991, Statistics and Computing 1:47, doi:10.1007/BF01890836.

/// Share of a neighbourhood that a cell of the tree may hold.
const CELL: f64 = 0.2;
/// Widening of the data's range at either end.
const MARGIN: f64 = 0.005;
/// Different x within a neighbourhood that determine a parabola.
const N_DISTINCT: usize = 3;

/// Fitted values at each x; `None` if there are fewer than four different x. Values must be finite, `span` in (0, 1].
///
/// ```
/// use cqa::math::loess::loess;
/// let x: Vec<f64> = (0..200).map(|i| f64::from(i) / 20.0).collect();
/// let y: Vec<f64> = x.iter().map(|x| 1.0 + 2.0 * x - 0.5 * x * x).collect();
/// let fitted = loess(&x, &y, 0.3).unwrap();
/// assert!(fitted.iter().zip(&y).all(|(f, y)| (f - y).abs() < 1e-9)); // a parabola is fitted exactly
/// assert_eq!(loess(&[1.0, 1.0, 2.0, 3.0], &[0.0; 4], 0.3), None);
/// ```
pub fn loess(x: &[f64], y: &[f64], span: f64) -> Option<Vec<f64>> {
    assert_eq!(x.len(), y.len(), "one y per x");
    assert!(span > 0.0 && span <= 1.0, "span is a share");
    let n = x.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]).then(a.cmp(&b)));
    let points = Points {
        x: order.iter().map(|&i| x[i]).collect(),
        y: order.iter().map(|&i| y[i]).collect(),
        distinct: {
            let mut distinct: Vec<f64> = order.iter().map(|&i| x[i]).collect();
            distinct.dedup();
            distinct
        },
    };
    if points.distinct.len() <= N_DISTINCT {
        return None;
    }
    // The small term keeps 0.3 · 10 from becoming 2 by rounding.
    let n_near = ((n as f64 * span + 1e-5) as usize).clamp(1, n);
    let vertices = points.vertices((n as f64 * span * CELL) as usize);
    let mut weights = Vec::new();
    let fits: Vec<Parabola> = vertices.iter().map(|&v| points.fit(v, n_near, &mut weights)).collect();
    Some(x.iter().map(|&x| interpolate(&vertices, &fits, x)).collect())
}

/// Value and slope at a vertex.
#[derive(Debug, Clone, Copy)]
struct Parabola {
    value: f64,
    slope: f64,
}

/// Points with rising x.
struct Points {
    x: Vec<f64>,
    y: Vec<f64>,
    distinct: Vec<f64>,
}

impl Points {
    /// Ends and cuts of cells that hold more than `max_in_cell` points, rising.
    fn vertices(&self, max_in_cell: usize) -> Vec<f64> {
        let (first, last) = (self.x[0], self.x[self.x.len() - 1]);
        let margin = MARGIN * (last - first).max(1e-10 * first.abs().max(last.abs()) + 1e-30);
        let mut vertices = vec![first - margin, last + margin];
        // Cells still to look at: their points and their ends.
        let mut cells = vec![(0, self.x.len() - 1, vertices[0], vertices[1])];
        while let Some((low, high, left, right)) = cells.pop() {
            if high - low < max_in_cell || low == high {
                continue;
            }
            let cut = self.place_of_cut(low, high);
            let at = self.x[cut];
            if at == left || at == right {
                continue;
            }
            vertices.push(at);
            cells.push((low, cut, left, at));
            cells.push((cut + 1, high, at, right));
        }
        vertices.sort_by(f64::total_cmp);
        vertices.dedup();
        vertices
    }

    /// The place nearest the middle after which x rises, looking right before left at equal distance; the middle if there
    /// is none before an end of the cell is met.
    fn place_of_cut(&self, low: usize, high: usize) -> usize {
        // Middle as of places counted from 1.
        let middle = (low + high + 2) / 2 - 1;
        for distance in 0.. {
            for place in [Some(middle + distance), middle.checked_sub(distance)] {
                let Some(place) = place.filter(|&place| place >= low && place < high) else { return middle };
                if self.x[place] != self.x[place + 1] {
                    return place;
                }
            }
        }
        unreachable!("the search ends at an end of the cell")
    }

    /// The weighted parabola at `v`. `weights` is a buffer.
    fn fit(&self, v: f64, n_near: usize, weights: &mut Vec<f64>) -> Parabola {
        let radius = self.radius(v, n_near);
        let first = self.x.partition_point(|&x| v - x >= radius);
        let end = self.x.partition_point(|&x| x - v < radius);
        let near = || (first..end).map(|i| ((self.x[i] - v) / radius, self.y[i]));
        weights.clear();
        weights.extend(near().map(|(t, _)| (1.0 - t.abs().powi(3)).powi(3)));
        let sum = |value: &dyn Fn(f64, f64) -> f64| -> f64 {
            near().zip(weights.iter()).map(|((t, y), w)| w * value(t, y)).sum()
        };
        // Polynomials 1, p, q that are orthogonal under these weights: least squares without a matrix.
        let norm_0 = sum(&|_, _| 1.0);
        let a = sum(&|t, _| t) / norm_0;
        let p = |t: f64| t - a;
        let norm_1 = sum(&|t, _| p(t).powi(2));
        let b = sum(&|t, _| t * p(t).powi(2)) / norm_1;
        let c = norm_1 / norm_0;
        let q = |t: f64| (t - b) * p(t) - c;
        let norm_2 = sum(&|t, _| q(t).powi(2));
        let k_0 = sum(&|_, y| y) / norm_0;
        let k_1 = sum(&|t, y| p(t) * y) / norm_1;
        let k_2 = sum(&|t, y| q(t) * y) / norm_2;
        Parabola { value: k_0 + k_1 * p(0.0) + k_2 * q(0.0), slope: (k_1 - k_2 * (a + b)) / radius }
    }

    /// Distance of the `n_near`-th nearest point, or more if fewer than three different x lie nearer than that.
    fn radius(&self, v: f64, n_near: usize) -> f64 {
        // The nearest points are a window; it begins where the point that would enter is no nearer than the one that leaves.
        let (mut low, mut high) = (0, self.x.len() - n_near);
        while low < high {
            let middle = usize::midpoint(low, high);
            if v - self.x[middle] > self.x[middle + n_near] - v { low = middle + 1 } else { high = middle }
        }
        let radius = (v - self.x[low]).abs().max((self.x[low + n_near - 1] - v).abs());
        let first = self.distinct.partition_point(|&x| v - x >= radius);
        let end = self.distinct.partition_point(|&x| x - v < radius);
        if end.saturating_sub(first) >= N_DISTINCT {
            return radius;
        }
        let near = self.distinct.partition_point(|&x| x < v);
        let around = near.saturating_sub(N_DISTINCT + 1)..(near + N_DISTINCT + 1).min(self.distinct.len());
        let mut distances: Vec<f64> = self.distinct[around].iter().map(|x| (x - v).abs()).collect();
        distances.sort_by(f64::total_cmp);
        // Two x may lie at one distance on either side, so take the first distance that leaves three within.
        (N_DISTINCT..distances.len())
            .map(|i| distances[i])
            .find(|&d| distances[N_DISTINCT - 1] < d)
            .unwrap_or_else(|| distances[distances.len() - 1] * 2.0)
    }
}

/// The cubic between the vertices around `x`.
fn interpolate(vertices: &[f64], fits: &[Parabola], x: f64) -> f64 {
    let right = vertices.partition_point(|&v| v < x).clamp(1, vertices.len() - 1);
    let (v0, v1) = (vertices[right - 1], vertices[right]);
    let (f0, f1) = (fits[right - 1], fits[right]);
    let width = v1 - v0;
    let h = (x - v0) / width;
    let g = 1.0 - h;
    g * g * (1.0 + 2.0 * h) * f0.value
        + h * h * (1.0 + 2.0 * g) * f1.value
        + h * g * width * (g * f0.slope - h * f1.slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_ties_leave_no_hole() {
        // Half of all points at x = 0: the nearest 30 % of them have no spread at all.
        let x: Vec<f64> = (0..1000).map(|i| if i < 500 { 0.0 } else { f64::from(i - 500) / 50.0 }).collect();
        let y: Vec<f64> = x.iter().map(|x| x * x - 3.0 * x).collect();
        let fitted = loess(&x, &y, 0.3).unwrap();
        for (f, y) in fitted.iter().zip(&y) {
            assert!((f - y).abs() < 1e-8);
        }
    }

    #[test]
    fn few_points_and_few_places_are_finite() {
        for n in 4..40 {
            let x: Vec<f64> = (0..n).map(|i| f64::from((i * i) % 7)).collect();
            let y: Vec<f64> = x.iter().map(|x| (x * 1.7).sin()).collect();
            for span in [0.01, 0.3, 1.0] {
                if let Some(fitted) = loess(&x, &y, span) {
                    assert!(fitted.iter().all(|f| f.is_finite()), "n = {n}, span = {span}");
                }
            }
        }
    }
}
