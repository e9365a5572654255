//! Numbers and lists as they are written in figures and on the page.

/// A missing number.
pub const MISSING: &str = "–";

/// A fixed number of decimals, with a true minus sign.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return match value {
            f64::INFINITY => "∞".into(),
            f64::NEG_INFINITY => "−∞".into(),
            _ => MISSING.into(),
        };
    }
    let text = format!("{value:.decimals$}");
    let zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
    if zero { text.replace('-', "") } else { text.replace('-', "−") }
}

/// So many digits that count, without an exponent below a million millions.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() || value == 0.0 {
        return fixed(value, 0);
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-6..12).contains(&exponent) {
        return with_minus_signs(&format!("{value:.*e}", digits.saturating_sub(1)));
    }
    fixed(value, (digits as i32 - 1 - exponent).max(0) as usize)
}

/// Text with a true minus sign before each negative number.
pub fn with_minus_signs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let negative = c == '-' && matches!(before, ' ' | '(') && rest.peek().is_some_and(char::is_ascii_digit);
        out.push(if negative { '−' } else { c });
        before = c;
    }
    out
}

/// A p-value: two digits that count, at most four decimals, powers of ten below.
pub fn p_value(p: f64) -> String {
    if !p.is_finite() {
        return MISSING.into();
    }
    match p {
        p if p >= 0.995 => "1".into(),
        p if p >= 0.1 => format!("{p:.2}"),
        p if p >= 0.01 => format!("{p:.3}"),
        p if p >= 0.001 => format!("{p:.4}"),
        p if p <= 0.0 => "0".into(),
        p => {
            let mut exponent = p.log10().floor() as i32;
            let mut digits = p / 10f64.powi(exponent);
            if digits >= 9.95 {
                (digits, exponent) = (1.0, exponent + 1);
            }
            format!("{digits:.1}\u{a0}×\u{a0}10{}", raised(exponent))
        }
    }
}

/// `10⁻⁴`; 1 of the exponent 0.
pub fn power_of_ten(exponent: i32) -> String {
    if exponent == 0 { "1".into() } else { format!("10{}", raised(exponent)) }
}

fn raised(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    exponent.to_string().chars().map(|c| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize])).collect()
}

/// `p = 0.012`, with spaces that keep it on one line.
pub fn p_equals(p: f64) -> String {
    // No line break within.
    format!("p\u{a0}=\u{a0}{}", p_value(p))
}

/// A whole number with a comma at each thousand.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A fraction as a percentage.
pub fn percent(fraction: f64, decimals: usize) -> String {
    if fraction.is_finite() { format!("{}\u{a0}%", fixed(100.0 * fraction, decimals)) } else { MISSING.into() }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `1 lot`, `2 lots`.
pub fn several(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(n as u64), if n == 1 { "" } else { "s" })
}

/// Text for a terminal: characters that would steer it, or turn the direction of writing, are shown as their codes; lines stay.
pub fn visible(text: &str) -> std::borrow::Cow<'_, str> {
    let steers = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        (c.is_control() && c != '\n') || turns
    };
    if !text.contains(steers) {
        return text.into();
    }
    let shown = |c: char| if steers(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(fixed(-0.456, 2), "−0.46");
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(with_minus_signs("r from -0.5 to 1 (-2) of lot-3 -x"), "r from −0.5 to 1 (−2) of lot-3 -x");
        assert_eq!(fixed(f64::NAN, 2), "–");
        let written: Vec<String> =
            [1234.56, 12.3456, -0.012345, 0.0, 9.9996e14, f64::NAN].map(|v| significant(v, 4)).to_vec();
        assert_eq!(written, ["1235", "12.35", "−0.01235", "0", "1.000e15", "–"]);
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(percent(0.1234, 1), "12.3\u{a0}%");
        assert_eq!(several(1, "lot"), "1 lot");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }

    #[test]
    fn p_values_keep_two_digits() {
        let words: Vec<String> = [1.0, 0.42, 0.0123, 0.00123, 5.01e-8, 9.99e-5, f64::NAN].map(p_value).to_vec();
        assert_eq!(words, ["1", "0.42", "0.012", "0.0012", "5.0\u{a0}×\u{a0}10⁻⁸", "1.0\u{a0}×\u{a0}10⁻⁴", "–"]);
    }

    #[test]
    fn what_steers_a_terminal_is_shown() {
        assert_eq!(visible("µ — \n„a“"), "µ — \n„a“");
        assert_eq!(visible("\u{1b}[2J\r\u{7}\u{9b}x\u{202e}"), "\\u{1b}[2J\\u{d}\\u{7}\\u{9b}x\\u{202e}");
    }
}
