//! `docs/scopes.md` says what the scope language does.

use claviger::domain::scope::{Resource, Scope, Verb};

use crate::markdown::section;
use crate::text;

#[test]
fn the_tables_of_scopes_say_what_matches() {
    let page = text("docs/scopes.md");
    for row in rows(section(&page, "Wildcards")) {
        let [scope, asked, is_said] = row;
        let (verb, resource) = asked.split_once(' ').expect("an action and a resource");
        let verb: Verb = verb.parse().expect("an action");
        let resource: Resource = resource.parse().expect("a resource");
        assert_eq!(parse(scope).matches(verb, &resource), is_said == "yes", "{scope}, {asked}");
    }
}

#[test]
fn the_tables_of_scopes_say_what_covers() {
    let page = text("docs/scopes.md");
    for row in rows(section(&page, "Narrowing")) {
        let [scope, other, is_said] = row;
        assert_eq!(parse(scope).covers(&parse(other)), is_said == "yes", "{scope}, {other}");
    }
}

/// The rows that end with yes or no; there are some.
fn rows(section: &str) -> Vec<[&str; 3]> {
    let rows: Vec<_> = section.lines().filter_map(row).collect();
    assert!(rows.len() > 9, "{section}");
    rows
}

fn row(line: &str) -> Option<[&str; 3]> {
    let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
    match cells[..] {
        ["", scope, other, answer @ ("yes" | "no"), ""] => Some([scope, other, answer]),
        _ => None,
    }
}

fn parse(scope: &str) -> Scope {
    scope.parse().expect("a scope")
}
