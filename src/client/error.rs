//! What can go wrong before there is a whole answer.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::BaseUrl;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The credential would go over a network in the clear.
    #[error("{0} is plain http beyond this machine: whoever is on the way would read the credential")]
    Exposed(BaseUrl),
    /// Nobody there, no such name, no way to it.
    #[error("no connection to {server}: {source}")]
    Connect {
        /// Where to.
        server: BaseUrl,
        /// What the system says.
        source: io::Error,
    },
    /// The proxy can't be reached, or lets nobody through.
    #[error("the proxy {proxy}: {why}")]
    Proxy {
        /// Which.
        proxy: BaseUrl,
        /// What happened.
        why: String,
    },
    /// The server is not who it should be, or speaks no TLS.
    #[error("no TLS with {server}: {source}")]
    Tls {
        /// With whom.
        server: BaseUrl,
        /// What rustls says.
        source: io::Error,
    },
    /// Nothing, or not all of it, came in time.
    #[error("{server} did not answer within {} s", limit.as_secs_f32())]
    Slow {
        /// Who.
        server: BaseUrl,
        /// The time that it had.
        limit: Duration,
    },
    /// The answer is not HTTP, or its end is missing.
    #[error("the answer of {server} broke off: {}", cause(source.as_ref()))]
    Broken {
        /// Whose.
        server: BaseUrl,
        /// What happened.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer is longer than anything that the server should have to say.
    #[error("the answer of {server} is longer than {most} bytes")]
    TooLarge {
        /// Whose.
        server: BaseUrl,
        /// The limit.
        most: usize,
    },
}

/// An error with what is behind it: hyper's own words alone say little.
fn cause(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        said = format!("{said}: {behind}");
        source = behind.source();
    }
    said
}
