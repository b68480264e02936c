//! The entry page.

use axum::response::Response;

use super::page::see_other;
use super::visitor::Visitor;

/// `GET /console` redirects to the keys of the visitor's own organization.
pub(super) async fn home(visitor: Visitor) -> Response {
    let organization = &visitor.caller.key.key.organization;
    see_other(&format!("{}/orgs/{organization}/keys", visitor.shell.base))
}
