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
use crate::domain::credential::{Credential, CredentialFault};
use crate::node::{Node, PresentedFor, PresentedProof, PresentedToken, ProofRefused, Site};
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
        let line =
            RequestLine { method: parts.method.as_str(), target: parts.uri.path(), site: Site::Issuer };
        let credential = credential(&parts.headers, Ok(line))?;
        let request_id = RequestId::of(parts);
        let origin = Origin { address, request_id: request_id.as_str() };
        let now = node.clock.now();
        let caller = identify(&node.authenticator, credential, PresentedFor::Acting, origin, now)
            .await
            .map_err(ApiError::from)?;
        if let Some(known) = parts.extensions.get::<KnownCaller>() {
            known.admit(node, &caller)?;
        }
        Ok(Self(caller))
    }
}

/// The request that a proof of possession has to be made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestLine<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) site: Site,
}

/// The only credential in these headers, which came with the request `line`. If nobody says what that was, no proof is
/// accepted.
pub(crate) fn credential<'a>(
    headers: &'a HeaderMap,
    line: Result<RequestLine<'a>, ProofRefused>,
) -> Result<PresentedCredential<'a>, ApiError> {
    presented(Credential::of(headers).map_err(unreadable)?, line)
}

/// A credential that came with the request `line`.
pub(crate) fn presented<'a>(
    shown: Credential<'a>,
    line: Result<RequestLine<'a>, ProofRefused>,
) -> Result<PresentedCredential<'a>, ApiError> {
    Ok(match shown {
        Credential::ApiKey(key) => PresentedCredential::ApiKey(key),
        Credential::Token(token) => PresentedCredential::Token(PresentedToken::Bearer(token)),
        Credential::BoundToken { token, proof } => {
            let RequestLine { method, target, site } = line?;
            let proof = PresentedProof { text: proof, method, target, site };
            PresentedCredential::Token(PresentedToken::Proven(token, proof))
        }
    })
}

/// The error of a request whose headers have no credential.
pub(crate) fn unreadable(fault: CredentialFault) -> ApiError {
    match fault {
        CredentialFault::Missing => ApiError::Unauthenticated { presented: false },
        CredentialFault::Unreadable => ApiError::Unauthenticated { presented: true },
        CredentialFault::Both | CredentialFault::Twice(_) => InvalidRequest::Credential(fault).into(),
        CredentialFault::NoProof | CredentialFault::ProofTwice | CredentialFault::UnreadableProof => {
            ProofRefused::Header(fault).into()
        }
    }
}
