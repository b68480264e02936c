//! Bodies on their way in and out.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::connection_state::ConnectionState;

/// What a request's body fails with when its peer takes too long to send it. The service answers, with 408 if
/// it likes; the connection closes after that answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request body did not arrive in time")]
pub struct BodyTimedOut;

impl BodyTimedOut {
    /// Whether this is what `error`, for example an extractor's rejection, is about.
    pub fn caused(error: &(dyn Error + 'static)) -> bool {
        std::iter::successors(Some(error), |&error| error.source()).any(|error| error.is::<Self>())
    }
}

/// A request's body under a time limit. It takes a timer only if it has to be waited for.
#[derive(Debug)]
pub(super) struct RequestBody {
    incoming: Incoming,
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    ended: bool,
    state: Arc<ConnectionState>,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, timeout: Duration, state: Arc<ConnectionState>) -> Self {
        Self { incoming, timeout, timer: None, ended: false, state }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) {
            self.ended |= frame.is_none();
            return Poll::Ready(frame.map(|result| result.map_err(Into::into)));
        }
        let timeout = self.timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
        timer.as_mut().poll(cx).map(|()| Some(Err(BodyTimedOut.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// A service that does not read a body to its end may leave some of it on the wire, where the next request
/// would be looked for. If so, its answer is the connection's last.
impl Drop for RequestBody {
    fn drop(&mut self) {
        let ended = self.ended || self.incoming.is_end_stream() || {
            // A small body has arrived with the head, and only needs to be taken.
            let _ = Pin::new(&mut self.incoming).poll_frame(&mut Context::from_waker(Waker::noop()));
            self.incoming.is_end_stream()
        };
        if !ended {
            self.state.leave_unread();
        }
    }
}

/// An answer's body, which tells the connection's activity how it gets on.
#[derive(Debug)]
pub(super) struct AnswerBody {
    body: Body,
    state: Arc<ConnectionState>,
}

impl AnswerBody {
    pub(super) fn new(body: Body, state: Arc<ConnectionState>) -> Self {
        state.activity.answer();
        Self { body, state }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.state.activity.progress();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.state.activity.answered();
    }
}
