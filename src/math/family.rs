//! A family of correlations: pairs of a column and a readout, over one set of places.
//!
//! With columns and readout of mean 0 and length 1, a correlation is a dot product, and stays one when the readout's values
//! are put in another order.
//!
//! **Several readouts** keep their values of a place together: an order moves whole rows. A readout that is missing in
//! some rows is missing wherever those rows come to stand, and its correlation is that of the places where it is present.
//! So every order keeps how the readouts go with each other and with their gaps, and the largest correlation over columns
//! and readouts has its exact distribution if the rows are exchangeable against the columns. A weight is treated as a
//! readout's share of presence: it moves with its row. Such a correlation is S(v) / √(S(x²) − Σ S(x)² / W) with sums that
//! are dot products like any other: v the weighted deviations of the readout, x the column, the last sum over blocks.

use std::ops::Range;

use super::correlation::dot;
use super::design::Design;
use super::orders::Exchange;
use super::permutations::{LANES, Lanes};

/// A squared length, of 1 at most, below which nothing is left to correlate with.
const NO_LENGTH: f64 = 1e-9;

/// Which correlations count as large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tail {
    /// Far from 0 on either side.
    #[default]
    Both,
    /// High.
    Upper,
    /// Low.
    Lower,
}

/// A readout of a family: one value per place, NaN = missing.
#[derive(Debug, Clone, Copy)]
pub struct Readout<'a> {
    /// Values.
    pub values: &'a [f64],
    /// Weight of each value, ≥ 0; `None` = all the same.
    pub weights: Option<&'a [f64]>,
}

/// Columns and readouts whose correlations are looked at together.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    pub(super) exchange: Exchange,
    tail: Tail,
    /// Vectors that move together, along the sequence of the exchange.
    pub(super) moved: Vec<Vec<f64>>,
    /// Fixed vectors, and the sums that each forms with a moved one: those of the first moved vector come first.
    pub(super) fixed: Vec<Vec<f64>>,
    pub(super) sums_of: Vec<Range<usize>>,
    /// For each norm, the sums whose squares are missing from length 1.
    norms: Vec<Range<usize>>,
    forms: Vec<Form>,
    /// Every form is the sum of its own place.
    pub(super) plain: bool,
}

/// How a correlation comes about from sums.
#[derive(Debug, Clone, PartialEq)]
enum Form {
    /// The column or the readout is constant.
    None,
    Sum(usize),
    /// A sum over the length that covariates leave of the permuted residuals.
    Partial {
        sum: usize,
        norm: usize,
    },
    /// A sum over the column's length where the readout is present.
    Weighted {
        sum: usize,
        square: usize,
        means: Range<usize>,
    },
}

/// Sums before they have their final places: (moved vector, place among its sums).
type Place = (usize, usize);

/// A column's length under weights: the sum of squares, and those of means.
type Length = (Place, Vec<Place>);

#[derive(Default)]
struct Builder {
    moved: Vec<Vec<f64>>,
    fixed: Vec<Vec<Vec<f64>>>,
}

impl Builder {
    /// The index of a moved vector, a new one if it is not there yet.
    fn moved(&mut self, vector: Vec<f64>) -> usize {
        self.moved.iter().position(|known| *known == vector).unwrap_or_else(|| {
            self.moved.push(vector);
            self.fixed.push(Vec::new());
            self.moved.len() - 1
        })
    }

    fn sum(&mut self, moved: usize, fixed: Vec<f64>) -> Place {
        self.fixed[moved].push(fixed);
        (moved, self.fixed[moved].len() - 1)
    }
}

/// A readout made ready.
enum Ready {
    Constant,
    Even { moved: usize, norm: Option<usize> },
    Weighted { moved: usize, weights: usize },
}

impl Family {
    /// Columns against one complete readout, in every order, either tail. A constant column has correlation 0 with
    /// everything.
    pub fn new(columns: &[Vec<f64>], readout: &[f64]) -> Self {
        let readout = Readout { values: readout, weights: None };
        Self::of_columns(columns, readout, &Design::free(readout.values.len()), Tail::Both)
    }

    /// Columns against one readout.
    pub fn of_columns(columns: &[Vec<f64>], readout: Readout<'_>, design: &Design, tail: Tail) -> Self {
        let pairs: Vec<(usize, usize)> = (0..columns.len()).map(|k| (k, 0)).collect();
        Self::of_pairs(columns, &[readout], &pairs, design, tail)
    }

    /// Pairs of a column and a readout (indices into both). Columns must be complete; readouts may have gaps of their own.
    ///
    /// For Spearman's correlation, give ranks on both sides; the ranks of a column are then those over all places, also
    /// for a readout with gaps. Both kinds can stand in one family. With covariates, readouts must be complete and without
    /// weights.
    pub fn of_pairs(
        columns: &[Vec<f64>],
        readouts: &[Readout<'_>],
        pairs: &[(usize, usize)],
        design: &Design,
        tail: Tail,
    ) -> Self {
        let n = design.n();
        assert!(columns.iter().all(|c| c.len() == n), "columns as long as the design");
        assert!(readouts.iter().all(|r| r.values.len() == n), "readouts as long as the design");
        let mut builder = Builder::default();
        let mut norms: Vec<Vec<Place>> = Vec::new();
        let ready: Vec<Ready> = readouts.iter().map(|r| ready(r, design, &mut builder, &mut norms)).collect();
        let sign = if tail == Tail::Lower { -1.0 } else { 1.0 };
        let adjusted: Vec<Option<Vec<f64>>> =
            columns.iter().map(|column| Some(design.adjust(column)?.iter().map(|v| sign * v).collect())).collect();
        let blocks = design.places_of_blocks();
        // Lengths of a column under the weights of a readout, found once for all readouts with these weights.
        let mut lengths: Vec<((usize, usize), Length)> = Vec::new();
        let forms: Vec<(Option<Place>, Option<usize>, Option<usize>)> = pairs
            .iter()
            .map(|&(column, readout)| {
                let Some(x) = &adjusted[column] else { return (None, None, None) };
                match &ready[readout] {
                    Ready::Constant => (None, None, None),
                    Ready::Even { moved, norm } => (Some(builder.sum(*moved, x.clone())), *norm, None),
                    Ready::Weighted { moved, weights } => {
                        let sum = builder.sum(*moved, x.clone());
                        let key = (column, *weights);
                        let at = lengths.iter().position(|l| l.0 == key).unwrap_or_else(|| {
                            let square = builder.sum(*weights, x.iter().map(|v| v * v).collect());
                            let mut means = Vec::new();
                            for places in &blocks {
                                let total: f64 = places.iter().map(|&p| builder.moved[*weights][p]).sum();
                                if total > 0.0 {
                                    let mut part = vec![0.0; n];
                                    places.iter().for_each(|&p| part[p] = x[p] / total.sqrt());
                                    means.push(builder.sum(*weights, part));
                                }
                            }
                            lengths.push((key, (square, means)));
                            lengths.len() - 1
                        });
                        (Some(sum), None, Some(at))
                    }
                }
            })
            .collect();
        let mut first = 0;
        let sums_of: Vec<Range<usize>> = builder
            .fixed
            .iter()
            .map(|sums| {
                first += sums.len();
                first - sums.len()..first
            })
            .collect();
        let at = |place: Place| sums_of[place.0].start + place.1;
        let range = |places: &[Place]| places.first().map_or(0..0, |&p| at(p)..at(p) + places.len());
        let forms: Vec<Form> = forms
            .into_iter()
            .map(|form| match form {
                (None, ..) => Form::None,
                (Some(sum), Some(norm), _) => Form::Partial { sum: at(sum), norm },
                (Some(sum), None, None) => Form::Sum(at(sum)),
                (Some(sum), None, Some(length)) => {
                    let (square, means) = &lengths[length].1;
                    Form::Weighted { sum: at(sum), square: at(*square), means: range(means) }
                }
            })
            .collect();
        let n_sums = first;
        let plain = forms.len() == n_sums && forms.iter().enumerate().all(|(k, form)| *form == Form::Sum(k));
        let exchange = design.exchange();
        let sequence = exchange.sequence();
        let along = |vector: &Vec<f64>| sequence.iter().map(|&place| vector[place]).collect::<Vec<f64>>();
        Self {
            moved: builder.moved.iter().map(along).collect(),
            fixed: builder.fixed.iter().flatten().map(along).collect(),
            norms: norms.iter().map(|places| range(places)).collect(),
            exchange,
            tail,
            sums_of,
            forms,
            plain,
        }
    }

    /// Number of places.
    pub fn n(&self) -> usize {
        self.exchange.n()
    }

    /// Number of pairs.
    pub fn n_columns(&self) -> usize {
        self.forms.len()
    }

    /// Which correlations count as large.
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// Which orders are admissible.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Correlation of each pair in the order given, 0 where one side is constant; its sign turned for the lower tail, so
    /// that large is always extreme.
    pub(super) fn turned_correlations(&self) -> Vec<f64> {
        let sums: Vec<Lanes> = self
            .sums_of
            .iter()
            .zip(&self.moved)
            .flat_map(|(range, moved)| self.fixed[range.clone()].iter().map(|fixed| [dot(fixed, moved); LANES]))
            .collect();
        let mut out = vec![[0.0; LANES]; self.forms.len()];
        self.finish(&sums, &mut out);
        out.into_iter().map(|lanes| lanes[0]).collect()
    }

    /// Correlation of each pair in the order given; 0 where one side is constant.
    pub fn correlations(&self) -> Vec<f64> {
        let sign = if self.tail == Tail::Lower { -1.0 } else { 1.0 };
        self.turned_correlations().into_iter().map(|r| sign * r).collect()
    }

    /// Column and readout of a pair along the sequence, if its correlation is their dot product under every order; an inner
    /// `None` if it is more than that; `None` if one side is constant.
    pub(super) fn sides(&self, pair: usize) -> Option<Option<(&[f64], &[f64])>> {
        match self.forms[pair] {
            Form::None => None,
            Form::Sum(sum) => {
                let moved = self.sums_of.iter().position(|range| range.contains(&sum))?;
                Some(Some((&self.fixed[sum], &self.moved[moved])))
            }
            Form::Partial { .. } | Form::Weighted { .. } => Some(None),
        }
    }

    /// How far below the observed one a correlation counts as equal to it, on its scale of −1 to 1.
    ///
    /// The order given must count itself although its sums are formed in another sequence, with an error of about 1e-13,
    /// or more where a length is divided by that can be small. Both values are far below the distance between orders that
    /// differ.
    pub fn tolerance(&self) -> f64 {
        if self.plain { 1e-12 } else { 1e-9 }
    }

    /// Classes of places that hold the same in every moved vector, along the sequence.
    pub(super) fn classes(&self) -> Vec<usize> {
        let row = |place: usize| self.moved.iter().map(|m| (m[place] + 0.0).to_bits()).collect::<Vec<u64>>();
        let rows: Vec<Vec<u64>> = (0..self.n()).map(row).collect();
        rows.iter().map(|row| rows.iter().position(|r| r == row).unwrap_or(0)).collect()
    }

    /// Number of admissible orders that differ.
    pub fn n_distinct(&self) -> f64 {
        let (sequence, classes) = (self.exchange.sequence(), self.classes());
        let mut by_place = vec![0; self.n()];
        sequence.iter().zip(classes).for_each(|(&place, class)| by_place[place] = class);
        self.exchange.count_distinct(&by_place)
    }

    /// Going through the orders that differ costs about n times as much per order as walking all of them.
    pub(super) fn by_distinct(&self) -> bool {
        self.n_distinct() * self.n() as f64 <= self.exchange.count()
    }

    /// Correlations out of sums.
    #[inline]
    pub(super) fn finish(&self, sums: &[Lanes], out: &mut [Lanes]) {
        let mut factors = vec![[0.0; LANES]; self.norms.len()];
        for (factor, explained) in factors.iter_mut().zip(&self.norms) {
            for lane in 0..LANES {
                let left = 1.0 - sums[explained.clone()].iter().map(|s| s[lane] * s[lane]).sum::<f64>();
                factor[lane] = if left > NO_LENGTH { left.sqrt().recip() } else { 0.0 };
            }
        }
        for (out, form) in out.iter_mut().zip(&self.forms) {
            match form {
                Form::None => *out = [0.0; LANES],
                Form::Sum(sum) => *out = sums[*sum],
                Form::Partial { sum, norm } => {
                    for lane in 0..LANES {
                        out[lane] = sums[*sum][lane] * factors[*norm][lane];
                    }
                }
                Form::Weighted { sum, square, means } => {
                    let mut length = sums[*square];
                    for mean in &sums[means.clone()] {
                        for lane in 0..LANES {
                            length[lane] -= mean[lane] * mean[lane];
                        }
                    }
                    for lane in 0..LANES {
                        let kept = length[lane] > NO_LENGTH;
                        out[lane] = if kept { sums[*sum][lane] / length[lane].sqrt() } else { 0.0 };
                    }
                }
            }
        }
    }
}

fn ready(readout: &Readout<'_>, design: &Design, builder: &mut Builder, norms: &mut Vec<Vec<Place>>) -> Ready {
    let values = readout.values;
    let mut weights: Vec<f64> = readout.weights.map_or_else(|| vec![1.0; values.len()], <[f64]>::to_vec);
    assert!(weights.iter().all(|w| *w >= 0.0 && w.is_finite()), "weights are numbers of at least 0");
    weights.iter_mut().zip(values).filter(|(_, v)| v.is_nan()).for_each(|(w, _)| *w = 0.0);
    let heaviest = weights.iter().copied().fold(0.0, f64::max);
    if heaviest == 0.0 {
        return Ready::Constant;
    }
    if weights.iter().all(|w| *w == heaviest) {
        let Some(unit) = design.adjust(values) else { return Ready::Constant };
        let moved = builder.moved(unit);
        let norm = (!design.basis().is_empty()).then(|| {
            norms.push(design.basis().iter().map(|direction| builder.sum(moved, direction.clone())).collect());
            norms.len() - 1
        });
        return Ready::Even { moved, norm };
    }
    assert!(design.basis().is_empty(), "with covariates, readouts are complete and without weights");
    weights.iter_mut().for_each(|w| *w /= heaviest);
    let mut deviations = vec![0.0; values.len()];
    let (mut squares, mut largest_mean) = (0.0, 0.0_f64);
    for places in design.places_of_blocks() {
        let present: Vec<usize> = places.into_iter().filter(|&p| weights[p] > 0.0).collect();
        let total: f64 = present.iter().map(|&p| weights[p]).sum();
        let mean = present.iter().map(|&p| weights[p] * values[p]).sum::<f64>() / total;
        for p in present {
            deviations[p] = weights[p] * (values[p] - mean);
            squares += deviations[p] * (values[p] - mean);
            largest_mean = largest_mean.max(mean.abs());
        }
    }
    let length = squares.sqrt();
    if !(length > 1e-13 * largest_mean && length.is_finite()) {
        return Ready::Constant;
    }
    let moved = builder.moved(deviations.iter().map(|d| d / length).collect());
    Ready::Weighted { moved, weights: builder.moved(weights) }
}
