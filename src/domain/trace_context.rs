//! The trace that a request belongs to (W3C Trace Context, level 1).
//!
//! A trace connects the log lines of several programs. It decides nothing: anybody can send the header, so its flags are
//! handed on and never interpreted, and only the trace id is ever shown.

use std::fmt;
use std::num::NonZeroU64;

use http::{HeaderMap, HeaderName};

/// The header field of a trace (§3.2).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The length of version 00, which is a prefix of all later versions (§3.2.4): the version, the trace id, the parent id
/// and the flags, with hyphens between them.
const LENGTH: usize = 55;

/// The only flag of level 1, `sampled` (§3.2.2.5.1). All others must be set to zero.
const KNOWN_FLAGS: u8 = 1;

/// The trace that the sender of a request says it belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Lower-case hexadecimal digits.
    trace_id: [u8; 32],
    flags: u8,
}

impl TraceContext {
    /// The trace in the only `traceparent` of a request. A header that is not valid, or that occurs twice, is ignored,
    /// as if it were not there (§3.2.4).
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(TRACEPARENT).iter();
        let line = lines.next()?;
        if lines.next().is_some() {
            return None;
        }
        Self::parse(line.as_bytes())
    }

    /// The trace id: 32 lower-case hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        std::str::from_utf8(&self.trace_id).unwrap_or_default()
    }

    /// The `traceparent` of a request that is sent on behalf of this one. `parent_id` identifies the sender's own part
    /// of the trace (§3.4).
    pub fn handed_on(&self, parent_id: NonZeroU64) -> String {
        format!("00-{}-{parent_id:016x}-{:02x}", self.trace_id(), self.flags)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let (known, more) = text.split_at_checked(LENGTH)?;
        let mut fields = known.split(|byte| *byte == b'-');
        let version: [u8; 2] = hex(fields.next()?)?;
        let trace_id: [u8; 32] = hex(fields.next()?)?;
        let parent_id: [u8; 16] = hex(fields.next()?)?;
        let flags: [u8; 2] = hex(fields.next()?)?;
        let is_complete = match &version {
            b"ff" => false,
            b"00" => more.is_empty(),
            _ => more.is_empty() || more.starts_with(b"-"),
        };
        let is_zero = |id: &[u8]| id.iter().all(|digit| *digit == b'0');
        if !is_complete || is_zero(&trace_id) || is_zero(&parent_id) {
            return None;
        }
        let flags = u8::from_str_radix(std::str::from_utf8(&flags).ok()?, 16).ok()?;
        Some(Self { trace_id, flags: flags & KNOWN_FLAGS })
    }
}

/// A field of `N` lower-case hexadecimal digits.
fn hex<const N: usize>(field: &[u8]) -> Option<[u8; N]> {
    let digits: [u8; N] = field.try_into().ok()?;
    digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')).then_some(digits)
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.trace_id())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// The example of §3.2.3.
    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn of(lines: &[&[u8]]) -> Option<TraceContext> {
        let headers: HeaderMap =
            lines.iter().map(|line| (TRACEPARENT, HeaderValue::from_bytes(line).unwrap())).collect();
        TraceContext::of(&headers)
    }

    #[test]
    fn a_trace_is_read_and_handed_on_with_another_parent() {
        let parent = NonZeroU64::new(0xb7).unwrap();
        for (sent, handed_on) in [
            (GOOD, "01"),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "00"),
            // What level 1 does not define is not handed on.
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", "01"),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1a", "00"),
            // A later version, with and without more fields.
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "01"),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-brings", "01"),
        ] {
            let trace = of(&[sent.as_bytes()]).unwrap();
            assert_eq!(trace.trace_id(), TRACE_ID, "{sent}");
            assert_eq!(
                trace.handed_on(parent),
                format!("00-{TRACE_ID}-00000000000000b7-{handed_on}"),
                "{sent}"
            );
        }
    }

    #[test]
    fn what_is_not_valid_is_ignored() {
        for bad in [
            "",
            "00",
            TRACE_ID,
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0G",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, ",
        ] {
            assert_eq!(of(&[bad.as_bytes()]), None, "{bad}");
        }
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[GOOD.as_bytes(), GOOD.as_bytes()]), None);
        assert_eq!(of(&[GOOD.as_bytes(), b""]), None);
        assert_eq!(of(&[&[0xff; LENGTH]]), None);
    }

    proptest! {
        #[test]
        fn a_trace_id_consists_of_hexadecimal_digits(
            text in prop_oneof!["[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.{0,8})?", "[ -~]{50,60}"]
        ) {
            if let Some(trace) = TraceContext::parse(text.as_bytes()) {
                let is_digit = |character: char| matches!(character, '0'..='9' | 'a'..='f');
                prop_assert!(trace.trace_id().len() == 32 && trace.trace_id().chars().all(is_digit));
                prop_assert!(text.contains(trace.trace_id()));
                // What is handed on is valid, and belongs to the same trace.
                let handed_on = trace.handed_on(NonZeroU64::MIN);
                prop_assert_eq!(TraceContext::parse(handed_on.as_bytes()), Some(trace));
            }
        }
    }
}
