//! Members sign in at OpenID providers that others have made, in a browser.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Map, Value};

use crate::browser::{BROWSER, path_of, prepared_with_browser};
use crate::program::program;
use crate::support::Backend;
use crate::world::World;

#[test]
fn members_sign_in_at_node_oidc_provider() {
    at_both("oidc-provider");
}

#[test]
#[ignore = "it needs Keycloak, which .ci/long has"]
fn members_sign_in_at_keycloak() {
    at_both("keycloak");
}

fn at_both(provider: &str) {
    let Some(folder) = prepared_with_browser("sign-in") else { return };
    for backend in [Some(Backend::Sqlite), Backend::postgres()].into_iter().flatten() {
        check(&folder, provider, backend);
    }
}

/// The program starts its providers and writes the settings for them. Then the server starts with these, and the program is
/// told where it is.
fn check(folder: &Path, provider: &str, backend: Backend) {
    let settings = tempfile::tempdir().expect("a folder");
    let mut check = program(folder, "node", &["check.mjs"]);
    check.env("CLAVIGER_PROVIDER", provider).env("CLAVIGER_FOLDER", settings.path());
    // The providers are at another name of this machine, so that they are another site.
    let no_proxy = "127.0.0.1,localhost";
    check.env("CLAVIGER_BROWSER", path_of(BROWSER)).env("NO_PROXY", no_proxy).env("no_proxy", no_proxy);
    let mut check = check.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node starts");
    let mut out = BufReader::new(check.stdout.take().expect("a pipe"));
    let mut said = String::new();
    while !said.ends_with("ready\n") {
        let length = out.read_line(&mut said).expect("text");
        assert!(length > 0, "the provider does not start:\n{said}");
    }
    let file = settings.path().join("sign-in.toml").display().to_string();
    let world = World::set_on(
        backend,
        &[
            ("CLAVIGER_CONFIG", &*file),
            ("CLAVIGER_ISSUER_HTTP", "true"),
            ("CLAVIGER_ISSUER_NETWORKS", "127.0.0.0/8"),
            ("CLAVIGER_TRUSTED_PROXIES", "127.0.0.0/8"),
            ("CLAVIGER_LOG", "trace"),
        ],
    );
    let log = ("CLAVIGER_LOG_FILE", world.log_file().display().to_string());
    let told: Map<String, Value> = world
        .environment()
        .into_iter()
        .chain([log])
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let mut stdin = check.stdin.take().expect("a pipe");
    writeln!(stdin, "{}", Value::Object(told)).expect("it reads");
    out.read_to_string(&mut said).expect("text");
    let how = check.wait().expect("an end");
    assert!(how.success(), "{how}\n{said}\nthe server's log:\n{}", world.log());
    println!("{said}");
}
