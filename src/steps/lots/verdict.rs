//! Verdict: what may be said of each cluster and the readout.
//!
//! **Question.** Is an association shown, excluded, or neither, and why not more?
//!
//! **Method.** Four answers, tried in this order. *Supported*: family-wise p ≤ α, over all clusters and all readouts ranked; without any one lot r keeps its sign and p
//! alone ≤ α; without a dominant lot (one with more than half of the variation of share or readout) family-wise p ≤ α; and
//! with the whole road repeated without each unit, the cluster is found again in enough of these runs with r of one sign; a run
//! that failed counts as one without the cluster, and without such runs nothing is supported.
//! *Suggestive*: p alone ≤ α, also without a dominant lot, and r keeps its sign. *No association seen within ±δ*: the 1 − 2α
//! Fisher-z interval of r, and r without each lot, lie within ±δ: two one-sided tests at level α each (Schuirmann 1987).
//! Else *cannot conclude*, which shows neither an association nor its absence. What kept a cluster from more is told.
//! How often the rule errs is measured in [`crate::guide::decisions`].
//!
//! **Shapes.** Each row of an association, its r and p without each lot, and, where there is one, what became of the cluster
//! on the road without each lot → one judgement per row.
//!
//! **Beside other tools.** scanpy and Seurat have no such step.
//!
//! **References.** Schuirmann 1987, doi:10.1007/BF01068419; Hennig 2007 (Jaccard index of clusters found again),
//! doi:10.1016/j.csda.2006.11.025.

use serde::{Deserialize, Serialize};

use super::association::{Association, AssociationRow};
use super::influence::Influence;
use crate::error::{Error, Result};
use crate::warning::Warning;

/// Parameters of [`verdicts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerdictParams {
    /// Level of every test behind a verdict, between 0 and 1. Less asks for more. Default 0.05, by custom.
    pub alpha: f64,
    /// Smallest |r| that matters, between 0 and 1. More lets *no association seen* be said sooner and mean less. Default 0.5
    /// (a quarter of the variance): around r = 0, 12 lots exclude it and 11 do not.
    pub delta: f64,
    /// A lot is dominant if it holds more than this part of the variation of share or readout, 0..1. Less asks for more.
    /// Default 0.5: more than all other lots together.
    pub max_dominance: f64,
    /// A cluster counts as found again without a lot if its Jaccard index with the best match is at least this, 0..1.
    /// Default 0.5: the two share more cells than they do not.
    pub min_jaccard: f64,
    /// A cluster must be found again in at least this share of the runs without one lot, 0..1. Default 0.8.
    pub min_found: f64,
}

impl Default for VerdictParams {
    fn default() -> Self {
        Self { alpha: 0.05, delta: 0.5, max_dominance: 0.5, min_jaccard: 0.5, min_found: 0.8 }
    }
}

impl VerdictParams {
    pub(crate) fn check(&self) -> Result<()> {
        for (name, value) in [("verdict.alpha", self.alpha), ("verdict.delta", self.delta)] {
            if !(value > 0.0 && value < 1.0) {
                return Err(Error::param(name, value, "a number between 0 and 1"));
            }
        }
        // The interval of level 1 − 2α must be one.
        if self.alpha >= 0.5 {
            return Err(Error::param("verdict.alpha", self.alpha, "below 0.5"));
        }
        let shares = [
            ("verdict.max_dominance", self.max_dominance),
            ("verdict.min_jaccard", self.min_jaccard),
            ("verdict.min_found", self.min_found),
        ];
        for (name, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::param(name, value, "a number from 0 to 1"));
            }
        }
        Ok(())
    }
}

/// What became of a cluster when the whole road was repeated without each lot in turn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FoundAgain {
    /// Runs, one per unit left out, those that failed included.
    pub n_runs: usize,
    /// Runs in which the cluster was found again (Jaccard index of at least [`VerdictParams::min_jaccard`]).
    pub n_found: usize,
    /// Smallest r of the matched cluster in these; NaN if there is none.
    pub r_min: f64,
    /// Largest r of the matched cluster in these; NaN if there is none.
    pub r_max: f64,
    /// r has the sign of the run with all lots in every run in which the cluster was found again.
    pub same_sign: bool,
}

impl FoundAgain {
    /// For clusters that were given, not found on the cells of these lots: they are there without any unit, with the r of fixed
    /// clusters.
    pub fn given(row: &AssociationRow) -> Self {
        Self {
            n_runs: row.n_units,
            n_found: row.n_units,
            r_min: row.loo_min,
            r_max: row.loo_max,
            same_sign: row.loo_min * row.effect > 0.0 && row.loo_max * row.effect > 0.0,
        }
    }
}

/// What can be said of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// An association that allows for all clusters looked at and rests on no single lot.
    Supported,
    /// An association of this cluster looked at alone.
    Suggestive,
    /// No association as large as δ.
    NoAssociation,
    /// None of these. An association is neither shown nor excluded.
    CannotConclude,
}

impl Verdict {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Suggestive => "suggestive",
            Self::NoAssociation => "no association seen",
            Self::CannotConclude => "cannot conclude",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Supported => "supported",
            Self::Suggestive => "suggestive",
            Self::NoAssociation => "no_association",
            Self::CannotConclude => "cannot_conclude",
        })
    }
}

/// What kept a cluster from being *supported*, or from *no association seen*.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The share or the readout is constant over the lots.
    NoCorrelation,
    /// p of the cluster alone is above the level.
    AloneAbove {
        /// The p.
        p: f64,
        /// The level.
        alpha: f64,
    },
    /// p over all clusters is above the level.
    FamilyAbove {
        /// The p.
        p: f64,
        /// The level.
        alpha: f64,
    },
    /// p over all clusters and all readouts that were ranked is above the level.
    AllReadoutsAbove {
        /// The p.
        p: f64,
        /// The level.
        alpha: f64,
    },
    /// r changes its sign, or is lost, without one lot.
    SignTurns {
        /// The most influential lot.
        lot: String,
        /// Smallest r without one lot.
        low: f64,
        /// Largest r without one lot.
        high: f64,
    },
    /// Without a lot, p of the cluster alone is above the level.
    RestsOnOneLot {
        /// The lot without which p is largest.
        lot: String,
        /// r without it.
        r: f64,
        /// p without it; NaN if too few lots are left to test.
        p: f64,
        /// The level.
        alpha: f64,
    },
    /// A lot dominates share or readout, and without it p is above the level.
    RestsOnDominantLot {
        /// The lot.
        lot: String,
        /// Its part of the variation.
        dominance: f64,
        /// Family-wise p without it; NaN if too few lots are left to test.
        p: f64,
        /// The level.
        alpha: f64,
    },
    /// The whole road was not repeated without each unit, so that nothing shows whether the cluster is found again.
    NotRepeated,
    /// The cluster is not found again often enough when the whole road is repeated without each lot.
    NotFoundAgain {
        /// Runs in which it was.
        n_found: usize,
        /// Runs.
        n_runs: usize,
    },
    /// r changes its sign when the whole road is repeated without each lot.
    SignTurnsAnew {
        /// Smallest r.
        low: f64,
        /// Largest r.
        high: f64,
    },
    /// r may be as large as what matters, so that an association is not excluded either.
    NotExcluded {
        /// Lower limit of r at level 1 − 2α.
        low: f64,
        /// Upper limit.
        high: f64,
        /// Smallest |r| that matters.
        delta: f64,
    },
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoCorrelation => f.write_str("its share, or the readout, is the same in all lots"),
            Self::AloneAbove { p, alpha } => write!(f, "p alone is {p:.3}, above {alpha}"),
            Self::FamilyAbove { p, alpha } => write!(f, "family-wise p is {p:.3}, above {alpha}"),
            Self::AllReadoutsAbove { p, alpha } => {
                write!(f, "family-wise p over all readouts that were ranked is {p:.3}, above {alpha}")
            }
            Self::SignTurns { lot, low, high } => {
                write!(
                    f,
                    "without one lot r goes from {low:.2} to {high:.2}, so that its sign turns (most by lot {lot})"
                )
            }
            Self::RestsOnOneLot { lot, r, p, alpha } => {
                if p.is_nan() {
                    return write!(f, "without lot {lot} too few lots are left to test");
                }
                write!(f, "without lot {lot} r is {r:.2} and p alone {p:.3}, above {alpha}")
            }
            Self::RestsOnDominantLot { lot, dominance, p, alpha } => {
                write!(f, "lot {lot} lies far from all others ({:.0} % of the variation)", 100.0 * dominance)?;
                if p.is_nan() {
                    return f.write_str(", and without it too few lots are left to test");
                }
                write!(f, ", and without it the family-wise p is {p:.3}, above {alpha}")
            }
            Self::NotRepeated => {
                f.write_str("the road was not repeated without each unit, so whether it is found again is unknown")
            }
            Self::NotFoundAgain { n_found, n_runs } => {
                write!(f, "the cluster is found again in only {n_found} of {n_runs} runs without one lot")
            }
            Self::SignTurnsAnew { low, high } => {
                write!(f, "repeated from the variable genes on without each lot, r goes from {low:.2} to {high:.2}")
            }
            Self::NotExcluded { low, high, delta } => {
                write!(f, "an |r| of {delta} is not excluded (r from {low:.2} to {high:.2})")
            }
        }
    }
}

/// A verdict and what kept it from more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// What can be said.
    pub verdict: Verdict,
    /// Why not *supported*, and, where nothing can be concluded, why an association is not excluded. Empty if supported.
    pub why: Vec<Reason>,
}

impl Judgement {
    /// The reasons in words, separated by semicolons.
    pub fn words(&self) -> String {
        self.why.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// Judges every row of an association. `influence`: its columns without each lot. `found_again`: one per row, where the whole
/// road was repeated without each lot.
///
/// # Errors
/// A parameter is out of range, or `found_again` has another number of entries than there are rows.
pub fn verdicts(
    association: &Association,
    influence: &[Influence],
    found_again: Option<&[FoundAgain]>,
    params: &VerdictParams,
) -> Result<Vec<Judgement>> {
    params.check()?;
    let rows = &association.rows;
    if let Some(found) = found_again
        && found.len() != rows.len()
    {
        return Err(Error::input(
            format!("{} clusters were looked for again, {} are judged", found.len(), rows.len()),
            "repeat the road without each lot for the clusters of this run",
        ));
    }
    let of_row = |(k, row): (usize, &AssociationRow)| {
        let without: Vec<&Influence> = influence.iter().filter(|entry| entry.column == row.column).collect();
        judge(row, &without, found_again.map(|found| &found[k]), params)
    };
    Ok(rows.iter().enumerate().map(of_row).collect())
}

/// The warning that no p can reach the level, if so.
pub fn too_few_lots(association: &Association, params: &VerdictParams) -> Option<Warning> {
    (association.smallest_p > params.alpha).then(|| Warning::TooFewLotsForSignificance {
        readout: association.readout.clone(),
        n_lots: association.rows.first().map_or(0, |row| row.n_units),
        smallest_p: association.smallest_p,
    })
}

fn judge(
    row: &AssociationRow,
    without: &[&Influence],
    again: Option<&FoundAgain>,
    params: &VerdictParams,
) -> Judgement {
    if row.effect.is_nan() {
        return Judgement { verdict: Verdict::CannotConclude, why: vec![Reason::NoCorrelation] };
    }
    let VerdictParams { alpha, delta, .. } = *params;
    let mut why = Vec::new();
    let alone = row.p_exact <= alpha;
    let family = row.p_family <= alpha;
    if !alone {
        why.push(Reason::AloneAbove { p: row.p_exact, alpha });
    }
    if !family {
        why.push(Reason::FamilyAbove { p: row.p_family, alpha });
    } else if row.p_family_all > alpha {
        why.push(Reason::AllReadoutsAbove { p: row.p_family_all, alpha });
    }
    // Written so that a missing or zero r keeps no sign.
    let keeps_sign = row.loo_min * row.effect > 0.0 && row.loo_max * row.effect > 0.0;
    if !keeps_sign {
        why.push(Reason::SignTurns { lot: row.most_influential.clone(), low: row.loo_min, high: row.loo_max });
    }
    // The largest p first; one that could not be computed shows nothing.
    let worst = |p: fn(&Influence) -> f64, among: &dyn Fn(&Influence) -> bool| {
        let key = |entry: &Influence| if p(entry).is_nan() { f64::INFINITY } else { p(entry) };
        let above = without.iter().copied().filter(|entry| among(entry) && key(entry) > alpha);
        above.reduce(|a, b| if key(b) > key(a) { b } else { a })
    };
    let dominant = |entry: &Influence| entry.dominance > params.max_dominance;
    let mut stands_without_dominant = true;
    if let Some(entry) = worst(|e| e.p_family_without, &dominant) {
        stands_without_dominant = worst(|e| e.p_without, &dominant).is_none();
        let (lot, dominance, p) = (entry.lot.clone(), entry.dominance, entry.p_family_without);
        why.push(Reason::RestsOnDominantLot { lot, dominance, p, alpha });
    }
    if alone && let Some(entry) = worst(|e| e.p_without, &|_| true) {
        let (lot, r, p) = (entry.lot.clone(), entry.r_without, entry.p_without);
        why.push(Reason::RestsOnOneLot { lot, r, p, alpha });
    }
    if again.is_none() {
        why.push(Reason::NotRepeated);
    }
    if let Some(again) = again {
        if (again.n_found as f64) < params.min_found * again.n_runs as f64 {
            why.push(Reason::NotFoundAgain { n_found: again.n_found, n_runs: again.n_runs });
        }
        if again.n_found > 0 && !again.same_sign {
            why.push(Reason::SignTurnsAnew { low: again.r_min, high: again.r_max });
        }
    }
    let verdict = if why.is_empty() {
        Verdict::Supported
    } else if alone && keeps_sign && stands_without_dominant {
        Verdict::Suggestive
    } else {
        let (low, high) = row.interval(1.0 - 2.0 * alpha);
        let within = |r: f64| r.abs() < delta;
        if within(low) && within(high) && within(row.loo_min) && within(row.loo_max) {
            Verdict::NoAssociation
        } else {
            why.push(Reason::NotExcluded { low, high, delta });
            Verdict::CannotConclude
        }
    };
    Judgement { verdict, why }
}

#[cfg(test)]
mod tests;
