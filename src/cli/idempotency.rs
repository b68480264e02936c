//! Requests that can be repeated safely.

use clap::Args;
use hyper::header::HeaderName;

use crate::client::Request;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The idempotency key of a request.
#[derive(Clone, Debug, Args)]
pub(super) struct IdempotencyArgs {
    /// Idempotency key: repeated requests within 24 hours take effect once
    #[arg(long, value_name = "WORD", value_parser = word)]
    idempotency_key: Option<String>,
}

impl IdempotencyArgs {
    /// The request with the idempotency key.
    pub(super) fn on(&self, request: Request) -> Request {
        request.header(IDEMPOTENCY_KEY, self.idempotency_key.as_deref())
    }
}

fn word(text: &str) -> Result<String, String> {
    if !(1..=255).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it must be 1 to 255 visible ASCII characters".into());
    }
    Ok(text.to_owned())
}
