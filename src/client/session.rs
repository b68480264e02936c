//! One request after the other over the same connection.

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::time::timeout;

use super::{Answer, Client, ClientError, Request, StreamedAnswer};

/// A client that keeps its connection for the next request, and makes another where it has gone.
#[derive(Debug)]
pub struct Session {
    client: Client,
    held: Option<SendRequest<Full<Bytes>>>,
}

impl Session {
    /// Asks as `client` does.
    pub fn new(client: Client) -> Self {
        Self { client, held: None }
    }

    /// Sends a request and reads the whole answer, whatever its status. It may be sent twice, when the server closes a
    /// kept connection at the moment that it is used: so it has to be one that changes nothing.
    ///
    /// # Errors
    /// [`ClientError`] when there is no answer, or none that is whole.
    pub async fn send(&mut self, request: Request) -> Result<Answer, ClientError> {
        let limit = self.client.limits.answer;
        let answer = timeout(limit, self.exchange(request)).await;
        answer.unwrap_or_else(|_| Err(self.client.too_slow()))
    }

    async fn exchange(&mut self, request: Request) -> Result<Answer, ClientError> {
        // Out of its place while it is in use: what is given up half way can't be used again.
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
