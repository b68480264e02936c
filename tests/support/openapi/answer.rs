//! An answer that the server gave, held against the document.

use serde_json::Value;

use super::{Operation, Place, operations};
use crate::support::Answer;

/// Asserts that openapi.yaml describes this answer: its status, its headers, its media type and its body.
pub fn check(method: &str, target: &str, answer: &Answer) {
    let path = target.split('?').next().unwrap_or_default();
    let here = operations_at(path);
    let Some(any) = here.first() else { return };
    // RFC 9110 §9.3.2: HEAD is GET without the body.
    let wanted = if method == "HEAD" { "GET" } else { method };
    let operation = here.iter().find(|operation| operation.method == wanted).unwrap_or(any);
    let said = || format!("{method} {path}: {} {:?} {}", answer.status, answer.headers, answer.text);
    let response = operation.place.at("responses").get(&answer.status.to_string());
    let response = response.unwrap_or_else(|| panic!("a status that is not described, {}", said()));
    if operation.method != wanted && !operation.takes_any_method() {
        assert_eq!(answer.status, 405, "{}", said());
        assert_eq!(answer.header("allow"), methods(&here), "{}", said());
    }
    let mut faults = header_faults(&response, answer);
    if method != "HEAD" {
        faults.extend(body_faults(&response, answer));
    }
    assert!(faults.is_empty(), "{}\nis not as described:\n{}", said(), faults.join("\n"));
}

/// The operations of the path that this is; a literal segment is nearer than a parameter.
fn operations_at(path: &str) -> Vec<&'static Operation> {
    let segments: Vec<&str> = path.split('/').collect();
    let is_here = |operation: &&Operation| is_of(&operation.path.split('/').collect::<Vec<_>>(), &segments);
    let mut here: Vec<&Operation> = operations().iter().filter(is_here).collect();
    if let Some(nearest) =
        here.iter().map(|operation| operation.path).min_by_key(|path| path.matches('{').count())
    {
        here.retain(|operation| operation.path == nearest);
    }
    here
}

fn is_of(template: &[&str], segments: &[&str]) -> bool {
    match (template, segments) {
        ([], []) => true,
        // All of the rest, but not nothing.
        (["{target}"], [first, rest @ ..]) => !(first.is_empty() && rest.is_empty()),
        ([name, template @ ..], [segment, segments @ ..]) => {
            let fits = if name.starts_with('{') { !segment.is_empty() } else { name == segment };
            fits && is_of(template, segments)
        }
        _ => false,
    }
}

/// `Allow`, in the order that the server has it in.
fn methods(here: &[&Operation]) -> String {
    let mut methods = Vec::new();
    for operation in here {
        methods.push(operation.method.as_str());
        if operation.method == "GET" {
            methods.push("HEAD");
        }
    }
    methods.join(",")
}

fn header_faults(response: &Place, answer: &Answer) -> Vec<String> {
    let headers = response.get("headers");
    let headers = headers.iter().flat_map(Place::members);
    let fault = |(name, header): (&str, Place)| match answer.headers.get(name) {
        None if header.value["required"] == true => vec![format!("{name} is missing")],
        None => Vec::new(),
        Some(value) => {
            let schema = header.at("schema");
            let text = value.to_str().unwrap_or_default();
            let value = match schema.value["type"].as_str() {
                Some("integer") => serde_json::from_str(text).unwrap_or_default(),
                _ => Value::from(text),
            };
            schema.faults(&value).into_iter().map(|fault| format!("{name}: {fault}")).collect()
        }
    };
    headers.flat_map(fault).collect()
}

fn body_faults(response: &Place, answer: &Answer) -> Vec<String> {
    let Some(content) = response.get("content") else {
        return if answer.text.is_empty() { Vec::new() } else { vec!["there is a body".into()] };
    };
    let media_type = answer.header("content-type").split(';').next().unwrap_or_default();
    let Some(described) = content.get(media_type) else { return vec![format!("it is {media_type:?}")] };
    match media_type {
        "application/json" => described.at("schema").faults(&answer.json()),
        _ => Vec::new(),
    }
}
