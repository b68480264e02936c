//! The OAuth endpoints.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use super::body;
use super::client_auth::{ClientCredentials, authorization, has_assertion, sole_assertion};
use super::credentials::{ClientAddress, RequestLine, presented, unreadable};
use super::failure::Failure;
use super::form::Form;
use super::proofs;
use super::request_id::RequestId;
use crate::domain::address::{CallerAddress, Origin};
use crate::domain::credential::{Credential, CredentialFault};
use crate::metrics::GrantLabel;
use crate::node::{Node, PresentedFor, Site};
use crate::use_cases::access::{self, Caller, identify};
use crate::use_cases::management::ApiError;
use crate::use_cases::token::{
    self, ACCESS_TOKEN, ExchangeRequest, GrantRequest, InvalidRequest, Issued, JWT_BEARER_GRANT, OAuthError,
    RevokeRequest, TOKEN_EXCHANGE,
};

const MAX_BODY: usize = 16 * 1024;

const CLIENT_CREDENTIALS: &str = "client_credentials";

/// A form request to an OAuth endpoint, not yet decoded.
pub(super) struct OAuthRequest {
    headers: HeaderMap,
    address: CallerAddress,
    body: Bytes,
    request_id: RequestId,
}

impl FromRequest<Arc<Node>> for OAuthRequest {
    type Rejection = Failure;

    async fn from_request(request: Request, node: &Arc<Node>) -> Result<Self, Failure> {
        use axum::extract::FromRequestParts as _;
        let (mut parts, body) = request.into_parts();
        let ClientAddress(address) = ClientAddress::from_request_parts(&mut parts, node).await?;
        // RFC 6749 §2.3.1: never in the URI, which proxies and servers log.
        if parts.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(InvalidRequest::ParametersInUrl.into());
        }
        let request_id = RequestId::of(&parts);
        let body = read_form(&parts.headers, body).await?;
        Ok(Self { headers: parts.headers, address, body, request_id })
    }
}

impl OAuthRequest {
    fn origin(&self) -> Origin<'_> {
        Origin { address: self.address, request_id: self.request_id.as_str() }
    }
}

async fn read_form(headers: &HeaderMap, body: Body) -> Result<Bytes, OAuthError> {
    if !body::is_of_type(headers, "application/x-www-form-urlencoded") {
        return Err(InvalidRequest::NotAForm.into());
    }
    Ok(body::read(headers, body, MAX_BODY).await?)
}

#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    /// RFC 8693 §2.2.1. Present only in responses to a token exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    token_type: &'static str,
    expires_in: i64,
    scope: &'a str,
}

/// `POST /oauth/token`.
pub(super) async fn token(
    State(node): State<Arc<Node>>,
    posted: Result<OAuthRequest, Failure>,
) -> Result<Response, Failure> {
    let mut named = GrantLabel::default();
    let answer = match posted {
        Ok(posted) => grant(&node, &posted, &mut named).await,
        Err(failure) => Err(failure),
    };
    node.events.token_request(named, answer.as_ref().map_or_else(Failure::code, |_| "issued"));
    answer
}

/// Runs the grant that the form names, and notes which one that is.
async fn grant(node: &Arc<Node>, posted: &OAuthRequest, named: &mut GrantLabel) -> Result<Response, Failure> {
    let form = Form::parse(&posted.body)?;
    *named = match form.get("grant_type") {
        Some(CLIENT_CREDENTIALS) => GrantLabel::ClientCredentials,
        Some(JWT_BEARER_GRANT) => GrantLabel::JwtBearer,
        Some(TOKEN_EXCHANGE) => GrantLabel::TokenExchange,
        _ => GrantLabel::Other,
    };
    let (origin, authenticator) = (posted.origin(), &node.authenticator);
    let (signer, now) = (&node.signer, node.clock.now());
    let grant = |proof| GrantRequest { proof, scope: form.get("scope"), audiences: audiences(&form) };
    if form.get("grant_type") == Some(JWT_BEARER_GRANT) {
        let presented = sole_assertion(&posted.headers, &form)?;
        let grant = grant(proofs::at_token_endpoint(&posted.headers).map_err(OAuthError::from)?);
        let issued = token::jwt_bearer(authenticator, signer, presented, origin, &grant, now).await?;
        return Ok(no_store(&answer(&issued, None)));
    }
    let credentials = ClientCredentials::of(&posted.headers, &form)?;
    let client = credentials.presented();
    let grant = grant(proofs::at_token_endpoint(&posted.headers).map_err(OAuthError::from)?);
    let answer = match form.require("grant_type")? {
        CLIENT_CREDENTIALS => no_store(&answer(
            &token::client_credentials(authenticator, signer, client, origin, &grant, now).await?,
            None,
        )),
        TOKEN_EXCHANGE => {
            let issued =
                token::token_exchange(authenticator, signer, client, origin, &exchange(&form, grant)?, now)
                    .await?;
            no_store(&answer(&issued, Some(ACCESS_TOKEN)))
        }
        _ => return Err(OAuthError::UnsupportedGrantType.into()),
    };
    Ok(answer)
}

/// RFC 8693 §2.1.
fn exchange<'f>(form: &'f Form<'_>, grant: GrantRequest<'f>) -> Result<ExchangeRequest<'f>, InvalidRequest> {
    Ok(ExchangeRequest {
        subject_token: form.require("subject_token")?,
        subject_token_type: form.require("subject_token_type")?,
        subject_address: form.get("subject_address"),
        has_actor: form.get("actor_token").or_else(|| form.get("actor_token_type")).is_some(),
        requested_token_type: form.get("requested_token_type"),
        grant,
    })
}

fn answer<'a>(issued: &'a Issued, issued_token_type: Option<&'static str>) -> TokenAnswer<'a> {
    TokenAnswer {
        access_token: &issued.access_token,
        issued_token_type,
        token_type: if issued.is_bound { "DPoP" } else { "Bearer" },
        expires_in: issued.expires_in,
        scope: &issued.scope,
    }
}

/// `POST /oauth/introspect`.
pub(super) async fn introspect(
    State(node): State<Arc<Node>>,
    posted: OAuthRequest,
) -> Result<Response, Failure> {
    let form = Form::parse(&posted.body)?;
    let caller = caller(&node, &posted, ("/oauth/introspect", PresentedFor::Acting), &form).await?;
    let introspection =
        token::introspect(&node.authenticator, &caller, form.require("token")?, node.clock.now()).await?;
    Ok(no_store(&introspection))
}

/// `POST /oauth/revoke`.
pub(super) async fn revoke(State(node): State<Arc<Node>>, posted: OAuthRequest) -> Result<Response, Failure> {
    let form = Form::parse(&posted.body)?;
    let caller = caller(&node, &posted, ("/oauth/revoke", PresentedFor::Revocation), &form).await?;
    let token = form.require("token")?.to_owned();
    token::revoke(&node.authenticator, &node.records, RevokeRequest { caller, token }).await?;
    // RFC 7009 §2.2: clients ignore the body. It is JSON because some clients insist on JSON.
    Ok(no_store(&serde_json::json!({})))
}

/// The caller of the endpoint with this path, and what it takes credentials for. It accepts both client authentication and
/// an access token (RFC 7662 §2.1).
async fn caller(
    node: &Arc<Node>,
    posted: &OAuthRequest,
    (path, presented_for): (&str, PresentedFor),
    form: &Form<'_>,
) -> Result<Caller, Failure> {
    let now = node.clock.now();
    let authorization = authorization(&posted.headers)?.and_then(|value| value.to_str().ok());
    let shown = authorization.map(|value| Credential::authorized(value, &posted.headers));
    // Another scheme is client authentication.
    if let Some(shown) = shown.filter(|shown| *shown != Err(CredentialFault::Unreadable)) {
        if form.get("client_secret").is_some() {
            return Err(InvalidRequest::SecretBesideBearer.into());
        }
        if has_assertion(form) {
            return Err(InvalidRequest::AssertionBesideOther.into());
        }
        let line = RequestLine { method: "POST", target: path, site: Site::Issuer };
        let shown = shown.map_err(unreadable).and_then(|shown| presented(shown, Ok(line)));
        let shown = shown.map_err(Failure::Bearer)?;
        let caller = identify(&node.authenticator, shown, presented_for, posted.origin(), now).await;
        return caller.map_err(|fault| Failure::Bearer(ApiError::from(fault)));
    }
    let credentials = ClientCredentials::of(&posted.headers, form)?;
    let caller = identify(
        &node.authenticator,
        access::PresentedCredential::Client(credentials.presented()),
        presented_for,
        posted.origin(),
        now,
    )
    .await;
    Ok(caller.map_err(OAuthError::from)?)
}

/// The values of `resource` (RFC 8707), then those of its alias `audience`.
fn audiences<'f>(form: &'f Form<'_>) -> Vec<&'f str> {
    form.all("resource").chain(form.all("audience")).collect()
}

/// 200 with JSON that must not be stored (RFC 6749 §5.1).
fn no_store(answer: &impl Serialize) -> Response {
    let mut response = axum::Json(answer).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
