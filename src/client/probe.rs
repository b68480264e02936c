//! Checks whether a server on this machine responds, whatever its certificate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Answer, BaseUrl, Client, ClientError, Request, RequestLimits};

/// Sends a request without a credential to the server at this address, with or without TLS.
///
/// The certificate is not verified. It has the server's public name, not this address, and perhaps only a proxy trusts
/// it. Its expiry says nothing about the process. The request holds no secret, and somebody who can answer in the
/// server's place on this machine needs no certificate for that.
pub(crate) async fn probe(
    address: SocketAddr,
    by_tls: bool,
    request: Request,
    limits: RequestLimits,
) -> Result<Answer, ClientError> {
    let scheme = if by_tls { "https" } else { "http" };
    let base: BaseUrl = format!("{scheme}://{address}").parse().expect("an address makes a URL");
    let tls = by_tls.then(unverified);
    let client = Client { base, tls, proxy: None, limits, credential: None };
    client.send(request.anonymous()).await
}

/// The certificate that the server at this URL presents, in DER, whoever has issued it.
pub(crate) async fn presented_certificate(
    server: &BaseUrl,
    within: Duration,
) -> Result<Option<Vec<u8>>, ClientError> {
    let failed = |source| ClientError::Tls { server: server.clone(), source };
    let shaking_hands = async {
        let stream = TcpStream::connect((server.host(), server.port()))
            .await
            .map_err(|source| ClientError::Connect { server: server.clone(), source })?;
        let name = ServerName::try_from(server.host().to_owned());
        let name = name.map_err(|error| failed(std::io::Error::other(error)))?;
        let stream = TlsConnector::from(unverified()).connect(name, stream).await.map_err(failed)?;
        let chain = stream.get_ref().1.peer_certificates();
        Ok(chain.and_then(|chain| chain.first()).map(|first| first.to_vec()))
    };
    let shaken = timeout(within, shaking_hands).await;
    shaken.map_err(|_| ClientError::Slow { server: server.clone(), limit: within })?
}

fn unverified() -> Arc<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for the default versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Arc::new(config)
}

/// Accepts every certificate.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
