//! The binary as a process of its own, in a folder of its own.

use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A working folder. Nothing is in the environment of what runs there but what a test says.
pub(super) struct Place(TempDir);

/// What a process said, to its end.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A server that serves. It is killed with this.
#[derive(Debug)]
pub(super) struct Serving {
    process: Child,
    log: PathBuf,
    /// What it printed until it served.
    pub(super) said: String,
}

/// The start is refused as a mistake in the settings, and `named` says in which.
#[track_caller]
pub(super) fn assert_refused(what: &str, said: &Said, named: &str) {
    assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{what}: {}", said.stderr);
    assert!(said.stderr.contains(named), "{what}: {}", said.stderr);
}

/// The start fails for another reason, which has `named` in it.
#[track_caller]
pub(super) fn assert_failed(what: &str, said: &Said, named: &str) {
    assert_eq!(said.code, 1, "{what}: {}", said.stderr);
    assert!(said.stderr.contains(named), "{what}: {}", said.stderr);
}

impl Place {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names of what is in the folder, in order.
    pub(super) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("a folder").map(|entry| entry.expect("an entry"));
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().expect("text")).collect();
        names.sort_unstable();
        names
    }

    /// Writes a file that everybody can read.
    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
        fs::set_permissions(self.path(name), Permissions::from_mode(0o644)).expect("permissions");
    }

    /// Writes a file that nobody else can read.
    pub(super) fn write_secret(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.path(name), Permissions::from_mode(0o600)).expect("permissions");
    }

    pub(super) fn command(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.current_dir(self.0.path()).args(arguments).env_clear().envs(settings.iter().copied());
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, command: &mut Command) -> Said {
        let output = command.output().expect("the binary runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Said {
            code: output.status.code().expect("no signal"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs `claviger init`, which ends by itself.
    pub(super) fn init(&self, settings: &[(&str, &str)]) -> Said {
        self.run(&mut self.command(&["init"], settings))
    }

    /// Runs `claviger serve` until it serves or ends.
    pub(super) fn serve(&self, settings: &[(&str, &str)]) -> Result<Serving, Said> {
        let log = tempfile::NamedTempFile::new().expect("a file").into_temp_path().keep().expect("a file");
        let mut command = self.command(&["serve"], settings);
        command.stdout(Stdio::piped()).stderr(File::create(&log).expect("a file"));
        let mut process = command.spawn().expect("the binary runs");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut serving = Serving { process, log, said: String::new() };
        for line in output.lines().map_while(Result::ok) {
            serving.said.push_str(&line);
            serving.said.push('\n');
            if line.starts_with("Claviger serves ") {
                return Ok(serving);
            }
        }
        Err(serving.end())
    }
}

impl Serving {
    /// Waits until it has logged this: a thread of its own writes the log.
    pub(super) fn until_logged(self, what: &str) -> Self {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !fs::read_to_string(&self.log).is_ok_and(|log| log.contains(what)) {
            assert!(Instant::now() < deadline, "{what} is not logged");
            std::thread::yield_now();
        }
        self
    }

    /// Waits for its end, after killing it if it still serves.
    pub(super) fn end(mut self) -> Said {
        if self.said.contains("Claviger serves ") {
            self.process.kill().expect("it runs");
        }
        let status = self.process.wait().expect("an end");
        let stderr = fs::read_to_string(&self.log).expect("a log");
        Said { code: status.code().unwrap_or(-1), stdout: std::mem::take(&mut self.said), stderr }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended before, and been waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.log);
    }
}
