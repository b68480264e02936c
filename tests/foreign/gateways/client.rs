//! A client that sends just what it is told to, from where it is told to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

/// Where clients are.
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 9, 1));

/// A request, not yet written down.
#[derive(Clone, Debug)]
pub(super) struct Request {
    from: IpAddr,
    line: String,
    fields: Vec<(String, String)>,
    body: String,
}

/// An answer, as far as tests look at it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    body: String,
}

pub(super) fn get(target: &str) -> Request {
    Request::new("GET", target)
}

impl Request {
    pub(super) fn new(method: &str, target: &str) -> Self {
        let line = format!("{method} {target} HTTP/1.1");
        Self { from: HOME, line, fields: Vec::new(), body: String::new() }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn bearer(self, credential: &str) -> Self {
        self.with("Authorization", &format!("Bearer {credential}"))
    }

    pub(super) fn body(self, body: &str) -> Self {
        let length = body.len().to_string();
        Self { body: body.to_owned(), ..self.with("Content-Length", &length) }
    }

    pub(super) fn from(self, from: IpAddr) -> Self {
        Self { from, ..self }
    }

    /// Sends it, and reads until all is said.
    ///
    /// `None` is no answer.
    pub(super) async fn send(&self, to: SocketAddr) -> Option<Answer> {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((self.from, 0).into()).expect("an address of this machine's");
        let mut stream = socket.connect(to).await.ok()?;
        stream.write_all(self.text().as_bytes()).await.ok()?;
        let (mut text, mut answer) = (Vec::new(), None);
        // Not to the end, for which some let whoever they refuse wait. Others reset the connection behind the answer.
        while !answer.as_ref().is_some_and(Answer::is_whole)
            && stream.read_buf(&mut text).await.is_ok_and(|length| length > 0)
        {
            answer = Answer::read(&String::from_utf8_lossy(&text));
        }
        answer
    }

    fn text(&self) -> String {
        let mut text = format!("{}\r\nHost: orders.example\r\n", self.line);
        if !self.fields.iter().any(|(name, _)| name == "Connection") {
            text.push_str("Connection: close\r\n");
        }
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text + "\r\n" + &self.body
    }
}

impl Answer {
    fn read(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self { status, head: head.to_owned(), body: body.to_owned() })
    }

    fn is_whole(&self) -> bool {
        self.header("content-length").parse() == Ok(self.body.len())
    }

    /// A header that is there once; empty when it is not there.
    pub(super) fn header(&self, wanted: &str) -> &str {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let mut values = fields.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value);
        let first = values.next().unwrap_or_default();
        assert_eq!(values.next(), None, "{wanted} appears twice: {self:?}");
        first
    }

    /// The `error.code` of a body, which has the length that it says.
    pub(super) fn code(&self) -> String {
        let body: Value =
            serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(body["error"]["request_id"], self.header("x-request-id"), "{self:?}");
        body["error"]["code"].as_str().expect("a code").to_owned()
    }
}
