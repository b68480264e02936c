//! The parts of DER (X.690 §10) that are needed to recognize the kind of a key and to wrap a key in PKCS#8.

use zeroize::Zeroizing;

use super::PemFault;
use crate::jose::jwk::{Algorithm, Pkcs8};

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// The tags `[0]` and `[1]`, explicit.
const FIRST_OPTION: u8 = 0xa0;
const SECOND_OPTION: u8 = 0xa1;

/// RFC 5480 §2.1.1: id-ecPublicKey and secp256r1.
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// RFC 8410 §3.
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// RFC 8017 §A.1 and §A.2.3.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSASSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];

/// The algorithm of the key in a PKCS#8 document.
pub(super) fn algorithm(pkcs8: &[u8]) -> Result<Algorithm, PemFault> {
    let document = PrivateKeyInfo::parse(pkcs8).ok_or(PemFault::Malformed)?;
    match (document.kind, document.parameters) {
        (EC_PUBLIC_KEY, Some(P256)) if lacks_public_half(document.key) => Err(PemFault::NoPublicHalf),
        (EC_PUBLIC_KEY, Some(P256)) => Ok(Algorithm::Es256),
        (EC_PUBLIC_KEY, _) => Err(PemFault::Curve),
        (ED25519, _) => Ok(Algorithm::EdDsa),
        (RSASSA_PSS, _) => Err(PemFault::RsaPss),
        (RSA_ENCRYPTION, _) => {
            let bits = modulus_bits(document.key).ok_or(PemFault::Malformed)?;
            if matches!(bits, 2048 | 3072 | 4096) {
                Ok(Algorithm::Rs256)
            } else {
                Err(PemFault::RsaSize(bits))
            }
        }
        _ => Err(PemFault::Unsupported),
    }
}

/// Wraps a PKCS#1 RSA key (RFC 8017 §A.1.2) in PKCS#8 (RFC 5958 §2).
pub(super) fn pkcs8_from_pkcs1(rsa: &[u8]) -> Pkcs8 {
    let version = encode(INTEGER, &[&[0]]);
    let null = [0x05, 0x00];
    let algorithm = encode(SEQUENCE, &[&encode(OBJECT_IDENTIFIER, &[RSA_ENCRYPTION]), &null]);
    let key = Zeroizing::new(encode(OCTET_STRING, &[rsa]));
    Pkcs8::new(encode(SEQUENCE, &[&version, &algorithm, &key]))
}

/// The fields of RFC 5958 §2 up to the key itself.
struct PrivateKeyInfo<'a> {
    kind: &'a [u8],
    /// The object identifier in the algorithm's parameters, if there is one.
    parameters: Option<&'a [u8]>,
    key: &'a [u8],
}

impl<'a> PrivateKeyInfo<'a> {
    fn parse(document: &'a [u8]) -> Option<Self> {
        let (fields, _) = decode(SEQUENCE, document)?;
        let (_version, fields) = decode(INTEGER, fields)?;
        let (algorithm, fields) = decode(SEQUENCE, fields)?;
        let (kind, parameters) = decode(OBJECT_IDENTIFIER, algorithm)?;
        let (key, _) = decode(OCTET_STRING, fields)?;
        Some(Self { kind, parameters: decode(OBJECT_IDENTIFIER, parameters).map(|(curve, _)| curve), key })
    }
}

/// Whether an `ECPrivateKey` (RFC 5915 §3) ends without the public key. Its parameters and its public key are
/// optional.
fn lacks_public_half(ec: &[u8]) -> bool {
    let optional = || {
        let (fields, _) = decode(SEQUENCE, ec)?;
        let (_version, fields) = decode(INTEGER, fields)?;
        let (_private, fields) = decode(OCTET_STRING, fields)?;
        Some(decode(FIRST_OPTION, fields).map_or(fields, |(_parameters, fields)| fields))
    };
    optional().is_some_and(|fields| decode(SECOND_OPTION, fields).is_none())
}

/// The size of the modulus in an `RSAPrivateKey` (RFC 8017 §A.1.2), which follows the version.
fn modulus_bits(rsa: &[u8]) -> Option<usize> {
    let (fields, _) = decode(SEQUENCE, rsa)?;
    let (_version, fields) = decode(INTEGER, fields)?;
    let (modulus, _) = decode(INTEGER, fields)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(zeros)?;
    Some((modulus.len() - zeros) * 8 - first.leading_zeros() as usize)
}

/// Splits `input` after its first element, which must have this tag. Returns the content and the rest.
fn decode(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = input.split_first_chunk()?;
    if found != tag {
        return None;
    }
    if length < 0x80 {
        return rest.split_at_checked(length.into());
    }
    let (length, rest) = rest.split_at_checked((length & 0x7f).into())?;
    let length =
        length.iter().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add((*byte).into()))?;
    rest.split_at_checked(length)
}

/// An element with this tag whose content is the concatenation of `parts`.
fn encode(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut element = Vec::with_capacity(length + 10);
    element.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => element.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let significant = &bytes[(length.leading_zeros() / 8) as usize..];
            element.push(0x80 | significant.len() as u8);
            element.extend_from_slice(significant);
        }
    }
    parts.iter().for_each(|part| element.extend_from_slice(part));
    element
}
