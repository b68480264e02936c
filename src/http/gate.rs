//! `/v1/gate`: what gateways ask before they let a request through.

use std::sync::Arc;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::credentials::{CameFrom, credential};
use super::failure::Failure;
use super::query::Query;
use super::request_id::RequestId;
use crate::address::Origin;
use crate::gate::{GateRequest, Passed, pass};
use crate::gateway::GateMapping;
use crate::management::ApiError;
use crate::node::Node;
use crate::scope::{Resource, Verb};

/// Where gateways put the method and the target of the request that they ask about: nginx by its documentation's
/// habit; Traefik and Caddy by themselves.
const ORIGINALS: [(&str, &str); 2] =
    [("x-original-method", "x-original-uri"), ("x-forwarded-method", "x-forwarded-uri")];

/// `GET /v1/gate`.
pub(super) async fn check(
    State(node): State<Arc<Node>>,
    CameFrom(address): CameFrom,
    parts: Parts,
) -> Result<Response, Failure> {
    let query = Query::read(&parts, &["action", "resource", "audience", "token"])?;
    let (verb, resource) = asked(&query, &parts.headers, &node.deployment.gate)?;
    let request_id = RequestId::of(&parts);
    let request = GateRequest {
        credential: credential(&parts.headers)?,
        origin: Origin { address, request_id: request_id.as_str() },
        audience: query.text("audience"),
        verb,
        resource,
        wants_token: wants_token(&query)?,
    };
    Ok(answer(&pass(&node, request).await?)?)
}

/// What is asked about: the query says so, or else the headers of the gateway do.
fn asked(query: &Query, headers: &HeaderMap, mapping: &GateMapping) -> Result<(Verb, Resource), ApiError> {
    let no_resource = || ApiError::Forbidden {
        message: "what is asked for is no resource: 1 to 16 literals joined by slashes".into(),
        scope: None,
    };
    match (query.parsed::<Verb>("action")?, query.text("resource")) {
        (Some(verb), Some(resource)) => Ok((verb, resource.parse().map_err(|_| no_resource())?)),
        (None, None) => {
            let (method, target) = original(headers)?;
            let verb = mapping.verb(method).ok_or_else(|| ApiError::Forbidden {
                message: "no action stands for this method".into(),
                scope: None,
            })?;
            Ok((verb, mapping.resource(target).ok_or_else(no_resource)?))
        }
        _ => Err(ApiError::invalid("action and resource go together")),
    }
}

/// The method and the target of the request that the gateway asks about.
fn original(headers: &HeaderMap) -> Result<(&str, &str), ApiError> {
    for (method, target) in ORIGINALS {
        if let (Some(method), Some(target)) = (single(headers, method)?, single(headers, target)?) {
            return Ok((method, target));
        }
    }
    Err(ApiError::invalid(
        "say action and resource, or send X-Original-Method and X-Original-URI, or X-Forwarded-Method and \
         X-Forwarded-Uri",
    ))
}

/// The value of a header that is there once. Of two, another reader might take the other.
fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| ApiError::invalid(format!("{name} is not ASCII")))
        }
        (Some(_), Some(_)) => Err(ApiError::invalid(format!("two {name} headers"))),
    }
}

fn wants_token(query: &Query) -> Result<bool, ApiError> {
    match query.text("token") {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) => Err(ApiError::invalid("token is 1 or 0")),
    }
}

fn answer(passed: &Passed) -> Result<Response, ApiError> {
    let key = &passed.key.key;
    let mut response = ().into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-claviger-sub", passed.key.client_id.clone()),
        ("x-claviger-org", key.organization.to_string()),
        ("x-claviger-project", key.project.to_string()),
        ("x-claviger-env", key.environment.to_string()),
        ("x-claviger-scope", passed.scopes.to_string()),
    ] {
        headers
            .insert(HeaderName::from_static(name), HeaderValue::try_from(value).map_err(ApiError::internal)?);
    }
    if let Some(token) = &passed.token {
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(ApiError::internal)?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(response)
}
