//! The usage columns of CSV downloads.

use crate::use_cases::management::usage::{Bucket, Refused};

/// The column names, after those in `before`.
pub(super) const fn columns<const BEFORE: usize, const ALL: usize>(
    before: [&'static str; BEFORE],
) -> [&'static str; ALL] {
    assert!(ALL == BEFORE + USE.len(), "a name for each column");
    let mut all = [""; ALL];
    let mut index = 0;
    while index < ALL {
        all[index] = if index < BEFORE { before[index] } else { USE[index - BEFORE] };
        index += 1;
    }
    all
}

const USE: [&str; 8] = [
    "tokens",
    "direct",
    "refused_revoked",
    "refused_expired",
    "refused_disabled",
    "refused_address",
    "refused_secret",
    "refused_proof",
];

/// The cells, after those in `before`.
pub(super) fn cells<const BEFORE: usize, const ALL: usize>(
    before: [String; BEFORE],
    used: &Bucket,
) -> [String; ALL] {
    let Bucket { tokens, direct, refused, .. } = used;
    let Refused { revoked, expired, disabled, address, secret, proof } = *refused;
    let numbers = [*tokens, *direct, revoked, expired, disabled, address, secret, proof];
    let mut all = before.into_iter().chain(numbers.map(|number| number.to_string()));
    std::array::from_fn(|_| all.next().unwrap_or_default())
}
