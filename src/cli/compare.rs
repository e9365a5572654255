//! `cqa compare PLAN.toml -o OUT`

use std::path::{Path, PathBuf};

use clap::Args;
use cqa::Warning;
use cqa::data::{Comparison, Multiplicity};
use cqa::error::Error;
use cqa::io::run_dir::write_text;
use cqa::output::{ComparisonOutput, write_comparison};
use cqa::provenance::{LockedPlan, PlanFile, hash_files};
use cqa::report::compare::sentence;
use cqa::report::words::percent;
use cqa::steps::process::compare::{SHIFTS, interval, planned, short, values};
use cqa::steps::process::{Compared, OperatingRow, SdBasis, compare as judge};

use super::clock::Clock;
use super::settings::refuse_existing;
use super::{Common, Outcome, Terminal, words};

/// The commented plan that `--init` writes.
const PLAN: &str = include_str!("compare_plan.toml");

const LONG_HELP: &str = "\
The order of things
  1. cqa compare --init -o plan.toml    write a commented plan; fill it in
  2. cqa compare plan.toml --lock       what the plan can show, then its hash and time go into
                                        plan.lock.json, before any post lot is opened
  3. cqa compare plan.toml -o OUT       verdicts, when the post lots are there
Without step 2, step 3 locks the plan first. A plan that was edited later is refused; with
--amend \"reason\" the edit goes on record, and the report tells it in its first lines.

Verdicts
  comparable       the rule of the plan is met
  not_comparable   a difference that matters was shown, or too many lots left the range
  inconclusive     neither was shown; this is not sameness
All together: comparable only if every attribute is, and one with role = \"potency\" among them.";

/// Arguments of `cqa compare`.
#[derive(Args)]
#[command(after_long_help = LONG_HELP)]
pub struct CompareArgs {
    /// The plan; `--init` writes a commented one
    #[arg(value_name = "PLAN", required_unless_present = "init")]
    pub(super) plan: Option<PathBuf>,
    /// Directory to write; with --init the plan to write [default: plan.toml]
    #[arg(short, long, value_name = "OUT", required_unless_present_any = ["init", "lock"])]
    pub(super) output: Option<PathBuf>,
    /// Write a commented plan, nothing else
    #[arg(long, conflicts_with_all = ["plan", "lock", "amend", "force"])]
    init: bool,
    /// Show what the plan can show and lock it, nothing else
    #[arg(long, conflicts_with = "output")]
    lock: bool,
    /// Put an edit of a locked plan on record, with its reason
    #[arg(long, value_name = "REASON")]
    pub(super) amend: Option<String>,
    /// Replace a directory that this program wrote
    #[arg(long)]
    pub(super) force: bool,
}

/// Compares lots before and after a change.
pub fn compare(args: &CompareArgs, common: &Common, terminal: &Terminal) -> Outcome {
    let Some(path) = args.plan.as_deref().filter(|_| !args.init) else {
        return init(args.output.as_deref().unwrap_or(Path::new("plan.toml")));
    };
    let clock = Clock::start();
    let _claim = args.output.as_ref().map(|output| refuse_existing(output, args.force)).transpose()?;
    let plan = PlanFile::read(path)?;
    if !plan.shares_source() {
        // A misspelt name is found before the plan is locked, so that mending it is no amendment.
        values(plan.comparison(), &plan.read_pre()?.records)?;
    }
    let mut locked = LockedPlan::lock(plan, &clock.started(), args.amend.as_deref())?;
    let (pre, mut warnings) = locked.read_pre(&clock.started())?;
    let comparison = locked.comparison().clone();
    let (planned, n_planned) = planned(&comparison, &values(&comparison, &pre.records)?);
    terminal.done();
    println!("{}", comparison.title);
    println!("Plan locked on {}, SHA-256 {}", locked.first_locked(), locked.plan().sha256());
    for line in amendments(&locked) {
        println!("{line}");
    }
    println!();
    print_operating(&comparison, &planned);
    let Some(output) = &args.output else {
        terminal.warnings(&warnings);
        println!("The plan is on record in {}; no post lot was opened.", locked.path().display());
        println!("Head of its history: SHA-256 {}. Keep it elsewhere.", locked.head());
        return Ok(warnings);
    };
    let (post, of_post) = locked.read_post(&pre, &clock.started(), &Clock::changed(&locked.post_source()))?;
    warnings.extend(of_post);
    let mut compared = judge(&comparison, &pre.records, &post.records, locked.plan().shares_source())?;
    let n_found = compared.judged.iter().map(|one| one.n_post).max().unwrap_or(0);
    if comparison.n_post.is_some() && n_found != n_planned {
        warnings.push(Warning::PostLotsUnlikePlan { n_planned, n_found });
    }
    warnings.append(&mut compared.warnings);
    compared.warnings.clone_from(&warnings);
    let mut files: Vec<PathBuf> = pre.files.iter().chain(&post.files).cloned().collect();
    files.push(path.to_path_buf());
    files.sort();
    files.dedup();
    let inputs = hash_files(&files)?;
    let execution = clock.execution(common, terminal);
    write_comparison(
        output,
        args.force,
        ComparisonOutput { locked: &locked, planned: &planned, compared: &compared, inputs, execution },
    )?;
    terminal.warnings(&warnings);
    print_verdicts(&compared, comparison.alpha);
    println!("History of the plan: head SHA-256 {}", locked.head());
    println!("Open {} for the whole picture.", output.join("report.html").display());
    Ok(warnings)
}

/// Writes the commented plan.
fn init(path: &Path) -> Outcome {
    if path.symlink_metadata().is_ok() {
        return Err(Error::format(
            path,
            "",
            "exists already, and a plan is never overwritten; choose another name with -o",
        ));
    }
    write_text(path, PLAN)?;
    println!("{} is written: fill it in, then `cqa compare {} --lock`.", path.display(), path.display());
    Ok(Vec::new())
}

fn amendments(locked: &LockedPlan) -> Vec<String> {
    let words = |(entry, seen): (&cqa::provenance::LockEntry, bool)| {
        let when = if seen { "after post lots had been read" } else { "when post data could have been seen" };
        format!("AMENDED on {}, {when}: {}", entry.time, entry.reason)
    };
    locked.amendments().into_iter().map(words).collect()
}

/// Chances of `comparable`, one line per attribute.
fn print_operating(comparison: &Comparison, rows: &[OperatingRow]) {
    let n = |of: fn(&OperatingRow) -> usize| rows.last().map_or(0, of);
    println!(
        "What the plan can show with {} lots before and {} after: chance of `comparable`",
        n(|r| r.n_pre),
        n(|r| r.n_post)
    );
    println!("at the pre lots' SD / at the upper 95 % limit of that SD, if the truth is off by so many margins");
    let heads: String = SHIFTS.iter().map(|shift| format!("{:>15}", words_of_shift(*shift))).collect();
    println!("{:<34}{:<15}{heads}", "attribute", "rule");
    let of_basis = |basis| rows.iter().filter(|r| r.basis == basis).collect::<Vec<_>>();
    let (pre, upper) = (of_basis(SdBasis::Pre), of_basis(SdBasis::Upper));
    for (pre, upper) in pre.chunks(SHIFTS.len()).zip(upper.chunks(SHIFTS.len())) {
        let attribute = pre[0].attribute.map(|i| &comparison.attributes[i]);
        let label = attribute.map_or("all together".into(), |a| cut(&a.label(), 33));
        let cells: String = pre.iter().zip(upper).map(|(a, b)| format!("{:>15}", chances(a, b))).collect();
        println!("{label:<34}{:<15}{cells}", attribute.map_or("", |a| a.rule.word()));
    }
    match comparison.multiplicity {
        Multiplicity::None => println!("All must pass, so each is tested at {} without correction.", comparison.alpha),
        Multiplicity::Holm => {
            println!("Corrected by Holm over the attributes tested by TOST; shown at its first step.")
        }
        Multiplicity::Bonferroni => println!("Corrected by Bonferroni over the attributes tested by TOST."),
    }
    if !comparison.attributes.iter().any(|a| a.potency) {
        println!("No attribute has role = \"potency\": this plan can never say `comparable` of the whole.");
    }
    println!();
}

fn words_of_shift(shift: f64) -> String {
    if shift == 0.0 { "0 (equal)".into() } else { short(shift) }
}

fn chances(pre: &OperatingRow, upper: &OperatingRow) -> String {
    let whole = |p: f64| percent(p, 0).replace('\u{a0}', " ");
    let first = whole(pre.comparable);
    format!("{} / {}", first.trim_end_matches(" %"), whole(upper.comparable))
}

/// At most so many characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.into()
    } else {
        format!("{}…", text.chars().take(most - 1).collect::<String>())
    }
}

fn print_verdicts(compared: &Compared, alpha: f64) {
    println!(
        "{:<34}{:<15}{:>5}{:>5}  {:>9}  {:<19}{:<19}verdict",
        "attribute", "rule", "pre", "post", "estimate", "interval", "must lie within"
    );
    for one in &compared.judged {
        let estimate = if one.estimate.is_nan() { "n/a".into() } else { short(one.estimate) };
        let ends = |low: f64, high: f64| if low.is_nan() { "n/a".into() } else { interval(low, high) };
        println!(
            "{:<34}{:<15}{:>5}{:>5}  {estimate:>9}  {:<19}{:<19}{}",
            cut(&one.attribute.label(), 33),
            one.attribute.rule.word(),
            one.n_pre,
            one.n_post,
            ends(one.low, one.high),
            ends(one.margin_low, one.margin_high),
            one.verdict.words()
        );
    }
    for one in &compared.whole {
        println!(
            "Whole {}: p = {} over lots (smallest possible {}); it enters no verdict{}",
            one.test,
            words::p_value(one.found.p),
            words::p_value(one.found.smallest_p),
            if one.found.p > alpha { ", and a large p is no evidence of sameness" } else { "" }
        );
    }
    println!();
    println!("{}", sentence(compared));
    for line in &compared.overall.missing {
        println!("  {line}");
    }
    println!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_plan_is_a_sound_plan() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.toml");
        init(&path).unwrap();
        assert!(init(&path).unwrap_err().to_string().contains("never overwritten"));
        let plan = PlanFile::read(&path).unwrap();
        assert!(plan.comparison().attributes.iter().any(|a| a.potency));
        // Every key that a plan knows is told.
        for key in [
            "operator",
            "reason",
            "pair",
            "n_post",
            "pair_correlation",
            "alpha",
            "multiplicity",
            "allow_missing",
            "n_simulations",
            "seed",
            "column",
            "value",
            "lots",
            "names",
            "cluster",
            "role",
            "transform",
            "side",
            "margin_unit",
            "variance",
            "k",
            "coverage",
            "confidence",
            "share_within",
            "min_pre",
            "cells_per_lot",
            "n_permutations",
            "composition",
            "distribution",
        ] {
            assert!(PLAN.lines().any(|line| line.trim_start_matches(['#', ' ']).starts_with(key)), "no line on {key}");
        }
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!((cut("short", 5), cut("too long", 4)), ("short".into(), "too…".into()));
    }
}
