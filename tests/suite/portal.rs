//! The customers' portal: who is let in, what they may do there, and what they may not.

mod bounds;
mod browser;
mod entrance;
mod frames;
mod neighbours;
mod walk;
