//! The gateways: how each is started with the configuration that the page shows.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::client::get;
use super::documented::configuration;
use crate::program::{prepared, program};
use crate::support::{is_here, until};

/// Where gateways listen; whatever else takes ports of this machine's takes those of 127.0.0.1.
const HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 77, 1);

#[derive(Clone, Copy, Debug)]
pub(super) enum Gateway {
    Nginx,
    Caddy,
    Traefik,
    Envoy,
}

/// A gateway that listens. It is killed when this is dropped.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    process: Child,
    folder: TempDir,
}

/// What nginx wants to be told besides, and Debian's own configuration says otherwise.
const NGINX: &str = "
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include orders.conf;
}
";

impl Gateway {
    /// Its program, if it is there; says so if not.
    pub(super) fn program(self) -> Option<PathBuf> {
        match self {
            Self::Nginx => is_here("nginx").then(|| "nginx".into()),
            Self::Caddy => Some(prepared("gateways/caddy")?.join("caddy")),
            Self::Traefik => Some(prepared("gateways/traefik")?.join(".venv/bin/traefik")),
            Self::Envoy => Some(prepared("gateways/envoy")?.join(".venv/bin/envoy")),
        }
    }

    /// Starts it in front of `upstream`, with the gate at the port `gate` of 127.0.0.1.
    pub(super) fn start(self, runtime: &Runtime, program: &Path, gate: u16, upstream: u16) -> Running {
        let folder = tempfile::tempdir().expect("a folder");
        let address = TcpListener::bind((HOST, 0)).and_then(|free| free.local_addr()).expect("a free port");
        let (gate, upstream) = (gate.to_string(), upstream.to_string());
        let ports = [("8080", gate.as_str()), ("9000", upstream.as_str())];
        let mut command = self.command(program, folder.path(), address, &ports);
        let log =
            || File::options().append(true).create(true).open(folder.path().join("log")).expect("a file");
        command.env("HOME", folder.path()).stdin(Stdio::null()).stdout(log()).stderr(log());
        let process = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let mut running = Running { address, process, folder };
        runtime.block_on(running.is_set_up());
        running
    }

    /// Its command, when its files are written.
    fn command(self, program_: &Path, folder: &Path, address: SocketAddr, ports: &[(&str, &str)]) -> Command {
        let port = address.port().to_string();
        let path = folder.display().to_string();
        let write = |name: &str, more: &[(&str, &str)]| {
            fs::write(folder.join(name), configuration(name, &[more, ports].concat())).expect("a file");
        };
        match self {
            Self::Nginx => {
                write("orders.conf", &[("listen 8000;", &format!("listen {address};"))]);
                fs::write(folder.join("nginx.conf"), NGINX).expect("a file");
                program(folder, program_, &["-p", &path, "-e", "stderr", "-c", "nginx.conf"])
            }
            Self::Caddy => {
                write("Caddyfile", &[("http://:8000 {", &format!("http://:{port} {{\n\tbind {HOST}"))]);
                program(folder, program_, &["run", "--config", "Caddyfile"])
            }
            Self::Traefik => {
                let here = [("\":8000\"", address.to_string()), ("/etc/traefik", path)];
                let here = here.each_ref().map(|(from, to)| (*from, to.as_str()));
                fs::write(folder.join("traefik.yml"), configuration("traefik.yml", &here)).expect("a file");
                write("orders.yml", &[]);
                program(folder, program_, &["--configFile=traefik.yml"])
            }
            Self::Envoy => {
                let any = "address: 0.0.0.0, port_value: 8000";
                write("envoy.yaml", &[(any, &format!("address: {HOST}, port_value: {port}"))]);
                let quiet = ["--log-level", "warning", "--concurrency", "1", "--disable-hot-restart"];
                program(folder, program_, &[&["-c", "envoy.yaml"], &quiet[..]].concat())
            }
        }
    }
}

impl Running {
    /// Waits until it refuses whom it has to: some listen before they have read all of their configuration.
    async fn is_set_up(&mut self) {
        let (address, process) = (self.address, Mutex::new(&mut self.process));
        let ended = || process.lock().expect("the process").try_wait().expect("a process");
        let probe = get("/orders/7");
        let refuses = async || probe.send(address).await.is_some_and(|answer| answer.status == 401);
        until("a gateway", async || ended().is_some() || refuses().await).await;
        assert_eq!(ended(), None, "{}", self.log());
    }

    /// What it said.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
