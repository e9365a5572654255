//! How the library tells what it is doing, without printing anything itself.

/// Receives the progress of a run. Every method may be called from any thread.
pub trait Progress: Sync {
    /// A step begins, with its amount of work in units of its own (lots, iterations; 0 = unknown).
    fn start(&self, step: &str, total: u64);
    /// Some of the units are done.
    fn advance(&self, units: u64);
    /// The step has ended; `summary` says in a few words what came out.
    fn finish(&self, step: &str, summary: &str);
}

/// Says nothing.
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _step: &str, _total: u64) {}
    fn advance(&self, _units: u64) {}
    fn finish(&self, _step: &str, _summary: &str) {}
}
