//! The organizations that the visitor may see.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;

use super::page::page;
use super::shell::Shell;
use super::visitor::Visitor;
use super::when::When;
use crate::domain::tenant::Organization;
use crate::http::failure::Failure;
use crate::http::query::Query;
use crate::node::Node;
use crate::use_cases::management::{PageRequest, organizations};

const PER_PAGE: u16 = 50;

#[derive(Template)]
#[template(path = "organizations.html")]
struct OrganizationsPage {
    shell: Shell,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    id: String,
    name: String,
    created: When,
}

/// `GET /console/orgs`.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    visitor: Visitor,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::of_page(&parts, &["cursor"])?;
    let request = PageRequest { limit: PER_PAGE, cursor: query.text("cursor").map(str::to_owned) };
    let (found, next) = organizations::list(&node.records, &visitor.caller, request).await?;
    let now = node.clock.now();
    let row = |organization: &Organization| Row {
        id: organization.id.to_string(),
        name: organization.name.clone(),
        created: When::new(organization.created_at, now),
    };
    page(&OrganizationsPage {
        rows: found.iter().map(row).collect(),
        next: next.map(|cursor| format!("{}/orgs?cursor={cursor}", visitor.shell.base)),
        shell: visitor.shell,
    })
}
