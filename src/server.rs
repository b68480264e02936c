//! The whole server: its settings, and all its routes put together.

pub mod config;
mod issuer_path;
mod router;
mod switch;
mod waiting;

pub use router::{install_full_router, service, until_set_up};
pub use switch::{Switch, SwitchHandle};
