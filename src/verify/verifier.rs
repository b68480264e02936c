//! The verifier.

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response};

use super::access::Access;
use super::api_keys::GateClient;
use super::background::Background;
use super::metrics::Metrics;
use super::proofs::{Proven, RequestLine};
use super::refusal::Refusal;
use super::resource_metadata::ResourceMetadata;
use super::settings::Settings;
use super::shared::Shared;
use crate::base::clock::timer_now;
use crate::client::{BaseUrl, Client};
use crate::domain::address::CallerAddress;
use crate::domain::credential::{Credential, CredentialFault};
use crate::domain::trace_context::TraceContext;
use crate::jose::claims::Presentation;

/// Verifies the tokens of one issuer for one resource server. Clones share their state. The background tasks end when
/// the last clone is dropped.
///
/// ```
/// use claviger::verify::{CallerAddress, Refusal, Verifier};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::builder("http://127.0.0.1:8080", "https://api.example.com")
///     .any_organization()
///     .environments(["prd"])
///     .build()?;
/// let verdict = verifier.verify("not a token", CallerAddress::Unknown).await;
/// assert!(matches!(verdict, Err(Refusal::Token(_))));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    shared: Arc<Shared>,
    api_keys: Option<Arc<GateClient>>,
    _background: Arc<Background>,
}

impl Verifier {
    pub(super) fn begin(settings: Settings, server: BaseUrl, client: Client) -> Self {
        let gate = |api_keys| Arc::new(GateClient::new(api_keys, &server, &settings.audience));
        let api_keys = settings.api_keys.map(gate);
        let shared = Arc::new(Shared::new(settings, server, client));
        let background = Arc::new(Background::begin(&shared));
        Self { shared, api_keys, _background: background }
    }

    /// Waits until the issuer's keys and revocations were read for the first time. Until then, every valid credential
    /// is refused with [`super::Unavailable::NotReady`].
    pub async fn ready(&self) {
        let mut is_ready = self.shared.is_ready.subscribe();
        // This can't fail, because `self` holds the sender.
        let _ = is_ready.wait_for(|is_ready| *is_ready).await;
    }

    /// Whether the issuer's keys and revocations have been read.
    pub fn is_ready(&self) -> bool {
        *self.shared.is_ready.borrow()
    }

    /// Verifies an access token that a caller sends as `Bearer` from this address. If the address is unknown, a token that is bound
    /// to address ranges is refused.
    ///
    /// For an unknown key, this asks the issuer, at most once in 30 seconds. It waits for nothing else.
    ///
    /// # Errors
    /// [`Refusal`]. If a token breaks several rules, it names the first.
    pub async fn verify(&self, token: &str, caller: CallerAddress) -> Result<Access, Refusal> {
        let verdict = self.verify_bearer(token, caller).await;
        self.shared.metrics.decided(verdict.is_ok());
        verdict
    }

    /// Verifies a credential of any kind that came with this request. API keys are accepted only after
    /// [`super::Builder::api_keys`], and tokens that are bound to a key only after [`super::Builder::public_url`].
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn authenticate(
        &self,
        credential: Credential<'_>,
        request: RequestLine<'_>,
        caller: CallerAddress,
    ) -> Result<Access, Refusal> {
        self.decide(credential, request, caller, None).await
    }

    /// Verifies the credential of a request. `peer` is the address at the other end of the connection. It is
    /// the caller's, unless it belongs to a trusted proxy.
    ///
    /// If the request belongs to a trace (`traceparent`, W3C Trace Context), then so does what the issuer is asked about
    /// its API key. The requests for the issuer's keys and feed belong to no caller, and to no trace.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn authenticate_request(
        &self,
        request: &Parts,
        peer: Option<IpAddr>,
    ) -> Result<Access, Refusal> {
        let headers = &request.headers;
        let line = RequestLine { method: request.method.as_str(), target: request.uri.path() };
        match Credential::of(headers) {
            Ok(credential) => {
                self.decide(credential, line, self.caller(headers, peer), TraceContext::of(headers)).await
            }
            Err(fault) => {
                self.shared.metrics.decided(false);
                // Where no proof is of any use, nobody is asked for one.
                match self.shared.settings.proofs {
                    None if fault.is_about_proof() => Err(Refusal::NoBoundTokens),
                    _ => Err(fault.into()),
                }
            }
        }
    }

    /// The response to a refused request, with the challenge of RFC 6750 §3.
    pub fn refuse<B: From<String>>(&self, refusal: &Refusal) -> Response<B> {
        self.shared.settings.challenge.refused(refusal)
    }

    /// The metadata that this resource server should publish (RFC 9728), if its audience is a URL.
    pub fn resource_metadata(&self) -> Option<&ResourceMetadata> {
        self.shared.settings.resource_metadata.as_ref()
    }

    /// The counters and the state at present.
    pub fn metrics(&self) -> Metrics {
        let now = timer_now();
        self.shared.metrics.read(self.shared.age(now), self.shared.is_stale(now))
    }

    async fn decide(
        &self,
        credential: Credential<'_>,
        request: RequestLine<'_>,
        caller: CallerAddress,
        trace: Option<TraceContext>,
    ) -> Result<Access, Refusal> {
        let verdict = match (credential, &self.api_keys) {
            (Credential::Token(token), _) => self.verify_bearer(token, caller).await,
            (Credential::BoundToken { token, proof }, _) => {
                self.shared.verify_proven(Proven { token, proof, request }, caller).await
            }
            (Credential::ApiKey(key), Some(gate)) => gate.access(&self.shared, key, caller, trace).await,
            (Credential::ApiKey(_), None) if self.shared.settings.bound_tokens_only => {
                Err(Refusal::OnlyBoundTokens)
            }
            (Credential::ApiKey(_), None) => Err(Refusal::NoApiKeys),
        };
        self.shared.metrics.decided(verdict.is_ok());
        verdict
    }

    async fn verify_bearer(&self, token: &str, caller: CallerAddress) -> Result<Access, Refusal> {
        match self.shared.settings.bound_tokens_only {
            true => Err(Refusal::OnlyBoundTokens),
            false => self.shared.verify(token, Presentation::Bearer, caller).await,
        }
    }

    fn caller(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> CallerAddress {
        let policy = &self.shared.settings.addresses;
        let lines = headers.get_all(policy.header.name()).iter().map(HeaderValue::as_bytes);
        peer.map_or(CallerAddress::Unknown, |peer| policy.caller(peer, lines))
    }
}

impl From<CredentialFault> for Refusal {
    fn from(fault: CredentialFault) -> Self {
        match fault {
            CredentialFault::Missing => Self::NoCredential,
            fault => Self::Credential(fault),
        }
    }
}
