//! Fair sharing between organizations: permits for scarce capacity (`fair_queue`), processors (`background`) and
//! space in memory (`fair_cache`, `single_use`).

#[cfg(feature = "server")]
pub(crate) mod background;
#[cfg(any(feature = "server", feature = "verify"))]
pub(crate) mod fair_cache;
#[cfg(feature = "server")]
pub mod fair_queue;
#[cfg(any(feature = "server", feature = "verify"))]
pub(crate) mod single_use;
