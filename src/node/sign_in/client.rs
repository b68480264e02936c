//! The requests of OAuth 2.0 (RFC 6749 §4.1), made by the crate `oauth2` and sent by our own rules.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Attempt, ClientCredential, ProviderSettings, SignInFault};
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::client::{FetchFault, Fetcher};
use crate::domain::web_url::WebUrl;
use crate::jose::foreign::ProviderMetadata;
use crate::jose::jwk::SigningKey;
use crate::jose::jws::sign_compact;
use crate::node::master_keys::hex;

/// How long an assertion of this server is valid, in seconds.
const ASSERTION_SECONDS: i64 = 60;

type Response = StandardTokenResponse<IdTokenField, BasicTokenType>;

type Client = oauth2::Client<
    BasicErrorResponse,
    Response,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What OpenID Connect adds to the answer of a token endpoint (OpenID Connect Core 1.0 §3.1.3.3).
#[derive(Deserialize, Serialize)]
struct IdTokenField {
    id_token: Option<String>,
}

impl std::fmt::Debug for IdTokenField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdTokenField([redacted])")
    }
}

impl ExtraTokenFields for IdTokenField {}

fn client(
    settings: &ProviderSettings,
    metadata: &ProviderMetadata,
    redirect_uri: &str,
) -> Result<Client, SignInFault> {
    let made = oauth2::Client::new(ClientId::new(settings.client_id.clone()))
        .set_auth_uri(url(AuthUrl::new, metadata.authorization_endpoint.as_str())?)
        .set_token_uri(url(TokenUrl::new, metadata.token_endpoint.as_str())?)
        .set_redirect_uri(url(RedirectUrl::new, redirect_uri)?);
    Ok(match &settings.credential {
        ClientCredential::Secret(secret) => {
            let form = metadata.takes_secret_in_form;
            let place = if form { AuthType::RequestBody } else { AuthType::BasicAuth };
            made.set_client_secret(ClientSecret::new(secret.to_string())).set_auth_type(place)
        }
        ClientCredential::Key(_) => made.set_auth_type(AuthType::RequestBody),
    })
}

fn url<T, E>(parse: impl Fn(String) -> Result<T, E>, text: &str) -> Result<T, SignInFault> {
    parse(text.to_owned()).map_err(|_| SignInFault::Request)
}

/// The address at the provider to which an attempt leads.
pub(super) fn authorization_url(
    settings: &ProviderSettings,
    metadata: &ProviderMetadata,
    redirect_uri: &str,
    attempt: &Attempt,
) -> Result<String, SignInFault> {
    let client = client(settings, metadata, redirect_uri)?;
    let verifier = PkceCodeVerifier::new(attempt.verifier.clone());
    let state = attempt.state.clone();
    let mut request = client
        .authorize_url(|| CsrfToken::new(state))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .add_scopes(settings.scopes.iter().cloned().map(Scope::new))
        .add_extra_param("nonce", &attempt.nonce);
    if attempt.again.is_some() {
        // OpenID Connect Core 1.0 §3.1.2.1: with `max_age`, the ID token says when the person last signed in. Google says so
        // only if it is asked for the claim (§5.5).
        request = request.add_extra_param("prompt", "login").add_extra_param("max_age", "0");
        request = request.add_extra_param("claims", r#"{"id_token":{"auth_time":{"essential":true}}}"#);
    }
    Ok(request.url().0.into())
}

/// Exchanges a code for an ID token, which is not verified yet.
pub(super) async fn exchange(
    fetcher: &Arc<Fetcher>,
    (settings, metadata): (&ProviderSettings, &ProviderMetadata),
    redirect_uri: &str,
    (code, attempt): (&str, &Attempt),
    (entropy, now): (&Entropy, Timestamp),
) -> Result<Zeroizing<String>, SignInFault> {
    let client = client(settings, metadata, redirect_uri)?;
    let mut request = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()));
    if let ClientCredential::Key(key) = &settings.credential {
        let assertion = assertion(key, settings, metadata, (entropy, now))?;
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        request = request.add_extra_param("client_assertion_type", kind);
        request = request.add_extra_param("client_assertion", assertion);
    }
    let sender = Sender { fetcher: Arc::clone(fetcher), endpoint: metadata.token_endpoint.clone() };
    let answer = request.request_async(&sender).await.map_err(fault)?;
    answer.extra_fields().id_token.clone().map(Zeroizing::new).ok_or(SignInFault::NoIdToken)
}

/// Sends requests to a token endpoint.
struct Sender {
    fetcher: Arc<Fetcher>,
    endpoint: WebUrl,
}

impl<'c> AsyncHttpClient<'c> for Sender {
    type Error = FetchFault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchFault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Sender {
    /// The request is for the token endpoint, whose URL was parsed strictly.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, FetchFault> {
        let (head, body) = request.into_parts();
        let (status, body) = self.fetcher.post(&self.endpoint, head.headers, Bytes::from(body)).await?;
        // These say nothing about the code.
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(FetchFault::Status(status.as_u16()));
        }
        let mut response = HttpResponse::new(body.to_vec());
        *response.status_mut() = status;
        Ok(response)
    }
}

/// A signed statement of this server that it is the client (RFC 7523 §2.2, OpenID Connect Core 1.0 §9).
fn assertion(
    key: &SigningKey,
    settings: &ProviderSettings,
    metadata: &ProviderMetadata,
    (entropy, now): (&Entropy, Timestamp),
) -> Result<String, SignInFault> {
    let id = entropy.bytes::<16>().map_err(|_| SignInFault::Request)?;
    let claims = json!({
        "iss": settings.client_id,
        "sub": settings.client_id,
        "aud": metadata.token_endpoint.as_str(),
        "jti": hex(&id),
        "iat": now.unix(),
        "exp": now.plus(ASSERTION_SECONDS).unix(),
    });
    sign_compact(key, "JWT", claims.to_string().as_bytes()).map_err(|_| SignInFault::Request)
}

fn fault(error: RequestTokenError<FetchFault, BasicErrorResponse>) -> SignInFault {
    match error {
        RequestTokenError::Request(fault) => SignInFault::TokenEndpoint(fault),
        RequestTokenError::ServerResponse(response) => match response.error() {
            BasicErrorResponseType::InvalidClient => SignInFault::Client("invalid_client"),
            BasicErrorResponseType::UnauthorizedClient => SignInFault::Client("unauthorized_client"),
            BasicErrorResponseType::InvalidGrant => SignInFault::Code("invalid_grant"),
            BasicErrorResponseType::InvalidRequest => SignInFault::Code("invalid_request"),
            _ => SignInFault::Code("another error"),
        },
        // The other one is an answer without a body.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => SignInFault::NoIdToken,
    }
}
