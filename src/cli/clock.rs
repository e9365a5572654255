//! When and how a command ran.

use std::time::SystemTime;

use cqa::provenance::Execution;

use super::{Common, Terminal};

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

    /// The command line.
    pub fn command() -> Vec<String> {
        std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect()
    }

    /// The folder that relative paths start at; empty if it is not known.
    pub fn folder() -> String {
        std::env::current_dir().map_or(String::new(), |folder| folder.to_string_lossy().into_owned())
    }

    /// Processor and operating system the program was built for, and the widest vectors of this processor: those choose among
    /// versions of some loops.
    pub fn machine() -> String {
        format!("{}-{}{}", std::env::consts::ARCH, std::env::consts::OS, widest())
    }

    /// The part of the run record that may differ between runs with the same result.
    pub fn execution(&self, common: &Common, terminal: &Terminal) -> Execution {
        let stamp = |time| humantime::format_rfc3339_seconds(time).to_string();
        Execution {
            command: Self::command(),
            folder: Self::folder(),
            operator: common.operator.clone(),
            reason: common.reason.clone(),
            started: self.started(),
            ended: stamp(SystemTime::now()),
            threads: rayon::current_num_threads(),
            seconds: terminal.seconds(),
            target: Self::machine(),
            ..Execution::default()
        }
    }
}

/// Processor seconds of all threads of this process so far; `None` where the system does not tell (it does on Linux, in steps of
/// 10 ms).
pub fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may hold spaces; user and system ticks are the 12th and 13th fields behind it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / TICKS_PER_SECOND)
}

/// `sysconf(_SC_CLK_TCK)` of Linux on every processor this program is built for.
const TICKS_PER_SECOND: f64 = 100.0;

/// Most memory this process has held so far, in bytes; `None` where the system does not tell (it does on Linux).
pub fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?;
    Some(kilobytes.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(target_arch = "x86_64")]
fn widest() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx512f") {
        " (AVX-512)"
    } else if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        " (AVX2)"
    } else {
        " (SSE2)"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn widest() -> &'static str {
    ""
}
