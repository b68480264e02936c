//! openapi.yaml is true: what it describes is there, and nothing else is. That each answer to the tests' client is
//! as described is checked where it arrives (`tests/support/openapi/answer.rs`).

mod examples;
mod page;
mod routes;
mod scenario;
mod scopes;
