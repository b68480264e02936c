//! The visitor's own sessions, which they can end.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::notice::{self, Notice};
use super::page::page;
use super::session;
use super::shell::Shell;
use super::submitted_form::SubmittedForm;
use super::visitor::Visitor;
use super::when::When;
use crate::http::failure::Failure;
use crate::http::query::Query;
use crate::node::Node;
use crate::store::ConsoleSession;

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    shell: Shell,
    rows: Vec<Row>,
    done: Option<&'static str>,
}

struct Row {
    id: String,
    /// Whether it is the session that shows the page.
    is_this: bool,
    browser: String,
    address: String,
    opened: When,
    seen: When,
}

/// `GET /console/sessions`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    parts: Parts,
) -> Result<Response, Failure> {
    Query::of_page(&parts, &[])?;
    let now = node.clock.now();
    let opened = visitor.in_console()?;
    let own = session::of_caller(&node, &visitor.caller, opened).await?;
    let row = |session: &ConsoleSession| Row {
        id: session.id.to_string(),
        is_this: session.id == opened.id,
        browser: session.user_agent.clone().unwrap_or_else(|| "Unknown".into()),
        address: session.address.clone().unwrap_or_else(|| "Unknown".into()),
        opened: When::new(session.created_at, now),
        seen: When::new(session.last_seen_at, now),
    };
    let rows = own.iter().filter(|session| session.is_open(now)).map(row).collect();
    let path = format!("{}/sessions", visitor.shell.base);
    let taken = notice::take(&node, &parts.headers, Some(&visitor.session), &path);
    let shown = page(&SessionsPage { shell: visitor.shell.clone(), rows, done: taken.text() })?;
    Ok(taken.shown_on(shown))
}

/// `POST /console/sessions`: ends the session that the field `session` names.
pub(super) async fn end(
    State(node): State<Arc<Node>>,
    submitted: SubmittedForm,
) -> Result<Response, Failure> {
    let SubmittedForm { visitor, fields, .. } = &submitted;
    if let Ok(id) = fields.text("session").parse()
        && !submitted.is_resumed()
    {
        session::end(&node, &visitor.caller, visitor.in_console()?, &id).await?;
    }
    let path = format!("{}/sessions", visitor.shell.base);
    Ok(Notice::SessionEnded.at(&node, Some(&visitor.session), &path))
}
