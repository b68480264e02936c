//! Counters and histograms, and how they are written in the OpenMetrics text format.
//!
//! Each value belongs to the part of the server that changes it, and nothing is global. Every label has a fixed set of
//! values, so no input adds a series. Counting takes no lock and allocates nothing.

mod counters;
mod durations;
mod events;
mod exposition;
mod http;

pub use counters::Counters;
pub use durations::Durations;
pub use events::{Events, GrantLabel};
pub use exposition::Exposition;
pub use http::{HttpDurations, MethodLabel, RouteLabel};

/// The value of a label for everything that has no value of its own.
pub const OTHER: &str = "_OTHER";
