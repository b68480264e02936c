use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

/// A server that reads a request and writes `answer`. With `stays`, it keeps the connection open afterwards. It reports
/// each request.
async fn server(answer: Vec<u8>, stays: bool) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (requests, heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, requests) = (answer.clone(), requests.clone());
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap_or_default();
                let _ = requests.send(String::from_utf8_lossy(&request[..length]).into_owned());
                let _ = stream.write_all(&answer).await;
                if stays {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    (address, heard)
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into()
}

fn settings(networks: &str) -> FetchSettings {
    FetchSettings { networks: networks.parse().unwrap(), allows_http: true, ..FetchSettings::default() }
}

async fn fetch(settings: FetchSettings, url: &str) -> Result<Bytes, FetchFault> {
    Fetcher::new(settings).fetch(&url.parse().unwrap()).await
}

#[tokio::test]
async fn a_document_is_fetched_without_anything_that_identifies_anybody() {
    let (address, mut heard) = server(answer("200 OK", "{}"), false).await;
    let url = format!("http://{address}/keys?v=1");
    assert_eq!(fetch(settings("127.0.0.0/8"), &url).await, Ok(Bytes::from_static(b"{}")));
    let request = heard.recv().await.unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        request,
        format!(
            "GET /keys?v=1 HTTP/1.1\r\naccept: application/json, application/jwk-set+json\r\n\
             user-agent: claviger/{version}\r\nhost: {address}\r\n\r\n"
        )
    );
}

#[tokio::test]
async fn nobody_hears_of_a_request_to_a_network_that_is_not_allowed() {
    let (address, mut heard) = server(answer("200 OK", "{}"), false).await;
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", address.port());
        assert_eq!(fetch(settings("10.0.0.0/8"), &url).await, Err(FetchFault::Network), "{host}");
    }
    for url in [
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://localhost/",
    ] {
        assert_eq!(fetch(settings(""), url).await, Err(FetchFault::Network), "{url}");
    }
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn plain_http_needs_a_setting() {
    let strict = FetchSettings { allows_http: false, ..settings("127.0.0.0/8") };
    assert_eq!(fetch(strict, "http://127.0.0.1:1/").await, Err(FetchFault::Http));
}

#[tokio::test]
async fn only_a_whole_short_answer_with_status_200_counts() {
    let (elsewhere, mut heard) = server(answer("200 OK", "{}"), false).await;
    let redirect = format!("302 Found\r\nLocation: http://{elsewhere}/");
    let long = "x".repeat(SIZE_LIMIT + 1);
    for (answer, fault) in [
        (answer(&redirect, ""), FetchFault::Redirect),
        (answer("404 Not Found", "<html>"), FetchFault::Status(404)),
        (answer("500 Internal Server Error", ""), FetchFault::Status(500)),
        (answer("200 OK", &long), FetchFault::TooLong),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec(), FetchFault::Broken),
        (b"SSH-2.0-OpenSSH\r\n".to_vec(), FetchFault::Broken),
    ] {
        let (address, _) = server(answer, false).await;
        assert_eq!(fetch(settings("127.0.0.1"), &format!("http://{address}")).await, Err(fault));
    }
    assert!(heard.try_recv().is_err(), "no redirect is followed");
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(fetch(settings("127.0.0.1"), &format!("http://{closed}")).await, Err(FetchFault::Connect));
}

#[tokio::test]
async fn an_answer_that_hangs_or_drips_ends_in_time() {
    let (hanging, _) = server(Vec::new(), true).await;
    let (dripping, _) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec(), true).await;
    for address in [hanging, dripping] {
        let hurried = FetchSettings { time_limit: Duration::from_millis(200), ..settings("127.0.0.1") };
        assert_eq!(fetch(hurried, &format!("http://{address}")).await, Err(FetchFault::Slow));
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_refused() {
    let (address, _) = server(answer("200 OK", "{}"), false).await;
    let fault = fetch(settings("127.0.0.1"), &format!("https://{address}")).await;
    assert!(matches!(fault, Err(FetchFault::Tls | FetchFault::Authorities)), "{fault:?}");
}

#[tokio::test]
async fn a_proxy_is_told_the_address_that_was_judged() {
    let (proxy, mut heard) =
        server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec(), false).await;
    let through = |networks: &str| FetchSettings {
        proxy: Some(Proxy::new(format!("http://{proxy}").parse().unwrap(), None).unwrap()),
        ..settings(networks)
    };
    let url = "http://localhost:9/";
    assert_eq!(fetch(through("127.0.0.0/8, ::1"), url).await, Err(FetchFault::Proxy));
    let request = heard.recv().await.unwrap();
    let told = ["CONNECT 127.0.0.1:9 HTTP/1.1", "CONNECT [::1]:9 HTTP/1.1"];
    assert!(told.iter().any(|told| request.starts_with(told)), "{request}");
    assert_eq!(fetch(through(""), url).await, Err(FetchFault::Network));
    assert!(heard.try_recv().is_err());
}
