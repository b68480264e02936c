//! Asking for pages, one after another, and how long it takes.

use std::time::Instant;

use serde_json::Value;

use crate::process::Server;

/// How often each page is asked for.
const TIMES: usize = 300;

/// An administrator with one connection.
pub(crate) struct Asking {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Asking {
    pub(crate) fn of(server: &Server, key: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { http, base: format!("http://{}", server.address), key: key.to_owned() }
    }

    /// Asks for a page again and again, prints how long that takes, and returns the 99th percentile in
    /// milliseconds.
    pub(crate) async fn report(&self, name: &str, path: &str) -> f64 {
        let mut times = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let begun = Instant::now();
            self.get(path).await;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        times.sort_by(f64::total_cmp);
        let (median, p99, most) = (times[TIMES / 2], times[TIMES * 99 / 100], times[TIMES - 1]);
        println!("{name:<44} {median:>9.2} {p99:>9.2} {most:>9.2}");
        p99
    }

    /// The path of a list's last page.
    pub(crate) async fn deepest(&self, list: &str) -> String {
        let mut path = list.to_owned();
        loop {
            let page: Value = serde_json::from_str(&self.get(&path).await).expect("a page");
            let Some(cursor) = page["next_cursor"].as_str() else { return path };
            path = format!("{list}&cursor={cursor}");
        }
    }

    async fn get(&self, path: &str) -> String {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.key);
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a whole answer");
        assert!(status.is_success(), "{path}: {status} {text}");
        text
    }
}
