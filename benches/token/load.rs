//! The load: keep-alive connections that send prebuilt requests and read complete responses.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The result of a turn of load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Responses with status 200.
    pub(crate) good: u64,
    /// Responses with another status.
    pub(crate) other: u64,
    /// The number of responses with each other status.
    pub(crate) refused: BTreeMap<u16, u64>,
    /// One complete response with another status.
    pub(crate) refusal: Option<String>,
    /// The duration in seconds.
    pub(crate) seconds: f64,
    /// The latency of each response in microseconds, sorted.
    pub(crate) latencies: Vec<u32>,
}

impl Outcome {
    pub(crate) fn rate(&self) -> f64 {
        self.good as f64 / self.seconds
    }

    /// A quantile of the latencies, in microseconds.
    pub(crate) fn quantile(&self, quantile: f64) -> u32 {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * quantile) as usize).copied().unwrap_or_default()
    }
}

/// How a turn paces its requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// Each connection sends its next request after the response to the last.
    Closed,
    /// The same, but each request is sent once, and the turn ends with the last.
    Once,
    /// This many requests per second in total, each sent on schedule regardless of the others. A latency counts from
    /// the scheduled time.
    Open(f64),
}

/// Sends `requests` in turn over `connections` for `duration`.
pub(crate) async fn run(
    address: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    connections: usize,
    duration: Duration,
    pace: Pace,
) -> Outcome {
    let next = Arc::new(AtomicU64::new(0));
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("nodelay");
        streams.push(stream);
    }
    let begun = Instant::now();
    let tasks: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
            tokio::spawn(drive(stream, requests, next, begun, duration, pace))
        })
        .collect();
    // The load never sleeps. Waking it for each response would cost the server's processor more, the slower the server
    // is.
    let awake = tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let mut all = Outcome::default();
    for task in tasks {
        let one = task.await.expect("a driver");
        all.good += one.good;
        all.other += one.other;
        for (status, count) in one.refused {
            *all.refused.entry(status).or_default() += count;
        }
        all.refusal = all.refusal.or(one.refusal);
        all.latencies.extend(one.latencies);
    }
    awake.abort();
    all.seconds = begun.elapsed().as_secs_f64();
    all.latencies.sort_unstable();
    all
}

async fn drive(
    mut stream: TcpStream,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicU64>,
    begun: Instant,
    duration: Duration,
    pace: Pace,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if pace == Pace::Once && number >= requests.len() as u64 {
            return outcome;
        }
        let due = match pace {
            Pace::Closed | Pace::Once => Instant::now(),
            Pace::Open(rate) => begun + Duration::from_secs_f64(number as f64 / rate),
        };
        if due.duration_since(begun) >= duration {
            return outcome;
        }
        wait_until(due).await;
        let request = &requests[number as usize % requests.len()];
        stream.write_all(request).await.expect("sent");
        let status = answer(&mut stream, &mut buffer).await;
        outcome.latencies.push(due.elapsed().as_micros().try_into().unwrap_or(u32::MAX));
        if status == 200 {
            outcome.good += 1;
        } else {
            outcome.other += 1;
            *outcome.refused.entry(status).or_default() += 1;
            outcome.refusal.get_or_insert_with(|| String::from_utf8_lossy(&buffer).into_owned());
        }
    }
}

/// Timers have a resolution of a millisecond, so the rest is spent yielding.
async fn wait_until(due: Instant) {
    if let Some(rest) = due.checked_duration_since(Instant::now())
        && rest > Duration::from_millis(2)
    {
        tokio::time::sleep(rest - Duration::from_millis(2)).await;
    }
    while Instant::now() < due {
        tokio::task::yield_now().await;
    }
}

/// Reads one complete response and returns its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> u16 {
    buffer.clear();
    loop {
        assert!(stream.read_buf(buffer).await.expect("read") > 0, "the server closed a connection");
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head]).expect("ASCII");
        let length = text
            .lines()
            .find_map(|line| {
                line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            })
            .map_or(0, |(_, value)| value.trim().parse::<usize>().expect("a length"));
        let whole = head + 4 + length;
        while buffer.len() < whole {
            assert!(stream.read_buf(buffer).await.expect("read") > 0, "the server closed a connection");
        }
        return std::str::from_utf8(&buffer[9..12]).expect("ASCII").parse().expect("a status");
    }
}

/// A token request with the secret in the body.
pub(crate) fn token_request(client_id: &str, key: &str) -> Vec<u8> {
    let form = format!("grant_type=client_credentials&client_id={client_id}&client_secret={key}");
    form_request("/oauth/token", "", &form)
}

/// A request that posts a form, with these header lines besides the necessary ones.
pub(crate) fn form_request(path: &str, headers: &str, form: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}
