//! A throwaway PostgreSQL server on loopback, one for each test process.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};

/// Runs the server, as it is told line by line, until its own standard input ends, which it does when the test
/// process is gone, however that ended; then takes the data away.
const WATCH: &str = r#"
trap "" PIPE
run() {
    "$1/postgres" -D "$2" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c fsync=off -c max_connections=400 -c log_min_messages=fatal >>"$2/server.log" 2>&1 &
    server=$!
}
children() { cat "/proc/$server/task/$server/children"; }
run "$@"
while read -r order; do
    case $order in
        stop) kill -INT "$server"; wait "$server" ;;
        start) run "$@" ;;
        freeze) kill -STOP "$server" $(children) ;;
        thaw) kill -CONT $(children) "$server" ;;
    esac
    echo done
done
kill -CONT $(children) "$server"
kill -INT "$server"
wait "$server"
rm -rf "$2"
"#;

/// A running server.
pub struct Postgres {
    port: u16,
    data: PathBuf,
    watched: Child,
}

impl Postgres {
    /// The server of this process; `None` where PostgreSQL is not installed.
    pub fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
        SERVER.get_or_init(|| binaries().map(|binaries| Self::start(&binaries))).as_ref()
    }

    /// A server of one's own, to be stopped and started.
    pub fn own() -> Option<Self> {
        binaries().map(|binaries| Self::start(&binaries))
    }

    /// Ends the server; whoever connects from now on is refused.
    pub fn stop(&mut self) {
        self.order("stop");
    }

    /// Starts it again, with all that it had.
    pub fn start_again(&mut self) {
        self.order("start");
        self.wait_until_up();
    }

    /// Lets the server stand still: it takes connections and answers nobody.
    pub fn freeze(&mut self) {
        self.order("freeze");
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        self.order("thaw");
    }

    fn order(&mut self, order: &str) {
        let Self { watched: Child { stdin: Some(orders), stdout: Some(reports), .. }, .. } = self else {
            panic!("two pipes");
        };
        writeln!(orders, "{order}").expect("somebody who listens");
        reports.read_exact(&mut [0; "done\n".len()]).expect("a report");
    }

    /// The folder of all its files.
    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn url(&self, database: &str) -> String {
        url(self.port, database)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// A streaming standby of this server, which nobody has promoted.
    pub fn standby(&self) -> Self {
        let binaries = binaries().expect("it was there before");
        let (data, owner) = empty_folder();
        let mut copy = Command::new(binaries.join("pg_basebackup"));
        copy.args([
            "--no-sync",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "-U",
            "postgres",
            "-h",
            "127.0.0.1",
        ])
        .arg("-p")
        .arg(self.port.to_string())
        .arg("-D")
        .arg(&data);
        succeed(as_owner(copy, owner));
        Self::run(&binaries, data, owner)
    }

    /// Makes a primary of this standby.
    pub async fn promote(&self) {
        let mut connection = PgConnection::connect(&self.url("postgres")).await.expect("a connection");
        let promoted: bool =
            sqlx::query_scalar("SELECT pg_promote()").fetch_one(&mut connection).await.expect("an answer");
        assert!(promoted, "a standby that can be promoted");
    }

    fn start(binaries: &Path) -> Self {
        // initdb refuses root, and owns what it fills.
        let (data, owner) = empty_folder();
        let mut init = Command::new(binaries.join("initdb"));
        init.args(["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-D"])
            .arg(&data);
        succeed(as_owner(init, owner));
        Self::run(binaries, data, owner)
    }

    fn run(binaries: &Path, data: PathBuf, owner: Option<(u32, u32)>) -> Self {
        let port = free_port();
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH, "sh"]).arg(binaries).arg(&data).arg(port.to_string()).stdin(Stdio::piped());
        let watched =
            as_owner(watch, owner).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a shell");
        let server = Self { port, data, watched };
        server.wait_until_up();
        server
    }

    fn wait_until_up(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let ready = std::fs::read_to_string(self.data.join("postmaster.pid"))
                .is_ok_and(|status| status.lines().nth(7).is_some_and(|line| line.trim() == "ready"));
            if ready && TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return;
            }
            let log = || std::fs::read_to_string(self.data.join("server.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "PostgreSQL does not start: {}", log());
            std::thread::yield_now();
        }
    }
}

/// The URL of a database behind a port of this machine's.
pub fn url(port: u16, database: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{database}")
}

/// A folder for a server's data, and who owns it.
fn empty_folder() -> (PathBuf, Option<(u32, u32)>) {
    let data = tempfile::Builder::new().prefix("claviger-postgres-").tempdir().expect("a folder").keep();
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o700)).expect("permissions");
    let owner = unprivileged();
    if let Some((user, group)) = owner {
        std::os::unix::fs::chown(&data, Some(user), Some(group)).expect("an owner");
    }
    (data, owner)
}

fn succeed(mut command: Command) {
    let done = command.output().expect("a program that runs");
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Debian keeps the server's programs away from PATH.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// Who runs the server when the tests run as root.
pub fn unprivileged() -> Option<(u32, u32)> {
    let myself = std::fs::metadata("/proc/self").ok()?.uid();
    if myself != 0 {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let user = fields.filter(|fields| fields.len() > 3).find(|fields| fields[0] == "postgres")?;
    Some((user[2].parse().ok()?, user[3].parse().ok()?))
}

fn as_owner(mut command: Command, owner: Option<(u32, u32)>) -> Command {
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command.current_dir("/");
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
