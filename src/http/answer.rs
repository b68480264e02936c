//! Answers of the management API that several resources share.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::management::{Changed, Etag, Versioned, changes};
use crate::node::Node;

/// A thing, and which version it is.
pub(super) fn versioned(etag: &Etag, body: &impl Serialize) -> Response {
    with_etag(Json(body).into_response(), etag)
}

/// 201: a thing that was made at `path`, under the issuer.
pub(super) fn created(node: &Node, path: &str, etag: &Etag, body: &impl Serialize) -> Response {
    with_etag(at(node, path, StatusCode::CREATED, body), etag)
}

/// 201 again: what was answered when the thing was made.
pub(super) fn created_before(node: &Node, collection: &str, body: &Value) -> Response {
    let id = body["id"].as_str().unwrap_or_default();
    at(node, &format!("{collection}/{id}"), StatusCode::CREATED, body)
}

/// A thing that was changed; or how it would be, and what would be other about it.
pub(super) fn changed<T: Versioned, V: Serialize>(changed: &Changed<T>, view: impl Fn(&T) -> V) -> Response {
    let after = view(&changed.after);
    if !changed.dry_run {
        return versioned(&changed.after.etag(), &after);
    }
    let mut body = json!(after);
    body["dry_run"] = true.into();
    body["changes"] = changes(&json!(view(&changed.before)), &json!(after)).into();
    Json(body).into_response()
}

fn at(node: &Node, path: &str, status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("{}{path}", node.deployment.issuer)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn with_etag(mut response: Response, etag: &Etag) -> Response {
    if let Ok(etag) = HeaderValue::try_from(etag.as_str()) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}
