//! Explains in words what a scope covers.

use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use super::problem::sentence;
use super::visitor::Visitor;
use crate::domain::scope::{Action, Filter, FilterError, Scope, Segment};
use crate::http::failure::Failure;
use crate::http::query::Query;

/// `GET /console/scope?action=&resource=`: explains a row of a form while somebody types.
pub(super) async fn explanation(_: Visitor, parts: Parts) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["action", "resource"])?;
    let text = |name| query.text(name).unwrap_or_default().trim();
    let words = match read(text("action"), text("resource")) {
        Ok(scope) => explain(&scope),
        Err(why) => why,
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], words).into_response())
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
        assert!(read("read", "").is_err() && read("", "*").is_err() && read("read", "a//b").is_err());
    }
}
