//! Responses that hold a permit until their body is sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    struct Holding<T> {
        #[pin]
        body: Body,
        _held: T,
    }
}

/// The same response, which keeps `held` until the body is sent completely or the client disconnects.
pub(crate) fn holding<T: Send + 'static>(response: Response, held: T) -> Response {
    response.map(|body| Body::new(Holding { body, _held: held }))
}

impl<T> hyper::body::Body for Holding<T> {
    type Data = <Body as hyper::body::Body>::Data;
    type Error = <Body as hyper::body::Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
