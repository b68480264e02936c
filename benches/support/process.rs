//! Runs servers as separate processes on their own processor.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

/// The processors of the servers and of the load.
const SERVER_CPU: &str = "0";
const LOAD_CPU: &str = "1";

/// A server process, killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Seconds from the start of the process until it announces that it serves.
    pub(crate) started_in: f64,
}

impl Server {
    /// Starts the floor.
    pub(crate) fn floor() -> Self {
        let myself = std::env::current_exe().expect("this program");
        let mut command = pinned(&myself);
        command.arg("serve-floor");
        Self::start(command)
    }

    /// Starts Claviger in `folder` with these settings.
    pub(crate) fn claviger(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = pinned(Path::new(env!("CARGO_BIN_EXE_claviger")));
        command.current_dir(folder).env("CLAVIGER_LISTEN", "127.0.0.1:0").envs(settings.iter().copied());
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let begun = std::time::Instant::now();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("taskset and the server start");
        let log = last_lines(child.stderr.take().expect("a pipe"));
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let address = lines.by_ref().find_map(|line| line.ok()?.rsplit_once(" on ")?.1.parse().ok());
        let started_in = begun.elapsed().as_secs_f64();
        let Some(address) = address else {
            let _ = child.wait();
            panic!("the server does not serve:\n{}", log.join().unwrap_or_default());
        };
        // Reads all further output, so that the pipe never fills.
        std::thread::spawn(move || lines.for_each(drop));
        Self { address, child, started_in }
    }

    /// CPU seconds that the process has used, in user mode and in the kernel.
    pub(crate) fn cpu(&self) -> (f64, f64) {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("a live process");
        // The name in parentheses may contain spaces. utime and stime are fields 14 and 15.
        let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
        let seconds = |at: usize| fields[at].parse::<f64>().expect("a number") / 100.0;
        (seconds(11), seconds(12))
    }

    /// Resident memory, in MiB.
    pub(crate) fn resident_mib(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a live process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pins this thread, and all that it starts later, to the load's processor.
pub(crate) fn pin_load() {
    println!(
        "server on processor {SERVER_CPU}, load on processor {LOAD_CPU}: {}",
        if pin(LOAD_CPU) { "pinned" } else { "NOT PINNED" }
    );
}

/// Starts something on the server's processor. Call [`pin_load`] afterwards.
pub(crate) fn beside_the_server<T>(start: impl FnOnce() -> T) -> T {
    if !pin(SERVER_CPU) {
        println!("NOT PINNED to processor {SERVER_CPU}");
    }
    start()
}

fn pin(processor: &str) -> bool {
    let done = Command::new("taskset").args(["-cp", processor, &std::process::id().to_string()]).output();
    done.is_ok_and(|done| done.status.success())
}

/// Reads a log, so that the pipe never fills, and returns its last lines when it ends.
fn last_lines(log: impl Read + Send + 'static) -> JoinHandle<String> {
    const LINES: usize = 20;
    std::thread::spawn(move || {
        let mut last = VecDeque::with_capacity(LINES);
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if last.len() == LINES {
                last.pop_front();
            }
            last.push_back(line);
        }
        Vec::from(last).join("\n")
    })
}

fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CPU]).arg(program);
    command
}
