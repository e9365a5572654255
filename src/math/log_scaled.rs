//! Scaled counts and their logarithms, rounded in one way wherever they are needed.

/// `count · scale`, rounded once: counts that are equal shares of their cells' totals give equal values, so that ties on
/// paper are ties in ranks.
#[inline]
pub fn scaled(count: u32, scale: f64) -> f32 {
    (f64::from(count) * scale) as f32
}

/// ln(1 + `count · scale`).
#[inline]
pub fn log_scaled(count: u32, scale: f64) -> f32 {
    scaled(count, scale).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shares_are_equal_values() {
        for total in 1..2000_u32 {
            let scale = |times: u32| 1e4 / f64::from(times * total);
            for times in [3, 7, 11, 13] {
                assert_eq!(scaled(times, scale(times)), scaled(1, scale(1)), "{times} of {}", times * total);
            }
        }
    }

    #[test]
    fn logarithm_by_hand() {
        assert_eq!(log_scaled(3, 2.0), 7_f32.ln());
        assert_eq!(log_scaled(0, 2.0), 0.0);
    }
}
