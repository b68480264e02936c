//! What `deploy/fapi/run` leaves running for the OpenID Foundation's conformance suite, with a client as the profile has it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::program::{prepared, program, succeed_beside};
use crate::support::{is_here, left_out};

/// The command, which has said that everything runs. It is ended when this is dropped.
struct Running {
    command: Child,
    folder: TempDir,
    /// Claviger's, and the resource server's.
    ports: [u16; 2],
}

impl Running {
    /// Starts it with the programs that were built along with this test.
    fn start() -> Option<Self> {
        let binaries = Path::new(env!("CARGO_BIN_EXE_claviger")).parent().expect("it is in a folder");
        if !binaries.join("examples/resource_server").exists() {
            left_out("the example resource_server (cargo build --examples)");
            return None;
        }
        if !(is_here("nginx") && is_here("openssl") && is_here("curl")) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut run = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/fapi/run"));
        run.arg(folder.path().join("fapi")).env("FAPI_BINARIES", binaries);
        let ports = free_ports();
        run.env("FAPI_PORT", ports[0].to_string()).env("FAPI_RESOURCE_PORT", ports[1].to_string());
        let mut command = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell");
        let mut first = String::new();
        let stdout = command.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut first).expect("text");
        if first != "ready\n" {
            let mut said = String::new();
            let _ = command.stderr.take().expect("a pipe").read_to_string(&mut said);
            panic!("{first}{said}");
        }
        Some(Self { command, folder, ports })
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join("fapi").join(name).display().to_string()
    }

    /// Ends it as somebody at a terminal would; whether it ends well.
    fn end(&mut self) -> bool {
        let id = self.command.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        sent.success() && self.command.wait().expect("an end").success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.command.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.end();
        }
    }
}

#[test]
fn the_profile_holds_for_a_client_and_a_resource_server() {
    let Some(folder) = prepared("node") else { return };
    let Some(mut running) = Running::start() else { return };
    let mut check = program(&folder, "node", &["fapi.mjs", &running.file("suite.json")]);
    check.env("NODE_EXTRA_CA_CERTS", running.file("ca.pem")).env("NO_PROXY", "localhost");
    let logs = ["claviger.log", "resource_server.log", "nginx.log"].map(|name| running.file(name));
    succeed_beside(check, || logs.map(|log| std::fs::read_to_string(log).unwrap_or_default()).concat());
    assert!(running.end(), "it ends when it is told to");
    for port in running.ports {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "{port} is still served");
    }
}

/// Two ports that nobody has at the moment.
fn free_ports() -> [u16; 2] {
    let held = [(); 2].map(|()| TcpListener::bind("0.0.0.0:0").expect("a free port"));
    held.map(|held| held.local_addr().expect("an address").port())
}
