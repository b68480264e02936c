//! What the tests stand on: throwaway databases, and servers in this process whose clock they move.
//!
//! Included by each test binary, of which none uses all of it.
#![allow(dead_code, unused_imports, unreachable_pub)]

mod client;
mod database;
mod missing;
mod postgres;
mod server;

pub use client::{Answer, Client};
pub use database::{Backend, Database};
pub use missing::left_out;
pub use server::{Options, Server};

/// Writes each test twice: `mod sqlite` and `mod postgres` run the same function on the two databases.
/// Without a PostgreSQL to start, the second says that it was left out, and fails in CI.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::support::Backend::Sqlite).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test]
                async fn $name() {
                    if let Some(backend) = crate::support::Backend::postgres() {
                        super::$name(backend).await;
                    }
                }
            )*
        }
    };
}
pub(crate) use on_both;
