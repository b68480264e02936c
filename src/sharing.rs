//! Fair sharing between organizations: permits for scarce capacity (`fair_queue`), processors (`background`) and
//! space in memory (`fair_cache`).

#[cfg(feature = "server")]
pub(crate) mod background;
#[cfg(any(feature = "server", feature = "verify"))]
pub(crate) mod fair_cache;
#[cfg(feature = "server")]
pub mod fair_queue;
