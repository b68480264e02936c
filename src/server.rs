//! The whole server: its settings, and all its routes put together.

mod at_issuer;
pub mod config;
mod router;
mod switch;
mod waiting;

pub use router::{install_full_router, service, until_set_up};
pub use switch::{Switch, SwitchHandle};
