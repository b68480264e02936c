//! Measures very many followers of one node.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::deployment::Deployment;

/// The number of revocations that all followers receive.
const NEWS: usize = 5;

/// A follower's report: it waits, or it has received a new document at this time.
enum Report {
    Waits,
    Heard(Instant),
}

pub(crate) async fn measure(deployment: &Deployment, count: usize) {
    let node = deployment.start();
    let before = node.server.resident_mib();
    let (reports, mut reported) = mpsc::unbounded_channel();
    let host = Arc::<str>::from(node.issuer.trim_start_matches("http://"));
    let mut followers = JoinSet::new();
    for _ in 0..count {
        followers.spawn(follow(node.address, Arc::clone(&host), reports.clone()));
        // The followers connect one after another, since the listener's queue is not measured.
        assert!(matches!(reported.recv().await, Some(Report::Waits)));
    }
    let memory = node.server.resident_mib() - before;
    let idle = cpu_share(&node.server, Duration::from_secs(20)).await;
    println!(
        "{count} followers wait: {memory} MiB, {:.0} % of a processor, of which {:.0} in the kernel",
        idle.0, idle.1
    );
    let mut longest = Duration::ZERO;
    for _ in 0..NEWS {
        let (id, _) = node.key_and_token().await;
        let begun = Instant::now();
        node.revoke(&id).await;
        let answered = begun.elapsed();
        let mut times = Vec::with_capacity(count);
        while times.len() < count {
            if let Some(Report::Heard(at)) = reported.recv().await {
                times.push(at.saturating_duration_since(begun));
            }
        }
        times.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!(
            "  a revocation is answered in {:.1} ms, and heard by half in {:.0} ms, by all in {:.0} ms",
            ms(answered),
            ms(times[count / 2]),
            ms(times[count - 1])
        );
        longest = longest.max(times[count - 1]);
    }
    println!("  the last of {count} followers hears of it within {:.2} s", longest.as_secs_f64());
}

/// The server's CPU use in percent of one processor, in total and in the kernel.
async fn cpu_share(server: &crate::process::Server, time: Duration) -> (f64, f64) {
    let before = server.cpu();
    tokio::time::sleep(time).await;
    let after = server.cpu();
    let share = |used: f64| used * 100.0 / time.as_secs_f64();
    (share(after.0 + after.1 - before.0 - before.1), share(after.1 - before.1))
}

/// Follows the feed on one connection, and keeps only the entity tag.
async fn follow(address: SocketAddr, host: Arc<str>, reports: mpsc::UnboundedSender<Report>) {
    let mut connection = BufReader::new(TcpStream::connect(address).await.expect("a connection"));
    let mut known = String::new();
    loop {
        let waiting = match known.as_str() {
            "" => String::new(),
            known => format!("Prefer: wait=10\r\nIf-None-Match: {known}\r\n"),
        };
        let request = format!("GET /oauth/revocations HTTP/1.1\r\nHost: {host}\r\n{waiting}\r\n");
        connection.get_mut().write_all(request.as_bytes()).await.expect("a connection that is open");
        let name = answer(&mut connection).await;
        let report = match known.as_str() {
            "" => Report::Waits,
            known if *known == *name => continue,
            _ => Report::Heard(Instant::now()),
        };
        known = name;
        let _ = reports.send(report);
    }
}

/// Reads a response and returns its entity tag.
async fn answer(connection: &mut BufReader<TcpStream>) -> String {
    let (mut name, mut length, mut line) = (String::new(), 0, String::new());
    loop {
        line.clear();
        assert_ne!(connection.read_line(&mut line).await.expect("text"), 0, "the connection is closed");
        let Some((header, value)) = line.trim_end().split_once(": ") else {
            if line == "\r\n" { break } else { continue }
        };
        match header.to_ascii_lowercase().as_str() {
            "etag" => name = value.to_owned(),
            "content-length" => length = value.parse().expect("a number"),
            _ => {}
        }
    }
    connection.read_exact(&mut vec![0; length]).await.expect("a whole body");
    name
}
