//! Elementary functions in plain `f32` arithmetic, for loops over many values.
//!
//! They are within a few units of the last place, the compiler can turn them into vector code, and, unlike those of the
//! system's library, they give the same bits on every platform.

/// Added to a small number and taken away again, this rounds it to the nearest integer (1.5 · 2²³).
const ROUNDER: f32 = 12_582_912.0;

/// 2^x; x below −126 or above 126 is taken as that.
#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    let x = x.clamp(-126.0, 126.0);
    let rounded = x + ROUNDER;
    let whole = rounded.to_bits().wrapping_sub(ROUNDER.to_bits());
    let rest = x - (rounded - ROUNDER);
    // Taylor's series in rest · ln 2, |rest| ≤ 1/2: the first term left out is below 1e-8.
    let t = rest * std::f32::consts::LN_2;
    let series = 1.0 / 720.0 + t * (1.0 / 5040.0);
    let series = 1.0 / 120.0 + t * series;
    let series = 1.0 / 24.0 + t * series;
    let series = 1.0 / 6.0 + t * series;
    let series = 0.5 + t * series;
    let series = 1.0 + t * (1.0 + t * series);
    series * f32::from_bits(whole.wrapping_add(127) << 23)
}

/// e^x; the result lies within 2^±126.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exp2(x * std::f32::consts::LOG2_E)
}

/// log₂ x of a normal positive number.
#[inline(always)]
pub fn log2(x: f32) -> f32 {
    // x = 2^whole · m with m in [√½, √2).
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    let whole = (bits as i32) >> 23;
    let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(SQRT_HALF));
    // ln m = 2 artanh((m − 1)/(m + 1)).
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let series = 1.0 / 7.0 + square * (1.0 / 9.0);
    let series = 1.0 / 5.0 + square * series;
    let series = 1.0 / 3.0 + square * series;
    let series = s + s * square * series;
    whole as f32 + series * (2.0 * std::f32::consts::LOG2_E)
}

/// x^y of a normal positive x.
#[inline(always)]
pub fn pow(x: f32, y: f32) -> f32 {
    exp2(y * log2(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_to_the_exact_functions() {
        for i in -8000..8000 {
            let x = i as f32 * 0.01;
            assert!(
                (f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs() < 2e-7 * f64::from(x.abs().max(4.0)),
                "exp {x}"
            );
            let y = f64::from(exp(x));
            assert!((f64::from(log2(y as f32)) - y.log2()).abs() < 3e-7 * y.log2().abs().max(1.0), "log2 {y}");
        }
        assert_eq!((exp2(0.0), exp2(3.0), exp2(-2.0), log2(1.0), log2(8.0)), (1.0, 8.0, 0.25, 0.0, 3.0));
        assert!((pow(2.0, 0.5) - std::f32::consts::SQRT_2).abs() < 2e-7);
    }

    #[test]
    fn far_ends_stay_finite() {
        assert!(exp(-1e30) > 0.0 && exp(-1e30) < 1.3e-38);
        assert!(exp(1e30).is_finite());
    }
}
