//! The unverified contents of a token.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::Value;

/// Header and payload, as far as they can be parsed. They are for display only.
#[derive(Debug, PartialEq)]
pub(super) struct Contents {
    pub(super) header: Option<Value>,
    pub(super) claims: Option<Value>,
}

impl Contents {
    pub(super) fn of(token: &str) -> Self {
        let mut parts = token.split('.').map(decode);
        Self { header: parts.next().flatten(), claims: parts.next().flatten() }
    }
}

fn decode(part: &str) -> Option<Value> {
    let value = serde_json::from_slice(&BASE64URL.decode(part).ok()?).ok()?;
    matches!(value, Value::Object(_)).then_some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn header_and_claims_are_shown_as_far_as_they_can_be_decoded() {
        let header = BASE64URL.encode(r#"{"alg":"none"}"#);
        let readable = Contents { header: Some(json!({"alg": "none"})), claims: Some(json!({"sub": "x"})) };
        assert_eq!(Contents::of(&format!("{header}.{}.", BASE64URL.encode(r#"{"sub":"x"}"#))), readable);
        assert_eq!(Contents::of(&format!("{header}.!")), Contents { claims: None, ..readable });
        assert_eq!(Contents::of("nonsense"), Contents { header: None, claims: None });
    }
}
