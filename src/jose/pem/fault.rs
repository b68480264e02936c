//! What can be wrong with a PEM that should hold a signing key.

use crate::jose::jwk::KeyFault;

/// Why a PEM holds no usable signing key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemFault {
    /// No block of any kind that is looked for.
    #[error("there is no private key in PEM: a line `-----BEGIN PRIVATE KEY-----` was looked for")]
    NoKey,
    /// Certificates, and no private key.
    #[error("this is a certificate, not its private key")]
    Certificate,
    /// The public half alone.
    #[error("this is a public key; signing needs the private one")]
    PublicKey,
    /// More than one private key.
    #[error("there are several private keys; exactly one is needed")]
    SeveralKeys,
    /// No end, or no base64 within.
    #[error("the PEM block is damaged")]
    Malformed,
    /// PKCS#8 with a password (RFC 5958 §3), or OpenSSL's older way.
    #[error("the private key is encrypted; decrypt it with `openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW`")]
    Encrypted,
    /// `EC PRIVATE KEY` (RFC 5915 §4).
    #[error(
        "this is an EC key in SEC 1 form; convert it with `openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW`"
    )]
    Sec1,
    /// `OPENSSH PRIVATE KEY`.
    #[error(
        "this is a key in OpenSSH's own form; make one with `openssl genpkey -algorithm EC -pkeyopt \
         ec_paramgen_curve:P-256`"
    )]
    OpenSsh,
    /// P-384, secp256k1 and the rest.
    #[error("this is an EC key on another curve than P-256")]
    Curve,
    /// RFC 5915 §3 leaves the public key optional.
    #[error("this EC key comes without its public half, and can't be used without")]
    NoPublicHalf,
    /// `id-RSASSA-PSS` (RFC 4055 §1.2): such a key may not make RS256 signatures.
    #[error(
        "this RSA key is restricted to RSASSA-PSS, and RS256 is not that; make one with `-algorithm RSA`"
    )]
    RsaPss,
    /// The size of the modulus, in bits.
    #[error("this RSA key has {0} bits; only 2048, 3072 and 4096 are supported")]
    RsaSize(usize),
    /// DSA, X25519, Ed448 and the rest.
    #[error("this private key is of another kind than P-256, Ed25519 and RSA")]
    Unsupported,
    /// The halves of the key do not belong together.
    #[error("the parts of the private key contradict each other")]
    Inconsistent,
    /// ring's refusal, for reasons not foreseen above.
    #[error(transparent)]
    Key(#[from] KeyFault),
}
