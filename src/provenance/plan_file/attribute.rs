//! One `[[attribute]]` of a plan: flat keys, of which each kind and rule allows its own.

use serde::Deserialize;

use crate::data::comparison::ALL_CELLS;
use crate::data::{
    Attribute, AttributeKind, AttributeTransform, ComparisonDesign, Margin, MarginUnit, Range, Rule, Side,
};

/// As written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttributeText {
    kind: AttributeKind,
    name: Option<Name>,
    names: Option<Vec<Name>>,
    cluster: Option<Name>,
    role: Option<Role>,
    transform: Option<AttributeTransform>,
    side: Option<Side>,
    rule: RuleName,
    margin: Option<MarginText>,
    margin_unit: Option<MarginUnit>,
    variance: Option<Variance>,
    k: Option<f64>,
    coverage: Option<f64>,
    confidence: Option<f64>,
    share_within: Option<f64>,
    min_pre: Option<usize>,
}

/// A name; clusters may be written as numbers.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(u64),
}

impl Name {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.trim().to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    Potency,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RuleName {
    Tost,
    QualityRange,
    Tolerance,
    MinMax,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Variance {
    Welch,
    Pooled,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum MarginText {
    Symmetric(f64),
    Ends([f64; 2]),
}

/// Fewest pre lots of a meaningful range.
const MIN_PRE: usize = 5;

impl AttributeText {
    /// One attribute for each name; the message says what is wrong.
    pub(super) fn resolve(&self, design: ComparisonDesign) -> Result<Vec<Attribute>, String> {
        let names: Vec<String> = self.name.iter().chain(self.names.iter().flatten()).map(Name::text).collect();
        if names.is_empty() || names.iter().any(String::is_empty) {
            return Err("needs `name` (or `names`): cluster, panel, gene, distance or column of the lot sheet".into());
        }
        if self.cluster.is_some() && self.kind != AttributeKind::Gene {
            return Err("`cluster` goes with kind = \"gene\"; a cluster's share is named by `name`".into());
        }
        let potency = self.role == Some(Role::Potency);
        if potency && self.kind != AttributeKind::Readout {
            return Err(
                "role = \"potency\" needs kind = \"readout\": potency is measured, and shares of cells, panels \
                        or genes can't stand in for it"
                    .into(),
            );
        }
        if self.kind == AttributeKind::Deviation
            && let Some(other) = names.iter().find(|n| !["jensen_shannon", "aitchison", "energy"].contains(&n.as_str()))
        {
            return Err(format!("deviation `{other}` is not known; use jensen_shannon, aitchison or energy"));
        }
        let transform = self.transform()?;
        let side = self.side.unwrap_or(if self.kind == AttributeKind::Deviation { Side::Upper } else { Side::Both });
        let margin = self.margin(side, transform)?;
        let rule = self.rule(design, margin)?;
        let attribute = |name: String| Attribute {
            kind: self.kind,
            name,
            cluster: self.cluster.as_ref().map_or(ALL_CELLS.into(), Name::text),
            potency,
            transform,
            side,
            rule,
            margin,
        };
        Ok(names.into_iter().map(attribute).collect())
    }

    fn transform(&self) -> Result<AttributeTransform, String> {
        use AttributeTransform::{AsinSqrt, Log, Logit, None};
        let transform = self.transform.unwrap_or(None);
        let allowed: &[AttributeTransform] = match self.kind {
            AttributeKind::ClusterShare | AttributeKind::PanelShare => &[None, Logit, AsinSqrt],
            AttributeKind::Gene => &[None],
            AttributeKind::Deviation => &[None, Log],
            AttributeKind::Readout => &[None, Log, Logit],
        };
        if allowed.contains(&transform) {
            return Ok(transform);
        }
        Err(match self.kind {
            AttributeKind::Gene => "genes are compared as log2(CPM + 1); leave `transform` out".into(),
            AttributeKind::ClusterShare | AttributeKind::PanelShare => {
                "shares take transform none, logit or asin_sqrt".into()
            }
            AttributeKind::Deviation => "distances take transform none or log".into(),
            AttributeKind::Readout => "readouts take transform none, log or logit".into(),
        })
    }

    fn margin(&self, side: Side, transform: AttributeTransform) -> Result<Option<Margin>, String> {
        let Some(text) = self.margin else {
            return if self.margin_unit.is_some() { Err("`margin_unit` goes with `margin`".into()) } else { Ok(None) };
        };
        let unit = self.margin_unit.unwrap_or(MarginUnit::Absolute);
        if unit == MarginUnit::Ratio && transform != AttributeTransform::Log && self.kind != AttributeKind::Gene {
            return Err("a ratio needs transform = \"log\" (or a gene)".into());
        }
        let (middle, mut low, mut high) = match (text, unit) {
            (MarginText::Symmetric(factor), MarginUnit::Ratio) => (1.0, 1.0 / factor, factor),
            (MarginText::Ends([low, high]), MarginUnit::Ratio) => (1.0, low, high),
            (MarginText::Symmetric(size), _) => (0.0, -size, size),
            (MarginText::Ends([low, high]), _) => (0.0, low, high),
        };
        let sound = low.is_finite() && high.is_finite() && low < middle && middle < high;
        if !sound || (unit == MarginUnit::Ratio && low <= 0.0) {
            return Err(if unit == MarginUnit::Ratio {
                "`margin` as a ratio is a factor above 1, or [low, high] with 0 < low < 1 < high".into()
            } else {
                "`margin` is a number above 0, or [low, high] with low < 0 < high".into()
            });
        }
        match side {
            Side::Both => {}
            Side::Lower => high = f64::INFINITY,
            Side::Upper => low = if unit == MarginUnit::Ratio { 0.0 } else { f64::NEG_INFINITY },
        }
        Ok(Some(Margin { low, high, unit }))
    }

    fn rule(&self, design: ComparisonDesign, margin: Option<Margin>) -> Result<Rule, String> {
        let refuse = |given: bool, key: &str, rule: &str| {
            if given { Err(format!("`{key}` does not belong to rule = \"{rule}\"")) } else { Ok(()) }
        };
        let share = |value: f64, name: &str| {
            if value > 0.0 && value < 1.0 { Ok(value) } else { Err(format!("`{name}` must lie between 0 and 1")) }
        };
        if self.rule == RuleName::Tost {
            refuse(self.k.is_some(), "k", "tost")?;
            refuse(self.coverage.is_some(), "coverage", "tost")?;
            refuse(self.confidence.is_some(), "confidence", "tost")?;
            refuse(self.share_within.is_some(), "share_within", "tost")?;
            refuse(self.min_pre.is_some(), "min_pre", "tost")?;
            if margin.is_none() {
                return Err("rule = \"tost\" needs `margin`: the largest difference that does not matter".into());
            }
            if design == ComparisonDesign::History {
                return Err("design = \"history\" looks at post lots one by one; `tost` compares means: use \
                            quality_range, tolerance or min_max, or design = \"unpaired\""
                    .into());
            }
            if design == ComparisonDesign::Paired && self.variance.is_some() {
                return Err(
                    "`variance` goes with design = \"unpaired\"; pairs have one variance, of their differences".into(),
                );
            }
            return Ok(Rule::Tost { pooled: self.variance == Some(Variance::Pooled) });
        }
        let (range, word) = match self.rule {
            RuleName::Tost | RuleName::QualityRange => {
                let k = self.k.ok_or("rule = \"quality_range\" needs `k`, the standard deviations to either side")?;
                if !(k > 0.0 && k <= 100.0) {
                    return Err("`k` must lie above 0 and be at most 100".into());
                }
                (Range::Quality { k }, "quality_range")
            }
            RuleName::Tolerance => {
                let coverage = share(self.coverage.unwrap_or(0.99), "coverage")?;
                let confidence = share(self.confidence.unwrap_or(0.95), "confidence")?;
                (Range::Tolerance { coverage, confidence }, "tolerance")
            }
            RuleName::MinMax => (Range::MinMax, "min_max"),
        };
        refuse(self.variance.is_some(), "variance", word)?;
        refuse(self.k.is_some() && self.rule != RuleName::QualityRange, "k", word)?;
        refuse(self.coverage.is_some() && self.rule != RuleName::Tolerance, "coverage", word)?;
        refuse(self.confidence.is_some() && self.rule != RuleName::Tolerance, "confidence", word)?;
        let share_within = self.share_within.unwrap_or(1.0);
        if !(share_within > 0.0 && share_within <= 1.0) {
            return Err("`share_within` must lie above 0 and be at most 1".into());
        }
        let min_pre = self.min_pre.unwrap_or(MIN_PRE);
        if min_pre < 2 {
            return Err("`min_pre` must be at least 2".into());
        }
        Ok(Rule::Range { range, share_within, min_pre })
    }
}
