//! The server: its settings, and the service with all routes.

pub mod config;
mod issuer_path;
pub mod metrics;
mod router;
mod switch;
mod waiting;

pub use router::{install_full_router, service, until_set_up};
pub use switch::{Switch, SwitchHandle};
