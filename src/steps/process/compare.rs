//! Compare: are lots after a change of the process comparable to those before, by a plan made beforehand?
//!
//! **Question.** Does each attribute of the plan lie where the plan wants it, and do they all, potency among them?
//!
//! **Method.** One value per lot and attribute; the lot is the unit. By rule:
//! - `tost`: two one-sided t tests of the difference δ of means, post − pre (Welch, Student, or on the differences of pairs).
//!   With the 1 − 2α interval within the margin: comparable; wholly beyond a margin: not comparable; else inconclusive.
//! - ranges of the pre lots that post lots must lie in, one by one: mean ± k·SD, tolerance interval (exact
//!   factors), smallest to largest. Enough post lots within: comparable; else not comparable.
//! - A post lot without a value may be the one that differs: ranges count it as not within, TOST says *inconclusive*, unless the
//!   plan allows missing values. A post lot out of reference takes *comparable* from the whole.
//! - All attributes must pass. Each at α keeps the claim about all of them at α (intersection–union), without correction.
//! - Beside that, lots are permuted: PERMANOVA on Aitchison distances, the energy statistic on distances between lots' cells.
//!   They can show a difference. A large p shows nothing.
//!
//! **Shapes.** Records of pre and post lots → one row per attribute, one verdict, two tests of the whole.
//!
//! **Beside other tools.** scanpy and Seurat have no such step; their tests of differences can't show equivalence.
//!
//! **References.** Schuirmann 1987, doi:10.1007/BF01068419; Berger 1982, doi:10.1080/00401706.1982.10487790 (intersection–union); Wald &
//! Wolfowitz 1946, doi:10.1214/aoms/1177730981; Anderson 2001, doi:10.1111/j.1442-9993.2001.01070.pp.x; Székely & Rizzo 2013,
//! doi:10.1016/j.jspi.2013.03.018; Holm 1979, <https://www.jstor.org/stable/4615733>.

mod judge;
mod operating;
mod rules;
mod values;
mod whole;
mod words;

use crate::data::{AttributeKind, Comparison, ComparisonDesign, LotRecords, RecordsKind};
use crate::error::{Error, Result};
use crate::warning::Warning;

pub use judge::{Judged, Outcome, Overall, judge};
pub use operating::{OperatingRow, SD_CONFIDENCE, SHIFTS, SdBasis, operating, operating_at};
pub use rules::{Groups, mean_sd};
pub use values::attribute_values;
pub use whole::{WholeTest, composition_test, distribution_test};
pub use words::{interval, short};

/// Column of a sheet that tells whose cells a lot is made of.
const DONOR: &str = "donor";

/// A range that refuses unchanged processes more often than this is told.
const MOST_REFUSED: f64 = 0.2;

/// Values of every attribute, one per lot; NaN where a lot has none.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Lot names.
    pub lots: Vec<String>,
    /// Name of each lot's pair; empty without pairs.
    pub pairs: Vec<String>,
    /// Attributes of the plan × lots.
    pub values: Vec<Vec<f64>>,
}

/// Result of [`compare`].
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Values before.
    pub pre: Values,
    /// Values after.
    pub post: Values,
    /// One per attribute of the plan.
    pub judged: Vec<Judged>,
    /// All together.
    pub overall: Overall,
    /// Tests of the whole that could be made.
    pub whole: Vec<WholeTest>,
    /// Operating characteristics with the lots that were found.
    pub operating: Vec<OperatingRow>,
    /// Everything worth knowing before trusting a verdict.
    pub warnings: Vec<Warning>,
}

/// Values of every attribute of the plan.
///
/// # Errors
/// As [`attribute_values`]; and a column of pairs that is missing, or names a pair twice.
pub fn values(comparison: &Comparison, records: &LotRecords) -> Result<Values> {
    let lots = records.lots();
    let mut pairs = Vec::new();
    if comparison.design == ComparisonDesign::Paired {
        let column = records.sheet.column(&comparison.pair).ok_or_else(|| {
            let what = format!("the lot sheet has no column `{}`, which the plan names for pairs", comparison.pair);
            Error::input(what, "add it, or correct `pair` in the plan")
        })?;
        pairs = column.values.iter().map(|v| v.trim().to_string()).collect();
        for (i, pair) in pairs.iter().enumerate().filter(|(_, pair)| !pair.is_empty()) {
            if let Some(other) = pairs[..i].iter().position(|p| p == pair) {
                let what = format!("lots {} and {} are both of pair `{pair}` on one side", lots[other], lots[i]);
                return Err(Error::input(what, "choose one of them by `lots` in the plan, or compare unpaired"));
            }
        }
    }
    let values = comparison.attributes.iter().map(|a| attribute_values(records, a)).collect::<Result<_>>()?;
    Ok(Values { lots, pairs, values })
}

/// Places of pre and post lots that belong together.
pub fn pairs_of(pre: &Values, post: &Values) -> Vec<[usize; 2]> {
    let find = |pair: &String| post.pairs.iter().position(|p| p == pair && !p.is_empty());
    (0..pre.pairs.len()).filter_map(|i| find(&pre.pairs[i]).map(|j| [i, j])).collect()
}

/// Operating characteristics with the post lots that are planned; nothing of them is needed. Also the number of post lots
/// (or pairs) taken for planned.
pub fn planned(comparison: &Comparison, pre: &Values) -> (Vec<OperatingRow>, usize) {
    let n_post = comparison.n_post.unwrap_or(pre.lots.len());
    let paired = comparison.design == ComparisonDesign::Paired;
    let values: Vec<Vec<f64>> = pre.values.iter().map(|v| present(v)).collect();
    if !paired {
        return (operating(comparison, &values, &vec![n_post; values.len()]), n_post);
    }
    // So many pairs will be: the standard deviation is that of all pre lots.
    let n_pairs = n_post.min(pre.lots.len());
    let n: Vec<usize> = values.iter().map(|v| v.len().min(n_pairs)).collect();
    (operating(comparison, &values, &n), n_pairs)
}

/// Judges post lots by the plan. `one_source`: pre and post lots were clustered or placed together.
///
/// # Errors
/// - as [`values`]
/// - an attribute rests on clusters, but lots were clustered apart
pub fn compare(
    comparison: &Comparison,
    pre_records: &LotRecords,
    post_records: &LotRecords,
    one_source: bool,
) -> Result<Compared> {
    let mut warnings = sources(comparison, pre_records, post_records, one_source)?;
    let (pre, post) = (values(comparison, pre_records)?, values(comparison, post_records)?);
    let paired = comparison.design == ComparisonDesign::Paired;
    let pairs = pairs_of(&pre, &post);
    if paired {
        let alone = |values: &Values, side: usize| -> Vec<String> {
            let lots = values.lots.iter().enumerate().filter(|(i, _)| !pairs.iter().any(|pair| pair[side] == *i));
            lots.map(|(_, lot)| lot.clone()).collect()
        };
        let lots = [alone(&pre, 0), alone(&post, 1)].concat();
        if !lots.is_empty() {
            warnings.push(Warning::UnpairedLots { column: comparison.pair.clone(), lots });
        }
        if pairs.is_empty() {
            let what = format!("no pre and post lot share a value of `{}`", comparison.pair);
            return Err(Error::input(what, "pairs need the same value on both sides; look at the sheets"));
        }
    }
    let mut groups = Vec::new();
    for (i, attribute) in comparison.attributes.iter().enumerate() {
        let without = |values: &Values| {
            let lots = values.lots.iter().zip(&values.values[i]).filter(|(_, x)| x.is_nan());
            lots.map(|(lot, _)| lot.clone()).collect::<Vec<_>>()
        };
        let lots = [without(&pre), without(&post)].concat();
        if !lots.is_empty() {
            warnings.push(Warning::AttributeMissing { attribute: attribute.label(), lots });
        }
        let (before, after): (Vec<f64>, Vec<f64>) = if paired {
            let both = pairs.iter().map(|&[a, b]| (pre.values[i][a], post.values[i][b]));
            both.filter(|(a, b)| !a.is_nan() && !b.is_nan()).unzip()
        } else {
            (present(&pre.values[i]), present(&post.values[i]))
        };
        // Of pairs also those whose post lot has a value but found no partner.
        let n_missing = if comparison.allow_missing { 0 } else { post.lots.len() - after.len() };
        groups.push(Groups { pre: before, post: after, n_missing });
    }
    let (judged, mut overall) = judge(comparison, &groups);
    let of_post = post_records.out_of_reference();
    if !of_post.is_empty() {
        let lots: Vec<&str> = of_post.iter().map(|(lot, _)| lot.as_str()).collect();
        overall.forbid(format!("post lots are out of reference, so their clusters mean little: {}", lots.join(", ")));
    }
    warnings.extend(
        pre_records
            .out_of_reference()
            .into_iter()
            .chain(of_post)
            .map(|(lot, reasons)| crate::warning::ReferenceWarning::LotOutOfReference { lot, reasons }.into()),
    );
    let n_post: Vec<usize> = groups.iter().map(|g| g.post.len()).collect();
    let of_pre: Vec<Vec<f64>> = groups.iter().map(|g| g.pre.clone()).collect();
    let operating = operating(comparison, &of_pre, &n_post);
    for (i, attribute) in comparison.attributes.iter().enumerate() {
        let equal = |row: &&OperatingRow| row.attribute == Some(i) && row.basis == SdBasis::Pre && row.shift == 0.0;
        let chance = operating.iter().find(equal).map_or(0.0, |row| row.not_comparable);
        if chance > MOST_REFUSED {
            warnings.push(Warning::RuleRefusesEqualLots { attribute: attribute.label(), chance });
        }
    }
    warnings.extend(repeated_donors(comparison, pre_records, post_records));
    let whole =
        whole_tests(comparison, (pre_records, post_records), paired.then_some(&pairs[..]), one_source, &mut warnings);
    Ok(Compared { pre, post, judged, overall, whole, operating, warnings })
}

/// Lots of one donor that an unpaired comparison counts as independent.
fn repeated_donors(comparison: &Comparison, pre: &LotRecords, post: &LotRecords) -> Option<Warning> {
    if comparison.design == ComparisonDesign::Paired {
        return None;
    }
    let of = |records: &LotRecords| records.sheet.column(DONOR).map_or(Vec::new(), |c| c.values.clone());
    let mut donors: Vec<String> = [of(pre), of(post)].concat().into_iter().filter(|d| !d.trim().is_empty()).collect();
    let n_lots = donors.len();
    donors.sort();
    donors.dedup();
    let n_donors = donors.len();
    (n_donors < n_lots).then(|| Warning::RepeatedDonor { column: DONOR.into(), n_lots, n_donors, averaged: false })
}

fn present(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|x| !x.is_nan()).collect()
}

/// Why pre and post lots don't know their clusters and components by the same names; `None` if they do.
fn apart(pre: &LotRecords, post: &LotRecords, one_source: bool) -> Option<&'static str> {
    if one_source {
        None
    } else if post.kind == RecordsKind::Run {
        Some("pre and post lots were clustered apart")
    } else if !pre.reference.is_empty() && !post.reference.is_empty() && pre.reference != post.reference {
        Some("pre and post lots were placed by different references")
    } else {
        None
    }
}

fn sources(comparison: &Comparison, pre: &LotRecords, post: &LotRecords, one_source: bool) -> Result<Vec<Warning>> {
    let rests_on_clusters = comparison.attributes.iter().find(|a| {
        a.kind == AttributeKind::ClusterShare
            || (a.kind == AttributeKind::Gene && a.cluster != crate::data::comparison::ALL_CELLS)
    });
    let mut warnings = Vec::new();
    if let Some(attribute) = rests_on_clusters {
        if let Some(cause) = apart(pre, post, one_source) {
            return Err(Error::input(
                format!("{}: {cause}, so clusters of one name have nothing in common", attribute.label()),
                "freeze the pre lots as a reference (`cqa freeze`) and place the post lots on it (`cqa map`)",
            ));
        }
        if !one_source && pre.kind == RecordsKind::Run {
            warnings.push(Warning::PreLotsNotPlaced);
        }
    }
    let deviates = comparison.attributes.iter().any(|a| a.kind == AttributeKind::Deviation);
    if deviates && !one_source && (pre.kind == RecordsKind::Run || post.kind == RecordsKind::Run) {
        warnings.push(Warning::DeviationsFromOtherLots);
    }
    Ok(warnings)
}

fn whole_tests(
    comparison: &Comparison,
    (pre, post): (&LotRecords, &LotRecords),
    pairs: Option<&[[usize; 2]]>,
    one_source: bool,
    warnings: &mut Vec<Warning>,
) -> Vec<WholeTest> {
    let params = &comparison.whole;
    let apart = apart(pre, post, one_source).map(String::from);
    let mut found = Vec::new();
    let mut keep = |test: &str, result: std::result::Result<WholeTest, String>| match result {
        Err(cause) => warnings.push(Warning::NoWholeTest { test: test.into(), cause }),
        Ok(result) => {
            let smallest_p = result.found.smallest_p;
            if smallest_p > comparison.alpha {
                let (test, alpha) = (test.into(), comparison.alpha);
                warnings.push(Warning::WholeTestCannotReach { test, smallest_p, alpha });
            }
            found.push(result);
        }
    };
    // Sheets of readouts have no cells, and nobody expects a test of them.
    if params.composition && pre.clusters.is_some() && post.clusters.is_some() {
        let test = || composition_test(pre, post, pairs, params, comparison.seed);
        let result = apart.clone().map_or_else(test, Err);
        keep("the whole composition", result);
    }
    if params.distribution && pre.kind != RecordsKind::Sheet && post.kind != RecordsKind::Sheet {
        let test = || distribution_test(pre, post, pairs, params, comparison.seed);
        let result = apart.clone().map_or_else(test, Err);
        keep("the whole distribution of cells", result);
    }
    found
}

#[cfg(test)]
mod tests;
