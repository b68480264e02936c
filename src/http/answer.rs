//! Responses of the management API that several resources share.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::node::Node;
use crate::use_cases::management::{Changed, Etag, Idempotent, Versioned, changes};

/// 200 with a representation and its `ETag`.
pub(super) fn versioned(etag: &Etag, body: &impl Serialize) -> Response {
    with_etag(Json(body).into_response(), etag)
}

/// 201 with `Location` for a thing created in `collection`, which is below the issuer's URL. A repeated request gets
/// the same response again. `shown` returns the thing's id and its representation.
pub(super) fn made<'m, T: Versioned, V: Serialize>(
    node: &Node,
    collection: &str,
    made: &'m Idempotent<T>,
    shown: impl FnOnce(&'m T) -> (String, V),
) -> Response {
    match made {
        Idempotent::New(thing) => {
            let (id, view) = shown(thing);
            with_etag(created(node, collection, &id, &view), &thing.etag())
        }
        Idempotent::Replayed(answer) => {
            created(node, collection, answer["id"].as_str().unwrap_or_default(), answer)
        }
    }
}

/// 200 with a changed thing. A dry run shows the thing as it would become, and the differences.
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

/// 200 for a dry run that would succeed. Nothing has changed.
pub(super) fn dry_run() -> Response {
    Json(json!({ "dry_run": true })).into_response()
}

fn created(node: &Node, collection: &str, id: &str, body: &impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    let location = format!("{}{collection}/{id}", node.deployment.issuer);
    if let Ok(location) = HeaderValue::try_from(location) {
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
