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

/// [`log_scaled`] of one cell's counts, bit for bit: small counts, which nearly all are, are looked up.
#[derive(Debug, Clone)]
pub struct LogTable {
    scale: f64,
    small: [f32; 16],
}

impl LogTable {
    /// The table of a cell.
    pub fn new(scale: f64) -> Self {
        Self { scale, small: std::array::from_fn(|count| log_scaled(count as u32, scale)) }
    }

    /// ln(1 + `count · scale`).
    #[inline]
    pub fn value(&self, count: u32) -> f32 {
        self.small.get(count as usize).copied().unwrap_or_else(|| log_scaled(count, self.scale))
    }
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
        let table = LogTable::new(2.0);
        assert!((0..40).all(|count| table.value(count) == log_scaled(count, 2.0)));
    }
}
