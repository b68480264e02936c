//! Sends one request after the other over the same connection.

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::time::timeout;

use super::{Answer, Client, ClientError, Request, StreamedAnswer};

/// A client that keeps its connection for the next request, and opens another one if the connection has closed.
#[derive(Debug)]
pub struct Session {
    client: Client,
    held: Option<SendRequest<Full<Bytes>>>,
}

impl Session {
    /// Sends requests as `client` does.
    pub fn new(client: Client) -> Self {
        Self { client, held: None }
    }

    /// Sends a request and reads the whole answer, whatever its status. If the server closes a kept connection just
    /// when it is used, the request is sent twice. Therefore it must not change anything.
    ///
    /// # Errors
    /// [`ClientError`] when there is no complete answer.
    pub async fn send(&mut self, request: Request) -> Result<Answer, ClientError> {
        let limit = self.client.limits.answer;
        let answer = timeout(limit, self.exchange(request)).await;
        answer.unwrap_or_else(|_| Err(self.client.too_slow()))
    }

    async fn exchange(&mut self, request: Request) -> Result<Answer, ClientError> {
        // The connection is taken out while it is in use. If the exchange is abandoned half way, the connection can't
        // be used again.
        if let Some(mut kept) = self.held.take()
            && kept.ready().await.is_ok()
            && let Ok(answer) = self.exchange_on(kept, request.clone()).await
        {
            return Ok(answer);
        }
        let fresh = self.client.connect().await?;
        self.exchange_on(fresh, request).await
    }

    async fn exchange_on(
        &mut self,
        mut connection: SendRequest<Full<Bytes>>,
        request: Request,
    ) -> Result<Answer, ClientError> {
        let Client { base, limits, .. } = &self.client;
        let request = self.client.addressed(request);
        let response = connection.send_request(request).await.map_err(|error| self.client.broken(error))?;
        let answer =
            StreamedAnswer::new(response, base.clone(), limits.answer).read(base, limits.body).await?;
        self.held = Some(connection);
        Ok(answer)
    }
}
