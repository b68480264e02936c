//! Codes for one use that a person can type.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::base::entropy::{Entropy, EntropyError};

/// Crockford's base32: letters that look like digits are left out, and no code spells a rude word.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 28 symbols of 5 bits are 140 bits.
const LENGTH: usize = 28;

const GROUP: usize = 4;

/// A one-time code. It is wiped from memory when it is dropped.
pub struct Code(Zeroizing<[u8; LENGTH]>);

/// The digest of a code, which can verify the code.
#[derive(Clone)]
pub struct CodeHash([u8; 32]);

/// The text is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has {LENGTH} letters and digits")]
pub struct CodeError;

impl Code {
    /// Generates a code.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate(entropy: &Entropy) -> Result<Self, EntropyError> {
        let random = Zeroizing::new(entropy.bytes::<LENGTH>()?);
        Ok(Self(Zeroizing::new(random.map(|byte| ALPHABET[usize::from(byte % 32)]))))
    }

    /// The code in groups of four, for the one place that shows it.
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / GROUP));
        for (at, symbol) in self.0.iter().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(*symbol));
        }
        text
    }

    /// The digest of the code.
    pub fn hash(&self) -> CodeHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &*self.0).as_ref());
        CodeHash(hash)
    }
}

impl CodeHash {
    /// Whether this is the code, in constant time.
    pub fn is_of(&self, code: &Code) -> bool {
        self.0.ct_eq(&code.hash().0).into()
    }
}

impl FromStr for Code {
    type Err = CodeError;

    /// Reads a typed code, in either case, with or without separators. Letters that codes do not contain stand for the
    /// digits that they resemble.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut symbols = Zeroizing::new([0; LENGTH]);
        let mut typed = text.bytes().filter(|byte| !matches!(byte, b'-' | b' ' | b'\n')).map(meant);
        for symbol in symbols.iter_mut() {
            *symbol = typed.next().filter(|byte| ALPHABET.contains(byte)).ok_or(CodeError)?;
        }
        if typed.next().is_some() { Err(CodeError) } else { Ok(Self(symbols)) }
    }
}

const fn meant(byte: u8) -> u8 {
    match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code([redacted])")
    }
}

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeHash([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_recognized_in_any_case_and_spacing() {
        let code = Code::generate(&Entropy::scripted(0..28)).unwrap();
        assert_eq!(&**code.expose(), "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV");
        for typed in [
            "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV",
            "0123456789ABCDEFGHJKMNPQRSTV\n",
            "  olz3 4567 89ab cdef ghjk mnpq rstv".replace('z', "2").as_str(),
            "OI23-4567-89AB-CDEF-GHJK-MNPQ-RSTV",
        ] {
            assert!(code.hash().is_of(&typed.parse().unwrap()), "{typed}");
        }
        let other: Code = "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTW".parse().unwrap();
        assert!(!code.hash().is_of(&other));
        assert_eq!(format!("{code:?} {:?}", code.hash()), "Code([redacted]) CodeHash([redacted])");
    }

    #[test]
    fn a_malformed_code_is_refused() {
        let whole = "0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV";
        for bad in
            ["", "0", &whole[1..], &format!("{whole}0"), &whole.replace('A', "U"), &whole.replace('A', "é")]
        {
            assert_eq!(bad.parse::<Code>().err(), Some(CodeError), "{bad}");
        }
    }

    #[test]
    fn every_symbol_of_a_code_is_equally_likely() {
        let code = |byte| Code::generate(&Entropy::scripted([byte; LENGTH])).unwrap().0[0];
        for symbol in ALPHABET {
            assert_eq!((0..=255).filter(|byte| code(*byte) == *symbol).count(), 8);
        }
    }
}
