//! What the fuzz targets have in common: an issuer whose keys are known, so that whatever is fuzzed can be signed, and
//! an oracle that holds what was accepted against the rules, in its own words and with another JSON reader.

#![allow(clippy::unwrap_used, reason = "a panic is a finding")]

pub mod issuer;
pub mod oracle;

#[cfg(test)]
mod wycheproof;
