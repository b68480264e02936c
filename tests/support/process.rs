//! The real binary, in a folder of its own.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};

use super::client::Client;
use super::database::Database;
use super::missing::left_out;

/// Where the log goes, in the folder.
const LOG: &str = "claviger.log";

/// What a server says first, before its issuer.
const SERVES: &str = "Claviger serves ";
const WAITS: &str = "Claviger waits to be set up at ";

/// What the shell on a terminal says before it becomes the server.
const PROCESS: &str = "process ";

/// How a server is started.
#[derive(Clone)]
pub struct Claviger {
    folder: PathBuf,
    settings: Vec<(String, String)>,
    has_terminal: bool,
    ignored: Option<String>,
    is_log_unread: bool,
    /// What a shell does before it becomes the server.
    first: Option<String>,
}

impl Claviger {
    /// Over this database, in its folder.
    pub fn over(database: &Database) -> Self {
        Self::at(database.folder.path()).set("CLAVIGER_DATABASE_URL", &database.url)
    }

    /// In this folder, on any free port, with a cheap hash: what it costs is no affair of these tests.
    pub fn at(folder: &Path) -> Self {
        let bare = Self {
            folder: folder.to_owned(),
            settings: Vec::new(),
            has_terminal: false,
            ignored: None,
            is_log_unread: false,
            first: None,
        };
        let cheap = bare.set("CLAVIGER_ARGON2_MEMORY", "8").set("CLAVIGER_ARGON2_PASSES", "1");
        cheap.set("CLAVIGER_LISTEN", "127.0.0.1:0")
    }

    /// The same with one setting more.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same in another folder.
    pub fn moved_to(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    /// The same, with a terminal for its standard output.
    pub fn on_a_terminal(self) -> Self {
        Self { has_terminal: true, ..self }
    }

    /// The same, started with a signal ignored.
    pub fn ignoring(self, signal: &str) -> Self {
        Self { ignored: Some(signal.to_owned()), ..self }
    }

    /// The same, with its log in a pipe that nobody reads, see [`Process::log`].
    pub fn with_an_unread_log(self) -> Self {
        Self { is_log_unread: true, ..self }
    }

    /// The same, started by a shell that first does this, such as `ulimit -n 256`.
    pub fn after(self, first: &str) -> Self {
        Self { first: Some(first.to_owned()), ..self }
    }

    /// A command, to run to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("the binary runs")
    }

    /// A server that has just been started.
    pub fn spawn(&self) -> Child {
        self.spawn_command(&[])
    }

    /// A command that has just been started.
    pub fn spawn_command(&self, arguments: &[&str]) -> Child {
        let log = match self.is_log_unread {
            true => Stdio::piped(),
            false => {
                let file = OpenOptions::new().append(true).create(true).open(self.log_file());
                file.expect("a file").into()
            }
        };
        let mut command = self.command();
        command.args(arguments).stdout(Stdio::piped()).stderr(log).spawn().expect("the binary runs")
    }

    /// A server, once it serves.
    ///
    /// # Errors
    /// How it ended, if it does not.
    pub fn try_serve(&self) -> Result<Process, ExitStatus> {
        self.try_start(SERVES)
    }

    /// A server, once it waits to be set up.
    pub fn wait(&self) -> Process {
        self.try_start(WAITS).unwrap_or_else(|status| panic!("{status}: {}", self.log()))
    }

    /// A server, once it says this.
    fn try_start(&self, says: &str) -> Result<Process, ExitStatus> {
        let mut child = self.spawn();
        let mut server = Process {
            stdout: BufReader::new(child.stdout.take().expect("a pipe")),
            child,
            greeting: String::new(),
            issuer: String::new(),
            address: SocketAddr::from(([0; 4], 0)),
            folder: self.folder.clone(),
        };
        match server.has_said(says) {
            true => Ok(server),
            false => Err(server.end().0),
        }
    }

    /// A server, once it serves.
    pub fn serve(&self) -> Process {
        self.try_serve().unwrap_or_else(|status| panic!("{status}: {}", self.log()))
    }

    /// All that servers in this folder have logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Where servers in this folder log.
    pub fn log_file(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    fn command(&self) -> Command {
        let binary = env!("CARGO_BIN_EXE_claviger");
        let mut command = Command::new(if self.has_terminal { "script" } else { binary });
        if self.has_terminal {
            // `script` waits for its child alone, so the server has to be that child, and be known.
            let shown = format!("echo \"{PROCESS}$$\"; exec '{binary}'");
            command.args(["-qec", &shown, "/dev/null"]).env("SHELL", "/bin/sh");
        }
        if let Some(signal) = &self.ignored {
            command = Command::new("sh");
            command.args(["-c", r#"trap "" "$1"; shift; exec "$@""#, "sh", signal, binary]);
        }
        if let Some(first) = &self.first {
            command = Command::new("sh");
            command.args(["-c", &format!(r#"{first}; exec "$0" "$@""#), binary]);
        }
        let inherited = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("CLAVIGER_"));
        inherited.for_each(|name| _ = command.env_remove(name));
        command.envs(self.settings.iter().cloned()).current_dir(&self.folder).stdin(Stdio::null());
        command
    }
}

/// Whether there is such a program here; says so when there is not.
pub fn is_here(program: &str) -> bool {
    let answers = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok();
    if !answers {
        left_out(program);
    }
    answers
}

/// Writes a file that nobody but its owner may read.
pub fn write_private(path: &Path, text: &str) {
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).expect("a new file");
    file.write_all(text.as_bytes()).expect("a written file");
}

/// A running server. It is killed when this is dropped.
pub struct Process {
    /// What it printed before it served, and the line that says so.
    pub greeting: String,
    pub issuer: String,
    pub address: SocketAddr,
    folder: PathBuf,
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Reads on until it serves, which it does not yet.
    pub fn goes_on_to_serve(&mut self) {
        assert!(self.has_said(SERVES), "it ended: {}", self.greeting);
    }

    /// Reads on until it says this, and where it is; whether it does.
    fn has_said(&mut self, says: &str) -> bool {
        loop {
            let start = self.greeting.len();
            if self.stdout.read_line(&mut self.greeting).expect("text") == 0 {
                return false;
            }
            let said = self.greeting[start..].trim_end().strip_prefix(says);
            if let Some((issuer, address)) = said.and_then(|line| line.split_once(" on ")) {
                (self.issuer, self.address) = (issuer.to_owned(), address.parse().expect("an address"));
                return true;
            }
        }
    }

    /// A client without credentials.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// A client with the administrator's key.
    pub fn admin(&self) -> Client {
        self.client().bearer(&self.admin_key())
    }

    pub fn admin_key(&self) -> String {
        let key = fs::read_to_string(self.folder.join("keys/admin.key")).expect("the administrator's key");
        key.trim_end().to_owned()
    }

    /// The server's process id, which is not the child's if that gives it a terminal.
    pub fn id(&self) -> u32 {
        let shown = self.greeting.lines().find_map(|line| line.trim().strip_prefix(PROCESS));
        shown.map_or_else(|| self.child.id(), |id| id.parse().expect("a process id"))
    }

    /// The pipe that its log goes to.
    pub fn log(&mut self) -> ChildStderr {
        self.child.stderr.take().expect("an unread log")
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([format!("-{signal}"), self.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for its end. Returns that, and what it printed since it serves.
    pub fn end(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("text");
        (self.child.wait().expect("an end"), rest)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.id() != self.child.id() {
            let _ =
                Command::new("kill").args(["-KILL", &self.id().to_string()]).stderr(Stdio::null()).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
