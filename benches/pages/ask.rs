//! Requests pages one after another and measures the time.

use std::time::Instant;

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderName, ORIGIN, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::process::Server;

/// The number of requests per page.
const TIMES: usize = 300;

/// An administrator with one connection.
pub(crate) struct Asking {
    http: reqwest::Client,
    base: String,
    /// The header with the credential.
    credential: (HeaderName, String),
}

impl Asking {
    /// Authenticates at the API with an API key.
    pub(crate) fn of(server: &Server, key: &str) -> Self {
        let redirects = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(redirects).build().expect("a client");
        let credential = (AUTHORIZATION, format!("Bearer {key}"));
        Self { http, base: format!("http://{}", server.address), credential }
    }

    /// Authenticates at the console with a session.
    pub(crate) async fn signed_in(server: &Server, key: &str) -> Self {
        let anybody = Self::of(server, key);
        let sign_in = anybody.http.post(format!("{}/console/sign-in", anybody.base));
        let sign_in = sign_in.header(ORIGIN, &anybody.base).form(&[("key", key)]);
        let answer = sign_in.send().await.expect("an answer");
        let cookie = answer.headers().get(SET_COOKIE).expect("a session").to_str().expect("text");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Self { credential: (COOKIE, cookie), ..anybody }
    }

    /// Requests a page repeatedly, prints the times, and returns the 99th percentile in milliseconds.
    pub(crate) async fn report(&self, name: &str, path: &str) -> f64 {
        measured(name, || self.get(path)).await
    }

    /// Requests a dry run repeatedly, prints the times, and returns the 99th percentile in milliseconds.
    pub(crate) async fn report_dry_run(&self, name: &str, path: &str, body: &Value) -> f64 {
        let path = format!("{path}?dry_run=true");
        measured(name, || self.answered(path.clone(), |request| request.json(body), Method::POST)).await
    }

    /// Reads a whole export once, and prints how long that took and how many lines it has.
    pub(crate) async fn report_whole(&self, name: &str, path: &str) {
        let begun = Instant::now();
        let (mut answer, mut lines, mut bytes) = (self.begun(path).await, 0, 0);
        while let Some(piece) = answer.chunk().await.expect("a whole export") {
            lines += piece.iter().filter(|byte| **byte == b'\n').count();
            bytes += piece.len();
        }
        let seconds = begun.elapsed().as_secs_f64();
        let (mib, rate) = (bytes >> 20, lines as f64 / seconds);
        println!("{name}: {lines} lines and {mib} MiB in {seconds:.2} s, {rate:.0} lines a second");
    }

    /// The path of a list's last page, found by following its cursors.
    pub(crate) async fn deepest(&self, list: &str) -> String {
        let mut path = list.to_owned();
        loop {
            let page: Value = serde_json::from_str(&self.get(&path).await).expect("a page");
            let Some(cursor) = page["next_cursor"].as_str() else { return path };
            path = format!("{list}&cursor={cursor}");
        }
    }

    /// The path of a list's last page, found by following its links.
    pub(crate) async fn deepest_by_links(&self, list: &str, pages: usize) -> String {
        let mut path = list.to_owned();
        for _ in 0..pages {
            let page = self.get(&path).await;
            let Some((before, _)) = page.split_once("\" rel=\"next\"") else { return path };
            let (_, link) = before.rsplit_once("href=\"").expect("a link");
            path = link.replace("&amp;", "&").replace("&#38;", "&");
        }
        path
    }

    async fn get(&self, path: &str) -> String {
        self.answered(path.to_owned(), |request| request, Method::GET).await
    }

    /// The answer to an export, as soon as it begins.
    async fn begun(&self, path: &str) -> Response {
        let (name, value) = &self.credential;
        let request = self.http.get(format!("{}{path}", self.base)).header(name, value);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer
    }

    async fn answered(
        &self,
        path: String,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
        method: Method,
    ) -> String {
        let (name, value) = &self.credential;
        let request = self.http.request(method, format!("{}{path}", self.base)).header(name, value);
        let answer = with(request).send().await.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a whole answer");
        assert!(status.is_success(), "{path}: {status} {text}");
        text
    }
}

/// Does something repeatedly, prints the times, and returns the 99th percentile in milliseconds.
async fn measured<T, F: Future<Output = T>>(name: &str, once: impl Fn() -> F) -> f64 {
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begun = Instant::now();
        once().await;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    let (median, p99, most) = (times[TIMES / 2], times[TIMES * 99 / 100], times[TIMES - 1]);
    println!("{name:<44} {median:>9.2} {p99:>9.2} {most:>9.2}");
    p99
}
