//! How organizations share what is scarce: permits for something ([`fair_queue`]) and room in memory (`remembered`).

#[cfg(feature = "server")]
pub mod fair_queue;
#[cfg(any(feature = "server", feature = "verify"))]
pub(crate) mod remembered;
