//! A second opinion on what this issuer signs and publishes, by jsonwebtoken.
//!
//! It reads the key set as anybody reads it, and verifies a token with a key from there. A signing key whose published
//! half is damaged, or a signature that others would refuse, is noticed before the key signs for anybody.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode};
use serde::Deserialize;

use super::{Algorithm, provider};
use crate::jose::jwk::{Jwks, SigningKey};
use crate::jose::jws::sign_compact;

/// What a probe contains.
const PROBE: &[u8] = br#"{"iss":"probe","probe":true}"#;

/// Why the second opinion differs. The text completes "the signing key …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// The key can't sign.
    #[error("can't sign a probe")]
    Signing,
    /// The set can't be read, or lacks the key.
    #[error("can't be found in the key set as it is published")]
    Missing,
    /// The signature is refused. The text says why.
    #[error("signs what others refuse: {0}")]
    Refused(String),
}

#[derive(Deserialize)]
struct Probe {
    iss: String,
    probe: bool,
}

/// Signs a probe with `key`, and has it verified with the key of this id in a key set as this issuer publishes it.
///
/// # Errors
/// [`Disagreement`].
pub fn second_opinion(key: &SigningKey) -> Result<(), Disagreement> {
    let published = Jwks { keys: vec![key.public_jwk().clone()] };
    verified_with(key, &serde_json::to_vec(&published).map_err(|_| Disagreement::Missing)?)
}

fn verified_with(key: &SigningKey, published: &[u8]) -> Result<(), Disagreement> {
    provider::install();
    let probe = sign_compact(key, "probe+jwt", PROBE).map_err(|_| Disagreement::Signing)?;
    let set: JwkSet = serde_json::from_slice(published).map_err(|_| Disagreement::Missing)?;
    let jwk = set.find(key.kid()).ok_or(Disagreement::Missing)?;
    let refused = |error: jsonwebtoken::errors::Error| Disagreement::Refused(error.to_string());
    let decoding = DecodingKey::from_jwk(jwk).map_err(refused)?;
    let mut validation = Validation::new(Algorithm::from(key.public_jwk().algorithm()).of_jsonwebtoken());
    // A probe never expires and is for nobody.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.set_issuer(&["probe"]);
    let decoded = decode::<Probe>(&probe, &decoding, &validation).map_err(refused)?;
    match (decoded.claims.iss.as_str(), decoded.claims.probe) {
        ("probe", true) => Ok(()),
        _ => Err(Disagreement::Refused("the claims are others".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::jwk;

    fn key(algorithm: jwk::Algorithm) -> SigningKey {
        SigningKey::generate(algorithm).unwrap().0
    }

    #[test]
    fn a_key_and_its_published_half_agree() {
        for algorithm in [jwk::Algorithm::Es256, jwk::Algorithm::EdDsa] {
            let key = key(algorithm);
            assert_eq!(second_opinion(&key), Ok(()), "{algorithm}");
        }
    }

    #[test]
    fn another_half_under_the_same_id_is_noticed() {
        let (signing, other) = (key(jwk::Algorithm::Es256), key(jwk::Algorithm::Es256));
        let published = serde_json::to_string(&Jwks { keys: vec![other.public_jwk().clone()] }).unwrap();
        assert_eq!(verified_with(&signing, published.as_bytes()), Err(Disagreement::Missing));
        let renamed = published.replace(other.kid(), signing.kid());
        assert!(matches!(verified_with(&signing, renamed.as_bytes()), Err(Disagreement::Refused(_))));
        assert_eq!(verified_with(&signing, b"<html>"), Err(Disagreement::Missing));
    }

    #[test]
    fn a_point_that_is_on_no_curve_is_noticed() {
        let key = key(jwk::Algorithm::Es256);
        let mut published = serde_json::to_value(Jwks { keys: vec![key.public_jwk().clone()] }).unwrap();
        published["keys"][0]["x"] = published["keys"][0]["y"].clone();
        let published = published.to_string();
        assert!(matches!(verified_with(&key, published.as_bytes()), Err(Disagreement::Refused(_))));
    }
}
