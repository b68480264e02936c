//! The console: API keys as people manage them, on pages that this server makes from the use cases of
//! [`crate::management`]. All of it works without scripts, and nothing comes from elsewhere.
//!
//! A page is a typed template (`src/console/templates`) and what it shows; [`around`] is what every answer goes
//! through.

mod around;
mod assets;
mod cookie;
mod fields;
mod home;
mod keys;
mod origin;
mod page;
mod plot;
mod posted;
mod problem;
mod session;
mod shell;
mod sign_in;
mod visitor;
mod when;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::http::Route;
use crate::http::failure::{api_method_not_allowed, not_found};
use crate::http::route::routes;
use crate::node::Node;

routes! {
    other methods: api_method_not_allowed {
        GET "/console" => home::home,
        GET "/console/sign-in" => sign_in::page,
        POST "/console/sign-in" => sign_in::sign_in,
        POST "/console/sign-out" => sign_in::sign_out,
        GET "/console/orgs/{org}/keys" => keys::list,

        GET "/console/assets/{version}/{file}" => assets::asset,
        ANY "/console/{*rest}" => not_found,
    }
}

/// The console's routes.
pub(crate) fn router(node: &Arc<Node>) -> Router<Arc<Node>> {
    endpoints().route_layer(from_fn_with_state(Arc::clone(node), around::around))
}
