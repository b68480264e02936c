//! The console in a browser, driven as people do it.

mod history;

use std::path::Path;
use std::process::Command;

use tokio::runtime::Runtime;

use self::history::seed;
use crate::browser::{BROWSER, path_of, prepared_with_browser};
use crate::program::{program, succeed_beside};
use crate::support::{Backend, Claviger, Server};

#[test]
fn people_manage_keys_in_a_browser() {
    let Some(folder) = prepared_with_browser("console") else { return };
    let runtime = Runtime::new().expect("a runtime");
    let server = runtime.block_on(async {
        let server = Server::start(Backend::Sqlite).await;
        seed(&server).await;
        server
    });
    let mut check = browsing(&folder, "check.mjs", &server.url(""));
    check.env("CLAVIGER_ADMIN_KEY", &server.admin_key);
    let (said, _) = succeed_beside(check, String::new);
    println!("{said}");
}

#[test]
fn people_get_around_in_a_browser() {
    let Some(folder) = prepared_with_browser("console") else { return };
    let runtime = Runtime::new().expect("a runtime");
    let (server, long) = runtime.block_on(async {
        let server = Server::start(Backend::Sqlite).await;
        let long = history::lay_a_long_name(&server).await;
        (server, long)
    });
    let mut check = browsing(&folder, "around.mjs", &server.url(""));
    check.env("CLAVIGER_LONG_KEY", long);
    check.env("CLAVIGER_ADMIN_KEY", &server.admin_key);
    let (said, _) = succeed_beside(check, String::new);
    println!("{said}");
}

#[test]
fn pages_tell_what_they_know_in_a_browser() {
    let Some(folder) = prepared_with_browser("console") else { return };
    let runtime = Runtime::new().expect("a runtime");
    let server = runtime.block_on(async {
        let server = Server::start(Backend::Sqlite).await;
        seed(&server).await;
        server
    });
    let mut check = browsing(&folder, "pages.mjs", &server.url(""));
    check.env("CLAVIGER_ADMIN_KEY", &server.admin_key);
    let (said, _) = succeed_beside(check, String::new);
    println!("{said}");
}

#[test]
fn people_trust_workloads_in_a_browser() {
    let Some(folder) = prepared_with_browser("console") else { return };
    let runtime = Runtime::new().expect("a runtime");
    let server = runtime.block_on(Server::start(Backend::Sqlite));
    let mut check = browsing(&folder, "trust.mjs", &server.url(""));
    check.env("CLAVIGER_ADMIN_KEY", &server.admin_key);
    check.env("CLAVIGER_NOW", server.clock.now().unix().to_string());
    let (said, _) = succeed_beside(check, String::new);
    println!("{said}");
}

#[test]
fn forms_lose_nothing_in_a_browser() {
    let Some(folder) = prepared_with_browser("console") else { return };
    let runtime = Runtime::new().expect("a runtime");
    for backend in [Some(Backend::Sqlite), Backend::postgres()].into_iter().flatten() {
        let server = runtime.block_on(Server::start(backend));
        let mut check = browsing(&folder, "forms.mjs", &server.url(""));
        check.env("CLAVIGER_ADMIN_KEY", &server.admin_key);
        let (said, _) = succeed_beside(check, String::new);
        println!("{said}");
    }
}

#[test]
fn a_server_is_set_up_in_a_browser() {
    let Some(folder) = prepared_with_browser("console") else { return };
    let runtime = Runtime::new().expect("a runtime");
    let database = runtime.block_on(Backend::Sqlite.fresh());
    let server = Claviger::over(&database).set("CLAVIGER_BOOTSTRAP", "console").wait();
    let code = std::fs::read_to_string(database.folder.path().join("keys/setup.code")).expect("the code");
    let mut check = browsing(&folder, "set-up.mjs", &format!("http://{}", server.address));
    check.env("CLAVIGER_SETUP_CODE", code.trim_end());
    let (said, _) = succeed_beside(check, String::new);
    println!("{said}");
}

/// A script that drives a browser of its own at this server.
pub(crate) fn browsing(folder: &Path, script: &str, issuer: &str) -> Command {
    let mut check = program(folder, "node", &[script]);
    check.env("CLAVIGER_ISSUER", issuer).env("CLAVIGER_BROWSER", path_of(BROWSER));
    if let Some(pictures) = std::env::var_os("CLAVIGER_SCREENSHOTS") {
        // Cargo runs a test in the package's folder.
        let pictures = std::env::current_dir().expect("a folder").join(pictures);
        check.env("CLAVIGER_SCREENSHOTS", pictures);
    }
    check
}
