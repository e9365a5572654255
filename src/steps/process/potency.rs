//! Potency model: a readout predicted from the share of one cluster, with an interval that knows how the cluster was chosen.
//!
//! **Question.** What potency would a lot of this composition have, and how sure is that?
//!
//! **Method.** A unit is a lot, or all lots of a donor, whose shares and values are averaged: n counts units. The cluster with
//! the largest |r| of share and readout; a straight line, value = a + b · share. Honest errors: each unit is left out in turn,
//! the cluster chosen anew and the line fitted on the others, and its lots predicted, one by one, from their shares *as mapped
//! by a reference built without them*; e is the error over √(1 + 1/m + (x − x̄)²/Sxx) of that fit with m units. The interval of
//! a new lot is value ± t(n − 2) · s · √(1 + 1/n + (x − x̄)²/Sxx) with s² the mean over units of each unit's mean e²: the
//! classical prediction interval with the residual variance replaced by one that holds the choice of the cluster, the error of
//! mapping and what differs between lots of a donor. t is kept because at 11 lots the
//! jackknife+ has no quantile left between its extremes, and none at all at 95 %. Coverage is measured once more without
//! each unit: its interval is made from the honest errors of the others alone.
//!
//! **Shapes.** Lots × clusters of shares, as in the run and as mapped; a value per lot → one model, one prediction per share.
//!
//! **Beside other tools.** The line alone is that of any least-squares program.
//!
//! **References.** Barber 2021, doi:10.1214/20-AOS1965 (jackknife+); Allen 1974, doi:10.1080/00401706.1974.10489157
//! (errors of prediction without each observation); Varma & Simon 2006, doi:10.1186/1471-2105-7-91 (why the choice belongs
//! inside).

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::placed::{PotencyPoint, PotencySummary, Prediction};

/// Fewest units with a value: without two of them, a line still has two degrees of freedom.
pub const MIN_UNITS: usize = 6;

/// A straight line fitted by least squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Value at x = 0.
    pub intercept: f64,
    /// Change per unit of x.
    pub slope: f64,
    /// Number of points.
    pub n: usize,
    /// Mean of x.
    pub mean: f64,
    /// Sum of squared deviations of x from its mean.
    pub sum_squares: f64,
    /// Residual variance (n − 2).
    pub variance: f64,
    /// Correlation.
    pub r: f64,
}

impl Line {
    /// `None` where x or y does not vary, or with fewer than three points.
    pub fn fit(x: &[f64], y: &[f64]) -> Option<Self> {
        let n = x.len() as f64;
        if x.len() < 3 {
            return None;
        }
        let mean = |v: &[f64]| v.iter().sum::<f64>() / n;
        let (mx, my) = (mean(x), mean(y));
        let sxx: f64 = x.iter().map(|x| (x - mx).powi(2)).sum();
        let syy: f64 = y.iter().map(|y| (y - my).powi(2)).sum();
        let sxy: f64 = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum();
        let tiny = |sum: f64, mean: f64| sum <= n * (1e-12 * mean).powi(2);
        if tiny(sxx, mx) || tiny(syy, my) {
            return None;
        }
        let slope = sxy / sxx;
        let intercept = my - slope * mx;
        let residual: f64 = x.iter().zip(y).map(|(x, y)| (y - intercept - slope * x).powi(2)).sum();
        let variance = residual / (n - 2.0);
        Some(Self { intercept, slope, n: x.len(), mean: mx, sum_squares: sxx, variance, r: sxy / (sxx * syy).sqrt() })
    }

    /// Value at x.
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// √(1 + 1/n + (x − x̄)²/Sxx): standard error of a prediction at x, in units of the error of one value.
    pub fn leverage(&self, x: f64) -> f64 {
        (1.0 + 1.0 / self.n as f64 + (x - self.mean).powi(2) / self.sum_squares).sqrt()
    }

    /// Prediction interval at x of this level, for errors of this standard deviation.
    pub fn interval(&self, x: f64, error: f64, level: f64) -> (f64, f64) {
        let t = StudentsT::new(0.0, 1.0, (self.n - 2) as f64).expect("at least three points");
        let half = t.inverse_cdf(0.5 + level / 2.0) * error * self.leverage(x);
        (self.at(x) - half, self.at(x) + half)
    }
}

/// A readout to be modelled. All have one entry (row) per lot.
#[derive(Clone, Copy)]
pub struct ToModel<'a> {
    /// Name of the readout.
    pub readout: &'a str,
    /// Lot names.
    pub lots: &'a [String],
    /// Values; NaN = missing.
    pub values: &'a [f64],
    /// Lots × clusters: shares in the run.
    pub shares: &'a Array2<f64>,
    /// Lots × clusters: shares as mapped by a reference built without the lot.
    pub mapped: &'a Array2<f64>,
    /// Lots of one unit are left out together.
    pub unit: &'a [usize],
    /// Level of the intervals, 0..1.
    pub level: f64,
}

/// A model that predicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PotencyModel {
    /// What a certificate tells of it.
    pub summary: PotencySummary,
    /// The line over all lots.
    pub line: Line,
    /// Standard deviation of the honest errors.
    pub error: f64,
    /// Smallest and largest share among the lots.
    pub range: [f64; 2],
}

impl PotencyModel {
    /// Fits the model; `verdict` is what the ranking says of each cluster. `None` with too few units, or where no share or
    /// not the readout varies, also without some unit.
    pub fn fit(data: ToModel<'_>, verdict: impl Fn(usize) -> (String, bool)) -> Option<Self> {
        let known = |lot: &usize| data.values[*lot].is_finite() && data.shares.row(*lot).iter().all(|s| s.is_finite());
        let lots: Vec<usize> = (0..data.lots.len()).filter(known).collect();
        let mut units: Vec<usize> = lots.iter().map(|&l| data.unit[l]).collect();
        units.sort_unstable();
        units.dedup();
        if units.len() < MIN_UNITS {
            return None;
        }
        let all = Units::new(&data, &lots, &units);
        let everyone: Vec<usize> = (0..units.len()).collect();
        let (cluster, line) = all.best(&everyone)?;
        let error = all.honest_error(&data, &everyone)?;
        let mut points: Vec<(usize, PotencyPoint)> = Vec::new();
        for &unit in &everyone {
            let others: Vec<usize> = everyone.iter().copied().filter(|&other| other != unit).collect();
            let (chosen, line) = all.best(&others)?;
            let error = all.honest_error(&data, &others)?;
            for &lot in &all.lots[unit] {
                let mapped = data.mapped[[lot, chosen]];
                let (low, high) = line.interval(mapped, error, data.level);
                let point = PotencyPoint {
                    lot: data.lots[lot].clone(),
                    share: data.shares[[lot, cluster]],
                    value: data.values[lot],
                    predicted: line.at(mapped),
                    low,
                    high,
                    cluster: chosen,
                };
                points.push((lot, point));
            }
        }
        points.sort_by_key(|point| point.0);
        let points: Vec<PotencyPoint> = points.into_iter().map(|point| point.1).collect();
        let predicted: Vec<&PotencyPoint> = points.iter().filter(|p| p.predicted.is_finite()).collect();
        let covered = predicted.iter().filter(|p| p.low <= p.value && p.value <= p.high).count();
        let shares = || points.iter().map(|point| point.share);
        let (verdict, supported) = verdict(cluster);
        Some(Self {
            line,
            error,
            range: [shares().fold(f64::INFINITY, f64::min), shares().fold(f64::NEG_INFINITY, f64::max)],
            summary: PotencySummary {
                readout: data.readout.into(),
                cluster,
                intercept: line.intercept,
                slope: line.slope,
                r: line.r,
                verdict,
                supported,
                level: data.level,
                coverage: covered as f64 / predicted.len().max(1) as f64,
                points,
            },
        })
    }

    /// The readout of a lot whose assigned cells lie in the model's cluster with this share.
    pub fn predict(&self, share: f64) -> Prediction {
        let (low, high) = self.line.interval(share, self.error, self.summary.level);
        Prediction {
            readout: self.summary.readout.clone(),
            cluster: self.summary.cluster,
            value: self.line.at(share),
            low,
            high,
            level: self.summary.level,
            supported: self.summary.supported,
            inside: self.range[0] <= share && share <= self.range[1],
        }
    }
}

/// Units with the means of their lots.
struct Units {
    /// Lots of each.
    lots: Vec<Vec<usize>>,
    /// Units × clusters.
    shares: Array2<f64>,
    /// One per unit.
    values: Vec<f64>,
}

impl Units {
    /// `lots`: those with a value; `units`: the names of theirs.
    fn new(data: &ToModel<'_>, lots: &[usize], units: &[usize]) -> Self {
        let of_unit = |&unit: &usize| lots.iter().copied().filter(|&lot| data.unit[lot] == unit).collect();
        let lots: Vec<Vec<usize>> = units.iter().map(of_unit).collect();
        let mean =
            |own: &[usize], of: &dyn Fn(usize) -> f64| own.iter().map(|&lot| of(lot)).sum::<f64>() / own.len() as f64;
        let shares = Array2::from_shape_fn((lots.len(), data.shares.ncols()), |(unit, cluster)| {
            mean(&lots[unit], &|lot| data.shares[[lot, cluster]])
        });
        let values = lots.iter().map(|own| mean(own, &|lot| data.values[lot])).collect();
        Self { lots, shares, values }
    }

    /// The cluster with the largest |r| over these units (of equal ones the first) and its line; `None` if nothing varies.
    fn best(&self, units: &[usize]) -> Option<(usize, Line)> {
        let y: Vec<f64> = units.iter().map(|&unit| self.values[unit]).collect();
        let mut found: Option<(usize, Line)> = None;
        for cluster in 0..self.shares.ncols() {
            let x: Vec<f64> = units.iter().map(|&unit| self.shares[[unit, cluster]]).collect();
            if let Some(line) = Line::fit(&x, &y)
                && found.is_none_or(|(_, best)| line.r.abs() > best.r.abs())
            {
                found = Some((cluster, line));
            }
        }
        found
    }

    /// Root mean square of the standardised errors of the lots of each unit, predicted without it; each unit counts once.
    fn honest_error(&self, data: &ToModel<'_>, units: &[usize]) -> Option<f64> {
        let (mut sum, mut n) = (0.0, 0.0);
        for &unit in units {
            let others: Vec<usize> = units.iter().copied().filter(|&other| other != unit).collect();
            let (cluster, line) = self.best(&others)?;
            let error = |&lot: &usize| {
                let x = data.mapped[[lot, cluster]];
                (data.values[lot] - line.at(x)) / line.leverage(x)
            };
            // A lot none of whose cells could be assigned has no share to predict from.
            let squares: Vec<f64> =
                self.lots[unit].iter().map(error).filter(|e| e.is_finite()).map(|e| e * e).collect();
            if !squares.is_empty() {
                sum += squares.iter().sum::<f64>() / squares.len() as f64;
                n += 1.0;
            }
        }
        (n > 2.0).then(|| (sum / n).sqrt())
    }
}

#[cfg(test)]
mod tests;
