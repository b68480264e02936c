//! The way to the server through a proxy that the environment names, with a real proxy in between.

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::shell::{Said, Shell};
use crate::support::{Backend, Claviger, write_private};

/// A name that only the proxy can reach.
const NAME: &str = "auth.invalid";

/// `user:p@ss` in Basic.
const BASIC: &str = "Proxy-Authorization: Basic dXNlcjpwQHNz";

/// A proxy to which every server is the one behind it. It wants credentials if it is told so.
struct ProxyServer {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl ProxyServer {
    async fn in_front_of(server: SocketAddr, wants: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, server, wants, Arc::clone(&seen)));
            }
        });
        Self { address, heads }
    }

    /// The heads of the requests since the last time.
    fn heads(&self) -> Vec<String> {
        std::mem::take(&mut self.heads.lock().unwrap())
    }
}

async fn pass_on(
    mut client: TcpStream,
    server: SocketAddr,
    wants: Option<&'static str>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let text = String::from_utf8(head.clone()).unwrap();
    let is_welcome = wants.is_none_or(|wanted| text.to_lowercase().contains(&wanted.to_lowercase()));
    seen.lock().unwrap().push(text.clone());
    if !is_welcome {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        client.write_all(refusal.as_bytes()).await.unwrap();
        return;
    }
    let mut upstream = TcpStream::connect(server).await.unwrap();
    if text.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    } else {
        // As a proxy does: in origin form, and without what was meant for itself.
        let (line, rest) = text.split_once("\r\n").unwrap();
        let line = line.replacen(&format!("http://{NAME}"), "", 1);
        let rest: String = rest
            .split_inclusive("\r\n")
            .filter(|line| !line.to_lowercase().starts_with("proxy-authorization"))
            .collect();
        upstream.write_all(format!("{line}\r\n{rest}").as_bytes()).await.unwrap();
    }
    let _ = copy_bidirectional(&mut client, &mut upstream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_forwarded_in_absolute_form() {
    let database = Backend::Sqlite.fresh().await;
    let server = Claviger::over(&database).serve();
    let proxy = ProxyServer::in_front_of(server.address, Some(BASIC)).await;
    let key = server.admin_key();
    let shell = || {
        Shell::new()
            .set("CLAVIGER_URL", &format!("http://{NAME}"))
            .set("CLAVIGER_API_KEY", &key)
            .set("CLAVIGER_CLIENT_ALLOW_HTTP", "1")
    };
    let with_password = format!("http://user:p%40ss@{}", proxy.address);
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        shell().set(name, &with_password).ok(&["self"]);
        let [head] = &proxy.heads()[..] else { panic!("{name}") };
        assert!(head.starts_with(&format!("GET http://{NAME}/v1/self HTTP/1.1\r\n")), "{head}");
        assert!(head.to_lowercase().contains(&BASIC.to_lowercase()), "{head}");
    }
    let refused = shell().set("http_proxy", &format!("http://{}", proxy.address)).run(&["self"]);
    refused.assert_failed(6, "it answers 407 Proxy Authentication Required");
    let wrong = shell().set("http_proxy", &format!("http://user:secret@{}", proxy.address)).run(&["self"]);
    wrong.assert_failed(6, "407");
    assert!(!wrong.stderr.contains("secret"), "{wrong:?}");
    proxy.heads();
    let passed = |said: Said| {
        said.assert_failed(6, &format!("no connection to http://{NAME}"));
        assert!(proxy.heads().is_empty());
    };
    for (name, list) in [
        ("no_proxy", NAME),
        ("NO_PROXY", "example.com, .invalid"),
        ("no_proxy", "example.com invalid"),
        ("no_proxy", "*"),
    ] {
        passed(shell().set("http_proxy", &with_password).set(name, list).run(&["self"]));
    }
    // https has its own, what is empty is not set, and lower case comes first.
    passed(shell().set("https_proxy", &with_password).set("HTTP_PROXY", "").run(&["self"]));
    let both = shell().set("http_proxy", &with_password).set("HTTP_PROXY", "http://127.0.0.1:1");
    both.set("NO_PROXY", "").ok(&["self"]);
    let away = shell().set("http_proxy", "http://127.0.0.1:1").run(&["self"]);
    away.assert_failed(6, "the proxy http://127.0.0.1:1: no connection");
    for bad in ["socks5://127.0.0.1:1", "ftp://127.0.0.1", "http://", "a b"] {
        shell()
            .set("http_proxy", bad)
            .run(&["self"])
            .assert_failed(2, "http_proxy is not the URL of an http:// or");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn https_goes_through_a_tunnel() {
    let database = Backend::Sqlite.fresh().await;
    let folder = database.folder.path();
    let certified = rcgen::generate_simple_self_signed([NAME.into()]).expect("a certificate");
    fs::write(folder.join("tls.crt"), certified.cert.pem()).expect("a file");
    write_private(&folder.join("tls.key"), &certified.signing_key.serialize_pem());
    let claviger =
        Claviger::over(&database).set("CLAVIGER_TLS_CERT", "tls.crt").set("CLAVIGER_TLS_KEY", "tls.key");
    let server = claviger.serve();
    let proxy = ProxyServer::in_front_of(server.address, Some(BASIC)).await;
    let shell = |variable: &str, value: &str| {
        Shell::new()
            .set("CLAVIGER_URL", &format!("https://{NAME}"))
            .set("CLAVIGER_API_KEY", &server.admin_key())
            .set("CLAVIGER_CA_FILE", folder.join("tls.crt").to_str().unwrap())
            .set(variable, value)
    };
    let with_password = format!("http://user:p%40ss@{}", proxy.address);
    for name in ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        shell(name, &with_password).ok(&["self"]);
        let [head] = &proxy.heads()[..] else { panic!("{name}") };
        assert!(head.starts_with(&format!("CONNECT {NAME}:443 HTTP/1.1\r\n")), "{head}");
        assert!(head.to_lowercase().contains(&BASIC.to_lowercase()) && !head.contains("Bearer"), "{head}");
    }
    shell("https_proxy", &format!("http://{}", proxy.address))
        .run(&["self"])
        .assert_failed(6, "it answers 407");
    shell("http_proxy", &with_password)
        .run(&["self"])
        .assert_failed(6, "no connection to https://auth.invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_is_never_asked_through_a_proxy() {
    let database = Backend::Sqlite.fresh().await;
    let server = Claviger::over(&database).serve();
    let shell = Shell::new()
        .set("CLAVIGER_URL", &server.issuer)
        .set("CLAVIGER_API_KEY", &server.admin_key())
        .set("http_proxy", "http://127.0.0.1:1");
    shell.ok(&["self"]);
}
