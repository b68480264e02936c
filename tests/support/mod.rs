//! What the tests stand on: throwaway databases, and servers in this process whose clock they move.
//!
//! Included by each test binary, of which none uses all of it.
#![allow(dead_code, unused_imports, unused_macros, unreachable_pub)]

pub mod assertion;
mod client;
mod database;
mod distance;
pub mod foreign_issuer;
mod holder;
mod missing;
pub mod openapi;
mod pooler;
pub mod postgres;
mod process;
pub mod relay;
mod server;
mod wait;
#[cfg(feature = "verify")]
pub mod world;

pub use client::{Answer, Client, forged};
pub use database::{Backend, Database};
pub use distance::{Distance, far_from};
pub use holder::{Holder, Proof};
pub use missing::left_out;
pub use pooler::Pooler;
pub use postgres::{Postgres, unprivileged};
pub use process::{Claviger, Process, is_here, write_private};
pub use server::{Node2, Options, START, Server};
pub use wait::{in_time, until};

/// Writes each test twice: `mod sqlite` and `mod postgres` run the same function on the two databases.
/// Without a PostgreSQL to start, the second says that it was left out, and fails in CI. In front of the
/// names there may be another attribute than `#[tokio::test]`.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        crate::support::on_both!(#[tokio::test] $($name),*);
    };
    (#[$test:meta] $($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[$test]
                async fn $name() {
                    super::$name(crate::support::Backend::Sqlite).await;
                }
            )*
        }
        crate::support::on_postgres!(#[$test] $($name),*);
    };
}
pub(crate) use on_both;

/// The half of [`on_both`] that is about what SQLite, with its one server, does not have.
macro_rules! on_postgres {
    ($($name:ident),* $(,)?) => {
        crate::support::on_postgres!(#[tokio::test] $($name),*);
    };
    (#[$test:meta] $($name:ident),* $(,)?) => {
        mod postgres {
            $(
                #[$test]
                async fn $name() {
                    if let Some(backend) = crate::support::Backend::postgres() {
                        super::$name(backend).await;
                    }
                }
            )*
        }
    };
}
pub(crate) use on_postgres;
