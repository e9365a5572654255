//! Progress on a terminal as a bar with time left, elsewhere as plain lines or JSON lines.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Instant;

use cqa::Warning;
use cqa::progress::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use super::clock::cpu_seconds;

/// Share of the whole road's time that each step takes, measured at 11 lots × 5,000 cells; only the bar depends on it.
const WEIGHTS: [(&str, u64); 14] = [
    ("read", 22),
    ("qc", 3),
    ("doublets", 14),
    ("hvg", 4),
    ("cell_cycle", 3),
    ("pca", 8),
    ("harmony", 5),
    ("neighbors", 14),
    ("resolution", 8),
    ("umap", 12),
    ("effects", 12),
    ("leave_one_out", 220),
    ("sensitivity", 60),
    ("write", 10),
];

/// Where words go while a command runs. Standard output is kept for results.
pub struct Terminal {
    quiet: bool,
    json: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    step: Option<Running>,
    seconds: Vec<(String, f64)>,
}

struct Running {
    name: String,
    since: Instant,
    cpu: Option<f64>,
    total: u64,
    done: u64,
}

impl Terminal {
    /// Silent, JSON lines, a bar (standard error is a terminal) or plain lines.
    pub fn new(quiet: bool, json: bool) -> Self {
        let bar = (!quiet && !json && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(WEIGHTS.iter().map(|w| w.1).sum::<u64>() * 100);
            let style = ProgressStyle::with_template("{msg:24} [{wide_bar}] {percent:>3} %  {eta} left");
            bar.set_style(style.expect("a constant template is valid").progress_chars("=> "));
            bar
        });
        Self { quiet, json, state: Mutex::new(State { bar, ..State::default() }) }
    }

    /// Wall-clock seconds of the steps so far.
    pub fn seconds(&self) -> Vec<(String, f64)> {
        self.state().seconds.clone()
    }

    /// Removes the bar before results are printed.
    pub fn done(&self) {
        if let Some(bar) = self.state().bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Says what stops the command.
    pub fn error(&self, message: &str) {
        self.done();
        if self.json {
            eprintln!("{}", serde_json::json!({ "level": "error", "message": message }));
        } else {
            eprintln!("error: {message}");
        }
    }

    /// Says every warning; also with `--quiet`, since a warning bears on the result.
    pub fn warnings(&self, warnings: &[Warning]) {
        for warning in warnings {
            if self.json {
                let line =
                    serde_json::json!({ "level": "warning", "message": warning.to_string(), "warning": warning });
                eprintln!("{line}");
            } else {
                eprintln!("warning: {warning}");
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Progress for Terminal {
    fn start(&self, step: &str, total: u64) {
        let mut state = self.state();
        state.step = Some(Running { name: step.into(), since: Instant::now(), cpu: cpu_seconds(), total, done: 0 });
        if let Some(bar) = &state.bar {
            bar.set_message(step.replace('_', " "));
        }
        if self.json {
            eprintln!("{}", serde_json::json!({ "level": "info", "event": "start", "step": step }));
        }
    }

    fn advance(&self, units: u64) {
        let mut state = self.state();
        let before = passed(&state.seconds);
        let Some(running) = &mut state.step else { return };
        running.done = (running.done + units).min(running.total);
        let within = (weight(&running.name) * running.done).checked_div(running.total).unwrap_or(0);
        if let Some(bar) = &state.bar {
            bar.set_position(before + within);
        }
    }

    fn finish(&self, step: &str, summary: &str) {
        let mut state = self.state();
        let running = state.step.take();
        let seconds = running.as_ref().map_or(0.0, |running| running.since.elapsed().as_secs_f64());
        let cpu = running.and_then(|running| Some(cpu_seconds()? - running.cpu?));
        state.seconds.push((step.to_string(), seconds));
        let position = passed(&state.seconds);
        if let Some(bar) = &state.bar {
            bar.set_position(position);
        } else if self.json {
            let line = serde_json::json!({
                "level": "info", "event": "finish", "step": step, "summary": summary, "seconds": seconds,
                "cpu_seconds": cpu
            });
            eprintln!("{line}");
        } else if !self.quiet {
            eprintln!("{step:<12} {seconds:>7.1} s  {summary}");
        }
    }
}

/// Length of a step on the bar.
fn weight(step: &str) -> u64 {
    WEIGHTS.iter().find(|w| w.0 == step).map_or(0, |w| w.1 * 100)
}

fn passed(steps: &[(String, f64)]) -> u64 {
    steps.iter().map(|(step, _)| weight(step)).sum()
}
