//! A proxy between a client and its server.

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

/// An HTTP proxy. It sees the whole of a plain http exchange; of https it sees the server's name alone (`CONNECT`, RFC
/// 9110 §9.3.6).
#[derive(Clone, Debug)]
pub struct Proxy {
    url: BaseUrl,
    authorization: Option<HeaderValue>,
    /// To the proxy itself, if its URL is https.
    tls: Option<Arc<ClientConfig>>,
}

impl Proxy {
    /// A proxy, and what it is sent as `Proxy-Authorization` (RFC 9110 §11.7.2). The certificate of one that is asked
    /// over TLS comes from an authority of the system.
    ///
    /// # Errors
    /// [`TrustError`] when it is asked over TLS and the system trusts nobody.
    pub fn new(url: BaseUrl, authorization: Option<HeaderValue>) -> Result<Self, TrustError> {
        let tls = url.is_https().then(|| Trust::System.config()).transpose()?;
        Ok(Self { url, authorization, tls })
    }

    /// A channel on which `server` is to be spoken to: to the server itself for https, to the proxy for http.
    pub(super) async fn reach(&self, server: &BaseUrl) -> Result<Channel, ClientError> {
        let tcp = reach(&self.url).await.map_err(|error| self.failed(format!("no connection: {error}")))?;
        let channel: Channel = match &self.tls {
            Some(tls) => {
                encrypt(&self.url, tls, tcp).await.map_err(|error| self.failed(format!("no TLS: {error}")))?
            }
            None => tcp,
        };
        if server.is_https() { self.tunnel(channel, server).await } else { Ok(channel) }
    }

    async fn tunnel(&self, channel: Channel, server: &BaseUrl) -> Result<Channel, ClientError> {
        let failed = |error: hyper::Error| self.failed(error.to_string());
        let (mut sender, connection) =
            handshake::<_, Full<Bytes>>(TokioIo::new(channel)).await.map_err(failed)?;
        tokio::spawn(connection.with_upgrades());
        let mut request = Request::new(Full::default());
        *request.method_mut() = Method::CONNECT;
        let target = server.host_and_port();
        *request.uri_mut() = target.parse().unwrap_or_default();
        request.headers_mut().extend(HeaderValue::from_str(&target).ok().map(|target| (HOST, target)));
        self.authorize(&mut request);
        let response = sender.send_request(request).await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(self.refused(response.status()));
        }
        Ok(Box::new(TokioIo::new(hyper::upgrade::on(response).await.map_err(failed)?)))
    }

    /// Addresses a plain http request so that the proxy knows where it goes (RFC 9112 §3.2.2).
    pub(super) fn address(&self, request: &mut Request<Full<Bytes>>, server: &BaseUrl) {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let absolute = format!("http://{}{target}", server.authority());
        *request.uri_mut() = absolute.parse::<Uri>().unwrap_or_default();
        self.authorize(request);
    }

    /// The proxy's own refusal.
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
