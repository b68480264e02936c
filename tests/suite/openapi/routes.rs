//! The operations of the document are the server's routes, and each is described to the end.

use std::collections::BTreeSet;

use claviger::http::{ROUTES, Route};
use serde_json::Value;

use crate::support::openapi::{Operation, Place, document, operations};

#[test]
fn the_document_has_the_servers_routes_and_no_others() {
    let described: BTreeSet<String> = operations().iter().map(Operation::name).collect();
    let served: BTreeSet<String> = ROUTES.iter().map(described_as).collect();
    let missing: Vec<_> = served.difference(&described).collect();
    let unknown: Vec<_> = described.difference(&served).collect();
    assert!(missing.is_empty(), "served, and not described: {missing:?}");
    assert!(unknown.is_empty(), "described, and not served: {unknown:?}");
}

#[test]
fn the_document_is_of_this_version() {
    assert_eq!(document().at("info").value["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_parameters_of_a_path_are_the_names_in_its_braces() {
    for operation in operations() {
        let in_path = |parameter: &&Place| parameter.value["in"] == "path";
        let described: Vec<&str> = operation.parameters.iter().filter(in_path).map(name).collect();
        assert_eq!(described, names(operation.path), "{}", operation.name());
    }
}

#[test]
fn an_operation_has_a_name_of_its_own_and_a_known_tag() {
    let tags: Vec<&Value> = document().at("tags").items().map(|tag| &tag.value["name"]).collect();
    let mut names = BTreeSet::new();
    for operation in operations() {
        let what = operation.name();
        assert!(operation.text("operationId").is_some_and(|id| names.insert(id)), "{what}");
        assert!(operation.text("summary").is_some(), "{what}");
        assert!(tags.contains(&&operation.place.value["tags"][0]), "{what}");
    }
}

#[test]
fn an_operation_lists_the_errors_that_it_can_have() {
    for operation in operations() {
        let mut expected = if operation.takes_any_method() { vec![] } else { vec!["405"] };
        if operation.path.starts_with("/v1/") {
            expected.extend(["400", "401", "403", "429", "500", "503"]);
        }
        if operation.path.starts_with("/v1/orgs/{org}") {
            expected.push("404");
        }
        if operation.body().is_some() {
            expected.extend(["408", "413"]);
        }
        if operation.body().is_some_and(|body| body.pointer.ends_with("application~1json")) {
            expected.push("415");
        }
        if parameter(operation, "If-Match") {
            expected.push("412");
        }
        if parameter(operation, "Idempotency-Key") || parameter(operation, "force") {
            expected.push("409");
        }
        let responses = operation.place.at("responses");
        let missing: Vec<_> = expected.into_iter().filter(|status| responses.get(status).is_none()).collect();
        assert!(missing.is_empty(), "{} lacks {missing:?}", operation.name());
    }
}

#[test]
fn an_error_has_the_one_form_of_its_kind() {
    for operation in operations() {
        let is_oauth = operation.path.starts_with("/oauth/") && operation.method == "POST";
        let form = if is_oauth { "OAuthError" } else { "Error" };
        for (status, response) in operation.place.at("responses").members() {
            if status < "400" {
                continue;
            }
            let schema = response.at("content").at("application/json").at("schema");
            let expected = format!("/components/schemas/{form}");
            assert_eq!(schema.pointer, expected, "{} {status}", operation.name());
        }
    }
}

/// OpenAPI has no word for every method, nor for a parameter that is several segments.
fn described_as(route: &Route) -> String {
    let method = route.method.as_ref().map_or("GET", |method| method.as_str());
    format!("{method} {}", route.path.replace("{*", "{"))
}

fn parameter(operation: &Operation, wanted: &str) -> bool {
    operation.parameters.iter().any(|parameter| name(parameter) == wanted)
}

fn name(parameter: &Place) -> &'static str {
    parameter.value["name"].as_str().unwrap_or_default()
}

fn names(path: &str) -> Vec<&str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect()
}
