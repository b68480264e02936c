//! A client that sends bytes and reads answers, no more.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) const GET: &str = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
pub(crate) const GET_WAIT: &str = "GET /wait HTTP/1.1\r\nHost: test\r\n\r\n";

/// Waits for what has to come, but not for ever.
pub(crate) async fn in_time<T>(coming: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), coming).await.expect("what had to come did not come")
}

pub(crate) struct Client<T = TcpStream> {
    pub(crate) stream: T,
    received: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Whether the answer says that it is the connection's last.
    pub(crate) fn closes(&self) -> bool {
        self.head.contains("\r\nconnection: close\r\n")
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Client<T> {
    pub(crate) fn over(stream: T) -> Self {
        Self { stream, received: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request).await;
        self.answer().await
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        self.try_answer().await.expect("an answer, but the connection ended")
    }

    /// The next answer, or `None` if the connection ends before its first byte.
    pub(crate) async fn try_answer(&mut self) -> Option<Answer> {
        let head_end = loop {
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.receive().await {
                assert!(
                    self.received.is_empty(),
                    "half an answer: {:?}",
                    self.received.escape_ascii().to_string()
                );
                return None;
            }
        };
        let head = String::from_utf8(self.received.drain(..head_end).collect()).unwrap();
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        while self.received.len() < length {
            assert!(self.receive().await, "half an answer's body");
        }
        let body = self.received.drain(..length).collect();
        Some(Answer { status: head[9..12].parse().unwrap(), head, body })
    }

    /// Waits for the end of the connection, before which nothing more may come.
    pub(crate) async fn end(&mut self) {
        while self.receive().await {}
        assert_eq!(self.received.escape_ascii().to_string(), "");
    }

    /// Everything that comes until the connection ends.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.receive().await {}
        std::mem::take(&mut self.received)
    }

    /// Reads at least `length` bytes.
    pub(crate) async fn bytes(&mut self, length: usize) -> Vec<u8> {
        while self.received.len() < length {
            assert!(self.receive().await, "the connection ended");
        }
        self.received.drain(..length).collect()
    }

    /// Whether anything came before the end.
    async fn receive(&mut self) -> bool {
        in_time(self.stream.read_buf(&mut self.received)).await.is_ok_and(|length| length > 0)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}
