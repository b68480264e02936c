//! `docs/metrics.md` has every metric that a server exports, with its type and its labels, and none besides; and every
//! alert.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::markdown::{anchors, code_spans};
use crate::server::Server;
use crate::text;

#[test]
fn every_metric_is_documented_with_its_type_and_labels() {
    let (server, metrics) = Server::with_metrics();
    // A family with labels shows them once it has a sample.
    assert!(get(&server.address, "/v1/self").starts_with("HTTP/1.1 401 "));
    let answer = get(&metrics, "/metrics");
    let exported = exported(answer.split_once("\r\n\r\n").expect("a body").1);
    let documented = documented(&text("docs/metrics.md"));
    let names = |metrics: &BTreeMap<String, Metric>| metrics.keys().cloned().collect::<BTreeSet<_>>();
    assert!(exported.len() > 40, "a whole scrape: {exported:?}");
    assert_eq!(names(&exported), names(&documented));
    for (name, metric) in &exported {
        assert_eq!(metric, &documented[name], "{name}");
    }
}

#[test]
fn alerts_and_the_dashboard_are_about_metrics_that_exist() {
    let documented = documented(&text("docs/metrics.md"));
    for file in [
        "deploy/prometheus/alerts.yaml",
        "deploy/prometheus/alerts_test.yaml",
        "deploy/grafana/claviger.json",
    ] {
        let text = text(file);
        let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let words = text.split(|character| !is_part(character));
        let is_metric =
            |word: &&str| ["claviger_", "http_server_"].iter().any(|begins| word.starts_with(begins));
        let named: BTreeSet<&str> = words
            .filter(is_metric)
            .map(|word| word.trim_end_matches("_count").trim_end_matches("_bucket"))
            .collect();
        assert!(named.len() > 8, "{file}: {named:?}");
        for name in named {
            assert!(documented.contains_key(name), "{file}: {name} is not documented");
        }
    }
}

#[test]
fn every_alert_is_documented_and_leads_to_its_runbook() {
    let rules: Value = serde_saphyr::from_str(&text("deploy/prometheus/alerts.yaml")).expect("YAML");
    let rules: Vec<&Value> = rules["groups"][0]["rules"].as_array().expect("rules").iter().collect();
    let page = text("docs/metrics.md");
    let (_, alerts) = page.split_once("\n## What to alert on\n").expect("the section");
    let rows: BTreeSet<[&str; 3]> = alerts
        .lines()
        .filter_map(|line| line.strip_prefix("| [`")?.split_once("`]("))
        .map(|(alert, rest)| {
            let (runbook, rest) = rest.split_once(") | ").expect("a runbook");
            [alert, rest.split(" |").next().expect("a severity"), runbook]
        })
        .collect();
    let runbooks = anchors(&text("docs/runbooks.md"));
    let rules = rules.into_iter().map(|rule| {
        let said = |annotation: &str| rule["annotations"][annotation].as_str().unwrap_or_default();
        assert!(said("summary").contains("Claviger"), "{rule:#}");
        assert!(said("description").to_lowercase().contains("first"), "it says what to do first: {rule:#}");
        let runbook = said("runbook_url").strip_prefix("docs/").unwrap_or_else(|| panic!("{rule:#}"));
        let anchor = runbook.strip_prefix("runbooks.md#").unwrap_or_else(|| panic!("{rule:#}"));
        assert!(runbooks.iter().any(|known| known == anchor), "{runbook} leads nowhere");
        let text = |value: &'static str| rule.pointer(value).and_then(Value::as_str).expect("a text");
        [text("/alert"), text("/labels/severity"), runbook]
    });
    assert_eq!(rows, rules.collect());
    // The Helm chart, which can't reach beyond its folder, has the same file.
    assert_eq!(text("deploy/helm/claviger/files/alerts.yaml"), text("deploy/prometheus/alerts.yaml"));
}

/// What is said about a metric.
#[derive(Debug, Default, PartialEq, Eq)]
struct Metric {
    kind: String,
    labels: BTreeSet<String>,
}

/// The metrics of a scrape, by the names of their samples.
fn exported(scrape: &str) -> BTreeMap<String, Metric> {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    let mut family = String::new();
    for line in scrape.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').expect("a name and a type");
            let suffix = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            family = format!("{name}{suffix}");
            let metric = Metric { kind: kind.to_owned(), labels: BTreeSet::new() };
            assert!(metrics.insert(family.clone(), metric).is_none(), "{family} is declared twice");
        } else if !line.starts_with('#')
            && let Some((_, labels)) = line.split_once('{')
        {
            let names =
                labels.split("=\"").map(|before| before.rsplit(['"', ',']).next().unwrap_or_default());
            let names = names.filter(|name| name.starts_with(|first: char| first.is_ascii_lowercase()));
            let metric = metrics.get_mut(&family).expect("a declared family");
            metric.labels.extend(names.filter(|name| *name != "le").map(str::to_owned));
        }
    }
    metrics
}

/// The rows of the tables that are about metrics.
fn documented(page: &str) -> BTreeMap<String, Metric> {
    let tables = page.split("\n| metric | type | labels | description |\n").skip(1);
    let rows = tables.flat_map(|rest| rest.lines().skip(1).take_while(|line| line.starts_with('|')));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells
        .map(|cells| {
            let [_, name, kind, labels, ..] = cells[..] else { panic!("{cells:?} is no row") };
            let metric = Metric { kind: kind.to_owned(), labels: code_spans(labels).into_iter().collect() };
            (name.trim_matches('`').to_owned(), metric)
        })
        .collect()
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a listener");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
