//! The limits of a listener.

use std::num::NonZeroU32;
use std::time::Duration;

/// How much a [`Listener`](super::Listener) accepts at once, and how long it waits for a slow peer.
///
/// A peer that exceeds a time limit is cut off, unless the limit states otherwise.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The connections at once, including those in a TLS handshake. A further connection waits, unaccepted, until
    /// another one ends. Each is an open file, so the process needs a sufficient `ulimit -n`. Default: 10,000.
    pub connections: NonZeroU32,
    /// The concurrent requests on one HTTP/2 connection. Default: 100.
    pub http2_streams: u32,
    /// The bytes of a request's head: its request line and header fields. A longer head gets 431. Over HTTP/1.1, heads
    /// over 64 KiB always do. Default: 16 KiB.
    pub max_header_bytes: u32,
    /// The time for the first byte of a TLS handshake, and from there to its end. Default: 10 s.
    pub handshake_timeout: Duration,
    /// The time for a request's head from its first byte, and for that first byte on a new connection. Default: 10 s.
    pub header_timeout: Duration,
    /// The time for a request's body, from when the service first has to wait for it. After that, the body fails with
    /// [`BodyTimedOut`](super::BodyTimedOut), the service answers, and the connection closes. Default: 30 s.
    pub body_timeout: Duration,
    /// The time in which a peer has to read a byte of its answer, and in which a service's answer body has to yield
    /// one. Default: 30 s.
    pub write_timeout: Duration,
    /// The time between an answer and the first byte of the next request. It has to be longer than a proxy in front
    /// keeps its idle connections, or the two race: nginx and common load balancers keep them for 60 s, Go's and Rust's
    /// clients for 90 s. Default: 120 s.
    pub keep_alive: Duration,
    /// How long after the shutdown signal an idle connection may still deliver a request that was on its way. Default:
    /// 1 s.
    pub drain_linger: Duration,
    /// How long after the shutdown signal the remaining connections are cut off. Default: 9 s, because `docker stop`
    /// kills after 10.
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
