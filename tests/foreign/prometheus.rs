//! A Prometheus scrapes a server, with the alert rules and the questions of the dashboard that operators get.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::program::program;
use crate::support::{Backend, Client, forged, is_here, until};
use crate::world::World;

/// Where Prometheus listens; whatever else takes ports of this machine's takes those of 127.0.0.1.
const HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 78, 1);

/// How long it may take until the last question has its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What this server does not export, so that a question about it has no answer: it does not terminate TLS.
const NOT_EXPORTED: [&str; 1] = ["claviger_tls_certificate_expiry_timestamp_seconds"];

/// What is asked for in the place of what never happens here: no request fails with 5xx. The same question about other
/// statuses must have an answer.
const STATUSES: [(&str, &str); 1] = [("5..", "[245]..")];

/// The only rule that has no answer as long as all is well.
const NO_NODE: &str = "ClavigerDown";

#[test]
fn sqlite() {
    every_question_has_an_answer(Backend::Sqlite);
}

#[test]
fn postgres() {
    if let Some(backend) = Backend::postgres() {
        every_question_has_an_answer(backend);
    }
}

fn every_question_has_an_answer(backend: Backend) {
    if !is_here("prometheus") {
        return;
    }
    let world = World::with_metrics(backend);
    let keys = [(); 2].map(|()| world.key(&json!({ "scopes": [{ "action": "read" }] })));
    let [key, other] = keys.each_ref().map(|made| made["key"].as_str().expect("a key"));
    let wrong = forged(other);
    // There is a next signing key from now on.
    world.make("/v1/signing-keys/rotate", &json!({}));
    let clients = Client::new(SocketAddr::from(([127, 0, 0, 1], world.port())));
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let prometheus = Prometheus::scraping(&world.metrics_address()).await;
        let mut questions = dashboard();
        for rule in prometheus.rules().await {
            questions.extend(questions_of(&rule));
        }
        questions.retain(|question| !NOT_EXPORTED.iter().any(|name| question.contains(name)));
        assert!(questions.len() > 80, "{questions:#?}");
        let begun = Instant::now();
        while !questions.is_empty() {
            assert!(begun.elapsed() < PATIENCE, "no answer to {questions:#?}\n{}", prometheus.log());
            use_the_server(&clients, key, &wrong).await;
            for question in std::mem::take(&mut questions) {
                if !prometheus.answers(&question).await {
                    questions.insert(question);
                }
            }
        }
        for (metric, label) in variables() {
            let values = prometheus.values(&metric, &label).await;
            assert_eq!(values.len(), 1, "{metric} {label}: {values:?}");
        }
        // Nobody is woken by a server that is well, and somebody is by one that is gone.
        until("nothing is wrong", async || prometheus.alerts().await.is_empty()).await;
        for rule in prometheus.rules().await {
            assert_eq!(rule["health"], "ok", "{rule:#}");
        }
        world.kill();
        let down = BTreeSet::from([NO_NODE.to_owned(), "ClavigerNodeDown".to_owned()]);
        until("the server's end is noticed", async || prometheus.alerts().await == down).await;
    });
}

/// A request of each kind that leaves something to measure.
async fn use_the_server(clients: &Client, key: &str, wrong: &str) {
    clients.access_token(key, "").await;
    // After ten of them, a wrong key is not checked any more.
    assert!([401, 429].contains(&clients.token(wrong, "").await.status));
    assert_eq!(clients.bearer(key).get("/v1/gate?action=read&resource=orders/7").await.status, 200);
    assert_eq!(clients.get("/oauth/revocations").await.status, 200);
}

/// The expression of every panel, with the dashboard's variables filled in.
fn dashboard() -> BTreeSet<String> {
    let dashboard = file("deploy/grafana/claviger.json");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| match panel["type"].as_str() {
        Some("row") => [].as_slice(),
        _ => panel["targets"].as_array().filter(|targets| !targets.is_empty()).expect("a query").as_slice(),
    });
    let expressions = targets.map(|target| {
        let expression = target["expr"].as_str().expect("an expression");
        let filled = [("$__rate_interval", "10s"), ("$job", "claviger"), ("$instance", ".*")];
        let expression = filled.iter().chain(&STATUSES).fold(expression.to_owned(), replaced);
        assert!(!expression.contains('$'), "{expression}");
        expression
    });
    expressions.collect()
}

fn replaced(text: String, (from, to): &(&str, &str)) -> String {
    text.replace(from, to)
}

/// The metric and the label of every variable that Prometheus has the values of.
fn variables() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&file("deploy/grafana/claviger.json")).expect("JSON");
    let variables = dashboard["templating"]["list"].as_array().expect("variables").iter();
    let queries = variables.filter_map(|variable| variable["definition"].as_str());
    let queries = queries.map(|query| {
        let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let (metric, label) = inner.and_then(|inner| inner.rsplit_once(", ")).expect("a metric and a label");
        (metric.replace("$job", "claviger"), label.to_owned())
    });
    let variables = Vec::from_iter(queries);
    assert_eq!(variables.len(), 2);
    variables
}

/// What a rule is about, and what it makes of that: whether it would wake somebody. Without `bool`, a rule has no answer
/// while all is well.
fn questions_of(rule: &Value) -> Vec<String> {
    let expression = rule["query"].as_str().expect("an expression");
    let expression = STATUSES.iter().fold(expression.to_owned(), replaced);
    let comparing = [" == ", " > ", " < "].map(|operator| (operator, format!("{operator}bool ")));
    let comparing = comparing.iter().fold(expression.clone(), |text, (from, to)| text.replace(from, to));
    let whole = comparing.replace(" and on (", " * on (");
    assert_ne!(whole, expression, "every rule compares");
    let mut questions = metrics_in(&expression);
    assert!(!questions.is_empty(), "{expression}");
    if rule["name"] != NO_NODE {
        questions.push(whole);
    }
    questions
}

/// The metrics that an expression reads, with the labels that it selects.
fn metrics_in(expression: &str) -> Vec<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find(is_part) {
        rest = &rest[start..];
        let word = rest.find(|character| !is_part(character)).unwrap_or(rest.len());
        let labels =
            if rest[word..].starts_with('{') { rest.find('}').map_or(word, |end| end + 1) } else { word };
        if word < labels || rest.starts_with("claviger_") {
            found.push(rest[..labels].to_owned());
        }
        rest = &rest[labels..];
    }
    found
}

fn file(path: &str) -> String {
    let path = in_project(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn in_project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A Prometheus. It is killed when this is dropped.
struct Prometheus {
    client: Client,
    process: Mutex<Child>,
    folder: TempDir,
}

impl Prometheus {
    /// One that scrapes `target` every second, once it answers.
    async fn scraping(target: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let configuration = json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": [in_project("deploy/prometheus/alerts.yaml")],
            "scrape_configs": [{ "job_name": "claviger", "static_configs": [{ "targets": [target] }] }],
        });
        // JSON is YAML.
        fs::write(folder.path().join("prometheus.yml"), configuration.to_string()).expect("a file");
        let address = TcpListener::bind((HOST, 0)).and_then(|free| free.local_addr()).expect("a free port");
        let listen = format!("--web.listen-address={address}");
        let arguments =
            ["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn", &listen];
        let mut command = program(folder.path(), "prometheus", &arguments);
        let log = File::create(folder.path().join("log")).expect("a file");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let prometheus = Self { client: Client::new(address), process: Mutex::new(process), folder };
        let ended = || prometheus.process.lock().expect("the process").try_wait().expect("a process");
        let is_ready = async || {
            let answer = prometheus.client.try_send(Method::GET, "/-/ready", None).await;
            answer.is_ok_and(|answer| answer.status == 200)
        };
        until("Prometheus", async || ended().is_some() || is_ready().await).await;
        assert_eq!(ended(), None, "{}", prometheus.log());
        prometheus
    }

    /// The alert rules that it has loaded.
    async fn rules(&self) -> Vec<Value> {
        let answer = self.client.get("/api/v1/rules?type=alert").await.done(200);
        let groups = answer["data"]["groups"].as_array().expect("groups").iter();
        let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules").clone());
        let rules = Vec::from_iter(rules);
        assert!(rules.len() > 10, "{answer:#}");
        rules
    }

    /// The names of the alerts that fire, or will if it stays like this.
    async fn alerts(&self) -> BTreeSet<String> {
        let answer = self.client.get("/api/v1/alerts").await.done(200);
        let alerts = answer["data"]["alerts"].as_array().expect("alerts").iter();
        alerts.map(|alert| alert["labels"]["alertname"].as_str().expect("a name").to_owned()).collect()
    }

    /// Whether the answer to a question has a number in it. A question that is an error ends the test.
    async fn answers(&self, question: &str) -> bool {
        let form = format!("query={}", utf8_percent_encode(question, NON_ALPHANUMERIC));
        let answer = self.client.post_form("/api/v1/query", &form).await;
        assert_eq!(answer.status, 200, "{question}: {}", answer.text);
        let answer = answer.json();
        let samples = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{question}: {answer:#}"));
        let mut values = samples.iter().filter_map(|sample| sample["value"][1].as_str()?.parse::<f64>().ok());
        values.any(f64::is_finite)
    }

    /// The values of a label of a metric.
    async fn values(&self, metric: &str, label: &str) -> Vec<Value> {
        let selected = utf8_percent_encode(metric, NON_ALPHANUMERIC);
        let answer =
            self.client.get(&format!("/api/v1/label/{label}/values?match%5B%5D={selected}")).await.done(200);
        answer["data"].as_array().expect("values").clone()
    }

    /// What it said.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        let _ = process.kill();
        let _ = process.wait();
    }
}
