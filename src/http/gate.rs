//! `/v1/gate`: gateways ask here whether to let a request through.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::credentials::{ClientAddress, RequestLine, credential};
use super::failure::Failure;
use super::query::Query;
use super::request_id::RequestId;
use crate::domain::address::{CallerAddress, Origin};
use crate::domain::gate_mapping::GateMapping;
use crate::domain::scope::Verb;
use crate::node::{Node, ProofRefused, Site};
use crate::use_cases::gate::{Allowed, GateRequest, Requirement, check};
use crate::use_cases::management::{ApiError, Forbidden, InvalidRequest};

/// The headers in which a gateway names the method and the target of the original request. nginx's documentation
/// suggests the first pair; Traefik and Caddy send the second by default.
static ORIGINALS: [[&str; 2]; 2] =
    [["x-original-method", "x-original-uri"], ["x-forwarded-method", "x-forwarded-uri"]];

const X_CLAVIGER_ERROR: HeaderName = HeaderName::from_static("x-claviger-error");

/// `GET /v1/gate`.
pub(super) async fn check_described(
    State(node): State<Arc<Node>>,
    ClientAddress(address): ClientAddress,
    parts: Parts,
) -> Result<Response, Failure> {
    let answer = async {
        let query = Query::read(&parts, &["check", "action", "resource", "audience", "token"])?;
        let admission = described_admission(&query, &parts.headers, &node.deployment.gate)?;
        let line = original_request(&parts.headers).map_err(|_| ProofRefused::NoOriginal);
        let line = line.map(|[method, target]| RequestLine { method, target, site: Site::Gateway });
        answer(&node, address, &parts, &query, admission, line).await
    };
    count(&node, answer.await)
}

/// `/v1/gate/envoy/{options}/{target}`, for every method. Envoy asks with the original request's method and query, and
/// appends its target to a fixed prefix. The gateway's options come before the target, where the client can't change
/// them.
pub(super) async fn check_forwarded(
    State(node): State<Arc<Node>>,
    ClientAddress(address): ClientAddress,
    parts: Parts,
) -> Result<Response, Failure> {
    let answer = async {
        let (options, target) = split_envoy_path(parts.uri.path()).ok_or(ApiError::NotFound)?;
        let options = Query::parse(options, &["audience", "token"])?;
        let admission =
            mapped_admission(&node.deployment.gate, parts.method.as_str(), target, &parts.headers)?;
        let line = RequestLine { method: parts.method.as_str(), target, site: Site::Gateway };
        answer(&node, address, &parts, &options, admission, Ok(line)).await
    };
    count(&node, answer.await)
}

/// Counts the answer by its result.
fn count(node: &Node, answer: Result<Answer, Failure>) -> Result<Response, Failure> {
    let (result, response) = match answer {
        Ok(Answer::Allowed(response)) => ("passed", Ok(response)),
        Ok(Answer::Preflight) => ("preflight", Ok(().into_response())),
        Err(failure) => (failure.code(), Err(failure)),
    };
    node.events.gate_answer(result);
    response
}

/// How a request may pass.
enum Admission {
    /// With a credential that meets the requirement.
    Credential(Requirement),
    /// As a CORS preflight, without a credential and without an identity.
    Preflight,
}

/// The answer for a request that may pass.
enum Answer {
    /// The response says whose request it is.
    Allowed(Response),
    /// The request is a CORS preflight, which is nobody's.
    Preflight,
}

/// Middleware for both routes: repeats a refusal's code in a header, for gateways that can't read bodies.
pub(super) async fn add_error_header(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(code) = response.extensions().get().map(Failure::code) {
        response.headers_mut().insert(X_CLAVIGER_ERROR, HeaderValue::from_static(code));
    }
    response
}

/// Splits a path into the gateway's options and the target with its leading slash, both still encoded. Options are
/// required: without them, the first segment of the target would be taken for options.
fn split_envoy_path(path: &str) -> Option<(&str, &str)> {
    let below = path.strip_prefix("/v1/gate/envoy/")?;
    below.find('/').filter(|slash| *slash > 0).map(|slash| below.split_at(slash))
}

async fn answer(
    node: &Arc<Node>,
    address: CallerAddress,
    parts: &Parts,
    options: &Query,
    admission: Admission,
    line: Result<RequestLine<'_>, ProofRefused>,
) -> Result<Answer, Failure> {
    let Admission::Credential(requirement) = admission else { return Ok(Answer::Preflight) };
    let request_id = RequestId::of(parts);
    let request = GateRequest {
        credential: credential(&parts.headers, line)?,
        origin: Origin { address, request_id: request_id.as_str() },
        audience: options.text("audience"),
        requirement,
        wants_token: wants_token(options)?,
    };
    let allowed = check(&node.authenticator, &node.signer, request, node.clock.now()).await?;
    Ok(Answer::Allowed(response(&allowed)?))
}

/// How a request may pass that the gateway describes in the query, or else in headers.
fn described_admission(
    query: &Query,
    headers: &HeaderMap,
    mapping: &GateMapping,
) -> Result<Admission, ApiError> {
    match (query.text("check"), query.parsed::<Verb>("action")?, query.text("resource")) {
        (Some("credential"), None, None) => Ok(Admission::Credential(Requirement::ValidCredential)),
        (Some("credential"), ..) => Err(InvalidRequest::CheckWithAction.into()),
        (Some(_), ..) => Err(InvalidRequest::Check.into()),
        (None, Some(verb), Some(resource)) => {
            let resource = resource.parse().map_err(|_| no_resource())?;
            Ok(Admission::Credential(Requirement::Permission(verb, resource)))
        }
        (None, None, None) => {
            let [method, target] = original_request(headers)?;
            mapped_admission(mapping, method, target, headers)
        }
        (None, ..) => Err(InvalidRequest::ActionWithoutResource.into()),
    }
}

/// How a request with this method and this target may pass, by the mapping to actions and resources.
fn mapped_admission(
    mapping: &GateMapping,
    method: &str,
    target: &str,
    headers: &HeaderMap,
) -> Result<Admission, ApiError> {
    if mapping.lets_preflights_through() && is_preflight(method, headers) {
        // A path that maps to no resource never passes.
        return mapping.resource(target).map(|_| Admission::Preflight).ok_or_else(no_resource);
    }
    let verb = mapping.verb(method).ok_or(Forbidden::NoAction)?;
    let resource = mapping.resource(target).ok_or_else(no_resource)?;
    Ok(Admission::Credential(Requirement::Permission(verb, resource)))
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
fn original_request(headers: &HeaderMap) -> Result<[&str; 2], ApiError> {
    let is_there = |pair: &&[&str; 2]| pair.iter().any(|name| headers.contains_key(*name));
    let mut there = ORIGINALS.iter().filter(is_there);
    match (there.next(), there.next()) {
        (Some([method, target]), None) => {
            Ok([single_value(headers, method)?, single_value(headers, target)?])
        }
        (Some(_), Some(_)) => Err(InvalidRequest::BothOriginals.into()),
        (None, _) => Err(InvalidRequest::NoGateRequirement.into()),
    }
}

/// The value of a header that must occur once. With two values, another reader might take the other one.
fn single_value<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, ApiError> {
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

/// Says in headers whose request it is.
fn response(allowed: &Allowed) -> Result<Response, ApiError> {
    let key = &allowed.key.key;
    let mut response = ().into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-claviger-sub", allowed.key.client_id.clone()),
        ("x-claviger-org", key.organization.to_string()),
        ("x-claviger-project", key.project.to_string()),
        ("x-claviger-env", key.environment.to_string()),
        ("x-claviger-scope", allowed.scopes.to_string()),
    ] {
        headers
            .insert(HeaderName::from_static(name), HeaderValue::try_from(value).map_err(ApiError::internal)?);
    }
    if let Some(token) = &allowed.token {
        let scheme = if allowed.is_bound { "DPoP" } else { "Bearer" };
        let mut value = HeaderValue::try_from(format!("{scheme} {token}")).map_err(ApiError::internal)?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(response)
}
