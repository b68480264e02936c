//! What lasts, and what happens when it does not: schema, audit trail, all or nothing, sealed keys, outages.

mod atomicity;
mod audit;
mod connections;
mod failover;
mod faults;
mod files;
mod idle_keys;
mod mutation;
mod opening;
mod outage;
mod sealing;
mod sessions;
