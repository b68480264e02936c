//! Opens connections that speak HTTP.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{BaseUrl, ClientError, Proxy};

/// Bytes in both directions: TCP, TLS, or a tunnel through a proxy.
pub(super) type Channel = Box<dyn ReadWrite>;

/// What a [`Channel`] can do.
pub(super) trait ReadWrite: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> ReadWrite for T {}

/// Connects to `server`, or to the proxy in front of it. The connection is ready for a request, and ends when its
/// sender is dropped.
pub(super) async fn connect(
    server: &BaseUrl,
    tls: Option<&Arc<ClientConfig>>,
    proxy: Option<&Proxy>,
    limit: Duration,
) -> Result<SendRequest<Full<Bytes>>, ClientError> {
    let connecting = async {
        let channel = match proxy {
            Some(proxy) => proxy.reach(server).await?,
            None => reach(server)
                .await
                .map_err(|source| ClientError::Connect { server: server.clone(), source })?,
        };
        let channel = match tls {
            Some(tls) => encrypt(server.host(), tls, channel)
                .await
                .map_err(|source| ClientError::Tls { server: server.clone(), source })?,
            None => channel,
        };
        speak_http(server, channel).await
    };
    let timed = timeout(limit, connecting).await;
    timed.map_err(|_| ClientError::Slow { server: server.clone(), limit })?
}

pub(super) async fn reach(server: &BaseUrl) -> io::Result<Channel> {
    Ok(Box::new(TcpStream::connect((server.host(), server.port())).await?))
}

pub(super) async fn encrypt(host: &str, tls: &Arc<ClientConfig>, channel: Channel) -> io::Result<Channel> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok(Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, channel).await?))
}

async fn speak_http(server: &BaseUrl, channel: Channel) -> Result<SendRequest<Full<Bytes>>, ClientError> {
    let (sender, connection) = handshake(TokioIo::new(channel))
        .await
        .map_err(|source| ClientError::Broken { server: server.clone(), source: source.into() })?;
    // The task ends once the sender and the answer are dropped. Errors reach the request that waits for the answer.
    tokio::spawn(connection);
    Ok(sender)
}
