//! argon2id, and what it may cost.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher as _, PasswordVerifier as _};

use super::HashError;

/// What the hashing of secrets costs. The secrets have 256 bits, so the cost adds nothing to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashCost(Params);

impl HashCost {
    /// Memory in KiB, passes, lanes.
    ///
    /// # Errors
    /// When argon2id does not take them.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, HashError> {
        Params::new(memory_kib, passes, lanes, None)
            .map(Self)
            .map_err(|error| HashError::Argon2(error.to_string()))
    }

    /// The hash of a secret, as a PHC string.
    pub(super) fn hash(&self, secret: &[u8], salt: &[u8]) -> Result<Box<str>, HashError> {
        Argon2::from(&self.0)
            .hash_password_with_salt(secret, salt)
            .map(|hash| hash.to_string().into())
            .map_err(|error| HashError::Argon2(error.to_string()))
    }

    /// Whether a hash was made at another cost than this.
    pub(super) fn differs_from(&self, hash: &str) -> bool {
        let made_at = PasswordHash::new(hash).ok().and_then(|hash| Params::try_from(&hash).ok());
        made_at.is_none_or(|made_at| costs(&made_at) != costs(&self.0))
    }
}

fn costs(params: &Params) -> (u32, u32, u32) {
    (params.m_cost(), params.t_cost(), params.p_cost())
}

/// Whether `hash` is one of `secret`, at whatever cost the hash names.
pub(super) fn verify(hash: &str, secret: &[u8]) -> bool {
    Argon2::default().verify_password(secret, hash).is_ok()
}
