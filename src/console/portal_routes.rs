//! The portal's routes, and the middleware around them. The middleware is the console's, but for frames: the origins in the
//! settings may have the portal in one, and cookies have to reach it there.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::{Extension, Router};

use super::new_secrets::NewSecrets;
use super::portal::{self, InPortal, is_framed, same_site};
use super::{explain, keys, middleware, portal_frame};
use crate::http::Route;
use crate::http::background;
use crate::http::failure::{api_method_not_allowed, not_found};
use crate::http::route::routes;
use crate::node::Node;

routes! {
    other methods: api_method_not_allowed {
        GET "/portal" => portal::page,
        POST "/portal" => portal::open,
        GET "/portal/theme.css" => portal_frame::theme,
        GET "/portal/logo" => portal_frame::logo,
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
        .route_layer(from_fn_with_state(Arc::clone(node), around))
        .route_layer(Extension(NewSecrets::new(node.clock.clone())))
        .route_layer(from_fn(background::in_background))
}

/// Middleware around every route of the portal.
async fn around(state: State<Arc<Node>>, mut request: Request, next: Next) -> Response {
    let node = Arc::clone(&state.0);
    request.extensions_mut().insert(InPortal);
    let mut response = middleware::around(state, request, next).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy(&node)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if is_framed(&node) {
        // It knows no list of origins, and the policy takes precedence in every browser that knows both.
        headers.remove(header::X_FRAME_OPTIONS);
        headers.remove("cross-origin-opener-policy");
    }
    let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        headers.append(header::SET_COOKIE, carried(&node, cookie));
    }
    response
}

fn policy(node: &Node) -> String {
    let origins: Vec<&str> =
        node.deployment.portal.frame_origins.iter().map(|origin| origin.as_str()).collect();
    let ancestors = if origins.is_empty() { "'none'".to_owned() } else { origins.join(" ") };
    middleware::POLICY.replace("frame-ancestors 'none'", &format!("frame-ancestors {ancestors}"))
}

fn carried(node: &Node, cookie: HeaderValue) -> HeaderValue {
    let Ok(line) = cookie.to_str() else { return cookie };
    let carried = HeaderValue::from_str(&line.replace("SameSite=Strict", same_site(node)));
    carried
        .map(|mut carried| {
            carried.set_sensitive(true);
            carried
        })
        .unwrap_or(cookie)
}
