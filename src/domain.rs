//! The vocabulary that the server and the verifier share. It has no I/O and no clock of its own. Invalid values can't
//! be constructed.

pub mod address;
pub mod api_key;
pub mod audiences;
#[cfg(feature = "server")]
pub mod audit;
pub mod cidr;
#[cfg(feature = "_client")]
pub mod credential;
#[cfg(feature = "server")]
pub mod entity_tag;
pub mod gate_mapping;
mod hex_id;
#[cfg(feature = "server")]
pub mod issuer_networks;
pub mod key;
#[cfg(feature = "server")]
pub mod named_scope;
pub mod names;
#[cfg(feature = "server")]
pub mod person;
#[cfg(feature = "server")]
pub mod principal;
#[cfg(feature = "server")]
pub mod refusal_reason;
pub mod scope;
pub mod tenant;
#[cfg(feature = "_client")]
pub mod trace_context;
pub mod trust_rule;
#[cfg(feature = "server")]
pub mod trusted_issuer;
#[cfg(feature = "server")]
pub mod usage;
pub mod web_url;
