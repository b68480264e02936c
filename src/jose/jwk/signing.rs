//! Keys that sign.

use std::fmt;

use ring::error::KeyRejected;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use zeroize::Zeroizing;

use super::public_key::PublicKey;
use super::{Algorithm, JwkFault, KeyFault, PublicJwk, SigningFailed};
use crate::base::entropy::system_random;

/// A private key as an unencrypted PKCS#8 document (RFC 5958). It is wiped from memory when dropped.
#[derive(Clone)]
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl Pkcs8 {
    /// Wraps bytes without checking them. [`SigningKey::from_pkcs8`] checks that they are a PKCS#8 document.
    pub fn new(der: Vec<u8>) -> Self {
        Self(Zeroizing::new(der))
    }

    /// The document in DER. It must only be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pkcs8([redacted])")
    }
}

/// A parsed private key with its one algorithm. It includes the source of randomness for its signatures.
pub struct SigningKey {
    pair: Pair,
    random: SystemRandom,
    public: PublicJwk,
}

enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

impl SigningKey {
    /// Generates a key. Returns it with the document to store.
    ///
    /// # Errors
    /// [`KeyFault::CannotGenerateRsa`] for RS256; [`KeyFault::NoRandomness`] when the system has none.
    pub fn generate(algorithm: Algorithm) -> Result<(Self, Pkcs8), KeyFault> {
        let random = system_random();
        let document = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random),
            Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random),
            Algorithm::Rs256 => return Err(KeyFault::CannotGenerateRsa),
        };
        let pkcs8 = Pkcs8::new(document.map_err(|_| KeyFault::NoRandomness)?.as_ref().to_vec());
        Ok((Self::from_pkcs8(algorithm, pkcs8.as_bytes())?, pkcs8))
    }

    /// Reads an unencrypted PKCS#8 document. Ed25519 may lack the public half, as OpenSSL writes it. P-256 must have
    /// it. RSA must have 2048, 3072 or 4096 bits.
    ///
    /// # Errors
    /// [`KeyFault::Rejected`] when it is not a key for `algorithm`.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyFault> {
        let random = system_random();
        let rejected = |reason: String| KeyFault::Rejected { algorithm, reason };
        let pair =
            Pair::from_pkcs8(algorithm, der, &random).map_err(|reason| rejected(reason.to_string()))?;
        let public = pair.public_key().and_then(PublicJwk::new);
        let public = public.map_err(|reason| rejected(reason.to_string()))?;
        Ok(Self { pair, random, public })
    }

    /// The algorithm of the signatures.
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// The id of the key: its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    /// The public half, for publication and verification.
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.public
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// [`SigningFailed`] when the system has no randomness, or the parts of an RSA key contradict each other.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, SigningFailed> {
        let signature = match &self.pair {
            Pair::Es256(pair) => {
                pair.sign(&self.random, message).map_err(|_| SigningFailed).map(Bytes::Fixed)?
            }
            Pair::EdDsa(pair) => Bytes::Fixed(pair.sign(message)),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature)
                    .map_err(|_| SigningFailed)?;
                Bytes::Rsa(signature)
            }
        };
        Ok(Signature(signature))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {}, [redacted])", self.algorithm(), self.kid())
    }
}

impl Pair {
    fn from_pkcs8(algorithm: Algorithm, der: &[u8], random: &SystemRandom) -> Result<Self, KeyRejected> {
        match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, random).map(Self::Es256)
            }
            // "Unchecked" only applies if the public half is absent. If present, it must match.
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Self::EdDsa),
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(der).map(Self::Rs256),
        }
    }

    fn public_key(&self) -> Result<PublicKey, JwkFault> {
        let wrong_length = |_| JwkFault::Coordinate("x", 32);
        match self {
            Self::Es256(pair) => {
                pair.public_key().as_ref().try_into().map(PublicKey::P256).map_err(wrong_length)
            }
            Self::EdDsa(pair) => {
                pair.public_key().as_ref().try_into().map(PublicKey::Ed25519).map_err(wrong_length)
            }
            Self::Rs256(pair) => {
                let RsaPublicKeyComponents { n, e } = pair.public().into();
                PublicKey::rsa(n, e)
            }
        }
    }
}

/// The bytes of a signature, as a token has them.
pub struct Signature(Bytes);

enum Bytes {
    Fixed(ring::signature::Signature),
    Rsa(Vec<u8>),
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Fixed(signature) => signature.as_ref(),
            Bytes::Rsa(signature) => signature,
        }
    }
}
