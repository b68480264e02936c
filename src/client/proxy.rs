//! A proxy between a client and its server.

#[cfg(feature = "server")]
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::handshake;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;

use super::connect::{Channel, encrypt, reach};
use super::{BaseUrl, ClientError, Trust, TrustError};

/// An HTTP proxy. It sees all of a plain http exchange. Of an https exchange it sees only the server's name (`CONNECT`,
/// RFC 9110 §9.3.6).
#[derive(Clone, Debug)]
pub struct Proxy {
    url: BaseUrl,
    authorization: Option<HeaderValue>,
    /// TLS to the proxy itself, if its URL is https.
    tls: Option<Arc<ClientConfig>>,
}

impl Proxy {
    /// A proxy, and the value of `Proxy-Authorization` for it (RFC 9110 §11.7.2). If its URL is https, an authority of
    /// the system has to have issued its certificate.
    ///
    /// # Errors
    /// [`TrustError`] when the URL is https and the system has no certificate authorities.
    pub fn new(url: BaseUrl, authorization: Option<HeaderValue>) -> Result<Self, TrustError> {
        let tls = url.is_https().then(|| Trust::System.config()).transpose()?;
        Ok(Self { url, authorization, tls })
    }

    /// Opens the channel for exchanges with `server`: to the server itself for https, to the proxy for http.
    pub(super) async fn reach(&self, server: &BaseUrl) -> Result<Channel, ClientError> {
        let channel = self.connect().await?;
        if server.is_https() { self.tunnel(channel, &server.host_and_port()).await } else { Ok(channel) }
    }

    /// Opens a channel to `target`, an address, so that the proxy looks up no name.
    #[cfg(feature = "server")]
    pub(super) async fn reach_address(&self, target: SocketAddr) -> Result<Channel, ClientError> {
        self.tunnel(self.connect().await?, &target.to_string()).await
    }

    /// Opens a channel to the proxy itself.
    async fn connect(&self) -> Result<Channel, ClientError> {
        let tcp = reach(&self.url).await.map_err(|error| self.failed(format!("no connection: {error}")))?;
        match &self.tls {
            Some(tls) => {
                let encrypted = encrypt(self.url.host(), tls, tcp).await;
                encrypted.map_err(|error| self.failed(format!("no TLS: {error}")))
            }
            None => Ok(tcp),
        }
    }

    async fn tunnel(&self, channel: Channel, target: &str) -> Result<Channel, ClientError> {
        let failed = |error: hyper::Error| self.failed(error.to_string());
        let (mut sender, connection) =
            handshake::<_, Full<Bytes>>(TokioIo::new(channel)).await.map_err(failed)?;
        tokio::spawn(connection.with_upgrades());
        let mut request = Request::new(Full::default());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = target.parse().unwrap_or_default();
        request.headers_mut().extend(HeaderValue::from_str(target).ok().map(|target| (HOST, target)));
        self.authorize(&mut request);
        let response = sender.send_request(request).await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(self.refused(response.status()));
        }
        Ok(Box::new(TokioIo::new(hyper::upgrade::on(response).await.map_err(failed)?)))
    }

    /// Gives a plain http request the absolute target that the proxy needs (RFC 9112 §3.2.2).
    pub(super) fn address(&self, request: &mut Request<Full<Bytes>>, server: &BaseUrl) {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let absolute = format!("http://{}{target}", server.authority());
        *request.uri_mut() = absolute.parse::<Uri>().unwrap_or_default();
        self.authorize(request);
    }

    /// The error when the proxy itself refuses.
    pub(super) fn refused(&self, status: StatusCode) -> ClientError {
        self.failed(format!("it answers {status}"))
    }

    fn authorize(&self, request: &mut Request<Full<Bytes>>) {
        let authorization = self.authorization.clone().map(|value| (PROXY_AUTHORIZATION, value));
        request.headers_mut().extend(authorization);
    }

    fn failed(&self, why: String) -> ClientError {
        ClientError::Proxy { proxy: self.url.clone(), why }
    }
}
