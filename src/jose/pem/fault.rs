//! The reasons why a PEM can't be imported as a signing key.

use crate::jose::jwk::KeyFault;

/// Why a PEM contains no usable signing key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemFault {
    /// No known block is present.
    #[error("there is no private key in PEM, which begins with a line `-----BEGIN PRIVATE KEY-----`")]
    NoKey,
    /// There are certificates but no private key.
    #[error("this is a certificate, not its private key")]
    Certificate,
    /// There is only the public half.
    #[error("this is a public key; signing needs the private one")]
    PublicKey,
    /// There is more than one private key.
    #[error("there are several private keys; exactly one is needed")]
    SeveralKeys,
    /// The end of the block is missing, or its content is not base64.
    #[error("the PEM block is damaged")]
    Malformed,
    /// The key is encrypted, as PKCS#8 (RFC 5958 §3) or in OpenSSL's older way.
    #[error("the private key is encrypted; decrypt it with `openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW`")]
    Encrypted,
    /// The label is `EC PRIVATE KEY` (RFC 5915 §4).
    #[error(
        "this is an EC key in SEC 1 form; convert it with `openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW`"
    )]
    Sec1,
    /// The label is `OPENSSH PRIVATE KEY`.
    #[error(
        "this is a key in OpenSSH's own form; make one with `openssl genpkey -algorithm EC -pkeyopt \
         ec_paramgen_curve:P-256`"
    )]
    OpenSsh,
    /// The curve is not P-256, but P-384, secp256k1 or another one.
    #[error("this is an EC key on another curve than P-256")]
    Curve,
    /// The public key is missing, which RFC 5915 §3 allows.
    #[error("this EC key lacks its public half, which is required")]
    NoPublicHalf,
    /// The algorithm is `id-RSASSA-PSS` (RFC 4055 §1.2). Such a key must not sign with RS256.
    #[error(
        "this RSA key is restricted to RSASSA-PSS and can't sign with RS256; make one with `-algorithm RSA`"
    )]
    RsaPss,
    /// The modulus has an unsupported size, given in bits.
    #[error("this RSA key has {0} bits; only 2048, 3072 and 4096 are supported")]
    RsaSize(usize),
    /// The kind of key is not supported, such as DSA, X25519 or Ed448.
    #[error("this private key is not a P-256, Ed25519 or RSA key")]
    Unsupported,
    /// The halves of the key don't match.
    #[error("the parts of the private key contradict each other")]
    Inconsistent,
    /// ring refuses the key for another reason.
    #[error(transparent)]
    Key(#[from] KeyFault),
}
