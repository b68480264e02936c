//! MCP clients with the TypeScript SDK, before a server with it, and before the one in Python that docs/mcp.md shows.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::program::{prepared, program, succeed, succeed_beside};
use crate::support::until;
use crate::world::World;

const PAGE: &str = include_str!("../../docs/mcp.md");
const PERMISSIONS: &str = include_str!("../../examples/recipes/python/permissions.py");

/// Where MCP servers listen; whatever else takes ports of this machine's takes those of 127.0.0.1.
const HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 77, 2);

/// For both programs: neither is behind a proxy of this machine's.
const NO_PROXY: [(&str, &str); 2] =
    [("NO_PROXY", "127.0.0.1,127.0.77.2"), ("no_proxy", "127.0.0.1,127.0.77.2")];

/// A client asks for tokens for the MCP server that it calls, so Claviger has to know that audience.
#[test]
fn typescript() {
    let Some(folder) = prepared("mcp") else { return };
    let (_, url) = free();
    let world = World::set(&[("CLAVIGER_AUDIENCES", &url)]);
    let mut check = program(&folder, "node", &["check.mjs"]);
    check.envs(world.environment()).env("CLAVIGER_AUDIENCE", &url).envs(NO_PROXY);
    succeed(check, &world);
}

#[test]
fn python() {
    let (Some(clients), Some(python)) = (prepared("mcp"), prepared("fastmcp")) else { return };
    let (address, url) = free();
    // Its clients come from several addresses, and all are known as they are.
    let audiences = format!("{url},https://other.example");
    let world = World::set(&[("CLAVIGER_AUDIENCES", &audiences)]);
    let environment = world.environment();
    let server = Documented::start(&python, address, &url, &environment);
    let mut check = program(&clients, "node", &["documented.mjs"]);
    check.envs(environment).env("CLAVIGER_AUDIENCE", &url).envs(NO_PROXY);
    succeed_beside(check, || world.log() + &server.log());
}

/// The server of the page. It is killed when this is dropped.
struct Documented {
    process: Child,
    folder: TempDir,
}

impl Documented {
    fn start(python: &Path, address: SocketAddr, url: &str, environment: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, rest) = PAGE.split_once("```python\n# mcp_server.py\n").expect("the page has the server");
        let (text, _) = rest.split_once("\n```\n").expect("a fence that ends");
        fs::write(folder.path().join("mcp_server.py"), text).expect("a file");
        fs::write(folder.path().join("permissions.py"), PERMISSIONS).expect("a file");
        let value = |wanted: &str| {
            let found = environment.iter().find(|(name, _)| *name == wanted);
            found.unwrap_or_else(|| panic!("there is no {wanted}")).1.as_str()
        };
        let mut command = program(folder.path(), python.join(".venv/bin/python"), &["mcp_server.py"]);
        command
            .env("CLAVIGER_ISSUER", value("CLAVIGER_ISSUER"))
            .env("MCP_URL", url)
            .env("INTROSPECTION_ID", value("CLAVIGER_RS_CLIENT_ID"))
            .env("INTROSPECTION_KEY", value("CLAVIGER_RS_API_KEY"))
            .env("LISTEN", address.to_string())
            .envs(NO_PROXY);
        let log =
            || File::options().append(true).create(true).open(folder.path().join("log")).expect("a file");
        let process = command.stdout(log()).stderr(log()).spawn().expect("Python starts");
        let mut server = Self { process, folder };
        server.is_set_up(address);
        server
    }

    fn is_set_up(&mut self, address: SocketAddr) {
        let runtime = Runtime::new().expect("a runtime");
        let process = std::sync::Mutex::new(&mut self.process);
        let ended = || process.lock().expect("the process").try_wait().expect("a process");
        let listens = async || ended().is_some() || TcpStream::connect(address).is_ok();
        runtime.block_on(until("the MCP server", listens));
        let ended = self.process.try_wait().expect("a process");
        assert_eq!(ended, None, "{}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Documented {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where an MCP server may listen, and its URL.
fn free() -> (SocketAddr, String) {
    let address = TcpListener::bind((HOST, 0)).and_then(|free| free.local_addr()).expect("a free port");
    (address, format!("http://{address}/mcp"))
}
