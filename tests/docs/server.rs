//! The real binary, in a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use tempfile::TempDir;

/// A freshly bootstrapped server. It ends with this value.
pub(crate) struct Server {
    process: Child,
    folder: TempDir,
    /// Host and port.
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::run(claviger().args(["serve", "--listen", "127.0.0.1:0", "--log", "off"]))
    }

    /// One that also serves metrics, and where.
    pub(crate) fn with_metrics() -> (Self, String) {
        let mut server = Self::run(
            claviger()
                .args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"])
                .args(["--log-format", "json"])
                .stderr(Stdio::piped()),
        );
        let log: ChildStderr = server.process.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let address = lines.find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line).ok()?;
            (line["message"] == "serving metrics").then(|| line["address"].as_str().map(str::to_owned))?
        });
        // The rest is read, too, so that the pipe never fills.
        std::thread::spawn(move || lines.for_each(drop));
        (server, address.expect("the server says where it serves metrics"))
    }

    fn run(command: &mut Command) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut process =
            command.current_dir(&folder).stdout(Stdio::piped()).spawn().expect("the server starts");
        let lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let address = lines.map_while(Result::ok).find_map(|line| {
            let (_, address) = line.strip_prefix("Claviger serves ")?.split_once(" on ")?;
            Some(address.to_owned())
        });
        Self { process, folder, address: address.expect("the server says where it listens") }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn admin_key(&self) -> String {
        let key = std::fs::read_to_string(self.folder().join("keys/admin.key")).expect("it was not shown");
        key.trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The binary, without the settings that this process was started with.
pub(crate) fn claviger() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    without_settings(&mut command);
    command
}

/// Takes the settings that this process was started with away from `command`.
pub(crate) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CLAVIGER_")) {
        command.env_remove(name);
    }
}
