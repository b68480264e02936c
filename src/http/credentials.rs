//! The credential at the management API, and the address that it comes from.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::denials::KnownCaller;
use super::failure::Failure;
use super::request_id::RequestId;
use crate::access::{Caller, Credential, identify};
use crate::address::{CallerAddress, Origin};
use crate::api_key::looks_like_key;
use crate::management::ApiError;
use crate::node::Node;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct CameFrom(pub(super) CallerAddress);

/// A caller of the management API.
#[derive(Debug)]
pub(super) struct Guarded(pub(super) Caller);

impl FromRequestParts<Arc<Node>> for CameFrom {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Failure> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.ok_or_else(|| ApiError::internal("a request without its peer's address"))?.0.ip();
        let policy = &node.deployment.addresses;
        let lines = parts.headers.get_all(policy.header.name()).iter().map(HeaderValue::as_bytes);
        Ok(Self(policy.caller(peer, lines)))
    }
}

impl FromRequestParts<Arc<Node>> for Guarded {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Failure> {
        let CameFrom(address) = CameFrom::from_request_parts(parts, node).await?;
        let credential = credential(&parts.headers)?;
        let request_id = RequestId::of(parts);
        let origin = Origin { address, request_id: request_id.as_str() };
        let caller = identify(node, credential, origin, node.clock.now()).await.map_err(ApiError::from)?;
        if let Some(known) = parts.extensions.get::<KnownCaller>() {
            known.set(node, &caller);
        }
        Ok(Self(caller))
    }
}

/// `Authorization: Bearer` or `X-Api-Key`, and exactly one of them.
pub(super) fn credential(headers: &HeaderMap) -> Result<Credential<'_>, ApiError> {
    let authorization = single(headers, header::AUTHORIZATION)?;
    let api_key = single(headers, X_API_KEY)?;
    match (authorization, api_key) {
        (Some(_), Some(_)) => Err(ApiError::InvalidRequest("both Authorization and X-Api-Key".into())),
        (None, None) => Err(ApiError::Unauthenticated { presented: false }),
        (None, Some(key)) => Ok(Credential::ApiKey(key)),
        (Some(value), None) => bearer(value).ok_or(ApiError::Unauthenticated { presented: true }),
    }
}

/// RFC 6750 §2.1: an API key or a token, which no key is.
pub(super) fn bearer(authorization: &str) -> Option<Credential<'_>> {
    let (scheme, credential) = authorization.split_once(' ')?;
    let credential = credential.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || credential.is_empty() {
        return None;
    }
    Some(if looks_like_key(credential) || !credential.contains('.') {
        Credential::ApiKey(credential)
    } else {
        Credential::Token(credential)
    })
}

fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, ApiError> {
    let mut values = headers.get_all(&name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(ApiError::InvalidRequest(format!("two {name} headers")));
    }
    // What is not text is no credential of ours; said like any other wrong one.
    value.to_str().map(Some).map_err(|_| ApiError::Unauthenticated { presented: true })
}
