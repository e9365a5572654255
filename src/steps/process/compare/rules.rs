//! Rules: one attribute of pre and post lots → estimate, interval or range.

use crate::data::{Attribute, AttributeKind, ComparisonDesign, Margin, MarginUnit, Range, Side};
use crate::math::equivalence::{self, Tost, Variances};
use crate::math::tolerance;

/// Values of the lots that take part; with [`ComparisonDesign::Paired`] those of one place belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// Before the change.
    pub pre: Vec<f64>,
    /// After it.
    pub post: Vec<f64>,
    /// Post lots (or pairs) that should have a value and have none, unless the plan allows that.
    pub n_missing: usize,
}

/// Mean and standard deviation; NaN where there are too few values.
pub fn mean_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    // Rounding leaves equal values a deviation of the last digit.
    let constant = values.windows(2).all(|pair| pair[0] == pair[1]);
    (
        mean,
        if values.len() < 2 {
            f64::NAN
        } else if constant {
            0.0
        } else {
            (squares / (n - 1.0)).sqrt()
        },
    )
}

/// A margin as differences on the scale of comparison. `sd`: of the pre lots.
pub fn margin_ends(margin: &Margin, attribute: &Attribute, sd: f64) -> (f64, f64) {
    let of = |end: f64| match margin.unit {
        MarginUnit::Absolute => end,
        MarginUnit::Sd if end.is_infinite() => end,
        MarginUnit::Sd => end * sd,
        // Genes are compared as log2, everything else that knows ratios as natural logarithms.
        MarginUnit::Ratio if attribute.kind == AttributeKind::Gene => end.log2(),
        MarginUnit::Ratio => end.ln(),
    };
    (of(margin.low), of(margin.high))
}

/// Two one-sided tests of post − pre. Fields are NaN where there are too few values, or where they don't vary.
pub fn tost(groups: &Groups, design: ComparisonDesign, pooled: bool, margins: (f64, f64), alpha: f64) -> Tost {
    let Groups { pre, post, .. } = groups;
    match design {
        ComparisonDesign::Paired => equivalence::paired(post, pre, margins, alpha),
        _ => {
            let variances = if pooled { Variances::Pooled } else { Variances::Welch };
            equivalence::unpaired(post, pre, margins, alpha, variances)
        }
    }
}

/// The range that pre lots give, without ends where only one side matters. (NaN, NaN) with too few lots.
pub fn range_of(pre: &[f64], range: Range, side: Side) -> (f64, f64) {
    let (mean, sd) = mean_sd(pre);
    let (low, high) = match range {
        Range::MinMax if pre.is_empty() => (f64::NAN, f64::NAN),
        Range::MinMax => {
            let ends = |ends: (f64, f64), &x: &f64| (f64::min(ends.0, x), f64::max(ends.1, x));
            pre.iter().fold((f64::INFINITY, f64::NEG_INFINITY), ends)
        }
        Range::Quality { .. } | Range::Tolerance { .. } => {
            let k = range_factor(pre.len(), range, side);
            (mean - k * sd, mean + k * sd)
        }
    };
    match side {
        Side::Both => (low, high),
        Side::Lower => (low, f64::INFINITY),
        Side::Upper => (f64::NEG_INFINITY, high),
    }
}

/// Standard deviations to either side of the mean; NaN for [`Range::MinMax`], which has none.
pub fn range_factor(n: usize, range: Range, side: Side) -> f64 {
    match (range, side) {
        (Range::Quality { k }, _) => k,
        (Range::Tolerance { coverage, confidence }, Side::Both) => tolerance::two_sided(n, coverage, confidence),
        (Range::Tolerance { coverage, confidence }, _) => tolerance::one_sided(n, coverage, confidence),
        (Range::MinMax, _) => f64::NAN,
    }
}

/// Post lots within a range, ends included.
pub fn n_within(post: &[f64], (low, high): (f64, f64)) -> usize {
    post.iter().filter(|&&x| low <= x && x <= high).count()
}

/// Post lots that must lie within.
pub fn n_needed(n_post: usize, share_within: f64) -> usize {
    // A share such as 0.9 of 10 lots is 9, not 10 by a rounding of the product.
    (share_within * n_post as f64 - 1e-9).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_by_hand() {
        let pre = [1.0, 2.0, 3.0, 4.0, 5.0];
        let sd = 2.5_f64.sqrt();
        assert_eq!(range_of(&pre, Range::MinMax, Side::Both), (1.0, 5.0));
        assert_eq!(range_of(&pre, Range::MinMax, Side::Lower), (1.0, f64::INFINITY));
        let (low, high) = range_of(&pre, Range::Quality { k: 2.0 }, Side::Both);
        assert!((low - (3.0 - 2.0 * sd)).abs() < 1e-12 && (high - (3.0 + 2.0 * sd)).abs() < 1e-12);
        let eleven: Vec<f64> = (0..11).map(f64::from).collect();
        let tolerance = Range::Tolerance { coverage: 0.99, confidence: 0.95 };
        let (low, high) = range_of(&eleven, tolerance, Side::Both);
        // Exact, and Howe's approximation, which is what many tables print.
        let k = (high - low) / 2.0 / mean_sd(&eleven).1;
        assert!((k - 4.282).abs() < 0.0005 && (tolerance::howe(11, 0.99, 0.95) - 4.29).abs() < 0.005, "{k}");
        assert!(
            range_of(&[1.0], tolerance, Side::Both).0.is_nan() && range_of(&[], Range::MinMax, Side::Both).0.is_nan()
        );
        assert_eq!((n_within(&[1.0, 5.0, 5.1], (1.0, 5.0)), n_needed(10, 0.9), n_needed(3, 0.9)), (2, 9, 3));
        assert_eq!(mean_sd(&[0.1 + 0.2, 0.1 + 0.2, 0.1 + 0.2]).1, 0.0);
    }

    #[test]
    fn margins_in_their_units() {
        let attribute = |kind| Attribute {
            kind,
            name: "x".into(),
            cluster: "all".into(),
            potency: false,
            transform: crate::data::AttributeTransform::Log,
            side: Side::Both,
            rule: crate::data::Rule::Tost { pooled: false },
            margin: None,
        };
        let readout = attribute(AttributeKind::Readout);
        let ends = |low, high, unit| margin_ends(&Margin { low, high, unit }, &readout, 2.0);
        assert_eq!(ends(-0.5, 1.0, MarginUnit::Absolute), (-0.5, 1.0));
        assert_eq!(ends(-0.5, f64::INFINITY, MarginUnit::Sd), (-1.0, f64::INFINITY));
        let (low, high) = ends(0.8, 1.25, MarginUnit::Ratio);
        assert!((low + high).abs() < 1e-12 && (high - 1.25_f64.ln()).abs() < 1e-15);
        assert_eq!(ends(0.0, 2.0, MarginUnit::Ratio).0, f64::NEG_INFINITY);
        let gene = attribute(AttributeKind::Gene);
        assert_eq!(margin_ends(&Margin { low: 0.5, high: 2.0, unit: MarginUnit::Ratio }, &gene, 9.0), (-1.0, 1.0));
    }

    #[test]
    fn the_difference_is_post_minus_pre_with_and_without_pairs() {
        let groups = Groups { pre: vec![1.0, 2.0, 4.0], post: vec![2.0, 3.5, 5.0], n_missing: 0 };
        let unpaired = tost(&groups, ComparisonDesign::Unpaired, false, (-1.0, f64::INFINITY), 0.05);
        let paired = tost(&groups, ComparisonDesign::Paired, false, (-1.0, f64::INFINITY), 0.05);
        assert!((unpaired.estimate - 7.0 / 6.0).abs() < 1e-12 && (paired.estimate - 7.0 / 6.0).abs() < 1e-12);
        assert!(paired.high - paired.low < unpaired.high - unpaired.low);
        assert!(paired.p_upper == 0.0 && paired.p == paired.p_lower && paired.p < 0.01, "{paired:?}");
    }
}
