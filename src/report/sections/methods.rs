//! The methods paragraph, with the run's own parameters, ready for a paper.

use crate::pipeline::{Analysis, ClusterMethod, Ranked};
use crate::report::RunFacts;
use crate::report::paper::Methods;
use crate::report::section::Section;
use crate::report::words::{self, count, fixed};
use crate::steps::cells::HvgFlavor;
use crate::steps::clusters::GraphKind;
use crate::steps::lots::{Statistic, Transform};

pub(super) fn section(analysis: &Analysis, ranked: &[Ranked], facts: &RunFacts) -> Section {
    let mut methods = Methods::default();
    let version = facts.version_or_own();
    methods.say(format!(
        "{} were analysed with cqa {version} (seed {}).",
        words::several(analysis.composition.lots.len(), "lot"),
        analysis.params.seed
    ));
    cells(analysis, &mut methods);
    clusters(analysis, &mut methods);
    lots(analysis, ranked, &mut methods);
    methods.section()
}

fn cells(analysis: &Analysis, methods: &mut Methods) {
    let params = &analysis.params;
    let qc = &params.qc;
    let mut limits = Vec::new();
    if qc.adaptive {
        limits.push(format!(
            "within each lot, counts or genes more than {} median absolute deviations below the median on the log scale, or \
             mitochondrial percentage more than {} above it (and at least {} points)",
            qc.n_mads,
            qc.n_mads,
            fixed(100.0 * qc.min_mito_margin, 1)
        ));
    }
    if qc.min_counts > 0 {
        limits.push(format!("fewer than {} counts", count(qc.min_counts.into())));
    }
    if qc.min_genes > 0 {
        limits.push(format!("fewer than {} genes", count(qc.min_genes.into())));
    }
    if qc.max_mito_fraction < 1.0 {
        limits.push(format!("more than {} % mitochondrial counts", fixed(100.0 * qc.max_mito_fraction, 1)));
    }
    if !limits.is_empty() {
        methods.say(format!("Cells were excluded for: {}.", limits.join("; ")));
    }
    if params.doublets.enabled {
        let fate = if params.doublets.drop { "removed" } else { "flagged, not removed" };
        methods.say(format!("Doublets were scored lot by lot against simulated doublets (Wolock 2019) and {fate}."));
        methods.cite("Wolock SL, Lopez R, Klein AM. Cell Systems 2019;8:281-291. doi:10.1016/j.cels.2018.11.005");
    }
    methods.say(format!(
        "Counts were scaled to {} per cell and log-transformed, ln(1 + x).",
        count(params.normalize.target_sum.max(0.0) as u64)
    ));
    let per_lot = if params.hvg.per_lot { ", ranked within each lot and combined," } else { "" };
    let flavor = match params.hvg.flavor {
        HvgFlavor::SeuratV3 => {
            methods
                .cite("Stuart T, Butler A, Hoffman P, et al. Cell 2019;177:1888-1902. doi:10.1016/j.cell.2019.05.031");
            "by variance after a variance-stabilising transform (Stuart 2019)"
        }
        HvgFlavor::Seurat => {
            methods.cite(
                "Satija R, Farrell JA, Gennert D, Schier AF, Regev A. Nature Biotechnology 2015;33:495-502. \
                 doi:10.1038/nbt.3192",
            );
            "by normalised dispersion (Satija 2015)"
        }
    };
    methods.say(format!(
        "The {} most variable genes{per_lot} were chosen {flavor}.",
        count(params.hvg.n_top_genes as u64)
    ));
    let scaling = if params.pca.scale {
        format!(" after scaling of each gene to unit variance (clipped at {})", params.pca.max_value)
    } else {
        String::new()
    };
    methods.say(format!("{} principal components were computed exactly{scaling}.", params.pca.n_components));
    if params.harmony.enabled {
        let over = if params.harmony.column.is_empty() {
            "lots".to_string()
        } else {
            format!("the column {}", params.harmony.column)
        };
        methods.say(format!(
            "They were integrated over {over} by Harmony (Korsunsky 2019; theta {}).",
            params.harmony.theta
        ));
        methods.cite(
            "Korsunsky I, Millard N, Fan J, et al. Nature Methods 2019;16:1289-1296. doi:10.1038/s41592-019-0619-0",
        );
    } else {
        methods.say("No integration over lots was made.");
    }
    methods.say("Cell-cycle phases were scored with the gene lists of Tirosh (2016).");
    methods.cite("Tirosh I, Izar B, Prakadan SM, et al. Science 2016;352:189-196. doi:10.1126/science.aad0501");
}

fn clusters(analysis: &Analysis, methods: &mut Methods) {
    const LEIDEN: &str =
        "Traag VA, Waltman L, van Eck NJ. Scientific Reports 2019;9:5233. doi:10.1038/s41598-019-41695-z";
    const UMAP: &str = "McInnes L, Healy J, Melville J. arXiv 2018:1802.03426. doi:10.48550/arXiv.1802.03426";
    let params = &analysis.params;
    let weights = match params.neighbors.graph {
        GraphKind::Snn => "weighted by the Jaccard index of their neighbourhoods",
        GraphKind::Umap => "weighted as in UMAP",
    };
    let n_neighbors = params.neighbors.n_neighbors;
    methods.say(format!("A graph of the {n_neighbors} nearest neighbours of each cell was {weights}."));
    let resolution =
        analysis.resolution.iter().find(|row| row.chosen).map_or(params.resolution.resolution, |r| r.resolution);
    let how = if params.resolution.resolution > 0.0 { "given" } else { "chosen by stability under subsampling" };
    match params.clusters.method {
        ClusterMethod::Leiden => {
            methods.say(format!("Clusters are Leiden communities (Traag 2019) at resolution {resolution}, {how}."));
            methods.cite(LEIDEN);
        }
        ClusterMethod::Kmeans => methods.say(format!(
            "Clusters were found by k-means (k = {}, {} starts).",
            analysis.clusters.len(),
            params.kmeans.n_starts
        )),
        ClusterMethod::Mixture => methods.say(format!(
            "Clusters were found by a Gaussian mixture ({} parts, first {} components, {} starts).",
            analysis.clusters.len(),
            params.mixture.n_components,
            params.mixture.n_starts
        )),
    }
    if params.umap.enabled {
        methods.say("UMAP (McInnes 2018) was used for display only.");
        methods.cite(UMAP);
    }
}

fn lots(analysis: &Analysis, ranked: &[Ranked], methods: &mut Methods) {
    let params = &analysis.params;
    methods.say(
        "Marker effects (area under the ROC curve, log2 fold change) were computed within each lot and averaged over lots.",
    );
    methods.say(
        "Each lot was held against the others by the Jensen–Shannon and Aitchison distances of its composition and the energy \
         distance of its cells.",
    );
    if ranked.is_empty() {
        return;
    }
    if ranked.iter().any(|r| r.neighborhoods.is_some()) {
        methods.say(
            "Without clusters, the readout was related to the abundance of lots around each cell by covarying neighbourhood \
             analysis (Reshef 2022), with permutations over lots.",
        );
        methods.cite(
            "Reshef YA, Rumker L, Kang JB, et al. Nature Biotechnology 2022;40:355-363. doi:10.1038/s41587-021-01066-4",
        );
    }
    let transform = match params.composition.transform {
        Transform::Share => "The share of each cluster in each lot",
        Transform::AsinSqrt => "The arcsine square root of the share of each cluster in each lot",
        Transform::Logit => "The logit of the share of each cluster in each lot",
        Transform::Clr => "The centred log ratio of the share of each cluster in each lot",
    };
    let readouts: Vec<String> = ranked.iter().map(|r| r.association.readout.clone()).collect();
    methods.say(format!(
        "{transform} was correlated with {}, the lot being the unit of replication.",
        words::list(&readouts)
    ));
    let mut designs: Vec<String> = ranked.iter().map(|r| r.association.design.words()).collect();
    designs.dedup();
    methods.say(designs.join(" "));
    let mut which: Vec<String> = ranked
        .iter()
        .map(|r| {
            format!("{} {}", if r.association.exact { "all" } else { "random" }, count(r.association.n_permutations))
        })
        .collect();
    which.dedup();
    let which = words::list(&which);
    methods.say(format!(
        "The p-values come from permutations ({which}) of the readout over lots; family-wise p-values over clusters by \
         the step-down max-T method (Westfall and Young 1993); intervals by Fisher's z (for rank correlations with the variance of Bonett and Wright) at {} %.",
        fixed(100.0 * ranked[0].asked.level, 0)
    ));
    methods.cite("Westfall PH, Young SS. Resampling-based multiple testing. Wiley 1993. ISBN 978-0-471-55761-6");
    if ranked.iter().any(|r| !r.association.design.covariates.is_empty()) {
        methods.cite(
            "Freedman D, Lane D. Journal of Business and Economic Statistics 1983;1:292-298. \
             doi:10.1080/07350015.1983.10509354",
        );
    }
    if ranked.iter().any(|r| r.association.design.statistic == Statistic::Spearman) {
        methods.cite("Bonett DG, Wright TA. Psychometrika 2000;65:23-28. doi:10.1007/BF02294183");
    }
    if ranked.iter().any(|r| !r.association.exact) {
        methods.cite(
            "Phipson B, Smyth GK. Statistical Applications in Genetics and Molecular Biology 2010;9:39. \
             doi:10.2202/1544-6115.1585",
        );
    }
    let alpha = params.verdict.alpha;
    methods.say(format!(
        "An association is called supported when the family-wise p is at most {alpha}, r keeps its sign and p alone stays at \
         most {alpha} without any one lot, and the family-wise p does without a lot that holds more than {} % of the variation; \
         no association within ±{} is said when the {} % interval of r, and r without any one lot, lie within (two one-sided \
         tests, Schuirmann 1987).",
        fixed(100.0 * params.verdict.max_dominance, 0),
        params.verdict.delta,
        fixed(100.0 * (1.0 - 2.0 * alpha), 0)
    ));
    if analysis.leave_one_out.is_some() {
        methods.say(format!(
            "Everything from variable genes to effects was repeated without each lot, at the same resolution; clusters were \
             matched by the cells they share and called found again from a Jaccard index of {} on (Hennig 2007).",
            params.verdict.min_jaccard
        ));
        methods
            .cite("Hennig C. Computational Statistics & Data Analysis 2007;52:258-271. doi:10.1016/j.csda.2006.11.025");
    }
    if !analysis.specifications.is_empty() {
        methods.say(format!(
            "Sensitivity to choices was looked at by a specification curve (Simonsohn, Simmons and Nelson 2020) over {} of \
             the cells, four transforms of the share and two correlations.",
            words::several(analysis.specifications.len(), "division")
        ));
        methods.cite(
            "Simonsohn U, Simmons JP, Nelson LD. Nature Human Behaviour 2020;4:1208-1214. doi:10.1038/s41562-020-0912-z",
        );
    }
    methods.say(
        "Candidate genes were ranked by |r| of their best cluster times their specificity for it (2·AUC − 1); the idea of a \
         hidden quality attribute found this way follows Miura (2023).",
    );
    methods.cite("Miura T, et al. Stem Cells Translational Medicine 2023;12:379-390");
}
