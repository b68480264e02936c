//! The foundation: time, randomness, locks, text, environment variables, secret files, the master key and what a
//! certificate says. Nothing here knows about API keys.

#[cfg(feature = "server")]
pub mod certificate;
pub mod clock;
#[cfg(feature = "server")]
pub(crate) mod counted;
pub mod entropy;
#[cfg(test)]
pub(crate) mod every_variant;
#[cfg(feature = "server")]
pub mod key_file;
pub(crate) mod lock;
pub mod master_key;
pub(crate) mod text;
#[cfg(feature = "server")]
pub(crate) mod variables;
