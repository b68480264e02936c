//! The credential of a management request, and the address that the request comes from.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};

use super::denials::KnownCaller;
use super::failure::Failure;
use super::query::Query;
use super::request_id::RequestId;
use crate::domain::address::{AddressPolicy, CallerAddress, Origin};
use crate::domain::credential::{self, CredentialFault};
use crate::node::Node;
use crate::use_cases::access::{Caller, PresentedCredential, identify};
use crate::use_cases::management::{ApiError, InvalidRequest};

/// The address that a request comes from, by the deployment's policy for proxies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientAddress(pub(crate) CallerAddress);

/// An authenticated caller of the management API.
#[derive(Debug)]
pub(crate) struct AuthenticatedCaller(pub(crate) Caller);

/// The caller of a change whose only parameter is `dry_run`. The change may be a dry run.
pub(crate) struct WithDryRun(pub(crate) Caller);

impl FromRequestParts<Arc<Node>> for WithDryRun {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Failure> {
        let AuthenticatedCaller(caller) = AuthenticatedCaller::from_request_parts(parts, node).await?;
        let dry_run = Query::read(parts, &["dry_run"])?.flag("dry_run")?;
        Ok(Self(Caller { dry_run, ..caller }))
    }
}

impl FromRequestParts<Arc<Node>> for ClientAddress {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Failure> {
        Self::by(&node.deployment.addresses, parts)
    }
}

impl ClientAddress {
    /// The caller's address under this policy for proxies.
    pub(crate) fn by(policy: &AddressPolicy, parts: &Parts) -> Result<Self, Failure> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.ok_or_else(|| ApiError::internal("the request has no peer address"))?.0.ip();
        let lines = parts.headers.get_all(policy.header.name()).iter().map(HeaderValue::as_bytes);
        Ok(Self(policy.caller(peer, lines)))
    }
}

impl FromRequestParts<Arc<Node>> for AuthenticatedCaller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, node: &Arc<Node>) -> Result<Self, Failure> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, node).await?;
        let credential = credential(&parts.headers)?;
        let request_id = RequestId::of(parts);
        let origin = Origin { address, request_id: request_id.as_str() };
        let caller = identify(&node.authenticator, credential, origin, node.clock.now())
            .await
            .map_err(ApiError::from)?;
        if let Some(known) = parts.extensions.get::<KnownCaller>() {
            known.admit(node, &caller)?;
        }
        Ok(Self(caller))
    }
}

/// The only credential in these headers.
pub(crate) fn credential(headers: &HeaderMap) -> Result<PresentedCredential<'_>, ApiError> {
    let shown = credential::Credential::of(headers).map_err(|fault| match fault {
        CredentialFault::Missing => ApiError::Unauthenticated { presented: false },
        CredentialFault::Unreadable => ApiError::Unauthenticated { presented: true },
        CredentialFault::Both | CredentialFault::Twice(_) => InvalidRequest::Credential(fault).into(),
    })?;
    Ok(shown.into())
}

impl<'a> From<credential::Credential<'a>> for PresentedCredential<'a> {
    fn from(shown: credential::Credential<'a>) -> Self {
        match shown {
            credential::Credential::ApiKey(key) => Self::ApiKey(key),
            credential::Credential::Token(token) => Self::Token(token),
        }
    }
}
