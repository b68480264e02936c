//! The whole server: its settings, and all its routes put together.

pub mod config;
mod router;
mod switch;
mod waiting;

pub use router::{service, until_set_up};
pub use switch::{FullRouter, Switch};
