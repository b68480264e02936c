//! Every example is one.

use serde_json::Value;

use crate::support::openapi::{Place, document, operations};

#[test]
fn examples_are_as_their_schemas_say() {
    let mut faults = Vec::new();
    let mut count = 0;
    walk(&document(), &mut |place| {
        let Some(schema) = place.get("schema") else { return };
        for (pointer, example) in examples(place) {
            count += 1;
            faults.extend(schema.faults(&example).into_iter().map(|fault| format!("{pointer}: {fault}")));
        }
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 100, "only {count} examples were found");
}

#[test]
fn every_json_body_has_an_example() {
    for operation in operations() {
        let responses = operation.place.at("responses");
        let contents = responses.members().filter_map(|(_, response)| response.get("content"));
        let answers = contents.filter_map(|content| content.get("application/json"));
        for body in operation.body().into_iter().chain(answers) {
            assert!(!examples(&body).is_empty(), "{} has no example", body.pointer);
        }
    }
}

/// The examples of a parameter, a header or a body, and where each is.
fn examples(place: &Place) -> Vec<(String, Value)> {
    let several = place.get("examples").into_iter().flat_map(|examples| examples.members());
    let several = several.map(|(_, example)| example.at("value"));
    let all = place.get("example").into_iter().chain(several);
    all.map(|example| (example.pointer, example.value.clone())).collect()
}

/// Every object in the document, where it stands: references are not followed.
fn walk(place: &Place, visit: &mut impl FnMut(&Place)) {
    let is_here = |within: &Place| within.pointer.starts_with(&place.pointer);
    if place.value.is_object() {
        visit(place);
        let members = place.members().map(|(_, member)| member);
        members.filter(is_here).for_each(|member| walk(&member, visit));
    } else {
        place.items().filter(is_here).for_each(|item| walk(&item, visit));
    }
}
