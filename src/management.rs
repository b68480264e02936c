//! The use cases of the management API.

mod ceiling;
mod error;
pub mod keys;
pub mod signing_keys;

pub use error::ApiError;
