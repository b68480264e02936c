//! What a listener puts up with.

use std::num::NonZeroU32;
use std::time::Duration;

/// How much a [`Listener`](super::Listener) takes on at once, and how long it waits for a slow peer.
///
/// A peer that reaches a time limit is cut off, except where a limit says otherwise.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once, those in a TLS handshake included. One more waits, unaccepted, until another
    /// leaves. Each is an open file: the process needs a higher `ulimit -n`. 10,000.
    pub connections: NonZeroU32,
    /// Requests at once on one HTTP/2 connection. 100.
    pub http2_streams: u32,
    /// Bytes of a request's head: its request line and header fields. More, and never more than 64 KiB over
    /// HTTP/1.1, are answered with 431. 16 KiB.
    pub max_header_bytes: u32,
    /// For the first byte of a TLS handshake, and from there to its end. 10 s.
    pub handshake_timeout: Duration,
    /// For a request's head, counted from its first byte; and, on a fresh connection, for that byte. 10 s.
    pub header_timeout: Duration,
    /// For a request's body, counted from when the service first has to wait for it. Afterwards the body
    /// fails with [`BodyTimedOut`](super::BodyTimedOut), for the service to answer, and the connection
    /// closes. 30 s.
    pub body_timeout: Duration,
    /// For a peer that takes no byte of its answer, and for a service whose answer's body gives none. 30 s.
    pub write_timeout: Duration,
    /// Between an answer and the first byte of the next request. It has to be longer than a proxy in front
    /// keeps its idle connections, or the two race: nginx and common load balancers keep them for 60 s,
    /// Go's and Rust's clients for 90 s. 120 s.
    pub keep_alive: Duration,
    /// After the shutdown signal, how long a connection at rest may still bring a request that was on its
    /// way. 1 s.
    pub drain_linger: Duration,
    /// After the shutdown signal, when whatever is still open is cut off. 9 s: `docker stop` kills after 10.
    pub drain_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: NonZeroU32::MIN.saturating_add(9_999),
            http2_streams: 100,
            max_header_bytes: 16 * 1024,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(120),
            drain_linger: Duration::from_secs(1),
            drain_deadline: Duration::from_secs(9),
        }
    }
}
