//! Identifies every request: in its response, in its errors, and on every log line about it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use axum::http::request::Parts;

use crate::base::entropy::{Entropy, EntropyError};

const DIGITS: usize = 24;

/// 24 hexadecimal digits: 8 random ones for the process, then a counter of 16.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestId([u8; DIGITS]);

#[derive(Debug)]
pub(crate) struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(entropy: &Entropy) -> Result<Self, EntropyError> {
        Ok(Self { process: u32::from_be_bytes(entropy.bytes()?), next: AtomicU64::new(1) })
    }

    pub(crate) fn next(&self) -> RequestId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let number = (u128::from(self.process) << 64) | u128::from(count);
        let digit = |at: usize| HEX[(number >> (4 * (DIGITS - 1 - at)) & 0xf) as usize];
        RequestId(std::array::from_fn(digit))
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl RequestId {
    /// The id that [`super::Front`] assigned to this request, or zeros.
    pub(crate) fn of(parts: &Parts) -> Self {
        parts.extensions.get().copied().unwrap_or(Self([b'0'; DIGITS]))
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).unwrap_or(HeaderValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_processes_and_requests_apart() {
        let ids = RequestIds::new(&Entropy::scripted([0xab, 0xcd, 0, 1])).unwrap();
        assert_eq!(ids.next().to_string(), "abcd00010000000000000001");
        assert_eq!(ids.next().to_string(), "abcd00010000000000000002");
    }
}
