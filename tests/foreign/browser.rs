//! The page that openapi.yaml is read on, in a browser.

use std::path::PathBuf;
use std::process::Command;

use crate::program::{prepared, program, succeed};
use crate::support::is_here;
use crate::support::openapi::operations;
use crate::world::World;

/// Debian's. It would need another user than root for its sandbox, and more of `/dev/shm` than containers have.
pub(crate) const BROWSER: &str = "chromium";
const WITHOUT_EXTRAS: [&str; 4] =
    ["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"];

/// The folder of programs that drive a browser, if all that they need is here.
pub(crate) fn prepared_with_browser(name: &str) -> Option<PathBuf> {
    let folder = prepared(name)?;
    (is_here(BROWSER) && is_here("node")).then_some(folder)
}

#[test]
fn the_page_shows_every_operation_and_breaks_no_policy_of_its_own() {
    if !is_here(BROWSER) {
        return;
    }
    let world = World::signing_with("ES256");
    let home = tempfile::tempdir().expect("a folder");
    let mut browser = program(home.path(), BROWSER, &WITHOUT_EXTRAS);
    browser.env("HOME", home.path()).arg(format!("--user-data-dir={}", home.path().display()));
    // The console goes to the standard error with all else that the browser says, the page to the standard output.
    browser.args(["--enable-logging=stderr", "--virtual-time-budget=30000", "--dump-dom"]);
    browser.arg(format!("{}/docs", world.issuer()));
    let (page, said) = succeed(browser, &world);
    for operation in operations() {
        let id = operation.text("operationId").expect("a name");
        assert!(page.contains(&format!("-{id}\"")), "{id} is not on the page:\n{page}");
    }
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// Where the program is.
pub(crate) fn path_of(program: &str) -> String {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().expect("a shell");
    String::from_utf8_lossy(&found.stdout).trim().to_owned()
}
