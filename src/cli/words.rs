//! Numbers in words for the terminal.

/// 12345 → `12,345`, as in the report.
pub use cqa::report::words::count as thousands;

/// Lower median; 0 of nothing.
pub fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

/// A p-value with the precision it deserves.
pub fn p_value(p: f64) -> String {
    if p.is_nan() {
        "n/a".into()
    } else if p < 0.001 {
        format!("{p:.1e}")
    } else {
        format!("{p:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!((median(vec![]), median(vec![3]), median(vec![4, 1, 2])), (0, 3, 2));
        assert_eq!((p_value(0.0123), p_value(1e-5)), ("0.012".into(), "1.0e-5".into()));
    }
}
