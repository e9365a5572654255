//! Operating characteristics: how often a plan says *comparable* where nothing changed, and where something did.
//!
//! Lots are normal on the scale of comparison, with one standard deviation before and after, a change shifts their mean. The
//! chance of *comparable* by TOST is exact (Owen's integral) unless the margin is a multiple of the pre lots' own standard
//! deviation; all else is counted over simulated studies, with its Monte Carlo error.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::rules::{margin_ends, mean_sd, n_needed, n_within, range_factor, range_of};
use crate::data::{Attribute, Comparison, ComparisonDesign, MarginUnit, Multiplicity, Range, Rule, Side};
use crate::math::equivalence::{Variances, power_one_sample, power_unpaired};
use crate::math::intervals::sd_limit;
use crate::math::rng::stream;

/// True differences looked at, in units of the margin.
pub const SHIFTS: [f64; 4] = [0.0, 0.5, 1.0, 1.5];

/// Confidence of the upper limit of the standard deviation.
pub const SD_CONFIDENCE: f64 = 0.95;

/// Studies of one random stream; fixed, so that the number of threads does not matter.
const CHUNK: usize = 500;

/// Which standard deviation of the lots is taken for true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SdBasis {
    /// That of the pre lots.
    Pre,
    /// Its upper confidence limit: the pre lots may vary less than lots do.
    Upper,
}

impl SdBasis {
    /// The word of tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pre => "pre",
            Self::Upper => "upper_95",
        }
    }
}

/// What one attribute, or all of them, can show if the truth is so.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatingRow {
    /// Place of the attribute in the plan; `None`: all of them together.
    pub attribute: Option<usize>,
    /// Pre lots (or pairs).
    pub n_pre: usize,
    /// Post lots (or pairs).
    pub n_post: usize,
    /// Which standard deviation is taken for true.
    pub basis: SdBasis,
    /// That standard deviation; NaN for all attributes together.
    pub sd: f64,
    /// True difference in units of the margin.
    pub shift: f64,
    /// True difference on the scale of comparison; NaN for all together.
    pub difference: f64,
    /// Chance of *comparable*.
    pub comparable: f64,
    /// Chance of *not comparable*.
    pub not_comparable: f64,
    /// Chance of *comparable* by a formula, not by counting.
    pub exact: bool,
    /// Monte Carlo standard error, the larger of what was counted; 0 if nothing was.
    pub error: f64,
}

/// Rows for every attribute and for all together. `pre`: values of each attribute; `n_post`: post lots of each.
pub fn operating(comparison: &Comparison, pre: &[Vec<f64>], n_post: &[usize]) -> Vec<OperatingRow> {
    let is_tost = |a: &&Attribute| matches!(a.rule, Rule::Tost { .. });
    let n_tested = comparison.attributes.iter().filter(is_tost).count();
    let alpha = match comparison.multiplicity {
        Multiplicity::None => comparison.alpha,
        Multiplicity::Holm | Multiplicity::Bonferroni => comparison.alpha / n_tested.max(1) as f64,
    };
    let mut rows: Vec<OperatingRow> = Vec::new();
    for (i, attribute) in comparison.attributes.iter().enumerate() {
        let (_, sd) = mean_sd(&pre[i]);
        for basis in [SdBasis::Pre, SdBasis::Upper] {
            let sd = match basis {
                SdBasis::Pre => sd,
                SdBasis::Upper => sd_limit(sd, pre[i].len(), SD_CONFIDENCE),
            };
            // The pre lots of pairs are as many as the post lots, though all of them tell how lots vary.
            let n_pre = if comparison.design == ComparisonDesign::Paired { n_post[i] } else { pre[i].len() };
            let found = operating_at(comparison, attribute, alpha, (n_pre, n_post[i]), sd);
            rows.extend(found.into_iter().map(|row| OperatingRow { attribute: Some(i), basis, ..row }));
        }
    }
    let smallest = |n: &mut dyn Iterator<Item = usize>| n.min().unwrap_or(0);
    let (n_pre, n_post) = (smallest(&mut rows.iter().map(|r| r.n_pre)), smallest(&mut n_post.iter().copied()));
    for basis in [SdBasis::Pre, SdBasis::Upper] {
        for shift in SHIFTS {
            let of: Vec<&OperatingRow> = rows.iter().filter(|row| row.basis == basis && row.shift == shift).collect();
            rows.push(OperatingRow {
                attribute: None,
                n_pre,
                n_post,
                basis,
                sd: f64::NAN,
                shift,
                difference: f64::NAN,
                comparable: of.iter().map(|row| row.comparable).product(),
                not_comparable: 1.0 - of.iter().map(|row| 1.0 - row.not_comparable).product::<f64>(),
                exact: false,
                error: of.iter().map(|row| row.error.powi(2)).sum::<f64>().sqrt(),
            });
        }
    }
    rows
}

/// One attribute at a true standard deviation `sd`, tested at `alpha` with `n` pre and post lots (or pairs).
pub fn operating_at(
    comparison: &Comparison,
    attribute: &Attribute,
    alpha: f64,
    (n_pre, n_post): (usize, usize),
    sd: f64,
) -> Vec<OperatingRow> {
    let study = Study::new(comparison, attribute, alpha, (n_pre, n_post), sd);
    let known = sd > 0.0 && sd.is_finite();
    let counts = if known { study.counted(comparison.n_simulations, comparison.seed) } else { [[0; 2]; SHIFTS.len()] };
    let total = comparison.n_simulations as f64;
    let row = |(i, &shift): (usize, &f64)| {
        let [comparable, not_comparable] = counts[i].map(|n| if known { n as f64 / total } else { f64::NAN });
        let formula = if known { study.exact(shift) } else { None };
        let error = |p: f64| (p * (1.0 - p) / total).sqrt();
        let counted = if formula.is_some() { 0.0 } else { error(comparable) };
        OperatingRow {
            attribute: None,
            n_pre,
            n_post,
            basis: SdBasis::Pre,
            sd,
            shift,
            difference: shift * study.unit * sd,
            comparable: formula.unwrap_or(comparable),
            not_comparable,
            exact: formula.is_some(),
            error: counted.max(error(not_comparable)),
        }
    };
    SHIFTS.iter().enumerate().map(row).collect()
}

/// Studies of one attribute, in units of the true standard deviation.
struct Study<'a> {
    attribute: &'a Attribute,
    /// That of the attribute, a tolerance interval with its factor worked out.
    rule: Rule,
    alpha: f64,
    n_pre: usize,
    n_post: usize,
    /// Correlation within pairs; `None` without pairs.
    paired: Option<f64>,
    /// Margins; multiples of the pre lots' own standard deviation where `of_pre_sd`.
    margins: (f64, f64),
    of_pre_sd: bool,
    /// The difference of one margin, with its sign.
    unit: f64,
}

impl<'a> Study<'a> {
    fn new(
        comparison: &Comparison,
        attribute: &'a Attribute,
        alpha: f64,
        (n_pre, n_post): (usize, usize),
        sd: f64,
    ) -> Self {
        let margin = attribute.margin.as_ref();
        let of_pre_sd = margin.is_some_and(|m| m.unit == MarginUnit::Sd);
        let margins = margin.map_or((f64::NAN, f64::NAN), |margin| {
            let (low, high) = margin_ends(margin, attribute, 1.0);
            if of_pre_sd { (low, high) } else { (low / sd, high / sd) }
        });
        let paired = (comparison.design == ComparisonDesign::Paired).then_some(comparison.pair_correlation);
        let rule = match attribute.rule {
            Rule::Range { range: range @ Range::Tolerance { .. }, share_within, min_pre } => {
                let k = range_factor(n_pre, range, attribute.side);
                Rule::Range { range: Range::Quality { k }, share_within, min_pre }
            }
            rule => rule,
        };
        let mut study = Self { attribute, rule, alpha, n_pre, n_post, paired, margins, of_pre_sd, unit: f64::NAN };
        study.unit = study.unit(comparison.seed);
        study
    }

    /// The nearer margin; of a range without one, its distance from the mean.
    fn unit(&self, seed: u64) -> f64 {
        let (low, high) = self.margins;
        if !low.is_nan() {
            return if -low < high { low } else { high };
        }
        let sign = if self.attribute.side == Side::Lower { -1.0 } else { 1.0 };
        let Rule::Range { range, .. } = self.rule else { return f64::NAN };
        if range != Range::MinMax {
            return sign * range_factor(self.n_pre, range, self.attribute.side);
        }
        let mut rng = stream(seed, "largest of so many", self.n_pre as u64);
        let largest = |rng: &mut ChaCha8Rng| normals(rng, self.n_pre).into_iter().fold(f64::NEG_INFINITY, f64::max);
        sign * (0..2_000).map(|_| largest(&mut rng)).sum::<f64>() / 2_000.0
    }

    /// Chance of *comparable* by TOST, where it has a formula.
    fn exact(&self, shift: f64) -> Option<f64> {
        let Rule::Tost { pooled } = self.rule else { return None };
        if self.of_pre_sd {
            return None;
        }
        let difference = shift * self.unit;
        let chance = match self.paired {
            Some(r) => power_one_sample(difference, (2.0 - 2.0 * r).sqrt(), self.n_post, self.margins, self.alpha),
            None => {
                let variances = if pooled { Variances::Pooled } else { Variances::Welch };
                power_unpaired(difference, (1.0, 1.0), (self.n_post, self.n_pre), self.margins, self.alpha, variances)
            }
        };
        // Too few lots: the rule never says comparable.
        Some(if chance.is_nan() { 0.0 } else { chance })
    }

    /// Per shift: studies that end as *comparable* and as *not comparable*.
    fn counted(&self, n_studies: usize, seed: u64) -> [[u64; 2]; SHIFTS.len()] {
        let quantiles = Quantiles::new(self);
        let chunks: Vec<usize> = (0..n_studies.div_ceil(CHUNK)).collect();
        let of_chunk = |&chunk: &usize| {
            let mut rng = stream(seed, "operating characteristics", chunk as u64);
            let mut counts = [[0_u64; 2]; SHIFTS.len()];
            for _ in 0..CHUNK.min(n_studies - chunk * CHUNK) {
                let pre = normals(&mut rng, self.n_pre);
                let mut post = normals(&mut rng, self.n_post);
                if let Some(r) = self.paired {
                    let rest = (1.0 - r * r).sqrt();
                    post.iter_mut().zip(&pre).for_each(|(post, pre)| *post = r * pre + rest * *post);
                }
                match self.rule {
                    Rule::Tost { pooled } => self.count_tost(&pre, &post, pooled, &quantiles, &mut counts),
                    Rule::Range { range, share_within, min_pre } => {
                        self.count_range(&pre, &mut post, range, share_within, min_pre, &mut counts);
                    }
                }
            }
            counts
        };
        let parts: Vec<[[u64; 2]; SHIFTS.len()]> = chunks.par_iter().map(of_chunk).collect();
        let mut sum = [[0; 2]; SHIFTS.len()];
        for part in parts {
            sum.iter_mut().flatten().zip(part.iter().flatten()).for_each(|(sum, n)| *sum += n);
        }
        sum
    }

    fn count_tost(&self, pre: &[f64], post: &[f64], pooled: bool, quantiles: &Quantiles, counts: &mut [[u64; 2]]) {
        let ((mean_pre, sd_pre), (mean_post, sd_post)) = (mean_sd(pre), mean_sd(post));
        let (n_pre, n_post) = (pre.len() as f64, post.len() as f64);
        let (error, df) = if self.paired.is_some() {
            let differences: Vec<f64> = post.iter().zip(pre).map(|(a, b)| a - b).collect();
            (mean_sd(&differences).1 / n_post.sqrt(), n_post - 1.0)
        } else if pooled {
            let df = n_pre + n_post - 2.0;
            let squares =
                [(sd_pre, n_pre), (sd_post, n_post)].map(|(sd, n)| if n < 2.0 { 0.0 } else { sd * sd * (n - 1.0) });
            (((squares[0] + squares[1]) / df * (1.0 / n_pre + 1.0 / n_post)).sqrt(), df)
        } else {
            let (a, b) = (sd_pre * sd_pre / n_pre, sd_post * sd_post / n_post);
            ((a + b).sqrt(), (a + b).powi(2) / (a * a / (n_pre - 1.0) + b * b / (n_post - 1.0)))
        };
        if !(error > 0.0 && df > 0.0) {
            return;
        }
        let scale = if self.of_pre_sd { sd_pre } else { 1.0 };
        let (low, high) = (self.margins.0 * scale, self.margins.1 * scale);
        let half = quantiles.at(df) * error;
        for (count, shift) in counts.iter_mut().zip(SHIFTS) {
            let estimate = mean_post - mean_pre + shift * self.unit;
            count[0] += u64::from(low <= estimate - half && estimate + half <= high);
            count[1] += u64::from(estimate - half > high || estimate + half < low);
        }
    }

    fn count_range(
        &self,
        pre: &[f64],
        post: &mut [f64],
        range: Range,
        share_within: f64,
        min_pre: usize,
        counts: &mut [[u64; 2]],
    ) {
        if pre.len() < min_pre || post.is_empty() {
            return;
        }
        let ends = range_of(pre, range, self.attribute.side);
        let needed = n_needed(post.len(), share_within);
        let mut before = 0.0;
        for (count, shift) in counts.iter_mut().zip(SHIFTS) {
            post.iter_mut().for_each(|x| *x += (shift - before) * self.unit);
            before = shift;
            let enough = n_within(post, ends) >= needed;
            count[usize::from(!enough)] += 1;
        }
    }
}

fn normals(rng: &mut ChaCha8Rng, n: usize) -> Vec<f64> {
    (0..n).map(|_| StandardNormal.sample(rng)).collect()
}

/// Student's quantiles of 1 − α between the degrees of freedom that a study can have, by 1 / df.
struct Quantiles {
    from: f64,
    step: f64,
    values: Vec<f64>,
}

impl Quantiles {
    const N: usize = 400;

    fn new(study: &Study<'_>) -> Self {
        let (n_pre, n_post) = (study.n_pre as f64, study.n_post as f64);
        let most = if study.paired.is_some() { n_post - 1.0 } else { n_pre + n_post - 2.0 };
        let (from, to) = (1.0 / most.max(1.0), 1.0 / (n_pre.min(n_post) - 1.0).clamp(1.0, most.max(1.0)));
        let step = (to - from) / Self::N as f64;
        let at = |i: usize| {
            let student =
                StudentsT::new(0.0, 1.0, 1.0 / (from + step * i as f64)).expect("positive degrees of freedom");
            student.inverse_cdf(1.0 - study.alpha)
        };
        let n = if step > 0.0 { Self::N } else { 0 };
        Self { from, step, values: (0..=n).map(at).collect() }
    }

    fn at(&self, df: f64) -> f64 {
        if self.values.len() == 1 {
            return self.values[0];
        }
        let place = ((1.0 / df - self.from) / self.step).clamp(0.0, Self::N as f64);
        let left = (place as usize).min(Self::N - 1);
        self.values[left] + (self.values[left + 1] - self.values[left]) * (place - left as f64)
    }
}

#[cfg(test)]
mod tests;
