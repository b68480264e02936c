//! The client against servers that are not what they should be.

use std::net::SocketAddr;
use std::time::Duration;

use claviger::client::{BaseUrl, Client, ClientError, Request, RequestLimits, Transport, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::shell::Shell;
use crate::support::in_time;

/// What a server does with a connection after it has read a request's head.
#[derive(Clone, Copy)]
enum Manners {
    /// Says this, and closes.
    Says(&'static str),
    /// Says this, and nothing more.
    Stalls(&'static str),
}

/// A server that answers everybody in the same way.
async fn odd_server(manners: Manners) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut stalled = Vec::new();
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(connection.read_u8().await.unwrap());
            }
            let (Manners::Says(text) | Manners::Stalls(text)) = manners;
            connection.write_all(text.as_bytes()).await.unwrap();
            if let Manners::Stalls(_) = manners {
                stalled.push(connection);
            }
        }
    });
    address
}

fn client(address: SocketAddr, limits: RequestLimits) -> Client {
    let base: BaseUrl = format!("http://{address}").parse().unwrap();
    let client = Client::new(base, &Trust::System, limits).unwrap();
    client.with_credential("secret".parse().unwrap(), Transport::Private).unwrap()
}

async fn ask(manners: Manners, limits: RequestLimits) -> Result<(u16, String), ClientError> {
    let client = client(odd_server(manners).await, limits);
    let answer = in_time("an answer", client.send(Request::get(&["v1", "self"]))).await?;
    Ok((answer.status.as_u16(), String::from_utf8(answer.body.to_vec()).unwrap()))
}

const SHORT: RequestLimits =
    RequestLimits { connect: Duration::from_secs(60), answer: Duration::from_millis(50), body: 64 << 20 };

#[tokio::test]
async fn an_answer_is_whole_or_none() {
    let usual = RequestLimits::default();
    let whole = Manners::Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(ask(whole, usual).await.unwrap(), (200, "ok".into()));
    let until_closed = Manners::Says("HTTP/1.1 200 OK\r\n\r\nok");
    assert_eq!(ask(until_closed, usual).await.unwrap(), (200, "ok".into()));
    for broken in
        ["", "nonsense", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-"]
    {
        let error = ask(Manners::Says(broken), usual).await.unwrap_err();
        assert!(matches!(error, ClientError::Broken { .. }), "{broken:?}: {error}");
    }
}

#[tokio::test]
async fn whoever_is_slow_or_talks_too_much_is_left() {
    for slow in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"] {
        let error = ask(Manners::Stalls(slow), SHORT).await.unwrap_err();
        assert!(matches!(error, ClientError::Slow { .. }), "{slow:?}: {error}");
        assert!(error.to_string().ends_with("did not answer within 0.05 s"), "{error}");
    }
    let little = RequestLimits { body: 3, ..RequestLimits::default() };
    let three = Manners::Says("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(ask(three, little).await.unwrap().1, "abc");
    for long in [
        "Content-Length: 4\r\n\r\nabcd",
        "\r\nabcd",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
    ] {
        let long: &'static str = format!("HTTP/1.1 200 OK\r\n{long}").leak();
        let error = ask(Manners::Says(long), little).await.unwrap_err();
        assert!(matches!(error, ClientError::TooLarge { most: 3, .. }), "{long:?}: {error}");
    }
}

#[tokio::test]
async fn a_stream_is_limited_by_the_piece() {
    let client = client(odd_server(Manners::Stalls("HTTP/1.1 200 OK\r\n\r\nfirst")).await, SHORT);
    let mut answer = in_time("an answer", client.stream(Request::get(&["v1", "audit"]))).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(in_time("a piece", answer.next()).await.unwrap().unwrap(), "first");
    let error = in_time("the next", answer.next()).await.unwrap_err();
    assert!(matches!(error, ClientError::Slow { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let elsewhere = Manners::Says(
        "HTTP/1.1 308 Permanent Redirect\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n",
    );
    assert_eq!(ask(elsewhere, RequestLimits::default()).await.unwrap(), (308, String::new()));
    let url = format!("http://{}", odd_server(elsewhere).await);
    let shell = Shell::new().set("CLAVIGER_URL", &url).set("CLAVIGER_API_KEY", "clv_prd_x");
    shell.run(&["self"]).assert_failed(6, "It redirects to http://evil.example/. Redirects are not followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_server_is_told_apart() {
    for (answer, code, complaint) in [
        (
            "HTTP/1.1 404 Not Found\r\n\r\n<html>",
            6,
            "has status 404 Not Found and does not come from a Claviger server",
        ),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", 6, "Check that this is the server's URL"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>", 1, "the server's answer is not understood"),
        ("HTTP/1.1 200 OK\r\n\r\n{\"id\":\"\\u001b[31m\"}", 1, "missing field"),
        (
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n\r\n\
             {\"error\":{\"code\":\"unavailable\",\"message\":\"\\u001b[2J\",\"request_id\":\"r\"}}",
            6,
            "\\u{1b}[2J (unavailable, request r)\n  Try again in 7 s.\n",
        ),
    ] {
        let url = format!("http://{}", odd_server(Manners::Says(answer)).await);
        let shell = Shell::new().set("CLAVIGER_URL", &url).set("CLAVIGER_API_KEY", "clv_prd_x");
        shell.run(&["self"]).assert_failed(code, complaint);
    }
}
