//! What a server answers.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderName;
use hyper::{HeaderMap, StatusCode};
use tokio::time::timeout;

use super::{BaseUrl, ClientError};

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// A header as text, where there is one and it is text.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer whose body is still on its way.
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

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The next piece of its body; `None` at the end.
    ///
    /// # Errors
    /// [`ClientError`] when the body breaks off or stands still.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            let frame = timeout(self.limit, self.response.body_mut().frame()).await;
            let frame =
                frame.map_err(|_| ClientError::Slow { server: self.server.clone(), limit: self.limit })?;
            let Some(frame) = frame else { return Ok(None) };
            // What is no data are trailers, which say nothing here.
            match frame.map_err(|error| broken(&self.server, error.into()))?.into_data() {
                Ok(data) => return Ok(Some(data)),
                Err(_) => continue,
            }
        }
    }

    /// The whole answer, its body of at most `most` bytes.
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
