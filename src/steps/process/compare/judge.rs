//! Verdicts: every attribute by its rule, then what that says of the lots as a whole.

use super::rules::{Groups, margin_ends, mean_sd, n_needed, n_within, range_of, tost};
use super::words::{interval, short};
use crate::data::{Attribute, Comparison, ComparisonDesign, Multiplicity, Rule};
use crate::math::equivalence::{Tost, judged};

/// What can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The rule is met.
    Comparable,
    /// The rule is broken: a difference that matters was shown.
    NotComparable,
    /// Neither is shown; this is not sameness.
    Inconclusive,
}

impl Outcome {
    /// The word of tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Comparable => "comparable",
            Self::NotComparable => "not_comparable",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotComparable => "not comparable",
            other => other.word(),
        }
    }
}

/// One attribute. On its scale of comparison; NaN where there is no such number.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What was compared, and how.
    pub attribute: Attribute,
    /// Pre lots (or pairs) with a value.
    pub n_pre: usize,
    /// Post lots (or pairs) with a value.
    pub n_post: usize,
    /// Mean and standard deviation of the pre lots.
    pub pre: (f64, f64),
    /// Mean and standard deviation of the post lots.
    pub post: (f64, f64),
    /// TOST: difference of means, post − pre. Ranges: mean of the post lots.
    pub estimate: f64,
    /// TOST: lower end of the 1 − 2α interval. Ranges: the smallest post lot.
    pub low: f64,
    /// Upper end; the largest post lot.
    pub high: f64,
    /// TOST: lower margin. Ranges: lower end.
    pub margin_low: f64,
    /// Upper margin or end.
    pub margin_high: f64,
    /// TOST: p of the hypothesis that the difference lies at or below the lower margin.
    pub p_low: f64,
    /// TOST: p of the hypothesis that it lies at or above the upper margin.
    pub p_high: f64,
    /// TOST: level after the correction for several attributes.
    pub alpha: f64,
    /// Ranges: post lots within.
    pub n_within: Option<usize>,
    /// What can be said.
    pub verdict: Outcome,
    /// Why.
    pub reason: String,
}

/// What the attributes say together.
#[derive(Debug, Clone, PartialEq)]
pub struct Overall {
    /// Comparable only if every attribute is, and potency was among them.
    pub verdict: Outcome,
    /// A potency attribute was tested.
    pub potency_tested: bool,
    /// What stands in the way, one sentence each.
    pub missing: Vec<String>,
}

/// Judges every attribute. `groups`: one per attribute of the plan.
pub fn judge(comparison: &Comparison, groups: &[Groups]) -> (Vec<Judged>, Overall) {
    let found: Vec<(Tost, (f64, f64))> = comparison
        .attributes
        .iter()
        .zip(groups)
        .map(|(attribute, groups)| match (attribute.rule, &attribute.margin) {
            (Rule::Tost { pooled }, Some(margin)) => {
                let margins = margin_ends(margin, attribute, mean_sd(&groups.pre).1);
                (tost(groups, comparison.design, pooled, margins, comparison.alpha), margins)
            }
            _ => (NOTHING, (f64::NAN, f64::NAN)),
        })
        .collect();
    let levels = levels(comparison, &found);
    let judged: Vec<Judged> = (0..groups.len())
        .map(|i| {
            let attribute = &comparison.attributes[i];
            match attribute.rule {
                Rule::Tost { .. } => by_tost(attribute, &groups[i], comparison.design, found[i], levels[i]),
                Rule::Range { .. } => by_range(attribute, &groups[i], comparison.design),
            }
        })
        .collect();
    let overall = overall(&judged);
    (judged, overall)
}

const NOTHING: Tost = Tost {
    estimate: f64::NAN,
    standard_error: f64::NAN,
    df: f64::NAN,
    low: f64::NAN,
    high: f64::NAN,
    p_lower: f64::NAN,
    p_upper: f64::NAN,
    p: f64::NAN,
};

/// The level of each attribute tested by TOST.
///
/// Holm's steps go over the smaller p of an attribute's two possible findings, comparable and not comparable, of which at most
/// one is an error: the smallest is held against α / m, the next against α / (m − 1), up to the first that fails, whose level
/// the rest shares.
fn levels(comparison: &Comparison, found: &[(Tost, (f64, f64))]) -> Vec<f64> {
    let tested: Vec<usize> =
        (0..found.len()).filter(|&i| matches!(comparison.attributes[i].rule, Rule::Tost { .. })).collect();
    let alpha = comparison.alpha;
    let mut levels = vec![f64::NAN; found.len()];
    match comparison.multiplicity {
        Multiplicity::None => tested.iter().for_each(|&i| levels[i] = alpha),
        Multiplicity::Bonferroni => tested.iter().for_each(|&i| levels[i] = alpha / tested.len() as f64),
        Multiplicity::Holm => {
            // What can't be tested has the largest p.
            let p_of = |i: usize| {
                let tost = &found[i].0;
                let beyond = (1.0 - tost.p_lower).min(1.0 - tost.p_upper);
                if tost.p.is_nan() { 1.0 } else { tost.p.min(beyond) }
            };
            let mut order = tested.clone();
            order.sort_by(|&a, &b| p_of(a).total_cmp(&p_of(b)));
            let mut failed: Option<f64> = None;
            for (rank, &i) in order.iter().enumerate() {
                let level = failed.unwrap_or(alpha / (order.len() - rank) as f64);
                levels[i] = level;
                if failed.is_none() && p_of(i) > level {
                    failed = Some(level);
                }
            }
        }
    }
    levels
}

fn by_tost(
    attribute: &Attribute,
    groups: &Groups,
    design: ComparisonDesign,
    (tost, margins): (Tost, (f64, f64)),
    alpha: f64,
) -> Judged {
    let level = interval_level(alpha);
    let known = tost.p.is_finite();
    let tost = if known { judged(tost.estimate, tost.standard_error, tost.df, margins, alpha) } else { tost };
    let words = format!("the {level} interval of the difference, {}", interval(tost.low, tost.high));
    let within = interval(margins.0, margins.1);
    let (verdict, reason) = if !known {
        let what = if design == ComparisonDesign::Paired { "pairs" } else { "lots" };
        let cause = if groups.pre.len() < 2 || groups.post.len() < 2 {
            format!("too few {what} with a value ({} before, {} after)", groups.pre.len(), groups.post.len())
        } else {
            format!("the values of the {what} don't vary, so the error of their difference can't be known")
        };
        (Outcome::Inconclusive, cause)
    } else if margins.0 <= tost.low && tost.high <= margins.1 && groups.n_missing > 0 {
        let missing = words_of_missing(groups.n_missing, design);
        (Outcome::Inconclusive, format!("{words}, would lie within the margin {within}, but {missing}"))
    } else if margins.0 <= tost.low && tost.high <= margins.1 {
        (Outcome::Comparable, format!("{words}, lies within the margin {within}"))
    } else if tost.low > margins.1 || tost.high < margins.0 {
        (Outcome::NotComparable, format!("{words}, lies wholly beyond the margin {within}"))
    } else {
        (Outcome::Inconclusive, format!("{words}, lies neither within the margin {within} nor wholly beyond it"))
    };
    Judged {
        attribute: attribute.clone(),
        n_pre: groups.pre.len(),
        n_post: groups.post.len(),
        pre: mean_sd(&groups.pre),
        post: mean_sd(&groups.post),
        estimate: tost.estimate,
        low: tost.low,
        high: tost.high,
        margin_low: margins.0,
        margin_high: margins.1,
        p_low: tost.p_lower,
        p_high: tost.p_upper,
        alpha,
        n_within: None,
        verdict,
        reason,
    }
}

/// Lots without a value may be the ones that differ.
fn words_of_missing(n: usize, design: ComparisonDesign) -> String {
    let one = if design == ComparisonDesign::Paired { "pair" } else { "post lot" };
    let verb = if n == 1 { format!("{one} has") } else { format!("{one}s have") };
    format!("{n} {verb} no value, and the plan does not allow that")
}

fn interval_level(alpha: f64) -> String {
    format!("{} %", short(100.0 * (1.0 - 2.0 * alpha)))
}

fn by_range(attribute: &Attribute, groups: &Groups, design: ComparisonDesign) -> Judged {
    let Rule::Range { range, share_within, min_pre } = attribute.rule else { unreachable!("called for ranges") };
    let Groups { pre, post, n_missing } = groups;
    let (pre_mean_sd, post_mean_sd) = (mean_sd(pre), mean_sd(post));
    let few = pre.len() < min_pre;
    let ends = if few { (f64::NAN, f64::NAN) } else { range_of(pre, range, attribute.side) };
    // A lot without a value counts as one that was made and does not lie within.
    let (within, needed) = (n_within(post, ends), n_needed(post.len() + n_missing, share_within));
    let counted = format!("{within} of {} post lots lie within {}", post.len(), interval(ends.0, ends.1));
    let (verdict, reason) = if few {
        let message = format!("{} pre lots give no meaningful range; the plan asks for {min_pre}", pre.len());
        (Outcome::Inconclusive, message)
    } else if pre_mean_sd.1 == 0.0 {
        (Outcome::Inconclusive, "the pre lots don't vary, so they give no range".into())
    } else if post.is_empty() {
        (Outcome::Inconclusive, "no post lot has a value".into())
    } else if within >= needed {
        (Outcome::Comparable, counted)
    } else if within + n_missing >= needed {
        let missing = words_of_missing(*n_missing, design);
        (Outcome::Inconclusive, format!("{counted}; {needed} are needed, and {missing}"))
    } else {
        (Outcome::NotComparable, format!("{counted}; {needed} are needed"))
    };
    let ends_of_post = if post.is_empty() { (f64::NAN, f64::NAN) } else { span(post) };
    Judged {
        attribute: attribute.clone(),
        n_pre: pre.len(),
        n_post: post.len(),
        pre: pre_mean_sd,
        post: post_mean_sd,
        estimate: post_mean_sd.0,
        low: ends_of_post.0,
        high: ends_of_post.1,
        margin_low: ends.0,
        margin_high: ends.1,
        p_low: f64::NAN,
        p_high: f64::NAN,
        alpha: f64::NAN,
        n_within: (!few).then_some(within),
        verdict,
        reason,
    }
}

fn span(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |ends, &x| (ends.0.min(x), ends.1.max(x)))
}

impl Overall {
    /// Takes *comparable* away for a reason that is no attribute's.
    pub fn forbid(&mut self, reason: String) {
        self.missing.push(reason);
        if self.verdict == Outcome::Comparable {
            self.verdict = Outcome::Inconclusive;
        }
    }
}

/// Comparable only if every attribute is, and at least one of them is potency.
fn overall(judged: &[Judged]) -> Overall {
    let potency_tested = judged.iter().any(|one| one.attribute.potency);
    let labels = |verdict: Outcome| -> Vec<String> {
        judged.iter().filter(|one| one.verdict == verdict).map(|one| one.attribute.label()).collect()
    };
    let (broken, open) = (labels(Outcome::NotComparable), labels(Outcome::Inconclusive));
    let mut missing = Vec::new();
    if !broken.is_empty() {
        missing.push(format!("not comparable: {}", broken.join(", ")));
    }
    if !open.is_empty() {
        missing.push(format!("inconclusive: {}", open.join(", ")));
    }
    if !potency_tested {
        missing.push(
            "potency was not tested: no attribute has role = \"potency\", and without it cells that look alike are not shown \
             to act alike"
                .into(),
        );
    }
    let verdict = if !broken.is_empty() {
        Outcome::NotComparable
    } else if missing.is_empty() {
        Outcome::Comparable
    } else {
        Outcome::Inconclusive
    };
    Overall { verdict, potency_tested, missing }
}

#[cfg(test)]
mod tests;
