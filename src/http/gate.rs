//! `/v1/gate`: gateways ask here whether to let a request through.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::credentials::{CameFrom, credential};
use super::failure::Failure;
use super::query::Query;
use super::request_id::RequestId;
use crate::domain::address::{CallerAddress, Origin};
use crate::domain::gateway::GateMapping;
use crate::domain::scope::Verb;
use crate::node::Node;
use crate::use_cases::gate::{GateRequest, Passed, Question, pass};
use crate::use_cases::management::{ApiError, Forbidden, InvalidRequest};

/// The headers in which a gateway names the method and the target of the original request. nginx's documentation
/// suggests the first pair; Traefik and Caddy send the second by default.
static ORIGINALS: [[&str; 2]; 2] =
    [["x-original-method", "x-original-uri"], ["x-forwarded-method", "x-forwarded-uri"]];

const X_CLAVIGER_ERROR: HeaderName = HeaderName::from_static("x-claviger-error");

/// `GET /v1/gate`.
pub(super) async fn check(
    State(node): State<Arc<Node>>,
    CameFrom(address): CameFrom,
    parts: Parts,
) -> Result<Response, Failure> {
    let checked = async {
        let query = Query::read(&parts, &["check", "action", "resource", "audience", "token"])?;
        let asked = asked(&query, &parts.headers, &node.deployment.gate)?;
        answer(&node, address, &parts, &query, asked).await
    };
    counted(&node, checked.await)
}

/// `/v1/gate/envoy/{options}/{target}`, for every method. Envoy asks with the original request's method and query, and
/// appends its target to a fixed prefix. The gateway's options come before the target, where the client can't change
/// them.
pub(super) async fn check_original(
    State(node): State<Arc<Node>>,
    CameFrom(address): CameFrom,
    parts: Parts,
) -> Result<Response, Failure> {
    let checked = async {
        let (options, target) = in_path(parts.uri.path()).ok_or(ApiError::NotFound)?;
        let options = Query::parse(options, &["audience", "token"])?;
        let asked = mapped(&node.deployment.gate, parts.method.as_str(), target, &parts.headers)?;
        answer(&node, address, &parts, &options, asked).await
    };
    counted(&node, checked.await)
}

/// Counts the answer by its result.
fn counted(node: &Node, checked: Result<Checked, Failure>) -> Result<Response, Failure> {
    let result = match &checked {
        Ok(Checked::Passed(_)) => "passed",
        Ok(Checked::Preflight) => "preflight",
        Err(failure) => failure.code(),
    };
    node.events.gate_answer(result);
    checked.map(|checked| match checked {
        Checked::Passed(response) => response,
        Checked::Preflight => ().into_response(),
    })
}

/// A request that may pass.
enum Checked {
    /// The response says whose request it is.
    Passed(Response),
    /// A CORS preflight, which is nobody's.
    Preflight,
}

/// Middleware for both routes: repeats a refusal's code in a header, for gateways that can't read bodies.
pub(super) async fn named(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(code) = response.extensions().get().map(Failure::code) {
        response.headers_mut().insert(X_CLAVIGER_ERROR, HeaderValue::from_static(code));
    }
    response
}

/// Splits a path into the gateway's options and the target with its leading slash, both still encoded. Options are
/// required: without them, the first segment of the target would be taken for options.
fn in_path(path: &str) -> Option<(&str, &str)> {
    let below = path.strip_prefix("/v1/gate/envoy/")?;
    below.find('/').filter(|slash| *slash > 0).map(|slash| below.split_at(slash))
}

async fn answer(
    node: &Arc<Node>,
    address: CallerAddress,
    parts: &Parts,
    options: &Query,
    asked: Asked,
) -> Result<Checked, Failure> {
    let Asked::Question(question) = asked else { return Ok(Checked::Preflight) };
    let request_id = RequestId::of(parts);
    let request = GateRequest {
        credential: credential(&parts.headers)?,
        origin: Origin { address, request_id: request_id.as_str() },
        audience: options.text("audience"),
        question,
        wants_token: wants_token(options)?,
    };
    let allowed = pass(&node.authenticator, &node.signer, request, node.clock.now()).await?;
    Ok(Checked::Passed(passed(&allowed)?))
}

/// What the gateway asks about a request.
enum Asked {
    /// Whether the credential allows the request.
    Question(Question),
    /// Nothing, because the request is a CORS preflight. It passes without a credential and without an identity.
    Preflight,
}

/// Reads the gateway's question from the query, or else from the gateway's headers.
fn asked(query: &Query, headers: &HeaderMap, mapping: &GateMapping) -> Result<Asked, ApiError> {
    match (query.text("check"), query.parsed::<Verb>("action")?, query.text("resource")) {
        (Some("credential"), None, None) => Ok(Asked::Question(Question::Credential)),
        (Some("credential"), ..) => Err(InvalidRequest::CheckWithAction.into()),
        (Some(_), ..) => Err(InvalidRequest::Check.into()),
        (None, Some(verb), Some(resource)) => {
            let resource = resource.parse().map_err(|_| no_resource())?;
            Ok(Asked::Question(Question::Action(verb, resource)))
        }
        (None, None, None) => {
            let [method, target] = original(headers)?;
            mapped(mapping, method, target, headers)
        }
        (None, ..) => Err(InvalidRequest::ActionWithoutResource.into()),
    }
}

/// Maps a method and a target to an action on a resource.
fn mapped(mapping: &GateMapping, method: &str, target: &str, headers: &HeaderMap) -> Result<Asked, ApiError> {
    if mapping.lets_preflights_through() && is_preflight(method, headers) {
        // A path that maps to no resource never passes.
        return mapping.resource(target).map(|_| Asked::Preflight).ok_or_else(no_resource);
    }
    let verb = mapping.verb(method).ok_or(Forbidden::NoAction)?;
    Ok(Asked::Question(Question::Action(verb, mapping.resource(target).ok_or_else(no_resource)?)))
}

/// Whether a request is a CORS preflight (Fetch §3.2.2). Browsers send preflights without credentials. A request with a
/// credential is checked like any other, so that no unchecked key reaches the upstream.
fn is_preflight(method: &str, headers: &HeaderMap) -> bool {
    let is_there = |name: &HeaderName| headers.contains_key(name);
    method == "OPTIONS"
        && [header::ORIGIN, header::ACCESS_CONTROL_REQUEST_METHOD].iter().all(is_there)
        && ![header::AUTHORIZATION, HeaderName::from_static("x-api-key")].iter().any(is_there)
}

fn no_resource() -> ApiError {
    Forbidden::NoResource.into()
}

/// The method and the target of the original request. A gateway sets one pair of headers and may pass on the client's
/// own headers of the other pair. If both pairs are present, the gateway's can't be told apart, so the request is
/// refused.
fn original(headers: &HeaderMap) -> Result<[&str; 2], ApiError> {
    let is_there = |pair: &&[&str; 2]| pair.iter().any(|name| headers.contains_key(*name));
    let mut there = ORIGINALS.iter().filter(is_there);
    match (there.next(), there.next()) {
        (Some([method, target]), None) => Ok([single(headers, method)?, single(headers, target)?]),
        (Some(_), Some(_)) => Err(InvalidRequest::BothOriginals.into()),
        (None, _) => Err(InvalidRequest::NoQuestion.into()),
    }
}

/// The value of a header that must occur once. With two values, another reader might take the other one.
fn single<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, ApiError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Err(InvalidRequest::HeaderMissing(name).into()),
        (Some(value), None) => value.to_str().map_err(|_| InvalidRequest::HeaderNotAscii(name).into()),
        (Some(_), Some(_)) => Err(InvalidRequest::HeaderTwice(name).into()),
    }
}

fn wants_token(query: &Query) -> Result<bool, ApiError> {
    match query.text("token") {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(_) => Err(InvalidRequest::WantsToken.into()),
    }
}

fn passed(passed: &Passed) -> Result<Response, ApiError> {
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
