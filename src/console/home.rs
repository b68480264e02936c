//! Where one comes in.

use axum::response::Response;

use super::page::see_other;
use super::visitor::Visitor;

/// `GET /console`: the keys of one's own organization.
pub(super) async fn home(visitor: Visitor) -> Response {
    let organization = &visitor.caller.key.key.organization;
    see_other(&format!("{}/orgs/{organization}/keys", visitor.shell.base))
}
