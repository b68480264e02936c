//! The process. Memory and open files are known on Linux alone.

use std::fmt;
use std::fs;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::base::clock::Timestamp;
use crate::metrics::Exposition;

pub(super) fn write(to: &mut Exposition<'_>, started: Timestamp, dropped_log_lines: u64) -> fmt::Result {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    to.counter_of_seconds(
        "process_cpu_seconds_total",
        "The processor time of the process",
        cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9,
    )?;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    to.gauge("process_resident_memory_bytes", "The memory in use", bytes(&status, "VmRSS:"))?;
    to.gauge("process_virtual_memory_bytes", "The size of the address space", bytes(&status, "VmSize:"))?;
    to.gauge("process_open_fds", "The open files", open_files())?;
    to.gauge(
        "process_max_fds",
        "The most open files",
        getrlimit(Resource::Nofile).current.map(|files| files as f64),
    )?;
    to.gauge(
        "process_start_time_seconds",
        "When the process started, by its clock at that time",
        started.unix() as f64,
    )?;
    to.counter(
        "claviger_log_lines_dropped_total",
        "The log lines that were dropped, because nothing read the log fast enough",
        dropped_log_lines,
    )
}

/// A size of proc_pid_status(5), which is in KiB.
fn bytes(status: &str, name: &str) -> Option<f64> {
    let size = status.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix(" kB")?;
    Some(size.parse::<f64>().ok()? * 1024.0)
}

/// The open files, without the one that this reads.
fn open_files() -> Option<f64> {
    let files = fs::read_dir("/proc/self/fd").ok()?.count();
    Some(files.saturating_sub(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_bytes() {
        let status = "Name:\tclaviger\nVmSize:\t  200 kB\nVmRSS:\t      12 kB\n";
        assert_eq!(bytes(status, "VmRSS:"), Some(12_288.0));
        assert_eq!(bytes(status, "VmSize:"), Some(204_800.0));
        assert_eq!(bytes(status, "VmSwap:"), None);
    }
}
