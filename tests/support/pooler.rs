//! PgBouncer between a server and its database.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::database::Database;
use super::postgres::unprivileged;
use super::process::is_here;
use super::wait::until;

/// A real PgBouncer in front of a database.
pub struct Pooler {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    pub async fn start(database: &Database, mode: &str) -> Option<Self> {
        if !is_here("pgbouncer") {
            return None;
        }
        let (_, address) = database.url.rsplit_once('@').expect("a user");
        let (server, name) = address.split_once('/').expect("a database");
        let (host, server_port) = server.split_once(':').expect("a port");
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).expect("a port").port();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("permissions");
        let settings = folder.path().join("pgbouncer.ini");
        let mut file = std::fs::File::create(&settings).expect("a file");
        write!(
            file,
            "[databases]\nclaviger = host={host} port={server_port} dbname={name} user=postgres\n
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = {mode}\ndefault_pool_size = 60\nignore_startup_parameters = extra_float_digits\n"
        )
        .expect("a written file");
        let mut command = Command::new("pgbouncer");
        command.arg("-q").arg(&settings).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = unprivileged() {
            command.uid(user).gid(group);
        }
        let process = command.spawn().expect("pgbouncer runs");
        let up = || tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        until("pgbouncer is up", async || up().await.is_ok()).await;
        Some(Self { process, port, _folder: folder })
    }

    pub fn database(&self) -> Database {
        Database {
            url: format!("postgres://postgres@127.0.0.1:{}/claviger", self.port),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
