//! How far a command is and how long it will take: the steps it will walk, and what each weighs. Knows no clock; every
//! time is passed in as seconds.

/// Seconds that each step takes at 11 lots × 5,000 cells on two cores; only the bar and the time left depend on it.
const WEIGHTS: [(&str, f64); 24] = [
    ("simulate", 30.0),
    ("read", 22.0),
    ("qc", 1.0),
    ("doublets", 44.0),
    ("hvg", 2.0),
    ("cell_cycle", 2.0),
    ("pca", 20.0),
    ("harmony", 4.0),
    ("neighbors", 10.0),
    ("graph", 3.0),
    ("resolution", 36.0),
    ("umap", 17.0),
    ("neighborhoods", 1.0),
    ("deviation", 3.0),
    ("effects", 16.0),
    ("leave_one_out", 220.0),
    ("sensitivity", 60.0),
    ("association", 5.0),
    ("write", 48.0),
    ("panel", 10.0),
    ("reference", 20.0),
    ("held_out", 150.0),
    ("map", 10.0),
    ("screen", 5.0),
];

/// Steps that take as long for each lot; the weights are for so many.
const PER_LOT: [&str; 2] = ["leave_one_out", "held_out"];
const LOTS_OF_WEIGHTS: f64 = 11.0;

/// Weight of a step without one.
const OTHER: f64 = 5.0;

/// A step that is expected to take this share of the whole is announced when it begins.
const LONG: f64 = 0.1;

/// Time alone never carries a step further than this share of its next unit of work.
const UNCOUNTED: f64 = 0.9;

/// Below this share done, the time left is a guess that is not worth telling.
const KNOWN_FROM: f64 = 0.03;

/// Steps of a command: those passed, the one running, those to come.
#[derive(Debug, Default)]
pub struct Ahead {
    /// Name and weight.
    steps: Vec<(String, f64)>,
    n_passed: usize,
    running: Option<Running>,
    /// Of the steps that have ended.
    seconds: f64,
}

#[derive(Debug)]
struct Running {
    total: u64,
    done: u64,
    since: f64,
}

impl Ahead {
    /// Sets the steps to come.
    pub fn expect(&mut self, steps: &[&str], n_lots: usize) {
        let weight = |step: &str| {
            let lots = if PER_LOT.contains(&step) { n_lots as f64 / LOTS_OF_WEIGHTS } else { 1.0 };
            weight(step) * lots
        };
        self.steps.truncate(self.n_passed);
        self.steps.extend(steps.iter().map(|step| (step.to_string(), weight(step))));
    }

    /// A step begins; steps expected before it are passed, since they had nothing to do.
    pub fn start(&mut self, step: &str, total: u64, now: f64) {
        let at = (self.n_passed..self.steps.len()).find(|&i| self.steps[i].0 == step);
        match at {
            Some(at) => self.n_passed = at,
            None => self.steps.insert(self.n_passed, (step.to_string(), weight(step))),
        }
        self.running = Some(Running { total, done: 0, since: now });
    }

    /// Units of the running step are done.
    pub fn advance(&mut self, units: u64) {
        if let Some(running) = &mut self.running {
            running.done = running.done.saturating_add(units).min(running.total);
        }
    }

    /// The running step has ended.
    pub fn finish(&mut self, now: f64) {
        if let Some(running) = self.running.take() {
            self.seconds += now - running.since;
            self.n_passed = (self.n_passed + 1).min(self.steps.len());
        }
    }

    /// The running step: units done, units in all (0 = not counted), seconds.
    pub fn running(&self, now: f64) -> Option<(u64, u64, f64)> {
        self.running.as_ref().map(|running| (running.done, running.total, now - running.since))
    }

    /// Whether the running step is worth announcing.
    pub fn is_long(&self) -> bool {
        self.running.is_some() && self.steps[self.n_passed].1 >= LONG * self.total()
    }

    /// Share of the whole that is done, 0 to 1.
    pub fn share(&self, now: f64) -> f64 {
        let total = self.total();
        if total > 0.0 { self.done(now) / total } else { 0.0 }
    }

    /// Seconds that the rest will take at the pace so far; `None` while too little is done to tell.
    pub fn seconds_left(&self, now: f64) -> Option<f64> {
        let share = self.share(now);
        let spent = self.seconds + self.running.as_ref().map_or(0.0, |running| now - running.since);
        (share >= KNOWN_FROM).then(|| spent * (1.0 - share) / share)
    }

    fn total(&self) -> f64 {
        self.steps.iter().map(|step| step.1).sum()
    }

    fn passed(&self) -> f64 {
        self.steps[..self.n_passed].iter().map(|step| step.1).sum()
    }

    fn done(&self, now: f64) -> f64 {
        let passed = self.passed();
        let Some(running) = &self.running else { return passed };
        let weight = self.steps[self.n_passed].1;
        let units = running.total.max(1) as f64;
        let counted = running.done as f64 / units;
        // Between two units (or where none are counted) time carries on, at the pace of the steps so far.
        let timed = if passed > 0.0 && self.seconds > 0.0 {
            (now - running.since) / (weight * self.seconds / passed)
        } else {
            0.0
        };
        passed + weight * counted.max(timed.min(counted + UNCOUNTED / units)).min(1.0)
    }
}

fn weight(step: &str) -> f64 {
    WEIGHTS.iter().find(|known| known.0 == step).map_or(OTHER, |known| known.1)
}

/// A time in words: `40 s`, `3 min`, `1 h 20 min`.
pub fn in_words(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        _ if seconds < 59.5 => format!("{:.0} s", seconds.ceil()),
        0..60 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks steps that take `pace` seconds for each unit of their weight.
    fn walk(ahead: &mut Ahead, steps: &[&str], pace: f64) -> f64 {
        let mut now = 0.0;
        for step in steps {
            ahead.start(step, 0, now);
            now += pace * weight(step);
            ahead.finish(now);
        }
        now
    }

    #[test]
    fn every_command_ends_at_the_end_of_its_bar() {
        let short = ["read", "qc", "doublets", "hvg", "pca", "effects", "write"];
        for steps in [&short[..], &["read"], &["association", "association"], &["of no weight", "write"]] {
            let mut ahead = Ahead::default();
            ahead.expect(steps, 11);
            let now = walk(&mut ahead, steps, 0.1);
            assert_eq!(ahead.share(now), 1.0, "{steps:?}");
            assert_eq!(ahead.seconds_left(now), Some(0.0));
        }
    }

    #[test]
    fn a_step_with_nothing_to_do_is_passed_and_one_not_foreseen_has_its_place() {
        let mut ahead = Ahead::default();
        ahead.expect(&["read", "leave_one_out", "write"], 2);
        assert_eq!(ahead.total(), 22.0 + 40.0 + 48.0);
        let now = walk(&mut ahead, &["read", "never foreseen", "write"], 1.0);
        assert_eq!(ahead.share(now), 1.0);
        assert_eq!(Ahead::default().share(0.0), 0.0);
    }

    #[test]
    fn units_and_time_carry_a_step_but_never_past_its_next_unit() {
        let mut ahead = Ahead::default();
        ahead.expect(&["read", "leave_one_out"], 11);
        ahead.start("read", 0, 0.0);
        assert_eq!((ahead.share(100.0), ahead.seconds_left(100.0)), (0.0, None), "no pace is known yet");
        ahead.finish(44.0);
        // Two seconds for each unit of weight: 440 more.
        assert!((ahead.seconds_left(44.0).unwrap() - 440.0).abs() < 1e-9);
        ahead.start("leave_one_out", 10, 44.0);
        assert!((ahead.seconds_left(54.0).unwrap() - 430.0).abs() < 1e-9);
        let stuck = 22.0 + 220.0 * 0.09;
        assert!((ahead.share(1e6) - stuck / 242.0).abs() < 1e-12, "no unit is done");
        ahead.advance(5);
        assert!((ahead.share(54.0) - (22.0 + 110.0) / 242.0).abs() < 1e-12);
        ahead.advance(50);
        assert_eq!((ahead.running(54.0), ahead.share(54.0)), (Some((10, 10, 10.0)), 1.0));
    }

    #[test]
    fn what_takes_a_tenth_of_the_whole_is_announced() {
        let mut ahead = Ahead::default();
        ahead.expect(&["read", "qc", "leave_one_out"], 11);
        for (step, long) in [("read", false), ("qc", false), ("leave_one_out", true)] {
            ahead.start(step, 0, 0.0);
            assert_eq!(ahead.is_long(), long, "{step}");
            ahead.finish(0.0);
        }
    }

    #[test]
    fn times_in_words() {
        let said = [0.2, 40.0, 59.6, 170.0, 4800.0].map(in_words);
        assert_eq!(said, ["1 s", "40 s", "1 min", "3 min", "1 h 20 min"]);
    }
}
