//! How large a component's variance can be where there is nothing but noise.

/// Upper edge of the eigenvalues of the sample covariance of independent noise: σ² (1 + √(p / n))² for `n` observations of
/// `p` columns with variance σ², as both grow (Marchenko & Pastur 1967, doi:10.1070/SM1967v001n04ABEH001994).
pub fn noise_edge(variance: f64, n: usize, p: usize) -> f64 {
    variance * (1.0 + (p as f64 / n as f64).sqrt()).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::principal_components::PrincipalComponents;
    use crate::math::rng::stream;
    use crate::math::sparse_rows::SparseRows;
    use rand::RngExt;

    #[test]
    fn noise_stays_below_and_a_planted_direction_does_not() {
        let (n, p) = (600, 200);
        let mut rng = stream(1, "noise", 0);
        let noise: Vec<f32> = (0..n * p).map(|_| (0..12).map(|_| rng.random::<f32>()).sum::<f32>()).collect();
        let first = |shift: f32| {
            let rows = SparseRows::from_fn(n, p, |cell, out| {
                for gene in 0..p {
                    let shift = if cell % 3 == 0 && gene < 20 { shift } else { 0.0 };
                    out.push(gene as u32, noise[cell * p + gene] + shift);
                }
            });
            let fit = PrincipalComponents::fit(&rows, 2, None);
            let edge = noise_edge(fit.total_variance / p as f64, n, p);
            fit.variance.iter().filter(|v| **v > edge).count()
        };
        assert_eq!(first(0.0), 0);
        assert_eq!(first(1.5), 1);
    }
}
