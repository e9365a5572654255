//! Each warning in words, with advice.

use super::Warning;

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::GeneSetsDiffer { n_common, n_union, used, worst_lot, n_missing } => write!(
                f,
                "lots differ in their gene sets: {n_common} genes are common to all, {n_union} occur in any; used the {used}. \
                 Lot {worst_lot} lacks {n_missing} genes. Were all lots annotated with the same reference?"
            ),
            Self::DuplicateGeneIds { lot, n_ids, example } => write!(
                f,
                "lot {lot}: {n_ids} gene ids occur more than once (such as {example}); their counts were added"
            ),
            Self::DuplicateBarcodes { lot, n_cells, example } => write!(
                f,
                "lot {lot}: {n_cells} cells have a barcode that another cell has (such as {example}); they were renamed. \
                 Were several runs merged into one file?"
            ),
            Self::GenesJoinedBy { name, lot, example_first, example_lot } => write!(
                f,
                "lot {lot} names its genes otherwise ({example_lot}) than the first lot ({example_first}); lots were joined \
                 by {name}. Were all lots annotated with the same reference?"
            ),
            Self::FeaturesSetAside { lot, feature_type, n_features } => {
                write!(
                    f,
                    "lot {lot}: {n_features} features of type `{feature_type}` set aside; only gene expression is used"
                )
            }
            Self::SharedBarcodes { lot_a, lot_b, n_shared, n_identical } => write!(
                f,
                "lots {lot_a} and {lot_b} share {n_shared} barcodes, {n_identical} of them with identical counts{}",
                if *n_identical > 0 { "; is one lot given twice?" } else { "" }
            ),
            Self::EmptyLot { lot } => write!(f, "lot {lot} holds no cells and was left out"),
            Self::CountsFoundIn { lot, place } => {
                write!(
                    f,
                    "lot {lot}: X does not hold counts; they were found in {place}. Say `counts = \"{place}\"` to confirm"
                )
            }
            Self::LotLosesCells { lot, n_read, n_kept } => {
                write!(f, "lot {lot}: quality control kept {n_kept} of {n_read} cells; look at its row in qc.csv")
            }
            Self::GenesNotFound { group, needed_for } => {
                write!(f, "no {group} genes found, so {needed_for} is missing; are gene symbols given?")
            }
            Self::LotLeftOut { lot, step, cause } => write!(f, "lot {lot} does not take part in {step}: {cause}"),
            Self::NotConverged { step, n_iterations } => {
                write!(f, "{step} stopped after {n_iterations} iterations before it converged")
            }
            Self::FewerComponents { n_asked, n_found } => write!(
                f,
                "only {n_found} principal components have any variance, {n_asked} were asked for; the data hold few cells or genes"
            ),
            Self::ClusterOfFewLots(warning) => warning.fmt(f),
            Self::ProliferativeCluster(warning) => warning.fmt(f),
            Self::ShallowLots(warning) => warning.fmt(f),
            Self::ResolutionUndecided(warning) => warning.fmt(f),
            Self::ReadoutMissing { readout, lots } => {
                write!(f, "no value of {readout} for {}; these lots do not take part", lots.join(", "))
            }
            Self::TooFewLotsForSignificance { readout, n_lots, smallest_p } => write!(
                f,
                "{n_lots} lots have a value of {readout}: the smallest p-value that can be reached is {smallest_p:.3}, so nothing can be concluded"
            ),
            Self::RepeatedDonor { column, n_lots, n_donors, averaged: true } => write!(
                f,
                "{n_lots} lots come from {n_donors} different values of `{column}`; lots of one are averaged, and n counts \
                 values of `{column}`. If each lot is independent, say so with --unit lot; to compare lots of one with each \
                 other, use --block {column}"
            ),
            Self::RepeatedDonor { column, n_lots, n_donors, averaged: false } => write!(
                f,
                "{n_lots} lots come from {n_donors} different values of `{column}`, yet each lot is counted as independent, as \
                 asked; p-values are too small if lots of one resemble each other"
            ),
            Self::ReadoutVariesWithin { readout, column } => write!(
                f,
                "{readout} differs between lots of one `{column}`; its average is used, and only those with the same number of \
                 lots change places. To compare lots within it, use --block {column}"
            ),
            Self::ReadoutCensored { readout, n_lots, n_below, n_partly } => write!(
                f,
                "{readout} lies below its limit of quantification in {n_below} of {n_lots} lots, and in some replicates of \
                 {n_partly} more; ranks are tested (Spearman), lots below sharing the lowest, and r is not computed"
            ),
            Self::WeightsNotUsed { readout } => {
                write!(f, "lots with {readout} are not weighted, as weights can't be combined with covariates")
            }
            Self::OutcomesHidden { outcome, n_lots, min_cases } => write!(
                f,
                "{outcome}: {n_lots} lots have fewer than {min_cases} cases, or fewer than {min_cases} with or without an event; \
                 they are hidden and take no part (outcomes.min_cases, outcomes.show_zero). Lots hidden for what happened to \
                 their cases are not missing by chance: what is found holds for the others"
            ),
            Self::CasesOfSeveralLots { file } => {
                write!(f, "{file}: some case has an outcome for several lots, so that lots are not quite independent")
            }
            Self::RowsOfUnknownLots { file, n_rows: 0, .. } => write!(
                f,
                "{file}: a few rows belong to lots that the sheet does not have; they were left out. Are lots named alike?"
            ),
            Self::RowsOfUnknownLots { file, n_rows, first_line } => write!(
                f,
                "{file}: {n_rows} rows (the first on line {first_line}) belong to lots that the sheet does not have; they \
                 were left out. Are lots named alike?"
            ),
            Self::TooFewLotsToLeaveOneOut { n_lots, n_needed } => write!(
                f,
                "{n_lots} lots with cells are too few to leave one out ({n_needed} needed): nothing shows whether clusters \
                 and candidates rest on one lot"
            ),
            Self::NoSpecification { choices, cause } => {
                write!(f, "clusters by other choices ({choices}) are missing in the sensitivity analysis: {cause}")
            }
            Self::NoRoadWithoutLot { lot, cause } => write!(
                f,
                "without lot {lot} the clusters can't be made again: {cause}. So the result rests on this lot; it is missing \
                 among the runs without one lot"
            ),
            Self::OutlyingLot { lot, measure, value, limit, z } => write!(
                f,
                "lot {lot} is unlike the others: {measure} {value:.3}, limit {limit:.3} (robust z {z:.1}); \
                 look at its composition and quality, and whether a result holds without it"
            ),
            Self::ReadoutFollowsCovariate { readout, covariate, r, p, n_lots } => write!(
                f,
                "{readout} goes with {covariate} (r = {r:.2}, p = {p:.4} over {n_lots} lots): \
                 whatever goes with the one goes with the other, and these lots cannot tell the two apart"
            ),
            Self::ClusterFollowsCovariates { readout, cluster, covariates, r, r_partial } => write!(
                f,
                "cluster {cluster} goes with {readout} (r = {r:.2}), but both go with {}{}: \
                 these lots cannot tell whether the cluster matters by itself",
                covariates.join(", "),
                r_partial.map_or(String::new(), |r| format!(", and given that r is {r:.2}")),
            ),
            Self::IntegratedColumnCollinear { column, with, share } => write!(
                f,
                "integration over `{column}` can remove what goes with {with}: {:.0} % of its variance lies between the \
                 batches. Compare with a run without integration",
                share * 100.0
            ),
            Self::PostDataBeforeLock { source, began, locked, shared: true } => write!(
                f,
                "pre and post lots both lie in {source}{}: the post data existed before the plan was locked ({locked}), so the \
                 lock can't show that the plan was made without them",
                if began.is_empty() { String::new() } else { format!(" (begun {began})") }
            ),
            Self::PostDataBeforeLock { source, began, locked, shared: false } => write!(
                f,
                "the post data in {source} were begun on {began}, before the plan was locked ({locked}): the lock can't show \
                 that the plan was made without them"
            ),
            Self::DataChangedSinceRecorded { group, files, recorded } => write!(
                f,
                "{group} data changed since they were recorded under this plan ({recorded}): {}. Why?",
                files.join(", ")
            ),
            Self::UnpairedLots { column, lots } => write!(
                f,
                "no partner by `{column}` for {}; these lots take no part in the comparison of pairs",
                lots.join(", ")
            ),
            Self::PostLotsUnlikePlan { n_planned, n_found } => write!(
                f,
                "{n_found} post lots were compared, {n_planned} were planned; the operating characteristics are given for both"
            ),
            Self::PreLotsNotPlaced => write!(
                f,
                "the pre lots were clustered themselves, the post lots were placed by a reference: part of a difference may \
                 come from that. Compare with the directory that `cqa freeze` wrote, whose lots were placed in the same way"
            ),
            Self::DeviationsFromOtherLots => write!(
                f,
                "distances of pre and post lots were taken from different populations of lots, so they can't be compared; \
                 place both by one reference (`cqa freeze`, `cqa map`)"
            ),
            Self::AttributeMissing { attribute, lots } => {
                write!(f, "no value of {attribute} for {}; these lots take no part in it", lots.join(", "))
            }
            Self::RuleRefusesEqualLots { attribute, chance } => write!(
                f,
                "{attribute}: with these lots its rule calls {:.0} % of unchanged processes not comparable, so that this verdict \
                 says little; widen the range, or ask for fewer post lots within (`share_within`)",
                chance * 100.0
            ),
            Self::NoWholeTest { test, cause } => write!(f, "{test} was not tested: {cause}"),
            Self::WholeTestCannotReach { test, smallest_p, alpha } => write!(
                f,
                "{test}: with these lots the smallest p that can be reached is {smallest_p:.3}, above {alpha}; this test can \
                 show nothing (pairs need at least 6 for 0.05)"
            ),
            Self::SignatureGenesMissing { lot, genes, n_left } => write!(
                f,
                "lot {lot}: its annotation lacks {} of the signature; {n_left} genes are left. Fewer hazard cells are found in \
                 it, and a detection probability given for all lots is too high",
                genes.join(", ")
            ),
            Self::Reference(warning) => write!(f, "{warning}"),
        }
    }
}
