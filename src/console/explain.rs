//! What a scope covers, in words.

use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use super::problem::sentence;
use super::visitor::Visitor;
use crate::http::failure::Failure;
use crate::http::query::Query;
use crate::scope::{Action, Filter, FilterError, Scope, Segment};

/// `GET /console/scope?action=&resource=`: the words for a row of a form while it is typed.
pub(super) async fn explanation(_: Visitor, parts: Parts) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["action", "resource"])?;
    let text = |name| query.text(name).unwrap_or_default().trim();
    let words = match read(text("action"), text("resource")) {
        Ok(scope) => explain(&scope),
        Err(why) => why,
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], words).into_response())
}

/// The scope of a row, or what is wrong with it.
pub(super) fn read(action: &str, resource: &str) -> Result<Scope, String> {
    let action: Action = action.parse().map_err(|_| "Choose an action.".to_owned())?;
    if resource.is_empty() {
        return Err("Name the resources; * is all of them.".into());
    }
    let filter: Filter = resource.parse().map_err(|error: FilterError| sentence(&error.to_string()))?;
    Ok(Scope::new(action, filter))
}

/// What a scope covers.
pub(super) fn explain(scope: &Scope) -> String {
    let verb = match scope.action() {
        Action::Any => "Do anything with",
        Action::Admin => "Administer",
        Action::Read => "Read",
        Action::Write => "Change",
    };
    let management = if scope.is_reserved() { " This is about Claviger’s own management." } else { "" };
    format!("{verb} {}.{management}", resources(scope.filter()))
}

fn resources(filter: &Filter) -> String {
    let segments: Vec<Segment<'_>> = filter.segments().collect();
    let any = segments.iter().filter(|segment| matches!(segment, Segment::One)).count();
    let each = if any > 0 { ", whatever stands in the place of *" } else { "" };
    match segments.split_last() {
        Some((Segment::Rest, [])) => "everything, except Claviger’s own management".into(),
        Some((Segment::Rest, above)) => format!("all that is below {}, however deep{each}", path(above)),
        Some((Segment::One, above)) if any == 1 && !above.is_empty() => {
            format!("each thing directly in {}, and nothing deeper", path(above))
        }
        _ if any > 0 => format!("{}{each}, and nothing deeper", path(&segments)),
        _ => format!("{} alone, and nothing below it", path(&segments)),
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
    fn a_scope_is_told_in_words() {
        for (scope, words) in [
            ("*:*", "Do anything with everything, except Claviger’s own management."),
            ("read:projects/web", "Read projects/web alone, and nothing below it."),
            ("write:projects/*", "Change each thing directly in projects, and nothing deeper."),
            ("admin:projects/**", "Administer all that is below projects, however deep."),
            (
                "read:projects/*/logs/**",
                "Read all that is below projects/*/logs, however deep, whatever stands in the place of *.",
            ),
            ("read:*/logs", "Read */logs, whatever stands in the place of *, and nothing deeper."),
            (
                "read:claviger/orgs/acme",
                "Read claviger/orgs/acme alone, and nothing below it. This is about Claviger’s own management.",
            ),
        ] {
            assert_eq!(explain(&scope.parse().unwrap()), words);
        }
        assert!(read("read", "").is_err() && read("", "*").is_err() && read("read", "a//b").is_err());
    }
}
