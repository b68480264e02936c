//! Claviger takes long-lived API keys off the wire. A client sends its key once, to a token endpoint, and gets a signed
//! token that expires within ten minutes. Resource servers verify the token offline, and hear of revocations within
//! seconds.
//!
//! A key is a random secret with rights: [scopes](domain::scope), [networks](domain::cidr) and an end. A token carries
//! some of them, and no more:
//!
//! ```
//! use claviger::domain::scope::{Scope, Scopes};
//!
//! let key = Scopes::parse_list("read:* write:invoices/*")?;
//! let asked: Scope = "write:invoices/2026".parse()?;
//! assert!(key.covers(&asked));
//! assert!(!key.covers(&"write:customers".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate has two faces. With the feature `verify` it is a library for resource servers, see `verify`. With the
//! feature `server` it is the authorization server and its command line. Both use the vocabulary in [`domain`] and
//! [`jose`], which needs neither feature, so that they can't disagree.
//!
//! `docs/architecture.md` says what each module may use. A test holds every `use` against its table.

pub mod base;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "_client")]
pub mod client;
#[cfg(feature = "server")]
pub mod console;
pub mod domain;
#[cfg(feature = "server")]
pub mod http;
pub mod jose;
#[cfg(feature = "server")]
pub mod listener;
#[cfg(feature = "server")]
pub mod metrics;
#[cfg(feature = "server")]
pub mod node;
#[cfg(feature = "server")]
pub mod server;
pub mod sharing;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod use_cases;
#[cfg(feature = "verify")]
pub mod verify;
