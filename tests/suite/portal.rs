//! The customers' portal: who is let in, what they may do there, and what they may not.

mod apart;
mod bounds;
pub(crate) mod browser;
mod entrance;
mod frames;
mod matrix;
mod neighbours;
mod walk;
