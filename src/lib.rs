//! Claviger takes long-lived API keys off the wire: a client sends its key once, to a token endpoint, and
//! what travels with every call after that is a signed token that dies within ten minutes.
//!
//! This is the map. Arrows point only downward.
//!
//! | room | what is in it |
//! |---|---|
//! | [`cli`], [`config`], [`set_up`], [`bootstrap`], [`key_file`] | from a command line to a running server |
//! | [`verify`] | for resource servers: verify tokens, hear of revocations, guard routes |
//! | [`client`] | asking a server over HTTP |
//! | [`http`], [`console`], [`listener`] | the routes, the pages for people, and the sockets under them |
//! | [`token`], [`management`], [`gate`] | the use cases, each a list of named steps |
//! | [`access`] | who calls, and what they may do |
//! | [`node`], [`keyring`], [`cursor`] | what a running server holds in memory |
//! | [`store`], [`audit`], [`usage`] | what lasts: SQL lives there and nowhere else |
//! | [`fair_queue`] | how organizations take turns at what they share |
//! | [`scope`], [`cidr`], [`address`], [`gateway`], [`api_key`], [`credential`], [`key`], [`tenant`], [`audiences`], [`names`], [`claims`], [`entity_tag`], [`jwk`], [`jws`], [`pem`], [`revocation_feed`], [`master_key`], [`clock`], [`entropy`] | the vocabulary: no I/O, no clock of its own; what can be said wrongly can't be constructed |
//!
//! The vocabulary needs neither of the features `server` and `verify`, so that both say the same.

#[cfg(feature = "server")]
pub mod access;
pub mod address;
pub mod api_key;
pub mod audiences;
#[cfg(feature = "server")]
pub mod audit;
#[cfg(feature = "server")]
pub mod bootstrap;
pub mod cidr;
pub mod claims;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "_client")]
pub mod client;
pub mod clock;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod console;
#[cfg(feature = "_client")]
pub mod credential;
#[cfg(feature = "server")]
pub mod cursor;
#[cfg(feature = "server")]
pub mod entity_tag;
pub mod entropy;
#[cfg(feature = "server")]
pub mod fair_queue;
#[cfg(feature = "server")]
pub mod gate;
pub mod gateway;
#[cfg(feature = "server")]
pub mod http;
mod json;
pub mod jwk;
pub mod jws;
pub mod key;
#[cfg(feature = "server")]
pub mod key_file;
#[cfg(feature = "server")]
pub mod keyring;
#[cfg(feature = "server")]
pub mod listener;
#[cfg(feature = "server")]
pub mod management;
pub mod master_key;
pub mod names;
#[cfg(feature = "server")]
pub mod node;
pub mod pem;
#[cfg(any(feature = "server", feature = "verify"))]
mod remembered;
pub mod revocation_feed;
pub mod scope;
#[cfg(feature = "server")]
pub mod set_up;
#[cfg(feature = "server")]
pub mod store;
pub mod tenant;
mod text;
#[cfg(feature = "server")]
pub mod token;
#[cfg(feature = "server")]
pub mod usage;
#[cfg(feature = "verify")]
pub mod verify;
