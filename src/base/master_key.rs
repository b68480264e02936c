//! The deployment's master key: 32 bytes from which all other keys of the deployment are derived.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::base::entropy::{Entropy, EntropyError};

/// The text is not a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 bytes in base64url without padding (43 characters)")]
pub struct MasterKeyError;

/// The sealed value was altered, or was sealed by another master key or for another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sealed value can't be opened: another master key sealed it, or it was altered or moved to another row"
)]
pub struct SealError;

/// Identifies a master key without revealing anything about it. The store keeps it.
pub type MasterKeyCheck = [u8; 16];

/// 32 random bytes. The key's file has them in base64url without padding.
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Generates a random master key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
        Ok(Self(Zeroizing::new(entropy.bytes()?)))
    }

    /// The text for the key's file. It must go nowhere else.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(&self.0[..]))
    }

    /// The value that the store keeps, so that a start with another key is refused.
    pub fn check(&self) -> MasterKeyCheck {
        *self.derive(b"claviger master key check v1")
    }

    /// Whether `check` is the check value of this key.
    pub fn matches(&self, check: &[u8]) -> bool {
        self.check().ct_eq(check).into()
    }

    /// The key that computes the tags of API keys.
    pub fn tag_key(&self) -> Zeroizing<[u8; 32]> {
        self.derive(b"claviger api key tag v1")
    }

    /// Everything that a node needs of this master key.
    pub fn derived(&self) -> DerivedKeys {
        DerivedKeys {
            check: self.check(),
            tag: self.tag_key(),
            cursors: SealingKey(self.derive(b"claviger list cursor v2")),
            proof_nonces: self.derive(b"claviger proof nonce v1"),
            sign_ins: SealingKey(self.derive(b"claviger sign-in attempt v1")),
            signing_keys: SealingKey(self.derive(b"claviger signing key seal v1")),
            tag_keys: SealingKey(self.derive(b"claviger replaced tag key seal v1")),
        }
    }

    fn derive<const N: usize>(&self, purpose: &[u8]) -> Zeroizing<[u8; N]> {
        let mut derived = Zeroizing::new([0; N]);
        // HKDF (RFC 5869) fails only for outputs longer than 255 hashes. These have at most 32 bytes.
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"claviger")
            .extract(&self.0[..])
            .expand(&[purpose], Bytes(N))
            .and_then(|okm| okm.fill(&mut derived[..]))
            .unwrap_or_else(|_| unreachable!("HKDF output of {N} bytes"));
        derived
    }
}

/// The keys that are derived from one master key. A node keeps these, and drops the master key itself.
pub struct DerivedKeys {
    /// The check value of the master key.
    pub check: MasterKeyCheck,
    /// The key that computes the tags of API keys.
    pub tag: Zeroizing<[u8; 32]>,
    /// The key that seals the cursors of lists.
    pub cursors: SealingKey,
    /// The key that computes the nonces of proofs of possession.
    pub proof_nonces: Zeroizing<[u8; 32]>,
    /// The key that seals what a browser keeps while somebody signs in at a provider.
    pub sign_ins: SealingKey,
    /// The key that seals private signing keys.
    pub signing_keys: SealingKey,
    /// The key that seals the tag keys of replaced master keys.
    tag_keys: SealingKey,
}

impl fmt::Debug for DerivedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedKeys([redacted])")
    }
}

/// The context that a sealed private signing key is bound to. It does not open in another row or for another algorithm.
pub fn place_of_signing_key(algorithm: &str, kid: &str) -> Vec<u8> {
    format!("signing_keys/{algorithm}/{kid}").into_bytes()
}

impl DerivedKeys {
    /// Seals the tag key of the replaced master key with this number.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn seal_tag_key(
        &self,
        number: i64,
        tag_key: &[u8; 32],
        entropy: &Entropy,
    ) -> Result<Vec<u8>, EntropyError> {
        self.tag_keys.seal(tag_key, &place_of_tag_key(number), entropy)
    }

    /// Opens the tag key of the replaced master key with this number.
    ///
    /// # Errors
    /// [`SealError`] when another master key sealed it, or it is of another number.
    pub fn open_tag_key(&self, number: i64, sealed: &[u8]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let opened = self.tag_keys.open(sealed, &place_of_tag_key(number))?;
        Ok(Zeroizing::new(<[u8; 32]>::try_from(&opened[..]).map_err(|_| SealError)?))
    }
}

fn place_of_tag_key(number: i64) -> Vec<u8> {
    format!("master_keys/{number}/tag").into_bytes()
}

struct Bytes(usize);

impl hkdf::KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

impl FromStr for MasterKey {
    type Err = MasterKeyError;

    fn from_str(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.trim_end()).map_err(|_| MasterKeyError)?);
        let bytes = <[u8; 32]>::try_from(&bytes[..]).map_err(|_| MasterKeyError)?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

/// Seals small secrets with AES-256-GCM. The nonce (96 random bits) precedes the ciphertext. A deployment seals too
/// few values for a collision of nonces.
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl SealingKey {
    /// Seals `plain` for `place`. Only the same `place` opens it.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn seal(&self, plain: &[u8], place: &[u8], entropy: &Entropy) -> Result<Vec<u8>, EntropyError> {
        let nonce = entropy.bytes::<NONCE_LEN>()?;
        let mut sealed = plain.to_vec();
        self.cipher()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
            .map_err(|_| EntropyError)?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    /// Opens a value that [`SealingKey::seal`] sealed for the same place.
    ///
    /// # Errors
    /// [`SealError`] for any other key, place or bytes.
    pub fn open(&self, sealed: &[u8], place: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let plain = self
            .cipher()
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place), &mut buffer)
            .map_err(|_| SealError)?
            .len();
        buffer.truncate(plain);
        Ok(buffer)
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, &self.0[..])
            .unwrap_or_else(|_| unreachable!("AES-256 takes 32 bytes"));
        LessSafeKey::new(key)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(first: u8) -> MasterKey {
        MasterKey::generate(&Entropy::scripted(first..first + 32)).unwrap()
    }

    #[test]
    fn a_master_key_reads_back_from_its_own_text_only() {
        let text = key(1).expose();
        assert_eq!(text.len(), 43);
        assert!(text.parse::<MasterKey>().unwrap().matches(&key(1).check()));
        assert!(format!("{}\n", *text).parse::<MasterKey>().is_ok(), "an editor's newline is harmless");
        for bad in ["", "short", &text[1..], &format!("{}A", *text), &text.replace(&text[..1], "=")] {
            assert!(bad.parse::<MasterKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn another_master_key_has_another_check_and_tag_key() {
        assert!(!key(2).matches(&key(1).check()));
        assert!(!key(1).matches(&key(1).check()[..15]));
        assert_ne!(key(1).tag_key(), key(2).tag_key());
    }

    #[test]
    fn what_is_sealed_opens_only_in_its_place_and_unchanged() {
        let sealing = key(1).derived().signing_keys;
        let sealed = sealing.seal(b"private", b"row 1", &Entropy::system()).unwrap();
        assert_eq!(&sealing.open(&sealed, b"row 1").unwrap()[..], b"private");
        assert_eq!(sealing.open(&sealed, b"row 2"), Err(SealError));
        assert_eq!(key(2).derived().signing_keys.open(&sealed, b"row 1"), Err(SealError));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(sealing.open(&changed, b"row 1"), Err(SealError), "byte {at}");
            assert_eq!(sealing.open(&sealed[..at], b"row 1"), Err(SealError), "cut at {at}");
        }
    }

    #[test]
    fn debug_output_is_redacted() {
        assert_eq!(
            format!("{:?} {:?}", key(1), key(1).derived().signing_keys),
            "MasterKey([redacted]) SealingKey([redacted])"
        );
    }
}
