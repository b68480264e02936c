//! TLS: what is negotiated, which certificates are refused, and how they are renewed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claviger::base::clock::Timestamp;
use claviger::listener::{Limits, ListenError, Listener, TlsError, TlsSettings};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{Client, GET};
use crate::server::{SOON, Server, patient};

/// A certificate of its own making, in files.
pub(crate) struct Identity {
    directory: TempDir,
    certificate: CertificateDer<'static>,
}

impl Identity {
    pub(crate) fn new() -> Self {
        let identity = Self { directory: tempfile::tempdir().unwrap(), certificate: Vec::new().into() };
        identity.renewed()
    }

    /// Writes a new certificate and key into the same files.
    fn renewed(self) -> Self {
        self.renewed_until(2100)
    }

    /// The same, with a certificate that expires when this year begins.
    fn renewed_until(self, year: i32) -> Self {
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        self.write("cert.pem", &certificate.pem(), 0o644);
        self.write("key.pem", &key.serialize_pem(), 0o600);
        Self { certificate: certificate.der().clone(), ..self }
    }

    fn write(&self, name: &str, content: &str, mode: u32) {
        fs::write(self.path(name), content).unwrap();
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    fn pem(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn settings(&self) -> TlsSettings {
        TlsSettings {
            reload_every: Duration::ZERO,
            ..TlsSettings::new(self.path("cert.pem"), self.path("key.pem"))
        }
    }

    pub(crate) async fn connect(&self, server: &Server, alpn: &[&str]) -> Client<TlsStream<TcpStream>> {
        self.connect_with(server, alpn, &[&TLS13, &TLS12]).await.unwrap()
    }

    async fn connect_with(
        &self,
        server: &Server,
        alpn: &[&str],
        versions: &[&'static SupportedProtocolVersion],
    ) -> std::io::Result<Client<TlsStream<TcpStream>>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TcpStream::connect(server.address).await?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map(Client::over)
    }
}

#[tokio::test]
async fn both_versions_are_spoken() {
    let identity = Identity::new();
    let server = Server::start_with(patient(), Some(identity.settings()));
    for (version, expected) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let mut client = identity.connect_with(&server, &["http/1.1"], &[version]).await.unwrap();
        assert_eq!(client.stream.get_ref().1.protocol_version(), Some(expected));
        assert_eq!(client.ask(GET).await.body, b"hello");
        assert_eq!(client.ask(GET).await.body, b"hello");
    }
}

#[tokio::test]
async fn http_2_is_chosen_by_alpn_alone() {
    let identity = Identity::new();
    let server = Server::start_with(patient(), Some(identity.settings()));
    for (offered, chosen) in
        [(&["h2", "http/1.1"][..], Some(&b"h2"[..])), (&["http/1.1"], Some(b"http/1.1")), (&[], None)]
    {
        let client = identity.connect(&server, offered).await;
        assert_eq!(client.stream.get_ref().1.alpn_protocol(), chosen);
    }
    let mut client = identity.connect(&server, &[]).await;
    assert_eq!(client.ask(GET).await.status, 200);
}

#[tokio::test]
async fn the_end_of_the_certificate_is_known_and_that_of_a_renewed_one() {
    let identity = Identity::new().renewed_until(2031);
    let loopback = ([127, 0, 0, 1], 0).into();
    let listener = Listener::bind(loopback, patient(), Some(identity.settings())).unwrap();
    assert_eq!(listener.connections().certificate_expires_at(), Some(Timestamp::from_unix(1_924_992_000)));
    // Nobody has to connect for the new one to be found.
    let _renewed = identity.renewed_until(2032);
    assert_eq!(listener.connections().certificate_expires_at(), Some(Timestamp::from_unix(1_956_528_000)));
    let without = Listener::bind(loopback, patient(), None).unwrap();
    assert_eq!(without.connections().certificate_expires_at(), None);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_cut_off() {
    let identity = Identity::new();
    let limits = Limits { handshake_timeout: SOON, ..patient() };
    let server = Server::start_with(limits, Some(identity.settings()));
    for start in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut client = server.connect().await;
        client.send(start).await;
        client.end().await;
    }
}

#[tokio::test]
async fn a_connection_that_asked_nothing_ends_with_the_linger() {
    let identity = Identity::new();
    let limits = Limits { drain_linger: SOON, ..patient() };
    let server = Server::start_with(limits, Some(identity.settings()));
    let mut silent = identity.connect(&server, &[]).await;
    let mut no_handshake = server.connect().await;
    let ended = server.shut_down();
    silent.rest().await;
    no_handshake.end().await;
    assert_eq!(ended.report().await.aborted, 0);
}

#[tokio::test]
async fn an_answer_before_the_end_of_a_long_body_arrives() {
    let identity = Identity::new();
    let server = Server::start_with(patient(), Some(identity.settings()));
    let mut client = identity.connect(&server, &[]).await;
    client.send("POST /unread HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n").await;
    client.send(vec![b'x'; 1_000_000]).await;
    assert!(client.answer().await.closes());
    client.end().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let old = Identity::new();
    let server = Server::start_with(patient(), Some(old.settings()));
    let mut before = old.connect(&server, &[]).await;
    before.ask(GET).await;

    let new = old.renewed();
    assert_eq!(new.connect(&server, &[]).await.ask(GET).await.status, 200);
    assert_eq!(before.ask(GET).await.status, 200);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_old_certificate() {
    let identity = Identity::new();
    let server = Server::start_with(patient(), Some(identity.settings()));
    for (name, content, mode) in [
        ("cert.pem", "", 0o644),
        ("cert.pem", &*Identity::new().pem("cert.pem"), 0o644),
        ("key.pem", &*identity.pem("key.pem"), 0o644),
    ] {
        identity.write(name, content, mode);
        assert_eq!(identity.connect(&server, &[]).await.ask(GET).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_in_front_of_the_files_is_ignored() {
    let identity = Identity::new();
    identity.write("cert.pem", &format!("\u{feff}{}", identity.pem("cert.pem")), 0o644);
    identity.write("key.pem", &format!("\u{feff}{}", identity.pem("key.pem")), 0o600);
    let server = Server::start_with(patient(), Some(identity.settings()));
    assert_eq!(identity.connect(&server, &[]).await.ask(GET).await.status, 200);
}

/// RFC 6797 §7.2: only where TLS ends here. A proxy in front of a listener in the clear has its own.
#[tokio::test]
async fn browsers_are_told_to_stay_with_tls_where_it_ends_here() {
    let identity = Identity::new();
    let server = Server::start_with(patient(), Some(identity.settings()));
    const TOLD: &str = "strict-transport-security: max-age=31536000\r\n";
    let answer = identity.connect(&server, &[]).await.ask(GET).await;
    assert!(answer.head.contains(TOLD), "{}", answer.head);
    let in_the_clear = Server::start(patient());
    let answer = Client::connect(in_the_clear.address).await.ask(GET).await;
    assert!(!answer.head.contains("strict-transport-security"), "{}", answer.head);
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_at_the_start() {
    let refusal = |spoil: &dyn Fn(&Identity)| {
        let identity = Identity::new();
        spoil(&identity);
        let any = "127.0.0.1:0".parse().unwrap();
        match Listener::bind(any, Limits::default(), Some(identity.settings())) {
            Err(ListenError::Tls(error)) => {
                let directory = format!("{}/", identity.directory.path().display());
                (error.to_string().replace(&directory, ""), error)
            }
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("the certificate was accepted"),
        }
    };
    let message = |spoil: &dyn Fn(&Identity)| refusal(spoil).0;

    assert_eq!(
        message(&|identity| fs::remove_file(identity.path("cert.pem")).unwrap()),
        "cert.pem: No such file or directory (os error 2)"
    );
    assert_eq!(
        message(&|identity| fs::remove_file(identity.path("key.pem")).unwrap()),
        "key.pem: No such file or directory (os error 2)"
    );
    assert_eq!(
        message(&|identity| identity.write("cert.pem", &identity.pem("key.pem"), 0o644)),
        "cert.pem has no certificate in it"
    );
    assert_eq!(
        message(&|identity| identity.write("key.pem", &identity.pem("cert.pem"), 0o600)),
        "key.pem has no unencrypted private key in it"
    );
    assert_eq!(
        message(&|identity| identity.write("key.pem", &Identity::new().pem("key.pem"), 0o600)),
        "the key in key.pem does not belong to the first certificate in cert.pem"
    );
    for mode in [0o640, 0o604, 0o610, 0o666] {
        assert_eq!(
            message(&|identity| identity.write("key.pem", &identity.pem("key.pem"), mode)),
            format!("key.pem can be read by group or others (mode {mode:04o}): chmod 600 it")
        );
    }
    let (_, error) = refusal(&|identity| identity.write("cert.pem", &identity.pem("cert.pem")[..200], 0o644));
    assert!(matches!(error, TlsError::Malformed { .. }), "{error}");
    let nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let (_, error) = refusal(&|identity| identity.write("key.pem", nonsense, 0o600));
    assert!(matches!(error, TlsError::Unusable { .. }), "{error}");
}
