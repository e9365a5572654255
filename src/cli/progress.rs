//! Progress on a terminal as a bar with time left, elsewhere as plain lines or JSON lines.
//!
//! Neither colours anything, so `NO_COLOR` asks for nothing else; a terminal that cannot draw (`TERM=dumb`) gets plain lines.

mod ahead;

use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cqa::Warning;
use cqa::progress::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use self::ahead::{Ahead, in_words};
use super::clock::{cpu_seconds, peak_bytes};

/// Length of the bar; fine enough for any terminal.
const BAR: u64 = 10_000;

/// Lines about a step that goes on are at least this far apart, in seconds.
const LINE_EVERY: f64 = 10.0;

/// How often the time is looked at while a step goes on.
const TICK: Duration = Duration::from_millis(250);

/// Where words go while a command runs. Standard output is kept for results.
pub struct Terminal {
    quiet: bool,
    json: bool,
    state: Arc<Mutex<State>>,
    /// Looks at the time until it is dropped.
    ticking: Option<(Sender<()>, JoinHandle<()>)>,
}

struct State {
    bar: Option<ProgressBar>,
    json: bool,
    started: Instant,
    ahead: Ahead,
    /// Name of the running step, and when something was last said of it.
    step: Option<(String, f64)>,
    seconds: Vec<(String, f64)>,
    /// Processor seconds when the step began.
    cpu: Option<f64>,
}

impl Terminal {
    /// Silent, JSON lines, a bar (standard error is a terminal) or plain lines.
    pub fn new(quiet: bool, json: bool) -> Self {
        let draws = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let bar = (!quiet && !json && draws).then(|| {
            let bar = ProgressBar::new(BAR);
            let style = ProgressStyle::with_template("{msg:24} [{wide_bar}] {percent:>3} %  {prefix}");
            bar.set_style(style.expect("a constant template is valid").progress_chars("=> "));
            bar
        });
        let started = Instant::now();
        let state = State { bar, json, started, ahead: Ahead::default(), step: None, seconds: Vec::new(), cpu: None };
        let state = Arc::new(Mutex::new(state));
        let ticking = (!quiet).then(|| {
            let (stop, stopped) = channel();
            let state = Arc::clone(&state);
            let look = move || {
                while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    lock(&state).tick();
                }
            };
            (stop, std::thread::spawn(look))
        });
        Self { quiet, json, state, ticking }
    }

    /// Tells the steps that will come, so that the bar knows its end. Steps that come unannounced lengthen it.
    pub fn expect(&self, n_lots: usize, steps: &[&str]) {
        self.state().ahead.expect(steps, n_lots);
    }

    /// Wall-clock seconds of the steps so far.
    pub fn seconds(&self) -> Vec<(String, f64)> {
        self.state().seconds.clone()
    }

    /// Removes the bar before results are printed.
    pub fn done(&self) {
        let mut state = self.state();
        state.step = None;
        if let Some(bar) = state.bar.take() {
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

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some((stop, ticker)) = self.ticking.take() {
            drop(stop);
            // It only prints: nothing is lost if it has panicked.
            let _ = ticker.join();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn now(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    fn draw(&self) {
        if let Some(bar) = &self.bar {
            let now = self.now();
            bar.set_position((self.ahead.share(now) * BAR as f64) as u64);
            bar.set_prefix(self.ahead.seconds_left(now).map(|s| format!("{} left", in_words(s))).unwrap_or_default());
        }
    }

    /// Moves the bar; where there is none, says every ten seconds that the step goes on.
    fn tick(&mut self) {
        self.draw();
        let now = self.now();
        let Some((done, total, seconds)) = self.ahead.running(now) else { return };
        let Some((step, said)) = &mut self.step else { return };
        if self.bar.is_some() || now - *said < LINE_EVERY {
            return;
        }
        *said = now;
        let left = self.ahead.seconds_left(now);
        if self.json {
            let line = serde_json::json!({
                "level": "info", "event": "progress", "step": step, "done": done, "total": total, "seconds": seconds,
                "seconds_left": left
            });
            eprintln!("{line}");
        } else {
            let share = match total {
                0 => "goes on".into(),
                1..=1000 => format!("{done} of {total} done"),
                _ => format!("{:.0} % done", 100.0 * done as f64 / total as f64),
            };
            let left = left.map(|left| format!("; the whole takes about {} more", in_words(left))).unwrap_or_default();
            eprintln!("{}  {share}{left}", plain(step, seconds));
        }
    }
}

/// A plain line's beginning.
fn plain(step: &str, seconds: f64) -> String {
    format!("{step:<13} {seconds:>7.1} s")
}

impl Progress for Terminal {
    fn start(&self, step: &str, total: u64) {
        let mut state = self.state();
        let now = state.now();
        state.ahead.start(step, total, now);
        state.step = Some((step.to_string(), now));
        state.cpu = cpu_seconds();
        if let Some(bar) = &state.bar {
            bar.set_message(step.replace('_', " "));
            state.draw();
        } else if self.json {
            eprintln!("{}", serde_json::json!({ "level": "info", "event": "start", "step": step }));
        } else if !self.quiet && state.ahead.is_long() {
            eprintln!("{}  begins", plain(step, 0.0));
        }
    }

    fn advance(&self, units: u64) {
        self.state().ahead.advance(units);
    }

    fn finish(&self, step: &str, summary: &str) {
        let mut state = self.state();
        let now = state.now();
        let seconds = state.ahead.running(now).map_or(0.0, |running| running.2);
        state.ahead.finish(now);
        state.step = None;
        let cpu = state.cpu.take().and_then(|before| Some(cpu_seconds()? - before));
        state.seconds.push((step.to_string(), seconds));
        if state.bar.is_some() {
            state.draw();
        } else if self.json {
            let line = serde_json::json!({
                "level": "info", "event": "finish", "step": step, "summary": summary, "seconds": seconds,
                "cpu_seconds": cpu, "peak_bytes": peak_bytes()
            });
            eprintln!("{line}");
        } else if !self.quiet {
            eprintln!("{}  {summary}", plain(step, seconds));
        }
    }
}
