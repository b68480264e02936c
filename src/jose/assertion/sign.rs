//! Signs assertions, for clients.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::json;

use crate::base::clock::Timestamp;
use crate::jose::jwk::{SigningFailed, SigningKey};

/// How long an assertion is valid, in seconds. It is used at once.
const LIFETIME: i64 = 60;

/// Who asks whom, and when.
#[derive(Clone, Copy, Debug)]
pub struct NewAssertion<'a> {
    /// The client's id, `key_…`.
    pub client: &'a str,
    /// The issuer that the assertion is for.
    pub issuer: &'a str,
    /// A `jti` that no other assertion of the client has.
    pub id: &'a str,
    /// The current time.
    pub now: Timestamp,
}

impl NewAssertion<'_> {
    /// Signs the assertion (RFC 7523 §3). `kid` is the id under which the public key is registered. Without it, the issuer
    /// tries all public keys of the client that have the same algorithm.
    ///
    /// # Errors
    /// [`SigningFailed`].
    pub fn sign(&self, key: &SigningKey, kid: Option<&str>) -> Result<String, SigningFailed> {
        let mut header = json!({ "alg": key.algorithm().as_str(), "typ": "client-authentication+jwt" });
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let claims = json!({
            "iss": self.client,
            "sub": self.client,
            "aud": self.issuer,
            "jti": self.id,
            "iat": self.now.unix(),
            "exp": self.now.plus(LIFETIME).unix(),
        });
        let part = |value: &serde_json::Value| BASE64URL.encode(value.to_string());
        let input = format!("{}.{}", part(&header), part(&claims));
        let signature = key.sign(input.as_bytes())?;
        Ok(format!("{input}.{}", BASE64URL.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::assertion::Assertion;
    use crate::jose::foreign::Jwk;
    use crate::jose::jwk::Algorithm;

    #[test]
    fn a_signed_assertion_is_accepted_by_the_rules_for_assertions() {
        let (key, _) = SigningKey::generate(Algorithm::EdDsa).unwrap();
        let registered = Jwk::parse(&serde_json::to_vec(key.public_jwk()).unwrap()).unwrap();
        let now = Timestamp::from_unix(1_000_000);
        let new = NewAssertion { client: "key_0123456789abcdef", issuer: "https://a.example", id: "1", now };
        for kid in [None, Some(key.kid())] {
            let signed = new.sign(&key, kid).unwrap();
            let assertion = Assertion::parse(&signed).unwrap();
            assert_eq!((assertion.subject(), assertion.issuer()), (new.client, new.client));
            let claims = assertion.verify(&registered).unwrap();
            assert_eq!(claims.check(&["https://a.example"], now), Ok(()));
            assert_eq!(claims.remembered_until(), now.plus(90));
        }
    }
}
