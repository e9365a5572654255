//! The page of a plan: what so many lots can show, and how many are needed.

use maud::{Markup, html};

use super::plots::power;
use super::section::{Cell, Column, Figure, Section, Table};
use super::words::{MISSING, count, fixed, p_value, percent, several};
use super::{page, paper};
use crate::steps::process::{Design, Plan, PlanRow};

/// The page, whole and offline. `seed`: of the simulated studies.
pub fn html(plan: &Plan, seed: u64) -> String {
    let known = [("Seed", seed.to_string())];
    let sections =
        [answer(plan), numbers(plan), strengths(plan), asked(plan), methods(plan), paper::provenance(&known, &[])];
    page::render("What can so many lots show?", &sections)
}

fn unit(plan: &Plan, n: usize) -> String {
    if plan.params.design == Design::Pairs { format!("{} of lots", several(n, "pair")) } else { several(n, "lot") }
}

fn links() -> Vec<(String, String)> {
    ["power.csv", "power.svg", "power.png"].map(|name| (name.to_string(), name.to_string())).to_vec()
}

fn column(label: &str, unit: &str, help: &str) -> Column {
    Column { label: label.into(), unit: unit.into(), help: help.into() }
}

fn answer(plan: &Plan) -> Section {
    let (params, planned) = (&plan.params, &plan.planned);
    let family = params.n_clusters * params.n_readouts;
    let lots = unit(plan, planned.n_lots);
    Section {
        id: "answer".into(),
        title: "The answer".into(),
        question: format!(
            "How likely do {lots} show a true correlation of {} with {}?",
            params.rho,
            if family == 1 { "one cluster that was named beforehand".into() } else { format!("one of {family} tests") }
        ),
        finding: html! {
            dl.facts {
                div { dt { "Planned" } dd { (lots) } }
                div { dt { "Chance of “supported”" } dd { (percent(planned.power_supported, 0)) } }
                div { dt { "Chance to find it, all clusters" } dd { (percent(planned.power_family, 0)) } }
                div { dt { "Chance to find it, named beforehand" } dd { (percent(planned.power_alone, 0)) } }
                div { dt { "Smallest attainable p" } dd { (p_value(planned.smallest_p)) } }
            }
            div.verdicts { (verdict(plan)) }
        },
        figures: vec![Figure {
            scenes: vec![power::figure(plan)],
            flows: false,
            caption: "Chance to find the association, by number of lots.".into(),
            reading: "Read upwards from the planned number (dashed): each curve is another question, from a cluster that was named \
                      beforehand to the verdict, which also asks that no single lot makes the association. The dashed level is the \
                      power that studies are usually planned for."
                .into(),
            links: links(),
        }],
        tables: Vec::new(),
        method: String::new(),
    }
}

/// Whether the plan is enough, and what would be.
fn verdict(plan: &Plan) -> Markup {
    let (params, planned) = (&plan.params, &plan.planned);
    let most = plan.rows.last().map_or(0, |row| row.n_lots);
    let number = |n: Option<usize>| n.map_or(format!("more than {}", unit(plan, most)), |n| unit(plan, n));
    let wanted = percent(params.power, 0);
    let impossible = planned.smallest_p > plan.alpha;
    let (class, head) = if impossible {
        ("verdict refused", format!("With {} no data can show anything", unit(plan, planned.n_lots)))
    } else if planned.power_supported >= params.power {
        ("verdict supported", format!("{} are enough", unit(plan, planned.n_lots)))
    } else {
        ("verdict suggestive", format!("{} are fewer than a power of {wanted} takes", unit(plan, planned.n_lots)))
    };
    html! {
        section class=(class) {
            h3 { (head) }
            @if impossible {
                p { "The design admits " (orders(planned)) " orders, so that p can't fall below " (p_value(planned.smallest_p)) ", above " (plan.alpha) "." }
            }
            p {
                "A power of " (wanted) " takes " (number(plan.needed.supported)) " for the verdict “supported”, "
                (number(plan.needed.family)) " for a family-wise p of at most " (plan.alpha) ", and " (number(plan.needed.alone))
                " if one cluster is named before the data are seen."
            }
            @if params.n_cells > 0 {
                p {
                    "Counting " (count(params.n_cells as u64)) " cells per lot lowers the correlation from " (params.rho) " to "
                    (fixed(plan.rho_counted, 2)) "; " (count(params.enough_cells() as u64)) " cells would keep 95 % of it. More cells make shares \
                     sharper, only more lots make an association surer."
                }
            }
        }
    }
}

fn orders(row: &PlanRow) -> String {
    // Beyond 2⁵³ a count is no longer a whole number here.
    if row.n_orders < 9e15 { count(row.n_orders as u64) } else { format!("{:.1e}", row.n_orders) }
}

fn numbers(plan: &Plan) -> Section {
    let columns = vec![
        column("Lots", "", "Lots of the study, or pairs of lots."),
        column("Smallest p", "", "What the best possible data of the design would give."),
        column("|r|, alone", "", "Needed by a cluster that was named beforehand."),
        column("|r|, max-T", "", "Needed after allowing for every test."),
        column("Alone", "power, %", "One cluster, named beforehand."),
        column("Bonferroni", "power, %", "Any of the tests, each at its part of the level."),
        column("max-T", "power, %", "Any of the tests, by the permutation test of the ranking."),
        column("Supported", "power, %", "The verdict, with the clusters as found."),
        column("Planned", "", ""),
    ];
    let r = |value: f64| Cell::Number(if value.is_nan() { MISSING.into() } else { fixed(value, 2) });
    let whole = |share: f64| Cell::Number(fixed(100.0 * share, 0));
    let row = |row: &PlanRow| {
        vec![
            Cell::Number(row.n_lots.to_string()),
            Cell::Number(p_value(row.smallest_p)),
            r(row.r_alone),
            r(row.r_family),
            whole(row.power_alone),
            whole(row.power_bonferroni),
            whole(row.power_family),
            whole(row.power_supported),
            Cell::Flag(if row.n_lots == plan.params.n_lots { "planned".into() } else { String::new() }),
        ]
    };
    Section {
        id: "numbers".into(),
        title: "By number of lots".into(),
        question: "What does each further lot bring?".into(),
        finding: html! {},
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Correlation needed, and power, by number of lots".into(),
            columns,
            rows: plan.rows.iter().map(row).collect(),
            links: vec![("power.csv".into(), "power.csv".into())],
        }],
        method: String::new(),
    }
}

fn strengths(plan: &Plan) -> Section {
    let rows = plan.by_rho.iter().map(|&(rho, alone, family)| {
        [fixed(rho, 1), fixed(100.0 * alone, 0), fixed(100.0 * family, 0)].map(Cell::Number).to_vec()
    });
    Section {
        id: "strengths".into(),
        title: "Weaker and stronger associations".into(),
        question: format!("What do {} find if the truth is another?", unit(plan, plan.planned.n_lots)),
        finding: html! {},
        figures: Vec::new(),
        tables: vec![Table {
            caption: format!("Chance of {} to find a true correlation", unit(plan, plan.planned.n_lots)),
            columns: vec![
                column("True correlation", "", "Between the share in the whole lot and the readout as measured."),
                column("Alone", "power, %", "One cluster, named beforehand."),
                column("max-T", "power, %", "Any of the tests."),
            ],
            rows: rows.collect(),
            links: Vec::new(),
        }],
        method: String::new(),
    }
}

fn design(plan: &Plan) -> &'static str {
    match plan.params.design {
        Design::Measured => "a readout measured in each lot",
        Design::Groups => "two groups of lots",
        Design::Pairs => "pairs of lots",
    }
}

fn asked(plan: &Plan) -> Section {
    let params = &plan.params;
    let known = [
        ("Design", design(plan).to_string()),
        ("Lots", unit(plan, params.n_lots)),
        ("Clusters", count(params.n_clusters as u64)),
        ("Readouts", count(params.n_readouts as u64)),
        ("Lots per block", if params.block_size == 0 { "no blocks".into() } else { params.block_size.to_string() }),
        ("Covariates", params.n_covariates.to_string()),
        ("True correlation", params.rho.to_string()),
        (
            "Cells per lot",
            if params.n_cells == 0 { "share known exactly".into() } else { count(params.n_cells as u64) },
        ),
        ("Mean share", percent(params.mean_share(), 1)),
        ("SD of the share", format!("{} between lots", percent(params.sd_of_share(), 1))),
        ("Level", plan.alpha.to_string()),
    ];
    Section {
        id: "asked".into(),
        title: "What was asked".into(),
        question: "Under which assumptions do these numbers hold?".into(),
        finding: html! {
            dl.provenance { @for (what, value) in &known { div { dt { (what) } dd { (value) } } } }
            p {
                "Shares and readouts are taken as normal, cells as drawn independently, and the clusters as found. Skewed shares, cells of \
                 one lot that resemble each other, and clusters that change with the lots lower the power that is reached."
            }
        },
        figures: Vec::new(),
        tables: Vec::new(),
        method: String::new(),
    }
}

fn methods(plan: &Plan) -> Section {
    let params = &plan.params;
    let mut methods = paper::Methods::default();
    methods.say(format!(
        "Power was planned with cqa {} for {} ({}), a true correlation of {} and {} at a two-sided level of {}.",
        env!("CARGO_PKG_VERSION"),
        unit(plan, params.n_lots),
        design(plan),
        params.rho,
        several(params.n_clusters * params.n_readouts, "test"),
        plan.alpha
    ));
    if params.n_cells > 0 {
        methods.say(format!(
            "The correlation was lowered to {} for the error of counting {} cells per lot (Spearman 1904).",
            fixed(plan.rho_counted, 2),
            count(params.n_cells as u64)
        ));
        methods.cite("Spearman C. American Journal of Psychology 1904;15:72-101. doi:10.2307/1412159");
    }
    methods.say(
        "Power of a single cluster and after Bonferroni is that of normal values (Hotelling 1953; non-central t for groups and pairs) \
         or, where a design admits few orders, of the permutation test itself on simulated lots.",
    );
    methods.cite("Hotelling H. Journal of the Royal Statistical Society B 1953;15:193-232. doi:10.1111/j.2517-6161.1953.tb00135.x");
    methods.say(format!(
        "Family-wise power (max-T, Westfall and Young 1993) and that of the verdict come from {} simulated studies for each number of lots.",
        count(params.n_simulations as u64)
    ));
    methods.cite("Westfall PH, Young SS. Resampling-based multiple testing. Wiley 1993. ISBN 978-0-471-55761-6");
    methods.section()
}
