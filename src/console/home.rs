//! The entry page.

use axum::response::Response;

use super::page::see_other;
use super::visitor::Visitor;

/// `GET /console` redirects to the overview of the visitor's own organization, or to all organizations.
pub(super) async fn home(visitor: Visitor) -> Response {
    let base = &visitor.shell.base;
    match visitor.caller.organization() {
        Some(organization) => see_other(&format!("{base}/orgs/{organization}")),
        None => see_other(&format!("{base}/orgs")),
    }
}
