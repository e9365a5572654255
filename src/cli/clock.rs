//! When and how a command ran.

use std::time::SystemTime;

use cqa::provenance::Execution;

use super::Terminal;

/// Started with the command.
pub struct Clock {
    started: SystemTime,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        Self { started: SystemTime::now() }
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().map_or(0.0, |d| d.as_secs_f64())
    }

    /// When the command began, RFC 3339 in UTC.
    pub fn started(&self) -> String {
        humantime::format_rfc3339_seconds(self.started).to_string()
    }

    /// When a file was last changed, RFC 3339 in UTC; empty if there is none, or it is not known.
    pub fn changed(path: &std::path::Path) -> String {
        let changed = path.metadata().and_then(|file| file.modified()).ok();
        changed.map_or(String::new(), |time| humantime::format_rfc3339_seconds(time).to_string())
    }

    /// The part of the run record that may differ between runs with the same result.
    pub fn execution(&self, terminal: &Terminal) -> Execution {
        let stamp = |time| humantime::format_rfc3339_seconds(time).to_string();
        Execution {
            command: std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect(),
            started: self.started(),
            ended: stamp(SystemTime::now()),
            threads: rayon::current_num_threads(),
            seconds: terminal.seconds(),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        }
    }
}
