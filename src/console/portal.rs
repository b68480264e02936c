//! The customers' portal: the console's pages about keys, in the vendor's name, for the vendor's users. A page of the portal is
//! the same handler and the same template as the console's. What the user may see and do is decided by the use cases.

mod around;
mod entrance;
mod look;
pub(super) mod session;

use std::sync::Arc;

use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Router};

use super::{explain, keys};
use crate::http::Route;
use crate::http::background;
use crate::http::failure::{api_method_not_allowed, not_found};
use crate::http::route::routes;
use crate::node::Node;

use super::new_secrets::NewSecrets;

pub(super) use self::around::is_here;
pub(super) use self::entrance::{Ended, nobody};
pub(super) use self::look::PortalFrame;

routes! {
    other methods: api_method_not_allowed {
        GET "/portal" => entrance::page,
        POST "/portal" => entrance::open,
        GET "/portal/theme.css" => look::theme,
        GET "/portal/logo" => look::logo,
        GET "/portal/scope" => explain::explanation,
        GET "/portal/range" => explain::range,
        GET "/portal/orgs/{org}/keys" => keys::list,
        GET "/portal/orgs/{org}/keys/new" => keys::new::form,
        POST "/portal/orgs/{org}/keys/new" => keys::new::create,
        POST "/portal/orgs/{org}/keys/summary" => keys::summary::show,
        GET "/portal/orgs/{org}/keys/{key}" => keys::show::show,
        GET "/portal/orgs/{org}/keys/{key}/edit" => keys::edit::form,
        POST "/portal/orgs/{org}/keys/{key}/edit" => keys::edit::change,
        GET "/portal/orgs/{org}/keys/{key}/rotate" => keys::act::ask_rotate,
        POST "/portal/orgs/{org}/keys/{key}/rotate" => keys::act::rotate,
        GET "/portal/orgs/{org}/keys/{key}/revoke" => keys::act::ask_revoke,
        POST "/portal/orgs/{org}/keys/{key}/revoke" => keys::act::revoke,
        GET "/portal/orgs/{org}/keys/{key}/secrets/{secret}/retire" => keys::act::ask_retire,
        POST "/portal/orgs/{org}/keys/{key}/secrets/{secret}/retire" => keys::act::retire,
        ANY "/portal/{*rest}" => not_found,
    }
}

/// The portal's routes.
pub(super) fn router(node: &Arc<Node>) -> Router<Arc<Node>> {
    endpoints()
        .route_layer(from_fn_with_state(Arc::clone(node), around::around))
        .route_layer(Extension(NewSecrets::new(node.clock.clone())))
        .route_layer(from_fn(background::in_background))
}
