//! Somebody's shell: a folder, an environment, and what commands say in it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Backend, Claviger, Process};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_claviger");

/// A server on an empty database, and the shell of its administrator.
pub(crate) struct Scene {
    pub(crate) server: Process,
    pub(crate) admin: Shell,
    pub(crate) database: crate::support::Database,
}

impl Scene {
    pub(crate) async fn set(backend: Backend) -> Self {
        let database = backend.fresh().await;
        let server = Claviger::over(&database).set("CLAVIGER_USAGE_FLUSH", "1").serve();
        let admin =
            Shell::new().set("CLAVIGER_URL", &server.issuer).set("CLAVIGER_API_KEY", &server.admin_key());
        Self { server, admin, database }
    }

    /// The shell of somebody who has this key.
    pub(crate) fn shell_of(&self, key: &str) -> Shell {
        Shell::new().set("CLAVIGER_URL", &self.server.issuer).set("CLAVIGER_API_KEY", key)
    }
}

/// A shell in a folder of its own, which is its home too. Its environment is what a test says.
pub(crate) struct Shell {
    home: TempDir,
    variables: Vec<(String, String)>,
}

/// What a command said, to its end.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a folder"), variables: Vec::new() }
    }

    /// The same with a variable more, or another value of one.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.into(), value.into()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs `claviger` with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.feed("", arguments)
    }

    /// The same, and it has to succeed.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said
    }

    /// The same, with `--json`; what it answered.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let said = self.ok(&[arguments, &["--json"]].concat());
        assert_eq!(said.stderr, "", "{arguments:?}");
        said.json()
    }

    /// Runs `claviger` with something on its standard input.
    pub(crate) fn feed(&self, input: &str, arguments: &[&str]) -> Said {
        let mut command = self.command(BINARY);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        // Not all commands read it.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        child.wait_with_output().expect("an end").into()
    }

    /// Runs `claviger` with its streams where a test wants them; a stream that goes elsewhere is empty in what is said.
    pub(crate) fn run_into(&self, stdout: Stdio, stderr: Stdio, arguments: &[&str]) -> Said {
        let mut command = self.command(BINARY);
        command.args(arguments).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        command.spawn().expect("the binary runs").wait_with_output().expect("an end").into()
    }

    /// Runs `claviger` with a full disk as standard output.
    pub(crate) fn run_full(&self, arguments: &[&str]) -> Said {
        self.run_into(full(), Stdio::piped(), arguments)
    }

    /// Runs `claviger` with a standard output that nobody reads.
    pub(crate) fn run_unread(&self, arguments: &[&str]) -> Said {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        self.run_into(writer.into(), Stdio::piped(), arguments)
    }

    /// Runs `claviger` on a terminal at which `typed` is typed; what the terminal shows.
    pub(crate) fn on_a_terminal(&self, typed: &str, arguments: &[&str]) -> (i32, String) {
        let words = arguments.iter().map(|word| format!("'{word}'"));
        let line = std::iter::once(BINARY.to_owned()).chain(words).collect::<Vec<_>>().join(" ");
        let mut command = self.command("script");
        command.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("script runs");
        let mut keyboard = child.stdin.take().expect("a pipe");
        let _ = keyboard.write_all(typed.as_bytes());
        let said: Said = child.wait_with_output().expect("an end").into();
        drop(keyboard);
        (said.code, said.stdout)
    }

    /// A program of the system, in this shell.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.home()).current_dir(self.home());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A full disk.
pub(crate) fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("/dev/full").into()
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let code = output.status.code().expect("an exit code");
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Said {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless it ended so and said this on standard error, and nothing on standard output.
    #[track_caller]
    pub(crate) fn assert_failed(&self, code: i32, complaint: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        assert!(self.stderr.contains(complaint), "{complaint:?} is not in {:?}", self.stderr);
    }
}

/// The text with what differs from run to run, ids and times, put out of sight; nothing gets longer or shorter.
pub(crate) fn masked(text: &str) -> String {
    let mut masked = text.to_owned();
    for (prefix, digits) in [("key_", 16), ("sec_", 16)] {
        let mut from = 0;
        while let Some(at) = masked[from..].find(prefix).map(|at| from + at + prefix.len()) {
            from = at;
            if masked[at..].bytes().take(digits).filter(u8::is_ascii_alphanumeric).count() == digits {
                masked.replace_range(at..at + digits, &"x".repeat(digits));
            }
        }
    }
    let times: Vec<usize> =
        masked.char_indices().map(|(at, _)| at).filter(|at| is_time(&masked[*at..])).collect();
    for at in times {
        masked.replace_range(at..at + TIME.len(), TIME);
    }
    masked
}

/// What every time looks like under [`masked`].
const TIME: &str = "2000-01-01T00:00:00Z";

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= TIME.len()
        && TIME.bytes().zip(bytes).all(|(shape, byte)| match shape {
            b'0'..=b'9' => byte.is_ascii_digit(),
            other => other == *byte,
        })
}
