//! How organizations share what is scarce: permits for something ([`fair_queue`]), processors (`background`) and room in
//! memory (`fair_cache`).

#[cfg(feature = "server")]
pub(crate) mod background;
#[cfg(any(feature = "server", feature = "verify"))]
pub(crate) mod fair_cache;
#[cfg(feature = "server")]
pub mod fair_queue;
