//! The console in a browser, driven as people do it.

mod history;

use std::process::Command;

use tokio::runtime::Runtime;

use self::history::lay;
use crate::program::{prepared, program, succeed_beside};
use crate::support::{Backend, Server, is_here};

/// Debian's.
const BROWSER: &str = "chromium";

#[test]
fn people_manage_keys_in_a_browser() {
    let Some(folder) = prepared("console") else { return };
    if !is_here(BROWSER) || !is_here("node") {
        return;
    }
    let runtime = Runtime::new().expect("a runtime");
    let server = runtime.block_on(async {
        let server = Server::start(Backend::Sqlite).await;
        lay(&server).await;
        server
    });
    let home = tempfile::tempdir().expect("a folder");
    let mut check = program(&folder, "node", &["check.mjs"]);
    check.env("CLAVIGER_ISSUER", server.url("")).env("CLAVIGER_ADMIN_KEY", &server.admin_key);
    check.env("CLAVIGER_BROWSER", path_of(BROWSER)).env("CLAVIGER_BROWSER_HOME", home.path());
    if let Some(pictures) = std::env::var_os("CLAVIGER_SCREENSHOTS") {
        // Cargo runs a test in the package's folder.
        let pictures = std::env::current_dir().expect("a folder").join(pictures);
        check.env("CLAVIGER_SCREENSHOTS", pictures);
    }
    let (said, _) = succeed_beside(check, String::new);
    println!("{said}");
}

fn path_of(program: &str) -> String {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().expect("a shell");
    String::from_utf8_lossy(&found.stdout).trim().to_owned()
}
