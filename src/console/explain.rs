//! Explains in words what a scope covers, and which addresses a range has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::Json;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::problem::sentence;
use super::visitor::Visitor;
use super::when::grouped;
use crate::domain::cidr::{Cidr, Cidrs};
use crate::domain::scope::{Action, Filter, FilterError, Scope, Segment};
use crate::http::failure::Failure;
use crate::http::query::Query;

/// `GET /console/scope?action=&resource=`: explains a row of a form while somebody types.
pub(super) async fn explanation(_: Visitor, parts: Parts) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["action", "resource"])?;
    let text = |name| query.text(name).unwrap_or_default().trim();
    Ok(said(read(text("action"), text("resource")).map(|scope| explain(&scope))))
}

/// `GET /console/range?text=`: explains a range of addresses while somebody types.
pub(super) async fn range(_: Visitor, parts: Parts) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["text"])?;
    Ok(said(range_in_words(query.text("text").unwrap_or_default().trim())))
}

/// The words for a row, and whether they say what is wrong with it.
fn said(words: Result<String, String>) -> Response {
    let is_wrong = words.is_err();
    let words = words.unwrap_or_else(|why| why);
    Json(json!({ "words": words, "is_wrong": is_wrong })).into_response()
}

/// Which addresses a range has, or what is wrong with it.
pub(super) fn range_in_words(text: &str) -> Result<String, String> {
    let ranges = Cidrs::parse([text]).map_err(|error| sentence(&error.to_string()))?;
    let ranges: Vec<&Cidr> = ranges.iter().collect();
    let [range] = ranges[..] else { return Ok("Every address.".into()) };
    let (first, length) = (range.address(), range.prefix_len());
    Ok(match (first, length) {
        (IpAddr::V4(_), 0) => "Every IPv4 address, and no IPv6 address.".into(),
        (IpAddr::V6(_), 0) => "Every IPv6 address, and no IPv4 address.".into(),
        (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => "One address.".into(),
        (IpAddr::V4(first), length) => {
            let others = u32::MAX >> length;
            let last = Ipv4Addr::from_bits(first.to_bits() | others);
            format!("{} addresses, from {first} to {last}.", grouped(u64::from(others) + 1))
        }
        (IpAddr::V6(first), length) => {
            format!("From {first} to {}.", Ipv6Addr::from_bits(first.to_bits() | (u128::MAX >> length)))
        }
    })
}

/// What a scope allows, as a part of a summary.
pub(super) fn in_few_words(scope: &Scope) -> String {
    let verb = match scope.action() {
        Action::Any => "Any action on",
        Action::Admin => "Administer",
        Action::Read => "Read",
        Action::Write => "Write",
    };
    format!("{verb} {}", resources(scope.filter()))
}

/// Parses the scope of a row, or returns what is wrong with it.
pub(super) fn read(action: &str, resource: &str) -> Result<Scope, String> {
    let action: Action = action.parse().map_err(|_| "Choose an action.".to_owned())?;
    if resource.is_empty() {
        return Err("Enter a resource. Use * for all resources.".into());
    }
    let filter: Filter = resource.parse().map_err(|error: FilterError| sentence(&error.to_string()))?;
    Ok(Scope::new(action, filter))
}

pub(super) fn explain(scope: &Scope) -> String {
    let verb = match scope.action() {
        Action::Any => "Allows any action on",
        Action::Admin => "Allows admin access to",
        Action::Read => "Allows read access to",
        Action::Write => "Allows write access to",
    };
    let management = if scope.is_reserved() { " This scope is for the management API." } else { "" };
    format!("{verb} {}.{management}", resources(scope.filter()))
}

fn resources(filter: &Filter) -> String {
    let segments: Vec<Segment<'_>> = filter.segments().collect();
    let any = segments.iter().filter(|segment| matches!(segment, Segment::One)).count();
    let each = if any > 0 { ", where * matches any one segment" } else { "" };
    match segments.split_last() {
        Some((Segment::Rest, [])) => "every resource except the management API".into(),
        Some((Segment::Rest, above)) => format!("everything under {}, at any depth{each}", path(above)),
        Some((Segment::One, above)) if any == 1 && !above.is_empty() => {
            format!("everything directly under {}", path(above))
        }
        _ if any > 0 => format!("{}{each}", path(&segments)),
        _ => format!("{} only", path(&segments)),
    }
}

fn path(segments: &[Segment<'_>]) -> String {
    let texts: Vec<&str> = segments
        .iter()
        .map(|segment| match segment {
            Segment::Literal(text) => text,
            Segment::One => "*",
            Segment::Rest => "**",
        })
        .collect();
    texts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_explained_by_its_addresses() {
        for (text, words) in [
            ("*", "Every address."),
            ("203.0.113.0/24", "256 addresses, from 203.0.113.0 to 203.0.113.255."),
            ("10.0.0.0/8", "16\u{202f}777\u{202f}216 addresses, from 10.0.0.0 to 10.255.255.255."),
            ("192.0.2.1", "One address."),
            ("::/0", "Every IPv6 address, and no IPv4 address."),
            ("2001:db8::/32", "From 2001:db8:: to 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff."),
        ] {
            assert_eq!(range_in_words(text).as_deref(), Ok(words));
        }
        assert!(range_in_words("10.0.0.1/8").unwrap_err().contains("10.0.0.0/8"));
        assert!(range_in_words("").is_err());
    }

    #[test]
    fn a_scope_is_explained_in_a_sentence() {
        for (scope, words) in [
            ("*:*", "Allows any action on every resource except the management API."),
            ("read:projects/web", "Allows read access to projects/web only."),
            ("write:projects/*", "Allows write access to everything directly under projects."),
            ("admin:projects/**", "Allows admin access to everything under projects, at any depth."),
            (
                "read:projects/*/logs/**",
                "Allows read access to everything under projects/*/logs, at any depth, where * matches any one segment.",
            ),
            ("read:*/logs", "Allows read access to */logs, where * matches any one segment."),
            (
                "read:claviger/orgs/acme",
                "Allows read access to claviger/orgs/acme only. This scope is for the management API.",
            ),
        ] {
            assert_eq!(explain(&scope.parse().unwrap()), words);
        }
        assert_eq!(in_few_words(&"write:a/*".parse().unwrap()), "Write everything directly under a");
        assert!(read("read", "").is_err() && read("", "*").is_err() && read("read", "a//b").is_err());
    }
}
