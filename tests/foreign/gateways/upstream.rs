//! What lies behind the gateway: it answers everything, and writes down what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A request that arrived.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// A header that all of its answers have, and no others.
pub(super) const SIGN: (&str, &str) = ("x-upstream", "orders");

type Book = Arc<Mutex<Vec<Arrived>>>;

pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    book: Book,
}

impl Upstream {
    /// Starts on any port of 127.0.0.1.
    pub(super) fn start(runtime: &Runtime) -> Self {
        let book = Book::default();
        let router = Router::new().fallback(write_down).with_state(Arc::clone(&book));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(async { axum::serve(listener, router).await });
        Self { address, book }
    }

    /// All that arrived since the last time.
    pub(super) fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut *self.book.lock().expect("the book"))
    }
}

async fn write_down(State(book): State<Book>, request: Request<Body>) -> [(&'static str, &'static str); 1] {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a whole body");
    book.lock().expect("the book").push(Arrived {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    [(SIGN.0, SIGN.1)]
}
