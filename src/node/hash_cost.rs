//! argon2id, and its cost.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher as _, PasswordVerifier as _};

use super::HashError;

/// The cost of hashing secrets. Secrets have 256 bits of entropy, so a higher cost adds no security.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashCost(Params);

/// The default memory in KiB, passes and lanes: the least that argon2id takes (RFC 9106 §3.1). Recommendations for
/// passwords are higher, because passwords can be guessed. Here, a higher cost would only make clients wait after a
/// restart, when all keys in use are hashed once.
pub const DEFAULT_COST: (u32, u32, u32) = (8, 1, 1);

impl HashCost {
    /// `memory_kib` is in KiB; `passes` and `lanes` are argon2's `t_cost` and `p_cost`.
    ///
    /// # Errors
    /// When argon2id rejects the parameters.
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

    /// What every hash of this cost begins with, as a PHC string.
    pub fn prefix(&self) -> String {
        let (memory, passes, lanes) = costs(&self.0);
        format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$")
    }

    /// Whether a hash was made at another cost.
    pub(super) fn differs_from(&self, hash: &str) -> bool {
        let made_at = PasswordHash::new(hash).ok().and_then(|hash| Params::try_from(&hash).ok());
        made_at.is_none_or(|made_at| costs(&made_at) != costs(&self.0))
    }
}

fn costs(params: &Params) -> (u32, u32, u32) {
    (params.m_cost(), params.t_cost(), params.p_cost())
}

/// Whether `hash` is a hash of `secret`, at whatever cost the hash names.
pub(super) fn verify(hash: &str, secret: &[u8]) -> bool {
    Argon2::default().verify_password(secret, hash).is_ok()
}
