//! How organizations share what is scarce: permits for something ([`fair_queue`]) and room in memory (`fair_cache`).

#[cfg(any(feature = "server", feature = "verify"))]
pub(crate) mod fair_cache;
#[cfg(feature = "server")]
pub mod fair_queue;
