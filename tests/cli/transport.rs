//! The way to the server: TLS, and nothing in the clear.

use std::fs;

use crate::shell::Shell;
use crate::support::{Backend, Claviger, write_private};

const KEY: &str = "clv_prd_x";

#[tokio::test]
async fn tls_is_believed_when_its_authority_is() {
    let database = Backend::Sqlite.fresh().await;
    let folder = database.folder.path();
    let certified =
        rcgen::generate_simple_self_signed(["localhost".into(), "127.0.0.1".into()]).expect("a certificate");
    let certificate = folder.join("tls.crt");
    fs::write(&certificate, certified.cert.pem()).expect("a file");
    write_private(&folder.join("tls.key"), &certified.signing_key.serialize_pem());
    let claviger =
        Claviger::over(&database).set("CLAVIGER_TLS_CERT", "tls.crt").set("CLAVIGER_TLS_KEY", "tls.key");
    let server = claviger.serve();
    let shell = Shell::new().set("CLAVIGER_URL", &server.issuer).set("CLAVIGER_API_KEY", &server.admin_key());
    let authority = certificate.to_str().unwrap();
    // The system's store, which has its name from here: one that exists and knows nobody by this name.
    let stranger = rcgen::generate_simple_self_signed(["example.com".into()]).expect("a certificate");
    let strangers = shell.path("strangers.pem");
    fs::write(&strangers, stranger.cert.pem()).unwrap();
    let shell = shell.set("SSL_CERT_FILE", strangers.to_str().unwrap());
    shell
        .run(&["self"])
        .assert_failed(6, "pass that authority's certificate with --ca-file or CLAVIGER_CA_FILE");
    shell.ok(&["self", "--ca-file", authority]);
    let shell = shell.set("SSL_CERT_FILE", authority);
    shell.ok(&["self"]);
    let shell = shell.set("CLAVIGER_CA_FILE", authority).set("SSL_CERT_FILE", "/nonexistent");
    shell.ok(&["self"]);
    let other_name = server.issuer.replace("127.0.0.1", "127.0.0.2");
    shell.run(&["self", "--url", &other_name]).assert_failed(6, "127.0.0.2");
    let in_the_clear = server.issuer.replace("https", "http");
    shell.run(&["self", "--url", &in_the_clear]).assert_failed(6, "");
    let shell = shell.set("CLAVIGER_CA_FILE", "");
    shell.run(&["self"]).assert_failed(2, "the system has no certificate authorities");
    fs::write(shell.path("empty.pem"), "").unwrap();
    shell
        .run(&["self", "--ca-file", "empty.pem"])
        .assert_failed(2, "empty.pem has no usable certificate in it");
    shell.run(&["self", "--ca-file", "nowhere.pem"]).assert_failed(2, "nowhere.pem: ");
}

/// As `openssl req -x509` makes them: its own authority, marked as one.
#[tokio::test]
async fn a_self_signed_certificate_is_its_own_authority() {
    let database = Backend::Sqlite.fresh().await;
    let folder = database.folder.path();
    let certified = |names: [&str; 2]| {
        let pair = rcgen::KeyPair::generate().expect("a key");
        let mut parameters = rcgen::CertificateParams::new(names.map(str::to_owned)).expect("names");
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        (parameters.self_signed(&pair).expect("a certificate").pem(), pair.serialize_pem())
    };
    let (certificate, key) = certified(["localhost", "127.0.0.1"]);
    fs::write(folder.join("tls.crt"), &certificate).expect("a file");
    write_private(&folder.join("tls.key"), &key);
    let claviger =
        Claviger::over(&database).set("CLAVIGER_TLS_CERT", "tls.crt").set("CLAVIGER_TLS_KEY", "tls.key");
    let server = claviger.serve();
    let shell = Shell::new().set("CLAVIGER_URL", &server.issuer).set("CLAVIGER_API_KEY", &server.admin_key());
    fs::write(shell.path("own.pem"), &certificate).unwrap();
    fs::write(shell.path("others.pem"), certified(["localhost", "127.0.0.1"]).0).unwrap();
    shell.ok(&["self", "--ca-file", "own.pem"]);
    shell.run(&["self", "--ca-file", "others.pem"]).assert_failed(6, "no TLS with");
    let other_name = server.issuer.replace("127.0.0.1", "127.0.0.2");
    shell.run(&["self", "--ca-file", "own.pem", "--url", &other_name]).assert_failed(6, "127.0.0.2");
}

#[test]
fn a_key_goes_in_the_clear_to_this_machine_alone() {
    let shell = Shell::new().set("CLAVIGER_API_KEY", KEY);
    for url in ["http://192.0.2.1", "http://auth.example.com", "http://localhost.example.com:8080"] {
        for command in [&["self"][..], &["token"], &["keys", "list"], &["apply", "-f", "/dev/null"]] {
            let arguments = [command, &["--url", url]].concat();
            shell.run(&arguments).assert_failed(2, "is plain http beyond this machine");
        }
    }
    let unreachable = ["self", "--url", "http://auth.invalid", "--allow-http"];
    shell.run(&unreachable).assert_failed(6, "no connection to http://auth.invalid");
    let allowed = Shell::new().set("CLAVIGER_API_KEY", KEY).set("CLAVIGER_CLIENT_ALLOW_HTTP", "1");
    allowed.run(&unreachable[..3]).assert_failed(6, "no connection to http://auth.invalid");
    // The server's own setting is another one.
    let other = Shell::new().set("CLAVIGER_API_KEY", KEY).set("CLAVIGER_ALLOW_HTTP", "1");
    other.run(&unreachable[..3]).assert_failed(2, "is plain http beyond this machine");
}
