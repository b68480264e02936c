//! Errors that prevent a complete answer.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::BaseUrl;

/// Why there is no complete answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The credential would go over a network unencrypted.
    #[error("{0} is plain http beyond this machine, so others on the way could read the credential")]
    Exposed(BaseUrl),
    /// The connection failed: nobody listens, the name is unknown, or there is no route.
    #[error("no connection to {server}: {source}")]
    Connect {
        /// The server.
        server: BaseUrl,
        /// The error of the system.
        source: io::Error,
    },
    /// The proxy can't be reached, or refuses.
    #[error("the proxy {proxy}: {why}")]
    Proxy {
        /// The proxy.
        proxy: BaseUrl,
        /// What happened.
        why: String,
    },
    /// The server's certificate is not trusted, or the server does not speak TLS.
    #[error("no TLS with {server}: {source}")]
    Tls {
        /// The server.
        server: BaseUrl,
        /// The error of rustls.
        source: io::Error,
    },
    /// The answer, or a part of it, did not arrive in time.
    #[error("{server} did not answer within {} s", limit.as_secs_f32())]
    Slow {
        /// The server.
        server: BaseUrl,
        /// The time limit.
        limit: Duration,
    },
    /// The answer is not HTTP, or is incomplete.
    #[error("the answer of {server} broke off: {}", cause(source.as_ref()))]
    Broken {
        /// The server.
        server: BaseUrl,
        /// What happened.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer is longer than the limit.
    #[error("the answer of {server} is longer than {most} bytes")]
    TooLarge {
        /// The server.
        server: BaseUrl,
        /// The limit, in bytes.
        most: usize,
    },
}

/// An error with its sources. The text of hyper's errors alone says little.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        said = format!("{said}: {behind}");
        source = behind.source();
    }
    said
}
