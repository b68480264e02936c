//! `claviger health`: the probe of a container that has no other program.

use std::fs;
use std::net::TcpListener;

use crate::shell::Shell;
use crate::support::{Backend, Claviger, on_both, write_private};

on_both!(a_server_is_asked_where_its_settings_say,);

async fn a_server_is_asked_where_its_settings_say(backend: Backend) {
    let database = backend.fresh().await;
    let server = Claviger::over(&database).serve();
    let address = server.address.to_string();
    let shell = Shell::new().set("CLAVIGER_LISTEN", &address);
    assert_eq!(shell.ok(&["health"]).stdout, format!("The server on {address} responds.\n"));
    assert_eq!(shell.ok(&["health", "--ready"]).stdout, format!("The server on {address} is ready.\n"));
    // A flag goes before the variable, and the file after it. Neither store nor master key is there, nor needed.
    let shell = shell.set("CLAVIGER_LISTEN", "");
    fs::write(shell.path("claviger.toml"), format!("listen = \"{address}\"\n")).unwrap();
    shell.ok(&["health"]);
    shell.ok(&["health", "--listen", &address]);
    assert!(!shell.path("claviger.db").exists() && !shell.path("keys").exists());
    // It is the listener beyond loopback that has to be asked by way of loopback.
    let anywhere = format!("0.0.0.0:{}", server.address.port());
    let beyond = ["health", "--listen", &anywhere, "--issuer", "https://auth.example.com", "--allow-http"];
    assert_eq!(shell.ok(&beyond).stdout, format!("The server on {address} responds.\n"));
    // No proxy is asked.
    let shell = shell.set("HTTP_PROXY", "http://127.0.0.1:1").set("ALL_PROXY", "http://127.0.0.1:1");
    shell.ok(&["health"]);
    drop(server);
    let said = shell.run(&["health"]);
    assert!(said.stderr.contains("CLAVIGER_LISTEN") && !said.stderr.contains("--url"), "{said:?}");
    said.assert_failed(6, &address);
}

#[tokio::test]
async fn a_server_with_tls_is_asked_by_tls() {
    let database = Backend::Sqlite.fresh().await;
    let folder = database.folder.path();
    // The public name alone, as a real certificate has it.
    let certified = rcgen::generate_simple_self_signed(["auth.example.com".into()]).expect("a certificate");
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    fs::write(&certificate, certified.cert.pem()).expect("a file");
    write_private(&key, &certified.signing_key.serialize_pem());
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let claviger =
        Claviger::over(&database).set("CLAVIGER_TLS_CERT", certificate).set("CLAVIGER_TLS_KEY", key);
    let server = claviger.serve();
    let shell = Shell::new().set("CLAVIGER_LISTEN", &server.address.to_string());
    shell.run(&["health"]).assert_failed(6, "");
    let shell = shell.set("CLAVIGER_TLS_CERT", certificate).set("CLAVIGER_TLS_KEY", key);
    shell.ok(&["health"]);
    shell.ok(&["health", "--ready"]);
}

#[test]
fn a_server_that_waits_to_be_set_up_responds_and_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let server = Claviger::at(folder.path()).set("CLAVIGER_BOOTSTRAP", "console").wait();
    let shell = Shell::new().set("CLAVIGER_LISTEN", &server.address.to_string());
    shell.ok(&["health"]);
    shell.run(&["health", "--ready"]).assert_failed(6, "claviger: ");
}

#[test]
fn what_is_no_healthy_server_is_told_apart() {
    let shell = Shell::new();
    shell
        .run(&["health", "--listen", "127.0.0.1:0"])
        .assert_failed(2, "--listen: with port 0, only the server");
    shell.run(&["health", "--brand", "Bad"]).assert_failed(2, "--brand: a brand must be");
    // Somebody has the port, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    shell.run(&["health", "--listen", &address]).assert_failed(6, &address);
}
