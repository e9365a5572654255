//! Warnings of references, and of lots placed by them.

use serde::{Deserialize, Serialize};

/// Something that bears on a reference, or on a lot placed by one; part of [`super::Warning`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReferenceWarning {
    /// A new lot lacks some of the genes that the reference places cells by.
    ReferenceGenesMissing {
        /// The lot.
        lot: String,
        /// Variable genes of the reference that it lacks.
        n_missing: usize,
        /// Variable genes of the reference.
        n_variable: usize,
    },
    /// A new lot lacks a gene of a panel of the reference, so its cells can't be counted under it.
    PanelGeneMissing {
        /// The lot.
        lot: String,
        /// The panel.
        panel: String,
        /// The gene.
        gene: String,
    },
    /// A lot is out of reference.
    LotOutOfReference {
        /// The lot.
        lot: String,
        /// Why, in words.
        reasons: String,
    },
    /// There is no potency model of a readout.
    NoPotencyModel {
        /// The readout.
        readout: String,
        /// Why.
        cause: String,
    },
    /// What was computed again from the counts of a run differs from what the run wrote down.
    EmbeddingDiffers {
        /// Largest difference of a coordinate; `None` if their number differs.
        largest: Option<f64>,
    },
    /// So few lots that a reference sets no limits of distance.
    FewReferenceLots {
        /// Lots of the reference.
        n_lots: usize,
        /// Lots needed for limits of distance.
        n_needed: usize,
    },
}

impl From<ReferenceWarning> for super::Warning {
    fn from(warning: ReferenceWarning) -> Self {
        Self::Reference(warning)
    }
}

impl std::fmt::Display for ReferenceWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ReferenceGenesMissing { lot, n_missing, n_variable } => write!(
                f,
                "lot {lot} lacks {n_missing} of the {n_variable} genes that the reference places cells by; they count as average"
            ),
            Self::PanelGeneMissing { lot, panel, gene } => {
                write!(f, "lot {lot} has no gene {gene}, so its cells are not counted under panel {panel}")
            }
            Self::LotOutOfReference { lot, reasons } => write!(f, "lot {lot} is out of reference: {reasons}"),
            Self::NoPotencyModel { readout, cause } => write!(f, "no potency model of {readout}: {cause}"),
            Self::EmbeddingDiffers { largest } => write!(
                f,
                "components computed again from the counts differ from those of the run ({}); was the run \
                 made by another version of the program? The reference is what was computed now, with the labels of the run",
                largest.map_or("another number".into(), |largest| format!("by up to {largest:.3}"))
            ),
            Self::FewReferenceLots { n_lots, n_needed } => write!(
                f,
                "{n_lots} lots set no limits of distance ({n_needed} are needed): a lot whose composition or cells lie far from \
                 the reference lots is not told by that. Freeze again when there are more lots"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warning::Warning;

    #[test]
    fn on_record_they_look_like_all_others() {
        let warning: Warning = ReferenceWarning::FewReferenceLots { n_lots: 5, n_needed: 8 }.into();
        let text = serde_json::to_string(&warning).unwrap();
        assert_eq!(text, r#"{"kind":"few_reference_lots","n_lots":5,"n_needed":8}"#);
        assert_eq!(serde_json::from_str::<Warning>(&text).unwrap(), warning);
        let other = Warning::EmptyLot { lot: "a".into() };
        let text = serde_json::to_string(&other).unwrap();
        assert_eq!(serde_json::from_str::<Warning>(&text).unwrap(), other);
    }
}
