//! SIGHUP: what a running server reads again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::support::{Backend, Claviger, Process, on_both, until};

on_both!(a_hangup_replaces_the_certificate_at_once, a_hangup_replaces_the_filter_of_the_log,);

/// A certificate with its key, both in PEM.
struct Pair {
    der: Vec<u8>,
    certificate: String,
    key: String,
}

impl Pair {
    fn until(year: i32, name: &str) -> Self {
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned(), name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { der: certificate.der().to_vec(), certificate: certificate.pem(), key: key.serialize_pem() }
    }

    fn write(&self, folder: &Path) {
        fs::write(folder.join("tls.crt"), &self.certificate).unwrap();
        let key = folder.join("tls.key");
        fs::write(&key, &self.key).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Shakes hands with the server. Whether it presents this certificate.
    async fn is_presented_by(&self, server: &Process) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone().into()).unwrap();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.is_ok()
    }
}

/// Sends SIGHUP and waits for the line that says what came of it. Returns what was logged since.
async fn hang_up(claviger: &Claviger, server: &Process, outcome: &str) -> String {
    let before = claviger.log().len();
    server.signal("HUP");
    until(outcome, async || claviger.log()[before..].contains(outcome)).await;
    claviger.log()[before..].to_owned()
}

async fn a_hangup_replaces_the_certificate_at_once(backend: Backend) {
    let database = backend.fresh().await;
    let folder = database.folder.path();
    let (first, second) = (Pair::until(2050, "old.example.com"), Pair::until(2060, "new.example.com"));
    first.write(folder);
    let claviger =
        Claviger::over(&database).set("CLAVIGER_TLS_CERT", "tls.crt").set("CLAVIGER_TLS_KEY", "tls.key");
    let server = claviger.serve();
    assert!(first.is_presented_by(&server).await);
    hang_up(&claviger, &server, "the certificate is the same as before").await;

    second.write(folder);
    let said = hang_up(&claviger, &server, "certificate replaced").await;
    assert!(said.contains("localhost, new.example.com"), "{said}");
    assert!(said.contains("2060-01-01T00:00:00Z"), "{said}");
    assert!(second.is_presented_by(&server).await && !first.is_presented_by(&server).await);

    // Another's key, no certificate, and a key that others can read: the one in use stays.
    const KEPT: &str = "the old one stays in use";
    fs::write(folder.join("tls.key"), &first.key).unwrap();
    let said = hang_up(&claviger, &server, KEPT).await;
    assert!(said.contains("does not belong to the first certificate"), "{said}");
    assert!(said.contains("new.example.com") && said.contains("2060-01-01T00:00:00Z"), "{said}");
    assert!(second.is_presented_by(&server).await);
    second.write(folder);
    fs::write(folder.join("tls.crt"), "nothing").unwrap();
    assert!(hang_up(&claviger, &server, KEPT).await.contains("no certificate in it"));
    second.write(folder);
    fs::set_permissions(folder.join("tls.key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(hang_up(&claviger, &server, KEPT).await.contains("can be read by"));
    fs::remove_file(folder.join("tls.crt")).unwrap();
    hang_up(&claviger, &server, KEPT).await;
    assert!(second.is_presented_by(&server).await);
    server.signal("TERM");
    assert!(server.end().0.success());
}

async fn a_hangup_replaces_the_filter_of_the_log(backend: Backend) {
    let database = backend.fresh().await;
    let settings = database.folder.path().join("claviger.toml");
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    let is_logged = async |path: &str| {
        let begun = claviger.log().len();
        assert_eq!(server.client().get(path).await.status, 200);
        // The line about SIGHUP is written after the request's.
        hang_up(&claviger, &server, "the log filter").await;
        claviger.log()[begun..].contains("path=\"/healthz\"")
    };
    fs::write(&settings, "log = \"info\"\n").unwrap();
    hang_up(&claviger, &server, "the log filter is the same").await;
    assert!(!is_logged("/healthz").await);

    fs::write(&settings, "log = \"claviger=loud\"\n").unwrap();
    hang_up(&claviger, &server, "the log filter stays: the new one cannot be used").await;
    fs::write(&settings, "lag = \"debug\"\n").unwrap();
    hang_up(&claviger, &server, "the log filter stays: the settings file cannot be used").await;
    assert!(!is_logged("/healthz").await);

    fs::write(&settings, "log = \"debug\"\n").unwrap();
    let said = hang_up(&claviger, &server, "log filter replaced").await;
    assert!(said.contains("filter=\"debug\"") && said.contains("before=\"info\""), "{said}");
    assert_eq!(server.client().get("/healthz").await.status, 200);
    // A response can arrive before its line is written.
    until("the line of the request", async || claviger.log().contains("path=\"/healthz\"")).await;

    server.signal("TERM");
    assert!(server.end().0.success());
    // A variable overrides the file.
    let claviger = claviger.set("CLAVIGER_LOG", "info");
    let server = claviger.serve();
    let said = hang_up(&claviger, &server, "the log filter stays").await;
    assert!(said.contains("CLAVIGER_LOG overrides the settings file"), "{said}");
}
