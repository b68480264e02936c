//! From a URL to a connection that speaks HTTP.

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

use super::{BaseUrl, ClientError};

/// A connection to `server`, ready for a request. It ends with what it is used by.
pub(super) async fn connect(
    server: &BaseUrl,
    tls: Option<&Arc<ClientConfig>>,
    limit: Duration,
) -> Result<SendRequest<Full<Bytes>>, ClientError> {
    let connecting = async {
        let tcp = TcpStream::connect((server.host(), server.port())).await;
        let tcp = tcp.map_err(|source| ClientError::Connect { server: server.clone(), source })?;
        match tls {
            None => speak_http(server, tcp).await,
            Some(tls) => {
                let encrypted = encrypt(server, tls, tcp).await;
                let encrypted =
                    encrypted.map_err(|source| ClientError::Tls { server: server.clone(), source })?;
                speak_http(server, encrypted).await
            }
        }
    };
    let timed = timeout(limit, connecting).await;
    timed.map_err(|_| ClientError::Slow { server: server.clone(), limit })?
}

async fn encrypt(
    server: &BaseUrl,
    tls: &Arc<ClientConfig>,
    tcp: TcpStream,
) -> io::Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
    let name = ServerName::try_from(server.host().to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await
}

async fn speak_http(
    server: &BaseUrl,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<SendRequest<Full<Bytes>>, ClientError> {
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|source| ClientError::Broken { server: server.clone(), source: source.into() })?;
    // It ends by itself once sender and answer are gone; whoever waits for the answer is told what went wrong.
    tokio::spawn(connection);
    Ok(sender)
}
