//! The bodies of requests and answers.

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

/// The error of a request's body that the peer sends too slowly. The service answers, for example with 408, and the
/// connection closes after that answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request body did not arrive in time")]
pub struct BodyTimedOut;

impl BodyTimedOut {
    /// Whether this is the cause of `error`, for example of an extractor's rejection.
    pub fn caused(error: &(dyn Error + 'static)) -> bool {
        std::iter::successors(Some(error), |&error| error.source()).any(|error| error.is::<Self>())
    }
}

/// A request's body with a time limit. It uses a timer only if it has to wait.
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

/// If a service does not read a body to its end, the rest may still be on the wire, where the next request is expected.
/// In that case its answer is the connection's last.
impl Drop for RequestBody {
    fn drop(&mut self) {
        let ended = self.ended || self.incoming.is_end_stream() || {
            // A small body has arrived together with the head, and only has to be read.
            let _ = Pin::new(&mut self.incoming).poll_frame(&mut Context::from_waker(Waker::noop()));
            self.incoming.is_end_stream()
        };
        if !ended {
            self.state.leave_unread();
        }
    }
}

/// An answer's body, which reports its progress to the connection's activity.
#[derive(Debug)]
pub(super) struct AnswerBody {
    body: Body,
    state: Arc<ConnectionState>,
}

impl AnswerBody {
    pub(super) fn new(body: Body, state: Arc<ConnectionState>) -> Self {
        state.activity.answer_began();
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
            self.state.activity.answer_progressed();
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
        self.state.activity.answer_ended();
    }
}
