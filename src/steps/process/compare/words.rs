//! Numbers in the words of a verdict.

/// Three digits that count, no more than needed.
pub fn short(value: f64) -> String {
    if value.is_nan() {
        return "unknown".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞".into() } else { "-∞".into() };
    }
    let size = value.abs();
    if size >= 1e6 || (size > 0.0 && size < 1e-4) {
        return format!("{value:.2e}");
    }
    let decimals = if size == 0.0 { 0 } else { (2 - size.log10().floor() as i32).clamp(0, 6) as usize };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".into() } else { text.into() }
}

/// `low to high`, or one end where there is no other.
pub fn interval(low: f64, high: f64) -> String {
    if low.is_nan() && high.is_nan() {
        return "unknown".into();
    }
    match (low == f64::NEG_INFINITY, high == f64::INFINITY) {
        (true, true) => "anything".into(),
        (true, false) => format!("up to {}", short(high)),
        (false, true) => format!("from {} up", short(low)),
        (false, false) => format!("{} to {}", short(low), short(high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let words: Vec<String> =
            [0.0, 1.0, -0.123_456, 90.0, 1234.5, 1e-7, 2.5e7, 0.000_999_9, f64::NAN].map(short).to_vec();
        assert_eq!(words, ["0", "1", "-0.123", "90", "1234", "1.00e-7", "2.50e7", "0.001", "unknown"]);
        assert_eq!(interval(-1.0, f64::INFINITY), "from -1 up");
        assert_eq!(interval(f64::NEG_INFINITY, 0.25), "up to 0.25");
        assert_eq!(interval(-0.5, 0.5), "-0.5 to 0.5");
        assert_eq!(interval(f64::NAN, f64::NAN), "unknown");
    }
}
