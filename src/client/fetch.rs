//! Fetches documents whose URL an organization named.
//!
//! Whoever names a URL must not be able to turn the server against its own network. The name is resolved once, the
//! addresses are judged, and the connection goes to one of the admitted addresses: there is no second look-up that could
//! have another answer. A proxy is told the address, too. No redirect is followed. Time and size are limited.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::{ACCEPT, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::connect::{Channel, encrypt};
use super::{BaseUrlError, Proxy, Trust, TrustError};
use crate::base::lock::Mutex;
use crate::domain::issuer_networks::IssuerNetworks;
use crate::domain::web_url::WebUrl;

/// The most bytes of a document.
const SIZE_LIMIT: usize = 256 * 1024;

/// The most addresses of a name that are tried.
const MOST_ADDRESSES: usize = 4;

/// How documents are fetched.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// The networks beyond the public ones to which connections may go.
    pub networks: IssuerNetworks,
    /// Whether http URLs of this machine are fetched. Its addresses must be in `networks`, too.
    pub allows_http: bool,
    /// The proxy through which connections go.
    pub proxy: Option<Proxy>,
    /// Who may have issued the servers' certificates.
    pub trust: Trust,
    /// For everything together: the name, the connection, and the whole answer.
    pub time_limit: Duration,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            networks: IssuerNetworks::default(),
            allows_http: false,
            proxy: None,
            trust: Trust::System,
            time_limit: Duration::from_secs(3),
        }
    }
}

impl FetchSettings {
    /// The same, through the HTTP proxy at this URL. The server looks names up by itself, and tells the proxy addresses.
    ///
    /// # Errors
    /// When the text is no URL of a proxy, or the proxy is https and the system trusts no certificate authority.
    pub fn through_proxy(self, url: &str) -> Result<Self, ProxyUrlError> {
        let proxy = Proxy::new(url.parse()?, None)?;
        Ok(Self { proxy: Some(proxy), ..self })
    }
}

/// Why a proxy can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProxyUrlError {
    /// The text is no URL of a proxy.
    #[error("the URL {0}")]
    Url(#[from] BaseUrlError),
    /// No certificate authorities can be loaded.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// Fetches documents.
#[derive(Debug)]
pub struct Fetcher {
    settings: FetchSettings,
    /// Loaded when it is first needed: a server that fetches nothing needs no certificate authorities.
    tls: Mutex<Option<Arc<ClientConfig>>>,
}

/// Why a document can't be fetched. The text is fixed: it has nothing of what another server sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchFault {
    /// The URL is http.
    #[error("plain http is not allowed")]
    Http,
    /// The host has no address.
    #[error("the host has no address")]
    NoAddress,
    /// No address of the host is admitted.
    #[error("the host is at no public address, and its network is not among the allowed ones")]
    Network,
    /// Nobody accepts a connection.
    #[error("the connection failed")]
    Connect,
    /// The proxy can't be reached, or refuses.
    #[error("the proxy refused the connection or can't be reached")]
    Proxy,
    /// This machine trusts no certificate authority.
    #[error("this server has no certificate authorities to trust")]
    Authorities,
    /// The certificate is not trusted, or the server does not speak TLS.
    #[error("the TLS handshake failed, or the certificate is not trusted")]
    Tls,
    /// The answer is not complete in time.
    #[error("the answer was not complete in time")]
    Slow,
    /// The answer is a redirect.
    #[error("the answer is a redirect, which is not followed")]
    Redirect,
    /// The answer has another status than 200.
    #[error("the answer has the status {0}")]
    Status(u16),
    /// The document is longer than the limit.
    #[error("the document is longer than {SIZE_LIMIT} bytes")]
    TooLong,
    /// The answer is not HTTP, or is incomplete.
    #[error("the answer is not complete HTTP")]
    Broken,
}

impl Fetcher {
    /// Fetches with these settings.
    pub fn new(settings: FetchSettings) -> Self {
        Self { settings, tls: Mutex::default() }
    }

    /// Whether http URLs of this machine are fetched.
    pub fn allows_http(&self) -> bool {
        self.settings.allows_http
    }

    /// The time limit of a fetch.
    pub fn time_limit(&self) -> Duration {
        self.settings.time_limit
    }

    /// Fetches the document at `url`.
    ///
    /// # Errors
    /// [`FetchFault`].
    pub async fn fetch(&self, url: &WebUrl) -> Result<Bytes, FetchFault> {
        match self.bounded(url, request(url, Bytes::new())?).await? {
            (StatusCode::OK, body) => Ok(body),
            (status, _) => Err(FetchFault::Status(status.as_u16())),
        }
    }

    /// Posts `body` to `url`, under the same rules. Returns the status, which is no redirect, and the answer's body.
    ///
    /// # Errors
    /// [`FetchFault`].
    pub async fn post(
        &self,
        url: &WebUrl,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), FetchFault> {
        let mut post = request(url, body)?;
        *post.method_mut() = Method::POST;
        for (name, value) in &headers {
            if *name != HOST {
                post.headers_mut().insert(name, value.clone());
            }
        }
        self.bounded(url, post).await
    }

    async fn bounded(
        &self,
        url: &WebUrl,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), FetchFault> {
        if !url.is_https() && !self.settings.allows_http {
            return Err(FetchFault::Http);
        }
        let exchange = self.exchange(url, request);
        timeout(self.settings.time_limit, exchange).await.map_err(|_| FetchFault::Slow)?
    }

    async fn exchange(
        &self,
        url: &WebUrl,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), FetchFault> {
        let addresses = self.admitted(url).await?;
        let channel = self.reach(&addresses).await?;
        let channel = match url.is_https() {
            true => encrypt(url.host(), &self.tls()?, channel).await.map_err(|_| FetchFault::Tls)?,
            false => channel,
        };
        let (mut sender, connection) =
            handshake(TokioIo::new(channel)).await.map_err(|_| FetchFault::Broken)?;
        // The task ends once the sender and the answer are dropped.
        tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|_| FetchFault::Broken)?;
        let status = answer.status();
        if status.is_redirection() {
            return Err(FetchFault::Redirect);
        }
        let body = Limited::new(answer.into_body(), SIZE_LIMIT).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { FetchFault::TooLong } else { FetchFault::Broken }
        })?;
        Ok((status, body.to_bytes()))
    }

    /// The addresses to which a connection may go.
    async fn admitted(&self, url: &WebUrl) -> Result<Vec<SocketAddr>, FetchFault> {
        let found = lookup_host((url.host(), url.port())).await.map_err(|_| FetchFault::NoAddress)?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() {
            return Err(FetchFault::NoAddress);
        }
        let admitted = found.into_iter().filter(|address| self.settings.networks.admit(address.ip()));
        let admitted: Vec<SocketAddr> = admitted.take(MOST_ADDRESSES).collect();
        if admitted.is_empty() { Err(FetchFault::Network) } else { Ok(admitted) }
    }

    async fn reach(&self, addresses: &[SocketAddr]) -> Result<Channel, FetchFault> {
        match (&self.settings.proxy, addresses) {
            (Some(proxy), [first, ..]) => proxy.reach_address(*first).await.map_err(|_| FetchFault::Proxy),
            _ => Ok(Box::new(TcpStream::connect(addresses).await.map_err(|_| FetchFault::Connect)?)),
        }
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, FetchFault> {
        let mut loaded = self.tls.lock();
        if let Some(tls) = &*loaded {
            return Ok(Arc::clone(tls));
        }
        let tls = self.settings.trust.config().map_err(|_| FetchFault::Authorities)?;
        Ok(Arc::clone(loaded.insert(tls)))
    }
}

fn request(url: &WebUrl, body: Bytes) -> Result<Request<Full<Bytes>>, FetchFault> {
    let mut request = Request::new(Full::new(body));
    *request.uri_mut() = url.target().parse().map_err(|_| FetchFault::Broken)?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, application/jwk-set+json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("claviger/", env!("CARGO_PKG_VERSION"))));
    headers.insert(HOST, HeaderValue::from_str(&url.authority()).map_err(|_| FetchFault::Broken)?);
    Ok(request)
}
