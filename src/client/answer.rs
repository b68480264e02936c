//! The answers of a server.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderName;
use hyper::{HeaderMap, StatusCode};
use tokio::time::timeout;

use super::{BaseUrl, ClientError};

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// A header field as text. `None` if it is absent or not text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer whose body has not been read yet.
#[derive(Debug)]
pub struct StreamedAnswer {
    response: hyper::Response<Incoming>,
    server: BaseUrl,
    limit: Duration,
}

impl StreamedAnswer {
    pub(super) fn new(response: hyper::Response<Incoming>, server: BaseUrl, limit: Duration) -> Self {
        Self { response, server, limit }
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The next piece of the body. `None` at the end.
    ///
    /// # Errors
    /// [`ClientError`] when the body breaks off, or no piece arrives in time.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            let frame = timeout(self.limit, self.response.body_mut().frame()).await;
            let frame =
                frame.map_err(|_| ClientError::Slow { server: self.server.clone(), limit: self.limit })?;
            let Some(frame) = frame else { return Ok(None) };
            // A frame that is not data holds trailers, which this client ignores.
            match frame.map_err(|error| broken(&self.server, error.into()))?.into_data() {
                Ok(data) => return Ok(Some(data)),
                Err(_) => continue,
            }
        }
    }

    /// Reads the whole answer, with a body of at most `most` bytes.
    ///
    /// # Errors
    /// [`ClientError`] when the body breaks off or is longer.
    pub async fn whole(self, most: usize) -> Result<Answer, ClientError> {
        let limit = self.limit;
        let server = self.server.clone();
        let whole = timeout(limit, async { self.read(&server, most).await }).await;
        whole.map_err(|_| ClientError::Slow { server, limit })?
    }

    pub(super) async fn read(self, server: &BaseUrl, most: usize) -> Result<Answer, ClientError> {
        let (head, body) = self.response.into_parts();
        let body = Limited::new(body, most).collect().await.map_err(|error| {
            match error.is::<LengthLimitError>() {
                true => ClientError::TooLarge { server: server.clone(), most },
                false => broken(server, error),
            }
        })?;
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    }
}

fn broken(server: &BaseUrl, source: Box<dyn std::error::Error + Send + Sync>) -> ClientError {
    ClientError::Broken { server: server.clone(), source }
}
