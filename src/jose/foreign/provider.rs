//! The cryptography of jsonwebtoken, by ring.
//!
//! jsonwebtoken verifies the signatures of trusted issuers, and gives a second opinion on this issuer's own. It asks a
//! provider that is the same for the whole process, so the server installs this one. The library for resource servers
//! does without jsonwebtoken: a host may use it with a provider of its own.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::jwk::ThumbprintHash;
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{DecodingKey, DecodingKeyKind};
use ring::digest::{SHA256, SHA384, SHA512, digest};

use super::Algorithm;
use crate::jose::jwk::public_key::PublicKey;

static ON_RING: CryptoProvider = CryptoProvider {
    // Signing keys are parsed once and sign without jsonwebtoken.
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: verifier,
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(ErrorKind::InvalidKeyFormat.into()),
        rsa_pub_components_from_public_key: |_| Err(ErrorKind::InvalidKeyFormat.into()),
        ec_pub_components_from_private_key: |_, _| Err(ErrorKind::InvalidKeyFormat.into()),
        ed_pub_components_from_private_key: |_, _| Err(ErrorKind::InvalidKeyFormat.into()),
        compute_digest: |data, hash| {
            let algorithm = match hash {
                ThumbprintHash::SHA256 => &SHA256,
                ThumbprintHash::SHA384 => &SHA384,
                ThumbprintHash::SHA512 => &SHA512,
                _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
            };
            Ok(digest(algorithm, data).as_ref().to_vec())
        },
    },
};

/// Makes jsonwebtoken use ring, for the rest of the process. It may be called again. If the host has installed another
/// provider before, that one stays, and its answers count.
pub fn install() {
    // The error is that there is one already.
    let _ = ON_RING.install_default();
}

impl Algorithm {
    /// The same algorithm as jsonwebtoken names it.
    pub(in crate::jose) fn of_jsonwebtoken(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Es384 => jsonwebtoken::Algorithm::ES384,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Rs384 => jsonwebtoken::Algorithm::RS384,
            Self::Rs512 => jsonwebtoken::Algorithm::RS512,
        }
    }
}

impl PublicKey {
    /// The key as jsonwebtoken takes it.
    pub(in crate::jose) fn decoding(&self) -> DecodingKey {
        match self {
            Self::P256(point) => DecodingKey::from_ec_der(point),
            Self::P384(point) => DecodingKey::from_ec_der(point),
            Self::Ed25519(x) => DecodingKey::from_ed_der(x),
            Self::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        }
    }
}

/// A key for one algorithm.
struct OnRing {
    key: PublicKey,
    algorithm: Algorithm,
}

impl Verifier<Vec<u8>> for OnRing {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        match self.key.verify(self.algorithm, message, signature) {
            true => Ok(()),
            false => Err(Error::new()),
        }
    }
}

impl JwtVerifier for OnRing {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        self.algorithm.of_jsonwebtoken()
    }
}

fn verifier(algorithm: &jsonwebtoken::Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let known = Algorithm::ALL.into_iter().find(|known| known.of_jsonwebtoken() == *algorithm);
    let algorithm = known.ok_or(ErrorKind::InvalidAlgorithm)?;
    let key = public_key(algorithm, key).ok_or(ErrorKind::InvalidKeyFormat)?;
    Ok(Box::new(OnRing { key, algorithm }))
}

/// The key, if it is of the kind that the algorithm needs.
fn public_key(algorithm: Algorithm, key: &DecodingKey) -> Option<PublicKey> {
    match (algorithm, key.kind()) {
        (Algorithm::Es256, DecodingKeyKind::SecretOrDer(point)) => {
            Some(PublicKey::P256(point.as_slice().try_into().ok()?))
        }
        (Algorithm::Es384, DecodingKeyKind::SecretOrDer(point)) => {
            Some(PublicKey::P384(point.as_slice().try_into().ok()?))
        }
        (Algorithm::EdDsa, DecodingKeyKind::SecretOrDer(x)) => {
            Some(PublicKey::Ed25519(x.as_slice().try_into().ok()?))
        }
        (
            Algorithm::Ps256 | Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512,
            DecodingKeyKind::RsaModulusExponent { n, e },
        ) => PublicKey::rsa(n.clone(), e.clone()).ok(),
        _ => None,
    }
}
