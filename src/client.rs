//! An HTTP client for one Claviger server. The command line uses it, and so does the verifier.
//!
//! The client trusts little. Each exchange has a time limit and a size limit. A redirect is an answer like any other
//! and is not followed, because following it would carry the credential to a place that nobody named. A credential goes
//! over plain http to this machine only, unless that is explicitly allowed. TLS is rustls on ring, whatever else the
//! host program has installed as the process's default. The client reads nothing from the environment, so the caller
//! names any proxy.

mod answer;
mod base_url;
mod connect;
mod credential;
mod error;
#[cfg(feature = "server")]
mod fetch;
#[cfg(feature = "server")]
mod probe;
mod proxy;
mod request;
mod session;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::StatusCode;
use hyper::client::conn::http1::SendRequest;
use rustls::ClientConfig;
use tokio::time::timeout;

pub use answer::{Answer, StreamedAnswer};
pub use base_url::{BaseUrl, BaseUrlError};
pub use credential::{BearerCredential, CredentialError};
pub use error::ClientError;
#[cfg(feature = "server")]
pub use fetch::{FetchFault, FetchSettings, Fetcher, ProxyUrlError};
#[cfg(feature = "server")]
pub(crate) use probe::{presented_certificate, probe};
pub use proxy::Proxy;
pub use request::Request;
pub use session::Session;
pub use trust::{Trust, TrustError};

/// The time and size limits of a client.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// For the connection, including TLS.
    pub connect: Duration,
    /// For a whole exchange. For a streamed answer, this limits the head and then each piece.
    pub answer: Duration,
    /// The most bytes of an answer's body. It does not apply to streamed answers.
    pub body: usize,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(30), body: 64 << 20 }
    }
}

/// The connections over which a credential may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TLS, or plain http to loopback, which never leaves this machine.
    Private,
    /// Plain http to anywhere. Everybody on the way can read the credential.
    Any,
}

/// A client of one server, with or without a credential. Each exchange has a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    base: BaseUrl,
    tls: Option<Arc<ClientConfig>>,
    proxy: Option<Proxy>,
    limits: RequestLimits,
    credential: Option<BearerCredential>,
}

impl Client {
    /// A client without a credential.
    ///
    /// # Errors
    /// [`TrustError`] when the URL is https and no certificate authority can be loaded.
    pub fn new(base: BaseUrl, trust: &Trust, limits: RequestLimits) -> Result<Self, TrustError> {
        let tls = base.is_https().then(|| trust.config()).transpose()?;
        Ok(Self { base, tls, proxy: None, limits, credential: None })
    }

    /// The same client, which sends `credential` with every request.
    ///
    /// # Errors
    /// [`ClientError::Exposed`] when others could read the credential on the way.
    pub fn with_credential(self, credential: BearerCredential, over: Transport) -> Result<Self, ClientError> {
        Ok(Self { credential: Some(credential), ..self.for_secrets(over)? })
    }

    /// The same client, if it may send secrets to its server.
    ///
    /// # Errors
    /// [`ClientError::Exposed`] when everybody on the way could read them.
    pub fn for_secrets(self, over: Transport) -> Result<Self, ClientError> {
        if over == Transport::Private && !self.base.is_private() {
            return Err(ClientError::Exposed(self.base));
        }
        Ok(self)
    }

    /// The same client, which connects through `proxy`.
    #[must_use]
    pub fn with_proxy(self, proxy: Proxy) -> Self {
        Self { proxy: Some(proxy), ..self }
    }

    /// The same client with other limits.
    #[must_use]
    pub fn with_limits(self, limits: RequestLimits) -> Self {
        Self { limits, ..self }
    }

    /// The base URL of the server.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// The credential that the client sends with every request.
    pub fn credential(&self) -> Option<&BearerCredential> {
        self.credential.as_ref()
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`ClientError`] when there is no complete answer.
    pub async fn send(&self, request: Request) -> Result<Answer, ClientError> {
        let exchange = async { self.exchange(request).await?.read(&self.base, self.limits.body).await };
        timeout(self.limits.answer, exchange).await.map_err(|_| self.too_slow())?
    }

    /// Sends a request, and leaves the answer's body to be read piece by piece.
    ///
    /// # Errors
    /// [`ClientError`] when there is no answer.
    pub async fn stream(&self, request: Request) -> Result<StreamedAnswer, ClientError> {
        timeout(self.limits.answer, self.exchange(request)).await.map_err(|_| self.too_slow())?
    }

    async fn exchange(&self, request: Request) -> Result<StreamedAnswer, ClientError> {
        let mut sender = self.connect().await?;
        let response =
            sender.send_request(self.addressed(request)).await.map_err(|error| self.broken(error))?;
        if let Some(proxy) = &self.proxy
            && response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        {
            return Err(proxy.refused(response.status()));
        }
        Ok(StreamedAnswer::new(response, self.base.clone(), self.limits.answer))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        connect::connect(&self.base, self.tls.as_ref(), self.proxy.as_ref(), self.limits.connect).await
    }

    /// The request in its form for the connection.
    fn addressed(&self, request: Request) -> hyper::Request<Full<Bytes>> {
        let mut request = request.into_http(&self.base, self.credential.as_ref());
        if let Some(proxy) = self.proxy.as_ref().filter(|_| !self.base.is_https()) {
            proxy.address(&mut request, &self.base);
        }
        request
    }

    fn too_slow(&self) -> ClientError {
        ClientError::Slow { server: self.base.clone(), limit: self.limits.answer }
    }

    fn broken(&self, source: hyper::Error) -> ClientError {
        ClientError::Broken { server: self.base.clone(), source: source.into() }
    }
}
