//! Potency model: a readout predicted from the share of one cluster, with an interval that knows how the cluster was chosen.
//!
//! **Question.** What potency would a lot of this composition have, and how sure is that?
//!
//! **Method.** The cluster with the largest |r| of share and readout; a straight line, value = a + b · share. Honest errors:
//! each unit (lot, or all lots of a donor) is left out in turn, the cluster chosen anew and the line fitted on the others, and
//! its lots predicted from their shares *as mapped by a reference built without them*; e(i) is the error over
//! √(1 + 1/m + (x − x̄)²/Sxx) of that fit with m lots. The interval of a new lot is
//! value ± t(n − 2) · s · √(1 + 1/n + (x − x̄)²/Sxx) with s² = mean e²: the classical prediction interval with the residual
//! variance replaced by one that holds the choice of the cluster and the error of mapping. t is kept because at 11 lots the
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
        let (cluster, line) = best(&data, &lots)?;
        let error = honest_error(&data, &lots, &units)?;
        let mut points: Vec<(usize, PotencyPoint)> = Vec::new();
        for &unit in &units {
            let (own, others) = split(&data, &lots, unit);
            let left: Vec<usize> = units.iter().copied().filter(|&other| other != unit).collect();
            let (chosen, line) = best(&data, &others)?;
            let error = honest_error(&data, &others, &left)?;
            for lot in own {
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

/// The cluster with the largest |r| (of equal ones the first) and its line; `None` if nothing varies.
fn best(data: &ToModel<'_>, lots: &[usize]) -> Option<(usize, Line)> {
    let y: Vec<f64> = lots.iter().map(|&lot| data.values[lot]).collect();
    let mut found: Option<(usize, Line)> = None;
    for cluster in 0..data.shares.ncols() {
        let x: Vec<f64> = lots.iter().map(|&lot| data.shares[[lot, cluster]]).collect();
        if let Some(line) = Line::fit(&x, &y)
            && found.is_none_or(|(_, best)| line.r.abs() > best.r.abs())
        {
            found = Some((cluster, line));
        }
    }
    found
}

/// Lots of a unit, and all others.
fn split(data: &ToModel<'_>, lots: &[usize], unit: usize) -> (Vec<usize>, Vec<usize>) {
    lots.iter().partition(|&&lot| data.unit[lot] == unit)
}

/// Root mean square of the standardised errors of the lots of each unit, predicted without it.
fn honest_error(data: &ToModel<'_>, lots: &[usize], units: &[usize]) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0.0);
    for &unit in units {
        let (own, others) = split(data, lots, unit);
        let (cluster, line) = best(data, &others)?;
        for lot in own {
            let x = data.mapped[[lot, cluster]];
            let error = (data.values[lot] - line.at(x)) / line.leverage(x);
            // A lot none of whose cells could be assigned has no share to predict from.
            if error.is_finite() {
                sum += error * error;
                n += 1.0;
            }
        }
    }
    (n > 2.0).then(|| (sum / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng::stream;
    use rand_distr::{Distribution, StandardNormal};

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("lot{i}")).collect()
    }

    /// Eight clusters of independent shares; the value follows the third with this correlation.
    fn study(n: usize, rho: f64, item: u64) -> (Array2<f64>, Vec<f64>) {
        let mut rng = stream(1, "potency", item);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let shares = Array2::from_shape_fn((n, 8), |_| 0.125 + 0.03 * normal());
        let values = (0..n)
            .map(|lot| 500.0 + 100.0 * (rho * (shares[[lot, 2]] - 0.125) / 0.03 + (1.0 - rho * rho).sqrt() * normal()))
            .collect();
        (shares, values)
    }

    fn model(shares: &Array2<f64>, values: &[f64], n: usize) -> Option<PotencyModel> {
        let (lots, unit): (Vec<String>, Vec<usize>) = (names(n), (0..n).collect());
        let shares = shares.slice(ndarray::s![..n, ..]).to_owned();
        let data = ToModel {
            readout: "vegf",
            lots: &lots,
            values: &values[..n],
            shares: &shares,
            mapped: &shares,
            unit: &unit,
            level: 0.9,
        };
        PotencyModel::fit(data, |_| ("supported".into(), true))
    }

    #[test]
    fn a_line_by_hand() {
        // y = 1 + 2x with residuals 0, −1, 1, 0 … by least squares of (0, 1), (1, 2), (2, 6), (3, 7).
        let line = Line::fit(&[0.0, 1.0, 2.0, 3.0], &[1.0, 2.0, 6.0, 7.0]).unwrap();
        assert!((line.slope - 2.2).abs() < 1e-12 && (line.intercept - 0.7).abs() < 1e-12);
        assert!((line.variance - 0.9).abs() < 1e-12 && (line.leverage(1.5) - 1.25_f64.sqrt()).abs() < 1e-12);
        assert!(Line::fit(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]).is_none());
        assert!(Line::fit(&[1.0, 2.0], &[1.0, 2.0]).is_none());
        assert!(Line::fit(&[1.0, 2.0, 4.0], &[0.0; 3]).is_none());
    }

    #[test]
    fn intervals_hold_what_they_state_also_where_the_cluster_was_chosen_among_noise() {
        const N: usize = 11;
        for (rho, least) in [(0.0, 0.86), (0.7, 0.86), (0.95, 0.86)] {
            let (mut hits, mut own, mut classical) = (0, 0.0, 0);
            let studies = 400;
            for item in 0..studies {
                let (shares, values) = study(N + 1, rho, item);
                let model = model(&shares, &values, N).unwrap();
                let share = shares[[N, model.summary.cluster]];
                let predicted = model.predict(share);
                hits += usize::from(predicted.low <= values[N] && values[N] <= predicted.high);
                let (low, high) = model.line.interval(share, model.line.variance.sqrt(), 0.9);
                classical += usize::from(low <= values[N] && values[N] <= high);
                own += model.summary.coverage / studies as f64;
            }
            let coverage = hits as f64 / studies as f64;
            eprintln!("rho {rho}: coverage {coverage}, measured without each lot {own:.3}, classical {classical}");
            assert!(coverage >= least && coverage <= 0.96, "rho {rho}: {coverage}");
            assert!((own - coverage).abs() < 0.05, "rho {rho}: {own} {coverage}");
            if rho == 0.0 {
                assert!(
                    (classical as f64) < 0.86 * studies as f64,
                    "the classical interval does not know of the choice"
                );
            }
        }
    }

    #[test]
    fn few_units_or_nothing_that_varies_give_no_model() {
        let (shares, values) = study(11, 0.9, 1);
        assert!(model(&shares, &values, 5).is_none() && model(&shares, &values, 6).is_some());
        assert!(model(&Array2::from_elem((11, 8), 0.1), &values, 11).is_none());
        assert!(model(&shares, &[3.0; 11], 11).is_none());
    }

    #[test]
    fn lots_of_a_donor_are_left_out_together() {
        let (shares, values) = study(12, 0.9, 2);
        let (lots, unit): (Vec<String>, Vec<usize>) = (names(12), (0..12).map(|lot| lot / 2).collect());
        let data = ToModel {
            readout: "vegf",
            lots: &lots,
            values: &values,
            shares: &shares,
            mapped: &shares,
            unit: &unit,
            level: 0.9,
        };
        let model = PotencyModel::fit(data, |_| ("suggestive".into(), false)).unwrap();
        let names: Vec<&str> = model.summary.points.iter().map(|p| p.lot.as_str()).collect();
        assert_eq!(names, lots.iter().map(String::as_str).collect::<Vec<_>>());
        let (own, others) = split(&data, &(0..12).collect::<Vec<_>>(), 0);
        assert_eq!((own, others.len()), (vec![0, 1], 10));
        let (chosen, line) = best(&data, &others).unwrap();
        assert_eq!(model.summary.points[1].predicted, line.at(shares[[1, chosen]]));
        assert!(!model.predict(0.5).inside && !model.predict(0.5).supported);
    }
}
