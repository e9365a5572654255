//! The comparison as a methods paragraph.

use crate::data::{AttributeKind, Comparison, ComparisonDesign, Multiplicity, Range, Rule};
use crate::report::paper::Methods;
use crate::report::section::Section;
use crate::report::words::{count, percent, several};
use crate::steps::process::Compared;

pub(super) fn section(comparison: &Comparison, compared: &Compared) -> Section {
    let mut methods = Methods::default();
    methods.say(format!(
        "{} before and {} after the change ({}) were compared in {} with cqa {}, by a plan that was locked before the later \
         lots were opened.",
        several(compared.pre.lots.len(), "lot"),
        compared.post.lots.len(),
        match comparison.design {
            ComparisonDesign::Paired => "in pairs",
            ComparisonDesign::History => "each new lot beside all earlier ones",
            ComparisonDesign::Unpaired => "other lots before and after",
        },
        several(comparison.attributes.len(), "attribute"),
        env!("CARGO_PKG_VERSION")
    ));
    rules(comparison, &mut methods);
    if comparison.attributes.iter().any(|a| a.kind == AttributeKind::Deviation) {
        methods.say("Deviations are distances of each lot's composition or cells from the lots of the reference.");
        methods.cite("Aitchison J. Journal of the Royal Statistical Society B 1982;44:139-177. doi:10.1111/j.2517-6161.1982.tb01195.x");
    }
    for one in &compared.whole {
        if one.test == "composition" {
            methods.say("Compositions were compared as a whole by PERMANOVA on Aitchison distances (Anderson 2001), lots being permuted.");
            methods.cite("Anderson MJ. Austral Ecology 2001;26:32-46. doi:10.1111/j.1442-9993.2001.01070.pp.x");
        } else {
            methods.say(
                "Cells were compared as a whole by the energy statistic (Szekely and Rizzo 2013), lots being permuted.",
            );
            methods.cite("Szekely GJ, Rizzo ML. Journal of Statistical Planning and Inference 2013;143:1249-1272. doi:10.1016/j.jspi.2013.03.018");
        }
    }
    methods.say(format!(
        "Operating characteristics come from formulas where there are any, else from {} simulated studies (seed {}).",
        count(comparison.n_simulations as u64),
        comparison.seed
    ));
    methods.section()
}

fn rules(comparison: &Comparison, methods: &mut Methods) {
    let alpha = comparison.alpha;
    let any = |is: fn(&Rule) -> bool| comparison.attributes.iter().any(|a| is(&a.rule));
    if any(|rule| matches!(rule, Rule::Tost { .. })) {
        methods.say(format!(
            "Means were compared by two one-sided tests at level {alpha} (Schuirmann 1987): comparable where the {} interval of \
             the difference lies within the margin fixed beforehand.",
            percent(1.0 - 2.0 * alpha, 0)
        ));
        methods.cite(
            "Schuirmann DJ. Journal of Pharmacokinetics and Biopharmaceutics 1987;15:657-680. doi:10.1007/BF01068419",
        );
    }
    if any(|rule| matches!(rule, Rule::Range { range: Range::Tolerance { .. }, .. })) {
        methods.say("Lots after the change were held against exact normal tolerance intervals of the lots before (Wald and Wolfowitz 1946).");
        methods.cite(
            "Wald A, Wolfowitz J. Annals of Mathematical Statistics 1946;17:208-215. doi:10.1214/aoms/1177730981",
        );
    }
    if any(|rule| matches!(rule, Rule::Range { range: Range::Quality { .. }, .. })) {
        methods.say("Quality ranges are the mean of the lots before plus and minus k standard deviations.");
    }
    match comparison.multiplicity {
        Multiplicity::None => {
            methods.say("All attributes must pass, so each keeps its level (Berger 1982).");
            methods.cite("Berger RL. Technometrics 1982;24:295-300. doi:10.1080/00401706.1982.10487790");
        }
        Multiplicity::Bonferroni => methods.say("Levels were divided by the number of tests (Bonferroni)."),
        Multiplicity::Holm => {
            methods.say("Levels were shared by Holm's steps (1979).");
            methods
                .cite("Holm S. Scandinavian Journal of Statistics 1979;6:65-70. https://www.jstor.org/stable/4615733");
        }
    }
}
